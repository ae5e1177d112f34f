//! Blobs by their own id, the origin of each line, and who contributed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::Commit;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, hash, one_of, string};

use super::repository::{ref_or_default, require_code};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/repository/blobs/:sha", READER, show),
    get("projects/:id/repository/blobs/:sha/raw", READER, raw),
    get(
        "projects/:id/repository/files/:file_path/blame",
        READER,
        blame,
    )
    .params(&[string("ref").required(), hash("range", &["start", "end"])]),
    get("projects/:id/repository/contributors", READER, contributors)
        .params(&[
            string("ref"),
            one_of("order_by", &["email", "name", "commits"]),
            one_of("sort", &["asc", "desc"]),
        ])
        .paginated(),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    let content = blob(ctx)?;
    Ok(Response::ok(&json!({
        "size": content.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&content),
        "sha": ctx.path("sha"),
    })))
}

fn raw(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::bytes(200, "text/plain", blob(ctx)?).with("content-disposition", "inline"))
}

fn blob(ctx: &Ctx<'_>) -> Result<Vec<u8>, ApiError> {
    require_code(ctx)?;
    let content = ctx.shared.repository(ctx.project()).blob(ctx.path("sha"))?;
    content.ok_or_else(|| ApiError::not_found("Blob"))
}

fn blame(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let path = ctx.path("file_path");
    let commit = repository.resolve(&ref_or_default(ctx, "ref"))?;
    let commit = commit.ok_or_else(|| ApiError::not_found("Commit"))?;
    if repository.file(&commit, path)?.is_none() {
        return Err(ApiError::not_found("File"));
    }
    let lines = range(ctx)?;
    let ranges = repository.blame(&commit, path, lines);
    let ranges = ranges.map_err(|_outside| ApiError::message(400, "range is invalid"))?;
    let mut entities = Vec::new();
    for range in ranges {
        let commit = repository.commit(&range.commit)?;
        let commit = commit.ok_or_else(ApiError::internal)?;
        entities.push(json!({ "commit": blamed(&commit), "lines": range.lines }));
    }
    Ok(Response::ok(&Value::Array(entities)))
}

fn range(ctx: &Ctx<'_>) -> Result<Option<(u64, u64)>, ApiError> {
    if ctx.value("range").is_none() {
        return Ok(None);
    }
    let end = |name: &str| {
        let sent = ctx.value("range")?.get(name)?;
        sent.as_u64().or_else(|| sent.as_str()?.parse().ok())
    };
    match (end("start"), end("end")) {
        (Some(start), Some(end)) if start <= end => Ok(Some((start, end))),
        (Some(_), Some(_)) => Err(ApiError::error(
            400,
            "range[start] must be lower than or equal to range[end]",
        )),
        (None, Some(_)) => Err(ApiError::error(400, "range[start] is missing")),
        (Some(_), None) => Err(ApiError::error(400, "range[end] is missing")),
        (None, None) => Err(ApiError::error(
            400,
            "range[start] is missing, range[end] is missing",
        )),
    }
}

fn blamed(commit: &Commit) -> Value {
    json!({
        "id": commit.id,
        "parent_ids": commit.parents,
        "message": commit.message,
        "authored_date": clock::iso_with_offset(commit.author.at),
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "committed_date": clock::iso_with_offset(commit.committer.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
    })
}

fn contributors(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let commit = repository.resolve(&ref_or_default(ctx, "ref"))?;
    let commit = commit.ok_or_else(ApiError::not_found_plain)?;
    let mut people: Vec<(String, String, u64)> = Vec::new();
    for commit in repository.commits(&[&commit, "--no-merges", "-n", "2000"])? {
        let author = commit.author;
        match people.iter_mut().find(|(email, ..)| *email == author.email) {
            Some((_, _, count)) => *count += 1,
            None => people.push((author.email, author.name, 1)),
        }
    }
    match ctx.string("order_by") {
        Some("email") => people.sort_by(|one, other| one.0.cmp(&other.0)),
        Some("name") => people.sort_by(|one, other| one.1.cmp(&other.1)),
        Some(_) | None => people.sort_by_key(|(_, _, count)| *count),
    }
    if ctx.string("sort") == Some("desc") {
        people.reverse();
    }
    ctx.page(people, |(email, name, commits)| {
        // GitLab stopped counting lines here.
        json!({ "name": name, "email": email, "commits": commits, "additions": 0, "deletions": 0 })
    })
}
