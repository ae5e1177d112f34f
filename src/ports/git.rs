//! What is done with git: candidates made and landed, and the commits of the job's clone.

use super::Answer;
use crate::domain::candidate::{Assembly, MergeMethod, Part};
use crate::domain::ids::{BranchName, CommitSha, TrialId};
use crate::domain::leaving::Leaving;
use crate::domain::nrt::Held;
use crate::domain::versioning::comparison::Merged;

/// What became of an attempt to make a candidate the head of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// It is.
    Done,
    /// The target has another head than the one that the candidate stands on.
    TargetMoved,
    /// GitLab refuses; its words, untrusted.
    Refused {
        /// Why.
        words: String,
    },
}

/// A source branch that must have another head before its merge request can land: rebased or squashed by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The branch.
    pub branch: BranchName,
    /// The head that was validated.
    pub from: CommitSha,
    /// The head in the candidate.
    pub to: CommitSha,
}

/// Candidates of several change sets, made and landed with git.
pub trait Candidates {
    /// Puts change sets one after the other onto the head of the target; what does not fit is left out.
    fn assemble(
        &self,
        target: &BranchName,
        method: MergeMethod,
        parts: &[Part],
    ) -> Answer<Assembly>;
    /// Puts a candidate where the jobs of its trial can fetch it, without starting a pipeline; the same push deletes branches that are
    /// to go, as far as they can.
    fn show(
        &self,
        held: &Held,
        candidate: &CommitSha,
        branch: &BranchName,
        leaving: &[Leaving],
    ) -> Answer<()>;
    /// Whether the candidate is where the jobs of its trial fetch it.
    fn shows(&self, candidate: &CommitSha, branch: &BranchName) -> Answer<bool>;
    /// Gives source branches their new heads, all or none, without starting pipelines.
    fn rewrite(&self, held: &Held, sources: &[Rewritten]) -> Answer<Push>;
    /// Makes a candidate the head of the target, which must be the base that it stands on; done before, it is done.
    fn land(
        &self,
        held: &Held,
        candidate: &CommitSha,
        base: &CommitSha,
        target: &BranchName,
    ) -> Answer<Push>;
    /// Deletes branches that are still at these heads, each for itself; done only when all of them are gone.
    fn remove(&self, leaving: &[Leaving]) -> Answer<Push>;
    /// Whether a candidate is part of the target as the project has it now.
    fn has_landed(&self, candidate: &CommitSha, target: &BranchName) -> Answer<bool>;
}

/// A commit that came into a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroughtIn {
    /// Which one.
    pub commit: CommitSha,
    /// The trial that its message names.
    pub trial: Option<TrialId>,
}

/// Whether the files that commits change are asked for; git must look into each commit for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFiles {
    /// Each commit with its files.
    Named,
    /// Commits alone.
    LeftOut,
}

/// The commits of the work tree that the job runs in.
pub trait Commits {
    /// Whether two commits hold the same files, byte for byte.
    fn same_tree(&self, one: &CommitSha, other: &CommitSha) -> Answer<bool>;
    /// Whether the first commit is part of the history of the second.
    fn is_ancestor(&self, ancestor: &CommitSha, of: &CommitSha) -> Answer<bool>;
    /// The commits of a branch, as the project has it now, that are not part of the history of another commit; oldest first.
    fn brought_in(&self, after: Option<&CommitSha>, branch: &BranchName) -> Answer<Vec<BroughtIn>>;
    /// The commits of a commit's history that are not part of another one's, oldest first; none where the job has no clone.
    fn merged_since(
        &self,
        after: Option<&CommitSha>,
        up_to: &CommitSha,
        files: CommitFiles,
    ) -> Answer<Option<Vec<Merged>>>;
    /// Whether two commits make the same change, each to the branch it stands on: a rebase and nothing else lies between them.
    fn same_change(&self, before: &CommitSha, after: &CommitSha, base: &CommitSha) -> Answer<bool>;
}
