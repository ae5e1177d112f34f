//! Joining the queue: what is looked at, and why a change set may not.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{ChangeSet, Left, Priority, Queue};
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, CommitSha, JobId, MergeRequestId, RoleName};
use crate::domain::linking::LinkRefusal;
use crate::domain::ruling::Ruling;
use crate::domain::validation::Verdict;

/// A person's request to integrate: the successful `integrate` job on the merge request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
}

/// The part of a merge request that the queue looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidacy {
    /// What would be queued.
    pub change_set: ChangeSet,
    /// Whether it is open, closed or merged.
    pub state: MergeRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The request found on its head; none when nobody asked, or when it was asked on an earlier head.
    pub request: Option<Request>,
    /// Whether the pipeline of its head passed everything before the request.
    pub pipeline: HeadPipeline,
    /// Whether it has unresolved threads although the project wants them resolved.
    pub unresolved_threads: bool,
    /// Acceptance criteria that are not fulfilled although the project wants them to be, as people may read them.
    pub open_criteria: Vec<String>,
    /// Heads of the merge request that hold the same content as this one.
    pub same_content: BTreeSet<CommitSha>,
}

/// Whether a merge request can still be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestState {
    /// It can.
    Open,
    /// Somebody closed it.
    Closed,
    /// It is in.
    Merged,
}

/// What the pipeline of the head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadPipeline {
    /// All jobs that count have passed (the one that asks may still be running).
    Passed,
    /// Some have not finished.
    NotFinished { jobs: Vec<String> },
    /// Some have failed.
    Failed { jobs: Vec<String> },
    /// There is none for this head.
    Missing,
}

impl HeadPipeline {
    /// What jobs (name, GitLab's word for the state, whether a failure matters not) amount to. The job that asks for integration
    /// is not counted: it may still be running when it is looked at.
    pub fn of<'a>(jobs: impl IntoIterator<Item = (&'a str, &'a str, bool)>, asking: &str) -> Self {
        let (mut failed, mut open) = (Vec::new(), Vec::new());
        for (name, state, may_fail) in jobs {
            if may_fail || name == asking {
                continue;
            }
            match state {
                "success" | "skipped" => {}
                "failed" | "canceled" | "canceling" => failed.push(name.to_owned()),
                _ => open.push(name.to_owned()),
            }
        }
        if !failed.is_empty() {
            Self::Failed { jobs: failed }
        } else if !open.is_empty() {
            Self::NotFinished { jobs: open }
        } else {
            Self::Passed
        }
    }
}

/// Why a change set may not join the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRefusal {
    /// It is closed or merged.
    NotOpen(MergeRequestState),
    /// It is a draft.
    Draft,
    /// Its target is not the branch that versions are made of.
    OtherTarget {
        target: BranchName,
        wanted: BranchName,
    },
    /// Its target is a branch that no environment serves.
    NoEnvironment {
        /// Its target.
        target: BranchName,
        /// What each environment serves, in words.
        serving: Vec<String>,
    },
    /// Nobody asked for its integration on this head.
    NotRequested,
    /// Its links are not in order.
    Links(LinkRefusal),
    /// A role rejected the feature.
    Rejected(Verdict),
    /// Roles have not validated this content.
    NotValidated { roles: Vec<RoleName> },
    /// The pipeline of its head failed.
    PipelineFailed { jobs: Vec<String> },
    /// The pipeline of its head has not finished.
    PipelineNotFinished { jobs: Vec<String> },
    /// Its head has no pipeline.
    NoPipeline,
    /// Threads are open and the project wants them resolved.
    UnresolvedThreads,
    /// Acceptance criteria are not fulfilled and the project wants them to be.
    OpenCriteria { criteria: Vec<String> },
    /// No change set may join now.
    Frozen { reason: String },
}

/// What became of a request to join the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// It is in, once these facts are recorded.
    New(Vec<Fact>),
    /// It was in already, waiting or under trial.
    Already,
    /// This very request was served before.
    Served(Left),
}

