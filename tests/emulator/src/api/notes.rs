//! Comments on issues and merge requests. What a comment commands is executed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::message::Response;
use crate::quick_actions::{self, Outcome};
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::notes::{Note, Noteable, Position};

use super::instants::instant;
use super::noteable;
use super::suggestions;
use super::users;

const READER: Guard = Guard::ProjectReader;
const LIST: &[Param] = &[
    one_of("sort", &["asc", "desc"]),
    one_of("order_by", &["created_at", "updated_at"]),
    one_of(
        "activity_filter",
        &["all_notes", "only_comments", "only_activity"],
    ),
];
const CREATE: &[Param] = &[
    string("body").required(),
    boolean("internal"),
    boolean("confidential"),
    string("created_at"),
];
const MERGE_HEAD: &[Param] = &[string("merge_request_diff_head_sha")];
const UPDATE: &[Param] = &[string("body").required(), boolean("confidential")];
const MAX_BODY: usize = 1_000_000;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/issues/:noteable_iid/notes", READER, index)
        .params(LIST)
        .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/notes/:note_id",
        READER,
        show,
    ),
    post("projects/:id/issues/:noteable_iid/notes", READER, create).params(CREATE),
    put(
        "projects/:id/issues/:noteable_iid/notes/:note_id",
        READER,
        update,
    )
    .params(UPDATE),
    delete(
        "projects/:id/issues/:noteable_iid/notes/:note_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/notes",
        READER,
        index,
    )
    .params(LIST)
    .paginated()
    .job_token(),
    get(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id",
        READER,
        show,
    )
    .job_token(),
    post(
        "projects/:id/merge_requests/:noteable_iid/notes",
        READER,
        create,
    )
    .params(CREATE)
    .also(MERGE_HEAD),
    put(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id",
        READER,
        update,
    )
    .params(UPDATE),
    delete(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id",
        READER,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    let wanted = ctx.string("activity_filter").unwrap_or("all_notes");
    let mut notes: Vec<&Note> = state
        .notes_on(noteable)
        .filter(|note| wanted == "all_notes" || note.system == (wanted == "only_activity"))
        .filter(|note| may_read(ctx, &state, note))
        .collect();
    if ctx.string("order_by") == Some("updated_at") {
        notes.sort_by_key(|note| (note.updated_at, note.id));
    } else {
        notes.sort_by_key(|note| (note.created_at, note.id));
    }
    if ctx.string("sort") != Some("asc") {
        notes.reverse();
    }
    ctx.page(notes, |note| entity(ctx, &state, note))
}

