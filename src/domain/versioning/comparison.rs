//! What is merged since the last release, compared with what the log says is in the version: it must be the same, and what is not is told.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::Appended;
use super::numbers::says_that_it_breaks;
use crate::domain::ids::{CommitSha, MergeRequestId};

/// A commit that is merged since the last release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Which one.
    pub commit: CommitSha,
    /// What it stands on; the first one is the branch before it.
    pub parents: Vec<CommitSha>,
    /// Whose it is; untrusted.
    pub author: String,
    /// Its whole message; untrusted.
    pub message: String,
    /// Whether its trailers say that the gate landed it.
    pub by_gate: bool,
    /// Whether its trailers say that a release made it: the change log.
    pub by_release: bool,
    /// The files that it changes, of a merge those that differ from all its parents; empty where there are no packages.
    pub paths: Vec<String>,
}

/// A commit that reached the branch around the gate, with what it brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// Which one.
    pub commit: CommitSha,
    /// Its first line; untrusted.
    pub subject: String,
    /// Whose it is; untrusted.
    pub author: String,
    /// The number of the merge request that GitLab's message names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_request: Option<u64>,
    /// How many commits came with it, itself included.
    pub commits: u64,
}

/// What the comparison finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What came around the gate, oldest first.
    pub around: Vec<Around>,
    /// What the gate landed according to its trailers, and the log does not know.
    pub unknown: Vec<Around>,
    /// What the log has and the commits lack: landed later, released before, or taken off the branch by force.
    pub absent: Vec<MergeRequestId>,
    /// Change sets whose commits say that something breaks.
    pub breaking: BTreeSet<MergeRequestId>,
}

impl Comparison {
    /// Everything that is merged and in no change set that the log knows: what came around the gate, and what only says that the gate
    /// landed it, such as a commit that somebody picked from another branch.
    pub fn all_around(&self) -> Vec<Around> {
        let unknown = self.unknown.iter();
        self.around.iter().chain(unknown).cloned().collect()
    }

    /// The content with what its commits say about breaking.
    #[must_use]
    pub fn read_into(&self, content: &[Appended]) -> Vec<Appended> {
        let mut content = content.to_vec();
        for appended in &mut content {
            let id = &appended.change_set.merge_request;
            appended.change_set.breaking |= self.breaking.contains(id);
        }
        content
    }
}

/// What each change set brought, by the places of the commits; nothing where the commit that landed it is not among them. And the walk
/// over all of that.
///
/// A change set brought what is reachable from the commit that landed it and not from the head of the target that it was put on.
pub(super) fn brought<'a>(
    merged: &'a [Merged],
    content: &[Appended],
) -> (Vec<Option<Vec<usize>>>, Walk<'a>) {
    let places: HashMap<&CommitSha, usize> = merged
        .iter()
        .enumerate()
        .map(|(at, one)| (&one.commit, at))
        .collect();
    let mut before = Walk::over(merged, places.clone());
    let mut claimed = Walk::over(merged, places);
    let found = content.iter().map(|appended| {
        let at = *claimed.places.get(&appended.landed)?;
        // A merge commit tells itself what it was put on.
        let parents = &merged[at].parents;
        let base = appended.base.as_ref();
        let base = base.or_else(|| parents.first().filter(|_| parents.len() > 1));
        if let Some(base) = base.and_then(|base| before.places.get(base)) {
            before.mark(*base, |_| false);
        }
        Some(claimed.mark(at, |commit| before.seen[commit]))
    });
    let found = found.collect();
    (found, claimed)
}

/// Compares the commits since the last release, oldest first and the one to release last, with the open version's content.
///
/// What no change set brought on the line of first parents came around the gate, with whatever its other parents brought along. It is
/// told where it concerns what is released.
pub fn compare(
    merged: &[Merged],
    content: &[Appended],
    concerns: impl Fn(&Merged) -> bool,
) -> Comparison {
    let mut comparison = Comparison::default();
    let (found, mut claimed) = brought(merged, content);
    for (appended, commits) in content.iter().zip(found) {
        let id = &appended.change_set.merge_request;
        let Some(commits) = commits else {
            comparison.absent.push(id.clone());
            continue;
        };
        let mut commits = commits.into_iter();
        if commits.any(|commit| says_that_it_breaks(&merged[commit].message)) {
            comparison.breaking.insert(id.clone());
        }
    }
    let parent = |at: &usize| claimed.places.get(merged[*at].parents.first()?).copied();
    let line: Vec<usize> = std::iter::successors(merged.len().checked_sub(1), parent).collect();
    for at in line.iter().copied() {
        if claimed.seen[at] {
            continue;
        }
        let one = &merged[at];
        let of_the_line = |commit| commit != at && line.contains(&commit);
        let brought = claimed.mark(at, of_the_line);
        if !brought.iter().any(|commit| concerns(&merged[*commit])) {
            continue;
        }
        let entry = Around {
            commit: one.commit.clone(),
            subject: one.message.lines().next().unwrap_or_default().to_owned(),
            author: one.author.clone(),
            merge_request: named_merge_request(&one.message),
            commits: brought.len() as u64,
        };
        if one.by_gate {
            comparison.unknown.push(entry);
        } else if !one.by_release {
            comparison.around.push(entry);
        }
    }
    comparison.around.reverse();
    comparison.unknown.reverse();
    comparison
}

