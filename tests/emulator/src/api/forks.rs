//! Forks of projects.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::forking;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, integer, post, string};
use crate::store::State;
use crate::store::members::Source;
use crate::store::projects::{Project, Settings, Visibility};

use super::groups::VISIBILITY;
use super::project_entity as entity;
use super::project_lists::{EVERYWHERE, FILTERS, REFUSED, list_of};

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
    get("projects/:id/forks", Guard::ProjectReader, index)
        .refuses(REFUSED)
        .params(FILTERS)
        .also(EVERYWHERE)
        .paginated(),
    post(
        "projects/:id/fork/:forked_from_id",
        Guard::Project(Role::Maintainer),
        link,
    ),
    delete("projects/:id/fork", Guard::Project(Role::Owner), unlink),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let parent = ctx.project();
    list_of(ctx, &ctx.state(), |project| {
        project.forked_from == Some(parent)
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, parent) = (ctx.user()?, ctx.project());
    may_fork(&ctx.state(), user, parent)?;
    let branches = branches(ctx)?;
    let fork = insert(ctx, user, parent)?;
    ctx.shared.repository(fork).init()?;
    let answer = {
        let state = ctx.state();
        let project = state.projects.get(fork).ok_or_else(ApiError::internal)?;
        entity::full(ctx, &state, project)
    };
    forking::copy_later(ctx.shared, fork, parent, branches);
    Ok(Response::created(&answer))
}

/// Whoever reads the code may copy it, unless the project forbids that.
fn may_fork(state: &State, user: u64, parent: u64) -> Result<(), ApiError> {
    let access = access::in_project(state, Some(user), parent);
    let level = state
        .projects
        .get(parent)
        .map(|project| project.settings.forking_access_level.clone());
    let open = match level.as_deref() {
        Some("disabled") => false,
        Some("private") => access.role.is_some(),
        Some(_) | None => true,
    };
    (open && access::may_read_code(state, Some(user), parent))
        .then_some(())
        .ok_or_else(ApiError::not_found_plain)
}

/// The branches to copy; none named: all.
fn branches(ctx: &Ctx<'_>) -> Result<Vec<String>, ApiError> {
    let sent = ctx.string("branches").unwrap_or_default();
    let named: Vec<String> = sent
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let repository = ctx.shared.repository(ctx.project());
    for branch in &named {
        if repository
            .resolve(&format!("refs/heads/{branch}"))?
            .is_none()
        {
            return Err(ApiError::not_found("Source Branch"));
        }
    }
    Ok(named)
}

fn insert(ctx: &Ctx<'_>, user: u64, parent: u64) -> Result<u64, ApiError> {
    let mut state = ctx.state();
    let namespace = namespace(ctx, &state, user)?;
    let from = state.projects.get(parent).ok_or_else(ApiError::internal)?;
    let path = ctx.string("path").unwrap_or(&from.path).to_owned();
    let name = ctx.string("name").unwrap_or(&from.name).to_owned();
    check_names(&state, namespace, &name, &path)?;
    let from = from.clone();
    let now = ctx.now();
    let fork = state.add_project(&name, &path, namespace, user, now);
    let visibility = visibility(ctx, &state, &from, namespace);
    if let Some(project) = state.projects.get_mut(fork) {
        project.visibility = visibility;
        project.forked_from = Some(parent);
        project.import_status = "scheduled";
        project.settings = inherited(&from.settings);
        if let Some(text) = ctx.string("description") {
            project.settings.description = Some(text.to_owned());
        }
    }
    let group = state.groups.get(namespace).is_some();
    if !group {
        let owner = state.users.iter().find(|own| own.namespace_id == namespace);
        let owner = owner.map_or(user, |owner| owner.id);
        state.add_member(owner, Source::Project(fork), Role::Owner, now);
    } else if access::in_project(&state, Some(user), fork).role < Some(Role::Maintainer) {
        state.add_member(user, Source::Project(fork), Role::Maintainer, now);
    }
    Ok(fork)
}

