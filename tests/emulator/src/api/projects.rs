//! Projects: creation, lookup, lists, settings, removal.

use serde_json::{Map, Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::git::{Action, Identity};
use crate::message::Response;
use crate::push::{self, Push, RefUpdate};
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, integer, list, one_of, post, put, string};
use crate::store::State;
use crate::store::members::Source;
use crate::store::projects::{Project, Settings, Visibility};

use super::groups::VISIBILITY;
use super::project_entity as entity;

const LEVELS: &[&str] = &["disabled", "private", "enabled"];

/// What creation and editing have in common; each name is a field of `Settings`.
const SETTINGS: &[Param] = &[
    string("description"),
    list("topics"),
    list("tag_list"),
    boolean("resolve_outdated_diff_discussions"),
    boolean("issues_enabled"),
    boolean("merge_requests_enabled"),
    boolean("wiki_enabled"),
    boolean("jobs_enabled"),
    boolean("snippets_enabled"),
    boolean("packages_enabled"),
    boolean("lfs_enabled"),
    boolean("container_registry_enabled"),
    boolean("shared_runners_enabled"),
    boolean("group_runners_enabled"),
    boolean("request_access_enabled"),
    boolean("emails_enabled"),
    integer("ci_default_git_depth"),
    integer("ci_delete_pipelines_in_seconds"),
    boolean("ci_forward_deployment_enabled"),
    boolean("ci_forward_deployment_rollback_allowed"),
    boolean("ci_allow_fork_pipelines_to_run_in_parent_project"),
    boolean("ci_separated_caches"),
    boolean("ci_push_repository_for_job_token_allowed"),
    one_of("ci_pipeline_variables_minimum_override_role", &["no_one_allowed", "developer", "maintainer", "owner"]),
    boolean("restrict_user_defined_variables"),
    boolean("protect_merge_request_pipelines"),
    one_of("resource_group_default_process_mode", &["unordered", "oldest_first", "newest_first", "newest_ready_first"]),
    boolean("keep_latest_artifact"),
    one_of("build_git_strategy", &["fetch", "clone"]),
    integer("build_timeout"),
    one_of("auto_cancel_pending_pipelines", &["disabled", "enabled"]),
    boolean("auto_devops_enabled"),
    string("ci_config_path"),
    boolean("public_jobs"),
    boolean("public_builds"),
    boolean("only_allow_merge_if_pipeline_succeeds"),
    boolean("allow_merge_on_skipped_pipeline"),
    boolean("only_allow_merge_if_all_discussions_are_resolved"),
    boolean("remove_source_branch_after_merge"),
    boolean("printing_merge_request_link_enabled"),
    one_of("merge_method", &["ff", "rebase_merge", "merge"]),
    one_of("squash_option", &["never", "always", "default_on", "default_off"]),
    string("suggestion_commit_message"),
    string("merge_commit_template"),
    string("squash_commit_template"),
    string("issue_branch_template"),
    boolean("autoclose_referenced_issues"),
    one_of("issues_access_level", LEVELS),
    one_of("repository_access_level", LEVELS),
    one_of("merge_requests_access_level", LEVELS),
    one_of("forking_access_level", LEVELS),
    one_of("wiki_access_level", LEVELS),
    one_of("builds_access_level", LEVELS),
    one_of("snippets_access_level", LEVELS),
    one_of("pages_access_level", &["disabled", "private", "enabled", "public"]),
    one_of("analytics_access_level", LEVELS),
    one_of("container_registry_access_level", LEVELS),
    one_of("releases_access_level", LEVELS),
    one_of("environments_access_level", LEVELS),
    one_of("feature_flags_access_level", LEVELS),
    one_of("infrastructure_access_level", LEVELS),
    one_of("monitor_access_level", LEVELS),
];

const ORDER: Param = one_of("order_by", &["id", "name", "path", "created_at", "updated_at", "last_activity_at", "star_count"]);

