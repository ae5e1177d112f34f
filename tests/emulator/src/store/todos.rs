//! What waits for a user: assignments, mentions, requested reviews, failed pipelines.

use jiff::Timestamp;

use super::State;
use super::notes::Noteable;

/// Why something is on a user's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TodoAction {
    Assigned,
    Mentioned,
    BuildFailed,
    Marked,
    ApprovalRequired,
    Unmergeable,
    DirectlyAddressed,
    MergeTrainRemoved,
    ReviewRequested,
    MemberAccessRequested,
    ReviewSubmitted,
}

impl TodoAction {
    /// Every action there is, in the order of GitLab's numbers, from 1.
    pub const ALL: [Self; 11] = [
        Self::Assigned,
        Self::Mentioned,
        Self::BuildFailed,
        Self::Marked,
        Self::ApprovalRequired,
        Self::Unmergeable,
        Self::DirectlyAddressed,
        Self::MergeTrainRemoved,
        Self::ReviewRequested,
        Self::MemberAccessRequested,
        Self::ReviewSubmitted,
    ];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Mentioned => "mentioned",
            Self::BuildFailed => "build_failed",
            Self::Marked => "marked",
            Self::ApprovalRequired => "approval_required",
            Self::Unmergeable => "unmergeable",
            Self::DirectlyAddressed => "directly_addressed",
            Self::MergeTrainRemoved => "merge_train_removed",
            Self::ReviewRequested => "review_requested",
            Self::MemberAccessRequested => "member_access_requested",
            Self::ReviewSubmitted => "review_submitted",
        }
    }
}

/// One entry of a user's list.
#[derive(Debug, Clone)]
pub struct Todo {
    pub id: u64,
    pub project_id: u64,
    /// Whose list.
    pub user_id: u64,
    pub author_id: u64,
    pub noteable: Noteable,
    /// The comment that mentions the user.
    pub note_id: Option<u64>,
    pub action: TodoAction,
    pub done: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    /// Is something on the list of a user, and not done?
    pub fn has_pending_todo(&self, user: u64, noteable: Noteable) -> bool {
        let mut all = self.todos.iter();
        all.any(|todo| todo.user_id == user && todo.noteable == noteable && !todo.done)
    }

    /// Puts something on the list of a user, unless it is there already; gives the new entry.
    pub fn add_todo(
        &mut self,
        user: u64,
        noteable: Noteable,
        author: u64,
        action: TodoAction,
        note: Option<u64>,
        now: Timestamp,
    ) -> Option<u64> {
        let project = crate::issuables::project_of(self, noteable);
        (!self.has_pending_todo(user, noteable)).then(|| {
            self.todos.insert(|id| Todo {
                id,
                project_id: project,
                user_id: user,
                author_id: author,
                noteable,
                note_id: note,
                action,
                done: false,
                created_at: now,
                updated_at: now,
            })
        })
    }

    /// Whatever a user had to do about something is done.
    pub fn finish_todos(&mut self, user: u64, noteable: Noteable, now: Timestamp) {
        let mine =
            |todo: &&mut Todo| todo.user_id == user && todo.noteable == noteable && !todo.done;
        for todo in self.todos.iter_mut().filter(mine) {
            (todo.done, todo.updated_at) = (true, now);
        }
    }
}
