//! Subscribing to issues and merge requests, and putting them on one's list of things to do.

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, post};
use crate::store::notes::Noteable;
use crate::store::todos::TodoAction;

use super::{issues, merge_requests, noteable, todos};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/issues/:noteable_iid/subscribe",
        READER,
        subscribe,
    ),
    post(
        "projects/:id/issues/:noteable_iid/unsubscribe",
        READER,
        unsubscribe,
    ),
    post("projects/:id/issues/:noteable_iid/todo", READER, todo),
    post(
        "projects/:id/merge_requests/:noteable_iid/subscribe",
        READER,
        subscribe,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/unsubscribe",
        READER,
        unsubscribe,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/todo",
        READER,
        todo,
    ),
];

fn subscribe(ctx: &Ctx<'_>) -> Answer {
    choose(ctx, true)
}

fn unsubscribe(ctx: &Ctx<'_>) -> Answer {
    choose(ctx, false)
}

fn choose(ctx: &Ctx<'_>, subscribed: bool) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find_plain(ctx)?;
    {
        let mut state = ctx.state();
        if state.is_subscribed(user, noteable) == subscribed {
            return Ok(not_modified());
        }
        state.subscribe(user, noteable, ctx.project(), subscribed);
    }
    let entity = match noteable {
        Noteable::Issue(id) => issues::shown(ctx, id)?,
        Noteable::MergeRequest(id) => merge_requests::shown(ctx, id)?,
    };
    Ok(Response::created(&entity))
}

fn todo(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find_plain(ctx)?;
    let mut state = ctx.state();
    let action = TodoAction::Marked;
    let Some(id) = state.add_todo(user, noteable, user, action, None, ctx.now()) else {
        return Ok(not_modified());
    };
    let todo = state.todos.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&todos::entity(ctx, &state, todo)))
}

fn not_modified() -> Response {
    Response {
        status: 304,
        ..Response::no_content()
    }
}
