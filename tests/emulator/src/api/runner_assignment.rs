//! Runners of projects and groups: which there are, which are assigned, and new ones made by people.

use super::runners::{FILTER, OLD_FILTER, filtered};
use super::{runner_entity, runner_settings};
use crate::access::{self, Role};
use crate::auth::Caller;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, integer, one_of, post};
use crate::secret;
use crate::store::State;
use crate::store::runners::{Registration, Runner, RunnerScope};

const MAINTAINER: Guard = Guard::Project(Role::Maintainer);
const GROUP_MAINTAINER: Guard = Guard::Group(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/runners", MAINTAINER, of_project)
        .params(OLD_FILTER)
        .also(FILTER)
        .paginated(),
    post("projects/:id/runners", MAINTAINER, assign).params(&[integer("runner_id").required()]),
    delete("projects/:id/runners/:runner_id", MAINTAINER, unassign),
    post(
        "projects/:id/runners/reset_registration_token",
        MAINTAINER,
        reset_of_project,
    ),
    get("groups/:id/runners", GROUP_MAINTAINER, of_group)
        .params(FILTER)
        .paginated(),
    post(
        "groups/:id/runners/reset_registration_token",
        Guard::Group(Role::Owner),
        reset_of_group,
    ),
    post("user/runners", Guard::User, create)
        .params(&[
            one_of(
                "runner_type",
                &["instance_type", "group_type", "project_type"],
            )
            .required(),
            integer("group_id"),
            integer("project_id"),
        ])
        .also(runner_settings::PARAMS)
        .any_scope(),
];

fn of_project(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let above: Vec<u64> = state.with_ancestors(project.namespace_id).collect();
    let usable = |runner: &&Runner| match &runner.scope {
        RunnerScope::Instance => project.settings.shared_runners_enabled,
        RunnerScope::Group(group) => {
            project.settings.group_runners_enabled && above.contains(group)
        }
        RunnerScope::Projects(projects) => projects.contains(&project.id),
    };
    filtered(ctx, &state, state.runners.iter().filter(usable))
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let above: Vec<u64> = state.with_ancestors(ctx.group()).collect();
    let usable = |runner: &&Runner| match &runner.scope {
        RunnerScope::Instance => true,
        RunnerScope::Group(group) => above.contains(group),
        RunnerScope::Projects(_) => false,
    };
    filtered(ctx, &state, state.runners.iter().filter(usable))
}

fn assign(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let missing = || ApiError::not_found("Runner");
    let id = ctx.number("runner_id").ok_or_else(missing)?;
    let admin = state.users.get(user).is_some_and(|user| user.admin);
    let maintained = |state: &State, projects: &[u64]| {
        projects.iter().any(|project| {
            access::in_project(state, Some(user), *project).at_least(Role::Maintainer)
        })
    };
    let runner = state.runners.get(id).ok_or_else(missing)?;
    let no = |reason: &str| Err(ApiError::forbidden_because(reason));
    match &runner.scope {
        RunnerScope::Group(_) => return no("Runner is a group runner"),
        RunnerScope::Instance => return no("Runner is an instance runner"),
        RunnerScope::Projects(_) if runner.locked && !admin => return no("Runner is locked"),
        RunnerScope::Projects(projects) if !admin && !maintained(&state, projects) => {
            return no("No access granted");
        }
        RunnerScope::Projects(projects) if projects.contains(&ctx.project()) => {
            return Err(ApiError::bad_request(
                "Runner is already assigned to project",
            ));
        }
        RunnerScope::Projects(_) => {}
    }
    if let Some(Runner {
        scope: RunnerScope::Projects(projects),
        ..
    }) = state.runners.get_mut(id)
    {
        projects.push(ctx.project());
    }
    let runner = state.runners.get(id).ok_or_else(missing)?;
    let around = super::job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    Ok(Response::created(&runner_entity::basic(around, runner)))
}

fn unassign(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("runner_id")?;
    let mut state = ctx.state();
    let missing = || ApiError::not_found("Runner");
    let runner = state.runners.get_mut(id).ok_or_else(missing)?;
    let RunnerScope::Projects(projects) = &mut runner.scope else {
        return Err(missing());
    };
    match projects
        .iter()
        .position(|project| *project == ctx.project())
    {
        None => Err(missing()),
        Some(0) => Err(ApiError::forbidden_because(
            "You cannot unassign a runner from the owner project. Delete the runner instead",
        )),
        Some(at) => {
            projects.remove(at);
            Ok(Response::no_content())
        }
    }
}

fn reset_of_project(ctx: &Ctx<'_>) -> Answer {
    reset(ctx, Registration::Project(ctx.project()))
}

fn reset_of_group(ctx: &Ctx<'_>) -> Answer {
    reset(ctx, Registration::Group(ctx.group()))
}

fn reset(ctx: &Ctx<'_>, of: Registration) -> Answer {
    let token = ctx.state().reset_registration_token(of);
    Ok(Response::created(&runner_entity::fresh_token(&token)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    check_scope(ctx)?;
    runner_settings::check_exclusive(ctx)?;
    let user = ctx.user()?;
    let mut state = ctx.state();
    let needed = |name: &str| {
        ctx.number(name)
            .ok_or_else(|| ApiError::error(400, format!("{name} is missing")))
    };
    let (scope, prefix, allowed) = match ctx.string("runner_type") {
        Some("group_type") => {
            let group = needed("group_id")?;
            let access = access::in_group(&state, Some(user), group);
            let allowed = access.at_least(Role::Maintainer);
            (RunnerScope::Group(group), "glrt-t2_", allowed)
        }
        Some("project_type") => {
            let project = needed("project_id")?;
            let access = access::in_project(&state, Some(user), project);
            let allowed = access.at_least(Role::Maintainer);
            (RunnerScope::Projects(vec![project]), "glrt-t3_", allowed)
        }
        Some(_) | None => {
            let admin = state.users.get(user).is_some_and(|user| user.admin);
            (RunnerScope::Instance, "glrt-t1_", admin)
        }
    };
    if !allowed {
        return Err(ApiError::forbidden_because("Insufficient permissions"));
    }
    let mut runner = Runner {
        token: secret::fresh(prefix),
        creator_id: Some(user),
        ..Runner::new(0, scope, ctx.now())
    };
    let invalid = runner_settings::apply(ctx, &mut runner)?;
    if let Some(sentence) = invalid.first() {
        let mut letters = sentence.replacen('_', " ", 1);
        letters.get_mut(..1).map(str::make_ascii_uppercase);
        return Err(ApiError::bad_request(&letters));
    }
    let id = state.runners.insert(|id| Runner { id, ..runner });
    let runner = state.runners.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&runner_entity::registration(runner)))
}

/// Besides `api`, the scope made for this suffices.
fn check_scope(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    let Caller::User { scopes, .. } = &ctx.caller else {
        return Ok(());
    };
    if scopes.iter().any(|scope| scope == "create_runner") {
        return Ok(());
    }
    crate::auth::check_api_scope(&ctx.caller, "POST")
}
