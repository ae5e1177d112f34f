//! One worker's pipeline: the jobs that take the environment, try, land, and give it back, one step at a time.

use jiff::{SignedDuration, Timestamp};
use trainyard::domain::candidate::Placed;
use trainyard::domain::event::Fact;
use trainyard::domain::freezes::Freezes;
use trainyard::domain::ids::{Epoch, JobId, PipelineId, TrialId, VersionId};
use trainyard::domain::nrt::{
    Abandoned, Candidate, Grant, Holder, Liveness, Trial, grant, hold, release, trial_under,
};
use trainyard::domain::trials::Verdict;
use trainyard::domain::versioning::Appended;
use trainyard::domain::versioning::packages::Spread;
use trainyard::domain::yard::Yard;

use super::Day;
use super::world::{World, commit, id, own_head, project, tree};

/// What a worker does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Reads the log, and asks GitLab whether the holder of the lease lives.
    Look,
    /// Looks whether a dead holder's candidate is in the target.
    LookForLanded {
        seen: Option<u64>,
        trial: u64,
        tried: Try,
    },
    /// Records what a dead holder landed.
    Finish {
        seen: Option<u64>,
        trial: u64,
        tried: Try,
    },
    /// Takes the lease and the tickets of its trial; and begins the trial of what it put together before, if that is still what is next.
    Lease {
        gone: bool,
        seen: Option<u64>,
        ahead: Option<Try>,
    },
    /// Puts the candidate together on the target as it is now.
    Prepare,
    /// Records that the trial begins.
    Begin(Try),
    /// Runs the tests.
    Test(Try),
    /// Looks at the target once more.
    LookAgain(Try),
    /// Records the verdict.
    Validate(Try),
    /// Pushes.
    Land(Try),
    /// Records what has landed.
    Append(Try),
    /// Looks at the log, and whether the candidate is in the target.
    LookAtEnd { failed: Option<Try> },
    /// Records what landed and was not recorded.
    FinishOwn(Try),
    /// Concludes, and gives the environment back.
    Release { failed: Option<Try> },
    /// Nothing more.
    Over,
}

/// A candidate: what it stands on, and what it adds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Try {
    base: Vec<u8>,
    changes: Vec<u8>,
}

impl Try {
    /// The candidate of a recorded trial.
    fn of(trial: &Trial) -> Self {
        let changes = trial
            .placed
            .iter()
            .map(|placed| placed.merge_request.iid as u8);
        Self {
            base: tree(&trial.candidate.base),
            changes: changes.collect(),
        }
    }

    /// Whether the target has it in its history.
    fn is_in(&self, target: &[u8]) -> bool {
        target.starts_with(&self.tree())
    }

    fn tree(&self) -> Vec<u8> {
        [&self.base[..], &self.changes[..]].concat()
    }
}

/// How a worker begins a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// With its lease, where it could put the change sets together before.
    AtOnce,
    /// After it, as where somebody has to be rebased by GitLab, or to leave.
    InTwo,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    pub(crate) pipeline: u64,
    pub(crate) phase: Phase,
    pub(crate) cancelled: bool,
    way: Way,
    epoch: u64,
}

impl Worker {
    pub(crate) fn new(pipeline: u64, way: Way) -> Self {
        Self {
            pipeline,
            phase: Phase::Look,
            cancelled: false,
            way,
            epoch: 0,
        }
    }

    /// Whether GitLab says that its pipeline runs.
    pub(crate) fn is_running(&self) -> bool {
        self.is_alive() && !self.cancelled
    }

    /// Whether its process can still do something.
    pub(crate) fn is_alive(&self) -> bool {
        self.phase != Phase::Over
    }

    fn holder(&self) -> Holder {
        Holder {
            project: project(),
            pipeline: PipelineId(self.pipeline),
            job: JobId(self.pipeline * 100),
            user: None,
        }
    }

    fn job(&self) -> JobId {
        let job = match self.phase {
            Phase::Look
            | Phase::LookForLanded { .. }
            | Phase::Finish { .. }
            | Phase::Lease { .. }
            | Phase::Prepare
            | Phase::Begin(_) => 0,
            Phase::Test(_) => 1,
            Phase::LookAgain(_) | Phase::Validate(_) | Phase::Land(_) | Phase::Append(_) => 2,
            Phase::LookAtEnd { .. } | Phase::FinishOwn(_) | Phase::Release { .. } | Phase::Over => {
                3
            }
        };
        JobId(self.pipeline * 100 + job)
    }

