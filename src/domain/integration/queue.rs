//! The queue itself: tickets, their order, and how they leave.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ChangeSet, Priority};
use crate::domain::controls::{Force, Hold, Order};
use crate::domain::ids::{CommitSha, JobId, MergeRequestId, TrialId, UserName};
use crate::domain::nrt::Abandoned;
use crate::domain::pairs;

/// Where a ticket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In the queue.
    Waiting,
    /// Taken out of the queue for a trial.
    InTrial(TrialId),
    /// Merged, on its way into the version.
    Merged { commit: CommitSha },
}

/// A change set's place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What waits.
    pub change_set: ChangeSet,
    /// Where it is.
    pub place: Place,
    /// Heads it had before we rebased it, oldest first.
    pub earlier_heads: Vec<CommitSha>,
    /// Heads that its branch may have got from us to land together with others. They can hold commits of neighbours, so nothing is
    /// built on them.
    pub rewritten: Vec<CommitSha>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Why it waits again, when it was taken out for a trial before.
    pub again: Option<Again>,
    /// Who put it before all others, if somebody did.
    pub forced: Option<Force>,
}

/// Why a change set that was taken out for a trial waits again at its old place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Again {
    /// It does not go together with a change set that was tried before it.
    Neighbour {
        /// The trial of the others.
        trial: TrialId,
        /// Files in conflict, as git names them; untrusted.
        files: Vec<String>,
    },
    /// Its trial was rejected, for the fault of others, or it is not known yet for whose.
    Searched {
        /// The rejected trial.
        trial: TrialId,
        /// Whom its verdict names; one of several, where it only points at some.
        culprits: Vec<MergeRequestId>,
    },
    /// A person took the environment away from its trial.
    Broken {
        /// The trial.
        trial: TrialId,
        /// Who.
        by: UserName,
        /// Why, in that person's words; untrusted.
        reason: String,
    },
    /// Its trial ended without a verdict.
    NoVerdict {
        /// The trial.
        trial: TrialId,
        /// What ended it.
        why: Abandoned,
    },
}

impl Ticket {
    /// First what was forced, in the order in which it was; then lane by lane, first come, first served. The number of the merge
    /// request decides between the same instants.
    pub fn order(&self) -> impl Ord + use<> {
        let forced_at = self.forced.as_ref().map(|force| force.order.given_at);
        (
            forced_at.is_none(),
            forced_at,
            self.change_set.priority,
            self.change_set.requested_at,
            self.change_set.merge_request.clone(),
        )
    }

    /// Whether it goes before all others, and is never tried together with those that are not urgent.
    pub fn is_urgent(&self) -> bool {
        self.forced.is_some() || self.change_set.priority == Priority::Hotfix
    }

    /// Whether no freeze stops it.
    pub fn goes_through_freezes(&self) -> bool {
        self.forced
            .as_ref()
            .is_some_and(|force| force.through_freezes)
    }

    /// Whether this head is, or was before our own rebase, the head of the change set.
    pub fn is_of(&self, head: &CommitSha) -> bool {
        self.change_set.head == *head || self.earlier_heads.contains(head)
    }
}

/// How a change set left the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Left {
    /// It is in the version.
    Landed,
    /// A trial rejected it.
    Rejected { reason: String },
    /// It does not apply on the target.
    Conflicted,
    /// It was taken back.
    Withdrawn { reason: String },
}

/// Everything that waits, folded from events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Open tickets in the order of their service.
    pub tickets: Vec<Ticket>,
    /// How change sets of the open version's time left: merge request, head, request job, way.
    pub left: Vec<(MergeRequestId, CommitSha, JobId, Left)>,
    /// Merge requests that are not to be tried, whether they wait now or not.
    #[serde(with = "pairs")]
    pub holds: BTreeMap<MergeRequestId, Hold>,
    /// Who paused the queue, if somebody did.
    pub paused: Option<Order>,
}

impl Queue {
    /// The ticket of a merge request.
    pub fn ticket(&self, merge_request: &MergeRequestId) -> Option<&Ticket> {
        self.tickets
            .iter()
            .find(|ticket| ticket.change_set.merge_request == *merge_request)
    }

    /// The tickets that wait, best first.
    pub fn waiting(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets
            .iter()
            .filter(|ticket| ticket.place == Place::Waiting)
    }

