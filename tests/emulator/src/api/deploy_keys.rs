//! Deploy keys: SSH keys that reach projects without being a user.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, post, put, string};
use crate::store::State;
use crate::store::belongings::DeployKey;

use super::project_entity;
use super::ssh_keys::{fingerprint, problems};

const GUARD: Guard = Guard::Project(Role::Maintainer);
const KEY: &[Param] = &[
    string("key").required(),
    string("title").required(),
    string("expires_at"),
];

pub(super) const ROUTES: &[Route] = &[
    get("deploy_keys", Guard::Admin, all)
        .params(&[boolean("public")])
        .paginated(),
    post("deploy_keys", Guard::Admin, create_public).params(KEY),
    get("projects/:id/deploy_keys", GUARD, index).paginated(),
    get("projects/:id/deploy_keys/:key_id", GUARD, show),
    post("projects/:id/deploy_keys", GUARD, create)
        .params(KEY)
        .also(&[boolean("can_push")]),
    put("projects/:id/deploy_keys/:key_id", GUARD, update)
        .params(&[string("title"), boolean("can_push")]),
    post("projects/:id/deploy_keys/:key_id/enable", GUARD, enable),
    delete("projects/:id/deploy_keys/:key_id", GUARD, destroy),
    get("users/:id/project_deploy_keys", Guard::User, of_user).paginated(),
];

fn all(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let wanted = |row: &&DeployKey| ctx.boolean("public") != Some(true) || row.public;
    ctx.page(state.belongings.deploy_keys.iter().filter(wanted), |row| {
        let mut body = entity(row);
        for (name, push) in [
            ("projects_with_write_access", true),
            ("projects_with_readonly_access", false),
        ] {
            body[name] = row
                .enabled_in
                .iter()
                .filter(|(_, can_push)| *can_push == push)
                .filter_map(|(project, _)| state.projects.get(*project))
                .map(|project| project_entity::identity(&state, project))
                .collect();
        }
        body
    })
}

fn create_public(ctx: &Ctx<'_>) -> Answer {
    let id = insert(ctx, true, Vec::new())?;
    let state = ctx.state();
    let row = state.belongings.deploy_keys.get(id);
    Ok(Response::created(&entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.belongings.deploy_keys.iter();
    let own = own.filter(|row| may_push(row, ctx.project()).is_some());
    ctx.page(own, |row| in_project(ctx, row))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&in_project(ctx, find(ctx, &state)?)))
}

/// A key that is known already is enabled.
fn create(ctx: &Ctx<'_>) -> Answer {
    let (project, push) = (ctx.project(), ctx.boolean("can_push").unwrap_or(false));
    let wanted = fingerprint(ctx.string("key").unwrap_or_default());
    let known = ctx
        .state()
        .belongings
        .deploy_keys
        .iter()
        .find(|row| wanted.is_some() && fingerprint(&row.key) == wanted)
        .map(|row| (row.id, may_push(row, project).is_some()));
    let id = match known {
        Some((id, true)) => id,
        Some((id, false)) => {
            if let Some(row) = ctx.state().belongings.deploy_keys.get_mut(id) {
                row.enabled_in.push((project, push));
            }
            id
        }
        None => insert(ctx, false, vec![(project, push)])?,
    };
    let state = ctx.state();
    let row = state.belongings.deploy_keys.get(id);
    let body = in_project(ctx, row.ok_or_else(ApiError::internal)?);
    Ok(Response::created(&body))
}

fn insert(ctx: &Ctx<'_>, public: bool, enabled_in: Vec<(u64, bool)>) -> Result<u64, ApiError> {
    let expires_at = ctx.instant("expires_at")?;
    let title = ctx.string("title").unwrap_or_default().to_owned();
    let key = ctx.string("key").unwrap_or_default().trim().to_owned();
    let mut state = ctx.state();
    problems(&state, &key, &title).check()?;
    let id = state.belongings.next_key_id();
    Ok(state.belongings.deploy_keys.put(id, |id| DeployKey {
        id,
        title,
        key,
        created_at: ctx.now(),
        expires_at,
        public,
        enabled_in,
    }))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let rows = &mut state.belongings.deploy_keys;
    let row = rows.get_mut(id).ok_or_else(ApiError::internal)?;
    if let Some(title) = ctx.string("title") {
        title.clone_into(&mut row.title);
    }
    if let Some(push) = ctx.boolean("can_push") {
        for (project, can_push) in &mut row.enabled_in {
            if *project == ctx.project() {
                *can_push = push;
            }
        }
    }
    Ok(Response::ok(&in_project(ctx, row)))
}

fn enable(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("key_id")?;
    let mut state = ctx.state();
    let row = state.belongings.deploy_keys.get_mut(id);
    let row = row.ok_or_else(|| ApiError::not_found("DeployKey"))?;
    if may_push(row, ctx.project()).is_none() {
        row.enabled_in.push((ctx.project(), false));
    }
    Ok(Response::created(&entity(row)))
}

/// A private key that no project uses any more is gone.
fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let rows = &mut state.belongings.deploy_keys;
    if let Some(row) = rows.get_mut(id) {
        row.enabled_in
            .retain(|(project, _)| *project != ctx.project());
    }
    rows.retain(|row| row.public || !row.enabled_in.is_empty());
    Ok(Response::no_content())
}

/// The keys of the projects that the user of the path and the caller have in common.
fn of_user(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = super::users::of_path(ctx, &state)?.id;
    let reaches = |user: u64, project: u64| {
        crate::access::in_project(&state, Some(user), project).at_least(Role::Maintainer)
    };
    let caller = ctx.user()?;
    let own = state.belongings.deploy_keys.iter().filter(|row| {
        let mut projects = row.enabled_in.iter();
        projects.any(|(project, _)| reaches(user, *project) && reaches(caller, *project))
    });
    ctx.page(own, entity)
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a DeployKey, ApiError> {
    let row = state.belongings.deploy_keys.get(ctx.path_number("key_id")?);
    row.filter(|row| may_push(row, ctx.project()).is_some())
        .ok_or_else(ApiError::not_found_plain)
}

fn may_push(row: &DeployKey, project: u64) -> Option<bool> {
    let mut enabled = row.enabled_in.iter();
    enabled
        .find(|(id, _)| *id == project)
        .map(|(_, push)| *push)
}

fn in_project(ctx: &Ctx<'_>, row: &DeployKey) -> Value {
    let mut body = entity(row);
    body["can_push"] = may_push(row, ctx.project()).into();
    body
}

fn entity(row: &DeployKey) -> Value {
    json!({
        "id": row.id,
        "title": row.title,
        "created_at": clock::iso(row.created_at),
        "expires_at": row.expires_at.map(clock::iso),
        "last_used_at": Value::Null,
        "key": row.key,
        "usage_type": "auth_and_signing",
        "fingerprint_sha256": fingerprint(&row.key),
    })
}

/// The key as the look-up by fingerprint shows it.
pub(super) fn with_projects(state: &State, row: &DeployKey) -> Value {
    let mut body = entity(row);
    body["user"] = Value::Null;
    body["deploy_keys_projects"] = row
        .enabled_in
        .iter()
        .filter(|(project, _)| state.projects.get(*project).is_some())
        .map(|(project, push)| {
            json!({
                "deploy_key_id": row.id,
                "project_id": project,
                "created_at": clock::iso(row.created_at),
                "updated_at": clock::iso(row.created_at),
                "can_push": push,
            })
        })
        .collect();
    body
}
