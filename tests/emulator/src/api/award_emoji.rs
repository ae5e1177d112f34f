//! Emoji on issues, merge requests and comments on them.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, post, string};
use crate::store::State;
use crate::store::awards::Award;
use crate::store::notes::Noteable;

use super::noteable;
use super::notes;
use super::users;

const READER: Guard = Guard::ProjectReader;
const NAME: &[Param] = &[string("name").required()];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/issues/:noteable_iid/award_emoji",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/award_emoji/:award_id",
        READER,
        show,
    ),
    post(
        "projects/:id/issues/:noteable_iid/award_emoji",
        READER,
        create,
    )
    .params(NAME),
    delete(
        "projects/:id/issues/:noteable_iid/award_emoji/:award_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/award_emoji",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/award_emoji/:award_id",
        READER,
        show,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/award_emoji",
        READER,
        create,
    )
    .params(NAME),
    delete(
        "projects/:id/merge_requests/:noteable_iid/award_emoji/:award_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji/:award_id",
        READER,
        show,
    ),
    post(
        "projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji",
        READER,
        create,
    )
    .params(NAME),
    delete(
        "projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji/:award_id",
        READER,
        destroy,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji",
        READER,
        index,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji/:award_id",
        READER,
        show,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji",
        READER,
        create,
    )
    .params(NAME),
    delete(
        "projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji/:award_id",
        READER,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let (noteable, note) = subject(ctx)?;
    let state = ctx.state();
    ctx.page(awards(&state, noteable, note), |award| {
        entity(ctx, &state, award)
    })
}

/// The thing of the path, and the comment on it if the path names one.
fn subject(ctx: &Ctx<'_>) -> Result<(Noteable, Option<u64>), ApiError> {
    let noteable = noteable::find(ctx)?;
    if ctx.path("note_id").is_empty() {
        return Ok((noteable, None));
    }
    let state = ctx.state();
    let note = notes::find(ctx, &state, noteable)?;
    Ok((noteable, Some(note.id)))
}

fn awards(state: &State, noteable: Noteable, note: Option<u64>) -> Vec<&Award> {
    match note {
        Some(note) => state.awards_on_note(note).collect(),
        None => state.awards_on(noteable).collect(),
    }
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let state = ctx.state();
    let award = state.awards.get(id).ok_or_else(missing)?;
    Ok(Response::ok(&entity(ctx, &state, award)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user_id = ctx.user()?;
    let (noteable, note) = subject(ctx)?;
    let name = ctx
        .string("name")
        .unwrap_or_default()
        .trim_matches(':')
        .to_owned();
    let (mut state, created_at) = (ctx.state(), ctx.now());
    let mut given = awards(&state, noteable, note).into_iter();
    let known = given.any(|award| award.user_id == user_id && award.name == name);
    if name.is_empty() || known {
        let reason = if known {
            "Name has already been taken"
        } else {
            "Name is not a valid emoji name"
        };
        return Err(ApiError::message(
            404,
            format!("404 Award Emoji {reason} Not Found"),
        ));
    }
    if note.is_none() {
        state.finish_todos(user_id, noteable, created_at);
    }
    let id = state.awards.insert(|id| Award {
        id,
        project_id: ctx.project(),
        noteable,
        note_id: note,
        user_id,
        name,
        created_at,
    });
    let award = state.awards.get(id).ok_or_else(missing)?;
    Ok(Response::created(&entity(ctx, &state, award)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let id = find(ctx)?;
    let mut state = ctx.state();
    let own = state
        .awards
        .get(id)
        .is_some_and(|award| award.user_id == user);
    own.then_some(()).ok_or_else(ApiError::unauthorized)?;
    state.awards.remove(id);
    Ok(Response::no_content())
}

fn missing() -> ApiError {
    ApiError::not_found_plain()
}

fn find(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    let (noteable, note) = subject(ctx)?;
    let id = ctx.path_number("award_id")?;
    let state = ctx.state();
    let mut given = awards(&state, noteable, note).into_iter();
    let known = given.any(|award| award.id == id);
    known.then_some(id).ok_or_else(missing)
}

fn entity(ctx: &Ctx<'_>, state: &State, award: &Award) -> Value {
    json!({
        "id": award.id,
        "name": award.name,
        "user": users::basic_by_id(state, award.user_id, ctx.url()),
        "created_at": clock::iso(award.created_at),
        "updated_at": clock::iso(award.created_at),
        "awardable_id": award.note_id.unwrap_or(award.noteable.id()),
        "awardable_type": award.note_id.map_or(award.noteable.type_name(), |_| "Note"),
        "url": Value::Null,
    })
}
