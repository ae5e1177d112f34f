//! Protected branches.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, integer, patch, post, string};
use crate::store::State;
use crate::store::protected_branches::ProtectedBranch;

const READER: Guard = Guard::Project(Role::Developer);
const KEEPER: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/protected_branches", READER, index)
        .params(&[string("search")])
        .paginated(),
    get("projects/:id/protected_branches/:name", READER, show),
    post("projects/:id/protected_branches", KEEPER, create).params(&[
        string("name").required(),
        integer("push_access_level"),
        integer("merge_access_level"),
        // Only kept for clients that send it: who may unprotect is a paid choice, Maintainers can.
        integer("unprotect_access_level"),
        boolean("allow_force_push"),
    ]),
    patch("projects/:id/protected_branches/:name", KEEPER, update)
        .params(&[boolean("allow_force_push")]),
    delete("projects/:id/protected_branches/:name", KEEPER, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let (state, project) = (ctx.state(), ctx.project());
    let rules = state.protected_branches.iter().filter(|rule| {
        rule.project_id == project
            && ctx
                .string("search")
                .is_none_or(|search| rule.name.contains(search))
    });
    ctx.page(rules, entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state)?;
    let rule = state.protected_branches.get(id).ok_or_else(missing)?;
    Ok(Response::ok(&entity(rule)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, project) = (ctx.state(), ctx.project());
    let name = ctx.string("name").unwrap_or_default();
    let taken = state
        .protected_branches
        .iter()
        .any(|rule| rule.project_id == project && rule.name == name);
    if taken {
        let text = format!("Protected branch '{name}' already exists");
        return Err(ApiError::message(409, text));
    }
    let push = access_level(ctx, "push_access_level")?;
    let merge = access_level(ctx, "merge_access_level")?;
    let id = state.protect_branch(project, name);
    let rule = state.protected_branches.get_mut(id).ok_or_else(missing)?;
    rule.push_access_levels = vec![push];
    rule.merge_access_levels = vec![merge];
    rule.allow_force_push = ctx.boolean("allow_force_push").unwrap_or(false);
    Ok(Response::created(&entity(rule)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?;
    let rule = state.protected_branches.get_mut(id).ok_or_else(missing)?;
    rule.allow_force_push = ctx
        .boolean("allow_force_push")
        .unwrap_or(rule.allow_force_push);
    Ok(Response::ok(&entity(rule)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?;
    state.protected_branches.remove(id);
    Ok(Response::no_content())
}

fn missing() -> ApiError {
    ApiError::not_found_plain()
}

fn find(ctx: &Ctx<'_>, state: &State) -> Result<u64, ApiError> {
    state
        .protected_branches
        .iter()
        .find(|rule| rule.project_id == ctx.project() && rule.name == ctx.path("name"))
        .map(|rule| rule.id)
        .ok_or_else(missing)
}

/// An access level as GitLab accepts it; Maintainers if none is sent.
pub(super) fn access_level(ctx: &Ctx<'_>, name: &str) -> Result<i64, ApiError> {
    match ctx.integer(name) {
        None => Ok(Role::Maintainer.level()),
        Some(level @ (0 | 30 | 40 | 60)) => Ok(level),
        Some(_) => Err(ApiError::error(
            400,
            format!("{name} does not have a valid value"),
        )),
    }
}

/// Access levels of a rule, numbered by the rule.
pub(super) fn access_levels(rule: u64, levels: &[i64]) -> Vec<Value> {
    let describe = |level: i64| match level {
        0 => "No one",
        30 => "Developers + Maintainers",
        60 => "Instance admins",
        _ => "Maintainers",
    };
    levels
        .iter()
        .map(|level| {
            json!({
                "id": rule,
                "access_level": level,
                "access_level_description": describe(*level),
                "deploy_key_id": Value::Null,
                "user_id": Value::Null,
                "group_id": Value::Null,
            })
        })
        .collect()
}

fn entity(rule: &ProtectedBranch) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "push_access_levels": access_levels(rule.id, &rule.push_access_levels),
        "merge_access_levels": access_levels(rule.id, &rule.merge_access_levels),
        "allow_force_push": rule.allow_force_push,
        "unprotect_access_levels": [],
        "code_owner_approval_required": false,
        "inherited": false,
    })
}
