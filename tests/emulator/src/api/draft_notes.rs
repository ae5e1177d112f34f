//! Draft notes: what a reviewer has written and nobody else sees yet.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::diff_positions;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::resolving;
use crate::reviewing;
use crate::router::{Answer, Guard, Param, Route, any, boolean, delete, get, post, put, string};
use crate::store::State;
use crate::store::notes::{DraftNote, Noteable, Position};

use super::merge_requests;

const READER: Guard = Guard::SignedInReader;
const FIELDS: &[Param] = &[
    string("in_reply_to_discussion_id"),
    string("commit_id"),
    boolean("resolve_discussion"),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes",
        READER,
        index,
    ),
    get(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes/:draft_note_id",
        READER,
        show,
    ),
    post(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes",
        READER,
        create,
    )
    .params(FIELDS)
    .also(&[string("note").required(), any("position")]),
    put(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes/:draft_note_id",
        READER,
        update,
    )
    .params(&[string("note"), any("position")]),
    delete(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes/:draft_note_id",
        READER,
        destroy,
    ),
    put(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes/:draft_note_id/publish",
        READER,
        publish,
    ),
    post(
        "projects/:id/merge_requests/:merge_request_iid/draft_notes/bulk_publish",
        READER,
        publish_all,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let (user, row) = (ctx.user()?, merge_requests::find(ctx)?);
    let state = ctx.state();
    let own = state
        .draft_notes
        .iter()
        .filter(|note| note.merge_request_id == row.id && note.author_id == user);
    Ok(Response::ok(&own.map(entity).collect()))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    rendered(&ctx.state(), id).map(|entity| Response::ok(&entity))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, row) = (ctx.user()?, merge_requests::find(ctx)?);
    let repository = ctx.shared.repository(ctx.project());
    let position = position(ctx)?;
    let commit = ctx.string("commit_id").filter(|sha| *sha != "undefined");
    let mut invalid = Invalid::default();
    if let Some(sha) = commit
        && repository.resolve(sha)?.is_none()
    {
        invalid.add("commit_id", "does not exist");
    }
    let mut state = ctx.state();
    let noteable = Noteable::MergeRequest(row.id);
    let thread = ctx
        .string("in_reply_to_discussion_id")
        .filter(|id| !id.is_empty());
    let resolve = ctx.boolean("resolve_discussion").unwrap_or(false);
    if let Some(thread) = thread {
        let mut notes = state.notes_on(noteable);
        match notes.find(|note| note.discussion_id == thread) {
            None => invalid.add("base", "Thread to reply to cannot be found"),
            Some(note) if note.system => {
                invalid.add("base", "Replies to system notes are not allowed");
            }
            Some(_) => {}
        }
    }
    let may_resolve = resolving::may_resolve(&state, user, noteable)
        && state
            .notes_on(noteable)
            .any(|note| Some(note.discussion_id.as_str()) == thread && note.is_resolvable());
    if resolve && !may_resolve && invalid.is_empty() {
        invalid.add("base", "User is not allowed to resolve thread");
    }
    invalid.check()?;
    let id = state.draft_notes.insert(|id| DraftNote {
        id,
        project_id: row.project_id,
        merge_request_id: row.id,
        author_id: user,
        body: ctx.string("note").unwrap_or_default().to_owned(),
        discussion_id: thread.map(str::to_owned),
        resolve_discussion: resolve,
        commit_id: commit.map(str::to_owned),
        position,
    });
    rendered(&state, id).map(|entity| Response::created(&entity))
}

fn position(ctx: &Ctx<'_>) -> Result<Option<Position>, ApiError> {
    let Some(sent) = ctx.value("position") else {
        return Ok(None);
    };
    let read = diff_positions::read(sent)?;
    let repository = ctx.shared.repository(ctx.project());
    let placed = diff_positions::place(&repository, read);
    let invalid =
        json!({ "message": { "line_code": ["can't be blank", "must be a valid line code"] } });
    placed.map(Some).map_err(|error| match error.status {
        400 => ApiError::body(400, invalid),
        _ => error,
    })
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let text = ctx.string("note").filter(|text| !text.is_empty());
    let Some(text) = text else {
        return Err(ApiError::bad_request("Missing params to modify"));
    };
    let id = find(ctx)?;
    let position = position(ctx)?;
    let mut state = ctx.state();
    if let Some(note) = state.draft_notes.get_mut(id) {
        text.clone_into(&mut note.body);
        note.position = position;
    }
    rendered(&state, id).map(|entity| Response::ok(&entity))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    ctx.state().draft_notes.remove(id);
    Ok(Response::no_content())
}

fn publish(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    reviewing::publish(ctx.shared, &[id])?;
    Ok(Response::no_content())
}

fn publish_all(ctx: &Ctx<'_>) -> Answer {
    let (user, row) = (ctx.user()?, merge_requests::find(ctx)?);
    let ids = reviewing::drafts_of(&ctx.state(), user, row.id);
    reviewing::publish(ctx.shared, &ids)?;
    Ok(Response::no_content())
}

/// The caller's own draft of the path.
fn find(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    let (user, row) = (ctx.user()?, merge_requests::find(ctx)?);
    let id = ctx.path_number("draft_note_id")?;
    let state = ctx.state();
    let note = state.draft_notes.get(id);
    note.filter(|note| note.merge_request_id == row.id && note.author_id == user)
        .map(|note| note.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn rendered(state: &State, id: u64) -> Result<Value, ApiError> {
    let note = state.draft_notes.get(id);
    note.map(entity).ok_or_else(ApiError::internal)
}

fn entity(note: &DraftNote) -> Value {
    let nowhere = json!({
        "base_sha": null, "start_sha": null, "head_sha": null, "old_path": null, "new_path": null,
        "position_type": "text", "old_line": null, "new_line": null, "line_range": null,
    });
    let position = note.position.as_ref();
    json!({
        "id": note.id,
        "author_id": note.author_id,
        "merge_request_id": note.merge_request_id,
        "resolve_discussion": note.resolve_discussion,
        "discussion_id": note.discussion_id,
        "note": note.body,
        "commit_id": note.commit_id,
        "line_code": position.and_then(|position| position.line_code.clone()),
        "position": position.map_or(nowhere, |position| position.value.clone()),
    })
}
