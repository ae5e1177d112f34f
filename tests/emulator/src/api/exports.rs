//! Exporting projects and groups, and importing such files; everything is done at once.

use serde_json::{Map, Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::exports::{self, ExportedFile};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, file, get, hash, integer, post, string};
use crate::store::State;
use crate::store::group_settings::GroupSettings;
use crate::store::groups::Group;
use crate::store::members::Source;
use crate::store::projects::{Project, Settings, Visibility};

use super::{groups, namespaces, project_entity};

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Owner);
const TREE: &str = "tree/project.json";
const GROUP_TREE: &str = "tree/group.json";

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/export", PROJECT, status),
    post("projects/:id/export", PROJECT, export_project)
        .refuses(&["upload"])
        .params(&[string("description")]),
    get("projects/:id/export/download", PROJECT, download),
    post("projects/import", Guard::User, import_project)
        .refuses(&[
            "file.etag",
            "file.md5",
            "file.name",
            "file.path",
            "file.remote_id",
            "file.remote_url",
            "file.sha1",
            "file.sha256",
            "file.size",
            "file.type",
        ])
        .params(&[
            string("path").required(),
            file("file").required(),
            string("name"),
            string("namespace"),
            boolean("overwrite"),
            hash("override_params", &[]),
        ]),
    get("projects/:id/import", PROJECT, import_status),
    post("groups/:id/export", GROUP, export_group),
    get("groups/:id/export/download", GROUP, download),
    post("groups/import", Guard::User, import_group).params(&[
        string("path").required(),
        string("name").required(),
        file("file").required(),
        integer("parent_id"),
        integer("organization_id"),
    ]),
];

fn accepted() -> Answer {
    Ok(Response::json(202, &json!({ "message": "202 Accepted" })))
}

fn export_project(ctx: &Ctx<'_>) -> Answer {
    let mut tree = {
        let state = ctx.state();
        let project = state.projects.get(ctx.project());
        let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
        let mut tree = json!(project.settings);
        tree["visibility"] = json!(project.visibility);
        tree["default_branch"] = json!(project.default_branch);
        tree
    };
    if let Some(text) = ctx.string("description") {
        tree["description"] = json!(text);
    }
    let mut files = vec![(TREE.to_owned(), tree.to_string().into_bytes())];
    let bundle = ctx.shared.repository(ctx.project()).bundle()?;
    files.extend(bundle.map(|bundle| ("project.bundle".to_owned(), bundle)));
    store(ctx, &files)
}

fn export_group(ctx: &Ctx<'_>) -> Answer {
    let tree = {
        let state = ctx.state();
        let group = state.groups.get(ctx.group());
        let group = group.ok_or_else(|| ApiError::not_found("Group"))?;
        json!({
            "description": group.description,
            "visibility": group.visibility,
            "settings": group.settings,
        })
    };
    store(
        ctx,
        &[(GROUP_TREE.to_owned(), tree.to_string().into_bytes())],
    )
}

fn store(ctx: &Ctx<'_>, files: &[ExportedFile]) -> Answer {
    let packed = exports::packed(files).map_err(|_in_memory| ApiError::internal())?;
    let mut state = ctx.state();
    state.belongings.exports.insert(ctx.place(), packed);
    accepted()
}

fn status(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let done = state.belongings.exports.contains_key(&ctx.place());
    let mut body = project_entity::identity(&state, project);
    let status = if done { "finished" } else { "none" };
    body["export_status"] = json!(status);
    if done {
        let path = state.project_path(project);
        body["_links"] = json!({
            "api_url": format!("{}/api/v4/projects/{}/export/download", ctx.url(), project.id),
            "web_url": format!("{}/{path}/download_export", ctx.url()),
        });
    }
    Ok(Response::ok(&body))
}

fn download(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let found = state.belongings.exports.get(&ctx.place()).cloned();
    let content = found.ok_or_else(|| {
        let what = if ctx.group() == 0 { "project" } else { "group" };
        ApiError::message(404, format!("The {what} export file is not available yet."))
    })?;
    let name = format!(
        "attachment; filename=\"{}_export.tar.gz\"",
        clock::day(ctx.now())
    );
    Ok(Response::bytes(200, "application/octet-stream", content).with("content-disposition", name))
}

/// The files of the export that was sent, or `400`.
fn sent(ctx: &Ctx<'_>) -> Result<Vec<ExportedFile>, ApiError> {
    let Some(file) = ctx.file("file") else {
        return Err(ApiError::error(400, "file is invalid"));
    };
    exports::unpacked(&file.content)
        .ok_or_else(|| ApiError::message(400, "The file is not an export"))
}

fn import_project(ctx: &Ctx<'_>) -> Answer {
    let files = sent(ctx)?;
    let mut tree = exports::json_of(&files, TREE).unwrap_or_else(|| json!({}));
    if let (Some(tree), Some(Value::Object(over))) =
        (tree.as_object_mut(), ctx.value("override_params"))
    {
        tree.extend(over.clone());
    }
    let id = insert_project(ctx, &tree)?;
    let repository = ctx.shared.repository(id);
    repository.init()?;
    if let Some((_, bundle)) = files.iter().find(|(name, _)| name == "project.bundle") {
        let path = repository.dir().join("import.bundle");
        std::fs::write(&path, bundle).map_err(|_disk| ApiError::internal())?;
        let taken = repository.unbundle(&path);
        let _already_gone = std::fs::remove_file(&path);
        taken?;
        adopt_branch(ctx, id, tree["default_branch"].as_str())?;
    }
    let state = ctx.state();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&import_entity(&state, project)))
}