/// Decides whether a merge request joins the queue. Links and validation were ruled on before; their refusals are passed in.
///
/// # Errors
/// Every reason at once.
pub fn join_queue(
    queue: &Queue,
    candidacy: &Candidacy,
    links: Ruling<(), LinkRefusal>,
    validation: Ruling<Vec<RoleName>, Verdict>,
    frozen: Option<&str>,
    branch: &BranchName,
) -> Result<Joined, Vec<QueueRefusal>> {
    let change_set = &candidacy.change_set;
    let known = |(mr, _, job, _): &&(MergeRequestId, CommitSha, JobId, Left)| {
        *mr == change_set.merge_request
            && candidacy
                .request
                .as_ref()
                .is_some_and(|request| request.job == *job)
    };
    if let Some((.., left)) = queue.left.iter().rev().find(known) {
        return Ok(Joined::Served(left.clone()));
    }
    let current = queue.ticket(&change_set.merge_request);
    if current.is_some_and(|ticket| ticket.is_of(&change_set.head)) {
        return Ok(Joined::Already);
    }
    let reasons = refusals(candidacy, links, validation, frozen, branch);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut change_set = change_set.clone();
    let mut facts = Vec::new();
    match current.map(|ticket| &ticket.change_set) {
        Some(old) if candidacy.same_content.contains(&old.head) => {
            change_set.requested_at = old.requested_at.min(change_set.requested_at);
        }
        Some(old) => facts.push(Fact::ChangeSetWithdrawn {
            merge_request: old.merge_request.clone(),
            head: old.head.clone(),
            reason: "replaced by newer commits".to_owned(),
            order: None,
        }),
        None => {}
    }
    facts.push(Fact::ChangeSetQueued { change_set });
    Ok(Joined::New(facts))
}