pub(super) const ROUTES: &[Route] = &[
    get("projects", Guard::Open, index)
        .params(&[
            string("search"),
            boolean("search_namespaces"),
            boolean("membership"),
            boolean("owned"),
            boolean("archived"),
            boolean("simple"),
            boolean("statistics"),
            integer("min_access_level"),
            integer("id_after"),
            integer("id_before"),
            list("topic"),
            VISIBILITY,
            ORDER,
            one_of("sort", &["asc", "desc"]),
        ])
        .keyset(),
    post("projects", Guard::User, create)
        .params(&[
            string("name"),
            string("path"),
            integer("namespace_id"),
            string("default_branch"),
            boolean("initialize_with_readme"),
            VISIBILITY,
        ])
        .also(SETTINGS),
    get("projects/:id", Guard::ProjectReader, show).params(&[boolean("statistics"), boolean("license"), boolean("with_custom_attributes")]),
    put("projects/:id", Guard::Project(Role::Maintainer), edit)
        .params(&[string("name"), string("path"), string("default_branch"), VISIBILITY])
        .also(SETTINGS),
    delete("projects/:id", Guard::Project(Role::Owner), destroy),
    post("projects/:id/archive", Guard::Project(Role::Owner), archive),
    post("projects/:id/unarchive", Guard::Project(Role::Owner), unarchive),
    get("users/:user_id/projects", Guard::Open, of_user)
        .params(&[string("search"), boolean("simple"), boolean("archived"), ORDER, one_of("sort", &["asc", "desc"])])
        .keyset(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    list_of(ctx, &ctx.state(), |_| true)
}

fn of_user(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = ctx.path("user_id");
    let user = id.parse().ok().and_then(|id| state.users.get(id)).or_else(|| state.user_named(id));
    let namespace = user.ok_or_else(|| ApiError::not_found("User"))?.namespace_id;
    list_of(ctx, &state, |project| project.namespace_id == namespace)
}

/// The projects the caller may see, filtered and ordered by the parameters all project lists share.
pub(super) fn list_of(ctx: &Ctx<'_>, state: &State, wanted: impl Fn(&Project) -> bool) -> Answer {
    let search = ctx.string("search").map(str::to_lowercase);
    let passes = |project: &&Project| {
        let access = access::in_project(state, ctx.caller.user(), project.id);
        let direct = ctx.caller.user().is_some_and(|user| {
            state.member_sources(Source::Project(project.id)).into_iter().any(|source| state.member_role(user, source).is_some())
        });
        let owned = access.at_least(Role::Owner) && direct;
        let found = |text: &String| {
            let namespaces = ctx.boolean("search_namespaces") == Some(true);
            let path = if namespaces { state.project_path(project) } else { project.path.clone() };
            path.to_lowercase().contains(text) || project.name.to_lowercase().contains(text)
        };
        access.can_read
            && wanted(project)
            && (ctx.boolean("membership") != Some(true) || direct)
            && (ctx.boolean("owned") != Some(true) || owned)
            && ctx.boolean("archived").is_none_or(|archived| project.settings.archived == archived)
            && ctx.integer("min_access_level").is_none_or(|least| access.role.is_some_and(|role| role.level() >= least))
            && ctx.number("id_after").is_none_or(|after| project.id > after)
            && ctx.number("id_before").is_none_or(|before| project.id < before)
            && ctx.list("topic").is_none_or(|topics| topics.iter().all(|topic| project.settings.topics.contains(topic)))
            && ctx.string("visibility").is_none_or(|visibility| project.visibility.as_str() == visibility)
            && search.as_ref().is_none_or(found)
    };
    let mut found: Vec<&Project> = state.projects.iter().filter(passes).collect();
    match ctx.string("order_by") {
        Some("name") => found.sort_by_key(|project| (project.name.clone(), project.id)),
        Some("path") => found.sort_by_key(|project| (project.path.clone(), project.id)),
        Some("updated_at") => found.sort_by_key(|project| (project.updated_at, project.id)),
        Some("last_activity_at") => found.sort_by_key(|project| (project.last_activity_at, project.id)),
        Some(_) | None => {}
    }
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    let render = |project: &Project| {
        if ctx.boolean("simple") == Some(true) {
            Value::Object(entity::simple(ctx, state, project))
        } else {
            entity::for_caller(ctx, state, project)
        }
    };
    if ctx.string("pagination") == Some("keyset") {
        return crate::pagination::keyset(ctx, found, |project| project.id, render);
    }
    ctx.page(found, render)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project()).ok_or_else(|| ApiError::not_found("Project"))?;
    Ok(Response::ok(&entity::for_caller(ctx, &state, project)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    if ctx.string("name").is_none() && ctx.string("path").is_none() {
        return Err(ApiError::error(400, "name, path are missing, at least one parameter must be provided"));
    }
    let id = insert(ctx, user)?;
    ctx.shared.repository(id).init().or_else(|error| Err(ApiError::message(500, error.to_string())))?;
    if ctx.boolean("initialize_with_readme") == Some(true) {
        add_readme(ctx, user, id)?;
    }
    let state = ctx.state();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity::full(ctx, &state, project)))
}

fn insert(ctx: &Ctx<'_>, user: u64) -> Result<u64, ApiError> {
    let mut state = ctx.state();
    let own_namespace = state.users.get(user).ok_or_else(ApiError::unauthorized)?.namespace_id;
    let namespace_id = ctx.number("namespace_id").unwrap_or(own_namespace);
    let group = state.groups.get(namespace_id).is_some();
    let allowed = namespace_id == own_namespace || access::in_group(&state, Some(user), namespace_id).at_least(Role::Developer);
    if !allowed {
        let visible = access::in_group(&state, Some(user), namespace_id).can_read;
        return Err(if visible { ApiError::forbidden() } else { ApiError::not_found("Namespace") });
    }
    let path = ctx.string("path").map(str::to_owned).unwrap_or_else(|| slug(ctx.string("name").unwrap_or_default()));
    let name = ctx.string("name").unwrap_or(&path).to_owned();
    check_names(&state, namespace_id, &name, &path, None)?;
    let now = ctx.now();
    let settings = with_changes(&Settings::default(), ctx.values())?;
    let id = state.projects.insert(|id| Project {
        id,
        name,
        path,
        namespace_id,
        creator_id: user,
        visibility: ctx.string("visibility").map_or(Visibility::Private, Visibility::parse),
        default_branch: None,
        wished_default_branch: ctx.string("default_branch").map(str::to_owned),
        created_at: now,
        updated_at: now,
        last_activity_at: now,
        job_token_allowlist: Vec::new(),
        settings,
    });
    if !group {
        state.add_member(user, Source::Project(id), Role::Owner, now);
    } else if access::in_project(&state, Some(user), id).role < Some(Role::Maintainer) {
        state.add_member(user, Source::Project(id), Role::Maintainer, now);
    }
    Ok(id)
}

