//! Smaller changes of issues and merge requests: reviewers, due date, lock, type, draft. They leave system notes, too.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::issuable_changes::tell_of_people;
use crate::issuables::add_system_note;
use crate::store::State;
use crate::store::notes::Noteable;
use crate::store::todos::TodoAction;

/// What it is called in system notes and summaries.
pub(crate) fn kind_of(state: &State, noteable: Noteable) -> String {
    match noteable {
        Noteable::Issue(id) => {
            let issue = state.issues.get(id);
            let kind = issue.map_or("issue", |issue| issue.issue_type.as_str());
            kind.replace('_', " ")
        }
        Noteable::MergeRequest(_) => "merge request".to_owned(),
    }
}

/// Sets the reviewers of a merge request.
pub(crate) fn set_reviewers(
    state: &mut State,
    id: u64,
    reviewers: Vec<u64>,
    user: u64,
    now: Timestamp,
) {
    let Some(row) = state.merge_requests.get_mut(id) else {
        return;
    };
    let old = std::mem::replace(&mut row.reviewer_ids, reviewers.clone());
    let noteable = Noteable::MergeRequest(id);
    let words = ["requested review from", "removed review request for"];
    tell_of_people(state, noteable, user, now, words, (&old, &reviewers));
    for new in reviewers.iter().filter(|id| !old.contains(id)) {
        let action = TodoAction::ReviewRequested;
        state.add_todo(*new, noteable, user, action, None, now);
    }
}

/// Locks or opens the discussion; false if it was so already.
pub(crate) fn set_locked(
    state: &mut State,
    noteable: Noteable,
    locked: Option<bool>,
    user: u64,
    now: Timestamp,
) -> bool {
    let place = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get_mut(id)
            .map(|issue| &mut issue.discussion_locked),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get_mut(id);
            row.map(|row| &mut row.discussion_locked)
        }
    };
    let Some(place) = place else {
        return false;
    };
    let old = std::mem::replace(place, locked);
    if old.unwrap_or(false) == locked.unwrap_or(false) {
        return false;
    }
    let verb = if locked == Some(true) {
        "locked"
    } else {
        "unlocked"
    };
    let kind = match noteable {
        Noteable::Issue(_) => "issue",
        Noteable::MergeRequest(_) => "merge request",
    };
    let text = format!("{verb} the discussion in this {kind}");
    add_system_note(state, noteable, user, now, &text);
    true
}

/// Sets or takes away the day an issue is due.
pub(crate) fn set_due_date(
    state: &mut State,
    issue: u64,
    due: Option<Date>,
    user: u64,
    now: Timestamp,
) {
    let Some(row) = state.issues.get_mut(issue) else {
        return;
    };
    let old = std::mem::replace(&mut row.due_date, due);
    let long = |day: Date| day.strftime("%B %d, %Y").to_string();
    let text = match (old, due) {
        (old, new) if old == new => return,
        (Some(old), None) => format!("removed due date {}", long(old)),
        (_, Some(new)) => format!("changed due date to {}", long(new)),
        (None, None) => return,
    };
    add_system_note(state, Noteable::Issue(issue), user, now, &text);
}

/// Makes an issue an incident, a task or an issue.
pub(crate) fn set_type(state: &mut State, issue: u64, kind: &str, user: u64, now: Timestamp) {
    let Some(row) = state.issues.get_mut(issue) else {
        return;
    };
    let old = std::mem::replace(&mut row.issue_type, kind.to_owned());
    if old != kind {
        let text = format!(
            "changed type from {} to {}",
            old.replace('_', " "),
            kind.replace('_', " ")
        );
        add_system_note(state, Noteable::Issue(issue), user, now, &text);
    }
}