    /// Does the next step; a cancelled pipeline starts no further job.
    pub(crate) fn go(&mut self, world: &mut World, day: &Day, finished: &dyn Fn(u64) -> bool) {
        let job = self.job();
        self.phase = self.next(world, day, finished);
        if self.cancelled && self.job() != job {
            self.phase = Phase::Over;
        }
    }

    fn next(&mut self, world: &mut World, day: &Day, finished: &dyn Fn(u64) -> bool) -> Phase {
        let job = self.job();
        match self.phase.clone() {
            Phase::Look => {
                let nrt = &world.yard().nrt;
                let seen = nrt.lease.as_ref().map(|lease| lease.epoch.0);
                let gone = nrt.lease.as_ref().is_some_and(|lease| {
                    lease.holder.pipeline.0 != self.pipeline && finished(lease.holder.pipeline.0)
                });
                match &nrt.trial {
                    Some(trial) if gone && trial.validated => Phase::LookForLanded {
                        seen,
                        trial: trial.id.0,
                        tried: Try::of(trial),
                    },
                    Some(_) | None => Phase::Lease {
                        gone,
                        seen,
                        ahead: match self.way {
                            Way::AtOnce => ahead(world, day),
                            Way::InTwo => None,
                        },
                    },
                }
            }
            Phase::LookForLanded { seen, trial, tried } => {
                if tried.is_in(&world.target) {
                    Phase::Finish { seen, trial, tried }
                } else {
                    Phase::Lease {
                        gone: true,
                        seen,
                        ahead: None,
                    }
                }
            }
            Phase::Finish { seen, trial, tried } => {
                append(world, job, TrialId(trial), &placed(&tried), day, None);
                Phase::Lease {
                    gone: true,
                    seen,
                    ahead: None,
                }
            }
            Phase::Lease { gone, seen, ahead } => self.lease(world, day, gone, seen, ahead),
            Phase::Prepare => {
                if hold(&world.yard().nrt, Epoch(self.epoch)).is_err() {
                    return Phase::Over;
                }
                let taken = taken(world.yard(), self.epoch);
                let changes: Vec<u8> = taken
                    .iter()
                    .copied()
                    .filter(|change| !world.target.contains(change))
                    .collect();
                for change in taken.iter().filter(|change| !changes.contains(change)) {
                    merged_meanwhile(world, job, *change, day);
                }
                if changes.is_empty() {
                    let facts = hold(&world.yard().nrt, Epoch(self.epoch))
                        .map(|held| release(&world.yard().nrt, &held, Abandoned::NoVerdict));
                    world.record(job, facts.unwrap_or_default());
                    return Phase::Over;
                }
                Phase::Begin(Try {
                    base: world.target.clone(),
                    changes,
                })
            }
            Phase::Begin(tried) => {
                if hold(&world.yard().nrt, Epoch(self.epoch)).is_err() {
                    return Phase::Over;
                }
                world.record(job, [started(self.epoch, &tried)]);
                Phase::Test(tried)
            }
            Phase::Test(tried) => {
                if (day.bad)(&tried.tree()) {
                    return Phase::LookAtEnd {
                        failed: Some(tried),
                    };
                }
                world.tested.insert(tried.tree());
                Phase::LookAgain(tried)
            }
            Phase::LookAgain(tried) => match hold(&world.yard().nrt, Epoch(self.epoch)) {
                Ok(held) if trial_under(&world.yard().nrt, &held).is_some() => {
                    Phase::Validate(tried)
                }
                Ok(_) | Err(_) => Phase::LookAtEnd { failed: None },
            },
            Phase::Validate(tried) => match hold(&world.yard().nrt, Epoch(self.epoch)) {
                Ok(_) => {
                    world.record(
                        job,
                        [Fact::TrialValidated {
                            trial: TrialId(self.epoch),
                        }],
                    );
                    Phase::Land(tried)
                }
                Err(_) => Phase::LookAtEnd { failed: None },
            },
            Phase::Land(tried) => {
                if world.push(&tried.base, &tried.tree()) || tried.is_in(&world.target) {
                    return Phase::Append(tried);
                }
                world.record(
                    job,
                    [Fact::TrialAbandoned {
                        trial: TrialId(self.epoch),
                        reason: Abandoned::TargetMoved,
                    }],
                );
                Phase::LookAtEnd { failed: None }
            }
            Phase::Append(tried) => {
                let trial = TrialId(self.epoch);
                append(world, job, trial, &placed(&tried), day, Some(self.epoch));
                Phase::LookAtEnd { failed: None }
            }
            Phase::LookAtEnd { failed } => {
                let nrt = &world.yard().nrt;
                let Ok(held) = hold(nrt, Epoch(self.epoch)) else {
                    return Phase::Over;
                };
                match trial_under(nrt, &held) {
                    Some(trial) if trial.validated && Try::of(trial).is_in(&world.target) => {
                        Phase::FinishOwn(Try::of(trial))
                    }
                    Some(trial) if trial.validated => Phase::Release { failed: None },
                    Some(_) => Phase::Release { failed },
                    None => Phase::Release { failed: None },
                }
            }
            Phase::FinishOwn(tried) => {
                let trial = TrialId(self.epoch);
                append(world, job, trial, &placed(&tried), day, Some(self.epoch));
                Phase::Release { failed: None }
            }
            Phase::Release { failed } => {
                let facts = self.conclusion(world.yard(), day, failed.as_ref());
                world.record(job, facts);
                Phase::Over
            }
            Phase::Over => Phase::Over,
        }
    }

