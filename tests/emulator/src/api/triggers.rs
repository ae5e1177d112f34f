//! Trigger tokens, and the pipelines they start.

use serde_json::{Map, Value, json};

use super::{ci_params, pipeline_entity, users};
use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::engine::{self, Order};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, any, delete, get, hash, post, put, string};
use crate::secret;
use crate::store::State;
use crate::store::pipelines::{GivenVariable, Source};
use crate::store::triggers::Trigger;

const MAINTAINER: Guard = Guard::Project(Role::Maintainer);
const TRIGGERING: &[Param] = &[
    string("ref").required(),
    string("token").required(),
    any("variables"),
    hash("inputs", &[]),
];

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/trigger/pipeline", Guard::Open, start).params(TRIGGERING),
    post(
        "projects/:id/ref/:ref/trigger/pipeline",
        Guard::Open,
        start_on_ref,
    )
    .params(&[
        string("token").required(),
        any("variables"),
        hash("inputs", &[]),
    ]),
    get("projects/:id/triggers", MAINTAINER, index).paginated(),
    get("projects/:id/triggers/:trigger_id", MAINTAINER, show),
    post("projects/:id/triggers", MAINTAINER, create)
        .params(&[string("description").required(), string("expires_at")]),
    put("projects/:id/triggers/:trigger_id", MAINTAINER, update).params(&[string("description")]),
    delete("projects/:id/triggers/:trigger_id", MAINTAINER, destroy),
];

fn start(ctx: &Ctx<'_>) -> Answer {
    run(ctx, ctx.string("ref").unwrap_or_default())
}

fn start_on_ref(ctx: &Ctx<'_>) -> Answer {
    run(ctx, ctx.path("ref"))
}

/// Whose token was sent.
struct Bearer {
    user: u64,
    source: Source,
    trigger: Option<u64>,
    job: Option<u64>,
}

fn run(ctx: &Ctx<'_>, git_ref: &str) -> Answer {
    if ctx.request.header("x-gitlab-event") == Some("Pipeline Hook") {
        return Err(ApiError::forbidden_because(
            "Pipelines cannot be triggered by webhooks of pipelines",
        ));
    }
    if git_ref.trim().is_empty() {
        return Err(ApiError::error(400, "ref is empty"));
    }
    let variables = key_values(ctx.value("variables"))?;
    let project = ctx.state().find_project(ctx.path("id")).map(|row| row.id);
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let bearer = bearer(ctx, project)?;
    let target =
        engine::target_of(ctx.shared, project, git_ref).map_err(super::pipelines::refused)?;
    let mut given = variables;
    if bearer.trigger.is_some() {
        given.push(payload(ctx));
    }
    let order = Order {
        variables: given,
        inputs: ci_params::inputs(ctx),
        trigger_id: bearer.trigger,
        source_job_id: bearer.job,
        ..Order::new(project, bearer.user, bearer.source, target)
    };
    let id = engine::run_pipeline(ctx.shared, order).map_err(super::pipelines::refused)?;
    let state = ctx.state();
    let pipeline = state.pipelines.get(id).ok_or_else(ApiError::internal)?;
    if let Some(error) = &pipeline.yaml_errors {
        // It is there, and it has failed.
        return Err(ApiError::body(
            422,
            json!({ "message": { "base": [error] } }),
        ));
    }
    Ok(Response::created(&pipeline_entity::detail(
        &state,
        pipeline,
        ctx.url(),
    )))
}

