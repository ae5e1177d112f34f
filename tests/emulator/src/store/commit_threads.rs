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
    /// The commit as something that can have notes, if it has any.
    pub fn commented_commit(&self, project: u64, sha: &str) -> Option<Noteable> {
        let mut all = self.commented_commits.iter();
        let found = all.find(|commit| commit.project_id == project && commit.sha == sha);
        found.map(|commit| Noteable::Commit(commit.id))
    }

    /// The commit as something that can have notes.
    pub fn commit_noteable(&mut self, project: u64, sha: &str) -> Noteable {
        if let Some(known) = self.commented_commit(project, sha) {
            return known;
        }
        Noteable::Commit(self.commented_commits.insert(|id| CommentedCommit {
            id,
            project_id: project,
            sha: sha.to_owned(),
        }))
    }
}
