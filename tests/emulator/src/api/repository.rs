//! Questions to the repository as a whole: its tree, what two commits have in common, where they parted.

use serde_json::{Value, json};

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Repository, TreeEntry};
use crate::message::Response;
use crate::pagination;
use crate::router::{Answer, Guard, Route, boolean, get, integer, list, one_of, string};

use super::commit_entity::{self, project_url};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/repository/tree", READER, tree)
        .params(&[
            string("ref"),
            string("path"),
            boolean("recursive"),
            one_of("pagination", &["keyset", "legacy", "none"]),
            string("page_token"),
        ])
        .paginated(),
    get("projects/:id/repository/compare", READER, compare).params(&[
        string("from").required(),
        string("to").required(),
        boolean("straight"),
        boolean("unidiff"),
        integer("from_project_id"),
    ]),
    get("projects/:id/repository/merge_base", READER, merge_base)
        .params(&[list("refs").required()]),
];

/// `403` for callers who may see the project but not its code.
pub(super) fn require_code(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    if access::may_read_code(&ctx.state(), ctx.caller.user(), ctx.project()) {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

/// The ref that was sent, or the default branch.
pub(super) fn ref_or_default(ctx: &Ctx<'_>, name: &str) -> String {
    let default = || {
        let state = ctx.state();
        let project = state.projects.get(ctx.project());
        project.and_then(|project| project.default_branch.clone())
    };
    match ctx.string(name).filter(|sent| !sent.is_empty()) {
        Some("HEAD") | None => default().unwrap_or_else(|| "main".to_owned()),
        Some(sent) => sent.to_owned(),
    }
}

fn tree(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let path = ctx.string("path").unwrap_or_default();
    let commit = repository.resolve(&ref_or_default(ctx, "ref"))?;
    let commit = commit.ok_or_else(|| ApiError::not_found("Tree"))?;
    let recursive = ctx.boolean("recursive").unwrap_or(false);
    let mut entries = repository.tree(&commit, path, recursive)?;
    if entries.is_empty() && !path.is_empty() {
        return Err(ApiError::not_found("invalid revision or path"));
    }
    // Directories first, as the web page shows them.
    entries.sort_by_key(|entry| entry.kind != "tree");
    if ctx.string("pagination") != Some("keyset") {
        return ctx.page(entries, entity);
    }
    pagination::by_token(ctx, entries, |entry| entry.id.clone(), entity)
}

fn entity(entry: TreeEntry) -> Value {
    json!({
        "id": entry.id,
        "name": entry.path.rsplit('/').next(),
        "type": entry.kind,
        "path": entry.path,
        "mode": entry.mode,
    })
}

fn compare(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let resolve = |name: &str| {
        let sent = ctx.string(name).unwrap_or_default();
        let found = repository.resolve(sent)?;
        found.ok_or_else(|| ApiError::not_found("Ref"))
    };
    let (from, to) = (start(ctx, &repository)?, resolve("to")?);
    let straight = ctx.boolean("straight").unwrap_or(false);
    let base = if straight {
        Some(from.clone())
    } else {
        repository.merge_base(&from, &to)?
    };
    let mut commits = repository.commits(&[&format!("{from}..{to}")])?;
    commits.reverse();
    let diffs = match &base {
        Some(base) => repository.diff(base, &to)?,
        None => Vec::new(),
    };
    let url = project_url(ctx);
    let unified = ctx.boolean("unidiff").unwrap_or(false);
    let commits: Vec<Value> = commits
        .iter()
        .map(|commit| commit_entity::basic(&url, commit))
        .collect();
    let dots = if straight { ".." } else { "..." };
    Ok(Response::ok(&json!({
        "commit": commits.last(),
        "commits": commits,
        "diffs": diffs.iter().map(|file| commit_entity::diff(file, unified)).collect::<Vec<_>>(),
        "compare_timeout": false,
        "compare_same_ref": from == to,
        "web_url": format!("{url}/-/compare/{from}{dots}{to}"),
    })))
}

/// The commit to compare from: of this project, or of the one it was forked from.
fn start(ctx: &Ctx<'_>, repository: &Repository) -> Result<String, ApiError> {
    let name = ctx.string("from").unwrap_or_default();
    let missing = || ApiError::not_found("Ref");
    let other = ctx.number("from_project_id");
    let Some(other) = other.filter(|other| *other != ctx.project()) else {
        return repository.resolve(name)?.ok_or_else(missing);
    };
    {
        let state = ctx.state();
        let forked = state.projects.get(ctx.project());
        if forked.and_then(|project| project.forked_from) != Some(other) {
            let text = format!(
                "Target project id:{other} is not a fork of project id:{}",
                ctx.path("id")
            );
            return Err(ApiError::message(400, text));
        }
        if !access::may_read_code(&state, ctx.caller.user(), other) {
            let reason = "You don't have access to this fork's parent project";
            return Err(ApiError::forbidden_because(reason));
        }
    }
    let source = ctx.shared.repository(other);
    let commit = source.resolve(name)?.ok_or_else(missing)?;
    repository.bring(&source, &commit)?;
    Ok(commit)
}

fn merge_base(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let names = ctx.list("refs").unwrap_or_default();
    if names.len() < 2 {
        return Err(ApiError::message(400, "Provide at least 2 refs"));
    }
    let repository = ctx.shared.repository(ctx.project());
    let (mut commits, mut unknown) = (Vec::new(), Vec::new());
    for name in &names {
        match repository.resolve(name)? {
            Some(commit) => commits.push(commit),
            None => unknown.push(name.as_str()),
        }
    }
    if !unknown.is_empty() {
        let noun = if unknown.len() == 1 { "ref" } else { "refs" };
        let text = format!("Could not find {noun}: {}", unknown.join(", "));
        return Err(ApiError::message(400, text));
    }
    let mut base = commits.first().cloned();
    for commit in commits.iter().skip(1) {
        base = match base {
            Some(found) => repository.merge_base(&found, commit)?,
            None => None,
        };
    }
    let commit = match base {
        Some(base) => repository.commit(&base)?,
        None => None,
    };
    let commit = commit.ok_or_else(|| ApiError::not_found("Merge Base"))?;
    Ok(Response::ok(&commit_entity::basic(
        &project_url(ctx),
        &commit,
    )))
}
