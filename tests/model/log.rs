//! The log itself while its beginning leaves it: jobs that read it in pages, decide and write one step after the other, jobs that archive
//! and remove what bases cover, and deaths and pauses between any two steps.
//!
//! What may be removed and when, and when a job may take what it wrote for recorded, are the product's own decisions (`Shelf::upkeep`,
//! `View::makes_certain`). What is recorded is as little as shows a mistake: who takes the lease and gives it back. Here a state is the
//! list of these facts, so a base that forgets or changes anything is another state.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use stateright::{Checker, HasDiscoveries, Model, Property};
use trainyard::domain::archive::{Anchor, Cleared, Shelf, Upkeep, View};

/// Somebody takes the lease, or gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    Taken(usize),
    GivenBack(usize),
}

type History = Vec<Told>;

/// One CI variable of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Variable {
    Entry {
        slot: u64,
        /// Whose attempt it is: two are never the same.
        nonce: u16,
        told: Option<Told>,
    },
    Base {
        generation: u64,
        slot: u64,
        state: History,
    },
    Cleared {
        generation: u64,
        slot: u64,
        minute: i64,
    },
}

impl Variable {
    fn key(&self) -> (u8, u64) {
        match self {
            Self::Entry { slot, .. } => (0, *slot),
            Self::Base { generation, .. } => (1, *generation),
            Self::Cleared { generation, .. } => (2, *generation),
        }
    }
}

/// A log as its variables tell it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reading {
    revision: u64,
    /// What the base holds, and which one it is.
    generation: u64,
    state: History,
    nonces: Vec<(u64, u16)>,
}

/// None where an entry is missing although later ones are there.
fn read(variables: &[Variable]) -> Option<Reading> {
    let bases = variables.iter().filter_map(|variable| match variable {
        Variable::Base {
            generation,
            slot,
            state,
        } => Some((*generation, *slot, state.clone())),
        Variable::Entry { .. } | Variable::Cleared { .. } => None,
    });
    let base = bases.max_by_key(|(generation, ..)| *generation);
    let (generation, slot, state) = base.unwrap_or_default();
    let entries: BTreeMap<u64, (u16, Option<Told>)> = variables
        .iter()
        .filter_map(|variable| match variable {
            Variable::Entry { slot, nonce, told } => Some((*slot, (*nonce, *told))),
            Variable::Base { .. } | Variable::Cleared { .. } => None,
        })
        .collect();
    let mut reading = Reading {
        revision: slot,
        generation,
        state,
        nonces: Vec::new(),
    };
    for (slot, (nonce, told)) in entries.range(slot + 1..) {
        if *slot != reading.revision + 1 {
            return None;
        }
        reading.revision = *slot;
        reading.nonces.push((*slot, *nonce));
        reading.state.extend(told);
    }
    Some(reading)
}

/// As `Found::shelf` puts it together.
fn shelf(variables: &[Variable], counts: u64) -> Shelf {
    let mut shelf = Shelf::default();
    for variable in variables {
        match variable {
            Variable::Entry { slot, .. } => {
                shelf.slots.insert(*slot);
            }
            Variable::Base {
                generation, slot, ..
            } => {
                let slot = if *generation == counts { *slot } else { 0 };
                shelf.bases.insert(*generation, slot);
            }
            Variable::Cleared {
                generation,
                slot,
                minute,
            } => {
                let (at, slot) = (instant(*minute), *slot);
                shelf.cleared.insert(*generation, Cleared { at, slot });
            }
        }
    }
    shelf
}

