//! What a runner's program does for itself: register, check its token, change it, and leave.

use super::{runner_auth, runner_entity, runner_settings};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, hash, post, string};
use crate::secret;
use crate::store::runners::{Registration, Runner, RunnerScope};

const TOKEN: &[Param] = &[string("token").required()];
const MACHINE: &[Param] = &[string("system_id"), hash("info", &[])];

pub(super) const ROUTES: &[Route] = &[
    post("runners", Guard::Open, register)
        .params(TOKEN)
        .also(runner_settings::PARAMS)
        .and(&[string("maintainer_note"), hash("info", &[])]),
    delete("runners", Guard::Open, leave).params(TOKEN),
    delete("runners/managers", Guard::Open, leave_machine)
        .params(TOKEN)
        .also(&[string("system_id").required()]),
    post("runners/verify", Guard::Open, verify)
        .params(TOKEN)
        .also(MACHINE),
    post(
        "runners/reset_authentication_token",
        Guard::Open,
        reset_token,
    )
    .params(TOKEN)
    .also(MACHINE),
];

fn register(ctx: &Ctx<'_>) -> Answer {
    runner_settings::check_exclusive(ctx)?;
    let now = ctx.now();
    let mut state = ctx.state();
    // The instance's own token exists from the beginning.
    state.registration_token(Registration::Instance);
    let token = ctx.string("token").unwrap_or_default();
    let scope = match state.registration_of(token) {
        Some(Registration::Instance) => RunnerScope::Instance,
        Some(Registration::Group(group)) => RunnerScope::Group(group),
        Some(Registration::Project(project)) => RunnerScope::Projects(vec![project]),
        None => return Err(ApiError::forbidden_because("invalid token supplied")),
    };
    let mut runner = Runner {
        token: secret::fresh(""),
        // A project's runner belongs to it alone until somebody says otherwise.
        locked: matches!(scope, RunnerScope::Projects(_)),
        ..Runner::new(0, scope, now)
    };
    runner_settings::apply(ctx, &mut runner)?.check()?;
    if runner.maintenance_note.is_none() {
        runner.maintenance_note = ctx.string("maintainer_note").map(str::to_owned);
    }
    let id = state.runners.insert(|id| Runner { id, ..runner });
    let runner = state.runners.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&runner_entity::registration(runner)))
}

fn leave(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let runner = runner_auth::runner(ctx, &mut state)?;
    state.remove_runner(runner);
    Ok(Response::no_content())
}

fn leave_machine(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let runner = runner_auth::runner(ctx, &mut state)?;
    let system = ctx.string("system_id").unwrap_or_default();
    let manager = state
        .managers_of(runner)
        .find(|manager| manager.system_id == system)
        .map(|manager| manager.id);
    let manager = manager.ok_or_else(|| {
        ApiError::not_found("Runner manager not found or does not belong to runner")
    })?;
    state.runner_managers.remove(manager);
    Ok(Response::no_content())
}

fn verify(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = runner_auth::runner(ctx, &mut state)?;
    runner_auth::manager(ctx, &mut state, id);
    let runner = state.runners.get(id).ok_or_else(ApiError::forbidden)?;
    Ok(Response::ok(&runner_entity::registration(runner)))
}

fn reset_token(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = runner_auth::runner(ctx, &mut state)?;
    let runner = state.runners.get_mut(id).ok_or_else(ApiError::forbidden)?;
    renew(runner);
    Ok(Response::created(&runner_entity::fresh_token(
        &runner.token,
    )))
}

/// Another token of the same kind.
pub(super) fn renew(runner: &mut Runner) {
    let kept = match runner.token.split_once('_') {
        Some((prefix, _)) => format!("{prefix}_"),
        None => String::new(),
    };
    runner.token = secret::fresh(&kept);
}
