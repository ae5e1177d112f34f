//! The package registry's lists: packages and their files, whatever published them.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, string};
use crate::store::State;
use crate::store::packages::{Package, PackageFile};
use crate::store::projects::Visibility;

use super::{pipeline_entity, users};

/// Reading needs Reporter in a private project; `check_enabled` does the rest.
pub(super) const READ: Guard = Guard::ProjectReader;
const REMOVE: Guard = Guard::Project(Role::Maintainer);
/// The emulator has generic packages only; the other types are valid and find nothing.
const TYPE: Param = one_of(
    "package_type",
    &[
        "maven",
        "npm",
        "conan",
        "nuget",
        "pypi",
        "composer",
        "generic",
        "golang",
        "debian",
        "rubygems",
        "helm",
        "terraform_module",
        "rpm",
        "ml_model",
    ],
);

const FILTERS: &[Param] = &[
    TYPE,
    string("package_name"),
    string("package_version"),
    boolean("include_versionless"),
    one_of("sort", &["asc", "desc"]),
    one_of(
        "status",
        &[
            "default",
            "hidden",
            "processing",
            "error",
            "pending_destruction",
            "deprecated",
        ],
    ),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/packages", READ, index)
        .params(FILTERS)
        .also(&[one_of(
            "order_by",
            &["created_at", "name", "version", "type"],
        )])
        .paginated()
        .job_token(),
    get("groups/:id/packages", Guard::GroupReader, of_group)
        .params(FILTERS)
        .also(&[
            boolean("exclude_subgroups"),
            one_of(
                "order_by",
                &["created_at", "name", "version", "type", "project_path"],
            ),
        ])
        .paginated(),
    get("projects/:id/packages/:package_id", READ, show).job_token(),
    delete("projects/:id/packages/:package_id", REMOVE, destroy).job_token(),
    get(
        "projects/:id/packages/:package_id/package_files",
        READ,
        files,
    )
    .params(&[
        one_of("order_by", &["id", "created_at", "file_name"]),
        one_of("sort", &["asc", "desc"]),
    ])
    .paginated()
    .job_token(),
    delete(
        "projects/:id/packages/:package_id/package_files/:package_file_id",
        REMOVE,
        destroy_file,
    )
    .job_token(),
];

/// `404` where the registry is off, and `403` for callers below Reporter in a project that is not public.
pub(super) fn check_enabled(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    let (enabled, public) = {
        let state = ctx.state();
        let project = state.projects.get(ctx.project());
        let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
        (
            project.settings.packages_enabled,
            project.visibility == Visibility::Public,
        )
    };
    if !enabled {
        return Err(ApiError::not_found_plain());
    }
    if public {
        Ok(())
    } else {
        ctx.require(Role::Reporter)
    }
}

fn index(ctx: &Ctx<'_>) -> Answer {
    check_enabled(ctx)?;
    let state = ctx.state();
    let found = filtered(ctx, state.packages_of(ctx.project()));
    ctx.page(found, |package| entity(ctx, &state, package))
}

/// The packages of a group's projects, as far as the caller may see them.
fn of_group(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let deep = ctx.boolean("exclude_subgroups") != Some(true);
    let inside = |package: &&Package| {
        let Some(project) = state.projects.get(package.project_id) else {
            return false;
        };
        let here = project.namespace_id == ctx.group();
        let below = || {
            state
                .with_ancestors(project.namespace_id)
                .any(|group| group == ctx.group())
        };
        let access = access::in_project(&state, ctx.caller.user(), project.id);
        let public = project.visibility == Visibility::Public;
        (here || (deep && below())) && (public || access.at_least(Role::Reporter))
    };
    let found = filtered(ctx, state.packages.iter().filter(inside));
    ctx.page(found, |package| {
        let mut body = entity(ctx, &state, package);
        let project = state.projects.get(package.project_id);
        body["project_id"] = json!(package.project_id);
        body["project_path"] = json!(project.map(|project| state.project_path(project)));
        body
    })
}

fn filtered<'a>(ctx: &Ctx<'_>, packages: impl Iterator<Item = &'a Package>) -> Vec<&'a Package> {
    let name = ctx
        .string("package_name")
        .unwrap_or_default()
        .to_lowercase();
    let wanted = |package: &&Package| {
        ctx.string("package_type")
            .is_none_or(|kind| kind == "generic")
            && package.name.to_lowercase().contains(&name)
            && ctx
                .string("package_version")
                .is_none_or(|version| package.version == version)
            && package.status == ctx.string("status").unwrap_or("default")
    };
    let mut found: Vec<&Package> = packages.filter(wanted).collect();
    match ctx.string("order_by") {
        Some("name") => found.sort_by_key(|package| package.name.clone()),
        Some("version") => found.sort_by_key(|package| package.version.clone()),
        Some(_) | None => {}
    }
    if ctx.string("sort") == Some("desc") {
        found.reverse();
    }
    found
}

