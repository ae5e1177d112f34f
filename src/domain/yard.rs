//! The whole state of one yard, folded from its events: queue, environment, versions, and who was warned of what.
//!
//! There is one truth, the order of the events; nothing here is stored.

mod folding;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::{Event, Subject};
use super::freezes::Freezes;
use super::ids::{CommitSha, MergeRequestId, ProjectPath, TrialId};
use super::integration::{Queue, Ticket};
use super::leaving::Leaving;
use super::memory::Memory;
use super::notification::outbox::Outbox;
use super::notification::rules::Rules;
use super::nrt::Environment;
use super::pace::Pace;
use super::pairs;
use super::trials::{Policy, Search, Waiting};
use super::versioning::{Appended, Versions};

/// How long it is remembered that somebody was told about a trial, a version or the environment.
const ALERTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many branches that are to go are looked at together.
const LEAVING_AT_ONCE: usize = 50;

/// Everything that the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Yard {
    /// Who waits.
    pub queue: Queue,
    /// Who has the environment, and what is tried there.
    pub nrt: Environment,
    /// What landed, what is being released, what is out.
    pub versions: Versions,
    /// What earlier trials taught about who fails with whom.
    pub search: Search<MergeRequestId>,
    /// The last trial that was rejected.
    pub rejected: Option<TrialId>,
    /// The head of the target that `search` knows.
    searched_on: Option<CommitSha>,
    /// Alerts that went out: subject and alert, and when.
    #[serde(with = "pairs")]
    pub warned: BTreeMap<(String, String), Timestamp>,
    /// When the last of it happened.
    pub last: Timestamp,
    /// What channels are still to be sent.
    pub outbox: Outbox,
    /// How fast the environment has been.
    pub pace: Pace,
    /// Source branches that are still to be deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<Leaving>,
    seen: Memory,
}