    fn lease(
        &mut self,
        world: &mut World,
        day: &Day,
        gone: bool,
        seen: Option<u64>,
        ahead: Option<Try>,
    ) -> Phase {
        let yard = world.yard();
        let current = yard.nrt.lease.as_ref().map(|lease| lease.epoch.0);
        let previous = if gone && current == seen {
            Liveness::Finished
        } else {
            Liveness::Running
        };
        match grant(
            &yard.nrt,
            &self.holder(),
            previous,
            Timestamp::UNIX_EPOCH,
            SignedDuration::from_hours(1),
        ) {
            Err(_) => Phase::Over,
            Ok(Grant::Already(held)) => {
                self.epoch = held.epoch().0;
                Phase::Prepare
            }
            Ok(Grant::New { held, mut facts }) => {
                let mut after = world.clone();
                after.record(self.job(), facts.clone());
                let chosen = after.yard().next_trial(
                    &day.policy,
                    &Freezes::default(),
                    Timestamp::UNIX_EPOCH,
                );
                if chosen.is_empty() && facts.len() == 1 {
                    return Phase::Over;
                }
                self.epoch = held.epoch().0;
                let same = |ahead: &Try| {
                    let now = chosen.iter().map(|t| t.change_set.merge_request.iid as u8);
                    now.eq(ahead.changes.iter().copied())
                };
                let ahead = ahead.filter(same);
                facts.extend(chosen.into_iter().map(|ticket| Fact::ChangeSetUnqueued {
                    merge_request: ticket.change_set.merge_request.clone(),
                    head: ticket.change_set.head.clone(),
                    trial: TrialId(held.epoch().0),
                }));
                let begun = ahead.as_ref().map(|tried| started(self.epoch, tried));
                facts.extend(begun);
                world.record(self.job(), facts);
                ahead.map_or(Phase::Prepare, Phase::Test)
            }
        }
    }

    /// What the last job records.
    fn conclusion(&self, yard: &Yard, day: &Day, failed: Option<&Try>) -> Vec<Fact> {
        let Ok(held) = hold(&yard.nrt, Epoch(self.epoch)) else {
            return Vec::new();
        };
        let (Some(_), Some(trial)) = (failed, trial_under(&yard.nrt, &held)) else {
            return release(&yard.nrt, &held, Abandoned::NoVerdict);
        };
        let (conclusion, _) = yard.search.conclude(
            &trial.change_sets,
            &Verdict::Rejected { named: Vec::new() },
            &day.policy,
        );
        let culprits = conclusion.reject.iter().map(|(id, _)| id.clone()).collect();
        let mut facts = vec![Fact::TrialRejected {
            trial: trial.id,
            culprits,
            evidence: String::new(),
        }];
        facts.extend(
            conclusion
                .reject
                .iter()
                .map(|(id, _)| Fact::ChangeSetRejected {
                    merge_request: id.clone(),
                    head: own_head(id.iid as u8),
                    trial: trial.id,
                    reason: "failed".to_owned(),
                    evidence: None,
                    failures: Vec::new(),
                }),
        );
        facts.push(Fact::LeaseReleased {
            epoch: held.epoch(),
        });
        facts
    }
}

