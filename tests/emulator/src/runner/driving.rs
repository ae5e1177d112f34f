//! How programs and tests drive the runner, and what they may ask about pipelines and jobs without HTTP.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::claim::{claim, claim_for};
use super::embedded;
use super::execute::execute;
use crate::archive;
use crate::emulator::Emulator;
use crate::engine::{self, status::Status};
use crate::store::State;
use crate::store::jobs::Job;

/// How long an idle runner waits before it looks again.
const IDLE: Duration = Duration::from_millis(25);

/// A job as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    pub id: u64,
    pub name: String,
    pub stage: String,
    pub status: Status,
    pub pipeline_id: u64,
    /// `group/project`.
    pub project: String,
    /// The name of the user who caused it.
    pub user: String,
    pub tags: Vec<String>,
    pub allow_failure: bool,
    /// Another job of the same name came later.
    pub retried: bool,
    /// Makes another pipeline instead of running a script.
    pub is_bridge: bool,
    pub downstream_pipeline_id: Option<u64>,
}

impl JobInfo {
    pub(super) fn of(state: &State, job: &Job) -> Self {
        let project = state.projects.get(job.project_id);
        let user = state.users.get(job.user_id);
        let tags = job.definition().map(|definition| definition.tags.clone());
        Self {
            id: job.id,
            name: job.name.clone(),
            stage: job.stage.clone(),
            status: job.status,
            pipeline_id: job.pipeline_id,
            project: project
                .map(|project| state.project_path(project))
                .unwrap_or_default(),
            user: user.map(|user| user.username.clone()).unwrap_or_default(),
            tags: tags.unwrap_or_default(),
            allow_failure: job.allow_failure,
            retried: job.retried,
            is_bridge: job.bridge().is_some(),
            downstream_pipeline_id: job.downstream_pipeline_id,
        }
    }
}

/// A pipeline as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineInfo {
    pub id: u64,
    pub iid: u64,
    pub sha: String,
    /// A branch, a tag, or `refs/merge-requests/:iid/head`.
    pub git_ref: String,
    /// Such as `push`.
    pub source: &'static str,
    pub status: Status,
    pub user: String,
}

/// A job that a runner has executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedJob {
    pub id: u64,
    pub name: String,
    pub pipeline_id: u64,
    /// `group/project`.
    pub project: String,
    pub status: Status,
    pub exit_code: Option<i32>,
    pub failure_reason: Option<String>,
    pub trace: String,
    /// The name of the user who caused it.
    pub user: String,
}

impl Emulator {
    /// The jobs that wait for a runner, oldest first.
    pub fn pending_jobs(&self) -> Vec<JobInfo> {
        engine::settle(&self.shared);
        let state = self.shared.state();
        state
            .jobs
            .iter()
            .filter(|job| job.status == Status::Pending && job.is_build())
            .map(|job| JobInfo::of(&state, job))
            .collect()
    }

    /// Executes the oldest pending job that fits, in this thread and to its end.
    pub fn run_next_job(&self, fits: impl Fn(&JobInfo) -> bool) -> Option<FinishedJob> {
        let assignment = claim(&self.shared, fits)?;
        execute(&self.shared, &assignment);
        let (id, name, pipeline_id) = (
            assignment.job_id,
            assignment.job_name.clone(),
            assignment.pipeline_id,
        );
        let state = self.shared.state();
        let Some(job) = state.jobs.get(id) else {
            // Its pipeline was deleted meanwhile.
            return Some(FinishedJob {
                id,
                name,
                pipeline_id,
                project: String::new(),
                status: Status::Canceled,
                exit_code: None,
                failure_reason: None,
                trace: String::new(),
                user: String::new(),
            });
        };
        let info = JobInfo::of(&state, job);
        Some(FinishedJob {
            id,
            name,
            pipeline_id,
            project: info.project,
            status: job.status,
            exit_code: if job.status == Status::Success {
                Some(0)
            } else {
                job.exit_code
            },
            failure_reason: job.failure_reason.clone(),
            trace: job.trace.clone(),
            user: info.user,
        })
    }

    /// Starts runners in the background that take jobs whose tags they all have; they end with the emulator.
    pub fn start_runner(&self, concurrency: usize, tags: &[&str]) {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let now = self.shared.clock.now();
        let id = embedded::ensure(&mut self.shared.state(), &tags, now);
        for _ in 0..concurrency {
            let shared = Arc::clone(&self.shared);
            let runner = thread::spawn(move || {
                while !shared.runs.is_stopped() {
                    match claim_for(&shared, id) {
                        Some(assignment) => execute(&shared, &assignment),
                        None => shared.runs.wait(IDLE),
                    }
                }
            });
            self.keep_thread(runner);
        }
    }

    /// The pipelines of a project, children too, oldest first.
    pub fn pipelines(&self, project: u64) -> Vec<PipelineInfo> {
        engine::settle(&self.shared);
        let state = self.shared.state();
        let user = |id: u64| state.users.get(id).map(|user| user.username.clone());
        state
            .pipelines_of(project)
            .map(|pipeline| PipelineInfo {
                id: pipeline.id,
                iid: pipeline.iid,
                sha: pipeline.sha.clone(),
                git_ref: pipeline.git_ref.clone(),
                source: pipeline.source.as_str(),
                status: pipeline.status,
                user: user(pipeline.user_id).unwrap_or_default(),
            })
            .collect()
    }

    /// The jobs and bridges of a pipeline, retried ones too, oldest first.
    pub fn jobs(&self, pipeline: u64) -> Vec<JobInfo> {
        engine::settle(&self.shared);
        let state = self.shared.state();
        state
            .jobs_of(pipeline)
            .map(|job| JobInfo::of(&state, job))
            .collect()
    }

    /// A report of a job, such as `junit` or `annotations`: its files one after the other, unpacked.
    pub fn job_report(&self, job: u64, kind: &str) -> Option<Vec<u8>> {
        let state = self.shared.state();
        let mut reports = state.jobs.get(job)?.artifacts.iter();
        let report = reports.find(|report| report.file_type == kind)?;
        if report.file_format != "gzip" {
            return Some(report.content.to_vec());
        }
        archive::gunzip(&report.content).ok()
    }

    /// A file of a job's artifacts.
    pub fn job_artifact(&self, job: u64, path: &str) -> Option<Vec<u8>> {
        let state = self.shared.state();
        let files = &state.jobs.get(job)?.files;
        let file = files.iter().find(|file| file.path == path)?;
        Some(file.content.to_vec())
    }
}
