//! Pipelines of a project.

use serde_json::{Value, json};

use super::pipeline_entity::{detail, detail_with_name, listed};
use super::{ci_access, ci_params, job_entity};
use crate::access::Role;
use crate::ctx::Ctx;
use crate::engine::status::{self, Status};
use crate::engine::{self, Order, Refusal, permissions};
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, any, boolean, delete, get, hash, one_of, post, put, string,
};
use crate::store::jobs::Job;
use crate::store::pipelines::{Pipeline, Source};

const READER: Guard = Guard::ProjectReader;
const DEVELOPER: Guard = Guard::Project(Role::Developer);
const FILTERS: &[Param] = &[
    one_of(
        "scope",
        &["running", "pending", "finished", "branches", "tags"],
    ),
    one_of("status", status::NAMES),
    string("ref"),
    string("sha"),
    boolean("yaml_errors"),
    string("username"),
    string("name"),
    string("updated_after"),
    string("updated_before"),
    string("created_after"),
    string("created_before"),
    one_of(
        "order_by",
        &["id", "status", "ref", "updated_at", "user_id"],
    ),
    one_of("sort", &["asc", "desc"]),
    one_of(
        "source",
        &[
            "push",
            "web",
            "trigger",
            "schedule",
            "api",
            "external",
            "pipeline",
            "chat",
            "webide",
            "merge_request_event",
            "external_pull_request_event",
            "parent_pipeline",
        ],
    ),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/pipelines", READER, index)
        .params(FILTERS)
        .paginated(),
    get("projects/:id/pipelines/latest", READER, latest).params(&[string("ref")]),
    get("projects/:id/pipelines/:pipeline_id", READER, show),
    post("projects/:id/pipeline", DEVELOPER, create).params(&[
        string("ref").required(),
        any("variables"),
        hash("inputs", &[]),
    ]),
    post(
        "projects/:id/pipelines/:pipeline_id/cancel",
        DEVELOPER,
        cancel,
    ),
    post(
        "projects/:id/pipelines/:pipeline_id/retry",
        DEVELOPER,
        retry,
    ),
    delete(
        "projects/:id/pipelines/:pipeline_id",
        Guard::Project(Role::Owner),
        destroy,
    ),
    put(
        "projects/:id/pipelines/:pipeline_id/metadata",
        DEVELOPER,
        rename,
    )
    .params(&[string("name").required()])
    .job_token(),
    get(
        "projects/:id/pipelines/:pipeline_id/variables",
        READER,
        variables,
    ),
    get("projects/:id/pipelines/:pipeline_id/jobs", READER, jobs)
        .params(&[any("scope"), boolean("include_retried")])
        .paginated(),
    get(
        "projects/:id/pipelines/:pipeline_id/bridges",
        READER,
        bridges,
    )
    .params(&[any("scope"), boolean("include_retried")])
    .paginated(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let state = ctx.state();
    let instants = [
        ctx.instant("updated_after")?,
        ctx.instant("updated_before")?,
        ctx.instant("created_after")?,
        ctx.instant("created_before")?,
    ];
    let username = |pipeline: &Pipeline| {
        let user = state.users.get(pipeline.user_id);
        user.is_some_and(|user| ctx.string("username") == Some(user.username.as_str()))
    };
    let equals = |name: &str, own: &str| ctx.string(name).is_none_or(|wanted| wanted == own);
    let in_scope = |pipeline: &Pipeline| match ctx.string("scope") {
        Some("running") => pipeline.status == Status::Running,
        Some("pending") => pipeline.status == Status::Pending,
        Some("finished") => matches!(
            pipeline.status,
            Status::Success | Status::Failed | Status::Canceled
        ),
        Some("branches") => !pipeline.tag,
        Some("tags") => pipeline.tag,
        Some(_) | None => true,
    };
    let wanted = |pipeline: &&Pipeline| {
        let [updated_after, updated_before, created_after, created_before] = instants;
        let source = match ctx.string("source") {
            Some(source) => source == pipeline.source.as_str(),
            // Child pipelines are only listed when they are asked for.
            None => pipeline.source != Source::ParentPipeline,
        };
        source
            && in_scope(pipeline)
            && equals("status", pipeline.status.as_str())
            && equals("ref", &pipeline.git_ref)
            && equals("sha", &pipeline.sha)
            && equals("name", pipeline.name.as_deref().unwrap_or_default())
            && (ctx.string("username").is_none() || username(pipeline))
            && ctx
                .boolean("yaml_errors")
                .is_none_or(|wrong| wrong == pipeline.yaml_errors.is_some())
            && updated_after.is_none_or(|at| pipeline.updated_at > at)
            && updated_before.is_none_or(|at| pipeline.updated_at < at)
            && created_after.is_none_or(|at| pipeline.created_at > at)
            && created_before.is_none_or(|at| pipeline.created_at < at)
    };
    let mut found: Vec<&Pipeline> = state.pipelines_of(ctx.project()).filter(wanted).collect();
    match ctx.string("order_by") {
        Some("status") => found.sort_by_key(|pipeline| pipeline.status.as_str()),
        Some("ref") => found.sort_by_key(|pipeline| pipeline.git_ref.clone()),
        Some("updated_at") => found.sort_by_key(|pipeline| pipeline.updated_at),
        Some("user_id") => found.sort_by_key(|pipeline| pipeline.user_id),
        Some(_) | None => {}
    }
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    ctx.page(found, |pipeline| listed(&state, pipeline, ctx.url()))
}

fn latest(ctx: &Ctx<'_>) -> Answer {
    ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let wished = match ctx.string("ref") {
        Some(name) => Some(name.to_owned()),
        None => {
            let state = ctx.state();
            let project = state.projects.get(ctx.project());
            project.and_then(|project| project.default_branch.clone())
        }
    };
    let wished = wished.ok_or_else(ApiError::forbidden)?;
    let head = engine::target_of(ctx.shared, ctx.project(), &wished).ok();
    let state = ctx.state();
    let found = state.pipelines_of(ctx.project()).rev().find(|pipeline| {
        pipeline.git_ref == wished
            && pipeline.source != Source::ParentPipeline
            && head.as_ref().is_some_and(|head| head.sha == pipeline.sha)
    });
    // GitLab asks for the right to read a pipeline that is not there.
    let found = found.ok_or_else(ApiError::forbidden)?;
    Ok(Response::ok(&detail_with_name(&state, found, ctx.url())))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let state = ctx.state();
    let pipeline = state.pipelines.get(id);
    let pipeline = pipeline.ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::ok(&detail_with_name(&state, pipeline, ctx.url())))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let name = ctx.string("ref").unwrap_or_default();
    let target = engine::target_of(ctx.shared, ctx.project(), name).map_err(refused)?;
    let order = Order {
        variables: ci_params::variable_list(ctx.value("variables"))?,
        inputs: ci_params::inputs(ctx),
        keep_failed: false,
        ..Order::new(ctx.project(), ctx.user()?, Source::Api, target)
    };
    let id = engine::run_pipeline(ctx.shared, order).map_err(refused)?;
    let state = ctx.state();
    let pipeline = state.pipelines.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&detail(&state, pipeline, ctx.url())))
}

