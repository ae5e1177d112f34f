//! Protected tags.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, integer, post, string};
use crate::store::State;
use crate::store::protected_tags::ProtectedTag;

use super::protected_branches::{access_level, access_levels};

const KEEPER: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/protected_tags", KEEPER, index).paginated(),
    get("projects/:id/protected_tags/:name", KEEPER, show),
    post("projects/:id/protected_tags", KEEPER, create)
        .params(&[string("name").required(), integer("create_access_level")]),
    delete("projects/:id/protected_tags/:name", KEEPER, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let rules = state
        .protected_tags
        .iter()
        .filter(|rule| rule.project_id == ctx.project());
    ctx.page(rules, entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, project_id) = (ctx.state(), ctx.project());
    let name = ctx.string("name").unwrap_or_default().to_owned();
    let taken = state
        .protected_tags
        .iter()
        .any(|rule| rule.project_id == project_id && rule.name == name);
    if taken {
        let text = format!("Protected tag '{name}' already exists");
        return Err(ApiError::message(409, text));
    }
    let create_access_levels = vec![access_level(ctx, "create_access_level")?];
    let id = state.protected_tags.insert(|id| ProtectedTag {
        id,
        project_id,
        name,
        create_access_levels,
    });
    let rule = state
        .protected_tags
        .get(id)
        .ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(rule)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.protected_tags.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a ProtectedTag, ApiError> {
    state
        .protected_tags
        .iter()
        .find(|rule| rule.project_id == ctx.project() && rule.name == ctx.path("name"))
        .ok_or_else(ApiError::not_found_plain)
}

fn entity(rule: &ProtectedTag) -> Value {
    json!({
        "name": rule.name,
        "create_access_levels": access_levels(rule.id, &rule.create_access_levels),
    })
}
