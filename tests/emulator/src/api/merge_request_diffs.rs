//! What a merge request changes: its commits, files and diff versions.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::Commit;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get};
use crate::store::merge_requests::{DiffVersion, MergeRequest};

use super::commit_entity::{self, project_url};
use super::merge_requests::{find, shown};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/merge_requests/:merge_request_iid/commits",
        READER,
        commits,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/changes",
        READER,
        changes,
    )
    .params(&[boolean("access_raw_diffs"), boolean("unidiff")]),
    get(
        "projects/:id/merge_requests/:merge_request_iid/diffs",
        READER,
        diffs,
    )
    .params(&[boolean("unidiff")])
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/raw_diffs",
        READER,
        raw_diffs,
    ),
    get(
        "projects/:id/merge_requests/:merge_request_iid/versions",
        READER,
        versions,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/versions/:version_id",
        READER,
        version,
    )
    .params(&[boolean("unidiff")]),
];

fn newest(row: &MergeRequest) -> Result<&DiffVersion, ApiError> {
    row.diff().ok_or_else(ApiError::not_found_plain)
}

fn commits_of(ctx: &Ctx<'_>, diff: &DiffVersion) -> Result<Vec<Commit>, ApiError> {
    let range = format!("{}..{}", diff.base, diff.head);
    Ok(ctx.shared.repository(ctx.project()).commits(&[&range])?)
}

fn files_of(ctx: &Ctx<'_>, diff: &DiffVersion) -> Result<Vec<Value>, ApiError> {
    let unified = ctx.boolean("unidiff").unwrap_or(false);
    let files = ctx
        .shared
        .repository(ctx.project())
        .diff(&diff.base, &diff.head)?;
    Ok(files
        .iter()
        .map(|file| commit_entity::diff(file, unified))
        .collect())
}

fn commits(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let commits = commits_of(ctx, newest(&row)?)?;
    let url = project_url(ctx);
    ctx.page(commits, |commit| commit_entity::basic(&url, &commit))
}

fn changes(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let mut entity = shown(ctx, row.id)?;
    entity["changes"] = json!(files_of(ctx, newest(&row)?)?);
    entity["overflow"] = json!(false);
    Ok(Response::ok(&entity))
}

fn diffs(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let files = files_of(ctx, newest(&row)?)?;
    ctx.page(files, |file| file)
}

fn raw_diffs(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let diff = newest(&row)?;
    let patch = ctx
        .shared
        .repository(ctx.project())
        .patch(&diff.base, &diff.head)?;
    Ok(Response::bytes(200, "text/plain", patch))
}

fn versions(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    ctx.page(row.versions.iter().rev(), |diff| entity(&row, diff))
}

fn version(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let id = ctx.path_number("version_id")?;
    let diff = row.versions.iter().find(|diff| diff.id == id);
    let diff = diff.ok_or_else(ApiError::not_found_plain)?;
    let url = project_url(ctx);
    let commits = commits_of(ctx, diff)?;
    let commits: Vec<Value> = commits
        .iter()
        .map(|commit| commit_entity::basic(&url, commit))
        .collect();
    let mut entity = entity(&row, diff);
    entity["commits"] = json!(commits);
    entity["diffs"] = json!(files_of(ctx, diff)?);
    Ok(Response::ok(&entity))
}

fn entity(row: &MergeRequest, diff: &DiffVersion) -> Value {
    json!({
        "id": diff.id,
        "head_commit_sha": diff.head,
        "base_commit_sha": diff.base,
        "start_commit_sha": diff.start,
        "created_at": clock::iso(diff.created_at),
        "merge_request_id": row.id,
        "state": if diff.changed_files == 0 { "empty" } else { "collected" },
        "real_size": diff.changed_files.to_string(),
        "patch_id_sha": diff.patch_id,
    })
}
