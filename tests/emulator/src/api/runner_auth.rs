//! How runners prove who they are: by their own token, or by that of the job they have.

use jiff::Timestamp;

use crate::ctx::Ctx;
use crate::engine::status::Status;
use crate::errors::ApiError;
use crate::message::Response;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::runners::RunnerManager;

/// The system of a runner program from before they had names.
const LEGACY: &str = "<legacy>";

/// The runner of the parameter `token`.
pub(super) fn runner(ctx: &Ctx<'_>, state: &mut State) -> Result<u64, ApiError> {
    let token = ctx.string("token").unwrap_or_default();
    let id = state.runner_by_token(token).map(|runner| runner.id);
    let id = id.ok_or_else(ApiError::forbidden)?;
    let now = ctx.now();
    if let Some(runner) = state.runners.get_mut(id) {
        runner.contacted_at = Some(now);
    }
    Ok(id)
}

/// The machine that speaks for a runner, known from now on.
pub(super) fn manager(ctx: &Ctx<'_>, state: &mut State, runner: u64) -> u64 {
    let now = ctx.now();
    let system = ctx.string("system_id").unwrap_or(LEGACY).to_owned();
    let known = state
        .managers_of(runner)
        .find(|manager| manager.system_id == system)
        .map(|manager| manager.id);
    let id = known.unwrap_or_else(|| {
        state.runner_managers.insert(|id| RunnerManager {
            id,
            runner_id: runner,
            system_id: system,
            name: None,
            version: None,
            revision: None,
            platform: None,
            architecture: None,
            executor: None,
            created_at: now,
            contacted_at: None,
        })
    });
    if let Some(manager) = state.runner_managers.get_mut(id) {
        let told = |key: &str, known: &mut Option<String>| {
            if let Some(text) = ctx.hash_string("info", key) {
                *known = Some(text.to_owned());
            }
        };
        told("name", &mut manager.name);
        told("version", &mut manager.version);
        told("revision", &mut manager.revision);
        told("platform", &mut manager.platform);
        told("architecture", &mut manager.architecture);
        told("executor", &mut manager.executor);
        manager.contacted_at = Some(now);
    }
    id
}

/// The token of a job, from the parameter or the header.
pub(super) fn job_token<'a>(ctx: &'a Ctx<'_>) -> &'a str {
    ctx.string("token")
        .or_else(|| ctx.request.header("job-token"))
        .unwrap_or_default()
}

/// Why a runner may do nothing more with a job.
pub(super) enum Refused {
    /// Not its job at all.
    Stranger,
    /// The job is over; the runner is told how.
    Over(Status),
    Erased,
}

impl Refused {
    /// The answer, with the status of the job for a runner that must stop.
    pub(super) fn answer(&self) -> Response {
        match self {
            Self::Stranger => ApiError::forbidden().into_response(),
            Self::Erased => ApiError::forbidden_because("Job has been erased!").into_response(),
            Self::Over(status) => ApiError::forbidden_because("Job is not processing on runner")
                .into_response()
                .with("job-status", status.as_str()),
        }
    }
}

/// The job of the path, for the runner that has it.
pub(super) fn own_job(ctx: &Ctx<'_>, state: &mut State, now: Timestamp) -> Result<u64, Refused> {
    let id: u64 = ctx.path("id").parse().map_err(|_error| Refused::Stranger)?;
    let job = state.jobs.get_mut(id).ok_or(Refused::Stranger)?;
    if !is_own(job, job_token(ctx)) {
        return Err(Refused::Stranger);
    }
    if job.erased_at.is_some() {
        return Err(Refused::Erased);
    }
    if !matches!(job.status, Status::Running | Status::Canceling) {
        return Err(Refused::Over(job.status));
    }
    let runner = job.taken.as_mut().map(|taken| {
        taken.heard_at = now;
        taken.runner_id
    });
    if let Some(runner) = runner.and_then(|runner| state.runners.get_mut(runner)) {
        runner.contacted_at = Some(now);
    }
    Ok(id)
}

/// Does the token belong to this very job?
pub(super) fn is_own(job: &Job, token: &str) -> bool {
    let taken = job.taken.as_ref();
    !token.is_empty() && taken.is_some_and(|taken| taken.token == token)
}
