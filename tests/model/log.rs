//! The log itself while its beginning leaves it: jobs that read it in pages, decide and write one step after the other, jobs that archive
//! and remove what bases cover, and deaths and pauses between any two steps.
//!
//! What may be removed and when, and when a job may take what it wrote for recorded, are the product's own decisions (`Shelf::upkeep`,
//! `View::makes_certain`). What is recorded is as little as shows a mistake: who takes the lease and gives it back. Here a state is the
//! list of these facts, so a base that forgets or changes anything is another state.

mod job;
mod variables;

use stateright::{Checker, HasDiscoveries, Model, Property};

use job::{Job, Phase};
use variables::{History, Told, Variable, read};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    variables: Vec<Variable>,
    minute: i64,
    jobs: Vec<Job>,
    deaths: u8,
    pauses: u8,
    /// Everything that was recorded, in its order: what no job can see.
    truth: History,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Go(usize),
    Die(usize),
    /// Minutes pass.
    Pass(i64),
}

/// How many jobs write, how many archive, and what goes wrong.
#[derive(Debug, Clone)]
struct Shift {
    writers: usize,
    archivers: usize,
    deaths: u8,
    pauses: u8,
    /// So many variables come in one answer.
    page: usize,
    mistake: Mistake,
}

/// What the product must not do, to see that it would be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// Jobs take every answer for a proof.
    Careless,
    /// Entries go as soon as the anchors below them are gone.
    Hasty,
}

impl Model for Shift {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let writers = std::iter::repeat_n(Job::new(false), self.writers);
        let archivers = std::iter::repeat_n(Job::new(true), self.archivers);
        let first = |slot| Variable::Entry {
            slot,
            nonce: 9_000 + slot as u16,
            told: None,
        };
        vec![State {
            variables: vec![first(1), first(2)],
            minute: 0,
            jobs: writers.chain(archivers).collect(),
            deaths: self.deaths,
            pauses: self.pauses,
            truth: Vec::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (at, job) in state.jobs.iter().enumerate() {
            // Jobs of a kind are alike: which of them is first makes no difference.
            let before = at.checked_sub(1).map(|before| &state.jobs[before]);
            if before.is_some_and(|before| before.is_new() && before.archives == job.archives) {
                continue;
            }
            if job.phase != Phase::Over {
                actions.push(Step::Go(at));
                if state.deaths > 0 && !job.is_new() {
                    actions.push(Step::Die(at));
                }
            }
        }
        if state.pauses > 0 && !actions.is_empty() {
            // Longer than a job relies on what it read; longer than entries stay.
            actions.extend([Step::Pass(3), Step::Pass(31)]);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Go(at) => self.go(&mut next, at),
            Step::Die(at) => {
                next.jobs[at].phase = Phase::Over;
                next.jobs[at].holds = false;
                next.deaths -= 1;
            }
            Step::Pass(minutes) => {
                next.minute += minutes;
                next.pauses -= 1;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "the log tells what was recorded, whatever was archived and removed",
                |_, state: &State| {
                    read(&state.variables).is_some_and(|now| now.state == state.truth)
                },
            ),
            Property::always(
                "what a job takes for recorded is recorded, and nothing is twice",
                |_, state: &State| {
                    let all = state.jobs.iter().flat_map(|job| &job.recorded);
                    let times = |told: &Told| state.truth.iter().filter(|t| *t == told).count();
                    all.into_iter().all(|told| times(told) == 1)
                        && state.truth.iter().all(|told| times(told) == 1)
                },
            ),
            Property::always("one job at a time has the lease", |_, state: &State| {
                state.jobs.iter().filter(|job| job.holds).count() <= 1
            }),
            Property::sometimes(
                "entries are removed, and who came later takes the lease and gives it back",
                |shift: &Shift, state: &State| {
                    let gone = |slot: u64| state.variables.iter().all(|one| one.key() != (0, slot));
                    // One archives, the next one removes the anchors, and the third one what is left.
                    let removed = shift.archivers < 3 || (gone(1) && gone(2));
                    removed && state.truth.len() == 2 * shift.writers
                },
            ),
        ]
    }
}

fn check(shift: Shift, at_least: usize) {
    let checker = shift.checker().threads(2).spawn_bfs().join();
    let states = checker.unique_state_count();
    assert!(states >= at_least, "only {states} states");
    checker.assert_properties();
}

const TWO: Shift = Shift {
    writers: 2,
    archivers: 3,
    deaths: 0,
    pauses: 1,
    page: 100,
    mistake: Mistake::None,
};

#[test]
fn archiving_loses_and_changes_nothing_whoever_stands_still() {
    check(TWO, 240_000);
}

#[test]
fn nor_does_it_whoever_dies() {
    check(
        Shift {
            archivers: 2,
            deaths: 1,
            ..TWO
        },
        50_000,
    );
}

#[test]
fn a_listing_in_pages_that_misses_what_moves_does_no_harm() {
    check(
        Shift {
            page: 2,
            writers: 1,
            ..TWO
        },
        100_000,
    );
}

#[test]
fn three_archivers_one_after_the_other_or_at_once_keep_one_chain_of_bases() {
    check(
        Shift {
            writers: 1,
            deaths: 1,
            pauses: 2,
            ..TWO
        },
        35_000,
    );
}

#[test]
fn jobs_that_took_every_answer_for_a_proof_or_removed_too_soon_would_be_found_out() {
    for (mistake, pauses) in [(Mistake::Careless, 1), (Mistake::Hasty, 0)] {
        let wrong = Shift {
            mistake,
            pauses,
            ..TWO
        };
        let checker = wrong.checker().threads(2);
        let checker = checker.finish_when(HasDiscoveries::AnyFailures);
        let checker = checker.spawn_bfs().join();
        let recorded = "what a job takes for recorded is recorded, and nothing is twice";
        assert!(checker.discovery(recorded).is_some(), "{mistake:?}");
    }
}