/// `400` with the refusal as an error of the whole.
pub(super) fn refused(refusal: Refusal) -> ApiError {
    let mut invalid = Invalid::default();
    invalid.add("base", refusal.0);
    invalid.check().err().unwrap_or_else(ApiError::internal)
}

fn cancel(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    engine::cancel::cancel_pipeline(&mut ctx.state(), id, ctx.now());
    engine::settle(ctx.shared);
    answer(ctx, id, 200)
}

fn retry(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    let user = ctx.user()?;
    engine::retry::retry_pipeline(&mut ctx.state(), id, user, ctx.now());
    engine::settle(ctx.shared);
    answer(ctx, id, 201)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let mut state = ctx.state();
    if let Some(pipeline) = state.pipelines.get(id) {
        ctx.check_unmodified(pipeline.updated_at)?;
    }
    state.remove_pipeline(id);
    Ok(Response::no_content())
}

fn rename(ctx: &Ctx<'_>) -> Answer {
    let id = find_for_update(ctx)?;
    let name = ctx.string("name").unwrap_or_default().trim().to_owned();
    if name.chars().count() > 255 {
        return Err(ApiError::message(
            400,
            "Failed to update pipeline: Name is too long (maximum is 255 characters)",
        ));
    }
    let mut state = ctx.state();
    let pipeline = state.pipelines.get_mut(id);
    pipeline.ok_or_else(ApiError::not_found_plain)?.name = Some(name);
    let pipeline = state.pipelines.get(id);
    let pipeline = pipeline.ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::ok(&detail_with_name(&state, pipeline, ctx.url())))
}

fn variables(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let access = ctx.access();
    let state = ctx.state();
    let pipeline = state.pipelines.get(id);
    let pipeline = pipeline.ok_or_else(ApiError::not_found_plain)?;
    let own = ctx.caller.user() == Some(pipeline.user_id);
    let needed = if own {
        Role::Developer
    } else {
        Role::Maintainer
    };
    if !access.at_least(needed) {
        return Err(ApiError::forbidden());
    }
    let list: Vec<Value> = pipeline.variables.iter().map(ci_params::entity).collect();
    Ok(Response::ok(&json!(list)))
}

fn jobs(ctx: &Ctx<'_>) -> Answer {
    list(ctx, Job::is_build, job_entity::build)
}

fn bridges(ctx: &Ctx<'_>) -> Answer {
    list(ctx, |job| job.bridge().is_some(), job_entity::bridge)
}

fn list(
    ctx: &Ctx<'_>,
    kind: fn(&Job) -> bool,
    render: fn(job_entity::Surroundings<'_>, &Job) -> Value,
) -> Answer {
    let id = find(ctx)?;
    let scope = ci_params::scope(ctx)?;
    let retried = ctx.boolean("include_retried").unwrap_or(false);
    let state = ctx.state();
    let around = job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    let found = state
        .jobs_of(id)
        .rev()
        .filter(|job| kind(job) && (retried || !job.retried))
        .filter(|job| scope.is_empty() || scope.contains(&job.status));
    ctx.page(found, |job| render(around, job))
}

/// The pipeline of the path, brought up to date with the clock.
fn find(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let id = ctx.path_number("pipeline_id")?;
    let state = ctx.state();
    let found = state.pipelines.get(id);
    found
        .filter(|pipeline| pipeline.project_id == ctx.project())
        .map(|pipeline| pipeline.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn find_for_update(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    let id = find(ctx)?;
    let user = ctx.user()?;
    let state = ctx.state();
    let allowed = state
        .pipelines
        .get(id)
        .is_some_and(|pipeline| permissions::may_update(&state, user, pipeline));
    if allowed {
        Ok(id)
    } else {
        Err(ApiError::forbidden())
    }
}

fn answer(ctx: &Ctx<'_>, id: u64, status: u16) -> Answer {
    let state = ctx.state();
    let pipeline = state.pipelines.get(id);
    let pipeline = pipeline.ok_or_else(ApiError::not_found_plain)?;
    let entity = detail(&state, pipeline, ctx.url());
    Ok(Response::json(status, &entity))
}
