//! What a log lacks, compared with what GitLab knows to have happened: the facts that put it right.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Fact, Subject};
use super::ids::{CommitSha, Epoch, FeatureId, JobId, VersionId};
use super::integration::ChangeSet;
use super::progress::Stage;
use super::versioning::{Appended, Number, by_feature};
use super::yard::Yard;

/// What GitLab knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// The newest version that is tagged, and its commit.
    pub released: Option<(Number, CommitSha)>,
    /// How many versions are tagged.
    pub releases: u64,
    /// The commits of the target since then.
    pub since: BTreeSet<CommitSha>,
    /// The change sets among them, in the order in which they landed.
    pub landed: Vec<Appended>,
}

/// The facts about versions that a log lacks. The same log and the same truth give none once they are recorded.
pub fn missing(yard: &Yard, truth: &Truth) -> Vec<Fact> {
    let versions = &yard.versions;
    let mut facts = Vec::new();
    let mut open = versions.open;
    if let Some((number, commit)) = &truth.released {
        let known = versions.released.iter().any(|r| r.number == *number)
            || versions
                .closing
                .as_ref()
                .is_some_and(|c| c.number == *number);
        let out: Vec<Appended> = versions
            .content
            .iter()
            .filter(|appended| !truth.since.contains(&appended.landed))
            .cloned()
            .collect();
        if !known && !out.is_empty() {
            let completed = by_feature(&out).0.into_iter();
            let features: Vec<FeatureId> = completed
                .filter(|(_, brought)| brought.completed)
                .map(|(feature, _)| feature)
                .collect();
            facts.push(Fact::VersionClosed {
                version: open,
                number: number.clone(),
                commit: commit.clone(),
                content: out
                    .iter()
                    .map(|a| a.change_set.merge_request.clone())
                    .collect(),
                kept: Vec::new(),
                closed_by: None,
                around: Vec::new(),
                manifest: None,
                through_freeze: None,
            });
            let version = open;
            open = VersionId(open.0 + 1);
            facts.push(Fact::VersionOpened { version: open });
            facts.push(Fact::VersionReleased {
                version,
                number: number.clone(),
                commit: commit.clone(),
                features,
            });
        }
        let closing = u64::from(versions.closing.is_some());
        let at_least = VersionId(truth.releases + 1 + closing);
        if open < at_least {
            open = at_least;
            facts.push(Fact::VersionOpened { version: open });
        }
    }
    let known: BTreeMap<_, _> = versions
        .content
        .iter()
        .chain(versions.closing.iter().flat_map(|closing| &closing.content))
        .map(|appended| (&appended.change_set.merge_request, &appended.landed))
        .collect();
    let lacking = truth
        .landed
        .iter()
        .filter(|landed| known.get(&landed.change_set.merge_request) != Some(&&landed.landed));
    facts.extend(lacking.map(|appended| Fact::ChangeSetAppended {
        version: open,
        appended: appended.clone(),
    }));
    facts
}

/// A number that no grant of a lost entry can have reached: every grant took a job of its own, and GitLab counts jobs upwards.
pub fn above_all_grants(yard: &Yard, truth: &Truth, job: JobId) -> Epoch {
    let trials = truth.landed.iter().map(|landed| landed.trial.0);
    let known = yard.nrt.epoch.map(|epoch| epoch.0);
    Epoch(trials.chain(known).chain([job.0]).max().unwrap_or(job.0))
}

