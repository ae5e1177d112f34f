//! Resource groups: their mode, who holds the resource and who wants it.

use serde_json::{Value, json};

use super::job_entity;
use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::engine::{self, resources};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, one_of, put};
use crate::store::State;
use crate::store::resource_groups::{ProcessMode, ResourceGroup};

const DEVELOPER: Guard = Guard::Project(Role::Developer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/resource_groups", DEVELOPER, index).paginated(),
    get("projects/:id/resource_groups/:key", DEVELOPER, show),
    put("projects/:id/resource_groups/:key", DEVELOPER, update)
        .params(&[one_of("process_mode", ProcessMode::NAMES)]),
    get(
        "projects/:id/resource_groups/:key/upcoming_jobs",
        DEVELOPER,
        upcoming,
    )
    .paginated(),
    get(
        "projects/:id/resource_groups/:key/current_job",
        DEVELOPER,
        current,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state
        .resource_groups
        .iter()
        .filter(|group| group.project_id == ctx.project());
    ctx.page(own, entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    {
        let mut state = ctx.state();
        let id = find(ctx, &state)?.id;
        if let (Some(group), Some(mode)) = (
            state.resource_groups.get_mut(id),
            ctx.string("process_mode"),
        ) {
            group.process_mode = ProcessMode::parse(mode);
            group.updated_at = now;
        }
    }
    engine::settle(ctx.shared);
    show(ctx)
}

fn upcoming(ctx: &Ctx<'_>) -> Answer {
    engine::settle(ctx.shared);
    let state = ctx.state();
    let group = find(ctx, &state)?;
    let around = job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    ctx.page(resources::upcoming(&state, group), |job| {
        job_entity::basic(around, job)
    })
}

fn current(ctx: &Ctx<'_>) -> Answer {
    engine::settle(ctx.shared);
    let state = ctx.state();
    let group = find(ctx, &state)?;
    let around = job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    let holder = group.holder.and_then(|id| state.jobs.get(id));
    let body = holder.map_or(Value::Null, |job| job_entity::basic(around, job));
    Ok(Response::ok(&body))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a ResourceGroup, ApiError> {
    state
        .resource_group(ctx.project(), ctx.path("key"))
        .ok_or_else(ApiError::not_found_plain)
}

fn entity(group: &ResourceGroup) -> Value {
    json!({
        "id": group.id,
        "key": group.key,
        "process_mode": group.process_mode.as_str(),
        "created_at": clock::iso(group.created_at),
        "updated_at": clock::iso(group.updated_at),
    })
}
