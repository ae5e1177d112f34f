//! Jobs of a project, what can be done to them, and the job whose token is used.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{ci_access, ci_params, job_entity};
use crate::access::Role;
use crate::ctx::Ctx;
use crate::engine::{self, deployments, job_inputs, permissions, play, retry};
use crate::errors::ApiError;
use crate::message::Response;
use crate::pagination;
use crate::router::{Answer, Guard, Route, any, boolean, get, hash, hashes, one_of, post, string};
use crate::store::State;
use crate::store::jobs::Job;

const READER: Guard = Guard::SignedInReader;
const DEVELOPER: Guard = Guard::Project(Role::Developer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/jobs", READER, index)
        .params(&[
            any("scope"),
            one_of("order_by", &["id"]),
            one_of("sort", &["asc", "desc"]),
            string("id_after"),
        ])
        .keyset(),
    get("projects/:id/jobs/:job_id", READER, show),
    get("projects/:id/jobs/:job_id/trace", READER, trace),
    post("projects/:id/jobs/:job_id/play", READER, press_play).params(&[
        hashes("job_variables_attributes", &["key", "value"]),
        hash("job_inputs", &[]),
    ]),
    post("projects/:id/jobs/:job_id/retry", READER, run_again).params(&[hash("job_inputs", &[])]),
    post("projects/:id/jobs/:job_id/cancel", READER, cancel).params(&[boolean("force")]),
    post("projects/:id/jobs/:job_id/erase", DEVELOPER, erase),
    get("job", Guard::User, own).job_token(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let scope = ci_params::scope(ctx)?;
    let state = ctx.state();
    let around = around(ctx, &state);
    let found = state.jobs.iter().rev().filter(|job| {
        job.project_id == ctx.project()
            && job.is_build()
            && (scope.is_empty() || scope.contains(&job.status))
    });
    let render = |job: &Job| job_entity::build(around, job);
    if ctx.string("pagination") == Some("keyset") {
        return pagination::keyset(ctx, found, |job| job.id, render);
    }
    Ok(without_totals(ctx.page(found, render)?))
}

/// GitLab does not count this list.
fn without_totals(mut response: Response) -> Response {
    response
        .headers
        .retain(|(name, _)| *name != "x-total" && *name != "x-total-pages");
    for (name, value) in &mut response.headers {
        if *name == "link" {
            let kept: Vec<&str> = value
                .split(", ")
                .filter(|link| !link.ends_with("rel=\"last\""))
                .collect();
            *value = kept.join(", ");
        }
    }
    response
}

/// The address of the web interface.
pub(super) const PAGES: &[Route] = &[get("jobs/:job_id/raw", READER, trace)];

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    answer(ctx, id, 200, job_entity::build)
}

fn trace(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let state = ctx.state();
    let job = state.jobs.get(id).filter(|job| job.is_build());
    let job = job.ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::bytes(200, "text/plain", job.trace.clone()).with(
        "content-disposition",
        format!("infile; filename=\"{id}.log\""),
    ))
}

fn press_play(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    let user = ctx.user()?;
    let variables = ci_params::variable_list(ctx.value("job_variables_attributes"))?;
    let playable = ctx.state().jobs.get(id).is_some_and(play::is_playable);
    if !playable {
        return Err(ApiError::bad_request("Unplayable Job"));
    }
    let outdated = {
        let state = ctx.state();
        let job = state.jobs.get(id);
        job.is_some_and(|job| deployments::is_outdated(&state, job))
    };
    if outdated {
        return Err(ApiError::forbidden());
    }
    let project = ctx.project();
    if !variables.is_empty() && !permissions::may_set_variables(&ctx.state(), user, project) {
        return Err(ApiError::forbidden());
    }
    let inputs = given_inputs(ctx, id)?;
    let played = {
        let mut state = ctx.state();
        let played = play::play(&mut state, id, user, variables, ctx.now());
        if let Some(played) = played {
            job_inputs::give(&mut state, played, inputs);
        }
        played
    };
    engine::settle(ctx.shared);
    let id = played.ok_or_else(|| ApiError::bad_request("Unplayable Job"))?;
    answer(ctx, id, 200, job_entity::any)
}

