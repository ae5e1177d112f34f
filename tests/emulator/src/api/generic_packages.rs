//! The generic package registry: plain files by package name and version.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, any, get, one_of, put};
use crate::store::packages::{Package, PackageFile};

const FILE: &str = "projects/:id/packages/generic/:package_name/:package_version/:file_name";

pub(super) const ROUTES: &[Route] = &[
    put(FILE, Guard::Project(Role::Developer), upload)
        .params(&[
            one_of("status", &["default", "hidden"]),
            one_of("select", &["package_file"]),
            // The file is the body; GitLab's own description lists it with the parameters.
            any("file"),
        ])
        .raw_body()
        .job_token(),
    get(FILE, super::packages::READ, download).job_token(),
];

static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A[A-Za-z0-9._\-+]+\z").ok());
static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[A-Za-z0-9_+.\-]+\z").ok());
static FILE_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[A-Za-z0-9._\-+~]+\z").ok());

/// Name, version and file of the path, or `400` with every problem.
fn names<'a>(ctx: &'a Ctx<'_>) -> Result<(&'a str, &'a str, &'a str), ApiError> {
    let (name, version, file) = (
        ctx.path("package_name"),
        ctx.path("package_version"),
        ctx.path("file_name"),
    );
    let fits = |pattern: &LazyLock<Option<Regex>>, text: &str| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(text))
    };
    let mut problems = Vec::new();
    if !fits(&NAME, name) {
        problems.push("package_name is invalid");
    }
    if !fits(&VERSION, version) || version.contains("..") {
        problems.push("package_version is invalid");
    }
    if !fits(&FILE_NAME, file) || file.starts_with('~') || file.ends_with('~') {
        problems.push("file_name is invalid");
    }
    // A name that climbs out of its folder.
    if name == ".." {
        problems.push("package_name should be a valid file path");
    }
    if file == ".." {
        problems.push("file_name should be a valid file path");
    }
    if problems.is_empty() {
        Ok((name, version, file))
    } else {
        Err(ApiError::error(400, problems.join(", ")))
    }
}

fn upload(ctx: &Ctx<'_>) -> Answer {
    let (name, version, file) = names(ctx)?;
    super::packages::check_enabled(ctx)?;
    let creator_id = ctx.user()?;
    let (now, project_id) = (ctx.now(), ctx.project());
    let pipeline_id = ctx.caller.job().map(|job| job.pipeline_id);
    let mut state = ctx.state();
    let known = state.find_package(project_id, name, version);
    let package = match known.map(|package| package.id) {
        Some(id) => id,
        None => state.packages.insert(|id| Package {
            id,
            project_id,
            name: name.to_owned(),
            version: version.to_owned(),
            status: "default".to_owned(),
            creator_id,
            pipeline_id,
            created_at: now,
            last_downloaded_at: None,
        }),
    };
    if let (Some(status), Some(package)) = (ctx.string("status"), state.packages.get_mut(package)) {
        status.clone_into(&mut package.status);
    }
    let content = ctx.request.body.clone();
    let id = state.add_package_file(package, file, content, pipeline_id, now);
    if ctx.string("select").is_none() {
        return Ok(Response::json(201, &json!({ "message": "201 Created" })));
    }
    let file = state.package_files.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&stored(ctx, file)))
}

fn download(ctx: &Ctx<'_>) -> Answer {
    let (name, version, file) = names(ctx)?;
    super::packages::check_enabled(ctx)?;
    let now = ctx.now();
    let mut state = ctx.state();
    let package = state
        .find_package(ctx.project(), name, version)
        .map(|package| package.id)
        .ok_or_else(ApiError::not_found_plain)?;
    let found = state.files_of(package).rev().find(|row| row.name == file);
    let found = found.ok_or_else(ApiError::not_found_plain)?;
    let answer = Response::bytes(200, "application/octet-stream", found.content.clone())
        .with(
            "content-disposition",
            format!("attachment; filename=\"{file}\"; filename*=UTF-8''{file}"),
        )
        .with("x-checksum-sha256", found.sha256.clone());
    if let Some(package) = state.packages.get_mut(package) {
        package.last_downloaded_at = Some(now);
    }
    Ok(answer)
}

/// What `select=package_file` shows: the row as it is stored.
fn stored(ctx: &Ctx<'_>, file: &PackageFile) -> Value {
    json!({
        "id": file.id,
        "package_id": file.package_id,
        "created_at": clock::iso(file.created_at),
        "updated_at": clock::iso(file.created_at),
        "size": file.content.len(),
        "file_store": 1,
        "file_md5": file.md5,
        "file_sha1": file.sha1,
        "file_name": file.name,
        "file": { "url": format!("{}{}", ctx.url(), ctx.request.path) },
        "file_sha256": file.sha256,
        "verification_retry_at": Value::Null,
        "verified_at": Value::Null,
        "verification_failure": Value::Null,
        "verification_retry_count": Value::Null,
        "verification_checksum": Value::Null,
        "verification_state": 0,
        "verification_started_at": Value::Null,
        "status": "default",
        "new_file_path": Value::Null,
        "project_id": ctx.project(),
    })
}
