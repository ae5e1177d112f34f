//! Runners for people: lists, details, changes, their jobs and machines.

use serde_json::{Value, json};

use super::job_entity::{self, Surroundings};
use super::{project_entity, runner_entity, runner_registration, runner_settings};
use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::pagination;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, list, one_of, post, put, string,
};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::runners::{self, Registration, Runner, RunnerScope};

const SCOPES: &[&str] = &[
    "specific",
    "shared",
    "instance_type",
    "group_type",
    "project_type",
    "active",
    "paused",
    "online",
    "offline",
    "never_contacted",
    "stale",
];
/// The old way to filter.
pub(super) const OLD_FILTER: &[Param] = &[one_of("scope", SCOPES)];
/// How lists of runners are filtered.
pub(super) const FILTER: &[Param] = &[
    one_of("type", &["instance_type", "group_type", "project_type"]),
    boolean("paused"),
    one_of(
        "status",
        &[
            "active",
            "paused",
            "online",
            "offline",
            "never_contacted",
            "stale",
        ],
    ),
    list("tag_list"),
    string("version_prefix"),
];

pub(super) const ROUTES: &[Route] = &[
    get("runners", Guard::User, own)
        .params(OLD_FILTER)
        .also(FILTER)
        .paginated(),
    get("runners/all", Guard::Admin, all)
        .params(OLD_FILTER)
        .also(FILTER)
        .paginated(),
    get("runners/:id", Guard::User, show),
    put("runners/:id", Guard::User, change).params(runner_settings::PARAMS),
    delete("runners/:id", Guard::User, destroy),
    get("runners/:id/managers", Guard::User, managers),
    get("runners/:id/jobs", Guard::User, jobs)
        .params(&[
            string("system_id"),
            one_of("status", crate::engine::status::NAMES),
            one_of("order_by", &["id"]),
            one_of("sort", &["asc", "desc"]),
        ])
        .keyset(),
    post(
        "runners/:id/reset_authentication_token",
        Guard::User,
        reset_token,
    ),
    post(
        "runners/reset_registration_token",
        Guard::Admin,
        reset_registration,
    ),
];

/// A page of those runners that the filters of the request let through.
pub(super) fn filtered<'a>(
    ctx: &Ctx<'_>,
    state: &'a State,
    runners: impl Iterator<Item = &'a Runner>,
) -> Answer {
    let now = ctx.now();
    let tags = ctx.list("tag_list").unwrap_or_default();
    let passes = |runner: &&Runner| {
        let wishes = ["scope", "type", "status"];
        let named = wishes
            .iter()
            .filter_map(|name| ctx.string(name))
            .all(|wish| fits(runner, wish, now));
        let version = ctx.string("version_prefix").is_none_or(|prefix| {
            state
                .managers_of(runner.id)
                .filter_map(|manager| manager.version.as_ref())
                .any(|version| version.starts_with(prefix))
        });
        named
            && version
            && ctx
                .boolean("paused")
                .is_none_or(|paused| paused == runner.paused)
            && tags.iter().all(|tag| runner.tags.contains(tag))
    };
    let around = Surroundings {
        state,
        url: ctx.url(),
        now,
    };
    ctx.page(runners.filter(passes), |runner| {
        runner_entity::basic(around, runner)
    })
}

fn fits(runner: &Runner, wish: &str, now: jiff::Timestamp) -> bool {
    match wish {
        "active" => !runner.paused,
        "paused" => runner.paused,
        "shared" => runner.scope == RunnerScope::Instance,
        "specific" => runner.scope != RunnerScope::Instance,
        kind if kind.ends_with("_type") => runner.scope.as_str() == kind,
        status => runners::status(runner.contacted_at, runner.created_at, now) == status,
    }
}

fn own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let owned = |runner: &&Runner| match &runner.scope {
        RunnerScope::Instance => false,
        RunnerScope::Group(group) => {
            let role = access::in_group(&state, Some(user), *group);
            role.at_least(Role::Maintainer)
        }
        RunnerScope::Projects(projects) => projects
            .iter()
            .any(|project| is_maintainer(&state, user, *project)),
    };
    filtered(ctx, &state, state.runners.iter().filter(owned))
}

fn all(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    filtered(ctx, &state, state.runners.iter())
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let runner = find(ctx, &state)?;
    if runner.scope != RunnerScope::Instance {
        check_owner(ctx, &state, runner)?;
    }
    Ok(Response::ok(&details(ctx, &state, runner)?))
}

fn change(ctx: &Ctx<'_>) -> Answer {
    runner_settings::check_given(ctx)?;
    runner_settings::check_exclusive(ctx)?;
    let mut state = ctx.state();
    let found = find(ctx, &state)?;
    check_owner(ctx, &state, found)?;
    let mut changed = found.clone();
    runner_settings::apply(ctx, &mut changed)?.check()?;
    let id = changed.id;
    if let Some(runner) = state.runners.get_mut(id) {
        *runner = changed;
    }
    let runner = find(ctx, &state)?;
    Ok(Response::ok(&details(ctx, &state, runner)?))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let runner = find(ctx, &state)?;
    if !is_admin(&state, ctx.user()?) && runner.scope.projects().len() > 1 {
        return Err(ApiError::forbidden_because(
            "Runner associated with more than one project",
        ));
    }
    check_owner(ctx, &state, runner)?;
    let id = runner.id;
    state.remove_runner(id);
    Ok(Response::no_content())
}

