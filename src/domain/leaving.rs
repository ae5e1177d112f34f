//! Source branches that are still to be deleted. Of what a push lands GitLab leaves the branches, whatever the merge request asks for;
//! so they are remembered, and go with the next push of a candidate or with the next look at the queue.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{BranchName, CommitSha, MergeRequestId};

/// How long a merge request may take until GitLab shows it as merged. After that its branch stays.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// A source branch that is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Whose branch it is.
    pub merge_request: MergeRequestId,
    /// The branch.
    pub branch: BranchName,
    /// The head by which it landed: a branch that has another one by now belongs to whoever pushed it.
    pub head: CommitSha,
    /// When it landed.
    pub since: Timestamp,
}

/// What GitLab shows of branches that are to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The merge requests that are merged, by number.
    pub merged: BTreeSet<u64>,
    /// The branches that have to stay: open merge requests are to land on them, or they are protected.
    pub staying: BTreeSet<BranchName>,
}

/// What becomes of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parting {
    /// They are deleted now.
    pub delete: Vec<Leaving>,
    /// Nothing more is to be done for these, deleted or not.
    pub settled: Vec<MergeRequestId>,
}

/// Decides by what GitLab shows. It closes a merge request whose branch goes away before it is known to be merged, so that one waits;
/// a branch that others are to land on stays, as only GitLab's own deletion would give those another target; and a protected one has
/// the whole push refused.
pub fn parting(leaving: &[&Leaving], shown: &Shown, now: Timestamp) -> Parting {
    let mut parting = Parting::default();
    for &one in leaving {
        let merged = shown.merged.contains(&one.merge_request.iid);
        let late = now.duration_since(one.since) > PATIENCE;
        if merged && !shown.staying.contains(&one.branch) {
            parting.delete.push(one.clone());
        }
        if merged || late {
            parting.settled.push(one.merge_request.clone());
        }
    }
    parting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(iid: u64) -> Leaving {
        Leaving {
            merge_request: MergeRequestId {
                project: "shop/web".parse().unwrap(),
                iid,
            },
            branch: format!("change-{iid}").parse().unwrap(),
            head: "a".repeat(40).parse().unwrap(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn numbers(ids: &[MergeRequestId]) -> Vec<u64> {
        ids.iter().map(|id| id.iid).collect()
    }

    fn parted(shown: &Shown, hours: i64) -> (Vec<u64>, Vec<u64>) {
        let (one, two) = (leaving(1), leaving(2));
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let parting = parting(&[&one, &two], shown, now);
        let deleted = parting.delete.iter().map(|one| one.merge_request.iid);
        (deleted.collect(), numbers(&parting.settled))
    }

    #[test]
    fn what_is_merged_goes_and_what_is_not_waits() {
        let shown = Shown {
            merged: [2].into(),
            staying: BTreeSet::new(),
        };
        assert_eq!(parted(&shown, 0), (vec![2], vec![2]));
    }

    #[test]
    fn a_branch_that_has_to_stay_stays_for_good() {
        let shown = Shown {
            merged: [1, 2].into(),
            staying: ["change-1".parse().unwrap()].into(),
        };
        assert_eq!(parted(&shown, 0), (vec![2], vec![1, 2]));
    }

    #[test]
    fn what_gitlab_never_shows_as_merged_is_waited_for_a_day() {
        assert_eq!(parted(&Shown::default(), 24), (vec![], vec![]));
        assert_eq!(parted(&Shown::default(), 25), (vec![], vec![1, 2]));
    }
}
