//! Reading commits: lists, one, its difference, and which refs and merge requests hold it.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Commit, Repository};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, one_of, string};

use super::commit_entity::{self, project_url};
use super::instants::instant;
use super::merge_request_entity;
use super::repository::{ref_or_default, require_code};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/repository/commits", READER, index)
        .params(&[
            string("ref_name"),
            string("since"),
            string("until"),
            string("path"),
            string("author"),
            boolean("all"),
            boolean("with_stats"),
            boolean("first_parent"),
            boolean("trailers"),
            one_of("order", &["default", "topo"]),
        ])
        .paginated(),
    get("projects/:id/repository/commits/:sha", READER, show)
        .params(&[boolean("stats")])
        .job_token(),
    get("projects/:id/repository/commits/:sha/diff", READER, diff)
        .params(&[boolean("unidiff")])
        .paginated(),
    get(
        "projects/:id/repository/commits/:sha/sequence",
        READER,
        sequence,
    )
    .params(&[boolean("first_parent")]),
    get(
        "projects/:id/repository/commits/:sha/signature",
        READER,
        signature,
    ),
    get("projects/:id/repository/commits/:sha/refs", READER, refs)
        .params(&[one_of("type", &["branch", "tag", "all"])])
        .paginated(),
    get(
        "projects/:id/repository/commits/:sha/merge_requests",
        READER,
        merge_requests,
    )
    .params(&[one_of("state", &["opened", "closed", "locked", "merged"])])
    .paginated()
    .job_token(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    if repository.branches()?.is_empty() {
        return ctx.page(Vec::new(), |nothing: Value| nothing);
    }
    let mut arguments = Vec::new();
    if ctx.boolean("all") == Some(true) {
        arguments.push("--all".to_owned());
    } else {
        // A range such as `main..feature` is a ref here.
        let name = ref_or_default(ctx, "ref_name");
        let mut resolved = Vec::new();
        for part in name.split("..") {
            let commit = repository.resolve(part)?;
            resolved.push(commit.ok_or_else(|| ApiError::not_found("Reference"))?);
        }
        arguments.push(resolved.join(".."));
    }
    for name in ["since", "until"] {
        if let Some(at) = instant(ctx, name)? {
            arguments.push(format!("--{name}=@{}", at.as_second()));
        }
    }
    if let Some(author) = ctx.string("author") {
        arguments.push(format!("--author={author}"));
    }
    if ctx.boolean("first_parent") == Some(true) {
        arguments.push("--first-parent".to_owned());
    }
    if ctx.string("order") == Some("topo") {
        arguments.push("--topo-order".to_owned());
    }
    arguments.push("--".to_owned());
    arguments.extend(ctx.string("path").map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let url = project_url(ctx);
    let with_stats = ctx.boolean("with_stats") == Some(true);
    let mut rendered = Vec::new();
    for commit in repository.commits(&arguments)? {
        let mut entity = commit_entity::basic(&url, &commit);
        if with_stats {
            entity["stats"] = commit_entity::line_stats(ctx, &commit)?;
        }
        rendered.push(entity);
    }
    ctx.page(rendered, |commit| commit)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let commit = find(ctx)?;
    let stats = ctx.boolean("stats").unwrap_or(true);
    Ok(Response::ok(&commit_entity::detail(ctx, &commit, stats)?))
}

fn diff(ctx: &Ctx<'_>) -> Answer {
    let commit = find(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let files = repository.diff(&parent_or_nothing(&repository, &commit)?, &commit.id)?;
    let unified = ctx.boolean("unidiff").unwrap_or(false);
    ctx.page(files, |file| commit_entity::diff(&file, unified))
}

fn sequence(ctx: &Ctx<'_>) -> Answer {
    let commit = find(ctx)?;
    let mut arguments = vec![commit.id.as_str()];
    if ctx.boolean("first_parent") == Some(true) {
        arguments.push("--first-parent");
    }
    let repository = ctx.shared.repository(ctx.project());
    let count = repository.commits(&arguments)?.len();
    Ok(Response::ok(&json!({ "count": count })))
}

fn signature(ctx: &Ctx<'_>) -> Answer {
    find(ctx)?;
    // Keys are not checked here, so no commit counts as signed.
    Err(ApiError::not_found("Signature"))
}

fn parent_or_nothing(repository: &Repository, commit: &Commit) -> Result<String, ApiError> {
    match commit.parents.first() {
        Some(parent) => Ok(parent.clone()),
        None => Ok(repository.empty_tree()?),
    }
}

fn refs(ctx: &Ctx<'_>) -> Answer {
    let commit = find(ctx)?;
    let names = ctx.shared.repository(ctx.project()).refs_with(&commit.id)?;
    let wanted = ctx.string("type").unwrap_or("all");
    let entities = names.into_iter().filter_map(|name| {
        let (kind, name) = match name.strip_prefix("refs/heads/") {
            Some(branch) => ("branch", branch.to_owned()),
            None => ("tag", name.strip_prefix("refs/tags/")?.to_owned()),
        };
        (wanted == "all" || wanted == kind).then(|| json!({ "type": kind, "name": name }))
    });
    ctx.page(entities, |entity| entity)
}

fn merge_requests(ctx: &Ctx<'_>) -> Answer {
    let commit = find(ctx)?;
    let (project, repository) = (ctx.project(), ctx.shared.repository(ctx.project()));
    let ranges: Vec<_> = {
        let state = ctx.state();
        let range = |merge_request: &crate::store::merge_requests::MergeRequest| {
            let diff = merge_request.diff()?;
            let merge = [
                &merge_request.merge_commit_sha,
                &merge_request.squash_commit_sha,
            ];
            let made = merge.into_iter().flatten().any(|sha| *sha == commit.id);
            Some((merge_request.id, diff.base.clone(), diff.head.clone(), made))
        };
        state.merge_requests_of(project).filter_map(range).collect()
    };
    let mut found = Vec::new();
    for (id, base, head, made) in ranges.into_iter().rev() {
        let inside = made
            || (repository.is_ancestor(&commit.id, &head)?
                && !repository.is_ancestor(&commit.id, &base)?);
        if inside {
            found.push(id);
        }
    }
    let state = ctx.state();
    let rows = found
        .into_iter()
        .filter_map(|id| state.merge_requests.get(id))
        .filter(|row| {
            ctx.string("state")
                .is_none_or(|wanted| row.state.as_str() == wanted)
        });
    ctx.page(rows, |row| merge_request_entity::basic(ctx, &state, row))
}

fn find(ctx: &Ctx<'_>) -> Result<Commit, ApiError> {
    require_code(ctx)?;
    let commit = ctx
        .shared
        .repository(ctx.project())
        .commit(ctx.path("sha"))?;
    commit.ok_or_else(|| ApiError::not_found("Commit"))
}
