//! Commit statuses: the state machine of jobs that other systems report.

use jiff::Timestamp;

use super::create::draft_external;
use super::status::Status;
use super::transition::{drop_job, move_job};
use super::{merge_requests, permissions};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::{External, Job, Work};
use crate::store::pipelines::Pipeline;

/// External jobs come after all others.
const STAGE_INDEX: usize = 1_000_000;

/// How it goes elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    Pending,
    Running,
    Success,
    Failed,
    Canceled,
    Skipped,
}

impl Reported {
    /// From the name of the API.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "pending" => Self::Pending,
            "running" => Self::Running,
            "success" => Self::Success,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "skipped" => Self::Skipped,
            _ => return None,
        })
    }
}

/// What another system reports.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) project: u64,
    pub(crate) user: u64,
    pub(crate) sha: String,
    pub(crate) git_ref: Option<String>,
    pub(crate) pipeline: Option<u64>,
    pub(crate) name: String,
    pub(crate) status: Reported,
    pub(crate) target_url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) coverage: Option<f64>,
}

/// Why a report is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotFound(&'static str),
    Forbidden,
    Transition(String),
}

/// Takes a report in; the answer is its job. Call it without holding the state.
pub(crate) fn report(shared: &Shared, report: Report) -> Result<u64, Refusal> {
    let repository = shared.repository(report.project);
    let commit = repository.commit(&report.sha).ok().flatten();
    let commit = commit.ok_or(Refusal::NotFound("Commit"))?;
    let branches = repository.branches().unwrap_or_default();
    let contains = |branch: &&(String, String)| {
        repository
            .is_ancestor(&commit.id, &branch.1)
            .unwrap_or(false)
    };
    let branch = branches.iter().find(contains).map(|(name, _)| name.clone());
    let now = shared.clock.now();
    let mut state = shared.state();
    let matching = matching_pipeline(&state, &report, &commit.id);
    let git_ref = report
        .git_ref
        .clone()
        .or_else(|| matching.and_then(|id| Some(state.pipelines.get(id)?.git_ref.clone())))
        .or(branch)
        .ok_or(Refusal::NotFound("References for commit"))?;
    if report.pipeline.is_some() && matching.is_none() {
        return Err(Refusal::NotFound("Pipeline for pipeline_id, sha and ref"));
    }
    let tag = matching.is_some_and(|id| state.pipelines.get(id).is_some_and(|row| row.tag));
    if !permissions::may_use_ref(&state, report.user, report.project, &git_ref, tag) {
        return Err(Refusal::Forbidden);
    }
    let pipeline = match matching {
        Some(id) => id,
        None => {
            let draft = draft_external(shared.version, &mut state, &report, git_ref, commit, now);
            let id = state.pipelines.insert(|id| Pipeline { id, ..draft });
            merge_requests::update_heads(&mut state, id);
            id
        }
    };
    let id = find_or_add(&mut state, pipeline, &report, now);
    step(&mut state, id, report.status, now)?;
    state.touched_pipelines.insert(pipeline);
    Ok(id)
}

fn matching_pipeline(state: &State, report: &Report, sha: &str) -> Option<u64> {
    let found = state.pipelines_of(report.project).rev().find(|pipeline| {
        pipeline.sha == sha
            && !pipeline.is_child()
            && report
                .git_ref
                .as_ref()
                .is_none_or(|wanted| *wanted == pipeline.git_ref)
            && report.pipeline.is_none_or(|wanted| wanted == pipeline.id)
    })?;
    Some(found.id)
}

/// The user's status of that name while it is pending or running, or else a new one.
fn find_or_add(state: &mut State, pipeline: u64, report: &Report, now: Timestamp) -> u64 {
    let open = state.current_jobs_of(pipeline).find(|job| {
        matches!(job.work, Work::External(_))
            && job.name == report.name
            && job.user_id == report.user
            && matches!(job.status, Status::Pending | Status::Running)
    });
    let id = match open {
        Some(job) => job.id,
        None => {
            for older in state.jobs.iter_mut() {
                if older.pipeline_id == pipeline && older.name == report.name {
                    older.retried = true;
                }
            }
            state.jobs.insert(|id| Job {
                id,
                project_id: report.project,
                pipeline_id: pipeline,
                name: report.name.clone(),
                stage: "external".to_owned(),
                stage_index: STAGE_INDEX,
                user_id: report.user,
                ..Job::blank(now)
            })
        }
    };
    if let Some(job) = state.jobs.get_mut(id) {
        if let Work::External(External {
            target_url,
            description,
        }) = &mut job.work
        {
            *target_url = report.target_url.clone().or(target_url.take());
            *description = report.description.clone().or(description.take());
        }
        job.coverage = report.coverage.or(job.coverage);
    }
    id
}

/// One step of the state machine, with GitLab's words for one that does not exist.
fn step(state: &mut State, id: u64, wanted: Reported, now: Timestamp) -> Result<(), Refusal> {
    let Some(from) = state.jobs.get(id).map(|job| job.status) else {
        return Ok(());
    };
    let only_from = |event: &str, allowed: &[Status]| {
        if allowed.contains(&from) {
            return Ok(());
        }
        Err(Refusal::Transition(format!(
            "Cannot transition status via :{event} from :{} (Reason(s): Status cannot transition via \"{event}\")",
            from.as_str()
        )))
    };
    match wanted {
        Reported::Pending => {
            only_from("enqueue", &[Status::Created])?;
            move_job(state, id, Status::Pending, now);
        }
        Reported::Running => {
            only_from("run", &[Status::Created, Status::Pending])?;
            move_job(state, id, Status::Pending, now);
            move_job(state, id, Status::Running, now);
        }
        Reported::Skipped => {
            only_from("skip", &[Status::Created, Status::Pending])?;
            move_job(state, id, Status::Skipped, now);
        }
        Reported::Success => move_job(state, id, Status::Success, now),
        Reported::Canceled => move_job(state, id, Status::Canceled, now),
        Reported::Failed => drop_job(state, id, "api_failure", now),
    }
    Ok(())
}
