//! Namespaces: groups and users' own, seen as one kind of thing.

use serde_json::{Value, json};

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, integer, string};
use crate::store::State;

use super::project_entity;

pub(super) const ROUTES: &[Route] = &[
    get("namespaces", Guard::User, index)
        .params(&[
            string("search"),
            boolean("owned_only"),
            boolean("top_level_only"),
        ])
        .paginated(),
    get("namespaces/:id", Guard::User, show),
    get("namespaces/:id/exists", Guard::User, exists).params(&[integer("parent_id")]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let search = ctx.string("search").unwrap_or_default().to_lowercase();
    let asked = |name: &str| ctx.boolean(name) == Some(true);
    let groups = state.groups.iter().filter(|group| {
        let role = access::in_group(&state, Some(user), group.id).role;
        let enough = if asked("owned_only") {
            role >= Some(access::Role::Owner)
        } else {
            role.is_some()
        };
        enough && (!asked("top_level_only") || group.parent_id.is_none())
    });
    let own = state.users.get(user).map(|user| user.namespace_id);
    let all = own.into_iter().chain(groups.map(|group| group.id));
    let found = all.filter(|id| {
        state.namespace_path(*id).to_lowercase().contains(&search)
            || state.namespace_name(*id).to_lowercase().contains(&search)
    });
    ctx.page(found, |id| entity(ctx, &state, id))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let missing = || ApiError::not_found("Namespace");
    let id = find(&state, ctx.path("id")).ok_or_else(missing)?;
    let own = state
        .users
        .get(user)
        .is_some_and(|user| user.admin || user.namespace_id == id);
    if own || access::in_group(&state, Some(user), id).can_read {
        Ok(Response::ok(&entity(ctx, &state, id)))
    } else {
        Err(missing())
    }
}

/// Is a path taken, and what would be free instead?
fn exists(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let (path, parent) = (ctx.path("id"), ctx.number("parent_id"));
    let taken = |path: &str| {
        let group = state
            .groups
            .iter()
            .any(|group| group.parent_id == parent && group.path.eq_ignore_ascii_case(path));
        group || (parent.is_none() && state.user_named(path).is_some())
    };
    let suggestion = (1..)
        .map(|number| format!("{path}{number}"))
        .find(|name| !taken(name));
    let suggests = suggestion.filter(|_| taken(path));
    Ok(Response::ok(
        &json!({ "exists": taken(path), "suggests": suggests.into_iter().collect::<Vec<_>>() }),
    ))
}

/// The id of a namespace given by number or full path.
pub(super) fn find(state: &State, id_or_path: &str) -> Option<u64> {
    let user = |id: u64| state.users.iter().any(|user| user.namespace_id == id);
    if let Ok(id) = id_or_path.parse::<u64>() {
        return (state.groups.get(id).is_some() || user(id)).then_some(id);
    }
    state
        .find_group(id_or_path)
        .map(|group| group.id)
        .or_else(|| state.user_named(id_or_path).map(|user| user.namespace_id))
}

fn entity(ctx: &Ctx<'_>, state: &State, id: u64) -> Value {
    let mut body = project_entity::namespace(state, id, ctx.url());
    let group = state.groups.get(id);
    if let Some(group) = group {
        body["members_count_with_descendants"] = state
            .members
            .iter()
            .filter(|member| member.source == crate::store::members::Source::Group(group.id))
            .count()
            .into();
    }
    body
}
