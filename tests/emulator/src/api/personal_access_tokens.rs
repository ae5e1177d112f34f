//! Personal access tokens: the one in use, those of users, and creation by an administrator.

use jiff::Span;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::auth::{self, Caller};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, integer, list, post, string};
use crate::secret;
use crate::store::State;
use crate::store::tokens::{Token, TokenKind};

use super::token_lists::{FILTERS, filtered, rotated};

/// The scopes a token may have.
pub(super) const SCOPES: &[&str] = &[
    "api",
    "read_api",
    "read_user",
    "create_runner",
    "manage_runner",
    "k8s_proxy",
    "self_rotate",
    "read_repository",
    "write_repository",
    "read_registry",
    "write_registry",
    "ai_features",
    "sudo",
    "admin_mode",
];

pub(super) const ROUTES: &[Route] = &[
    get("personal_access_tokens", Guard::User, index)
        .params(FILTERS)
        .also(&[integer("user_id")])
        .paginated(),
    get("personal_access_tokens/self", Guard::User, own).any_scope(),
    delete("personal_access_tokens/self", Guard::User, revoke_own).any_scope(),
    post(
        "personal_access_tokens/self/rotate",
        Guard::User,
        rotate_own,
    )
    .params(&[string("expires_at")])
    .any_scope(),
    get("personal_access_tokens/:token_id", Guard::User, show),
    delete("personal_access_tokens/:token_id", Guard::User, revoke),
    post(
        "personal_access_tokens/:token_id/rotate",
        Guard::User,
        rotate,
    )
    .params(&[string("expires_at")]),
    post(
        "users/:user_id/personal_access_tokens",
        Guard::Admin,
        create,
    )
    .params(&[
        string("name").required(),
        list("scopes").required(),
        string("expires_at"),
        string("description"),
    ]),
];

/// Administrators see all tokens, others their own.
fn index(ctx: &Ctx<'_>) -> Answer {
    let caller = ctx.user()?;
    let state = ctx.state();
    let admin = is_admin(&state, caller);
    let wanted = ctx.number("user_id");
    if !admin && wanted.is_some_and(|user| user != caller) {
        return Err(ApiError::unauthorized());
    }
    let user = if admin { wanted } else { Some(caller) };
    let of_user = |token: &&Token| {
        token.kind != TokenKind::Impersonation && user.is_none_or(|user| token.user_id == user)
    };
    let found = filtered(ctx, state.tokens.iter().filter(of_user))?;
    ctx.page(found, |token| Value::Object(entity(ctx, token)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let token = find(ctx, &state)?;
    Ok(Response::ok(&Value::Object(entity(ctx, token))))
}

fn revoke(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    if let Some(token) = state.tokens.get_mut(id) {
        token.revoked = true;
    }
    Ok(Response::no_content())
}

fn rotate(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?.id;
    let new = rotated(ctx, &mut state, old)?;
    Ok(Response::ok(&with_secret(ctx, &state, new)?))
}

/// A token that renews itself needs a scope for it.
fn rotate_own(ctx: &Ctx<'_>) -> Answer {
    let id = own_id(ctx)?;
    let mut state = ctx.state();
    let allowed = state.tokens.get(id).is_some_and(|token| {
        let scopes = &token.scopes;
        scopes
            .iter()
            .any(|scope| scope == "api" || scope == "self_rotate")
    });
    if !allowed {
        return Err(ApiError::forbidden());
    }
    let new = rotated(ctx, &mut state, id)?;
    Ok(Response::ok(&with_secret(ctx, &state, new)?))
}

/// The token of the path if the caller may handle it; only administrators learn that one is missing.
fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Token, ApiError> {
    let caller = ctx.user()?;
    let id = ctx.path_number("token_id")?;
    let admin = is_admin(state, caller);
    match state.tokens.get(id) {
        Some(token) if admin || token.user_id == caller => Ok(token),
        Some(_) | None if !admin => Err(ApiError::unauthorized()),
        Some(_) | None => Err(ApiError::message(404, "404 Not Found")),
    }
}

fn is_admin(state: &State, user: u64) -> bool {
    state.users.get(user).is_some_and(|user| user.admin)
}

fn own(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let token = state
        .tokens
        .get(own_id(ctx)?)
        .ok_or_else(ApiError::unauthorized)?;
    Ok(Response::ok(&Value::Object(entity(ctx, token))))
}

fn revoke_own(ctx: &Ctx<'_>) -> Answer {
    let id = own_id(ctx)?;
    if let Some(token) = ctx.state().tokens.get_mut(id) {
        token.revoked = true;
    }
    Ok(Response::no_content())
}

fn own_id(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    match &ctx.caller {
        Caller::User { token, .. } => Ok(*token),
        Caller::Anonymous | Caller::Job { .. } => Err(ApiError::unauthorized()),
    }
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.path_number("user_id")?;
    let mut state = ctx.state();
    state
        .users
        .get(user)
        .ok_or_else(|| ApiError::not_found("User"))?;
    let token = new_token(ctx, user, TokenKind::Personal)?;
    let id = state.tokens.insert(|id| Token { id, ..token });
    Ok(Response::created(&with_secret(ctx, &state, id)?))
}

fn with_secret(ctx: &Ctx<'_>, state: &State, id: u64) -> Result<Value, ApiError> {
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = entity(ctx, token);
    body.insert("token".to_owned(), json!(token.secret));
    Ok(Value::Object(body))
}

/// A token with the parameters of the request, not stored yet.
pub(super) fn new_token(ctx: &Ctx<'_>, user_id: u64, kind: TokenKind) -> Result<Token, ApiError> {
    let scopes = ctx.list("scopes").unwrap_or_default();
    if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(ApiError::error(400, "scopes does not have a valid value"));
    }
    let in_a_year = clock::day(ctx.now()).saturating_add(Span::new().days(365));
    Ok(Token {
        id: 0,
        user_id,
        kind,
        name: ctx.string("name").unwrap_or_default().to_owned(),
        description: ctx.string("description").map(str::to_owned),
        secret: secret::fresh("glpat-"),
        scopes,
        created_at: ctx.now(),
        // Every token ends: a year is the longest, and what one gets without a wish.
        expires_at: Some(date(ctx, "expires_at")?.unwrap_or(in_a_year)),
        revoked: false,
        last_used_at: None,
    })
}

/// A parameter that is a day.
pub(super) fn date(ctx: &Ctx<'_>, name: &str) -> Result<Option<Date>, ApiError> {
    let Some(text) = ctx.string(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_error| ApiError::error(400, format!("{name} is invalid")))
}

/// The fields of a token without its secret.
pub(super) fn entity(ctx: &Ctx<'_>, token: &Token) -> serde_json::Map<String, Value> {
    let active = !token.revoked && !auth::is_expired(token, ctx.now());
    let entity = json!({
        "id": token.id,
        "name": token.name,
        "revoked": token.revoked,
        "created_at": clock::iso(token.created_at),
        "description": token.description,
        "scopes": token.scopes,
        "user_id": token.user_id,
        "last_used_at": token.last_used_at.map(clock::iso),
        "active": active,
        "expires_at": token.expires_at.map(|day| day.to_string()),
    });
    entity.as_object().cloned().unwrap_or_default()
}
