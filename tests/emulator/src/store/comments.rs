//! Comments on what has no number of its own to be discussed under: commits and snippets.

use jiff::Timestamp;

use super::State;
use super::notes::Position;

/// What is commented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A commit of a project, by its full id.
    Commit(String),
    /// A snippet by its id.
    Snippet(u64),
}

impl Subject {
    /// The name of the type in the API.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Commit(_) => "Commit",
            Self::Snippet(_) => "Snippet",
        }
    }
}

/// The line of a difference that a comment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub path: String,
    pub number: i64,
    /// `new` or `old`.
    pub side: String,
}

/// A comment; its id is one of the notes' ids.
#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    pub project_id: u64,
    pub subject: Subject,
    pub author_id: u64,
    pub body: String,
    pub line: Option<Line>,
    /// Comments of one thread share it.
    pub discussion_id: String,
    /// Part of a thread, not alone.
    pub in_thread: bool,
    /// Where in the difference of a commit it stands, if it was placed there.
    pub position: Option<Position>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    /// The comments on something, oldest first.
    pub fn comments_on<'a>(
        &'a self,
        project: u64,
        subject: &'a Subject,
    ) -> impl DoubleEndedIterator<Item = &'a Comment> {
        self.comments
            .iter()
            .filter(move |comment| comment.project_id == project && comment.subject == *subject)
    }

    /// Adds a comment under the next id of all notes.
    pub fn add_comment(&mut self, comment: Comment) -> u64 {
        let id = self.notes.reserve();
        self.comments.put(id, |id| Comment { id, ..comment })
    }
}
