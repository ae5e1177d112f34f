//! A group as the API writes it.

use serde_json::{Map, Value, json};

use crate::access;
use crate::clock;
use crate::ctx::Ctx;
use crate::store::State;
use crate::store::groups::Group;
use crate::store::places::Place;

use super::project_entity;

/// The form of lists.
pub(super) fn entity(ctx: &Ctx<'_>, state: &State, group: &Group) -> Value {
    let full_path = state.namespace_path(group.id);
    let mut body = object(json!({
        "id": group.id,
        "web_url": format!("{}/groups/{full_path}", ctx.url()),
        "name": group.name,
        "path": group.path,
        "description": group.description,
        "visibility": group.visibility.as_str(),
        "avatar_url": avatar_url(group, ctx.url()),
        "full_name": state.namespace_name(group.id),
        "full_path": full_path,
        "created_at": clock::iso(group.created_at),
        "parent_id": group.parent_id,
        "organization_id": 1,
        "archived": false,
        "marked_for_deletion_on": Value::Null,
        "emails_disabled": !group.settings.emails_enabled,
    }));
    body.extend(object(json!(group.settings)));
    Value::Object(body)
}

/// The form of a single group: with whom it is shared.
pub(super) fn detail(ctx: &Ctx<'_>, state: &State, group: &Group) -> Value {
    let mut body = entity(ctx, state, group);
    body["shared_with_groups"] = shared_with(state, Place::Group(group.id));
    body
}

/// The same with its projects and those that other groups share with it.
pub(super) fn with_projects(ctx: &Ctx<'_>, state: &State, group: &Group) -> Value {
    let mut body = detail(ctx, state, group);
    let readable = |project: u64| access::in_project(state, ctx.caller.user(), project).can_read;
    let own = state
        .projects
        .iter()
        .filter(|project| project.namespace_id == group.id && readable(project.id));
    body["projects"] = own
        .map(|project| project_entity::full(ctx, state, project))
        .collect();
    let links = state.belongings.group_links.iter();
    body["shared_projects"] = links
        .filter(|link| link.with_group == group.id)
        .filter_map(|link| match link.shared {
            Place::Project(project) => state.projects.get(project),
            Place::Group(_) | Place::User(_) | Place::Instance => None,
        })
        .filter(|project| readable(project.id))
        .map(|project| project_entity::full(ctx, state, project))
        .collect();
    body
}

/// The groups whose members a project or group lets in.
pub(super) fn shared_with(state: &State, place: Place) -> Value {
    let links = state.belongings.group_links.iter();
    links
        .filter(|link| link.shared == place)
        .filter_map(|link| {
            let group = state.groups.get(link.with_group)?;
            Some(json!({
                "group_id": group.id,
                "group_name": group.name,
                "group_full_path": state.namespace_path(group.id),
                "group_access_level": link.role.level(),
                "expires_at": link.expires_at.map(|day| day.to_string()),
            }))
        })
        .collect()
}

/// The address of the group's picture, if there is one.
pub(super) fn avatar_url(group: &Group, url: &str) -> Option<String> {
    let avatar = group.avatar.as_ref()?;
    Some(avatar.address(url, "group", group.id))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
