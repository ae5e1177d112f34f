//! Deploy tokens of projects and groups.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, list, post, string};
use crate::secret;
use crate::store::State;
use crate::store::belongings::DeployToken;

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Owner);
const ACTIVE: &[Param] = &[boolean("active")];
const CREATE: &[Param] = &[
    string("name").required(),
    list("scopes").required(),
    string("expires_at"),
    string("username"),
];
const SCOPES: &[&str] = &[
    "read_repository",
    "read_registry",
    "write_registry",
    "read_virtual_registry",
    "write_virtual_registry",
    "read_package_registry",
    "write_package_registry",
];

pub(super) const ROUTES: &[Route] = &[
    get("deploy_tokens", Guard::Admin, all)
        .params(ACTIVE)
        .paginated(),
    get("projects/:id/deploy_tokens", PROJECT, index)
        .params(ACTIVE)
        .paginated(),
    get("projects/:id/deploy_tokens/:token_id", PROJECT, show),
    post("projects/:id/deploy_tokens", PROJECT, create).params(CREATE),
    delete("projects/:id/deploy_tokens/:token_id", PROJECT, revoke),
    get("groups/:id/deploy_tokens", GROUP, index)
        .params(ACTIVE)
        .paginated(),
    get("groups/:id/deploy_tokens/:token_id", GROUP, show),
    post("groups/:id/deploy_tokens", GROUP, create).params(CREATE),
    delete("groups/:id/deploy_tokens/:token_id", GROUP, revoke),
];

fn all(ctx: &Ctx<'_>) -> Answer {
    page(ctx, |_| true)
}

fn index(ctx: &Ctx<'_>) -> Answer {
    page(ctx, |row| row.place == ctx.place())
}

fn page(ctx: &Ctx<'_>, wanted: impl Fn(&DeployToken) -> bool) -> Answer {
    let state = ctx.state();
    let now = ctx.now();
    let rows = state.belongings.deploy_tokens.iter();
    let rows = rows.filter(|row| {
        wanted(row)
            && ctx
                .boolean("active")
                .is_none_or(|active| is_active(row, now) == active)
    });
    ctx.page(rows, |row| entity(row, now))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(find(ctx, &state)?, ctx.now())))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let expires_at = ctx.instant("expires_at")?;
    let scopes = ctx.list("scopes").unwrap_or_default();
    if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(ApiError::error(400, "scopes does not have a valid value"));
    }
    if scopes.is_empty() {
        return Err(ApiError::message(400, "Scopes can't be blank"));
    }
    let mut state = ctx.state();
    let id = state.belongings.deploy_tokens.insert(|id| DeployToken {
        id,
        place: ctx.place(),
        name: ctx.string("name").unwrap_or_default().to_owned(),
        username: ctx
            .string("username")
            .filter(|name| !name.is_empty())
            .map_or_else(|| format!("gitlab+deploy-token-{id}"), str::to_owned),
        secret: secret::fresh("gldt-"),
        scopes,
        expires_at,
        revoked: false,
    });
    let row = state.belongings.deploy_tokens.get(id);
    let row = row.ok_or_else(ApiError::internal)?;
    let mut body = entity(row, ctx.now());
    body["token"] = json!(row.secret);
    Ok(Response::created(&body))
}

/// The row is gone, and with it the token.
fn revoke(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.deploy_tokens.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a DeployToken, ApiError> {
    let id = ctx.path_number("token_id")?;
    let row = state.belongings.deploy_tokens.get(id);
    row.filter(|row| row.place == ctx.place())
        .ok_or_else(ApiError::not_found_plain)
}

fn is_active(row: &DeployToken, now: Timestamp) -> bool {
    !row.revoked && row.expires_at.is_none_or(|at| at > now)
}

fn entity(row: &DeployToken, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "username": row.username,
        "expires_at": row.expires_at.map(clock::iso),
        "scopes": row.scopes,
        "revoked": row.revoked,
        "expired": row.expires_at.is_some_and(|at| at <= now),
    })
}
