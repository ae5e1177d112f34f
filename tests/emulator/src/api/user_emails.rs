//! Further addresses of users.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, post, string};
use crate::store::State;
use crate::store::belongings::Email;

use super::users;

const EMAIL: &[Param] = &[string("email").required()];

pub(super) const ROUTES: &[Route] = &[
    get("user/emails", Guard::User, index).paginated(),
    get("user/emails/:email_id", Guard::User, show),
    post("user/emails", Guard::User, create).params(EMAIL),
    delete("user/emails/:email_id", Guard::User, destroy),
    get("users/:id/emails", Guard::Admin, index).paginated(),
    post("users/:id/emails", Guard::Admin, create)
        .params(EMAIL)
        .also(&[boolean("skip_confirmation")]),
    delete("users/:id/emails/:email_id", Guard::Admin, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = subject(ctx, &state)?;
    let own = state.belongings.emails.iter();
    ctx.page(own.filter(|row| row.user_id == user), entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let user = subject(ctx, &state)?;
    let email = ctx.string("email").unwrap_or_default().to_owned();
    let mut invalid = Invalid::default();
    if !email.contains('@') {
        invalid.add("email", "is invalid");
    }
    if users::is_taken_address(&state, &email, None) {
        invalid.add("email", "has already been taken");
    }
    invalid.check()?;
    // No mail is sent here, so only an administrator's word confirms an address.
    let confirmed_at = (ctx.boolean("skip_confirmation") == Some(true)).then(|| ctx.now());
    let id = state.belongings.emails.insert(|id| Email {
        id,
        user_id: user,
        email,
        confirmed_at,
    });
    let row = state.belongings.emails.get(id);
    Ok(Response::created(&entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.emails.remove(id);
    Ok(Response::no_content())
}

/// The user of the path, or the caller where the path names none.
pub(super) fn subject(ctx: &Ctx<'_>, state: &State) -> Result<u64, ApiError> {
    if ctx.path("id").is_empty() {
        ctx.user()
    } else {
        Ok(users::of_path(ctx, state)?.id)
    }
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Email, ApiError> {
    let user = subject(ctx, state)?;
    let row = state.belongings.emails.get(ctx.path_number("email_id")?);
    row.filter(|row| row.user_id == user)
        .ok_or_else(|| ApiError::not_found("Email"))
}

fn entity(row: &Email) -> Value {
    json!({
        "id": row.id,
        "email": row.email,
        "confirmed_at": row.confirmed_at.map(clock::iso),
    })
}