/// How a change set left the queue, as the mark on its merge request says: the facts that make the log know it again, and that
/// nobody is told a second time.
pub fn left_before(yard: &Yard, change_set: &ChangeSet, stage: &Stage) -> Vec<Fact> {
    let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
    let served = |left: &(_, _, JobId, _)| left.2 == change_set.requested_by;
    if yard.queue.left.iter().any(served) {
        return Vec::new();
    }
    let reason = "as its note said before the state was repaired".to_owned();
    let (fact, alert) = match stage {
        Stage::FailedTests { trial } => {
            let (trial, alert) = (*trial, format!("rejected by trial {trial}"));
            (
                Fact::ChangeSetRejected {
                    merge_request: merge_request.clone(),
                    head,
                    trial,
                    reason,
                    evidence: None,
                    failures: Vec::new(),
                },
                alert,
            )
        }
        Stage::Conflicted => {
            let alert = format!("conflict at {head}");
            (
                Fact::ChangeSetConflicted {
                    merge_request: merge_request.clone(),
                    head,
                    detail: reason,
                },
                alert,
            )
        }
        Stage::LeftQueue => {
            let alert = format!("withdrawn at {head}");
            (
                Fact::ChangeSetWithdrawn {
                    merge_request: merge_request.clone(),
                    head,
                    reason,
                    order: None,
                },
                alert,
            )
        }
        Stage::LinksRefused
        | Stage::Linked
        | Stage::AwaitingValidation { .. }
        | Stage::Validated
        | Stage::Rejected { .. }
        | Stage::NotQueued
        | Stage::Queued { .. }
        | Stage::InTrial { .. }
        | Stage::Landing
        | Stage::Landed { .. }
        | Stage::Releasing { .. }
        | Stage::InProduction { .. } => return Vec::new(),
    };
    let queued = yard.queue.ticket(&merge_request).is_none();
    let queued = queued.then(|| Fact::ChangeSetQueued {
        change_set: change_set.clone(),
    });
    let told = Fact::ContributorWarned {
        about: Subject::MergeRequest(merge_request),
        alert,
        people: vec![change_set.author.clone()],
    };
    queued.into_iter().chain([told, fact]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::ids::{MergeRequestId, ProjectPath, TrialId};
    use crate::domain::integration::Priority;
    use crate::domain::linking::{Link, LinkKind};
    use crate::domain::versioning::packages::Spread;
    use jiff::Timestamp;

    fn project() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    fn sha(n: u64) -> CommitSha {
        format!("{n:040x}").parse().unwrap()
    }

    fn set(iid: u64) -> ChangeSet {
        ChangeSet {
            merge_request: MergeRequestId {
                project: project(),
                iid,
            },
            head: sha(iid),
            target: "main".parse().unwrap(),
            title: String::new(),
            author: "ana".parse().unwrap(),
            links: vec![Link {
                feature: FeatureId {
                    project: project(),
                    iid: 34,
                },
                kind: LinkKind::Closes,
            }],
            verdicts: Vec::new(),
            breaking: false,
            priority: Priority::Normal,
            requested_at: Timestamp::UNIX_EPOCH,
            requested_by: JobId(iid),
            note: None,
        }
    }

    fn landed(iid: u64) -> Appended {
        Appended {
            change_set: set(iid),
            landed: sha(100 + iid),
            base: None,
            spread: Spread::default(),
            trial: TrialId(iid),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn number(text: &str) -> Number {
        Number {
            version: text.parse().unwrap(),
            prefix: "v".to_owned(),
            package: None,
        }
    }

    fn with(mut yard: Yard, facts: Vec<Fact>) -> Yard {
        for fact in facts {
            let event = Event::new(
                &project(),
                Timestamp::UNIX_EPOCH,
                None,
                Some(JobId(9)),
                fact,
            );
            yard.apply(&event);
        }
        yard
    }

    fn content(yard: &Yard) -> Vec<u64> {
        let content = yard.versions.content.iter();
        content.map(|a| a.change_set.merge_request.iid).collect()
    }

    #[test]
    fn a_lost_version_is_filled_again_in_order_and_only_once() {
        let truth = Truth {
            releases: 2,
            released: Some((number("0.2.0"), sha(9))),
            since: [sha(103), sha(101)].into(),
            landed: vec![landed(1), landed(3)],
        };
        let yard = with(Yard::default(), missing(&Yard::default(), &truth));
        assert_eq!(
            (yard.versions.open, content(&yard)),
            (VersionId(3), vec![1, 3])
        );
        assert_eq!(missing(&yard, &truth), []);
    }

    #[test]
    fn what_is_tagged_already_leaves_the_open_version() {
        let appended = |iid| Fact::ChangeSetAppended {
            version: VersionId(1),
            appended: landed(iid),
        };
        let yard = with(Yard::default(), vec![appended(1), appended(2)]);
        let truth = Truth {
            releases: 1,
            released: Some((number("0.1.0"), sha(101))),
            since: [sha(102)].into(),
            landed: vec![landed(2)],
        };
        let facts = missing(&yard, &truth);
        assert!(
            facts.iter().any(
                |fact| matches!(fact, Fact::VersionReleased { features, .. } if features.len() == 1)
            ),
            "{facts:?}"
        );
        let yard = with(yard, facts);
        assert_eq!(
            (yard.versions.open, content(&yard)),
            (VersionId(2), vec![2])
        );
        assert_eq!(missing(&yard, &truth), []);
    }

    #[test]
    fn grants_go_on_above_every_number_that_a_lost_one_can_have_had() {
        let truth = Truth {
            landed: vec![landed(7)],
            ..Truth::default()
        };
        let yard = Yard::default();
        assert_eq!(above_all_grants(&yard, &truth, JobId(900)), Epoch(900));
        let repaired = Fact::StateRepaired {
            epoch: Epoch(900),
            lost: Vec::new(),
        };
        let yard = with(yard, vec![repaired]);
        assert_eq!(
            above_all_grants(&yard, &truth, JobId(3)),
            Epoch(900),
            "never down"
        );
    }

    #[test]
    fn what_was_rejected_before_is_not_queued_again_and_its_author_is_not_told_again() {
        let stage = Stage::FailedTests { trial: TrialId(4) };
        let yard = Yard::default();
        let facts = left_before(&yard, &set(1), &stage);
        let yard = with(yard, facts);
        assert!(yard.queue.tickets.is_empty() && yard.queue.left.len() == 1);
        assert!(
            yard.warned
                .iter()
                .any(|((_, alert), _)| alert == "rejected by trial 4")
        );
        assert_eq!(left_before(&yard, &set(1), &stage), []);
        let waits = Stage::Landing;
        assert_eq!(left_before(&Yard::default(), &set(1), &waits), []);
    }
}
