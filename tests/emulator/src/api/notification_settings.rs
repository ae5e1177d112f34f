//! How much mail users want; stored, for nothing is mailed here.

use serde_json::{Map, Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, get, one_of, put, string};
use crate::store::belongings::Notifications;
use crate::store::places::Place;

const EVERYWHERE: &[&str] = &[
    "disabled",
    "participating",
    "watch",
    "global",
    "mention",
    "custom",
];
const LEVEL: &[Param] = &[one_of("level", EVERYWHERE)];
const EVENTS: &[Param] = &[
    boolean("new_release"),
    boolean("new_note"),
    boolean("new_issue"),
    boolean("reopen_issue"),
    boolean("close_issue"),
    boolean("reassign_issue"),
    boolean("issue_due"),
    boolean("new_merge_request"),
    boolean("push_to_merge_request"),
    boolean("reopen_merge_request"),
    boolean("close_merge_request"),
    boolean("reassign_merge_request"),
    boolean("change_reviewer_merge_request"),
    boolean("merge_merge_request"),
    boolean("failed_pipeline"),
    boolean("fixed_pipeline"),
    boolean("success_pipeline"),
    boolean("moved_project"),
    boolean("merge_when_pipeline_succeeds"),
    boolean("new_epic"),
];
/// Events that are on at level `custom` without having been switched.
const ON: &[&str] = &["failed_pipeline", "fixed_pipeline", "moved_project"];

pub(super) const ROUTES: &[Route] = &[
    get("notification_settings", Guard::User, show),
    put("notification_settings", Guard::User, update)
        .params(LEVEL)
        .also(EVENTS)
        .and(&[string("notification_email")]),
    get(
        "projects/:id/notification_settings",
        Guard::SignedInReader,
        show,
    ),
    put(
        "projects/:id/notification_settings",
        Guard::SignedInReader,
        update,
    )
    .params(LEVEL)
    .also(EVENTS),
    get("groups/:id/notification_settings", Guard::GroupReader, show),
    put(
        "groups/:id/notification_settings",
        Guard::GroupReader,
        update,
    )
    .params(LEVEL)
    .also(EVENTS),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let key = (user, ctx.place());
    let state = ctx.state();
    let settings = state.belongings.notification_settings.get(&key).cloned();
    let email = state.users.get(user).map(|user| user.email.clone());
    Ok(Response::ok(&entity(
        ctx,
        &settings.unwrap_or_default(),
        email,
    )))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let key = (user, ctx.place());
    let mut state = ctx.state();
    let email = state.users.get(user).map(|user| user.email.clone());
    let settings = state
        .belongings
        .notification_settings
        .entry(key)
        .or_default();
    if ctx.place() == Place::Instance && ctx.string("level") == Some("global") {
        return Err(ApiError::body(
            400,
            json!({ "message": { "level": ["is not included in the list"] } }),
        ));
    }
    if let Some(level) = ctx.string("level") {
        settings.level = Some(level.to_owned());
    }
    if let Some(email) = ctx.string("notification_email") {
        settings.notification_email = Some(email.to_owned());
    }
    for event in EVENTS {
        if let Some(wanted) = ctx.boolean(event.name) {
            settings.events.insert(event.name, wanted);
        }
    }
    let settings = settings.clone();
    Ok(Response::ok(&entity(ctx, &settings, email)))
}

fn entity(ctx: &Ctx<'_>, settings: &Notifications, email: Option<String>) -> Value {
    let global = ctx.place() == Place::Instance;
    let default = if global { "participating" } else { "global" };
    let level = settings.level.as_deref().unwrap_or(default);
    let mut body = json!({ "level": level });
    if global {
        body["notification_email"] = json!(settings.notification_email.clone().or(email));
    }
    if level == "custom" {
        let events: Map<String, Value> = EVENTS
            .iter()
            .map(|event| {
                let on = settings.events.get(event.name).copied();
                let on = on.unwrap_or_else(|| ON.contains(&event.name));
                (event.name.to_owned(), json!(on))
            })
            .collect();
        body["events"] = Value::Object(events);
    }
    body
}
