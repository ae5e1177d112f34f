//! Access tokens of projects and groups: each belongs to a bot that is a member there.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, integer, list, post, string};
use crate::secret;
use crate::store::State;
use crate::store::members::Source;
use crate::store::tokens::{Token, TokenKind};

use super::personal_access_tokens::{entity, new_token};
use super::token_lists::{FILTERS, filtered, rotated};

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Owner);
const CREATE: &[Param] = &[
    string("name").required(),
    list("scopes").required(),
    string("expires_at").required(),
    integer("access_level"),
    string("description"),
];
const ROTATE: &[Param] = &[string("expires_at")];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/access_tokens", PROJECT, index)
        .params(FILTERS)
        .paginated(),
    get("projects/:id/access_tokens/:token_id", PROJECT, show),
    post("projects/:id/access_tokens", PROJECT, create).params(CREATE),
    post(
        "projects/:id/access_tokens/:token_id/rotate",
        PROJECT,
        rotate,
    )
    .params(ROTATE),
    delete("projects/:id/access_tokens/:token_id", PROJECT, revoke),
    get("groups/:id/access_tokens", GROUP, index)
        .params(FILTERS)
        .paginated(),
    get("groups/:id/access_tokens/:token_id", GROUP, show),
    post("groups/:id/access_tokens", GROUP, create).params(CREATE),
    post("groups/:id/access_tokens/:token_id/rotate", GROUP, rotate).params(ROTATE),
    delete("groups/:id/access_tokens/:token_id", GROUP, revoke),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = |token: &&Token| token.kind == kind(ctx);
    let found = filtered(ctx, state.tokens.iter().filter(own))?;
    ctx.page(found, |token| full(ctx, &state, token))
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
    let own = match source(ctx) {
        Source::Project(project) => access::in_project(&ctx.state(), ctx.caller.user(), project),
        Source::Group(group) => access::in_group(&ctx.state(), ctx.caller.user(), group),
    };
    if !own.at_least(role) {
        return Err(ApiError::bad_request(
            "Access level of the token can't be greater the access level of the user who created the token",
        ));
    }
    let token = new_token(ctx, 0, kind(ctx))?;
    let (of, id) = resource(ctx);
    let handle = format!("{of}_{id}_bot_{}", secret::fresh("").to_lowercase());
    let email = format!("{handle}@noreply.example.com");
    let mut state = ctx.state();
    let bot = state.add_user(&handle, &token.name, &email, ctx.now());
    if let Some(user) = state.users.get_mut(bot) {
        user.bot = true;
    }
    state.add_member(bot, source(ctx), role, ctx.now());
    let id = state.tokens.insert(|id| Token {
        id,
        user_id: bot,
        ..token
    });
    Ok(Response::created(&with_secret(ctx, &state, id)?))
}

fn rotate(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?.id;
    let new = rotated(ctx, &mut state, old)?;
    Ok(Response::ok(&with_secret(ctx, &state, new)?))
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

fn source(ctx: &Ctx<'_>) -> Source {
    if ctx.group() == 0 {
        Source::Project(ctx.project())
    } else {
        Source::Group(ctx.group())
    }
}

fn kind(ctx: &Ctx<'_>) -> TokenKind {
    match source(ctx) {
        Source::Project(project) => TokenKind::Project(project),
        Source::Group(group) => TokenKind::Group(group),
    }
}

fn resource(ctx: &Ctx<'_>) -> (&'static str, u64) {
    match source(ctx) {
        Source::Project(project) => ("project", project),
        Source::Group(group) => ("group", group),
    }
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Token, ApiError> {
    let token = state.tokens.get(ctx.path_number("token_id")?);
    let missing = || {
        let (of, id) = (resource(ctx).0, ctx.path("token_id"));
        let text = format!("Could not find {of} access token with token_id: {id}");
        ApiError::message(404, text)
    };
    token
        .filter(|token| token.kind == kind(ctx))
        .ok_or_else(missing)
}

fn with_secret(ctx: &Ctx<'_>, state: &State, id: u64) -> Result<Value, ApiError> {
    let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
    let mut body = full(ctx, state, token);
    body["token"] = json!(token.secret);
    Ok(body)
}

fn full(ctx: &Ctx<'_>, state: &State, token: &Token) -> Value {
    let mut entity = entity(ctx, token);
    let role = state.member_role(token.user_id, source(ctx));
    let (of, id) = resource(ctx);
    entity.insert("access_level".to_owned(), json!(role.map(Role::level)));
    entity.insert("resource_type".to_owned(), json!(of));
    entity.insert("resource_id".to_owned(), json!(id));
    Value::Object(entity)
}