/// GitLab's own merge commits end in "See merge request group/project!12".
fn named_merge_request(message: &str) -> Option<u64> {
    let mut lines = message.lines().rev();
    let line = lines.find_map(|line| line.trim().strip_prefix("See merge request "))?;
    line.rsplit_once('!')?.1.parse().ok()
}

/// Commits that were come by, going back from several ones.
pub(super) struct Walk<'a> {
    merged: &'a [Merged],
    places: HashMap<&'a CommitSha, usize>,
    seen: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn over(merged: &'a [Merged], places: HashMap<&'a CommitSha, usize>) -> Self {
        Self {
            merged,
            places,
            seen: vec![false; merged.len()],
        }
    }

    /// Everything that a commit stands on, itself included, that was not come by before and is not to be left out.
    fn mark(&mut self, from: usize, left_out: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            if self.seen[at] || left_out(at) {
                continue;
            }
            self.seen[at] = true;
            found.push(at);
            let parents = self.merged[at].parents.iter();
            next.extend(parents.filter_map(|parent| self.places.get(parent)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;

    fn sha(n: u64) -> CommitSha {
        format!("{n:040x}").parse().unwrap()
    }

    fn commit(n: u64, parents: &[u64], message: &str) -> Merged {
        Merged {
            commit: sha(n),
            parents: parents.iter().map(|n| sha(*n)).collect(),
            author: "Eve".to_owned(),
            message: message.to_owned(),
            by_gate: message.contains("Trainyard-Change-Set"),
            by_release: message.contains("Trainyard-Release"),
            paths: Vec::new(),
        }
    }

    fn landed(iid: u64, by: u64, base: Option<u64>) -> Appended {
        Appended {
            landed: sha(by),
            base: base.map(sha),
            ..appended(iid, &[], &[], false)
        }
    }

    fn around(comparison: &Comparison) -> Vec<(CommitSha, u64)> {
        let around = comparison.around.iter();
        around
            .map(|one| (one.commit.clone(), one.commits))
            .collect()
    }

    #[test]
    fn merge_commits_bring_their_own_branches_and_nothing_else() {
        // 1 is the last release; 2 and 3 are a branch; 4 merges it; 5 was pushed by hand; 6 merges 7 by hand.
        let merged = [
            commit(2, &[1], "work"),
            commit(3, &[2], "more\n\nBREAKING CHANGE: the old way is gone"),
            commit(4, &[1, 3], "Merge\n\nTrainyard-Change-Set: shop/web!1@3"),
            commit(5, &[4], "by hand"),
            commit(7, &[4], "side"),
            commit(
                6,
                &[5, 7],
                "Merge branch 'x' into 'main'\n\nSee merge request shop/web!12",
            ),
        ];
        let content = [landed(1, 4, None)];
        let found = compare(&merged, &content, |_| true);
        assert_eq!(around(&found), [(sha(5), 1), (sha(6), 2)]);
        assert_eq!(found.around[1].merge_request, Some(12));
        assert_eq!(found.around[0].subject, "by hand");
        assert_eq!((found.unknown, found.absent), (vec![], vec![]));
        assert_eq!(found.breaking.len(), 1);
    }

    #[test]
    fn without_merge_commits_the_head_it_was_put_on_tells_where_a_change_set_begins() {
        // 2 was pushed by hand, 3 and 4 are a change set on it, 5 is the next one.
        let merged = [
            commit(2, &[1], "by hand"),
            commit(3, &[2], "a"),
            commit(4, &[3], "b"),
            commit(5, &[4], "c"),
        ];
        let content = [landed(1, 4, Some(2)), landed(2, 5, Some(4))];
        let found = compare(&merged, &content, |_| true);
        assert_eq!(around(&found), [(sha(2), 1)]);
        let all = compare(&merged, &[landed(1, 4, None), landed(2, 5, None)], |_| true);
        assert_eq!(
            around(&all),
            [],
            "who does not know the head takes all there is"
        );
    }

    #[test]
    fn what_the_log_lacks_and_what_the_commits_lack_is_found() {
        let merged = [
            commit(2, &[1], "x\n\nTrainyard-Change-Set: shop/web!9@2"),
            commit(3, &[2], "docs: 1.2.0\n\nTrainyard-Release: 1.2.0"),
        ];
        let found = compare(&merged, &[landed(5, 77, None)], |_| true);
        let unknown: Vec<CommitSha> = found.unknown.iter().map(|u| u.commit.clone()).collect();
        assert_eq!(unknown, [sha(2)]);
        assert_eq!(found.all_around(), found.unknown);
        assert_eq!(found.absent.len(), 1);
        assert_eq!(found.around, []);
        assert_eq!(compare(&[], &[], |_| true), Comparison::default());
    }

    #[test]
    fn a_branch_that_merged_its_target_claims_nothing_of_it() {
        // 2 came by hand; the branch 3 merged it as 4; 5 lands the branch.
        let merged = [
            commit(2, &[1], "by hand"),
            commit(3, &[1], "work"),
            commit(4, &[3, 2], "Merge main"),
            commit(5, &[2, 4], "Merge\n\nTrainyard-Change-Set: shop/web!1@4"),
        ];
        let found = compare(&merged, &[landed(1, 5, None)], |_| true);
        assert_eq!(around(&found), [(sha(2), 1)]);
    }
}
