//! The steps between the states of a user: blocked, banned, deactivated, active; and following.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::engine;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, post};
use crate::store::users::User;

use super::users;

pub(super) const ROUTES: &[Route] = &[
    post("users/:id/block", Guard::Admin, block),
    post("users/:id/unblock", Guard::Admin, unblock),
    post("users/:id/deactivate", Guard::Admin, deactivate),
    post("users/:id/activate", Guard::Admin, activate),
    post("users/:id/ban", Guard::Admin, ban),
    post("users/:id/unban", Guard::Admin, unban),
    post("users/:id/approve", Guard::Admin, approve),
    post("users/:id/reject", Guard::Admin, reject),
    post("users/:id/follow", Guard::User, follow),
    post("users/:id/unfollow", Guard::User, unfollow),
    get("users/:id/followers", Guard::User, followers).paginated(),
    get("users/:id/following", Guard::User, following).paginated(),
];

/// What a step from the state of a user comes to.
enum Step {
    To(&'static str),
    /// Nothing changes, and this is the answer.
    Stay(Value),
    Refuse(u16, String),
}

fn forbidden(reason: &str) -> Step {
    Step::Refuse(403, format!("403 Forbidden - {reason}"))
}

fn take(ctx: &Ctx<'_>, decide: impl FnOnce(&User, bool) -> Step) -> Answer {
    let caller = ctx.user()?;
    let mut state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    match decide(user, id == caller) {
        Step::To(next) => {
            next.clone_into(&mut user.state);
            if matches!(next, "blocked" | "banned") {
                engine::block::end_work_of(&mut state, id, ctx.now());
            }
            Ok(Response::created(&json!(true)))
        }
        Step::Stay(answer) => Ok(Response::created(&answer)),
        Step::Refuse(status, text) => Err(ApiError::message(status, text)),
    }
}

fn block(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, own| match user.state.as_str() {
        _ if own => forbidden("The API initiating user cannot be blocked by the API"),
        "blocked" => Step::Stay(Value::Null),
        _ => Step::To("blocked"),
    })
}

fn unblock(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, _| match user.state.as_str() {
        "deactivated" => forbidden("Deactivated users cannot be unblocked by the API"),
        "blocked" => Step::To("active"),
        _ => Step::Stay(json!(false)),
    })
}

fn deactivate(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, own| match user.state.as_str() {
        "deactivated" => Step::Stay(Value::Null),
        "active" if !own => Step::To("deactivated"),
        "blocked" => forbidden("A blocked user cannot be deactivated by the API"),
        _ => forbidden(
            "The user you are trying to deactivate has been active in the past 90 days and cannot be deactivated",
        ),
    })
}

fn activate(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, _| match user.state.as_str() {
        "blocked" => forbidden("A blocked user must be unblocked to be activated"),
        "deactivated" => Step::To("active"),
        _ => Step::Stay(json!(true)),
    })
}

fn ban(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, own| match user.state.as_str() {
        "active" if !own => Step::To("banned"),
        state => Step::Refuse(403, format!("You cannot ban {state} users.")),
    })
}

fn unban(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |user, _| match user.state.as_str() {
        "banned" => Step::To("active"),
        state => Step::Refuse(403, format!("You cannot unban {state} users.")),
    })
}

/// Nobody waits for approval here: administrators make all users.
fn approve(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |_, _| {
        Step::Refuse(
            409,
            "The user you are trying to approve is not pending approval".to_owned(),
        )
    })
}

fn reject(ctx: &Ctx<'_>) -> Answer {
    take(ctx, |_, _| {
        Step::Refuse(409, "User does not have a pending request".to_owned())
    })
}

fn follow(ctx: &Ctx<'_>) -> Answer {
    set_following(ctx, true)
}

fn unfollow(ctx: &Ctx<'_>) -> Answer {
    set_following(ctx, false)
}

/// `304` if it was so already.
fn set_following(ctx: &Ctx<'_>, wanted: bool) -> Answer {
    let caller = ctx.user()?;
    let mut state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    if user.followers.contains(&caller) == wanted || caller == id {
        return Err(ApiError::message(304, "304 Not Modified"));
    }
    if wanted {
        user.followers.push(caller);
    } else {
        user.followers.retain(|follower| *follower != caller);
    }
    Ok(Response::created(&users::basic(user, ctx.url())))
}

fn followers(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = users::of_path(ctx, &state)?;
    ctx.page(user.followers.clone(), |id| {
        users::basic_by_id(&state, id, ctx.url())
    })
}

fn following(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let followed = state
        .users
        .iter()
        .filter(|user| user.followers.contains(&id));
    ctx.page(followed, |user| users::basic(user, ctx.url()))
}
