//! Pipeline schedules. Nothing runs by the clock here; `play` runs one now.

use serde_json::{Map, Value, json};

use super::{ci_params, pipeline_entity, users};
use crate::access::Role;
use crate::clock;
use crate::cron::Cron;
use crate::ctx::Ctx;
use crate::engine::{self, permissions};
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hash, one_of, post, put, string,
};
use crate::store::State;
use crate::store::pipelines::GivenVariable;
use crate::store::triggers::Schedule;

const DEVELOPER: Guard = Guard::Project(Role::Developer);
const READER: Guard = Guard::ProjectReader;
const VARIABLE_TYPE: Param = one_of("variable_type", &["env_var", "file"]);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/pipeline_schedules", READER, index)
        .params(&[one_of("scope", &["active", "inactive"])])
        .paginated(),
    get("projects/:id/pipeline_schedules/:schedule_id", READER, show),
    get(
        "projects/:id/pipeline_schedules/:schedule_id/pipelines",
        READER,
        pipelines,
    )
    .paginated(),
    post("projects/:id/pipeline_schedules", DEVELOPER, create).params(&[
        string("description").required(),
        string("ref").required(),
        string("cron").required(),
        string("cron_timezone"),
        boolean("active"),
        hash("inputs", &[]),
    ]),
    put(
        "projects/:id/pipeline_schedules/:schedule_id",
        DEVELOPER,
        update,
    )
    .params(&[
        string("description"),
        string("ref"),
        string("cron"),
        string("cron_timezone"),
        boolean("active"),
        hash("inputs", &[]),
    ]),
    delete(
        "projects/:id/pipeline_schedules/:schedule_id",
        DEVELOPER,
        destroy,
    ),
    post(
        "projects/:id/pipeline_schedules/:schedule_id/play",
        DEVELOPER,
        play,
    ),
    post(
        "projects/:id/pipeline_schedules/:schedule_id/take_ownership",
        DEVELOPER,
        take_ownership,
    ),
    post(
        "projects/:id/pipeline_schedules/:schedule_id/variables",
        DEVELOPER,
        add_variable,
    )
    .params(&[
        string("key").required(),
        string("value").required(),
        VARIABLE_TYPE,
    ]),
    put(
        "projects/:id/pipeline_schedules/:schedule_id/variables/:key",
        DEVELOPER,
        change_variable,
    )
    .params(&[string("value"), VARIABLE_TYPE]),
    delete(
        "projects/:id/pipeline_schedules/:schedule_id/variables/:key",
        DEVELOPER,
        remove_variable,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.schedules.iter().filter(|schedule| {
        schedule.project_id == ctx.project()
            && match ctx.string("scope") {
                Some("active") => schedule.active,
                Some(_) => !schedule.active,
                None => true,
            }
    });
    ctx.page(own, |schedule| entity(ctx, &state, schedule))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let full = ctx.access().at_least(Role::Maintainer);
    let state = ctx.state();
    let schedule = find(ctx, &state)?;
    let mut answer = entity(ctx, &state, schedule);
    let last = schedule
        .last_pipeline_id
        .and_then(|id| state.pipelines.get(id));
    answer["last_pipeline"] =
        json!(last.map(|pipeline| { pipeline_entity::basic(&state, pipeline, ctx.url()) }));
    if full || ctx.caller.user() == Some(schedule.owner_id) {
        let variables: Vec<Value> = schedule.variables.iter().map(ci_params::entity).collect();
        answer["variables"] = json!(variables);
    }
    Ok(Response::ok(&answer))
}

fn pipelines(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state)?.id;
    let made = state
        .pipelines_of(ctx.project())
        .filter(|pipeline| pipeline.schedule_id == Some(id));
    ctx.page(made, |pipeline| {
        pipeline_entity::basic(&state, pipeline, ctx.url())
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    let blank = Schedule {
        id: 0,
        project_id: ctx.project(),
        owner_id: ctx.user()?,
        description: String::new(),
        git_ref: String::new(),
        cron: String::new(),
        cron_timezone: "UTC".to_owned(),
        active: true,
        variables: Vec::new(),
        inputs: Map::new(),
        last_pipeline_id: None,
        next_run_at: None,
        created_at: now,
        updated_at: now,
    };
    let schedule = with_changes(ctx, blank)?;
    let mut state = ctx.state();
    let id = state.schedules.insert(|id| Schedule { id, ..schedule });
    let made = state.schedules.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, made)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let old = own(ctx)?;
    let new = with_changes(ctx, old)?;
    save(ctx, new, 200)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let schedule = own(ctx)?;
    ctx.check_unmodified(schedule.updated_at)?;
    ctx.state().schedules.remove(schedule.id);
    Ok(Response::no_content())
}

fn play(ctx: &Ctx<'_>) -> Answer {
    let schedule = find(ctx, &ctx.state())?.clone();
    let user = ctx.user()?;
    let target = engine::target_of(ctx.shared, ctx.project(), &schedule.git_ref)
        .map_err(super::pipelines::refused)?;
    let allowed = permissions::may_use_ref(
        &ctx.state(),
        user,
        ctx.project(),
        &target.git_ref,
        target.tag,
    );
    if !allowed {
        return Err(ApiError::forbidden());
    }
    engine::tick::run(ctx.shared, &schedule);
    Ok(Response::created(&json!({ "message": "201 Created" })))
}

