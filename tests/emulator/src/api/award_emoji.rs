//! Emoji on issues and merge requests.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, post, string};
use crate::store::State;
use crate::store::awards::Award;

use super::noteable;
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
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find(ctx)?;
    let state = ctx.state();
    ctx.page(state.awards_on(noteable), |award| {
        entity(ctx, &state, award)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx)?;
    let state = ctx.state();
    let award = state.awards.get(id).ok_or_else(missing)?;
    Ok(Response::ok(&entity(ctx, &state, award)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user_id = ctx.user()?;
    let noteable = noteable::find(ctx)?;
    let name = ctx
        .string("name")
        .unwrap_or_default()
        .trim_matches(':')
        .to_owned();
    let (mut state, created_at) = (ctx.state(), ctx.now());
    let known = state
        .awards_on(noteable)
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
        noteable,
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
    let noteable = noteable::find(ctx)?;
    let id = ctx.path_number("award_id")?;
    let state = ctx.state();
    let known = state.awards_on(noteable).any(|award| award.id == id);
    known.then_some(id).ok_or_else(missing)
}

fn entity(ctx: &Ctx<'_>, state: &State, award: &Award) -> Value {
    json!({
        "id": award.id,
        "name": award.name,
        "user": users::basic_by_id(state, award.user_id, ctx.url()),
        "created_at": clock::iso(award.created_at),
        "updated_at": clock::iso(award.created_at),
        "awardable_id": award.noteable.id(),
        "awardable_type": award.noteable.type_name(),
        "url": Value::Null,
    })
}