fn refusals(
    candidacy: &Candidacy,
    links: Ruling<(), LinkRefusal>,
    validation: Ruling<Vec<RoleName>, Verdict>,
    frozen: Option<&str>,
    branch: &BranchName,
) -> Vec<QueueRefusal> {
    if candidacy.state != MergeRequestState::Open {
        return vec![QueueRefusal::NotOpen(candidacy.state)];
    }
    let mut reasons = Vec::new();
    if candidacy.draft {
        reasons.push(QueueRefusal::Draft);
    }
    let target = &candidacy.change_set.target;
    if target != branch {
        reasons.push(QueueRefusal::OtherTarget {
            target: target.clone(),
            wanted: branch.clone(),
        });
    }
    match &candidacy.pipeline {
        HeadPipeline::Passed if candidacy.request.is_none() => {
            reasons.push(QueueRefusal::NotRequested)
        }
        HeadPipeline::Passed => {}
        HeadPipeline::Missing => reasons.push(QueueRefusal::NoPipeline),
        HeadPipeline::NotFinished { jobs } => {
            reasons.push(QueueRefusal::PipelineNotFinished { jobs: jobs.clone() })
        }
        HeadPipeline::Failed { jobs } => {
            reasons.push(QueueRefusal::PipelineFailed { jobs: jobs.clone() })
        }
    }
    match links {
        Ruling::Refuse(refused) => reasons.extend(refused.into_iter().map(QueueRefusal::Links)),
        Ruling::Pass | Ruling::Wait(()) => {}
    }
    match validation {
        Ruling::Pass => {}
        Ruling::Wait(roles) => reasons.push(QueueRefusal::NotValidated { roles }),
        Ruling::Refuse(verdicts) => {
            reasons.extend(verdicts.into_iter().map(QueueRefusal::Rejected))
        }
    }
    if candidacy.unresolved_threads {
        reasons.push(QueueRefusal::UnresolvedThreads);
    }
    if !candidacy.open_criteria.is_empty() {
        reasons.push(QueueRefusal::OpenCriteria {
            criteria: candidacy.open_criteria.clone(),
        });
    }
    if let Some(reason) = frozen
        && candidacy.change_set.priority != Priority::Hotfix
    {
        reasons.push(QueueRefusal::Frozen {
            reason: reason.to_owned(),
        });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::controls::{Force, Order};
    use crate::domain::integration::ground::{change_set, main, queue_of, sha};
    use jiff::Timestamp;

    fn candidacy(iid: u64, head: char) -> Candidacy {
        let change_set = change_set(iid, head, Priority::Normal, 10);
        let request = Request {
            job: JobId(iid),
            at: change_set.requested_at,
        };
        Candidacy {
            change_set,
            state: MergeRequestState::Open,
            draft: false,
            request: Some(request),
            pipeline: HeadPipeline::Passed,
            unresolved_threads: false,
            open_criteria: Vec::new(),
            same_content: BTreeSet::from([sha(head)]),
        }
    }

    fn join(queue: &Queue, candidacy: &Candidacy) -> Result<Joined, Vec<QueueRefusal>> {
        join_queue(queue, candidacy, Ruling::Pass, Ruling::Pass, None, &main())
    }

    #[test]
    fn every_reason_to_refuse_is_given_at_once() {
        let mut bad = candidacy(7, 'a');
        bad.draft = true;
        bad.change_set.target = "develop".parse().unwrap();
        bad.pipeline = HeadPipeline::Failed {
            jobs: vec!["rspec".into()],
        };
        bad.unresolved_threads = true;
        bad.open_criteria = vec!["\"two\" of #1".into()];
        let refused = join_queue(
            &Queue::default(),
            &bad,
            Ruling::Refuse(vec![LinkRefusal::NoLink]),
            Ruling::Wait(vec!["qa".parse().unwrap()]),
            Some("end of year"),
            &main(),
        )
        .unwrap_err();
        assert_eq!(refused.len(), 8, "{refused:?}");
        bad.state = MergeRequestState::Merged;
        assert_eq!(
            join(&Queue::default(), &bad),
            Err(vec![QueueRefusal::NotOpen(MergeRequestState::Merged)])
        );
    }

    #[test]
    fn jobs_that_matter_decide_what_the_pipeline_says() {
        let of = |jobs: &[(&'static str, &'static str, bool)]| {
            HeadPipeline::of(jobs.iter().copied(), "integrate")
        };
        assert_eq!(
            of(&[
                ("a", "success", false),
                ("integrate", "running", false),
                ("lint", "failed", true)
            ]),
            HeadPipeline::Passed
        );
        assert_eq!(
            of(&[("a", "manual", false)]),
            HeadPipeline::NotFinished {
                jobs: vec!["a".into()]
            }
        );
        assert_eq!(
            of(&[("a", "manual", false), ("b", "failed", false)]),
            HeadPipeline::Failed {
                jobs: vec!["b".into()]
            }
        );
    }

    #[test]
    fn nobody_joins_who_did_not_ask_on_this_head() {
        let mut quiet = candidacy(7, 'a');
        quiet.request = None;
        assert_eq!(
            join(&Queue::default(), &quiet),
            Err(vec![QueueRefusal::NotRequested])
        );
    }

    #[test]
    fn a_hotfix_joins_during_a_freeze() {
        let mut hotfix = candidacy(7, 'a');
        let frozen = |c: &Candidacy| {
            join_queue(
                &Queue::default(),
                c,
                Ruling::Pass,
                Ruling::Pass,
                Some("holiday"),
                &main(),
            )
        };
        assert!(frozen(&hotfix).is_err());
        hotfix.change_set.priority = Priority::Hotfix;
        assert!(frozen(&hotfix).is_ok());
    }

    #[test]
    fn the_same_change_set_joins_once_and_newer_commits_replace_it() {
        let mut queue = queue_of(vec![change_set(7, 'a', Priority::Normal, 10)]);
        assert_eq!(join(&queue, &candidacy(7, 'a')), Ok(Joined::Already));
        let Ok(Joined::New(facts)) = join(&queue, &candidacy(7, 'b')) else {
            panic!()
        };
        assert!(matches!(&facts[0], Fact::ChangeSetWithdrawn { head, .. } if *head == sha('a')));
        assert!(
            matches!(&facts[1], Fact::ChangeSetQueued { change_set } if change_set.head == sha('b'))
        );
        queue.change(&candidacy(7, 'a').change_set.merge_request, |t| {
            t.earlier_heads.push(sha('a'));
            t.change_set.head = sha('c');
        });
        assert_eq!(
            join(&queue, &candidacy(7, 'a')),
            Ok(Joined::Already),
            "our own rebase does not make it another one"
        );
    }

    #[test]
    fn the_same_content_on_another_head_keeps_its_rank_and_what_was_ordered() {
        let mut queue = queue_of(vec![
            change_set(7, 'a', Priority::Normal, 10),
            change_set(8, 'c', Priority::Normal, 20),
        ]);
        let mut rebased = candidacy(7, 'b');
        rebased.change_set.requested_at = Timestamp::from_second(30).unwrap();
        rebased.same_content.insert(sha('a'));
        let Ok(Joined::New(facts)) = join(&queue, &rebased) else {
            panic!()
        };
        let [Fact::ChangeSetQueued { change_set: joined }] = &facts[..] else {
            panic!("{facts:?}")
        };
        let order = Order {
            person: None,
            reason: "first".into(),
            given_at: Timestamp::UNIX_EPOCH,
        };
        let force = Force {
            order,
            through_freezes: false,
        };
        queue.force(&joined.merge_request, force.clone());
        queue.join(joined.clone(), Timestamp::UNIX_EPOCH);
        let ticket = queue.ticket(&joined.merge_request).unwrap();
        assert_eq!(ticket.change_set.requested_at.as_second(), 10);
        assert_eq!(ticket.forced, Some(force));
        assert_eq!(queue.rank(&joined.merge_request), Some(1));
    }

    #[test]
    fn a_request_is_served_once_and_a_new_one_again() {
        let mut queue = queue_of(vec![change_set(7, 'a', Priority::Normal, 10)]);
        queue.leave(
            &candidacy(7, 'a').change_set.merge_request,
            Left::Rejected {
                reason: "red".into(),
            },
        );
        assert_eq!(
            join(&queue, &candidacy(7, 'a')),
            Ok(Joined::Served(Left::Rejected {
                reason: "red".into()
            }))
        );
        let mut again = candidacy(7, 'a');
        again.request.as_mut().unwrap().job = JobId(99);
        assert!(matches!(join(&queue, &again), Ok(Joined::New(_))));
    }
}
