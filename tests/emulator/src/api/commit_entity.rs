//! Commits and differences as the API writes them.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Commit, FileDiff};

/// The short form of a commit.
pub(crate) fn basic(project_url: &str, commit: &Commit) -> Value {
    let trailers = trailers(&commit.message);
    let extended: Map<String, Value> = trailers
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)))
        .collect();
    let plain: Map<String, Value> = trailers
        .into_iter()
        .filter_map(|(name, values)| Some((name, json!(values.last()?))))
        .collect();
    json!({
        "id": commit.id,
        "short_id": commit.short_id(),
        "created_at": clock::iso_with_offset(commit.committer.at),
        "parent_ids": commit.parents,
        "title": commit.title(),
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": clock::iso_with_offset(commit.author.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": clock::iso_with_offset(commit.committer.at),
        "trailers": plain,
        "extended_trailers": extended,
        "web_url": format!("{project_url}/-/commit/{}", commit.id),
    })
}

/// The long form, with the newest pipeline of the commit and, if wanted, the count of its lines.
pub(crate) fn detail(ctx: &Ctx<'_>, commit: &Commit, stats: bool) -> Result<Value, ApiError> {
    let mut entity = basic(&project_url(ctx), commit);
    if stats {
        entity["stats"] = line_stats(ctx, commit)?;
    }
    let project = ctx.project();
    let pipeline = {
        let state = ctx.state();
        ctx.shared
            .pipelines
            .last_pipeline(&state, project, &commit.id)
    };
    entity["status"] = json!(pipeline.as_ref().map(|pipeline| &pipeline.status));
    entity["last_pipeline"] = json!(pipeline.map(|pipeline| pipeline.basic));
    entity["project_id"] = json!(project);
    Ok(entity)
}

/// `additions`, `deletions` and their sum.
pub(super) fn line_stats(ctx: &Ctx<'_>, commit: &Commit) -> Result<Value, ApiError> {
    let (added, deleted) = ctx.shared.repository(ctx.project()).line_counts(commit)?;
    Ok(json!({ "additions": added, "deletions": deleted, "total": added + deleted }))
}

/// One file of a difference; `unified` adds the two lines that name the files.
pub(super) fn diff(file: &FileDiff, unified: bool) -> Value {
    let names = if unified && !file.diff.is_empty() {
        let name = |absent: bool, side: &str, path: &str| {
            if absent {
                "/dev/null".to_owned()
            } else {
                format!("{side}/{path}")
            }
        };
        format!(
            "--- {}\n+++ {}\n",
            name(file.new_file, "a", &file.old_path),
            name(file.deleted_file, "b", &file.new_path)
        )
    } else {
        String::new()
    };
    json!({
        "diff": format!("{names}{}", file.diff),
        "collapsed": false,
        "too_large": false,
        "new_path": file.new_path,
        "old_path": file.old_path,
        "a_mode": file.old_mode,
        "b_mode": file.new_mode,
        "new_file": file.new_file,
        "renamed_file": file.renamed_file,
        "deleted_file": file.deleted_file,
        "generated_file": false,
    })
}

/// The address of the project of the path.
pub(super) fn project_url(ctx: &Ctx<'_>) -> String {
    ctx.state().project_url(ctx.url(), ctx.project())
}

/// The `Name: value` lines of a last paragraph that has nothing else.
pub(super) fn trailers(message: &str) -> Vec<(String, Vec<String>)> {
    let Some((_, last)) = message.trim_end().rsplit_once("\n\n") else {
        return Vec::new();
    };
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in last.lines() {
        let pair = line.split_once(": ").filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
        let Some((name, value)) = pair else {
            return Vec::new();
        };
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value.trim().to_owned()),
            None => found.push((name.to_owned(), vec![value.trim().to_owned()])),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::trailers;

    #[test]
    fn trailers_are_the_last_paragraph_if_it_has_nothing_else() {
        let found =
            trailers("Fix\n\nwhy\n\nChangelog: fixed\nSigned-off-by: a\nSigned-off-by: b\n");
        assert_eq!(found[0], ("Changelog".to_owned(), vec!["fixed".to_owned()]));
        assert_eq!(found[1].1, ["a", "b"]);
        assert!(trailers("Fix\n\nChangelog: fixed\nand more text").is_empty());
        assert!(trailers("Changelog: fixed").is_empty());
    }
}