/// What would be tried next, put together on the target as it is now, where nobody has the environment and nothing has landed already.
fn ahead(world: &World, day: &Day) -> Option<Try> {
    let yard = world.yard();
    let chosen = yard.next_trial(&day.policy, &Freezes::default(), Timestamp::UNIX_EPOCH);
    let changes: Vec<u8> = chosen
        .iter()
        .map(|ticket| ticket.change_set.merge_request.iid as u8)
        .collect();
    let landed = changes.iter().any(|change| world.target.contains(change));
    (yard.nrt.lease.is_none() && !landed && !changes.is_empty()).then(|| Try {
        base: world.target.clone(),
        changes,
    })
}

fn started(epoch: u64, tried: &Try) -> Fact {
    let placed = placed(tried);
    Fact::TrialStarted {
        trial: TrialId(epoch),
        candidate: Candidate {
            commit: commit(&tried.tree()),
            base: commit(&tried.base),
            reference: "refs/heads/trainyard/nrt".to_owned(),
        },
        change_sets: placed.iter().map(|p| p.merge_request.clone()).collect(),
        placed,
        postponed: Vec::new(),
    }
}

/// What waits is in the target: landed by an overdue trial, or around the queue.
fn merged_meanwhile(world: &mut World, job: JobId, change: u8, day: &Day) {
    let landed = |trial: &&Trial| Try::of(trial).is_in(&world.target);
    let trial = world
        .yard()
        .nrt
        .overdue_with(&id(change))
        .find(landed)
        .cloned();
    match trial {
        Some(trial) => append(world, job, trial.id, &trial.placed, day, None),
        None => world.record(
            job,
            [Fact::ChangeSetWithdrawn {
                merge_request: id(change),
                head: own_head(change),
                reason: "somebody merged it around the queue".to_owned(),
                order: None,
            }],
        ),
    }
}

fn taken(yard: &Yard, epoch: u64) -> Vec<u8> {
    use trainyard::domain::integration::Place;
    let tickets = yard.queue.tickets.iter();
    tickets
        .filter(|t| t.place == Place::InTrial(TrialId(epoch)))
        .map(|t| t.change_set.merge_request.iid as u8)
        .collect()
}

fn placed(tried: &Try) -> Vec<Placed> {
    let upto = |n: usize| commit(&[&tried.base[..], &tried.changes[..=n]].concat());
    let each = tried.changes.iter().enumerate();
    each.map(|(n, change)| Placed {
        merge_request: id(*change),
        head: own_head(*change),
        landed: upto(n),
    })
    .collect()
}

/// Records what landed, whom that leaves to blame, and that the environment is given back where this run holds it.
fn append(
    world: &mut World,
    job: JobId,
    trial: TrialId,
    placed: &[Placed],
    day: &Day,
    epoch: Option<u64>,
) {
    let yard = world.yard();
    let mut facts = Vec::new();
    for placed in placed {
        if let Some(ticket) = yard.queue.ticket(&placed.merge_request) {
            let appended = Appended {
                change_set: ticket.change_set.clone(),
                landed: placed.landed.clone(),
                base: None,
                spread: Spread::default(),
                trial,
                at: Timestamp::UNIX_EPOCH,
            };
            facts.push(Fact::ChangeSetMerged {
                merge_request: placed.merge_request.clone(),
                head: placed.head.clone(),
                commit: placed.landed.clone(),
                trial,
                leaves: None,
            });
            facts.push(Fact::ChangeSetAppended {
                version: VersionId(0),
                appended,
            });
        }
    }
    if facts.len() == 2 * placed.len() && !facts.is_empty() {
        let tried: Vec<_> = placed.iter().map(|p| p.merge_request.clone()).collect();
        let (conclusion, _) = yard
            .search
            .conclude(&tried, &Verdict::Validated, &day.policy);
        facts.extend(
            conclusion
                .reject
                .into_iter()
                .filter(|(id, _)| yard.queue.ticket(id).is_some())
                .map(|(id, _)| Fact::ChangeSetRejected {
                    head: own_head(id.iid as u8),
                    merge_request: id,
                    trial,
                    reason: "inferred".to_owned(),
                    evidence: None,
                    failures: Vec::new(),
                }),
        );
        let held = epoch.filter(|epoch| hold(&yard.nrt, Epoch(*epoch)).is_ok());
        facts.extend(held.map(|epoch| Fact::LeaseReleased {
            epoch: Epoch(epoch),
        }));
    }
    world.record(job, facts);
}