fn run_again(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    let user = ctx.user()?;
    let retryable = ctx.state().jobs.get(id).is_some_and(retry::is_retryable);
    let refused = || ApiError::forbidden_because("Job is not retryable");
    if !retryable {
        return Err(refused());
    }
    let inputs = given_inputs(ctx, id)?;
    let new = {
        let mut state = ctx.state();
        let new = retry::retry_job(&mut state, id, user, ctx.now());
        if let Some(new) = new {
            job_inputs::give(&mut state, new, inputs);
        }
        new
    };
    engine::settle(ctx.shared);
    answer(ctx, new.ok_or_else(refused)?, 201, job_entity::any)
}

/// `job_inputs[name]=value`, which must fit the inputs that the job defines.
fn given_inputs(ctx: &Ctx<'_>, id: u64) -> Result<Map<String, Value>, ApiError> {
    let given = ctx.value("job_inputs").and_then(Value::as_object);
    let given = given.cloned().unwrap_or_default();
    let faults = match ctx.state().jobs.get(id) {
        Some(job) if !given.is_empty() => job_inputs::faults(job, &given),
        Some(_) | None => Vec::new(),
    };
    if faults.is_empty() {
        Ok(given)
    } else {
        Err(ApiError::bad_request(&faults.join(", ")))
    }
}

fn cancel(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    if !ctx.state().jobs.get(id).is_some_and(Job::is_build) {
        return Err(ApiError::not_found_plain());
    }
    if ctx.boolean("force") == Some(true) {
        ctx.require(Role::Maintainer)?;
        engine::cancel::force_cancel_job(&mut ctx.state(), id, ctx.now());
    } else {
        engine::cancel::cancel_job(&mut ctx.state(), id, ctx.now());
    }
    engine::settle(ctx.shared);
    answer(ctx, id, 201, job_entity::build)
}

fn erase(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    let now = ctx.now();
    {
        let mut state = ctx.state();
        let job = state.jobs.get_mut(id).filter(|job| job.is_build());
        let job = job.ok_or_else(ApiError::not_found_plain)?;
        let something = !job.artifacts.is_empty() || !job.trace.is_empty();
        if !job.status.is_complete() || job.erased_at.is_some() || !something {
            return Err(ApiError::forbidden_because("Job is not erasable!"));
        }
        job.artifacts.clear();
        job.files.clear();
        job.trace.clear();
        job.erased_at = Some(now);
    }
    answer(ctx, id, 201, job_entity::build)
}

fn own(ctx: &Ctx<'_>) -> Answer {
    let job = ctx.caller.job();
    let id = job.ok_or_else(|| ApiError::not_found("Job"))?.job_id;
    answer(ctx, id, 200, job_entity::build)
}

/// The job or bridge of the path, brought up to date with the clock.
fn find(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let id = ctx.path_number("job_id")?;
    let state = ctx.state();
    let found = state.jobs.get(id);
    found
        .filter(|job| job.project_id == ctx.project() && job.definition().is_some())
        .map(|job| job.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn find_for_update(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    let id = find(ctx)?;
    let user = ctx.user()?;
    let state = ctx.state();
    let pipeline = state
        .jobs
        .get(id)
        .and_then(|job| state.pipelines.get(job.pipeline_id));
    let archived = found_archived(&state, id, ctx.now());
    if !archived && pipeline.is_some_and(|row| permissions::may_update(&state, user, row)) {
        Ok(id)
    } else {
        Err(ApiError::forbidden())
    }
}

fn found_archived(state: &State, id: u64, now: Timestamp) -> bool {
    let job = state.jobs.get(id);
    job.is_some_and(|job| state.is_archived(job, now))
}

fn around<'a>(ctx: &Ctx<'a>, state: &'a crate::store::State) -> job_entity::Surroundings<'a> {
    job_entity::Surroundings {
        state,
        url: ctx.url(),
        now: ctx.now(),
    }
}

fn answer(
    ctx: &Ctx<'_>,
    id: u64,
    status: u16,
    render: fn(job_entity::Surroundings<'_>, &Job) -> Value,
) -> Answer {
    let state = ctx.state();
    let job = state.jobs.get(id).ok_or_else(ApiError::not_found_plain)?;
    let around = job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    Ok(Response::json(status, &render(around, job)))
}
