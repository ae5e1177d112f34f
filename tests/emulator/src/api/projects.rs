//! Projects: creation, lookup, settings, removal.

use serde_json::json;

use crate::access::{self, Role};
use crate::application_settings;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::forking;
use crate::git::{Action, Identity};
use crate::message::Response;
use crate::push::{self, Push, RefUpdate};
use crate::router::{Answer, Guard, Route, boolean, delete, get, integer, post, put, string};
use crate::store::State;
use crate::store::members::Source;
use crate::store::places::Place;
use crate::store::projects::{Settings, Visibility};

use super::avatars;
use super::custom_attributes;
use super::groups::VISIBILITY;
use super::project_entity as entity;
use super::project_settings::{SETTINGS, with_changes};

pub(super) const ROUTES: &[Route] = &[
    post("projects", Guard::User, create)
        .refuses(&[
            "import_url",
            "repository_object_format",
            "repository_storage",
            "template_name",
            "template_project_id",
        ])
        .params(&[
            string("name"),
            string("path"),
            integer("namespace_id"),
            string("default_branch"),
            boolean("initialize_with_readme"),
            VISIBILITY,
            avatars::AVATAR,
        ])
        .also(SETTINGS),
    get("projects/:id", Guard::ProjectReader, show).params(&[
        boolean("statistics"),
        boolean("license"),
        boolean("with_custom_attributes"),
    ]),
    put("projects/:id", Guard::Project(Role::Maintainer), edit)
        .refuses(&["import_url", "repository_storage"])
        .params(&[
            string("name"),
            string("path"),
            string("default_branch"),
            VISIBILITY,
            avatars::AVATAR,
        ])
        .also(SETTINGS),
    delete("projects/:id", Guard::Project(Role::Owner), destroy),
    post("projects/:id/archive", Guard::Project(Role::Owner), archive),
    post(
        "projects/:id/unarchive",
        Guard::Project(Role::Owner),
        unarchive,
    ),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state
        .projects
        .get(ctx.project())
        .ok_or_else(|| ApiError::not_found("Project"))?;
    let body = entity::for_caller(ctx, &state, project);
    let place = Place::Project(project.id);
    Ok(Response::ok(&custom_attributes::with(
        ctx, &state, place, body,
    )))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    if ctx.string("name").is_none() && ctx.string("path").is_none() {
        return Err(ApiError::error(
            400,
            "name, path are missing, at least one parameter must be provided",
        ));
    }
    let id = insert(ctx, user)?;
    ctx.shared.repository(id).init()?;
    if ctx.boolean("initialize_with_readme") == Some(true) {
        add_readme(ctx, user, id)?;
    }
    let state = ctx.state();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity::full(ctx, &state, project)))
}

fn insert(ctx: &Ctx<'_>, user: u64) -> Result<u64, ApiError> {
    let avatar = avatars::wished(ctx)?.flatten();
    let mut state = ctx.state();
    let own_namespace = state
        .users
        .get(user)
        .ok_or_else(ApiError::unauthorized)?
        .namespace_id;
    let namespace_id = ctx.number("namespace_id").unwrap_or(own_namespace);
    let group = state.groups.get(namespace_id).is_some();
    let allowed = namespace_id == own_namespace
        || access::in_group(&state, Some(user), namespace_id).at_least(Role::Developer);
    if !allowed {
        let visible = access::in_group(&state, Some(user), namespace_id).can_read;
        return Err(if visible {
            ApiError::forbidden()
        } else {
            ApiError::not_found("Namespace")
        });
    }
    let path = ctx
        .string("path")
        .map(str::to_owned)
        .unwrap_or_else(|| slug(ctx.string("name").unwrap_or_default()));
    let name = ctx.string("name").unwrap_or(&path).to_owned();
    check_names(&state, namespace_id, &name, &path, None)?;
    let now = ctx.now();
    let settings = with_changes(&Settings::default(), ctx.values())?;
    let visibility = ctx
        .string("visibility")
        .or_else(|| application_settings::text(&state, "default_project_visibility"))
        .map_or(Visibility::Private, Visibility::parse);
    let branch = ctx
        .string("default_branch")
        .map(str::to_owned)
        .or_else(|| preferred_branch(&state, namespace_id));
    let id = state.add_project(&name, &path, namespace_id, user, now);
    if let Some(project) = state.projects.get_mut(id) {
        project.visibility = visibility;
        project.wished_default_branch = branch;
        project.avatar = avatar;
        project.settings = settings;
    }
    let topics = ctx.list("topics").or_else(|| ctx.list("tag_list"));
    state.add_topics(&topics.unwrap_or_default());
    if !group {
        state.add_member(user, Source::Project(id), Role::Owner, now);
    } else if access::in_project(&state, Some(user), id).role < Some(Role::Maintainer) {
        state.add_member(user, Source::Project(id), Role::Maintainer, now);
    }
    Ok(id)
}

/// The name of first branches that a group above chose, or the whole instance.
fn preferred_branch(state: &State, namespace: u64) -> Option<String> {
    let mut groups = state
        .with_ancestors(namespace)
        .filter_map(|group| state.groups.get(group));
    groups
        .find_map(|group| group.settings.default_branch.clone())
        .or_else(|| application_settings::text(state, "default_branch_name").map(str::to_owned))
}

