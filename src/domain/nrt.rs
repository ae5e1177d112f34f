//! The one non-regression environment: who holds it, and how a trial begins and ends.

mod breaking;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::candidate::Placed;
use super::event::Fact;
use super::ids::{
    CommitSha, Epoch, JobId, MergeRequestId, PipelineId, ProjectPath, TrialId, UserName,
};

pub use breaking::{Unbreakable, break_lease};

/// The run that holds, or asks for, the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The project whose pipeline it is.
    pub project: ProjectPath,
    /// The pipeline that stays running for as long as the environment is used.
    pub pipeline: PipelineId,
    /// The job that took the lease.
    pub job: JobId,
    /// Who started it.
    pub user: Option<UserName>,
}

/// The right to use the environment, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which grant this is.
    pub epoch: Epoch,
    /// Who holds it.
    pub holder: Holder,
    /// Since when.
    pub granted_at: Timestamp,
    /// When a holder of whom GitLab knows nothing any more counts as gone.
    pub until: Timestamp,
}

/// What is tried: the exact commit, and where it stands in git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The commit deployed and tested.
    pub commit: CommitSha,
    /// The head of the target branch it stands on.
    pub base: CommitSha,
    /// The ref under which a job can fetch it.
    pub reference: String,
}

/// A trial that has begun and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, the lease's.
    pub id: TrialId,
    /// The commit under trial.
    pub candidate: Candidate,
    /// The change sets in it, in queue order.
    pub change_sets: Vec<MergeRequestId>,
    /// When it began.
    pub started_at: Timestamp,
    /// Where each stands in a candidate that git put together; empty when GitLab's own rebase made it.
    pub placed: Vec<Placed>,
    /// Those that have landed, taken out of `change_sets`.
    pub landed: Vec<MergeRequestId>,
    /// Whether it has been validated; a rejected or abandoned trial is over and no longer here.
    pub validated: bool,
}

/// That people were asked for the verdict on a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which trial.
    pub trial: TrialId,
    /// Who.
    pub people: Vec<UserName>,
    /// When.
    pub at: Timestamp,
}

/// The environment, folded from events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The last grant ever made.
    pub epoch: Option<Epoch>,
    /// The lease in force.
    pub lease: Option<Lease>,
    /// The trial going on.
    pub trial: Option<Trial>,
    /// Trials that were validated and did not land while their lease was in force, as long as one of their change sets waits: the
    /// run that held it may live on for a moment after it was cancelled, and push what it was about to.
    pub overdue: Vec<Trial>,
    /// Whom the last trial that people judge was put to.
    pub asked: Option<Asked>,
    /// When a lease ended last.
    pub freed: Option<Timestamp>,
    /// How many leases in a row were granted without any outcome: a verdict, a conflict, a change set that changed.
    pub fruitless: u32,
}

/// After so many leases without a verdict in a row no worker is started by itself any more: something is broken that no change
/// set can mend, and a loop of pipelines would only hide it.
pub const MOST_FRUITLESS: u32 = 3;

impl Environment {
    /// Whether starting another worker by ourselves is worth it.
    pub fn worth_another_worker(&self) -> bool {
        self.fruitless < MOST_FRUITLESS
    }
}

impl Environment {
    /// The overdue trials that a change set was part of, newest first: when it is found merged, one of them may have landed it.
    pub fn overdue_with(&self, merge_request: &MergeRequestId) -> impl Iterator<Item = &Trial> {
        let of_it = move |trial: &&Trial| trial.change_sets.contains(merge_request);
        self.overdue.iter().rev().filter(of_it)
    }
}

/// What GitLab says of the run that holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Its pipeline is not finished.
    Running,
    /// Its pipeline is finished, cancelled included.
    Finished,
    /// GitLab does not know the pipeline (deleted, or the project moved).
    Vanished,
}

/// Proof that the environment is held: only `grant` and `hold` make one, and every use of the environment asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    epoch: Epoch,
}

impl Held {
    /// The grant it stands for.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// Why the environment is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotHeld {
    /// Somebody else has it.
    By {
        holder: Holder,
        since: Timestamp,
        epoch: Epoch,
    },
    /// The lease was released, expired or was taken over; the last grant is named.
    Lost { asked: Epoch, last: Option<Epoch> },
}

