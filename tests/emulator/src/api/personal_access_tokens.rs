//! Personal access tokens: the one in use, and creation by an administrator.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::auth::{self, Caller};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, list, post, string};
use crate::secret;
use crate::store::tokens::{Token, TokenKind};

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
    get("personal_access_tokens/self", Guard::User, own).any_scope(),
    delete("personal_access_tokens/self", Guard::User, revoke_own).any_scope(),
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
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = entity(ctx, token);
    body.insert("token".to_owned(), json!(token.secret));
    Ok(Response::created(&Value::Object(body)))
}

/// A token with the parameters of the request, not stored yet.
pub(super) fn new_token(ctx: &Ctx<'_>, user_id: u64, kind: TokenKind) -> Result<Token, ApiError> {
    let scopes = ctx.list("scopes").unwrap_or_default();
    if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(ApiError::error(400, "scopes does not have a valid value"));
    }
    Ok(Token {
        id: 0,
        user_id,
        kind,
        name: ctx.string("name").unwrap_or_default().to_owned(),
        description: ctx.string("description").map(str::to_owned),
        secret: secret::fresh("glpat-"),
        scopes,
        created_at: ctx.now(),
        expires_at: date(ctx, "expires_at")?,
        revoked: false,
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
        "last_used_at": Value::Null,
        "active": active,
        "expires_at": token.expires_at.map(|day| day.to_string()),
    });
    entity.as_object().cloned().unwrap_or_default()
}
