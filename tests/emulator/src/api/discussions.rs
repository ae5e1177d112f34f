//! Threads of comments on issues and merge requests; those on merge requests can be resolved.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::diff_positions;
use crate::errors::ApiError;
use crate::issuables;
use crate::merge_requests::auto_merge;
use crate::message::Response;
use crate::resolving;
use crate::router::{Answer, Guard, Param, Route, any, boolean, delete, get, post, put, string};
use crate::secret;
use crate::store::State;
use crate::store::notes::{Note, Noteable};

use super::noteable;
use super::notes::{self, Added, Place};

const READER: Guard = Guard::ProjectReader;
const BODY: &[Param] = &[string("body").required(), string("created_at")];
const POSITION: &[Param] = &[any("position"), string("commit_id")];
const CHANGE: &[Param] = &[string("body"), boolean("resolved")];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/issues/:noteable_iid/discussions",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id",
        READER,
        show,
    ),
    post(
        "projects/:id/issues/:noteable_iid/discussions",
        READER,
        create,
    )
    .params(BODY),
    post(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id/notes",
        READER,
        reply,
    )
    .params(BODY),
    put(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        update,
    )
    .params(CHANGE),
    delete(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/discussions",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id",
        READER,
        show,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/discussions",
        READER,
        create,
    )
    .params(BODY)
    .also(POSITION),
    put(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id",
        READER,
        resolve,
    )
    .params(&[boolean("resolved").required()]),
    post(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id/notes",
        READER,
        reply,
    )
    .params(BODY),
    put(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        update,
    )
    .params(CHANGE),
    delete(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id/notes",
        READER,
        replies,
    ),
    get(
        "projects/:id/issues/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        show_note,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id/notes",
        READER,
        replies,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/discussions/:discussion_id/notes/:note_id",
        READER,
        show_note,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    let mut ids: Vec<&str> = Vec::new();
    let visible = |note: &&Note| notes::may_read(ctx, &state, note);
    for note in state.notes_on(noteable).filter(visible) {
        if !ids.contains(&note.discussion_id.as_str()) {
            ids.push(&note.discussion_id);
        }
    }
    ctx.page(ids, |id| entity(ctx, &state, noteable, id))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    shown(ctx, noteable, ctx.path("discussion_id")).map(|entity| Response::ok(&entity))
}

fn shown(ctx: &Ctx<'_>, noteable: Noteable, id: &str) -> Result<Value, ApiError> {
    let state = ctx.state();
    let known = state
        .notes_on(noteable)
        .any(|note| note.discussion_id == id && notes::may_read(ctx, &state, note));
    known
        .then_some(())
        .ok_or_else(|| ApiError::not_found("Discussion"))?;
    Ok(entity(ctx, &state, noteable, id))
}

fn replies(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let missing = |_error| ApiError::not_found("Notes");
    let thread = shown(ctx, noteable, ctx.path("discussion_id")).map_err(missing)?;
    Ok(Response::ok(&thread["notes"]))
}

fn show_note(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    let note = notes::find(ctx, &state, noteable)?;
    Ok(Response::ok(&notes::entity(ctx, &state, note)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let position = match ctx.value("position") {
        Some(sent) => {
            let read = diff_positions::read(sent)?;
            let repository = ctx.shared.repository(ctx.project());
            Some(diff_positions::place(&repository, read)?)
        }
        None => None,
    };
    let id = secret::discussion_id();
    let place = Place {
        thread: Some(&id),
        position,
        internal: false,
    };
    match notes::add(ctx, user, noteable, place)? {
        Added::Note(..) => Ok(Response::created(&shown(ctx, noteable, &id)?)),
        Added::OnlyCommands(outcome) => notes::only_commands(outcome),
    }
}

fn reply(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let id = ctx.path("discussion_id");
    shown(ctx, noteable, id)?;
    let (position, internal) = {
        let state = ctx.state();
        let mut thread = state
            .notes_on(noteable)
            .filter(|note| note.discussion_id == id);
        let first = thread.next().filter(|note| !note.system);
        let refused = || ApiError::bad_request("Discussion can not be replied to.");
        let first = first.ok_or_else(refused)?;
        (first.position.clone(), first.internal)
    };
    // A lone comment becomes a thread with its first reply.
    for note in ctx.state().notes.iter_mut() {
        if note.noteable == noteable && note.discussion_id == id {
            note.in_thread = true;
        }
    }
    let place = Place {
        thread: Some(id),
        position,
        internal,
    };
    notes::write(ctx, noteable, place)
}

fn resolve(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let id = ctx.path("discussion_id");
    shown(ctx, noteable, id)?;
    set_resolved(ctx, user, noteable, |note| note.discussion_id == id)?;
    Ok(Response::ok(&shown(ctx, noteable, id)?))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let id = notes::find(ctx, &ctx.state(), noteable)?.id;
    if ctx.given("body") == ctx.given("resolved") {
        let text = "body, resolved are missing, exactly one parameter must be provided";
        return Err(ApiError::error(400, text));
    }
    if ctx.given("resolved") {
        set_resolved(ctx, user, noteable, |note| note.id == id)?;
    } else {
        let mut state = ctx.state();
        notes::authorize(&state, user, notes::find(ctx, &state, noteable)?)?;
        if let Some(note) = state.notes.get_mut(id) {
            ctx.string("body")
                .unwrap_or_default()
                .clone_into(&mut note.body);
            note.updated_at = ctx.now();
        }
        drop(state);
        crate::suggestions::read(ctx.shared, id)?;
    }
    let state = ctx.state();
    let note = state.notes.get(id).ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::ok(&notes::entity(ctx, &state, note)))
}

fn set_resolved(
    ctx: &Ctx<'_>,
    user: u64,
    noteable: Noteable,
    chosen: impl Fn(&Note) -> bool,
) -> Result<(), ApiError> {
    let resolved = ctx.boolean("resolved").unwrap_or(true);
    let iid = {
        let (mut state, now) = (ctx.state(), ctx.now());
        let resolvable = state
            .notes_on(noteable)
            .any(|note| note.is_resolvable() && chosen(note));
        (resolving::may_resolve(&state, user, noteable) && resolvable)
            .then_some(())
            .ok_or_else(ApiError::forbidden)?;
        resolving::set(&mut state, noteable, resolved, user, now, chosen);
        issuables::iid_of(&state, noteable)
    };
    auto_merge::merge_if_ready(ctx.shared, ctx.project(), iid);
    Ok(())
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let mut state = ctx.state();
    let note = notes::find(ctx, &state, noteable)?;
    notes::authorize(&state, user, note)?;
    let id = note.id;
    state.notes.remove(id);
    Ok(Response::no_content())
}

fn entity(ctx: &Ctx<'_>, state: &State, noteable: Noteable, id: &str) -> Value {
    let notes: Vec<&Note> = state
        .notes_on(noteable)
        .filter(|note| note.discussion_id == id && notes::may_read(ctx, state, note))
        .collect();
    json!({
        "id": id,
        "individual_note": notes.first().is_some_and(|note| !note.in_thread),
        "notes": notes.iter().map(|note| notes::entity(ctx, state, note)).collect::<Vec<_>>(),
    })
}
