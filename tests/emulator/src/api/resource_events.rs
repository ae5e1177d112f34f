//! Who changed labels, state and milestone, and when.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get};
use crate::store::State;
use crate::store::resource_events::{Change, ResourceEvent, Via};

use super::noteable;
use super::{label_entity, milestones, users};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/issues/:noteable_iid/resource_label_events",
        READER,
        of_labels,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/resource_label_events/:event_id",
        READER,
        show,
    ),
    get(
        "projects/:id/issues/:noteable_iid/resource_state_events",
        READER,
        of_state,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/resource_state_events/:event_id",
        READER,
        show,
    ),
    get(
        "projects/:id/issues/:noteable_iid/resource_milestone_events",
        READER,
        of_milestone,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/resource_milestone_events/:event_id",
        READER,
        show,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_label_events",
        READER,
        of_labels,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_label_events/:event_id",
        READER,
        show,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_state_events",
        READER,
        of_state,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_state_events/:event_id",
        READER,
        show,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_milestone_events",
        READER,
        of_milestone,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/resource_milestone_events/:event_id",
        READER,
        show,
    ),
];

fn of_labels(ctx: &Ctx<'_>) -> Answer {
    list(ctx, |change| matches!(change, Change::Label { .. }))
}

fn of_state(ctx: &Ctx<'_>) -> Answer {
    list(ctx, |change| matches!(change, Change::State { .. }))
}

fn of_milestone(ctx: &Ctx<'_>) -> Answer {
    list(ctx, |change| matches!(change, Change::Milestone { .. }))
}

fn list(ctx: &Ctx<'_>, wanted: impl Fn(&Change) -> bool) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    let events = state
        .events_of(noteable)
        .filter(|event| wanted(&event.change));
    ctx.page(events, |event| entity(ctx, &state, event))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let id = ctx.path_number("event_id")?;
    let state = ctx.state();
    let event = state.events_of(noteable).find(|event| event.id == id);
    let event = event.ok_or_else(crate::errors::ApiError::not_found_plain)?;
    Ok(Response::ok(&entity(ctx, &state, event)))
}

fn entity(ctx: &Ctx<'_>, state: &State, event: &ResourceEvent) -> Value {
    let mut entity = json!({
        "id": event.id,
        "user": users::basic_by_id(state, event.user_id, ctx.url()),
        "created_at": clock::iso(event.created_at),
        "resource_type": event.noteable.type_name(),
        "resource_id": event.noteable.id(),
    });
    let action = |added: bool| if added { "add" } else { "remove" };
    match event.change {
        Change::Label { label_id, added } => {
            entity["label"] = state
                .labels
                .get(label_id)
                .map_or(Value::Null, label_entity::basic);
            entity["action"] = json!(action(added));
        }
        Change::Milestone {
            milestone_id,
            added,
        } => {
            entity["milestone"] = milestones::entity_by_id(ctx, state, Some(milestone_id));
            entity["action"] = json!(action(added));
        }
        Change::State { state } => {
            entity["state"] = json!(state);
            let (commit, merge_request) = match &event.via {
                Some(Via::Commit(sha)) => (Some(sha), None),
                Some(Via::MergeRequest(id)) => (None, Some(id)),
                None => (None, None),
            };
            entity["source_commit"] = json!(commit);
            entity["source_merge_request_id"] = json!(merge_request);
        }
    }
    entity
}