fn insert_project(ctx: &Ctx<'_>, tree: &Value) -> Result<u64, ApiError> {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let own = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    let own = own.namespace_id;
    let missing = || ApiError::not_found("Namespace");
    let namespace = match ctx.string("namespace") {
        Some(wish) => namespaces::find(&state, wish).ok_or_else(missing)?,
        None => own,
    };
    let access = access::in_group(&state, Some(user), namespace);
    if namespace != own && !access.at_least(Role::Maintainer) {
        return Err(missing());
    }
    let path = ctx.string("path").unwrap_or_default();
    let name = ctx.string("name").unwrap_or(path);
    let old = state
        .projects
        .iter()
        .find(|other| other.namespace_id == namespace && other.path.eq_ignore_ascii_case(path))
        .map(|other| other.id);
    match old {
        Some(old) if ctx.boolean("overwrite") == Some(true) => {
            state.remove_project(old);
            ctx.shared.repository(old).delete();
        }
        Some(_) => {
            return Err(ApiError::message(400, "Name has already been taken"));
        }
        None => {}
    }
    let now = ctx.now();
    let id = state.add_project(name, path, namespace, user, now);
    if state.groups.get(namespace).is_none() {
        state.add_member(user, Source::Project(id), Role::Owner, now);
    }
    if let Some(project) = state.projects.get_mut(id) {
        let visibility = tree["visibility"].as_str();
        project.visibility = visibility.map_or(Visibility::Private, Visibility::parse);
        project.settings = known_settings(tree);
        project.import_status = "finished";
    }
    Ok(id)
}

/// What an export says about settings; one that does not fit counts as not said.
fn known_settings(tree: &Value) -> Settings {
    let mut settings = Map::new();
    for (name, value) in tree.as_object().into_iter().flatten() {
        let mut tried = settings.clone();
        tried.insert(name.clone(), value.clone());
        if serde_json::from_value::<Settings>(Value::Object(tried.clone())).is_ok() {
            settings = tried;
        }
    }
    serde_json::from_value(Value::Object(settings)).unwrap_or_default()
}

/// The default branch of the exported project, or any.
fn adopt_branch(ctx: &Ctx<'_>, id: u64, wished: Option<&str>) -> Result<(), ApiError> {
    let repository = ctx.shared.repository(id);
    let branches = repository.branches()?;
    let known = |name: &str| branches.iter().any(|(branch, _)| branch == name);
    let branch = wished
        .filter(|wished| known(wished))
        .or_else(|| known("main").then_some("main"))
        .or_else(|| branches.first().map(|(branch, _)| branch.as_str()));
    let Some(branch) = branch else {
        return Ok(());
    };
    repository.set_head(branch)?;
    let mut state = ctx.state();
    if let Some(project) = state.projects.get_mut(id) {
        project.default_branch = Some(branch.to_owned());
    }
    state.protect_branch(id, branch);
    Ok(())
}

fn import_status(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    Ok(Response::ok(&import_entity(&state, project)))
}

fn import_entity(state: &State, project: &Project) -> Value {
    let mut body = project_entity::identity(state, project);
    for (name, value) in [
        ("import_status", json!(project.import_status)),
        ("import_type", json!("gitlab_project")),
        ("correlation_id", Value::Null),
        ("failed_relations", json!([])),
        ("import_error", Value::Null),
        ("stats", Value::Null),
    ] {
        body[name] = value;
    }
    body
}

fn import_group(ctx: &Ctx<'_>) -> Answer {
    let files = sent(ctx)?;
    let tree = exports::json_of(&files, GROUP_TREE).unwrap_or_else(|| json!({}));
    let (user, now) = (ctx.user()?, ctx.now());
    let parent = match ctx.number("parent_id") {
        Some(id) => Some(ctx.find_group(&id.to_string())?),
        None => None,
    };
    let path = ctx.string("path").unwrap_or_default();
    let mut state = ctx.state();
    if let Some(parent) = parent
        && !access::in_group(&state, Some(user), parent).at_least(Role::Owner)
    {
        return Err(ApiError::forbidden());
    }
    groups::check_path(&state, parent, path, None)?;
    let settings: Option<GroupSettings> = serde_json::from_value(tree["settings"].clone()).ok();
    let visibility = tree["visibility"].as_str();
    let id = state.next_namespace();
    state.groups.put(id, |id| Group {
        id,
        name: ctx.string("name").unwrap_or(path).to_owned(),
        path: path.to_owned(),
        parent_id: parent,
        description: tree["description"].as_str().unwrap_or_default().to_owned(),
        visibility: visibility.map_or(Visibility::Private, Visibility::parse),
        created_at: now,
        avatar: None,
        settings: settings.unwrap_or_default(),
    });
    state.add_member(user, Source::Group(id), Role::Owner, now);
    accepted()
}
