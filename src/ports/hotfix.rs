//! What a hotfix asks of the world: commits that are picked, merge requests of our own, and the logs of other environments.

use super::{Answer, MergeRequest, Push};
use crate::domain::ids::{BranchName, CommitSha, MergeRequestId, UserName};
use crate::domain::versioning::Number;
use crate::domain::yard::Yard;

/// A landed change set whose commits are to be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// The commit that brought it.
    pub landed: CommitSha,
    /// The commit that its own come after, where that is known.
    pub after: Option<CommitSha>,
}

/// What became of picking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// All of them, by so many commits, of which this one is the last.
    Done { tip: CommitSha, commits: usize },
    /// A commit does not apply.
    Conflict {
        merge_request: MergeRequestId,
        commit: CommitSha,
        files: Vec<String>,
    },
    /// It would change nothing.
    AlreadyThere { merge_request: MergeRequestId },
    /// Where its commits begin is not known.
    Unclear { merge_request: MergeRequestId },
}

/// What a branch lacks of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Nothing: all of it is in its history, was picked from there, or changes none of its files.
    Nothing,
    /// These commits, of which this is the last, picked onto its head.
    Commits { tip: CommitSha },
    /// Something, and it does not apply there.
    Conflict,
}

/// Commits that are picked onto a released version.
pub trait Picks {
    /// The head of a branch as the project has it now, or that there is none.
    fn head(&self, branch: &BranchName) -> Answer<Option<CommitSha>>;
    /// A commit with the files of a released one that a branch can be pushed to without force.
    fn going_on(
        &self,
        head: &CommitSha,
        released: &CommitSha,
        number: &Number,
    ) -> Answer<CommitSha>;
    /// Picks change sets one after the other.
    fn pick(&self, onto: &CommitSha, sources: &[Source]) -> Answer<Picked>;
    /// Makes these the heads of branches, all or none, without force and without starting pipelines of branches.
    fn push_heads(&self, heads: &[(&BranchName, &CommitSha)]) -> Answer<Push>;
    /// What a branch, as the project has it now, lacks of a commit.
    fn missing(&self, commit: &CommitSha, branch: &BranchName) -> Answer<Missing>;
}

/// A merge request that we want to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its branch.
    pub source: BranchName,
    /// The branch that it is to land on.
    pub target: BranchName,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
}

/// Merge requests that we open ourselves.
pub trait Proposals {
    /// Those of a branch, in whatever state, newest first.
    fn of_branch(&self, source: &BranchName) -> Answer<Vec<MergeRequest>>;
    /// Those that a user opened onto a branch, in whatever state; at most the hundred newest.
    fn onto(&self, target: &BranchName, user: &UserName) -> Answer<Vec<MergeRequest>>;
    /// Opens one; one that is open already for its branch is it.
    fn propose(&self, proposal: &Proposal) -> Answer<MergeRequest>;
    /// Whether a branch is protected; nothing when there is no such branch.
    fn is_protected(&self, branch: &BranchName) -> Answer<Option<bool>>;
}

/// The logs of the project's NRT environments.
pub trait Logs {
    /// The state of one of them.
    fn yard_of(&self, environment: &str) -> Answer<Yard>;
}