impl Yard {
    /// Folds a history.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut yard = Self::default();
        for event in events {
            yard.apply(event);
        }
        yard
    }

    /// The change sets of the next trial, in queue order: of those that nothing hinders now. A candidate is a commit of
    /// one project, so they are all of one.
    pub fn next_trial(&self, policy: &Policy, freezes: &Freezes, now: Timestamp) -> Vec<&Ticket> {
        let waiting: Vec<Waiting<MergeRequestId>> = self
            .servable(freezes, now)
            .map(|ticket| Waiting {
                change: ticket.change_set.merge_request.clone(),
                urgent: ticket.is_urgent(),
            })
            .collect();
        let project = |id: &MergeRequestId| id.project.clone();
        let chosen = self.search.choose_of_one_place(&waiting, policy, project);
        let tickets = chosen.iter().filter_map(|id| self.queue.ticket(id));
        tickets.collect()
    }

    /// The source branches of a project that are still to be deleted, as many as one look covers.
    pub fn leaving_in(&self, project: &ProjectPath) -> Vec<&Leaving> {
        let here = |one: &&Leaving| one.merge_request.project == *project;
        self.leaving
            .iter()
            .filter(here)
            .take(LEAVING_AT_ONCE)
            .collect()
    }

    /// The merge requests that something is remembered of and that neither wait nor are in a version that is not released yet: what
    /// is remembered of those among them that are merged, closed or deleted can be forgotten.
    pub fn may_be_gone(&self) -> BTreeSet<MergeRequestId> {
        let known = self.seen.merge_requests();
        known.filter(|id| !self.is_at_work(id)).cloned().collect()
    }

    fn is_at_work(&self, id: &MergeRequestId) -> bool {
        let landed = |appended: &Appended| appended.change_set.merge_request == *id;
        self.queue.ticket(id).is_some() || self.versions.unreleased().any(landed)
    }

    /// The same state without what no decision asks for again. `gone` are merge requests that are merged, closed or deleted.
    ///
    /// Forgotten is everything about a merge request that is gone, has no ticket, is in no version that is not released, and of
    /// which nothing was heard for a day; ids of events about anything else after a day, alerts about it after a month; what
    /// channels have got; what released versions held, but for the last ones.
    #[must_use]
    pub fn without_the_past(&self, gone: &BTreeSet<MergeRequestId>, rules: &Rules) -> Self {
        let mut yard = self.clone();
        let quiet =
            |id: &&MergeRequestId| !self.is_at_work(id) && self.seen.is_quiet(id, self.last);
        let gone: BTreeSet<MergeRequestId> = gone.iter().filter(quiet).cloned().collect();
        let names: BTreeSet<String> = gone
            .iter()
            .map(|id| Subject::MergeRequest(id.clone()).to_string())
            .collect();
        yard.warned.retain(|(about, _), at| {
            let of_merge_request = about.contains('!');
            !names.contains(about)
                && (of_merge_request || self.last.duration_since(*at) <= ALERTS_KEPT)
        });
        yard.seen.forget(&gone, self.last);
        yard.queue.forget(&gone);
        yard.versions.forget();
        yard.outbox.forget(&gone, rules, self.last);
        yard
    }

    /// Whether an event is part of this history already.
    pub fn has(&self, event: &Event) -> bool {
        self.seen.has(event)
    }

    /// The state after one more event; an event that was applied before changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if !self.seen.insert(event) {
            return;
        }
        self.last = self.last.max(event.at);
        self.outbox.apply(event);
        self.apply_fact(event);
        // The freezes of a project are not in its log.
        let waiting = self
            .servable(&Freezes::default(), event.at)
            .next()
            .is_some();
        self.pace.apply(event, waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Fact;
    use crate::domain::ids::{
        BranchName, CommitSha, Epoch, JobId, PipelineId, ProjectPath, VersionId,
    };
    use crate::domain::integration::Place;
    use crate::domain::integration::{ChangeSet, Priority};
    use crate::domain::nrt::{Abandoned, Candidate, Holder};
    use crate::domain::versioning::Appended;
    use crate::domain::versioning::packages::Spread;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn project() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    fn mr(iid: u64) -> MergeRequestId {
        MergeRequestId {
            project: project(),
            iid,
        }
    }

    fn sha(n: u64) -> CommitSha {
        format!("{n:040x}").parse().unwrap()
    }

    fn set(iid: u64, request: u64) -> ChangeSet {
        let target: BranchName = "main".parse().unwrap();
        ChangeSet {
            merge_request: mr(iid),
            head: sha(iid),
            target,
            title: String::new(),
            author: "ana".parse().unwrap(),
            links: Vec::new(),
            verdicts: Vec::new(),
            breaking: false,
            priority: Priority::Normal,
            requested_at: Timestamp::from_second(i64::try_from(request).unwrap()).unwrap(),
            requested_by: JobId(request),
            note: None,
        }
    }

    fn holder(pipeline: u64) -> Holder {
        Holder {
            project: project(),
            pipeline: PipelineId(pipeline),
            job: JobId(pipeline),
            user: None,
        }
    }

    fn event(fact: Fact) -> Event {
        Event::new(
            &project(),
            Timestamp::UNIX_EPOCH,
            None,
            Some(JobId(1)),
            fact,
        )
    }

    fn trial_of(iid: u64, n: u64) -> Vec<Event> {
        let candidate = Candidate {
            commit: sha(100 + iid),
            base: sha(1),
            reference: "refs/x".into(),
        };
        vec![
            event(Fact::LeaseGranted {
                epoch: Epoch(n),
                holder: holder(n),
                until: Timestamp::UNIX_EPOCH,
            }),
            event(Fact::ChangeSetUnqueued {
                merge_request: mr(iid),
                head: sha(iid),
                trial: TrialId(n),
            }),
            event(Fact::ChangeSetRebased {
                merge_request: mr(iid),
                from: sha(iid),
                to: sha(100 + iid),
                onto: sha(1),
            }),
            event(Fact::TrialStarted {
                trial: TrialId(n),
                candidate,
                change_sets: vec![mr(iid)],
                placed: Vec::new(),
                postponed: Vec::new(),
            }),
        ]
    }

    fn landing_of(iid: u64, n: u64) -> Vec<Event> {
        let appended = Appended {
            change_set: set(iid, iid),
            landed: sha(200 + iid),
            base: None,
            spread: Spread::default(),
            trial: TrialId(n),
            at: Timestamp::UNIX_EPOCH,
        };
        vec![
            event(Fact::TrialValidated { trial: TrialId(n) }),
            event(Fact::ChangeSetMerged {
                merge_request: mr(iid),
                head: sha(iid),
                commit: sha(200 + iid),
                trial: TrialId(n),
                leaves: None,
            }),
            event(Fact::ChangeSetAppended {
                version: VersionId(1),
                appended,
            }),
            event(Fact::LeaseReleased { epoch: Epoch(n) }),
        ]
    }

    #[test]
    fn a_change_set_goes_from_the_queue_through_the_trial_into_the_version() {
        let mut history = vec![event(Fact::ChangeSetQueued {
            change_set: set(7, 7),
        })];
        history.extend(trial_of(7, 1));
        let during = Yard::of(&history);
        assert_eq!(
            during.queue.ticket(&mr(7)).unwrap().place,
            Place::InTrial(TrialId(1))
        );
        assert!(
            during.queue.ticket(&mr(7)).unwrap().is_of(&sha(107))
                && during.queue.rank(&mr(7)).is_none()
        );
        history.extend(landing_of(7, 1));
        let after = Yard::of(&history);
        assert!(
            after.queue.tickets.is_empty()
                && after.nrt.lease.is_none()
                && after.nrt.trial.is_none()
        );
        assert_eq!(after.versions.holding(&mr(7)).unwrap().0, VersionId(1));
    }

    #[test]
    fn one_trial_holds_change_sets_of_one_project_and_the_others_keep_their_turn() {
        let of = |path: &str, request: u64| {
            let mut queued = set(1, request);
            queued.merge_request.project = path.parse().unwrap();
            event(Fact::ChangeSetQueued { change_set: queued })
        };
        let mut history = vec![of("shop/web", 1), of("shop/api", 2)];
        let mut third = set(3, 3);
        third.merge_request.project = "shop/web".parse().unwrap();
        history.push(event(Fact::ChangeSetQueued { change_set: third }));
        let chosen = |history: &[Event]| -> Vec<String> {
            let yard = Yard::of(history);
            let freezes = Freezes::default();
            let chosen = yard.next_trial(&Policy::default(), &freezes, Timestamp::UNIX_EPOCH);
            let names = chosen.iter().map(|ticket| &ticket.change_set.merge_request);
            names.map(|id| format!("{}{id}", id.project)).collect()
        };
        assert_eq!(chosen(&history), ["shop/web!1", "shop/web!3"]);
        let mut late = set(4, 4);
        late.merge_request.project = "shop/web".parse().unwrap();
        history.push(event(Fact::ChangeSetQueued { change_set: late }));
        for iid in [1, 3] {
            history.push(event(Fact::ChangeSetWithdrawn {
                merge_request: mr(iid),
                head: sha(iid),
                reason: "done".into(),
                order: None,
            }));
        }
        assert_eq!(
            chosen(&history),
            ["shop/api!1"],
            "older than what came since"
        );
    }

    #[test]
    fn a_run_that_dies_before_its_trial_starts_loses_nothing() {
        let mut history = vec![event(Fact::ChangeSetQueued {
            change_set: set(7, 7),
        })];
        history.extend(trial_of(7, 1).into_iter().take(2));
        assert_eq!(Yard::of(&history).queue.rank(&mr(7)), None);
        history.push(event(Fact::LeaseExpired {
            epoch: Epoch(1),
            holder: holder(1),
        }));
        assert_eq!(Yard::of(&history).queue.rank(&mr(7)), Some(1));
    }

    #[test]
    fn leases_without_any_outcome_are_counted_until_there_is_one() {
        let mut history = vec![event(Fact::ChangeSetQueued {
            change_set: set(7, 7),
        })];
        for n in 1..=3 {
            assert!(Yard::of(&history).nrt.worth_another_worker());
            history.extend(trial_of(7, n));
            history.push(event(Fact::TrialAbandoned {
                trial: TrialId(n),
                reason: Abandoned::Infrastructure,
            }));
            history.push(event(Fact::LeaseReleased { epoch: Epoch(n) }));
        }
        assert!(
            !Yard::of(&history).nrt.worth_another_worker(),
            "something is broken that no change set can mend"
        );
        assert_eq!(
            Yard::of(&history).queue.rank(&mr(7)),
            Some(1),
            "nothing is lost"
        );
        history.extend(
            trial_of(7, 4)
                .into_iter()
                .filter(|e| !matches!(e.fact, Fact::ChangeSetRebased { .. })),
        );
        history.extend(landing_of(7, 4));
        assert!(Yard::of(&history).nrt.worth_another_worker());
    }

    #[test]
    fn an_abandoned_trial_gives_its_change_set_the_old_place_back() {
        let mut history = vec![
            event(Fact::ChangeSetQueued {
                change_set: set(7, 7),
            }),
            event(Fact::ChangeSetQueued {
                change_set: set(8, 8),
            }),
        ];
        history.extend(trial_of(7, 1));
        history.push(event(Fact::TrialAbandoned {
            trial: TrialId(1),
            reason: Abandoned::HolderGone,
        }));
        let yard = Yard::of(&history);
        assert_eq!(yard.queue.rank(&mr(7)), Some(1));
        assert_eq!(yard.nrt.trial, None);
    }

    proptest! {
        /// Jobs may record an event twice, and readers may see it twice: nothing changes.
        #[test]
        fn replaying_any_event_changes_nothing(steps in prop::collection::vec((1u64..5, 0u8..3), 1..12), replay in any::<prop::sample::Index>()) {
            let mut history = Vec::new();
            for (n, (iid, ending)) in steps.iter().enumerate() {
                let n = n as u64 + 1;
                history.push(event(Fact::ChangeSetQueued { change_set: set(*iid, n) }));
                history.extend(trial_of(*iid, n));
                match ending {
                    0 => history.extend(landing_of(*iid, n)),
                    1 => history.push(event(Fact::TrialAbandoned { trial: TrialId(n), reason: Abandoned::NoVerdict })),
                    _ => history.push(event(Fact::ChangeSetRejected { merge_request: mr(*iid), head: sha(*iid), trial: TrialId(n), reason: "red".into(), evidence: None, failures: Vec::new() })),
                }
            }
            let once = Yard::of(&history);
            let mut twice = once.clone();
            twice.apply(replay.get(&history));
            prop_assert_eq!(&once, &twice);
            // No change set is lost: each is waiting, under trial, landed, or left with a reason.
            for (iid, _) in &steps {
                let known = once.queue.ticket(&mr(*iid)).is_some() || once.queue.left.iter().any(|(id, ..)| *id == mr(*iid));
                prop_assert!(known);
            }
        }
    }
}
