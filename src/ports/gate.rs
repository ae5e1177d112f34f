//! The gate's own work: its workers, and the traces that GitLab keeps of what they did.

use jiff::Timestamp;

use super::{Answer, MergeRequest};
use crate::domain::ids::{BranchName, CommitSha, JobId, PipelineId};
use crate::domain::nrt::Holder;
use crate::domain::validation::Partly;

/// The workers of the NRT environment.
pub trait Workers {
    /// Starts one; it finds out by itself what there is to do. The number is a hint, not a claim.
    fn wake(&self, merge_request: Option<u64>) -> Answer<()>;
    /// Ends the run that holds, or held, the environment, as a person would by cancelling its pipeline; one that is over stays
    /// as it is.
    fn stop(&self, holder: &Holder) -> Answer<()>;
    /// Whether one is on its way already.
    fn one_is_coming(&self) -> Answer<bool>;
    /// Lets a manual job of ours go on.
    fn play(&self, job: JobId) -> Answer<()>;
}

/// A merge request that the gate's own user merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedByGate {
    /// Which one.
    pub merge_request: MergeRequest,
    /// The commit that brought it.
    pub landed: CommitSha,
    /// When.
    pub at: Timestamp,
}

/// A job that waits for the resource group of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingJob {
    /// Which one.
    pub job: JobId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// When it was created.
    pub since: Timestamp,
}

/// What GitLab keeps of the gate's work, for whoever cannot trust the log.
pub trait Traces {
    /// Merge requests of a branch that the gate's own user merged, those first that changed last; at most some hundreds.
    fn merged_by_gate(&self, branch: &BranchName) -> Answer<Partly<MergedByGate>>;
    /// How many of the project's tags are numbers of versions.
    fn numbered_tags(&self, prefix: &str) -> Answer<u64>;
    /// The pipelines of workers of this environment that run now.
    fn running_workers(&self) -> Answer<Vec<PipelineId>>;
    /// Jobs that are ready and wait for the resource group, the next one first.
    fn waiting_at_the_gate(&self) -> Answer<Vec<WaitingJob>>;
}