/// What taking the environment amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// This very pipeline holds it already: a retried job.
    Already(Held),
    /// It is free for the taking, once these facts are recorded.
    New { held: Held, facts: Vec<Fact> },
}

/// Decides whether a run gets the environment.
///
/// A lease ends by being released, or because its holder is gone according to GitLab: liveness is asked, never guessed from
/// a clock, except for a holder that GitLab no longer knows.
///
/// # Errors
/// Who holds it.
pub fn grant(
    environment: &Environment,
    asking: &Holder,
    previous: Liveness,
    now: Timestamp,
    term: SignedDuration,
) -> Result<Grant, NotHeld> {
    let mut facts = Vec::new();
    if let Some(lease) = &environment.lease {
        if lease.holder.project == asking.project && lease.holder.pipeline == asking.pipeline {
            return Ok(Grant::Already(Held { epoch: lease.epoch }));
        }
        if !is_gone(lease, previous, now) {
            let (holder, since) = (lease.holder.clone(), lease.granted_at);
            return Err(NotHeld::By {
                holder,
                since,
                epoch: lease.epoch,
            });
        }
        facts.extend(expire(environment));
    }
    let epoch = next_epoch(environment);
    facts.push(Fact::LeaseGranted {
        epoch,
        holder: asking.clone(),
        until: now + term,
    });
    Ok(Grant::New {
        held: Held { epoch },
        facts,
    })
}

/// Whether the holder of a lease is gone, by what GitLab says of it.
pub fn is_gone(lease: &Lease, liveness: Liveness, now: Timestamp) -> bool {
    match liveness {
        Liveness::Running => false,
        Liveness::Finished => true,
        Liveness::Vanished => now >= lease.until,
    }
}

/// The facts that take the environment away from a holder that is gone: its trial ends without a verdict.
pub fn expire(environment: &Environment) -> Vec<Fact> {
    let Some(lease) = &environment.lease else {
        return Vec::new();
    };
    let abandoned = environment.trial.iter().map(|t| Fact::TrialAbandoned {
        trial: t.id,
        reason: Abandoned::HolderGone,
    });
    let expired = Fact::LeaseExpired {
        epoch: lease.epoch,
        holder: lease.holder.clone(),
    };
    abandoned.chain([expired]).collect()
}

/// The number of the next grant.
pub fn next_epoch(environment: &Environment) -> Epoch {
    Epoch(environment.epoch.map_or(1, |last| last.0 + 1))
}

/// Checks that a lease is still the one in force.
///
/// # Errors
/// That it is not, and which was granted last.
pub fn hold(environment: &Environment, epoch: Epoch) -> Result<Held, NotHeld> {
    match &environment.lease {
        Some(lease) if lease.epoch == epoch => Ok(Held { epoch }),
        Some(_) | None => Err(NotHeld::Lost {
            asked: epoch,
            last: environment.epoch,
        }),
    }
}

/// The facts that give the environment back; a trial without a verdict is abandoned, so that its change sets wait again.
pub fn release(environment: &Environment, held: &Held, why_abandoned: Abandoned) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(trial) = &environment.trial {
        facts.push(Fact::TrialAbandoned {
            trial: trial.id,
            reason: why_abandoned,
        });
    }
    facts.push(Fact::LeaseReleased { epoch: held.epoch });
    facts
}

/// The lease that a pipeline holds: its last job may not know the number, when the one that took it died.
pub fn lease_of(
    environment: &Environment,
    project: &ProjectPath,
    pipeline: PipelineId,
) -> Option<Epoch> {
    let lease = environment.lease.as_ref()?;
    (lease.holder.project == *project && lease.holder.pipeline == pipeline).then_some(lease.epoch)
}

/// The trial under a lease.
pub fn trial_under<'a>(environment: &'a Environment, held: &Held) -> Option<&'a Trial> {
    environment
        .trial
        .as_ref()
        .filter(|trial| trial.id.0 == held.epoch.0)
}