    /// The place of a waiting merge request, from 1.
    pub fn rank(&self, merge_request: &MergeRequestId) -> Option<usize> {
        self.waiting()
            .position(|ticket| ticket.change_set.merge_request == *merge_request)
            .map(|index| index + 1)
    }

    /// How a merge request left the queue last.
    pub fn last_left(&self, merge_request: &MergeRequestId) -> Option<&Left> {
        let of_it = |(id, ..): &&(MergeRequestId, CommitSha, JobId, Left)| id == merge_request;
        self.left.iter().rev().find(of_it).map(|(.., how)| how)
    }

    /// A change set that joins while its merge request has a ticket is the same content on another head: what people ordered stands.
    pub(in crate::domain) fn join(&mut self, change_set: ChangeSet, at: Timestamp) {
        let before = self.ticket(&change_set.merge_request).cloned();
        self.tickets
            .retain(|ticket| ticket.change_set.merge_request != change_set.merge_request);
        self.tickets.push(Ticket {
            change_set,
            place: Place::Waiting,
            earlier_heads: Vec::new(),
            rewritten: Vec::new(),
            queued_at: before.as_ref().map_or(at, |before| before.queued_at),
            again: None,
            forced: before.and_then(|before| before.forced),
        });
        self.tickets.sort_by_key(Ticket::order);
    }

    /// Merge requests that are gone leave nothing behind.
    pub(in crate::domain) fn forget(&mut self, merge_requests: &BTreeSet<MergeRequestId>) {
        self.left.retain(|(id, ..)| !merge_requests.contains(id));
        self.holds.retain(|id, _| !merge_requests.contains(id));
    }

    pub(in crate::domain) fn force(&mut self, merge_request: &MergeRequestId, force: Force) {
        self.change(merge_request, |ticket| ticket.forced = Some(force));
        self.tickets.sort_by_key(Ticket::order);
    }

    pub(in crate::domain) fn change(
        &mut self,
        merge_request: &MergeRequestId,
        change: impl FnOnce(&mut Ticket),
    ) {
        if let Some(ticket) = self
            .tickets
            .iter_mut()
            .find(|t| t.change_set.merge_request == *merge_request)
        {
            change(ticket);
        }
    }

    pub(in crate::domain) fn leave(&mut self, merge_request: &MergeRequestId, how: Left) {
        if let Some(at) = self
            .tickets
            .iter()
            .position(|t| t.change_set.merge_request == *merge_request)
        {
            let change_set = self.tickets.remove(at).change_set;
            self.left.push((
                change_set.merge_request,
                change_set.head,
                change_set.requested_by,
                how,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::integration::ground::{change_set, queue_of};
    use proptest::prelude::*;

    #[test]
    fn lanes_go_first_then_age_then_number() {
        let queue = queue_of(vec![
            change_set(5, 'a', Priority::Low, 1),
            change_set(4, 'a', Priority::Normal, 9),
            change_set(3, 'a', Priority::Normal, 2),
            change_set(2, 'a', Priority::Hotfix, 99),
            change_set(1, 'a', Priority::Normal, 9),
        ]);
        let order: Vec<u64> = queue
            .waiting()
            .map(|t| t.change_set.merge_request.iid)
            .collect();
        assert_eq!(order, [2, 3, 1, 4, 5]);
        assert_eq!(
            queue.rank(&change_set(1, 'a', Priority::Normal, 9).merge_request),
            Some(3)
        );
    }

    proptest! {
        #[test]
        fn among_equals_the_older_is_never_overtaken(seconds in prop::collection::vec((0i64..50, 0u8..4), 1..40)) {
            let lane = |n: u8| [Priority::Hotfix, Priority::High, Priority::Normal, Priority::Low][usize::from(n)];
            let sets = seconds.iter().enumerate().map(|(i, (s, p))| change_set(i as u64 + 1, 'a', lane(*p), *s)).collect();
            let queue = queue_of(sets);
            let served: Vec<&Ticket> = queue.waiting().collect();
            prop_assert_eq!(served.len(), seconds.len());
            for pair in served.windows(2) {
                let (a, b) = (&pair[0].change_set, &pair[1].change_set);
                prop_assert!(a.priority < b.priority || (a.priority == b.priority && a.requested_at <= b.requested_at));
            }
        }
    }
}
