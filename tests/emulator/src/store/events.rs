//! The activity of people: pushes, and what they opened, closed, merged and said.

use jiff::Timestamp;

use super::State;
use super::notes::Noteable;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventAction {
    Created,
    Updated,
    Closed,
    Reopened,
    Pushed,
    Commented,
    Merged,
    Joined,
    Left,
    Destroyed,
    Expired,
    Approved,
}

impl EventAction {
    /// Every action there is.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Updated,
        Self::Closed,
        Self::Reopened,
        Self::Pushed,
        Self::Commented,
        Self::Merged,
        Self::Joined,
        Self::Left,
        Self::Destroyed,
        Self::Expired,
        Self::Approved,
    ];

    /// The name by which the API filters.
    pub fn filter_name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Pushed => "pushed",
            Self::Commented => "commented",
            Self::Merged => "merged",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Destroyed => "destroyed",
            Self::Expired => "expired",
            Self::Approved => "approved",
        }
    }
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTarget {
    /// The project itself.
    Project,
    Noteable(Noteable),
    Note(u64),
    Milestone(u64),
    Push(PushData),
}

/// What a push did to one branch or tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushData {
    pub branch: bool,
    pub name: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub commits: u64,
    /// Of the newest commit.
    pub title: Option<String>,
}

/// One thing somebody did.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: u64,
    pub project_id: u64,
    pub author_id: u64,
    pub action: EventAction,
    pub target: EventTarget,
    pub created_at: Timestamp,
}

impl State {
    /// Writes down what somebody did.
    pub fn record(
        &mut self,
        project: u64,
        author: u64,
        action: EventAction,
        target: EventTarget,
        now: Timestamp,
    ) {
        self.events.insert(|id| Event {
            id,
            project_id: project,
            author_id: author,
            action,
            target,
            created_at: now,
        });
    }
}