fn take_ownership(ctx: &Ctx<'_>) -> Answer {
    let owner_id = ctx.user()?;
    let schedule = find(ctx, &ctx.state())?.clone();
    save(
        ctx,
        Schedule {
            owner_id,
            ..schedule
        },
        201,
    )
}

fn add_variable(ctx: &Ctx<'_>) -> Answer {
    let mut schedule = own(ctx)?;
    let key = ctx.string("key").unwrap_or_default();
    if schedule.variables.iter().any(|other| other.key == key) {
        let mut invalid = Invalid::default();
        invalid.add("key", "has already been taken");
        invalid.check()?;
    }
    let variable = GivenVariable {
        key: key.to_owned(),
        value: ctx.string("value").unwrap_or_default().to_owned(),
        file: ctx.string("variable_type") == Some("file"),
        raw: false,
    };
    schedule.variables.push(variable.clone());
    save(ctx, schedule, 201)?;
    Ok(Response::created(&ci_params::entity(&variable)))
}

fn change_variable(ctx: &Ctx<'_>) -> Answer {
    let mut schedule = own(ctx)?;
    let variable = schedule
        .variables
        .iter_mut()
        .find(|variable| variable.key == ctx.path("key"))
        .ok_or_else(|| ApiError::not_found("Variable"))?;
    if let Some(value) = ctx.string("value") {
        value.clone_into(&mut variable.value);
    }
    if let Some(kind) = ctx.string("variable_type") {
        variable.file = kind == "file";
    }
    let answer = ci_params::entity(variable);
    save(ctx, schedule, 200)?;
    Ok(Response::ok(&answer))
}

fn remove_variable(ctx: &Ctx<'_>) -> Answer {
    let mut schedule = own(ctx)?;
    let key = ctx.path("key");
    let at = schedule
        .variables
        .iter()
        .position(|variable| variable.key == key)
        .ok_or_else(|| ApiError::not_found("Variable"))?;
    let answer = ci_params::entity(&schedule.variables.remove(at));
    save(ctx, schedule, 202)?;
    Ok(Response::json(202, &answer))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Schedule, ApiError> {
    let schedule = state.schedules.get(ctx.path_number("schedule_id")?);
    schedule
        .filter(|schedule| schedule.project_id == ctx.project())
        .ok_or_else(|| ApiError::not_found("Pipeline Schedule"))
}

/// The schedule of the path, if the caller may change it: the owner and Maintainers may.
fn own(ctx: &Ctx<'_>) -> Result<Schedule, ApiError> {
    let maintainer = ctx.access().at_least(Role::Maintainer);
    let schedule = find(ctx, &ctx.state())?.clone();
    if maintainer || ctx.caller.user() == Some(schedule.owner_id) {
        Ok(schedule)
    } else {
        Err(ApiError::forbidden())
    }
}

fn with_changes(ctx: &Ctx<'_>, mut schedule: Schedule) -> Result<Schedule, ApiError> {
    let text = |name: &str, field: &mut String| {
        if let Some(text) = ctx.string(name) {
            text.clone_into(field);
        }
    };
    text("description", &mut schedule.description);
    text("cron", &mut schedule.cron);
    text("cron_timezone", &mut schedule.cron_timezone);
    schedule.active = ctx.boolean("active").unwrap_or(schedule.active);
    if ctx.given("inputs") {
        schedule.inputs = ci_params::inputs(ctx);
    }
    if let Some(name) = ctx.string("ref") {
        let target = engine::target_of(ctx.shared, ctx.project(), name)
            .map_err(super::pipelines::refused)?;
        let kind = if target.tag { "tags" } else { "heads" };
        schedule.git_ref = format!("refs/{kind}/{}", target.git_ref);
    }
    let mut invalid = Invalid::default();
    if Cron::parse(&schedule.cron, &schedule.cron_timezone).is_none() {
        invalid.add("cron", "syntax is invalid");
    }
    invalid.check()?;
    schedule.updated_at = ctx.now();
    schedule.next_run_at = schedule.next_after(ctx.now());
    Ok(schedule)
}

fn save(ctx: &Ctx<'_>, schedule: Schedule, status: u16) -> Answer {
    let mut state = ctx.state();
    let answer = entity(ctx, &state, &schedule);
    if let Some(stored) = state.schedules.get_mut(schedule.id) {
        *stored = schedule;
    }
    Ok(Response::json(status, &answer))
}

fn entity(ctx: &Ctx<'_>, state: &State, schedule: &Schedule) -> Value {
    json!({
        "id": schedule.id,
        "description": schedule.description,
        "ref": schedule.git_ref,
        "cron": schedule.cron,
        "cron_timezone": schedule.cron_timezone,
        "next_run_at": schedule.next_run_at.map(clock::iso),
        "active": schedule.active,
        "created_at": clock::iso(schedule.created_at),
        "updated_at": clock::iso(schedule.updated_at),
        "owner": users::basic_by_id(state, schedule.owner_id, ctx.url()),
    })
}
