//! The queue, the lease and dying jobs, checked in every order in which their steps can fall.
//!
//! The decisions are the product's own (`grant`, `hold`, `release`, `next_trial`, `conclude`, the fold of the log); this model
//! adds what is between them: jobs that read, decide and act one step after the other, pipelines that are cancelled or die
//! between any two steps, workers that overlap, and people who push to the target. A decision that is recorded is one step,
//! because the log takes an entry only right behind the one that it was decided on.
//!
//! How the log itself is kept, while its beginning leaves it, is checked in `log`.
//!
//! What it does not hold: GitLab's own merge of a single change set is taken for one step with the look at the target before it.

mod log;
mod worker;
mod world;

use stateright::{Checker, Model, Property};
use trainyard::domain::integration::Left;
use trainyard::domain::trials::Policy;
use worker::{Phase, Way, Worker};
use world::World;

/// What can happen next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    /// A new worker's pipeline begins, by a wake-up or by `tick`.
    Start,
    /// A worker's process goes on.
    Go(usize),
    /// Its pipeline is cancelled: for GitLab it is finished; the process of its current job may live on for a while.
    Cancel(usize),
    /// A cancelled process is gone.
    Die(usize),
    /// Somebody pushes to the target.
    Push,
}

/// A team's day: who is queued, what fails, how often things die.
#[derive(Debug, Clone)]
struct Day {
    changes: u8,
    bad: fn(&[u8]) -> bool,
    /// How many of them can land.
    lands: usize,
    policy: Policy,
    cancellations: u8,
    pushes: u8,
    workers: usize,
    /// Whether a second worker may begin while another one runs, which the resource group forbids.
    overlap: bool,
}

#[derive(Debug, Clone, PartialEq, Hash)]
struct State {
    world: World,
    workers: Vec<Worker>,
    cancellations: u8,
    pushes: u8,
}

impl Day {
    fn may_start(&self, state: &State) -> bool {
        let running = state.workers.iter().filter(|w| w.is_running()).count();
        let waits = state.world.yard().queue.waiting().count() > 0
            || state.world.yard().nrt.lease.is_some();
        waits && state.workers.len() < self.workers && running <= usize::from(self.overlap)
    }

    /// Nothing is left to do, or to go wrong.
    fn is_over(&self, state: &State) -> bool {
        state.workers.iter().all(|w| !w.is_alive()) && !self.may_start(state)
    }
}

