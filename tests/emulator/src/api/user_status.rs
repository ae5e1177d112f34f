//! What users are busy with, their preferences, and how much waits for them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::html;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, get, one_of, patch, put, string};
use crate::store::merge_requests::MergeRequestState;
use crate::store::profiles::{Profile, UserStatus};

use super::overlay::overlaid;
use super::ssh_keys::named_user;

const STATUS: &[Param] = &[
    string("emoji"),
    string("message"),
    one_of("availability", &["not_set", "busy"]),
    one_of(
        "clear_status_after",
        &[
            "30_minutes",
            "3_hours",
            "8_hours",
            "1_day",
            "3_days",
            "7_days",
            "30_days",
        ],
    ),
];
const PREFERENCES: &[Param] = &[
    boolean("view_diffs_file_by_file"),
    boolean("show_whitespace_in_diffs"),
    boolean("pass_user_identities_to_ci_jwt"),
];

pub(super) const ROUTES: &[Route] = &[
    get("user/status", Guard::User, show_own),
    put("user/status", Guard::User, replace).params(STATUS),
    patch("user/status", Guard::User, update).params(STATUS),
    get("users/:user_id/status", Guard::Open, show),
    get("user/preferences", Guard::User, preferences),
    put("user/preferences", Guard::User, set_preferences).params(PREFERENCES),
    get("user_counts", Guard::User, counts),
];

fn show_own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let user = state
        .users
        .get_mut(user)
        .ok_or_else(ApiError::unauthorized)?;
    Ok(Response::ok(&entity(ctx, &user.status)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = named_user(ctx, &state)?;
    let user = state.users.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&entity(ctx, &user.status)))
}

/// What is not sent is emptied.
fn replace(ctx: &Ctx<'_>) -> Answer {
    set(ctx, UserStatus::default())
}

/// What is not sent stays.
fn update(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let old = ctx.state().users.get(user).map(|user| user.status.clone());
    set(ctx, old.unwrap_or_default())
}

fn set(ctx: &Ctx<'_>, mut status: UserStatus) -> Answer {
    if ctx.given("emoji") {
        status.emoji = ctx.string("emoji").map(str::to_owned);
    }
    if ctx.given("message") {
        status.message = ctx.string("message").map(str::to_owned);
    }
    if let Some(availability) = ctx.string("availability") {
        status.busy = availability == "busy";
    }
    if ctx.given("clear_status_after") {
        status.clear_at = ctx
            .string("clear_status_after")
            .and_then(duration)
            .and_then(|after| ctx.now().checked_add(after).ok());
    }
    let user = ctx.user()?;
    let mut state = ctx.state();
    let user = state
        .users
        .get_mut(user)
        .ok_or_else(ApiError::unauthorized)?;
    user.status = status;
    Ok(Response::ok(&entity(ctx, &user.status)))
}

/// `3_hours` and the like.
fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_once('_')?;
    let number: i64 = number.parse().ok()?;
    match unit {
        "minutes" => Some(SignedDuration::from_mins(number)),
        "hours" => Some(SignedDuration::from_hours(number)),
        _ => Some(SignedDuration::from_hours(24 * number)),
    }
}

/// A status whose time is over is as good as none.
fn entity(ctx: &Ctx<'_>, status: &UserStatus) -> Value {
    let over = status.clear_at.is_some_and(|at| at <= ctx.now());
    let status = if over {
        UserStatus::default()
    } else {
        status.clone()
    };
    let set = status.message.is_some() || status.emoji.is_some();
    json!({
        "emoji": status.emoji.or_else(|| set.then(|| "speech_balloon".to_owned())),
        "message": status.message,
        "availability": if status.busy { "busy" } else { "not_set" },
        "message_html": status.message.as_deref().map(html::escaped).unwrap_or_default(),
        "clear_status_at": status.clear_at.map(clock::iso),
    })
}

fn preferences(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let row = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    Ok(Response::ok(&preferences_entity(user, &row.profile)))
}

fn set_preferences(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let row = state
        .users
        .get_mut(user)
        .ok_or_else(ApiError::unauthorized)?;
    row.profile = overlaid(ctx, &row.profile, PREFERENCES)?;
    Ok(Response::ok(&preferences_entity(user, &row.profile)))
}

fn preferences_entity(user: u64, profile: &Profile) -> Value {
    json!({
        "id": user,
        "user_id": user,
        "view_diffs_file_by_file": profile.view_diffs_file_by_file,
        "show_whitespace_in_diffs": profile.show_whitespace_in_diffs,
        "pass_user_identities_to_ci_jwt": profile.pass_user_identities_to_ci_jwt,
    })
}

fn counts(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let open = || {
        state
            .merge_requests
            .iter()
            .filter(|row| row.state == MergeRequestState::Opened)
    };
    let assigned = open()
        .filter(|row| row.assignee_ids.contains(&user))
        .count();
    let reviewed = open()
        .filter(|row| row.reviewer_ids.contains(&user))
        .count();
    let issues = state
        .issues
        .iter()
        .filter(|row| row.open && row.assignee_ids.contains(&user));
    Ok(Response::ok(&json!({
        "merge_requests": assigned,
        "assigned_issues": issues.count(),
        "assigned_merge_requests": assigned,
        "review_requested_merge_requests": reviewed,
        "todos": 0,
    })))
}
