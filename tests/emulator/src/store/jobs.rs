//! Jobs: those that runners execute, bridges to other pipelines, and the statuses that other systems report.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::State;
use super::pipelines::GivenVariable;
use crate::ci::definition::{Bridge, Build, JobDefinition, JobKind};
use crate::engine::status::Status;

/// What a job is.
#[derive(Debug, Clone)]
pub enum Work {
    /// From the configuration: for a runner or a bridge.
    Defined(Box<JobDefinition>),
    /// A commit status.
    External(External),
}

/// What another system told about a commit status.
#[derive(Debug, Clone, Default)]
pub struct External {
    pub target_url: Option<String>,
    pub description: Option<String>,
}

/// A file of a job: its archive, or a report.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// `archive`, `metadata`, `trace`, `dotenv`, `junit`, ...
    pub file_type: String,
    pub file_name: String,
    /// `zip`, `gzip` or `raw`.
    pub file_format: String,
    pub content: Bytes,
}

/// A job in the hands of a runner, now or once.
#[derive(Debug, Clone)]
pub struct Taken {
    pub runner_id: u64,
    pub manager_id: Option<u64>,
    /// What the runner proves with that the job is its own; it is good for more than the API's job token, and longer.
    pub token: String,
    /// The runner can stop a script and still run `after_script`.
    pub cancel_gracefully: bool,
    /// How long it may take.
    pub timeout_seconds: u64,
    /// When the runner last spoke of the job.
    pub heard_at: Timestamp,
    /// How many bytes of the trace have come.
    pub trace_bytes: usize,
    /// The beginning of a character whose rest has not come yet.
    pub trace_rest: Vec<u8>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: u64,
    pub project_id: u64,
    pub pipeline_id: u64,
    pub name: String,
    pub stage: String,
    pub stage_index: usize,
    pub status: Status,
    /// Also set when the job ended with an exit code that is allowed.
    pub allow_failure: bool,
    pub work: Work,
    /// Who caused it: who started the pipeline, or who played or retried the job.
    pub user_id: u64,
    /// Another job of the same name came later.
    pub retried: bool,
    /// A retried manual job starts without being played again.
    pub enqueue_immediately: bool,
    pub resource_group_id: Option<u64>,
    /// What `job_variables_attributes` gave.
    pub variables: Vec<GivenVariable>,
    /// Values for the job's inputs, given by whoever played or retried it.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    pub created_at: Timestamp,
    pub queued_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub erased_at: Option<Timestamp>,
    /// When a delayed job starts.
    pub scheduled_at: Option<Timestamp>,
    pub failure_reason: Option<String>,
    pub exit_code: Option<i32>,
    pub coverage: Option<f64>,
    /// What the runner collected, unpacked: path inside the archive and content.
    pub files: Vec<ArchivedFile>,
    pub artifacts: Vec<Artifact>,
    pub artifacts_expire_at: Option<Timestamp>,
    pub dotenv: Vec<(String, String)>,
    pub trace: String,
    /// The pipeline a bridge made.
    pub downstream_pipeline_id: Option<u64>,
    pub auto_canceled_by_id: Option<u64>,
    /// The runner that has or had it.
    pub taken: Option<Taken>,
}

/// One file of an artifacts archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFile {
    pub path: String,
    pub executable: bool,
    pub content: Bytes,
}

impl Job {
    /// A job that is not of any pipeline yet.
    pub(crate) fn blank(now: Timestamp) -> Self {
        Self {
            id: 0,
            project_id: 0,
            pipeline_id: 0,
            name: String::new(),
            stage: String::new(),
            stage_index: 0,
            status: Status::Created,
            allow_failure: false,
            work: Work::External(External::default()),
            user_id: 0,
            retried: false,
            enqueue_immediately: false,
            resource_group_id: None,
            variables: Vec::new(),
            inputs: serde_json::Map::new(),
            created_at: now,
            queued_at: None,
            started_at: None,
            finished_at: None,
            erased_at: None,
            scheduled_at: None,
            failure_reason: None,
            exit_code: None,
            coverage: None,
            files: Vec::new(),
            artifacts: Vec::new(),
            artifacts_expire_at: None,
            dotenv: Vec::new(),
            trace: String::new(),
            downstream_pipeline_id: None,
            auto_canceled_by_id: None,
            taken: None,
        }
    }

    /// What the configuration says, unless the job is a commit status.
    pub fn definition(&self) -> Option<&JobDefinition> {
        match &self.work {
            Work::Defined(definition) => Some(definition),
            Work::External(_) => None,
        }
    }

    /// What a runner executes.
    pub fn build(&self) -> Option<&Build> {
        match &self.definition()?.kind {
            JobKind::Build(build) => Some(build),
            JobKind::Bridge(_) => None,
        }
    }

    /// What a bridge triggers.
    pub fn bridge(&self) -> Option<&Bridge> {
        match &self.definition()?.kind {
            JobKind::Bridge(bridge) => Some(bridge),
            JobKind::Build(_) => None,
        }
    }

    /// Is it for a runner?
    pub fn is_build(&self) -> bool {
        self.build().is_some()
    }

    /// Is it `interruptible: true`?
    pub fn is_interruptible(&self) -> bool {
        self.definition()
            .is_some_and(|definition| definition.interruptible)
    }
}

impl State {
    /// The jobs of a pipeline, retried ones too, oldest first.
    pub fn jobs_of(&self, pipeline: u64) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs
            .iter()
            .filter(move |job| job.pipeline_id == pipeline)
    }

    /// Is the job too old to be run again?
    pub fn is_archived(&self, job: &Job, now: Timestamp) -> bool {
        let pipeline = self.pipelines.get(job.pipeline_id);
        self.limits
            .archive_jobs_after
            .zip(pipeline)
            .is_some_and(|(limit, pipeline)| {
                now.duration_since(pipeline.created_at) > SignedDuration::from_secs(limit)
            })
    }

    /// The jobs of a pipeline that count: the newest of each name.
    pub fn current_jobs_of(&self, pipeline: u64) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs_of(pipeline).filter(|job| !job.retried)
    }
}
