//! Tokens with which administrators act as a user, and the short-lived ones users make for themselves.

use jiff::Span;
use serde_json::{Value, json};

use crate::auth;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, list, one_of, post, string};
use crate::store::State;
use crate::store::tokens::{Token, TokenKind};

use super::personal_access_tokens::{entity, new_token};

pub(super) const ROUTES: &[Route] = &[
    get("users/:user_id/impersonation_tokens", Guard::Admin, index)
        .params(&[one_of("state", &["all", "active", "inactive"])])
        .paginated(),
    get(
        "users/:user_id/impersonation_tokens/:token_id",
        Guard::Admin,
        show,
    ),
    post("users/:user_id/impersonation_tokens", Guard::Admin, create).params(&[
        string("name").required(),
        string("description"),
        string("expires_at"),
        list("scopes"),
    ]),
    delete(
        "users/:user_id/impersonation_tokens/:token_id",
        Guard::Admin,
        revoke,
    ),
    post("user/personal_access_tokens", Guard::User, create_own).params(&[
        string("name").required(),
        list("scopes").required(),
        string("description"),
        string("expires_at"),
    ]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = subject(ctx, &state)?;
    let active = |token: &Token| !token.revoked && !auth::is_expired(token, ctx.now());
    let wanted = |token: &&Token| match ctx.string("state") {
        Some("active") => active(token),
        Some("inactive") => !active(token),
        Some(_) | None => true,
    };
    let own = state
        .tokens
        .iter()
        .filter(|token| token.user_id == user && token.kind == TokenKind::Impersonation);
    ctx.page(own.filter(wanted), |token| shown(ctx, token))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&shown(ctx, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let user = subject(ctx, &state)?;
    let mut token = new_token(ctx, user, TokenKind::Impersonation)?;
    if token.scopes.is_empty() {
        token.scopes.push("api".to_owned());
    }
    let id = state.tokens.insert(|id| Token { id, ..token });
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = shown(ctx, token);
    body["token"] = json!(token.secret);
    Ok(Response::created(&body))
}

fn revoke(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    if let Some(token) = state.tokens.get_mut(id) {
        token.revoked = true;
    }
    Ok(Response::no_content())
}

/// Only what cannot reach the API, and for a day unless asked for longer.
fn create_own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let scopes = ctx.list("scopes").unwrap_or_default();
    let harmless = |scope: &String| scope == "k8s_proxy" || scope == "self_rotate";
    if !scopes.iter().all(harmless) {
        return Err(ApiError::error(400, "scopes does not have a valid value"));
    }
    let mut token = new_token(ctx, user, TokenKind::Personal)?;
    if ctx.string("expires_at").is_none() {
        let tomorrow = clock::day(ctx.now()).saturating_add(Span::new().days(1));
        token.expires_at = Some(tomorrow);
    }
    let mut state = ctx.state();
    let id = state.tokens.insert(|id| Token { id, ..token });
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = entity(ctx, token);
    body.insert("token".to_owned(), json!(token.secret));
    Ok(Response::created(&Value::Object(body)))
}

fn subject(ctx: &Ctx<'_>, state: &State) -> Result<u64, ApiError> {
    let user = state.users.get(ctx.path_number("user_id")?);
    Ok(user.ok_or_else(|| ApiError::not_found("User"))?.id)
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Token, ApiError> {
    let user = subject(ctx, state)?;
    let token = state.tokens.get(ctx.path_number("token_id")?);
    token
        .filter(|token| token.user_id == user && token.kind == TokenKind::Impersonation)
        .ok_or_else(|| ApiError::not_found("Impersonation Token"))
}

fn shown(ctx: &Ctx<'_>, token: &Token) -> Value {
    let mut body = entity(ctx, token);
    body.insert("impersonation".to_owned(), json!(true));
    Value::Object(body)
}
