//! Announcements on every page.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integers, one_of, post, put, string,
};
use crate::store::State;
use crate::store::instance::{BroadcastContent, BroadcastMessage};

use super::overlay::overlaid;

const MESSAGE: &[Param] = &[string("message").required()];
const NEW_MESSAGE: &[Param] = &[string("message")];
const INSTANTS: &[Param] = &[string("starts_at"), string("ends_at")];
/// Fields of `BroadcastContent`.
const CONTENT: &[Param] = &[
    string("color"),
    string("font"),
    integers("target_access_levels"),
    string("target_path"),
    one_of("broadcast_type", &["banner", "notification"]),
    boolean("dismissable"),
    one_of(
        "theme",
        &[
            "indigo",
            "light-indigo",
            "blue",
            "light-blue",
            "green",
            "light-green",
            "red",
            "light-red",
            "dark",
            "light",
        ],
    ),
];

pub(super) const ROUTES: &[Route] = &[
    get("broadcast_messages", Guard::Open, index).paginated(),
    get("broadcast_messages/:id", Guard::Open, show),
    post("broadcast_messages", Guard::Admin, create)
        .params(MESSAGE)
        .also(INSTANTS)
        .and(CONTENT),
    put("broadcast_messages/:id", Guard::Admin, update)
        .params(NEW_MESSAGE)
        .also(INSTANTS)
        .and(CONTENT),
    delete("broadcast_messages/:id", Guard::Admin, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let mut rows: Vec<_> = state.instance.broadcast_messages.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.ends_at, row.id)));
    ctx.page(rows, |row| entity(ctx, row))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(ctx, find(ctx, &ctx.state())?)))
}

/// For an hour from now unless asked otherwise.
fn create(ctx: &Ctx<'_>) -> Answer {
    let content = changed(ctx, &BroadcastContent::default())?;
    let starts_at = ctx.instant("starts_at")?.unwrap_or_else(|| ctx.now());
    let in_an_hour = ctx.now().checked_add(SignedDuration::from_hours(1));
    let ends_at = ctx
        .instant("ends_at")?
        .or(in_an_hour.ok())
        .unwrap_or(starts_at);
    let mut state = ctx.state();
    let rows = &mut state.instance.broadcast_messages;
    let id = rows.insert(|id| BroadcastMessage {
        id,
        starts_at,
        ends_at,
        content,
    });
    let row = rows.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, row)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let (starts_at, ends_at) = (ctx.instant("starts_at")?, ctx.instant("ends_at")?);
    let mut state = ctx.state();
    let old = find(ctx, &state)?;
    let (id, content) = (old.id, changed(ctx, &old.content)?);
    let row = state.instance.broadcast_messages.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    row.content = content;
    row.starts_at = starts_at.unwrap_or(row.starts_at);
    row.ends_at = ends_at.unwrap_or(row.ends_at);
    Ok(Response::ok(&entity(ctx, row)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.instance.broadcast_messages.remove(id);
    Ok(Response::no_content())
}

fn changed(ctx: &Ctx<'_>, old: &BroadcastContent) -> Result<BroadcastContent, ApiError> {
    let content = overlaid(ctx, &overlaid(ctx, old, NEW_MESSAGE)?, CONTENT)?;
    let mut invalid = Invalid::default();
    if content.message.is_empty() {
        invalid.add("message", "can't be blank");
    }
    for (name, color) in [("color", &content.color), ("font", &content.font)] {
        if color
            .as_ref()
            .is_some_and(|color| !color.is_empty() && !color.starts_with('#'))
        {
            invalid.add(name, "must be a valid color code");
        }
    }
    invalid.check()?;
    Ok(content)
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a BroadcastMessage, ApiError> {
    let row = state
        .instance
        .broadcast_messages
        .get(ctx.path_number("id")?);
    row.ok_or_else(ApiError::not_found_plain)
}

fn entity(ctx: &Ctx<'_>, row: &BroadcastMessage) -> Value {
    let content = &row.content;
    json!({
        "id": row.id,
        "message": content.message,
        "starts_at": clock::iso(row.starts_at),
        "ends_at": clock::iso(row.ends_at),
        "color": content.color,
        "font": content.font,
        "target_access_levels": content.target_access_levels,
        "target_path": content.target_path,
        "broadcast_type": content.broadcast_type,
        "theme": content.theme,
        "dismissable": content.dismissable,
        "active": row.starts_at <= ctx.now() && ctx.now() < row.ends_at,
    })
}