/// The namespace of the request, or the caller's own.
fn namespace(ctx: &Ctx<'_>, state: &State, user: u64) -> Result<u64, ApiError> {
    let sent = ctx
        .number("namespace_id")
        .map(|id| id.to_string())
        .or(ctx.string("namespace_path").map(str::to_owned))
        .or(ctx.string("namespace").map(str::to_owned))
        .filter(|sent| !sent.is_empty());
    let own = state.users.get(user);
    let own_namespace = own.ok_or_else(ApiError::unauthorized)?.namespace_id;
    let admin = own.is_some_and(|own| own.admin);
    let Some(sent) = sent else {
        return Ok(own_namespace);
    };
    let group = state.find_group(&sent).map(|group| group.id);
    let person = || {
        let mut users = state.users.iter();
        let named = users.find(|user| {
            sent.parse() == Ok(user.namespace_id) || user.username.eq_ignore_ascii_case(&sent)
        });
        named.map(|user| user.namespace_id)
    };
    let found = group.or_else(person);
    let visible = found.filter(|id| {
        *id == own_namespace || admin || access::in_group(state, Some(user), *id).can_read
    });
    let namespace = visible.ok_or_else(|| ApiError::not_found("Namespace"))?;
    let allowed = namespace == own_namespace
        || admin
        || access::in_group(state, Some(user), namespace).at_least(Role::Developer);
    allowed
        .then_some(namespace)
        .ok_or_else(|| ApiError::not_found("Target Namespace"))
}

fn check_names(state: &State, namespace: u64, name: &str, path: &str) -> Result<(), ApiError> {
    let mut siblings = state
        .projects
        .iter()
        .filter(|other| other.namespace_id == namespace);
    let (mut names, mut paths) = (false, false);
    siblings.by_ref().for_each(|other| {
        names |= other.name == name;
        paths |= other.path.eq_ignore_ascii_case(path);
    });
    let mut texts = Vec::new();
    if paths {
        texts.push("Project namespace name has already been taken");
    }
    if names {
        texts.push("Name has already been taken");
    }
    if paths {
        texts.push("Path has already been taken");
    }
    if texts.is_empty() {
        Ok(())
    } else {
        Err(ApiError::messages(409, &texts))
    }
}

/// No more visible than the parent, the namespace and what was asked for.
fn visibility(ctx: &Ctx<'_>, state: &State, parent: &Project, namespace: u64) -> Visibility {
    let group = state.groups.get(namespace).map(|group| group.visibility);
    let wished = ctx.string("visibility").map(Visibility::parse);
    let rank = |visibility: &Visibility| match visibility {
        Visibility::Private => 0,
        Visibility::Internal => 1,
        Visibility::Public => 2,
    };
    let bounds = [Some(parent.visibility), group, wished]
        .into_iter()
        .flatten();
    bounds.min_by_key(rank).unwrap_or(Visibility::Private)
}

/// What a fork takes over from its parent's settings.
fn inherited(parent: &Settings) -> Settings {
    let (Value::Object(from), Value::Object(mut own)) = (json!(parent), json!(Settings::default()))
    else {
        return Settings::default();
    };
    let copied = |name: &str| {
        name.ends_with("_access_level")
            || [
                "description",
                "issues_enabled",
                "merge_requests_enabled",
                "wiki_enabled",
                "jobs_enabled",
                "snippets_enabled",
                "shared_runners_enabled",
                "ci_config_path",
                "ci_default_git_depth",
            ]
            .contains(&name)
    };
    own.extend(from.into_iter().filter(|(name, _)| copied(name)));
    serde_json::from_value(Value::Object(own)).unwrap_or_default()
}

fn link(ctx: &Ctx<'_>) -> Answer {
    let (user, fork) = (ctx.user()?, ctx.project());
    let parent = ctx.find_project(ctx.path("forked_from_id"))?;
    let mut state = ctx.state();
    may_fork(&state, user, parent)?;
    let project = state
        .projects
        .get_mut(fork)
        .ok_or_else(ApiError::internal)?;
    if project.forked_from.is_some() {
        return Err(ApiError::message(409, "Project already forked"));
    }
    project.forked_from = Some(parent);
    let project = state.projects.get(fork).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity::full(ctx, &state, project)))
}

fn unlink(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    if forking::unlink(&mut ctx.state(), ctx.project(), user, now) {
        Ok(Response::no_content())
    } else {
        Ok(Response {
            status: 304,
            ..Response::no_content()
        })
    }
}
