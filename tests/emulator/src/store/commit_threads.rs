//! Commits that somebody commented. They get an id here, so that notes can be on them as on issues and merge requests.

use super::State;
use super::notes::Noteable;

/// A commit with comments.
#[derive(Debug, Clone)]
pub struct CommentedCommit {
    pub id: u64,
    pub project_id: u64,
    pub sha: String,
}

impl State {
    /// The commit as something that can have notes.
    pub fn commit_noteable(&mut self, project: u64, sha: &str) -> Noteable {
        let known = self
            .commented_commits
            .iter()
            .find(|commit| commit.project_id == project && commit.sha == sha)
            .map(|commit| commit.id);
        if let Some(id) = known {
            return Noteable::Commit(id);
        }
        Noteable::Commit(self.commented_commits.insert(|id| CommentedCommit {
            id,
            project_id: project,
            sha: sha.to_owned(),
        }))
    }
}
