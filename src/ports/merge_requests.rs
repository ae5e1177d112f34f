//! What jobs ask about merge requests, and the little that they do to them.

use std::collections::{BTreeMap, BTreeSet};

use super::Answer;
use crate::domain::candidate::MergeMethod;
use crate::domain::ids::{BranchName, CommitSha, FeatureId, MergeRequestId, PatchId, UserName};
use crate::domain::integration::MergeRequestState;
use crate::domain::nrt::Held;
use crate::domain::objections::Threads;
use crate::domain::validation::{Difference, Partly, ReviewApp};

/// A merge request as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Which one.
    pub id: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// Its description, untrusted, whole.
    pub description: String,
    /// Who wrote it.
    pub author: UserName,
    /// Open, closed or merged.
    pub state: MergeRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its branch.
    pub source: BranchName,
    /// The branch it lands on.
    pub target: BranchName,
    /// Its head.
    pub head: CommitSha,
    /// Its labels.
    pub labels: Vec<String>,
    /// Where a person sees it.
    pub url: String,
    /// How its threads stand.
    pub threads: Threads,
    /// Why GitLab would not merge it now, in GitLab's word; unknown words are kept.
    pub merge_status: String,
    /// The commit that brought it into the target, once merged.
    pub landed: Option<CommitSha>,
    /// How many commits of the target it lacks; `None` when it was not asked for.
    pub behind: Option<u64>,
    /// The head of the target that its diff is made against.
    pub base: Option<CommitSha>,
    /// Whether its commits become one when it is merged.
    pub squash: bool,
    /// Whether its branch is in another project, where the bot may not push.
    pub from_fork: bool,
    /// Whether its branch is to be deleted when it is merged.
    pub deletes_source: bool,
}

/// What a rebase came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebase {
    /// The merge request stands on the head of its target now (or did before).
    Done(Box<MergeRequest>),
    /// Its commits do not apply.
    Conflict { detail: String },
    /// It cannot be rebased for another reason: branch gone, push not allowed.
    Impossible { reason: String },
}

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// It is in the target, by this commit.
    Done { landed: CommitSha },
    /// Its head is another one.
    HeadMoved,
    /// GitLab refuses; its word for why.
    Refused { status: String },
}

/// The merge request of the pipeline, as far as the job's token may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// As it is now.
    Read(Box<MergeRequest>),
    /// GitLab does not show it to the token; the HTTP status.
    Denied {
        /// 401, 403 or 404.
        status: u16,
    },
}

/// Merge requests.
pub trait MergeRequests {
    /// The one that the pipeline runs for, which is there for certain.
    fn own(&self, iid: u64) -> Answer<Own>;
    /// One of them, or that there is none.
    fn merge_request(&self, iid: u64) -> Answer<Option<MergeRequest>>;
    /// Several of them in one request, in whatever state; those that are gone are missing.
    fn merge_requests(&self, iids: &[u64]) -> Answer<Vec<MergeRequest>>;
    /// How the project merges.
    fn merge_method(&self) -> Answer<MergeMethod>;
    /// Those that a feature's page is related to: GitLab finds them by the references in descriptions and notes. Newest
    /// first, at most some hundreds.
    fn related(&self, feature: &FeatureId) -> Answer<Vec<MergeRequest>>;
    /// Open ones whose description mentions all of these words, at most some hundreds. GitLab leaves out words of less than
    /// three characters.
    fn open_mentioning(&self, words: &str) -> Answer<Vec<MergeRequest>>;
    /// Brings it onto the head of its target, without starting a pipeline.
    fn rebase(&self, held: &Held, iid: u64) -> Answer<Rebase>;
    /// Merges it, provided its head is still this one.
    fn merge(&self, held: &Held, iid: u64, head: &CommitSha, message: &str) -> Answer<Merge>;
    /// Who put a label on it last, where GitLab tells it.
    fn labelled_by(&self, iid: u64, label: &str) -> Answer<Option<UserName>>;
    /// The patch id of each head that it has had, where GitLab knows it.
    fn patches(&self, iid: u64) -> Answer<BTreeMap<CommitSha, PatchId>>;
}

/// What a merge request changes, and where it can be seen.
pub trait Changes {
    /// The files that it changes, old and new paths.
    fn paths(&self, iid: u64) -> Answer<Partly<String>>;
    /// Who wrote its commits, as far as GitLab knows them as users.
    fn committers(&self, iid: u64) -> Answer<BTreeSet<UserName>>;
    /// What changed from one commit to another.
    fn between(&self, from: &CommitSha, to: &CommitSha) -> Answer<Difference>;
    /// The newest successful deployment of any of these commits.
    fn review_app(&self, commits: &BTreeSet<CommitSha>) -> Answer<Option<ReviewApp>>;
}
