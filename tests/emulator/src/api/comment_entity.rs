//! Comments on commits and snippets as answers show them: as notes, in threads, and in the older form of commits.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::store::State;
use crate::store::comments::{Comment, Subject};

use super::users;

pub(super) fn discussion(ctx: &Ctx<'_>, state: &State, subject: &Subject, id: &str) -> Value {
    let comments: Vec<&Comment> = state
        .comments_on(ctx.project(), subject)
        .filter(|comment| comment.discussion_id == id)
        .collect();
    json!({
        "id": id,
        "individual_note": comments.first().is_some_and(|comment| !comment.in_thread),
        "notes": comments.iter().map(|comment| entity(ctx, state, comment)).collect::<Vec<_>>(),
    })
}

/// A comment as the API writes notes.
pub(super) fn entity(ctx: &Ctx<'_>, state: &State, comment: &Comment) -> Value {
    let noteable_id = match comment.subject {
        Subject::Commit(_) => None,
        Subject::Snippet(id) => Some(id),
    };
    let kind = match (&comment.position, comment.in_thread) {
        (Some(_), _) => Some("DiffNote"),
        (None, in_thread) => in_thread.then_some("DiscussionNote"),
    };
    let mut entity = json!({
        "id": comment.id,
        "type": kind,
        "body": comment.body,
        "attachment": Value::Null,
        "author": users::basic_by_id(state, comment.author_id, ctx.url()),
        "created_at": clock::iso(comment.created_at),
        "updated_at": clock::iso(comment.updated_at),
        "system": false,
        "noteable_id": noteable_id,
        "noteable_type": comment.subject.type_name(),
        "noteable_iid": Value::Null,
        "project_id": comment.project_id,
        "resolvable": false,
        "confidential": false,
        "internal": false,
        "imported": false,
        "imported_from": "none",
        "commands_changes": Map::new(),
    });
    if let Some(position) = &comment.position {
        entity["position"] = position.value.clone();
    }
    entity
}

/// A comment in the older form of commits.
pub(super) fn commit_note(ctx: &Ctx<'_>, state: &State, comment: &Comment) -> Value {
    let line = comment.line.as_ref();
    json!({
        "note": comment.body,
        "path": line.map(|line| &line.path),
        "line": line.map(|line| line.number),
        "line_type": line.map(|line| &line.side),
        "author": users::basic_by_id(state, comment.author_id, ctx.url()),
        "created_at": clock::iso(comment.created_at),
    })
}
