//! What GitLab recorded of pipelines, jobs and people: the evidence that the gate judges by.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Answer, MergeRequestOnBoard, OwnNotes};
use crate::domain::ids::{CommitSha, JobId, PipelineId, RoleName, UserName};
use crate::domain::integration::Request;
use crate::domain::naming::Suite;
use crate::domain::nrt::{Holder, Liveness};
use crate::domain::validation::{Comment, Members, Play, Player};

/// The job of a merge request pipeline by which integration is asked for.
pub const INTEGRATE_JOB: &str = "integrate";

/// One job of a pipeline, as far as the gate looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// GitLab's word, lower case.
    pub status: String,
    /// Whether its failure does not matter.
    pub may_fail: bool,
    /// Why it failed, in GitLab's word.
    pub failure: Option<String>,
}

/// One pipeline of a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRecord {
    /// Its number.
    pub id: PipelineId,
    /// The commit it ran on.
    pub commit: CommitSha,
    /// When it was created.
    pub created: Timestamp,
    /// Its jobs, the newest of each name.
    pub jobs: Vec<JobRecord>,
    /// The successful run of the job that asks for integration.
    pub request: Option<Request>,
}

/// What GitLab keeps beyond what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Older pipelines of the merge request.
    Pipelines,
    /// Older manual jobs of a pipeline.
    PlayedJobs(PipelineId),
}

/// What GitLab recorded about a merge request beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The merge request itself, with our notes on it.
    pub found: Option<MergeRequestOnBoard>,
    /// Our own notes on it.
    pub notes: OwnNotes,
    /// What people wrote on it last, where everybody who sees it may read.
    pub comments: Vec<Comment>,
    /// Runs of validation jobs, in any order; their users have to be asked for.
    pub plays: Vec<Play>,
    /// Jobs that were played and whose name is nearly that of a validation job.
    pub misnamed: Vec<(JobId, String)>,
    /// The user behind the token that asked.
    pub own: Option<UserName>,
    /// Pipelines, newest first.
    pub pipelines: Vec<PipelineRecord>,
    /// What there is beyond all that.
    pub unseen: Vec<Unseen>,
}

/// Records that GitLab keeps of jobs and people.
pub trait Records {
    /// The pipelines of a merge request.
    fn evidence(&self, iid: u64) -> Answer<Evidence>;
    /// Who played each of these jobs; nobody is told for an account that was deleted.
    fn players(&self, plays: &[Play]) -> Answer<BTreeMap<JobId, Player>>;
    /// Who started, or played, the job that is running now, according to GitLab.
    fn player(&self) -> Answer<Player>;
    /// The user of the token that this command was given; outside of a job, whoever gives it.
    fn token_user(&self) -> Answer<Player>;
    /// The jobs of a pipeline.
    fn jobs(&self, pipeline: u64) -> Answer<Vec<JobRecord>>;
    /// The pipeline that a pipeline started last.
    fn started_by(&self, pipeline: PipelineId) -> Answer<Option<PipelineId>>;
    /// The test cases that failed in a pipeline, as the reports of its jobs tell them.
    fn failed_cases(&self, pipeline: PipelineId) -> Answer<Vec<Suite>>;
    /// Whether a job has ended, or is gone.
    fn is_over(&self, job: JobId) -> Answer<bool>;
    /// Whether the run that holds the environment still runs.
    fn liveness(&self, holder: &Holder) -> Answer<Liveness>;
}

/// People.
pub trait People {
    /// Everybody who belongs to each role.
    fn holders(
        &self,
        roles: &[(RoleName, &Members)],
    ) -> Answer<BTreeMap<RoleName, BTreeSet<UserName>>>;
}
