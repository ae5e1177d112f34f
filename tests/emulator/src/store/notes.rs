//! Comments on issues and merge requests, those people write and those the system writes.

use jiff::Timestamp;

use super::State;

/// What can be commented, labelled, closed and given emoji, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noteable {
    Issue(u64),
    MergeRequest(u64),
}

impl Noteable {
    /// The name of the type in the API.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Issue(_) => "Issue",
            Self::MergeRequest(_) => "MergeRequest",
        }
    }

    /// The id of the issue or merge request.
    pub fn id(self) -> u64 {
        match self {
            Self::Issue(id) | Self::MergeRequest(id) => id,
        }
    }
}

/// A comment.
#[derive(Debug, Clone)]
pub struct Note {
    pub id: u64,
    pub project_id: u64,
    pub noteable: Noteable,
    pub author_id: u64,
    pub body: String,
    /// Written by the system about something somebody did.
    pub system: bool,
    /// Only for members from Planner on.
    pub internal: bool,
    /// Notes of one thread share it.
    pub discussion_id: String,
    /// A note of a thread that was started as such; only these on merge requests can be resolved.
    pub in_thread: bool,
    /// Where in a diff it stands.
    pub position: Option<Position>,
    pub resolved_by: Option<u64>,
    pub resolved_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Note {
    /// Can it be resolved?
    pub fn is_resolvable(&self) -> bool {
        self.in_thread && !self.system && matches!(self.noteable, Noteable::MergeRequest(_))
    }

    /// `DiffNote`, `DiscussionNote` or nothing, as the API writes it.
    pub fn kind(&self) -> Option<&'static str> {
        match (&self.position, self.in_thread) {
            (Some(_), _) => Some("DiffNote"),
            (None, true) => Some("DiscussionNote"),
            (None, false) => None,
        }
    }
}

/// A place in a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// As it was sent, completed.
    pub value: serde_json::Value,
    /// Names the line of a text; absent for whole files and images.
    pub line_code: Option<String>,
}

/// A note that only its author sees until it is published.
#[derive(Debug, Clone)]
pub struct DraftNote {
    pub id: u64,
    pub project_id: u64,
    pub merge_request_id: u64,
    pub author_id: u64,
    pub body: String,
    /// The thread it answers.
    pub discussion_id: Option<String>,
    pub resolve_discussion: bool,
    pub commit_id: Option<String>,
    pub position: Option<Position>,
}

/// A change of some lines that a diff note proposes.
#[derive(Debug, Clone)]
pub struct Suggestion {
    pub id: u64,
    pub project_id: u64,
    pub note_id: u64,
    /// Lines of the new file, from 1.
    pub from_line: u64,
    pub to_line: u64,
    pub from_content: String,
    pub to_content: String,
    pub applied: bool,
}

impl State {
    /// The notes on something, oldest first.
    pub fn notes_on(&self, noteable: Noteable) -> impl DoubleEndedIterator<Item = &Note> {
        self.notes
            .iter()
            .filter(move |note| note.noteable == noteable)
    }

    /// Is no thread on it left to be resolved?
    pub fn discussions_are_resolved(&self, noteable: Noteable) -> bool {
        self.notes_on(noteable)
            .all(|note| !note.is_resolvable() || note.resolved_at.is_some())
    }
}