/// Is the note for the caller's eyes? Internal ones are for members from Planner on.
pub(super) fn may_read(ctx: &Ctx<'_>, state: &State, note: &Note) -> bool {
    let user = ctx.caller.user();
    !note.internal
        || user == Some(note.author_id)
        || access::in_project(state, user, note.project_id).at_least(Role::Planner)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    let note = find(ctx, &state, noteable)?;
    Ok(Response::ok(&entity(ctx, &state, note)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    write(ctx, noteable, Place::default())
}

/// Where a new note goes.
#[derive(Default)]
pub(super) struct Place<'a> {
    /// The thread it belongs to.
    pub(super) thread: Option<&'a str>,
    pub(super) position: Option<Position>,
    /// Like the thread it answers.
    pub(super) internal: bool,
}

/// Adds the comment of the request, alone or to a thread, and does what it commands.
pub(super) fn write(ctx: &Ctx<'_>, noteable: Noteable, place: Place<'_>) -> Answer {
    let user = ctx.user()?;
    let (id, outcome) = match add(ctx, user, noteable, place)? {
        Added::Note(id, outcome) => (id, outcome),
        Added::OnlyCommands(outcome) => return only_commands(outcome),
    };
    let state = ctx.state();
    let note = state.notes.get(id).ok_or_else(ApiError::internal)?;
    let mut entity = entity(ctx, &state, note);
    entity["commands_changes"] = Value::Object(outcome.changes);
    Ok(Response::created(&entity))
}

/// What became of a comment.
pub(super) enum Added {
    Note(u64, Outcome),
    OnlyCommands(Outcome),
}

/// `429` for a user who writes more than the limit allows.
fn check_rate(state: &State, user: u64, now: Timestamp) -> Result<(), ApiError> {
    let Some(limit) = state.limits.notes_per_minute else {
        return Ok(());
    };
    let minute = SignedDuration::from_mins(1);
    let lately = state.notes.iter().filter(|note| {
        note.author_id == user && !note.system && now.duration_since(note.created_at) < minute
    });
    if lately.count() < limit {
        return Ok(());
    }
    let text = "This endpoint has been requested too many times. Try again later.";
    Err(ApiError::body(429, json!({ "message": { "error": text } })))
}

/// Adds the comment of the request; gives its id.
pub(super) fn add(
    ctx: &Ctx<'_>,
    user: u64,
    noteable: Noteable,
    place: Place<'_>,
) -> Result<Added, ApiError> {
    let now = ctx.now();
    let body = checked_body(ctx)?;
    let head = ctx.string("merge_request_diff_head_sha");
    let parsed = quick_actions::parse(body);
    check_rate(&ctx.state(), user, now)?;
    if is_locked(&ctx.state(), user, noteable) {
        return Err(ApiError::forbidden());
    }
    if parsed.text.is_empty() && !parsed.commands.is_empty() {
        let outcome = quick_actions::execute(ctx.shared, user, noteable, &parsed.commands, head);
        return Ok(Added::OnlyCommands(outcome));
    }
    let created_at = instant(ctx, "created_at")?;
    let id = {
        let mut state = ctx.state();
        let id = issuables::comment(
            &mut state,
            ctx.url(),
            noteable,
            user,
            now,
            &parsed.text,
            place.thread,
        );
        let project = issuables::project_of(&state, noteable);
        let access = access::in_project(&state, Some(user), project);
        if let Some(note) = state.notes.get_mut(id) {
            let internal = ctx.boolean("internal").or(ctx.boolean("confidential"));
            let internal = internal.unwrap_or(false) && access.at_least(Role::Planner);
            note.internal = internal || place.internal;
            note.position = place.position;
            if let Some(at) = created_at.filter(|_| access.at_least(Role::Owner)) {
                (note.created_at, note.updated_at) = (at, at);
            }
        }
        id
    };
    crate::suggestions::read(ctx.shared, id)?;
    let outcome = quick_actions::execute(ctx.shared, user, noteable, &parsed.commands, head);
    Ok(Added::Note(id, outcome))
}

fn checked_body<'a>(ctx: &'a Ctx<'_>) -> Result<&'a str, ApiError> {
    let body = ctx.string("body").unwrap_or_default();
    if body.trim().is_empty() {
        return Err(ApiError::bad_request("Note {:note=>[\"can't be blank\"]}"));
    }
    if body.chars().count() > MAX_BODY {
        let text = format!("Note {{:note=>[\"is too long (maximum is {MAX_BODY} characters)\"]}}");
        return Err(ApiError::bad_request(&text));
    }
    Ok(body)
}

/// A locked discussion is for members.
fn is_locked(state: &State, user: u64, noteable: Noteable) -> bool {
    let locked = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get(id)
            .and_then(|issue| issue.discussion_locked),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get(id);
            row.and_then(|row| row.discussion_locked)
        }
    };
    let project = issuables::project_of(state, noteable);
    locked == Some(true)
        && access::in_project(state, Some(user), project)
            .role
            .is_none()
}