fn add_readme(ctx: &Ctx<'_>, user: u64, project: u64) -> Result<(), ApiError> {
    let (branch, text, by) = {
        let state = ctx.state();
        let found = state.projects.get(project).ok_or_else(ApiError::internal)?;
        let user = state.users.get(user).ok_or_else(ApiError::internal)?;
        let branch = found.wished_default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let by = Identity { name: user.name.clone(), email: user.email.clone(), at: ctx.now() };
        (branch, format!("# {}\n", found.name), by)
    };
    let (repository, name) = (ctx.shared.repository(project), format!("refs/heads/{branch}"));
    let action = Action::put("README.md", text.as_bytes());
    let commit = repository.commit_actions(None, &[action], "Initial commit", &by, &by).and_then(|commit| {
        repository.update_ref(&name, Some(&commit), None)?;
        let updates = vec![RefUpdate { name, old: None, new: Some(commit) }];
        push::on_push(ctx.shared, &Push { project, user, updates, options: Vec::new() })
    });
    commit.or_else(|error| Err(ApiError::message(500, error.to_string())))
}

fn edit(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.project();
    if let Some(branch) = ctx.string("default_branch") {
        let repository = ctx.shared.repository(id);
        let exists = repository.resolve(&format!("refs/heads/{branch}")).ok().flatten().is_some();
        if !exists {
            return Err(ApiError::body(400, json!({ "message": { "base": ["Could not set the default branch. Do you have a branch named '".to_owned() + branch + "' in your repository?"] } })));
        }
        repository.set_head(branch).or_else(|error| Err(ApiError::message(500, error.to_string())))?;
    }
    let mut state = ctx.state();
    let old = state.projects.get(id).ok_or_else(|| ApiError::not_found("Project"))?;
    let name = ctx.string("name").unwrap_or(&old.name).to_owned();
    let path = ctx.string("path").unwrap_or(&old.path).to_owned();
    check_names(&state, old.namespace_id, &name, &path, Some(id))?;
    let settings = with_changes(&old.settings, ctx.values())?;
    let project = state.projects.get_mut(id).ok_or_else(ApiError::internal)?;
    (project.name, project.path, project.settings, project.updated_at) = (name, path, settings, ctx.now());
    if let Some(branch) = ctx.string("default_branch") {
        project.default_branch = Some(branch.to_owned());
    }
    if let Some(text) = ctx.string("visibility") {
        project.visibility = Visibility::parse(text);
    }
    drop(state);
    show(ctx)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    ctx.state().remove_project(ctx.project());
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
    Ok(Response { status: 201, ..show(ctx)? })
}

/// The settings with the parameters of a request laid over them.
fn with_changes(settings: &Settings, values: &Map<String, Value>) -> Result<Settings, ApiError> {
    let mut object = json!(settings);
    for param in SETTINGS {
        let Some(value) = values.get(param.name) else { continue };
        let field = match param.name {
            "tag_list" => "topics",
            "public_builds" => "public_jobs",
            name => name,
        };
        object[field] = value.clone();
    }
    if values.contains_key("ci_pipeline_variables_minimum_override_role") {
        object["restrict_user_defined_variables"] = json!(object["ci_pipeline_variables_minimum_override_role"] != "developer");
    }
    serde_json::from_value(object).or_else(|_| Err(ApiError::bad_request("a setting that has a value cannot be null")))
}

fn check_names(state: &State, namespace: u64, name: &str, path: &str, own: Option<u64>) -> Result<(), ApiError> {
    let mut invalid = Invalid::default();
    let siblings = || state.projects.iter().filter(|other| other.namespace_id == namespace && Some(other.id) != own);
    if siblings().any(|other| other.path.eq_ignore_ascii_case(path)) {
        invalid.add("project_namespace.name", "has already been taken");
        invalid.add("name", "has already been taken");
        invalid.add("path", "has already been taken");
    } else if siblings().any(|other| other.name == name) {
        invalid.add("name", "has already been taken");
    }
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    if path.is_empty() || !path.chars().all(allowed) || path.starts_with(['-', '.']) || path.ends_with(".git") {
        invalid.add("path", "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'");
    }
    invalid.check()
}

fn slug(name: &str) -> String {
    let mapped = name.trim().to_lowercase().chars().map(|char| if char.is_ascii_alphanumeric() || matches!(char, '_' | '.') { char } else { '-' }).collect::<String>();
    mapped.trim_matches(['-', '.']).to_owned()
}
