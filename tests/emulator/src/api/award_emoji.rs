//! Emoji on issues, merge requests and snippets, and on the notes on them.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, post, string};
use crate::store::State;
use crate::store::awards::{Award, Awardable};
use crate::store::comments::Subject;

use super::{noteable, notes, snippets, users};

const READER: Guard = Guard::ProjectReader;
const NAME: &[Param] = &[string("name").required()];

const fn listed(pattern: &'static str) -> Route {
    get(pattern, READER, index).paginated()
}
const fn given(pattern: &'static str) -> Route {
    post(pattern, Guard::SignedInReader, create).params(NAME)
}
const fn shown(pattern: &'static str) -> Route {
    get(pattern, READER, show)
}
const fn taken_back(pattern: &'static str) -> Route {
    delete(pattern, Guard::SignedInReader, destroy)
}

pub(super) const ROUTES: &[Route] = &[
    listed("projects/:id/issues/:noteable_iid/award_emoji"),
    given("projects/:id/issues/:noteable_iid/award_emoji"),
    shown("projects/:id/issues/:noteable_iid/award_emoji/:award_id"),
    taken_back("projects/:id/issues/:noteable_iid/award_emoji/:award_id"),
    listed("projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji"),
    given("projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji"),
    shown("projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji/:award_id"),
    taken_back("projects/:id/issues/:noteable_iid/notes/:note_id/award_emoji/:award_id"),
    listed("projects/:id/merge_requests/:noteable_iid/award_emoji"),
    given("projects/:id/merge_requests/:noteable_iid/award_emoji"),
    shown("projects/:id/merge_requests/:noteable_iid/award_emoji/:award_id"),
    taken_back("projects/:id/merge_requests/:noteable_iid/award_emoji/:award_id"),
    listed("projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji"),
    given("projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji"),
    shown("projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji/:award_id"),
    taken_back("projects/:id/merge_requests/:noteable_iid/notes/:note_id/award_emoji/:award_id"),
    listed("projects/:id/snippets/:snippet_id/award_emoji"),
    given("projects/:id/snippets/:snippet_id/award_emoji"),
    shown("projects/:id/snippets/:snippet_id/award_emoji/:award_id"),
    taken_back("projects/:id/snippets/:snippet_id/award_emoji/:award_id"),
    listed("projects/:id/snippets/:snippet_id/notes/:note_id/award_emoji"),
    given("projects/:id/snippets/:snippet_id/notes/:note_id/award_emoji"),
    shown("projects/:id/snippets/:snippet_id/notes/:note_id/award_emoji/:award_id"),
    taken_back("projects/:id/snippets/:snippet_id/notes/:note_id/award_emoji/:award_id"),
];

/// What the path names, if the caller may read it.
fn target(ctx: &Ctx<'_>) -> Result<Awardable, ApiError> {
    let whole = if ctx.path("snippet_id").is_empty() {
        Awardable::Noteable(noteable::find(ctx)?)
    } else {
        Awardable::Snippet(snippets::of_project(ctx, &ctx.state())?.id)
    };
    if ctx.path("note_id").is_empty() {
        return Ok(whole);
    }
    let id = ctx.path_number("note_id")?;
    let state = ctx.state();
    let known = match whole {
        Awardable::Noteable(noteable) => notes::find(ctx, &state, noteable).is_ok(),
        Awardable::Snippet(snippet) => {
            let comment = state.comments.get(id);
            comment.is_some_and(|comment| comment.subject == Subject::Snippet(snippet))
        }
        Awardable::Note(_) => false,
    };
    known.then_some(Awardable::Note(id)).ok_or_else(missing)
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let target = target(ctx)?;
    let state = ctx.state();
    ctx.page(state.awards_to(target), |award| entity(ctx, &state, award))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let state = ctx.state();
    let award = state.awards.get(id).ok_or_else(missing)?;
    Ok(Response::ok(&entity(ctx, &state, award)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user_id = ctx.user()?;
    let target = target(ctx)?;
    let name = ctx
        .string("name")
        .unwrap_or_default()
        .trim_matches(':')
        .to_owned();
    let (mut state, created_at) = (ctx.state(), ctx.now());
    let known = state
        .awards_to(target)
        .any(|award| award.user_id == user_id && award.name == name);
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
    let id = state.awards.insert(|id| Award {
        id,
        project_id: ctx.project(),
        target,
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
    let target = target(ctx)?;
    let id = ctx.path_number("award_id")?;
    let state = ctx.state();
    let known = state.awards_to(target).any(|award| award.id == id);
    known.then_some(id).ok_or_else(missing)
}

fn entity(ctx: &Ctx<'_>, state: &State, award: &Award) -> Value {
    json!({
        "id": award.id,
        "name": award.name,
        "user": users::basic_by_id(state, award.user_id, ctx.url()),
        "created_at": clock::iso(award.created_at),
        "updated_at": clock::iso(award.created_at),
        "awardable_id": award.target.id(),
        "awardable_type": award.target.type_name(),
        "url": Value::Null,
    })
}
