//! Searching in the files, commits and wiki pages of one project.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::Answer;

use super::commit_entity;
use super::repository::{ref_or_default, require_code};
use super::search::has;

/// Files with the text in their content or name.
pub(super) fn blobs(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let reference = ref_or_default(ctx, "ref");
    let repository = ctx.shared.repository(ctx.project());
    let Some(commit) = repository.resolve(&reference)? else {
        return nothing(ctx);
    };
    let text = ctx.string("search").unwrap_or_default();
    let mut found: Vec<Value> = Vec::new();
    for hit in repository.grep(&commit, text)? {
        found.push(blob(ctx, &hit.path, &hit.text, &reference, hit.start));
    }
    for entry in repository.tree(&commit, "", true)? {
        let listed = found.iter().any(|hit| hit["path"] == entry.path);
        if entry.kind != "blob" || listed || !has(ctx, &entry.path) {
            continue;
        }
        let content = repository.file(&commit, &entry.path)?.unwrap_or_default();
        let start: String = String::from_utf8_lossy(&content)
            .lines()
            .take(3)
            .map(|line| format!("{line}\n"))
            .collect();
        found.push(blob(ctx, &entry.path, &start, &reference, 1));
    }
    ctx.page(found, |entity| entity)
}

fn blob(ctx: &Ctx<'_>, path: &str, data: &str, reference: &str, start: u64) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name
        .rfind('.')
        .filter(|at| *at > 0)
        .map_or("", |at| &name[at..]);
    json!({
        "basename": path.strip_suffix(stem).unwrap_or(path),
        "data": data,
        "path": path,
        "filename": path,
        "id": Value::Null,
        "ref": reference,
        "startline": start,
        "project_id": ctx.project(),
    })
}

fn nothing(ctx: &Ctx<'_>) -> Answer {
    ctx.page(Vec::new(), |nothing: Value| nothing)
}

/// Commits with the text in their message, or with that id.
pub(super) fn commits(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let text = ctx.string("search").unwrap_or_default();
    let looks_like_id = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let by_id = if looks_like_id {
        repository.commit(text)?
    } else {
        None
    };
    let commits = match (by_id, repository.resolve(&ref_or_default(ctx, "ref"))?) {
        (Some(commit), _) => vec![commit],
        (None, None) => return nothing(ctx),
        (None, Some(head)) => {
            repository.commits(&["-i", "-F", &format!("--grep={text}"), &head])?
        }
    };
    let entities = commits
        .iter()
        .map(|commit| commit_entity::detail(ctx, commit, false));
    let entities = entities.collect::<Result<Vec<Value>, ApiError>>()?;
    ctx.page(entities, |entity| entity)
}

/// Pages of the wiki with the text in their content or path.
pub(super) fn wiki(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let pages = state.wiki_pages_of(ctx.project()).into_iter();
    let found = pages.filter(|page| has(ctx, &page.content) || has(ctx, &page.slug));
    ctx.page(found, |page| {
        let path = format!("{}.md", page.slug);
        blob(ctx, &path, &page.content, "main", 1)
    })
}
