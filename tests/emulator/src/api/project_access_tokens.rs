//! Project access tokens: each belongs to a bot that is a member of the project.

use serde_json::{Value, json};

use crate::access::Role;
use crate::auth;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, integer, list, one_of, post, string};
use crate::secret;
use crate::store::State;
use crate::store::members::Source;
use crate::store::tokens::{Token, TokenKind};

use super::personal_access_tokens::{date, entity, new_token};

const GUARD: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/access_tokens", GUARD, index)
        .params(&[one_of("state", &["active", "inactive"])])
        .paginated(),
    get("projects/:id/access_tokens/:token_id", GUARD, show),
    post("projects/:id/access_tokens", GUARD, create).params(&[
        string("name").required(),
        list("scopes").required(),
        string("expires_at").required(),
        integer("access_level"),
        string("description"),
    ]),
    post("projects/:id/access_tokens/:token_id/rotate", GUARD, rotate)
        .params(&[string("expires_at")]),
    delete("projects/:id/access_tokens/:token_id", GUARD, revoke),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let active = |token: &Token| !token.revoked && !auth::is_expired(token, ctx.now());
    let wanted = |token: &&Token| {
        token.kind == TokenKind::Project(ctx.project())
            && ctx
                .string("state")
                .is_none_or(|wanted| active(token) == (wanted == "active"))
    };
    ctx.page(state.tokens.iter().filter(wanted), |token| {
        full(ctx, &state, token)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&full(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let level = ctx
        .integer("access_level")
        .unwrap_or(Role::Maintainer.level());
    let role = Role::from_level(level)
        .ok_or_else(|| ApiError::error(400, "access_level does not have a valid value"))?;
    if ctx.access().role < Some(role) {
        return Err(ApiError::bad_request(
            "Access level of the token can't be greater the access level of the user who created the token",
        ));
    }
    let token = new_token(ctx, 0, TokenKind::Project(ctx.project()))?;
    let (project, now) = (ctx.project(), ctx.now());
    let mut state = ctx.state();
    let handle = format!("project_{project}_bot_{}", secret::fresh("").to_lowercase());
    let bot = state.add_user(
        &handle,
        &token.name,
        &format!("{handle}@noreply.example.com"),
        now,
    );
    if let Some(user) = state.users.get_mut(bot) {
        user.bot = true;
    }
    state.add_member(bot, Source::Project(project), role, now);
    let id = state.tokens.insert(|id| Token {
        id,
        user_id: bot,
        ..token
    });
    with_secret(ctx, &state, id)
}

fn rotate(ctx: &Ctx<'_>) -> Answer {
    let expires_at = date(ctx, "expires_at")?;
    let mut state = ctx.state();
    let old = find(ctx, &state)?.clone();
    if old.revoked {
        return Err(ApiError::bad_request("token already revoked"));
    }
    if let Some(token) = state.tokens.get_mut(old.id) {
        token.revoked = true;
    }
    let in_a_week = crate::clock::day(ctx.now()).saturating_add(jiff::Span::new().days(7));
    let id = state.tokens.insert(|id| Token {
        id,
        secret: secret::fresh("glpat-"),
        created_at: ctx.now(),
        expires_at: Some(expires_at.unwrap_or(in_a_week)),
        ..old
    });
    let answer = with_secret(ctx, &state, id)?;
    Ok(Response {
        status: 200,
        ..answer
    })
}

fn revoke(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let token = find(ctx, &state)?.clone();
    if let Some(token) = state.tokens.get_mut(token.id) {
        token.revoked = true;
    }
    state
        .members
        .retain(|member| member.user_id != token.user_id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Token, ApiError> {
    let token = state.tokens.get(ctx.path_number("token_id")?);
    token
        .filter(|token| token.kind == TokenKind::Project(ctx.project()))
        .ok_or_else(|| {
            ApiError::message(
                404,
                format!(
                    "Could not find project access token with token_id: {}",
                    ctx.path("token_id")
                ),
            )
        })
}

fn with_secret(ctx: &Ctx<'_>, state: &State, id: u64) -> Answer {
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = full(ctx, state, token);
    body["token"] = json!(token.secret);
    Ok(Response::created(&body))
}

fn full(ctx: &Ctx<'_>, state: &State, token: &Token) -> Value {
    let mut entity = entity(ctx, token);
    let role = state.member_role(token.user_id, Source::Project(ctx.project()));
    entity.insert("access_level".to_owned(), json!(role.map(Role::level)));
    entity.insert("resource_type".to_owned(), json!("project"));
    entity.insert("resource_id".to_owned(), json!(ctx.project()));
    Value::Object(entity)
}
