//! Who changed labels, state and milestone of an issue or merge request, and when.

use jiff::Timestamp;

use super::State;
use super::notes::Noteable;

/// One change.
#[derive(Debug, Clone)]
pub struct ResourceEvent {
    pub id: u64,
    pub project_id: u64,
    pub noteable: Noteable,
    pub user_id: u64,
    pub created_at: Timestamp,
    pub change: Change,
    /// What did it, if it was not done by hand.
    pub via: Option<Via>,
}

/// What closed an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    Commit(String),
    MergeRequest(u64),
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Label {
        label_id: u64,
        added: bool,
    },
    Milestone {
        milestone_id: u64,
        added: bool,
    },
    /// `closed`, `reopened` or `merged`.
    State {
        state: &'static str,
    },
}

impl State {
    /// The changes of something, oldest first.
    pub fn events_of(&self, noteable: Noteable) -> impl DoubleEndedIterator<Item = &ResourceEvent> {
        self.resource_events
            .iter()
            .filter(move |event| event.noteable == noteable)
    }
}