fn show(ctx: &Ctx<'_>) -> Answer {
    check_enabled(ctx)?;
    let state = ctx.state();
    let package = find(ctx, &state)?;
    let mut body = entity(ctx, &state, package);
    let others = state.packages_of(ctx.project()).filter(|other| {
        other.name == package.name && other.id != package.id && other.status == "default"
    });
    body["versions"] = others
        .map(|other| {
            json!({
                "id": other.id,
                "version": other.version,
                "created_at": clock::iso(other.created_at),
                "tags": [],
            })
        })
        .collect();
    Ok(Response::ok(&body))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    check_enabled(ctx)?;
    let mut state = ctx.state();
    let package = find(ctx, &state)?;
    ctx.check_unmodified(package.created_at)?;
    let id = package.id;
    state.remove_package(id);
    Ok(Response::no_content())
}

fn files(ctx: &Ctx<'_>) -> Answer {
    check_enabled(ctx)?;
    let state = ctx.state();
    let package = find(ctx, &state)?.id;
    let mut files: Vec<&PackageFile> = state.files_of(package).collect();
    if ctx.string("order_by") == Some("file_name") {
        files.sort_by_key(|file| file.name.clone());
    }
    if ctx.string("sort") == Some("desc") {
        files.reverse();
    }
    ctx.page(files, |file| file_entity(ctx, &state, file))
}

fn destroy_file(ctx: &Ctx<'_>) -> Answer {
    check_enabled(ctx)?;
    let mut state = ctx.state();
    let package = find(ctx, &state)?.id;
    let file = ctx.path_number("package_file_id")?;
    let own = |file: &&PackageFile| file.package_id == package;
    state
        .package_files
        .get(file)
        .filter(own)
        .ok_or_else(ApiError::not_found_plain)?;
    state.package_files.remove(file);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Package, ApiError> {
    state
        .packages
        .get(ctx.path_number("package_id")?)
        .filter(|package| package.project_id == ctx.project())
        .ok_or_else(ApiError::not_found_plain)
}

fn entity(ctx: &Ctx<'_>, state: &State, package: &Package) -> Value {
    let path = state
        .projects
        .get(package.project_id)
        .map(|project| state.project_path(project))
        .unwrap_or_default();
    let mut links = json!({ "web_path": format!("/{path}/-/packages/{}", package.id) });
    let role = access::in_project(state, ctx.caller.user(), package.project_id);
    if role.at_least(Role::Maintainer) {
        links["delete_api_path"] = json!(format!(
            "{}/api/v4/projects/{}/packages/{}",
            ctx.url(),
            package.project_id,
            package.id
        ));
    }
    let mut body = json!({
        "id": package.id,
        "name": package.name,
        "version": package.version,
        "package_type": "generic",
        "status": package.status,
        "_links": links,
        "created_at": clock::iso(package.created_at),
        "last_downloaded_at": package.last_downloaded_at.map(clock::iso),
        "tags": [],
    });
    if let Some(pipeline) = pipeline(ctx, state, package.pipeline_id) {
        body["pipeline"] = pipeline;
    }
    body
}

/// The pipeline that published something, with the user who caused it.
fn pipeline(ctx: &Ctx<'_>, state: &State, id: Option<u64>) -> Option<Value> {
    let pipeline = state.pipelines.get(id?)?;
    let mut body = pipeline_entity::basic(state, pipeline, ctx.url());
    body["user"] = users::basic_by_id(state, pipeline.user_id, ctx.url());
    Some(body)
}

fn file_entity(ctx: &Ctx<'_>, state: &State, file: &PackageFile) -> Value {
    let mut body = json!({
        "id": file.id,
        "package_id": file.package_id,
        "created_at": clock::iso(file.created_at),
        "file_name": file.name,
        "size": file.content.len(),
        "file_md5": file.md5,
        "file_sha1": file.sha1,
        "file_sha256": file.sha256,
    });
    if let Some(pipeline) = pipeline(ctx, state, file.pipeline_id) {
        body["pipelines"] = json!([pipeline]);
    }
    body
}
