//! A commit as the API writes it.

use serde_json::{Value, json};

use crate::clock;
use crate::git::Commit;

/// The form without statistics, for a commit of the project at `project_url`.
pub(super) fn basic(project_url: &str, commit: &Commit) -> Value {
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
        "trailers": {},
        "extended_trailers": {},
        "web_url": format!("{project_url}/-/commit/{}", commit.id),
    })
}