fn managers(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let runner = find(ctx, &state)?;
    if runner.scope != RunnerScope::Instance {
        check_owner(ctx, &state, runner)?;
    }
    let list: Vec<Value> = state
        .managers_of(runner.id)
        .map(|manager| runner_entity::manager(&state, manager, ctx.now()))
        .collect();
    Ok(Response::ok(&json!(list)))
}

fn jobs(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let runner = find(ctx, &state)?;
    if runner.scope == RunnerScope::Instance && !is_admin(&state, user) {
        return Err(ApiError::forbidden_because("No access granted"));
    }
    check_owner(ctx, &state, runner)?;
    let manager = |job: &Job| {
        let manager = job.taken.as_ref()?.manager_id?;
        let manager = state.runner_managers.get(manager)?;
        Some(manager.system_id.clone())
    };
    let wanted = |job: &&Job| {
        job.taken
            .as_ref()
            .is_some_and(|taken| taken.runner_id == runner.id)
            && ctx
                .string("status")
                .is_none_or(|status| job.status.as_str() == status)
            && ctx
                .string("system_id")
                .is_none_or(|system| manager(job).as_deref() == Some(system))
            && access::in_project(&state, Some(user), job.project_id).at_least(Role::Reporter)
    };
    let around = Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    let render = |job: &Job| {
        let mut entity = job_entity::basic(around, job);
        if let Some(project) = state.projects.get(job.project_id) {
            entity["project"] = project_entity::identity(&state, project);
        }
        entity
    };
    let found = state.jobs.iter().filter(wanted);
    if ctx.string("pagination") == Some("keyset") {
        return pagination::keyset(ctx, found.rev(), |job| job.id, render);
    }
    if ctx.string("sort") == Some("asc") {
        ctx.page(found, render)
    } else {
        ctx.page(found.rev(), render)
    }
}

fn reset_token(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let found = find(ctx, &state)?;
    check_owner(ctx, &state, found)?;
    let id = found.id;
    let runner = state.runners.get_mut(id).ok_or_else(ApiError::internal)?;
    runner_registration::renew(runner);
    Ok(Response::created(&runner_entity::fresh_token(
        &runner.token,
    )))
}

fn reset_registration(ctx: &Ctx<'_>) -> Answer {
    let token = ctx.state().reset_registration_token(Registration::Instance);
    Ok(Response::created(&runner_entity::fresh_token(&token)))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Runner, ApiError> {
    let runner = state.runners.get(ctx.path_number("id")?);
    runner.ok_or_else(|| ApiError::not_found("Runner"))
}

fn is_admin(state: &State, user: u64) -> bool {
    state.users.get(user).is_some_and(|user| user.admin)
}

fn is_maintainer(state: &State, user: u64, project: u64) -> bool {
    access::in_project(state, Some(user), project).at_least(Role::Maintainer)
}

/// May this user change the runner?
fn may_change(state: &State, user: u64, runner: &Runner) -> bool {
    is_admin(state, user)
        || match &runner.scope {
            RunnerScope::Instance => false,
            RunnerScope::Group(group) => {
                access::in_group(state, Some(user), *group).at_least(Role::Maintainer)
            }
            RunnerScope::Projects(projects) => projects
                .iter()
                .any(|project| is_maintainer(state, user, *project)),
        }
}

/// `403` unless the caller may change the runner.
fn check_owner(ctx: &Ctx<'_>, state: &State, runner: &Runner) -> Result<(), ApiError> {
    if may_change(state, ctx.user()?, runner) {
        Ok(())
    } else {
        Err(ApiError::forbidden_because("No access granted"))
    }
}

fn details(ctx: &Ctx<'_>, state: &State, runner: &Runner) -> Result<Value, ApiError> {
    let user = ctx.user()?;
    let projects = runner
        .scope
        .projects()
        .iter()
        .filter(|id| access::in_project(state, Some(user), **id).can_read)
        .filter_map(|id| state.projects.get(*id))
        .map(|project| Value::Object(project_entity::simple(ctx, state, project)))
        .collect();
    let group = match runner.scope {
        RunnerScope::Group(group) => state.groups.get(group),
        RunnerScope::Instance | RunnerScope::Projects(_) => None,
    };
    let groups = group
        .map(|group| {
            let path = state.namespace_path(group.id);
            json!({
                "id": group.id,
                "web_url": format!("{}/groups/{path}", ctx.url()),
                "name": group.name,
            })
        })
        .into_iter()
        .collect();
    let around = Surroundings {
        state,
        url: ctx.url(),
        now: ctx.now(),
    };
    let changes = may_change(state, user, runner);
    Ok(runner_entity::details(
        around, runner, projects, groups, changes,
    ))
}
