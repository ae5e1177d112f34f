//! Forks: copies of projects that know where they come from.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, integer, post, string};
use crate::store::State;
use crate::store::members::Source;
use crate::store::projects::{Project, Visibility};

use super::groups::VISIBILITY;
use super::{namespaces, project_entity};

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/fork", Guard::SignedInReader, create).params(&[
        string("namespace"),
        integer("namespace_id"),
        string("namespace_path"),
        string("path"),
        string("name"),
        string("description"),
        VISIBILITY,
        boolean("mr_default_target_self"),
        string("branches"),
    ]),
    post(
        "projects/:id/fork/:forked_from_id",
        Guard::Project(Role::Owner),
        relate,
    ),
    delete("projects/:id/fork", Guard::Project(Role::Owner), separate),
];

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    if !access::may_read_code(&ctx.state(), Some(user), ctx.project()) {
        return Err(ApiError::not_found("Project"));
    }
    let id = insert(ctx, user)?;
    let source = ctx.shared.repository(ctx.project());
    let target = ctx.shared.repository(id);
    target.init()?;
    target.copy_from(&source, ctx.string("branches"))?;
    let default = {
        let mut state = ctx.state();
        let project = state.projects.get_mut(id).ok_or_else(ApiError::internal)?;
        if let Some(only) = ctx.string("branches") {
            project.default_branch = Some(only.to_owned());
        }
        project.default_branch.clone()
    };
    if let Some(branch) = default {
        target.set_head(&branch)?;
        ctx.state().protect_branch(id, &branch);
    }
    let state = ctx.state();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    let mut body = project_entity::full(ctx, &state, project);
    body["import_status"] = json!("finished");
    Ok(Response::created(&body))
}

/// The row of the fork, with the settings of the project it comes from.
fn insert(ctx: &Ctx<'_>, user: u64) -> Result<u64, ApiError> {
    let mut state = ctx.state();
    let namespace = target(ctx, &state, user)?;
    let origin = state.projects.get(ctx.project());
    let origin = origin
        .ok_or_else(|| ApiError::not_found("Project"))?
        .clone();
    let path = ctx.string("path").unwrap_or(&origin.path).to_owned();
    let name = ctx.string("name").unwrap_or(&origin.name).to_owned();
    let taken = state.projects.iter().any(|other| {
        other.namespace_id == namespace
            && (other.path.eq_ignore_ascii_case(&path) || other.name == name)
    });
    if taken {
        return Err(ApiError::message(
            409,
            "Project namespace name has already been taken, Name has already been taken, Path has already been taken",
        ));
    }
    let now = ctx.now();
    let id = state.add_project(&name, &path, namespace, user, now);
    let group = state.groups.get(namespace).is_some();
    if let Some(project) = state.projects.get_mut(id) {
        project.forked_from = Some(origin.id);
        project.visibility = ctx
            .string("visibility")
            .map_or(origin.visibility, Visibility::parse);
        project.default_branch = origin.default_branch;
        project.settings = origin.settings;
        project.settings.mr_default_target_self = ctx.boolean("mr_default_target_self");
        if let Some(text) = ctx.string("description") {
            project.settings.description = Some(text.to_owned());
        }
    }
    if !group {
        let owner = state.users.iter().find(|row| row.namespace_id == namespace);
        let owner = owner.map_or(user, |owner| owner.id);
        state.add_member(owner, Source::Project(id), Role::Owner, now);
    }
    Ok(id)
}

/// The namespace asked for, or the caller's own.
fn target(ctx: &Ctx<'_>, state: &State, user: u64) -> Result<u64, ApiError> {
    let wish = ctx
        .string("namespace")
        .or_else(|| ctx.string("namespace_path"))
        .map(str::to_owned)
        .or_else(|| ctx.number("namespace_id").map(|id| id.to_string()));
    let caller = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    let Some(wish) = wish else {
        return Ok(caller.namespace_id);
    };
    let missing = || ApiError::not_found("Target Namespace");
    let namespace = namespaces::find(state, &wish).ok_or_else(missing)?;
    let access = access::in_group(state, Some(user), namespace);
    if caller.admin || caller.namespace_id == namespace || access.at_least(Role::Developer) {
        Ok(namespace)
    } else {
        Err(missing())
    }
}

/// Only administrators and owners of both make one project a fork of another.
fn relate(ctx: &Ctx<'_>) -> Answer {
    let origin = ctx.find_project(ctx.path("forked_from_id"))?;
    let mut state = ctx.state();
    let project = state.projects.get_mut(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    if project.forked_from.is_some() {
        return Err(ApiError::message(409, "Project already forked"));
    }
    project.forked_from = Some(origin);
    let project = project.clone();
    Ok(Response::created(&project_entity::full(
        ctx, &state, &project,
    )))
}

fn separate(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let project: &mut Project = state
        .projects
        .get_mut(ctx.project())
        .ok_or_else(|| ApiError::not_found("Project"))?;
    match project.forked_from.take() {
        Some(_) => Ok(Response::no_content()),
        None => Err(ApiError::body(304, Value::Null)),
    }
}
