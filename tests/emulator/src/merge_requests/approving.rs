//! Approvals. On the free tier they are optional and block nothing.

use jiff::Timestamp;

use crate::access::{self, Role};
use crate::issuables;
use crate::store::State;
use crate::store::events::{EventAction, EventTarget};
use crate::store::notes::Noteable;

/// Approves or takes the approval back; false if that is not for the user to do, or was so already.
pub(crate) fn set(state: &mut State, id: u64, user: u64, approve: bool, now: Timestamp) -> bool {
    let Some(merge_request) = state.merge_requests.get(id) else {
        return false;
    };
    let access = access::in_project(state, Some(user), merge_request.project_id);
    let approved = merge_request.approvals.iter().any(|(by, _)| *by == user);
    if approved == approve || !access.at_least(Role::Developer) {
        return false;
    }
    if let Some(merge_request) = state.merge_requests.get_mut(id) {
        if approve {
            merge_request.approvals.push((user, now));
        } else {
            merge_request.approvals.retain(|(by, _)| *by != user);
        }
    }
    let text = if approve {
        "approved this merge request"
    } else {
        "unapproved this merge request"
    };
    let noteable = Noteable::MergeRequest(id);
    issuables::add_system_note(state, noteable, user, now, text);
    if approve {
        let project = issuables::project_of(state, noteable);
        let target = EventTarget::Noteable(noteable);
        state.record(project, user, EventAction::Approved, target, now);
        state.finish_todos(user, noteable, now);
    }
    true
}
