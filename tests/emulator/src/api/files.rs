//! Files of the repository, one at a time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, post, put, string};

use super::commit_create::{FileChange, commit, decoded, is_executable};
use super::repository::{ref_or_default, require_code};

const WRITER: Guard = Guard::Project(Role::Developer);
const COMMIT: &[Param] = &[
    string("branch").required(),
    string("commit_message").required(),
    string("start_branch"),
    string("author_email"),
    string("author_name"),
];
const CONTENT: &[Param] = &[
    string("content").required(),
    one_of("encoding", &["text", "base64"]),
    string("last_commit_id"),
    boolean("execute_filemode"),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/repository/files/:file_path",
        Guard::ProjectReader,
        show,
    )
    .params(&[string("ref").required()]),
    get(
        "projects/:id/repository/files/:file_path/raw",
        Guard::ProjectReader,
        raw,
    )
    .params(&[string("ref"), boolean("lfs")])
    .job_token(),
    post("projects/:id/repository/files/:file_path", WRITER, create)
        .params(COMMIT)
        .also(CONTENT),
    put("projects/:id/repository/files/:file_path", WRITER, update)
        .params(COMMIT)
        .also(CONTENT),
    delete("projects/:id/repository/files/:file_path", WRITER, destroy)
        .params(COMMIT)
        .also(&[string("last_commit_id")]),
];

/// The address of the web interface: a ref, which may have slashes, and a path.
pub(super) const PAGES: &[Route] = &[get("raw/*place", Guard::ProjectReader, raw_page)];

/// A file with what its headers and entity say about it.
struct Found {
    path: String,
    reference: String,
    content: Vec<u8>,
    blob: String,
    commit: String,
    last_commit: String,
    executable: bool,
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let file = find(ctx)?;
    let response = Response::ok(&json!({
        "file_name": file.path.rsplit('/').next(),
        "file_path": file.path,
        "size": file.content.len(),
        "encoding": "base64",
        "content_sha256": sha256(&file.content),
        "ref": file.reference,
        "blob_id": file.blob,
        "commit_id": file.commit,
        "last_commit_id": file.last_commit,
        "execute_filemode": file.executable,
        "content": STANDARD.encode(&file.content),
    }));
    Ok(with_headers(response, &file))
}

fn raw(ctx: &Ctx<'_>) -> Answer {
    let file = find(ctx)?;
    let response = Response::bytes(200, "text/plain", file.content.clone())
        .with("content-disposition", "inline");
    Ok(with_headers(response, &file))
}

fn raw_page(ctx: &Ctx<'_>) -> Answer {
    let place = ctx.path("place");
    let found = place.match_indices('/').find_map(|(at, _)| {
        let (reference, path) = (&place[..at], &place[at + 1..]);
        find_at(ctx, reference.to_owned(), path.to_owned()).ok()
    });
    let file = found.ok_or_else(|| ApiError::not_found("File"))?;
    Ok(Response::bytes(200, "text/plain", file.content).with("content-disposition", "inline"))
}

/// What a HEAD request is after.
fn with_headers(response: Response, file: &Found) -> Response {
    response
        .with("x-gitlab-blob-id", file.blob.clone())
        .with("x-gitlab-commit-id", file.commit.clone())
        .with("x-gitlab-content-sha256", sha256(&file.content))
        .with("x-gitlab-encoding", "base64")
        .with(
            "x-gitlab-file-name",
            file.path.rsplit('/').next().unwrap_or_default(),
        )
        .with("x-gitlab-file-path", file.path.clone())
        .with("x-gitlab-last-commit-id", file.last_commit.clone())
        .with("x-gitlab-ref", file.reference.clone())
        .with("x-gitlab-size", file.content.len().to_string())
        .with("x-gitlab-execute-filemode", file.executable.to_string())
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn find(ctx: &Ctx<'_>) -> Result<Found, ApiError> {
    find_at(
        ctx,
        ref_or_default(ctx, "ref"),
        ctx.path("file_path").to_owned(),
    )
}

fn find_at(ctx: &Ctx<'_>, reference: String, path: String) -> Result<Found, ApiError> {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let commit = repository.resolve(&reference)?;
    let commit = commit.ok_or_else(|| ApiError::not_found("Commit"))?;
    let missing = || ApiError::not_found("File");
    let content = repository.file(&commit, &path)?.ok_or_else(missing)?;
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let entries = repository.tree(&commit, directory, false)?;
    let entry = entries.into_iter().find(|entry| entry.path == path);
    let last = repository.commits(&["-n", "1", &commit, "--", &path])?;
    Ok(Found {
        content,
        blob: entry.ok_or_else(missing)?.id,
        last_commit: last
            .into_iter()
            .next()
            .map(|commit| commit.id)
            .unwrap_or_default(),
        executable: is_executable(&repository, &commit, &path)?,
        commit,
        path,
        reference,
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    commit(ctx, vec![change(ctx, "create")?])?;
    Ok(Response::created(&entity(ctx)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    commit(ctx, vec![change(ctx, "update")?])?;
    Ok(Response::ok(&entity(ctx)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    commit(ctx, vec![change(ctx, "delete")?])?;
    Ok(Response::no_content())
}

fn change(ctx: &Ctx<'_>, action: &str) -> Result<FileChange, ApiError> {
    let content = ctx.string("content");
    Ok(FileChange {
        action: action.to_owned(),
        path: ctx.path("file_path").to_owned(),
        previous_path: None,
        content: match content {
            Some(content) => Some(decoded(content, ctx.string("encoding"))?),
            None => None,
        },
        last_commit_id: ctx.string("last_commit_id").map(str::to_owned),
        executable: ctx.boolean("execute_filemode"),
    })
}

fn entity(ctx: &Ctx<'_>) -> serde_json::Value {
    json!({ "file_path": ctx.path("file_path"), "branch": ctx.string("branch") })
}