/// `202` with what was done, or `400` with what could not be done; there is no note.
pub(super) fn only_commands(outcome: Outcome) -> Answer {
    if !outcome.errors.is_empty() {
        return Err(ApiError::bad_request(&outcome.errors.join(", ")));
    }
    let body = json!({ "commands_changes": outcome.changes, "summary": outcome.summary });
    Ok(Response::json(202, &body))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let id = {
        let state = ctx.state();
        let note = find(ctx, &state, noteable)?;
        authorize(&state, user, note)?;
        note.id
    };
    let parsed = quick_actions::parse(checked_body(ctx)?);
    let commands = &parsed.commands;
    if parsed.text.is_empty() && !commands.is_empty() {
        ctx.state().notes.remove(id);
        return only_commands(quick_actions::execute(
            ctx.shared, user, noteable, commands, None,
        ));
    }
    {
        let (mut state, now) = (ctx.state(), ctx.now());
        if let Some(note) = state.notes.get_mut(id) {
            note.body.clone_from(&parsed.text);
            note.updated_at = now;
        }
        issuables::call(&mut state, noteable, user, now, &parsed.text, Some(id));
        issuables::mention(&mut state, ctx.url(), noteable, user, now, &parsed.text);
    }
    crate::suggestions::read(ctx.shared, id)?;
    let outcome = quick_actions::execute(ctx.shared, user, noteable, commands, None);
    let state = ctx.state();
    let note = state.notes.get(id).ok_or_else(ApiError::not_found_plain)?;
    let mut entity = entity(ctx, &state, note);
    entity["commands_changes"] = Value::Object(outcome.changes);
    Ok(Response::ok(&entity))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let mut state = ctx.state();
    let note = find(ctx, &state, noteable)?;
    authorize(&state, user, note)?;
    ctx.check_unmodified(note.updated_at)?;
    let id = note.id;
    state.notes.remove(id);
    Ok(Response::no_content())
}

/// Only its author and Maintainers change a note, and nobody those of the system.
pub(super) fn authorize(state: &State, user: u64, note: &Note) -> Result<(), ApiError> {
    let access = access::in_project(state, Some(user), note.project_id);
    let may = note.author_id == user || access.at_least(Role::Maintainer);
    (may && !note.system)
        .then_some(())
        .ok_or_else(ApiError::forbidden)
}

/// The note of the path.
pub(super) fn find<'a>(
    ctx: &Ctx<'_>,
    state: &'a State,
    noteable: Noteable,
) -> Result<&'a Note, ApiError> {
    let id = ctx.path_number("note_id")?;
    state
        .notes
        .get(id)
        .filter(|note| note.noteable == noteable && may_read(ctx, state, note))
        .ok_or_else(ApiError::not_found_plain)
}

/// A note as the API writes it.
pub(super) fn entity(ctx: &Ctx<'_>, state: &State, note: &Note) -> Value {
    let mut entity = json!({
        "id": note.id,
        "type": note.kind(),
        "body": note.body,
        "attachment": Value::Null,
        "author": users::basic_by_id(state, note.author_id, ctx.url()),
        "created_at": clock::iso(note.created_at),
        "updated_at": clock::iso(note.updated_at),
        "system": note.system,
        "noteable_id": note.noteable.id(),
        "noteable_type": note.noteable.type_name(),
        "noteable_iid": issuables::iid_of(state, note.noteable),
        "project_id": note.project_id,
        "resolvable": note.is_resolvable(),
        "confidential": note.internal,
        "internal": note.internal,
        "imported": false,
        "imported_from": "none",
        "commands_changes": Map::new(),
    });
    if let Some(position) = &note.position {
        entity["position"] = position.value.clone();
        if matches!(note.noteable, Noteable::MergeRequest(_)) {
            let own = state
                .suggestions
                .iter()
                .filter(|row| row.note_id == note.id);
            entity["commit_id"] = Value::Null;
            entity["suggestions"] = own.map(|row| suggestions::entity(state, row)).collect();
        }
    }
    if note.is_resolvable() {
        entity["resolved"] = json!(note.resolved_at.is_some());
        entity["resolved_by"] = note
            .resolved_by
            .map_or(Value::Null, |id| users::basic_by_id(state, id, ctx.url()));
        entity["resolved_at"] = json!(note.resolved_at.map(clock::iso));
    }
    entity
}
