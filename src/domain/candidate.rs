//! What goes into a candidate of several change sets, and what becomes of each.

use serde::{Deserialize, Serialize};

use super::ids::{CommitSha, MergeRequestId};

/// How the project brings merge requests into their target (GitLab's setting "Merge method").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// A merge commit for each; the source stays as it is.
    #[default]
    MergeCommit,
    /// A merge commit for each, on a source that was rebased onto the target.
    SemiLinear,
    /// No merge commit: the rebased source itself becomes the target.
    FastForward,
}

/// One change set on its way into a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// The head that was validated.
    pub head: CommitSha,
    /// The message of the merge commit, where the method makes one.
    pub message: String,
    /// The message of the one commit that its commits become, where the merge request is squashed.
    pub squash: Option<String>,
}

/// Whom a change set gets in the way of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clash {
    /// It does not apply on the target: its author must act.
    WithTarget {
        /// Files in conflict, as git names them; untrusted.
        files: Vec<String>,
    },
    /// It applies on the target, and not on a change set before it: it is tried later.
    WithNeighbour {
        /// Files in conflict, as git names them; untrusted.
        files: Vec<String>,
    },
    /// The merge request has another head than the one that was validated.
    Moved {
        /// The head it has now; none when it is gone.
        to: Option<CommitSha>,
    },
}

/// A change set inside of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// The head that the merge request must have when it lands: the validated one, or that one rebased or squashed by us.
    pub head: CommitSha,
    /// The commit of the candidate that brings it, and all before it.
    pub landed: CommitSha,
}

/// A change set that waits again, because it does not go together with one before it in the candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponed {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// The first files in conflict, as git names them; untrusted.
    pub files: Vec<String>,
}

/// A candidate that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    /// The head of the target that it stands on.
    pub base: CommitSha,
    /// The change sets in it, in their order; the last one's commit is the candidate.
    pub placed: Vec<Placed>,
    /// Those left out, and why.
    pub left_out: Vec<(MergeRequestId, Clash)>,
}

impl Assembly {
    /// The commit to deploy and test; none when every change set was left out.
    pub fn candidate(&self) -> Option<&CommitSha> {
        self.placed.last().map(|placed| &placed.landed)
    }
}
