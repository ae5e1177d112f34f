//! What is done with labels beside changing them: subscribing, and promoting one of a project to its group.

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, post, put, string};
use crate::store::holders::Holder;
use crate::store::labels::Label;

use super::label_entity;
use super::labels::{find, find_in, holder, rendered};

const MEMBER: Guard = Guard::SignedInReader;

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/labels/:name/subscribe", MEMBER, subscribe),
    post("projects/:id/labels/:name/unsubscribe", MEMBER, unsubscribe),
    post(
        "groups/:id/labels/:name/subscribe",
        Guard::GroupReader,
        subscribe,
    ),
    post(
        "groups/:id/labels/:name/unsubscribe",
        Guard::GroupReader,
        unsubscribe,
    ),
    put(
        "projects/:id/labels/:name/promote",
        Guard::Project(Role::Planner),
        promote,
    ),
    // The older form, with the name in the body.
    put(
        "projects/:id/labels/promote",
        Guard::Project(Role::Planner),
        promote,
    )
    .params(&[string("name").required()]),
];

fn subscribe(ctx: &Ctx<'_>) -> Answer {
    choose(ctx, true)
}

fn unsubscribe(ctx: &Ctx<'_>) -> Answer {
    choose(ctx, false)
}

fn choose(ctx: &Ctx<'_>, subscribed: bool) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let holders = state.holder_and_above(holder(ctx));
    let id = find_in(ctx, &state, &holders)?;
    let label = state.labels.get_mut(id).ok_or_else(ApiError::internal)?;
    if label.subscribers.contains(&user) == subscribed {
        return Ok(Response {
            status: 304,
            ..Response::no_content()
        });
    }
    if subscribed {
        label.subscribers.push(user);
    } else {
        label.subscribers.retain(|other| *other != user);
    }
    rendered(ctx, &state, id).map(|entity| Response::created(&entity))
}

/// The label moves up to the group, and takes the place of the labels of its name in the group's projects.
fn promote(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let old = find(ctx, &state)?;
    let label = state
        .labels
        .get(old)
        .cloned()
        .ok_or_else(ApiError::internal)?;
    let group = state
        .groups_above(ctx.project())
        .next()
        .ok_or_else(|| ApiError::message(400, "Failed to promote project label to group label"))?;
    if !access::in_group(&state, Some(user), group).at_least(Role::Planner) {
        return Err(ApiError::forbidden());
    }
    let holder = Holder::Group(group);
    let known = state
        .own_labels(holder)
        .find(|other| other.name == label.name);
    let id = match known.map(|known| known.id) {
        Some(known) => known,
        None => state.labels.insert(|id| Label {
            id,
            holder,
            priority: None,
            ..label.clone()
        }),
    };
    let below = state.holders_below(group);
    let same = state.labels.iter().filter(|other| {
        other.id != id && other.name == label.name && below.contains(&other.holder)
    });
    let same: Vec<u64> = same.map(|other| other.id).collect();
    for other in same {
        state.replace_label(other, id);
    }
    let label = state.labels.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&label_entity::full(ctx, label, holder)))
}
