//! Environments: creation, lookup, editing, stopping, removal.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::engine;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::environments::Environment;

use super::{deployments, project_entity};

const READ: Guard = Guard::Project(Role::Reporter);
const WRITE: Guard = Guard::Project(Role::Developer);
const TIER: Param = one_of(
    "tier",
    &["production", "staging", "testing", "development", "other"],
);
const EDITABLE: &[Param] = &[
    string("external_url"),
    TIER,
    string("description"),
    one_of("auto_stop_setting", &["always", "with_action"]),
];
/// What a search must have at least.
const MIN_SEARCH: usize = 3;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/environments", READ, index)
        .params(&[
            string("name"),
            string("search"),
            one_of("states", &["available", "stopping", "stopped"]),
        ])
        .paginated()
        .job_token(),
    post("projects/:id/environments", WRITE, create)
        .refuses(&[
            "cluster_agent_id",
            "flux_resource_path",
            "kubernetes_namespace",
        ])
        .params(&[string("name").required()])
        .also(EDITABLE)
        .job_token(),
    get("projects/:id/environments/:environment_id", READ, show).job_token(),
    put("projects/:id/environments/:environment_id", WRITE, update)
        .refuses(&[
            "cluster_agent_id",
            "flux_resource_path",
            "kubernetes_namespace",
        ])
        .params(&[string("name")])
        .also(EDITABLE)
        .job_token(),
    delete("projects/:id/environments/:environment_id", WRITE, destroy).job_token(),
    post(
        "projects/:id/environments/:environment_id/stop",
        WRITE,
        stop,
    )
    .params(&[boolean("force")])
    .job_token(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let (name, search) = (ctx.string("name"), ctx.string("search"));
    if name.is_some() && search.is_some() {
        return Err(ApiError::error(400, "name, search cannot be used together"));
    }
    if search.is_some_and(|text| !text.is_empty() && text.chars().count() < MIN_SEARCH) {
        return Err(ApiError::bad_request(&format!(
            "Search query is less than {MIN_SEARCH} characters"
        )));
    }
    let search = search.unwrap_or_default().to_lowercase();
    let state = ctx.state();
    let wanted = |environment: &&Environment| {
        name.is_none_or(|name| environment.name == name)
            && environment.name.to_lowercase().contains(&search)
            && ctx
                .string("states")
                .is_none_or(|state| environment.state == state)
    };
    let found = state.environments_of(ctx.project()).filter(wanted);
    ctx.page(found, |environment| with_project(ctx, &state, environment))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let environment = find(ctx, &ctx.state())?.clone();
    let last = ctx.state().last_deployment(environment.id).cloned();
    let last = last.map(|deployment| deployments::without_environment(ctx, &deployment));
    let mut body = entity(&environment);
    body.insert("last_deployment".to_owned(), json!(last));
    Ok(Response::ok(&Value::Object(body)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let name = ctx.string("name").unwrap_or_default();
    let environment = with_changes(ctx, Environment::new(ctx.project(), name, ctx.now()));
    let mut state = ctx.state();
    problems(&state, &environment).check()?;
    let id = state
        .environments
        .insert(|id| Environment { id, ..environment });
    let made = state.environments.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&with_project(ctx, &state, made)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let mut environment = with_changes(ctx, find(ctx, &state)?.clone());
    if let Some(name) = ctx.string("name") {
        // The slug stays: it may be part of host names already.
        name.clone_into(&mut environment.name);
    }
    problems(&state, &environment).check()?;
    environment.updated_at = ctx.now();
    let id = environment.id;
    if let Some(stored) = state.environments.get_mut(id) {
        *stored = environment;
    }
    Ok(Response::ok(&with_project(ctx, &state, find(ctx, &state)?)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let environment = find(ctx, &state)?;
    if environment.state != "stopped" {
        return Err(ApiError::forbidden());
    }
    ctx.check_unmodified(environment.updated_at)?;
    let id = environment.id;
    state.remove_environment(id);
    Ok(Response::no_content())
}

fn stop(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let force = ctx.boolean("force") == Some(true);
    {
        let mut state = ctx.state();
        let id = find(ctx, &state)?.id;
        engine::environments::stop(&mut state, id, user, force, now);
    }
    engine::settle(ctx.shared);
    let state = ctx.state();
    Ok(Response::ok(&with_project(ctx, &state, find(ctx, &state)?)))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Environment, ApiError> {
    state
        .environments
        .get(ctx.path_number("environment_id")?)
        .filter(|environment| environment.project_id == ctx.project())
        .ok_or_else(|| ApiError::not_found("Environment"))
}

fn with_changes(ctx: &Ctx<'_>, mut environment: Environment) -> Environment {
    let given = |name: &str| ctx.string(name).map(str::to_owned);
    if ctx.given("external_url") {
        environment.external_url = given("external_url").filter(|url| !url.is_empty());
    }
    if ctx.given("description") {
        environment.description = given("description");
    }
    environment.tier = given("tier").unwrap_or(environment.tier);
    environment.auto_stop_setting =
        given("auto_stop_setting").unwrap_or(environment.auto_stop_setting);
    environment
}

static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\A[a-zA-Z0-9_\\$\{\}. \-]([a-zA-Z0-9_/\\$\{\}. \-]*[a-zA-Z0-9_\\$\{\}. \-])?\z")
        .ok()
});

/// What keeps an environment from being stored.
pub(super) fn problems(state: &State, environment: &Environment) -> Invalid {
    let mut invalid = Invalid::default();
    let others = || {
        state
            .environments_of(environment.project_id)
            .filter(|other| other.id != environment.id)
    };
    if environment.name.trim().is_empty() {
        invalid.add("name", "can't be blank");
    }
    if others().any(|other| other.name == environment.name) {
        invalid.add("name", "has already been taken");
    }
    if environment.name.chars().count() > 255 {
        invalid.add("name", "is too long (maximum is 255 characters)");
    }
    if NAME
        .as_ref()
        .is_some_and(|pattern| !pattern.is_match(&environment.name))
    {
        let allowed = "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'";
        invalid.add("name", allowed);
    }
    if others().any(|other| other.slug == environment.slug) {
        invalid.add("slug", "has already been taken");
    }
    let url = environment.external_url.as_deref().unwrap_or_default();
    if url.chars().count() > 255 {
        invalid.add("external_url", "is too long (maximum is 255 characters)");
    }
    if url.starts_with("javascript:") {
        invalid.add("external_url", "javascript scheme is not allowed");
    }
    invalid
}

/// The form inside a deployment.
pub(super) fn basic(environment: &Environment) -> Map<String, Value> {
    let body = json!({
        "id": environment.id,
        "name": environment.name,
        "slug": environment.slug,
        "external_url": environment.external_url,
        "created_at": clock::iso(environment.created_at),
        "updated_at": clock::iso(environment.updated_at),
    });
    body.as_object().cloned().unwrap_or_default()
}

fn entity(environment: &Environment) -> Map<String, Value> {
    let mut body = basic(environment);
    let more = json!({
        "tier": environment.tier,
        "state": environment.state,
        "auto_stop_at": environment.auto_stop_at.map(clock::iso),
        "description": environment.description,
        "description_html": "",
        "cluster_agent": Value::Null,
        "kubernetes_namespace": Value::Null,
        "flux_resource_path": Value::Null,
        "auto_stop_setting": environment.auto_stop_setting,
    });
    body.extend(more.as_object().cloned().unwrap_or_default());
    body
}

fn with_project(ctx: &Ctx<'_>, state: &State, environment: &Environment) -> Value {
    let mut body = entity(environment);
    if let Some(project) = state.projects.get(environment.project_id) {
        let project = project_entity::simple(ctx, state, project);
        body.insert("project".to_owned(), Value::Object(project));
    }
    Value::Object(body)
}