fn bearer(ctx: &Ctx<'_>, project: u64) -> Result<Bearer, ApiError> {
    let missing = || ApiError::message(404, "404 Not Found");
    let token = ctx.string("token").unwrap_or_default();
    let now = ctx.now();
    let mut state = ctx.state();
    let live = |trigger: &&mut Trigger| {
        trigger.token == token && trigger.expires_at.is_none_or(|at| at > now)
    };
    if let Some(trigger) = state.triggers.iter_mut().find(live) {
        if trigger.project_id != project {
            return Err(missing());
        }
        trigger.last_used = Some(now);
        return Ok(Bearer {
            user: trigger.owner_id,
            source: Source::Trigger,
            trigger: Some(trigger.id),
            job: None,
        });
    }
    let job = state.job_tokens.iter().find(|job| job.secret == token);
    let Some(job) = job else {
        // The token of a job that is over is a token without rights.
        return Err(if token.starts_with("glcbt-") {
            ApiError::unauthorized()
        } else {
            missing()
        });
    };
    let admitted = state
        .projects
        .get(project)
        .is_some_and(|project| state.admits_job_tokens_of(project, job.project_id));
    if !admitted {
        return Err(missing());
    }
    Ok(Bearer {
        user: job.user_id,
        source: Source::Pipeline,
        trigger: None,
        job: Some(job.job_id),
    })
}

fn payload(ctx: &Ctx<'_>) -> GivenVariable {
    let sent: Map<String, Value> = ctx
        .values()
        .iter()
        .filter(|(name, _)| *name != "token")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    GivenVariable {
        key: engine::TRIGGER_PAYLOAD.to_owned(),
        value: Value::Object(sent).to_string(),
        file: true,
        raw: true,
    }
}

/// A hash of strings.
fn key_values(value: Option<&Value>) -> Result<Vec<GivenVariable>, ApiError> {
    let wrong = || ApiError::message(400, "variables needs to be a map of key-valued strings");
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let pairs = value.as_object().ok_or_else(wrong)?;
    pairs
        .iter()
        .map(|(key, value)| {
            Ok(GivenVariable {
                key: key.clone(),
                value: value.as_str().ok_or_else(wrong)?.to_owned(),
                file: false,
                raw: false,
            })
        })
        .collect()
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state
        .triggers
        .iter()
        .filter(|trigger| trigger.project_id == ctx.project());
    ctx.page(own, |trigger| entity(ctx, &state, trigger))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    let expires_at = ctx.instant("expires_at")?;
    let owner_id = ctx.user()?;
    let mut state = ctx.state();
    let id = state.triggers.insert(|id| Trigger {
        id,
        project_id: ctx.project(),
        owner_id,
        token: secret::fresh("glptt-"),
        description: ctx.string("description").unwrap_or_default().to_owned(),
        created_at: now,
        updated_at: now,
        last_used: None,
        expires_at,
    });
    let made = state.triggers.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, made)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    if let (Some(trigger), Some(text)) = (state.triggers.get_mut(id), ctx.string("description")) {
        text.clone_into(&mut trigger.description);
        trigger.updated_at = now;
    }
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let trigger = find(ctx, &state)?;
    ctx.check_unmodified(trigger.updated_at)?;
    let id = trigger.id;
    state.triggers.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Trigger, ApiError> {
    let trigger = state.triggers.get(ctx.path_number("trigger_id")?);
    trigger
        .filter(|trigger| trigger.project_id == ctx.project())
        .ok_or_else(|| ApiError::not_found("Trigger"))
}

/// Only its owner sees the whole token.
fn entity(ctx: &Ctx<'_>, state: &State, trigger: &Trigger) -> Value {
    let token: String = if ctx.caller.user() == Some(trigger.owner_id) {
        trigger.token.clone()
    } else {
        let bare = trigger.token.trim_start_matches("glptt-");
        bare.chars().take(4).collect()
    };
    json!({
        "id": trigger.id,
        "token": token,
        "description": trigger.description,
        "created_at": clock::iso(trigger.created_at),
        "updated_at": clock::iso(trigger.updated_at),
        "last_used": trigger.last_used.map(clock::iso),
        "expires_at": trigger.expires_at.map(clock::iso),
        "owner": users::basic_by_id(state, trigger.owner_id, ctx.url()),
    })
}