/// Why a trial ended without a verdict. Its change sets keep their place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abandoned {
    /// The run that held the environment is gone.
    HolderGone,
    /// A person took the environment away from the run that held it.
    Broken,
    /// The environment was given back before a verdict.
    NoVerdict,
    /// Something other than the tests failed: a runner, the deployment's machinery.
    Infrastructure,
    /// The target branch moved, so the candidate is no longer what would land.
    TargetMoved,
    /// A merge request of it changed: new commits, another target, closed, draft.
    ChangeSetChanged,
    /// A freeze began during the trial.
    Frozen,
    /// The server refused the push by which a batch lands.
    PushRefused,
}

impl Abandoned {
    /// Whether neither a change set, nor the target, nor a person had a part in it.
    pub fn is_fruitless(self) -> bool {
        match self {
            Self::HolderGone | Self::NoVerdict | Self::Infrastructure | Self::PushRefused => true,
            Self::Broken | Self::TargetMoved | Self::ChangeSetChanged | Self::Frozen => false,
        }
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HolderGone => "the run that held the environment is gone",
            Self::Broken => "somebody took the environment away from its run",
            Self::NoVerdict => "the environment was given back before a verdict",
            Self::Infrastructure => "something other than the tests failed",
            Self::TargetMoved => "the target branch moved during the trial",
            Self::ChangeSetChanged => "the merge request changed during the trial",
            Self::Frozen => "a freeze began during the trial",
            Self::PushRefused => {
                "it was validated, but GitLab refuses the gate's push, so it is tried alone next; the mend: let the gate's bot push to the target branch, or set `nrt.batch: 1`"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pipeline: u64) -> Holder {
        let project = "shop/web".parse().unwrap();
        Holder {
            project,
            pipeline: PipelineId(pipeline),
            job: JobId(pipeline * 10),
            user: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn held_by(pipeline: u64, epoch: u64) -> Environment {
        let lease = Lease {
            epoch: Epoch(epoch),
            holder: holder(pipeline),
            granted_at: at(0),
            until: at(100),
        };
        Environment {
            epoch: Some(Epoch(epoch)),
            lease: Some(lease),
            ..Environment::default()
        }
    }

    fn ask(
        environment: &Environment,
        pipeline: u64,
        previous: Liveness,
        now: i64,
    ) -> Result<Grant, NotHeld> {
        grant(
            environment,
            &holder(pipeline),
            previous,
            at(now),
            SignedDuration::from_secs(100),
        )
    }

    #[test]
    fn a_free_environment_is_granted_with_the_next_epoch() {
        let Ok(Grant::New { held, facts }) = ask(&Environment::default(), 1, Liveness::Running, 5)
        else {
            panic!()
        };
        assert_eq!(held.epoch(), Epoch(1));
        assert_eq!(
            facts,
            [Fact::LeaseGranted {
                epoch: Epoch(1),
                holder: holder(1),
                until: at(105)
            }]
        );
    }

    #[test]
    fn a_held_environment_is_taken_only_from_a_holder_that_is_gone() {
        let environment = held_by(1, 4);
        assert!(
            matches!(
                ask(&environment, 2, Liveness::Running, 1_000),
                Err(NotHeld::By {
                    epoch: Epoch(4),
                    ..
                })
            ),
            "however late"
        );
        assert!(matches!(
            ask(&environment, 2, Liveness::Vanished, 99),
            Err(NotHeld::By { .. })
        ));
        assert!(matches!(
            ask(&environment, 2, Liveness::Vanished, 100),
            Ok(Grant::New { .. })
        ));
        let Ok(Grant::New { held, facts }) = ask(&environment, 2, Liveness::Finished, 1) else {
            panic!()
        };
        assert_eq!(held.epoch(), Epoch(5));
        assert!(matches!(
            facts[0],
            Fact::LeaseExpired {
                epoch: Epoch(4),
                ..
            }
        ));
    }

    #[test]
    fn a_retried_job_finds_that_its_pipeline_holds_it_already() {
        assert_eq!(
            ask(&held_by(1, 4), 1, Liveness::Running, 1),
            Ok(Grant::Already(Held { epoch: Epoch(4) }))
        );
    }

    #[test]
    fn an_old_lease_is_worth_nothing() {
        let environment = held_by(2, 5);
        assert_eq!(
            hold(&environment, Epoch(4)),
            Err(NotHeld::Lost {
                asked: Epoch(4),
                last: Some(Epoch(5))
            })
        );
        assert!(hold(&environment, Epoch(5)).is_ok());
    }
}
