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
