//! A project as the API writes it.

use serde_json::{Map, Value, json};

use crate::access;
use crate::clock;
use crate::ctx::Ctx;
use crate::forking;
use crate::store::State;
use crate::store::members::Source;
use crate::store::places::Place;
use crate::store::projects::Project;

use super::{group_entity, users};

/// The short form, as in lists with `simple=true` and for callers who are not members.
pub(super) fn simple(ctx: &Ctx<'_>, state: &State, project: &Project) -> Map<String, Value> {
    let (path, url) = (state.project_path(project), ctx.url());
    let host = url
        .trim_start_matches("http://")
        .split(':')
        .next()
        .unwrap_or_default();
    let readme = project
        .default_branch
        .as_ref()
        .map(|branch| format!("{url}/{path}/-/blob/{branch}/README.md"));
    object(json!({
        "id": project.id,
        "description": project.settings.description,
        "name": project.name,
        "name_with_namespace": format!("{} / {}", state.namespace_name(project.namespace_id), project.name),
        "path": project.path,
        "path_with_namespace": path,
        "created_at": clock::iso(project.created_at),
        "default_branch": project.default_branch_or_main(),
        "tag_list": project.settings.topics,
        "topics": project.settings.topics,
        "ssh_url_to_repo": format!("git@{host}:{path}.git"),
        "http_url_to_repo": format!("{url}/{path}.git"),
        "web_url": format!("{url}/{path}"),
        "readme_url": readme,
        "forks_count": forking::count(state, project.id),
        "avatar_url": project.avatar.as_ref().map(|avatar| avatar.address(url, "project", project.id)),
        "star_count": project.starred_by.len(),
        "last_activity_at": clock::iso(project.last_activity_at),
        "namespace": namespace(state, project.namespace_id, url),
    }))
}

/// Just enough to name it.
pub(super) fn identity(state: &State, project: &Project) -> Value {
    json!({
        "id": project.id,
        "description": project.settings.description,
        "name": project.name,
        "name_with_namespace": format!("{} / {}", state.namespace_name(project.namespace_id), project.name),
        "path": project.path,
        "path_with_namespace": state.project_path(project),
        "created_at": clock::iso(project.created_at),
    })
}

/// The form for members, with settings, links and permissions.
pub(super) fn full(ctx: &Ctx<'_>, state: &State, project: &Project) -> Value {
    let mut entity = simple(ctx, state, project);
    let own = format!("{}/api/v4/projects/{}", ctx.url(), project.id);
    let link = |tail: &str| format!("{own}/{tail}");
    entity.extend(object(json!({
        "container_registry_image_prefix": Value::Null,
        "_links": {
            "self": own,
            "issues": link("issues"),
            "merge_requests": link("merge_requests"),
            "repo_branches": link("repository/branches"),
            "labels": link("labels"),
            "events": link("events"),
            "members": link("members"),
            "cluster_agents": link("cluster_agents"),
        },
        "empty_repo": project.default_branch.is_none(),
        "visibility": project.visibility.as_str(),
        "owner": owner(ctx, state, project),
        "container_expiration_policy": project.settings.container_expiration_policy_attributes,
        "repository_object_format": "sha1",
        "service_desk_address": Value::Null,
        "can_create_merge_request_in": ctx.caller.user().is_some(),
        "creator_id": project.creator_id,
        "import_url": Value::Null,
        "import_type": Value::Null,
        "import_status": project.import_status,
        "import_error": Value::Null,
        "description_html": "",
        "updated_at": clock::iso(project.updated_at),
        "emails_disabled": !project.settings.emails_enabled,
        "shared_with_groups": group_entity::shared_with(state, Place::Project(project.id)),
        "runner_token_expiration_interval": Value::Null,
        "marked_for_deletion_at": Value::Null,
        "marked_for_deletion_on": Value::Null,
    })));
    entity.extend(object(json!(project.settings)));
    entity.remove("container_expiration_policy_attributes");
    let parent = project.forked_from.and_then(|id| state.projects.get(id));
    let parent =
        parent.filter(|parent| access::in_project(state, ctx.caller.user(), parent.id).can_read);
    if let Some(parent) = parent {
        let shown = Value::Object(simple(ctx, state, parent));
        entity.insert("forked_from_project".to_owned(), shown);
    }
    if let Some(user) = ctx.caller.user() {
        entity.insert("permissions".to_owned(), permissions(state, user, project));
    }
    Value::Object(entity)
}

/// The form that fits the caller: members see the settings, others the short form.
pub(super) fn for_caller(ctx: &Ctx<'_>, state: &State, project: &Project) -> Value {
    if access::in_project(state, ctx.caller.user(), project.id)
        .role
        .is_some()
    {
        full(ctx, state, project)
    } else {
        Value::Object(simple(ctx, state, project))
    }
}

fn permissions(state: &State, user: u64, project: &Project) -> Value {
    let level = |role: Option<access::Role>| {
        role.map(|role| json!({ "access_level": role.level(), "notification_level": 3 }))
    };
    let groups = state
        .member_sources(Source::Project(project.id))
        .into_iter()
        .skip(1);
    let group = groups
        .filter_map(|source| state.member_role(user, source))
        .max();
    let own = state.member_role(user, Source::Project(project.id));
    json!({ "project_access": level(own), "group_access": level(group) })
}

/// The namespace of a project, or any other.
pub(super) fn namespace(state: &State, id: u64, url: &str) -> Value {
    let (full_path, group) = (state.namespace_path(id), state.groups.get(id));
    let web = if group.is_some() {
        format!("{url}/groups/{full_path}")
    } else {
        format!("{url}/{full_path}")
    };
    json!({
        "id": id,
        "name": group.map_or_else(|| state.namespace_name(id), |group| group.name.clone()),
        "path": group.map_or_else(|| full_path.clone(), |group| group.path.clone()),
        "kind": if group.is_some() { "group" } else { "user" },
        "full_path": full_path,
        "parent_id": group.and_then(|group| group.parent_id),
        "avatar_url": group.and_then(|group| group_entity::avatar_url(group, url)),
        "web_url": web,
    })
}

fn owner(ctx: &Ctx<'_>, state: &State, project: &Project) -> Value {
    let user = state
        .users
        .iter()
        .find(|user| user.namespace_id == project.namespace_id);
    user.map_or(Value::Null, |user| users::basic(user, ctx.url()))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
