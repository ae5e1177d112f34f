//! Freeze periods.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::cron::Cron;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, post, put, string};
use crate::store::State;
use crate::store::freeze_periods::FreezePeriod;

const READ: Guard = Guard::Project(Role::Reporter);
const WRITE: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/freeze_periods", READ, index).paginated(),
    get("projects/:id/freeze_periods/:freeze_period_id", READ, show),
    post("projects/:id/freeze_periods", WRITE, create).params(&[
        string("freeze_start").required(),
        string("freeze_end").required(),
        string("cron_timezone"),
    ]),
    put(
        "projects/:id/freeze_periods/:freeze_period_id",
        WRITE,
        update,
    )
    .params(&[
        string("freeze_start"),
        string("freeze_end"),
        string("cron_timezone"),
    ]),
    delete(
        "projects/:id/freeze_periods/:freeze_period_id",
        WRITE,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state
        .freeze_periods
        .iter()
        .filter(|period| period.project_id == ctx.project());
    ctx.page(own, entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let period = with_changes(
        ctx,
        FreezePeriod {
            id: 0,
            project_id: ctx.project(),
            freeze_start: String::new(),
            freeze_end: String::new(),
            cron_timezone: "UTC".to_owned(),
            created_at: ctx.now(),
            updated_at: ctx.now(),
        },
    );
    check(&period)?;
    let mut state = ctx.state();
    let id = state
        .freeze_periods
        .insert(|id| FreezePeriod { id, ..period });
    let made = state.freeze_periods.get(id);
    Ok(Response::created(&entity(
        made.ok_or_else(ApiError::internal)?,
    )))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let period = with_changes(ctx, find(ctx, &state)?.clone());
    check(&period)?;
    let answer = Response::ok(&entity(&period));
    let id = period.id;
    if let Some(stored) = state.freeze_periods.get_mut(id) {
        *stored = period;
    }
    Ok(answer)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let period = find(ctx, &state)?;
    ctx.check_unmodified(period.updated_at)?;
    let id = period.id;
    state.freeze_periods.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a FreezePeriod, ApiError> {
    state
        .freeze_periods
        .get(ctx.path_number("freeze_period_id")?)
        .filter(|period| period.project_id == ctx.project())
        .ok_or_else(ApiError::not_found_plain)
}

fn with_changes(ctx: &Ctx<'_>, mut period: FreezePeriod) -> FreezePeriod {
    let given = |name: &str| ctx.string(name).map(|text| text.trim().to_owned());
    period.freeze_start = given("freeze_start").unwrap_or(period.freeze_start);
    period.freeze_end = given("freeze_end").unwrap_or(period.freeze_end);
    period.cron_timezone = given("cron_timezone").unwrap_or(period.cron_timezone);
    period.updated_at = ctx.now();
    period
}

fn check(period: &FreezePeriod) -> Result<(), ApiError> {
    let mut invalid = Invalid::default();
    for (name, line) in [
        ("freeze_start", &period.freeze_start),
        ("freeze_end", &period.freeze_end),
    ] {
        if Cron::parse(line, "UTC").is_none() {
            invalid.add(name, " is invalid syntax");
        }
        if line.is_empty() {
            invalid.add(name, "can't be blank");
        }
    }
    if Cron::parse("* * * * *", &period.cron_timezone).is_none() {
        invalid.add("cron_timezone", " is invalid syntax");
    }
    invalid.check()
}

fn entity(period: &FreezePeriod) -> Value {
    json!({
        "id": period.id,
        "freeze_start": period.freeze_start,
        "freeze_end": period.freeze_end,
        "cron_timezone": period.cron_timezone,
        "created_at": clock::iso(period.created_at),
        "updated_at": clock::iso(period.updated_at),
    })
}
