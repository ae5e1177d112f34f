//! Context commits: commits of other branches that reviewers read along with a merge request.

use serde_json::Value;

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::Commit;
use crate::issuables;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, list, post};
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

use super::commit_entity::{self, project_url};
use super::merge_requests::find;

const READER: Guard = Guard::ProjectReader;
const COMMITS: &[Param] = &[list("commits").required()];
const PATTERN: &str = "projects/:id/merge_requests/:merge_request_iid/context_commits";
/// How many may be added at once.
const LIMIT: usize = 20;

pub(super) const ROUTES: &[Route] = &[
    get(PATTERN, READER, index),
    post(PATTERN, READER, create).params(COMMITS),
    delete(PATTERN, READER, destroy).params(COMMITS),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    Ok(Response::ok(&rendered(ctx, &row.context_commits)?))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let row = writable(ctx)?;
    let sent = ctx.list("commits").unwrap_or_default();
    if sent.len() > LIMIT {
        let text = format!("Context commits array size should not be more than {LIMIT}");
        return Err(ApiError::message(400, text));
    }
    let commits = resolved(ctx, &sent)?;
    let known: Vec<&str> = commits
        .iter()
        .filter(|commit| row.context_commits.contains(commit))
        .map(String::as_str)
        .collect();
    if !known.is_empty() {
        let text = format!("Context commits: {known:?} are already created");
        return Err(ApiError::message(400, text));
    }
    if let Some(row) = ctx.state().merge_requests.get_mut(row.id) {
        row.context_commits.extend(commits.clone());
    }
    Ok(Response::created(&rendered(ctx, &commits)?))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let row = writable(ctx)?;
    let commits = resolved(ctx, &ctx.list("commits").unwrap_or_default())?;
    if !commits
        .iter()
        .all(|commit| row.context_commits.contains(commit))
    {
        return Err(unknown());
    }
    if let Some(row) = ctx.state().merge_requests.get_mut(row.id) {
        row.context_commits
            .retain(|commit| !commits.contains(commit));
    }
    Ok(Response::no_content())
}

fn writable(ctx: &Ctx<'_>) -> Result<MergeRequest, ApiError> {
    let (user, row) = (ctx.user()?, find(ctx)?);
    let may = issuables::may_update(&ctx.state(), user, Noteable::MergeRequest(row.id));
    may.then_some(row).ok_or_else(ApiError::forbidden)
}

fn unknown() -> ApiError {
    ApiError::message(400, "One or more context commits' sha is not valid.")
}

fn resolved(ctx: &Ctx<'_>, sent: &[String]) -> Result<Vec<String>, ApiError> {
    let repository = ctx.shared.repository(ctx.project());
    let mut commits = Vec::new();
    for name in sent {
        commits.push(repository.resolve(name)?.ok_or_else(unknown)?);
    }
    Ok(commits)
}

fn rendered(ctx: &Ctx<'_>, commits: &[String]) -> Result<Value, ApiError> {
    let repository = ctx.shared.repository(ctx.project());
    let url = project_url(ctx);
    let mut found: Vec<Commit> = Vec::new();
    for commit in commits {
        found.extend(repository.commit(commit)?);
    }
    let entities = found
        .iter()
        .map(|commit| commit_entity::basic(&url, commit));
    Ok(entities.collect())
}