fn add_readme(ctx: &Ctx<'_>, user: u64, project: u64) -> Result<(), ApiError> {
    let (branch, text, by) = {
        let state = ctx.state();
        let found = state.projects.get(project).ok_or_else(ApiError::internal)?;
        let user = state.users.get(user).ok_or_else(ApiError::internal)?;
        let branch = found
            .wished_default_branch
            .clone()
            .unwrap_or_else(|| "main".to_owned());
        let by = Identity {
            name: user.name.clone(),
            email: user.email.clone(),
            at: ctx.now(),
        };
        (branch, format!("# {}\n", found.name), by)
    };
    let (repository, name) = (
        ctx.shared.repository(project),
        format!("refs/heads/{branch}"),
    );
    let action = Action::put("README.md", text.as_bytes());
    let commit = repository
        .commit_actions(None, &[action], "Initial commit", &by, &by)
        .and_then(|commit| {
            repository.update_ref(&name, Some(&commit), None)?;
            let updates = vec![RefUpdate {
                name,
                old: None,
                new: Some(commit),
            }];
            push::on_push(
                ctx.shared,
                &Push {
                    project,
                    user,
                    updates,
                    options: Vec::new(),
                },
            )
        });
    Ok(commit?)
}

fn edit(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.project();
    let avatar = avatars::wished(ctx)?;
    if let Some(branch) = ctx.string("default_branch") {
        let repository = ctx.shared.repository(id);
        let exists = repository
            .resolve(&format!("refs/heads/{branch}"))
            .ok()
            .flatten()
            .is_some();
        if !exists {
            return Err(ApiError::body(
                400,
                json!({ "message": { "base": ["Could not set the default branch. Do you have a branch named '".to_owned() + branch + "' in your repository?"] } }),
            ));
        }
        repository.set_head(branch)?;
    }
    let mut state = ctx.state();
    let old = state
        .projects
        .get(id)
        .ok_or_else(|| ApiError::not_found("Project"))?;
    let name = ctx.string("name").unwrap_or(&old.name).to_owned();
    let path = ctx.string("path").unwrap_or(&old.path).to_owned();
    check_names(&state, old.namespace_id, &name, &path, Some(id))?;
    let settings = with_changes(&old.settings, ctx.values())?;
    let project = state.projects.get_mut(id).ok_or_else(ApiError::internal)?;
    (
        project.name,
        project.path,
        project.settings,
        project.updated_at,
    ) = (name, path, settings, ctx.now());
    if let Some(branch) = ctx.string("default_branch") {
        project.default_branch = Some(branch.to_owned());
    }
    if let Some(text) = ctx.string("visibility") {
        project.visibility = Visibility::parse(text);
    }
    if let Some(avatar) = avatar {
        project.avatar = avatar;
    }
    let topics = ctx.list("topics").or_else(|| ctx.list("tag_list"));
    state.add_topics(&topics.unwrap_or_default());
    drop(state);
    show(ctx)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    {
        let (mut state, now) = (ctx.state(), ctx.now());
        let updated_at = state
            .projects
            .get(ctx.project())
            .map_or(now, |project| project.updated_at);
        ctx.check_unmodified(updated_at)?;
        forking::close_merge_requests(&mut state, ctx.project(), ctx.user()?, now);
        state.remove_project(ctx.project());
    }
    ctx.shared.repository(ctx.project()).delete();
    Ok(Response::json(202, &json!({ "message": "202 Accepted" })))
}

fn archive(ctx: &Ctx<'_>) -> Answer {
    set_archived(ctx, true)
}

fn unarchive(ctx: &Ctx<'_>) -> Answer {
    set_archived(ctx, false)
}

fn set_archived(ctx: &Ctx<'_>, archived: bool) -> Answer {
    if let Some(project) = ctx.state().projects.get_mut(ctx.project()) {
        project.settings.archived = archived;
    }
    Ok(Response {
        status: 201,
        ..show(ctx)?
    })
}

fn check_names(
    state: &State,
    namespace: u64,
    name: &str,
    path: &str,
    own: Option<u64>,
) -> Result<(), ApiError> {
    let mut invalid = Invalid::default();
    let siblings = || {
        state
            .projects
            .iter()
            .filter(|other| other.namespace_id == namespace && Some(other.id) != own)
    };
    if siblings().any(|other| other.path.eq_ignore_ascii_case(path)) {
        invalid.add("project_namespace.name", "has already been taken");
        invalid.add("name", "has already been taken");
        invalid.add("path", "has already been taken");
    } else if siblings().any(|other| other.name == name) {
        invalid.add("name", "has already been taken");
    }
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    if path.is_empty()
        || !path.chars().all(allowed)
        || path.starts_with(['-', '.'])
        || path.ends_with(".git")
    {
        invalid.add("path", "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'");
    }
    invalid.check()
}

fn slug(name: &str) -> String {
    let mapped = name
        .trim()
        .to_lowercase()
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() || matches!(char, '_' | '.') {
                char
            } else {
                '-'
            }
        })
        .collect::<String>();
    mapped.trim_matches(['-', '.']).to_owned()
}