fn instant(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

/// What a listing has brought so far. GitLab counts on a page by how many come before it, so what is deleted meanwhile moves the
/// rest forward, past who reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Listing {
    began: i64,
    found: Vec<Variable>,
    pages: usize,
    tries: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    /// Reads, and looks for what it wrote where it could not be certain.
    Read {
        listing: Listing,
        wrote: Option<(u64, u16, Told)>,
    },
    /// Writes what it decided.
    Write {
        began: i64,
        at_once: bool,
        revision: u64,
        told: Told,
    },
    /// Does what an archiver has planned, one after the other.
    Keep(Vec<Operation>),
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Operation {
    Remove((u8, u64)),
    NoteCleared(u64, u64),
    SetBase(u64, u64, History),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Job {
    archives: bool,
    phase: Phase,
    /// Whether it believes that it has the lease.
    holds: bool,
    /// What it believes to have recorded.
    recorded: History,
    attempts: u8,
}

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

impl Job {
    fn new(archives: bool) -> Self {
        Self {
            archives,
            phase: Phase::Read {
                listing: Listing::default(),
                wrote: None,
            },
            holds: false,
            recorded: Vec::new(),
            attempts: 0,
        }
    }

    fn is_new(&self) -> bool {
        *self == Self::new(self.archives)
    }
}

/// A job gives up after so many readings, or attempts to write.
const TRIES: u8 = 2;

impl Shift {
    fn go(&self, state: &mut State, at: usize) {
        let mut job = state.jobs[at].clone();
        let phase = std::mem::replace(&mut job.phase, Phase::Over);
        job.phase = match phase {
            Phase::Read { listing, wrote } => self.page_of(state, &mut job, at, listing, wrote),
            Phase::Write {
                began,
                at_once,
                revision,
                told,
            } => self.write(state, &mut job, at, (began, at_once, revision), told),
            Phase::Keep(mut operations) => {
                if operations.is_empty() {
                    Phase::Over
                } else {
                    keep(state, operations.remove(0));
                    Phase::Keep(operations)
                }
            }
            Phase::Over => Phase::Over,
        };
        if job.phase == Phase::Keep(Vec::new()) {
            job.phase = Phase::Over;
        }
        if job.phase == Phase::Over {
            job.holds = false;
        }
        state.jobs[at] = job;
    }

    /// One more page; after the last one the job decides.
    fn page_of(
        &self,
        state: &State,
        job: &mut Job,
        at: usize,
        mut listing: Listing,
        wrote: Option<(u64, u16, Told)>,
    ) -> Phase {
        if listing.pages == 0 {
            listing.began = state.minute;
        }
        let page = state.variables.iter().skip(listing.pages * self.page);
        let page: Vec<Variable> = page.take(self.page).cloned().collect();
        listing.pages += 1;
        let last = page.len() < self.page;
        listing.found.extend(page);
        if !last {
            return Phase::Read { listing, wrote };
        }
        let Some(reading) = read(&listing.found) else {
            if listing.tries + 1 == TRIES {
                return Phase::Over;
            }
            let listing = Listing {
                tries: listing.tries + 1,
                ..Listing::default()
            };
            return Phase::Read { listing, wrote };
        };
        if job.archives {
            return plan(&listing.found, &reading, state.minute, self.mistake);
        }
        let at_once = listing.pages == 1;
        if let Some((slot, nonce, told)) = wrote {
            if reading.nonces.contains(&(slot, nonce)) || reading.state.contains(&told) {
                return recorded(job, at, told, (listing.began, at_once, reading.revision));
            }
            job.attempts += 1;
            if job.attempts == TRIES {
                return Phase::Over;
            }
        }
        // What it had may be another one's by now.
        job.holds = false;
        let holder = match reading.state.last() {
            Some(Told::Taken(holder)) => Some(*holder),
            Some(Told::GivenBack(_)) | None => None,
        };
        let told = match holder {
            Some(holder) if holder == at => Told::GivenBack(at),
            Some(holder) if state.jobs[holder].phase != Phase::Over => return Phase::Over,
            Some(_) | None if reading.state.contains(&Told::Taken(at)) => return Phase::Over,
            Some(_) | None => Told::Taken(at),
        };
        Phase::Write {
            began: listing.began,
            at_once,
            revision: reading.revision,
            told,
        }
    }

    fn write(
        &self,
        state: &mut State,
        job: &mut Job,
        at: usize,
        (began, at_once, revision): (i64, bool, u64),
        told: Told,
    ) -> Phase {
        // Whoever gives it back uses it no more, whatever comes of that.
        job.holds &= matches!(told, Told::Taken(_));
        let slot = revision + 1;
        let nonce = (at as u16) * 100 + u16::from(job.attempts) * 10 + job.recorded.len() as u16;
        let covered = read(&state.variables).map_or(0, |now| now.revision);
        let made = create(
            &mut state.variables,
            Variable::Entry {
                slot,
                nonce,
                told: Some(told),
            },
        );
        if made && slot > covered {
            state.truth.push(told);
        }
        let view = View {
            began: instant(began),
            at_once,
        };
        let certain = view.makes_certain(revision, instant(state.minute))
            || self.mistake == Mistake::Careless;
        if made && certain {
            return recorded(job, at, told, (began, at_once, slot));
        }
        Phase::Read {
            listing: Listing::default(),
            wrote: Some((slot, nonce, told)),
        }
    }
}

/// The job takes it for recorded. What it does next stands on the view that it had.
fn recorded(
    job: &mut Job,
    at: usize,
    told: Told,
    (began, at_once, revision): (i64, bool, u64),
) -> Phase {
    job.recorded.push(told);
    match told {
        Told::Taken(_) => {
            job.holds = true;
            Phase::Write {
                began,
                at_once,
                revision,
                told: Told::GivenBack(at),
            }
        }
        Told::GivenBack(_) => Phase::Over,
    }
}

/// Makes a variable, unless there is one of that key.
fn create(variables: &mut Vec<Variable>, one: Variable) -> bool {
    let absent = variables.iter().all(|other| other.key() != one.key());
    if absent {
        variables.push(one);
    }
    absent
}

/// What an archiver does that sees this.
fn plan(found: &[Variable], reading: &Reading, minute: i64, mistake: Mistake) -> Phase {
    let minute = match mistake {
        Mistake::None | Mistake::Careless => minute,
        Mistake::Hasty => minute + 31,
    };
    let upkeep = shelf(found, reading.generation).upkeep(instant(minute));
    let mut operations: Vec<Operation> = match upkeep {
        Upkeep::Rest => Vec::new(),
        Upkeep::Clear {
            generation,
            slot,
            anchors,
        } => {
            let key = |anchor| match anchor {
                Anchor::FirstEntry => (0, 1),
                Anchor::Base(generation) => (1, generation),
            };
            let gone = anchors
                .into_iter()
                .map(|anchor| Operation::Remove(key(anchor)));
            gone.chain([Operation::NoteCleared(generation, slot)])
                .collect()
        }
        Upkeep::Remove { slots, notes } => {
            let entries = slots.into_iter().map(|slot| (0, slot));
            let notes = notes.into_iter().map(|generation| (2, generation));
            entries.chain(notes).map(Operation::Remove).collect()
        }
    };
    if !reading.nonces.is_empty() {
        let (slot, state) = (reading.revision, reading.state.clone());
        operations.push(Operation::SetBase(reading.generation + 1, slot, state));
    }
    Phase::Keep(operations)
}

fn keep(state: &mut State, operation: Operation) {
    match operation {
        Operation::Remove(key) => state.variables.retain(|one| one.key() != key),
        Operation::NoteCleared(generation, slot) => {
            let minute = state.minute;
            let note = Variable::Cleared {
                generation,
                slot,
                minute,
            };
            create(&mut state.variables, note);
        }
        Operation::SetBase(generation, slot, history) => {
            let base = Variable::Base {
                generation,
                slot,
                state: history,
            };
            create(&mut state.variables, base);
        }
    }
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