impl Model for Day {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            world: World::with(self.changes),
            workers: Vec::new(),
            cancellations: self.cancellations,
            pushes: self.pushes,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if self.may_start(state) {
            actions.push(Step::Start);
        }
        for (at, worker) in state.workers.iter().enumerate() {
            if worker.is_alive() {
                actions.push(Step::Go(at));
                if worker.cancelled {
                    actions.push(Step::Die(at));
                } else if state.cancellations > 0 {
                    actions.push(Step::Cancel(at));
                }
            }
        }
        if state.pushes > 0 && !self.is_over(state) {
            actions.push(Step::Push);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Start => {
                let number = next.workers.len() as u64 + 1;
                // Both ways of a trial to begin, in turn: every pair of workers that overlap or follow each other has both.
                let way = if number % 2 == 1 {
                    Way::InTwo
                } else {
                    Way::AtOnce
                };
                next.workers.push(Worker::new(number, way));
            }
            Step::Go(at) => {
                let finished = |pipeline| {
                    last.workers
                        .iter()
                        .any(|w| w.pipeline == pipeline && !w.is_running())
                };
                let mut worker = next.workers[at].clone();
                worker.go(&mut next.world, self, &finished);
                next.workers[at] = worker;
            }
            Step::Cancel(at) => {
                next.workers[at].cancelled = true;
                next.cancellations -= 1;
            }
            Step::Die(at) => next.workers[at].phase = Phase::Over,
            Step::Push => {
                next.world.somebody_pushes();
                next.pushes -= 1;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing lands untested", |_, state: &State| {
                !state.world.untested_landed
            }),
            Property::always(
                "the version holds nothing twice, and only what landed",
                |_, state: &State| {
                    let content = state.world.content();
                    let mut once = content.clone();
                    once.sort_unstable();
                    once.dedup();
                    once.len() == content.len()
                        && content
                            .iter()
                            .all(|change| state.world.target.contains(change))
                },
            ),
            Property::always(
                "at the end everything has landed or left, and the version holds what landed",
                |day: &Day, state: &State| {
                    if !day.is_over(state) || state.workers.len() == day.workers {
                        return true;
                    }
                    let yard = state.world.yard();
                    let (mut content, mut landed) = (state.world.content(), state.world.landed());
                    content.sort_unstable();
                    landed.sort_unstable();
                    yard.queue.tickets.is_empty()
                        && yard.queue.left.len() == usize::from(day.changes)
                        && content == landed
                },
            ),
            Property::always(
                "nobody leaves without a fault of the own",
                |day: &Day, state: &State| {
                    let left = state.world.yard().queue.left.iter();
                    left.filter(|(.., how)| *how != Left::Landed)
                        .all(|(id, .., how)| {
                            let change = id.iid as u8;
                            let mut tree: Vec<u8> = state.world.landed();
                            let alone_bad = {
                                tree.retain(|c| *c != change);
                                tree.push(change);
                                tree.sort_unstable();
                                (day.bad)(&tree)
                            };
                            matches!(how, Left::Rejected { .. }) && alone_bad
                        })
                },
            ),
            Property::sometimes(
                "all that is good lands and all that is bad is rejected",
                |day: &Day, state: &State| {
                    state.world.yard().queue.tickets.is_empty()
                        && state.world.content().len() == day.lands
                },
            ),
        ]
    }
}

/// Checks every order of a day's steps, and that the model is not so small that it says nothing.
fn check(day: Day, at_least: usize) {
    let checker = day.checker().threads(2).spawn_bfs().join();
    let states = checker.unique_state_count();
    assert!(states >= at_least, "only {states} states");
    checker.assert_properties();
}

fn second_is_bad(tree: &[u8]) -> bool {
    tree.contains(&2)
}

fn first_and_third_fail_together(tree: &[u8]) -> bool {
    tree.contains(&1) && tree.contains(&3)
}

const THREE: Day = Day {
    changes: 3,
    bad: second_is_bad,
    lands: 2,
    policy: Policy {
        batch_max: 8,
        strikes: 1,
    },
    cancellations: 0,
    pushes: 0,
    workers: 9,
    overlap: false,
};

#[test]
fn a_bad_one_of_three_is_found_whatever_dies() {
    check(
        Day {
            cancellations: 2,
            ..THREE
        },
        170_000,
    );
}

#[test]
fn two_that_fail_only_together_are_told_apart_whatever_dies() {
    check(
        Day {
            bad: first_and_third_fail_together,
            cancellations: 1,
            ..THREE
        },
        1_400,
    );
}

#[test]
fn somebody_who_pushes_to_the_target_only_makes_trials_begin_anew() {
    check(
        Day {
            pushes: 1,
            cancellations: 1,
            ..THREE
        },
        14_000,
    );
}

#[test]
fn workers_that_run_at_the_same_time_do_not_get_in_each_others_way() {
    check(
        Day {
            overlap: true,
            changes: 2,
            lands: 1,
            cancellations: 1,
            workers: 5,
            ..THREE
        },
        20_000,
    );
}

#[test]
fn two_strikes_survive_what_dies() {
    check(
        Day {
            policy: Policy {
                batch_max: 8,
                strikes: 2,
            },
            cancellations: 1,
            changes: 2,
            lands: 1,
            ..THREE
        },
        1_100,
    );
}

#[test]
fn one_at_a_time_survives_what_dies() {
    check(
        Day {
            policy: Policy {
                batch_max: 1,
                strikes: 1,
            },
            cancellations: 1,
            pushes: 1,
            changes: 2,
            lands: 1,
            ..THREE
        },
        3_200,
    );
}
