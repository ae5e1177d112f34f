//! What the parts of the emulator tell the pipeline engine, and what they ask it.
//!
//! The engine is behind a trait so that repositories and merge requests do not depend on it.

use serde_json::Value;

use crate::push::Push;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;

/// A pipeline as merge requests and commits show it.
#[derive(Debug, Clone)]
pub(crate) struct PipelineView {
    pub(crate) sha: String,
    /// Such as `running`.
    pub(crate) status: String,
    /// The short form of the API.
    pub(crate) basic: Value,
    /// The long form of the API.
    pub(crate) detail: Value,
}

/// The pipeline engine. No method may be called while the state is locked, except those that are given it.
pub(crate) trait Pipelines: Send + Sync {
    /// Branches or tags changed. Comes after the merge requests have been brought up to date.
    fn pushed(&self, shared: &Shared, push: &Push);

    /// A merge request was opened or reopened, or got commits that were not pushed with `ci.no_pipeline`.
    fn merge_request_changed(&self, shared: &Shared, project: u64, iid: u64, user: u64);

    /// The pipeline that merge request holds as its newest, whatever commit it ran on.
    fn head_pipeline(&self, state: &State, merge_request: &MergeRequest) -> Option<PipelineView>;

    /// The newest pipeline of a commit.
    fn last_pipeline(&self, state: &State, project: u64, sha: &str) -> Option<PipelineView>;
}
