//! Files of branches: read with the commit that changed them last, and changed only where nobody else has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::endpoints::{Get, Json, segment};
use super::{GitLab, translate};
use crate::domain::ids::BranchName;
use crate::outcome::Problem;
use crate::ports::{Answer, FileChange, FileText, FileWritten, RepositoryFiles};

/// What GitLab says when a file, or its branch, is not any more as the change supposes.
const MOVED: [&str; 4] = [
    "has changed since",
    "already exists",
    "doesn't exist",
    "Could not update",
];

#[derive(Debug, Deserialize)]
struct Found {
    content: String,
    last_commit_id: String,
}

impl RepositoryFiles for GitLab<'_> {
    fn file(&self, path: &str, branch: &BranchName) -> Answer<Option<FileText>> {
        let address = format!(
            "projects/{}/repository/files/{}",
            self.project(),
            segment(path)
        );
        let get = Get::new(address).with("ref", branch.as_str());
        let found: Option<Found> = self.main.send(&get)?.json_or_missing()?;
        found
            .map(|found| {
                let bytes = STANDARD.decode(found.content.replace('\n', ""));
                let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let text = text.ok_or_else(|| {
                    Problem::misconfigured(
                        format!("the file `{path}` of the branch `{branch}` is no text in UTF-8"),
                        "name another file in `.trainyard.yml`, or mend this one",
                    )
                })?;
                Ok(FileText {
                    text,
                    last_commit: translate::field("last_commit_id", &found.last_commit_id)?,
                })
            })
            .transpose()
    }

    fn write_file(&self, change: &FileChange<'_>) -> Answer<FileWritten> {
        let action = match change.known {
            Some(known) => json!({
                "action": "update", "file_path": change.path, "content": change.text,
                "last_commit_id": known,
            }),
            None => json!({"action": "create", "file_path": change.path, "content": change.text}),
        };
        let commit = Json {
            method: Method::POST,
            path: format!("projects/{}/repository/commits", self.project()),
            body: json!({
                "branch": change.branch.as_str(), "commit_message": change.message,
                "actions": [action], "stats": false,
            }),
        };
        let reply = self.main.send(&commit)?;
        let words = reply.words();
        match reply.status {
            400 if MOVED.iter().any(|moved| words.contains(moved)) => Ok(FileWritten::Moved),
            400 | 403 => Ok(FileWritten::Refused { words }),
            _ => reply.done().map(|()| FileWritten::Done),
        }
    }
}
