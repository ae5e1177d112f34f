//! Snippets of users and projects.

use jiff::Timestamp;

use super::State;
use super::projects::Visibility;

/// A snippet: one or more files under a title.
#[derive(Debug, Clone)]
pub struct Snippet {
    pub id: u64,
    /// `None`: a personal one.
    pub project_id: Option<u64>,
    pub author_id: u64,
    pub title: String,
    pub description: Option<String>,
    pub visibility: Visibility,
    pub files: Vec<SnippetFile>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A file of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnippetFile {
    pub path: String,
    pub content: String,
}

impl State {
    /// The snippets of a project, newest first.
    pub fn snippets_of(&self, project: u64) -> impl Iterator<Item = &Snippet> {
        self.snippets
            .iter()
            .rev()
            .filter(move |snippet| snippet.project_id == Some(project))
    }

    /// Removes a snippet with its comments.
    pub fn remove_snippet(&mut self, snippet: u64) {
        self.snippets.remove(snippet);
        let subject = super::comments::Subject::Snippet(snippet);
        self.comments.retain(|comment| comment.subject != subject);
    }
}
