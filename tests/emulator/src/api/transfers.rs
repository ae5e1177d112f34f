//! Projects and groups that move to another namespace.

use serde_json::Value;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, get, integer, post, put, string};
use crate::store::State;

use super::{group_entity, groups, namespaces, project_entity, sharing};

const SEARCH: &[Param] = &[string("search")];

pub(super) const ROUTES: &[Route] = &[
    put(
        "projects/:id/transfer",
        Guard::Project(Role::Owner),
        move_project,
    )
    .params(&[string("namespace").required()]),
    get(
        "projects/:id/transfer_locations",
        Guard::Project(Role::Owner),
        locations,
    )
    .params(SEARCH)
    .paginated(),
    post("groups/:id/transfer", Guard::Group(Role::Owner), move_group)
        .params(&[integer("group_id")]),
    get(
        "groups/:id/transfer_locations",
        Guard::Group(Role::Owner),
        locations,
    )
    .params(SEARCH)
    .paginated(),
];

fn move_project(ctx: &Ctx<'_>) -> Answer {
    let wish = ctx.string("namespace").unwrap_or_default();
    let mut state = ctx.state();
    let missing = || ApiError::not_found("Namespace");
    let namespace = namespaces::find(&state, wish).ok_or_else(missing)?;
    let user = ctx.user()?;
    let own = state
        .users
        .get(user)
        .is_some_and(|user| user.namespace_id == namespace);
    let access = access::in_group(&state, Some(user), namespace);
    if !own && !access.can_read {
        return Err(missing());
    }
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let refused = |text: &str| Err(ApiError::message(400, text));
    if !own && !access.at_least(Role::Maintainer) {
        return refused("You don't have permission to transfer projects into that namespace.");
    }
    if project.namespace_id == namespace {
        return refused("Project is already in this namespace.");
    }
    let taken = state.projects.iter().any(|other| {
        other.namespace_id == namespace
            && (other.path.eq_ignore_ascii_case(&project.path) || other.name == project.name)
    });
    if taken {
        return refused("Project with same name or path in target namespace already exists");
    }
    let id = project.id;
    if let Some(project) = state.projects.get_mut(id) {
        project.namespace_id = namespace;
        project.updated_at = ctx.now();
    }
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&project_entity::full(ctx, &state, project)))
}

/// Without a group it becomes one of the top level.
fn move_group(ctx: &Ctx<'_>) -> Answer {
    let parent = match ctx.number("group_id") {
        Some(id) => Some(ctx.find_group(&id.to_string())?),
        None => None,
    };
    let mut state = ctx.state();
    let group = state.groups.get(ctx.group());
    let group = group.ok_or_else(|| ApiError::not_found("Group"))?;
    let refused = |text: &str| Err(ApiError::message(400, format!("Transfer failed: {text}")));
    if group.parent_id == parent {
        return refused(match parent {
            Some(_) => "Group is already associated to the parent group.",
            None => "Group is already a root group.",
        });
    }
    if let Some(parent) = parent {
        if !access::in_group(&state, ctx.caller.user(), parent).at_least(Role::Owner) {
            return refused("You don't have enough permissions.");
        }
        let mut above = state.with_ancestors(parent);
        if above.any(|above| above == group.id) {
            return refused("Group cannot be transferred to a subgroup of itself.");
        }
    }
    let (id, path) = (group.id, group.path.clone());
    if groups::check_path(&state, parent, &path, Some(id)).is_err() {
        return refused("The parent group already has a subgroup or a project with the same path.");
    }
    if let Some(group) = state.groups.get_mut(id) {
        group.parent_id = parent;
    }
    let group = state.groups.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&group_entity::with_projects(
        ctx, &state, group,
    )))
}

/// Where the project or group of the path could go.
fn locations(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.caller.user();
    let state = ctx.state();
    let text = ctx.string("search").unwrap_or_default().to_lowercase();
    let found = state.groups.iter().filter(|group| {
        let inside = || state.with_ancestors(group.id).any(|id| id == ctx.group());
        access::in_group(&state, user, group.id).at_least(Role::Maintainer)
            && current(ctx, &state) != Some(group.id)
            && (ctx.group() == 0 || !inside())
            && state
                .namespace_path(group.id)
                .to_lowercase()
                .contains(&text)
    });
    ctx.page(found, |group| -> Value {
        sharing::short(ctx, &state, group)
    })
}

fn current(ctx: &Ctx<'_>, state: &State) -> Option<u64> {
    let project = state.projects.get(ctx.project());
    let group = state.groups.get(ctx.group());
    project
        .map(|project| project.namespace_id)
        .or_else(|| group.and_then(|group| group.parent_id))
}
