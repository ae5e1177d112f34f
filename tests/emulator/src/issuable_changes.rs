//! Changes of issues and merge requests, with the events and system notes they leave behind.
//!
//! GitLab tells of labels, state and milestone by events, and of everything else by system notes.

use jiff::Timestamp;

use crate::access::{self, Role};
use crate::engine::environments::{self, Origin};
use crate::issuable_details::kind_of;
use crate::issuables::{add_event, add_system_note, touch};
use crate::merge_requests::auto_merge;
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::labels::Label;
use crate::store::merge_requests::MergeRequestState;
use crate::store::notes::Noteable;
use crate::store::resource_events::{Change, Via};
use crate::store::todos::TodoAction;

/// Closes or reopens; false if it was so already, or is merged.
pub(crate) fn set_open(
    state: &mut State,
    noteable: Noteable,
    open: bool,
    user: u64,
    now: Timestamp,
) -> bool {
    let (closed_at, closed_by) = ((!open).then_some(now), (!open).then_some(user));
    let changed = match noteable {
        Noteable::Issue(id) => state.issues.get_mut(id).is_some_and(|issue| {
            let changes = issue.open != open;
            if changes {
                (issue.open, issue.closed_at, issue.closed_by) = (open, closed_at, closed_by);
            }
            changes
        }),
        Noteable::MergeRequest(id) => state.merge_requests.get_mut(id).is_some_and(|row| {
            let (from, to) = if open {
                (MergeRequestState::Closed, MergeRequestState::Opened)
            } else {
                (MergeRequestState::Opened, MergeRequestState::Closed)
            };
            let changes = row.state == from;
            if changes {
                (row.state, row.closed_at, row.closed_by) = (to, closed_at, closed_by);
            }
            changes
        }),
    };
    if changed {
        if let (false, Noteable::MergeRequest(id)) = (open, noteable) {
            auto_merge::abort(state, id, user, now, "merge request was closed");
            stop_environments(state, id, user, now);
        }
        touch(state, noteable, now);
        let change = Change::State {
            state: if open { "reopened" } else { "closed" },
        };
        add_event(state, noteable, user, now, change);
    }
    changed
}

/// Closes an issue because a commit or a merge request says so.
pub(crate) fn close_via(state: &mut State, issue: u64, via: Via, user: u64, now: Timestamp) {
    let noteable = Noteable::Issue(issue);
    if set_open(state, noteable, false, user, now) {
        let mut events = state.resource_events.iter_mut().rev();
        if let Some(event) = events.find(|event| event.noteable == noteable) {
            event.via = Some(via);
        }
    }
}

/// What the pipelines of a merge request have deployed stops when it is closed or merged.
pub(crate) fn stop_environments(state: &mut State, id: u64, user: u64, now: Timestamp) {
    if let Some(project) = state.merge_requests.get(id).map(|row| row.project_id) {
        let origin = Origin::MergeRequest(id);
        environments::stop_those_of(state, project, origin, user, now);
    }
}

/// The ids of its labels.
pub(crate) fn label_ids(state: &State, noteable: Noteable) -> Vec<u64> {
    match noteable {
        Noteable::Issue(id) => state.issues.get(id).map(|issue| issue.label_ids.clone()),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get(id);
            row.map(|row| row.label_ids.clone())
        }
    }
    .unwrap_or_default()
}

/// Gives it exactly these labels.
pub(crate) fn set_labels(
    state: &mut State,
    noteable: Noteable,
    wanted: &[u64],
    user: u64,
    now: Timestamp,
) {
    let old = label_ids(state, noteable);
    let mut new: Vec<u64> = Vec::new();
    for id in wanted {
        if !new.contains(id) {
            new.push(*id);
        }
    }
    let added = new
        .iter()
        .filter(|id| !old.contains(id))
        .map(|id| (*id, true));
    let removed = old
        .iter()
        .filter(|id| !new.contains(id))
        .map(|id| (*id, false));
    let changes: Vec<(u64, bool)> = added.chain(removed).collect();
    if changes.is_empty() {
        return;
    }
    match noteable {
        Noteable::Issue(id) => {
            if let Some(issue) = state.issues.get_mut(id) {
                issue.label_ids = new;
            }
        }
        Noteable::MergeRequest(id) => {
            if let Some(merge_request) = state.merge_requests.get_mut(id) {
                merge_request.label_ids = new;
            }
        }
    }
    touch(state, noteable, now);
    for (label_id, added) in changes {
        add_event(
            state,
            noteable,
            user,
            now,
            Change::Label { label_id, added },
        );
    }
}

/// The ids of labels by name; unknown ones are made if the user may.
pub(crate) fn labels_named(
    state: &mut State,
    project: u64,
    names: &[String],
    user: u64,
    now: Timestamp,
) -> Vec<u64> {
    let may_create = access::in_project(state, Some(user), project).at_least(Role::Planner);
    let mut ids = Vec::new();
    for name in names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        match state.label_named(project, name) {
            Some(label) => ids.push(label.id),
            None if may_create => ids.push(state.labels.insert(|id| Label {
                id,
                holder: Holder::Project(project),
                name: name.to_owned(),
                color: "#428BCA".to_owned(),
                description: None,
                priority: None,
                subscribers: Vec::new(),
                created_at: now,
            })),
            None => {}
        }
    }
    ids
}

/// Sets or takes away the milestone.
pub(crate) fn set_milestone(
    state: &mut State,
    noteable: Noteable,
    milestone: Option<u64>,
    user: u64,
    now: Timestamp,
) {
    let place = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get_mut(id)
            .map(|issue| &mut issue.milestone_id),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get_mut(id);
            row.map(|row| &mut row.milestone_id)
        }
    };
    let Some(place) = place.filter(|place| **place != milestone) else {
        return;
    };
    let old = std::mem::replace(place, milestone);
    touch(state, noteable, now);
    for (milestone, added) in [(old, false), (milestone, true)] {
        if let Some(milestone_id) = milestone {
            let change = Change::Milestone {
                milestone_id,
                added,
            };
            add_event(state, noteable, user, now, change);
        }
    }
}

/// Sets the assignees.
pub(crate) fn set_assignees(
    state: &mut State,
    noteable: Noteable,
    assignees: Vec<u64>,
    user: u64,
    now: Timestamp,
) {
    let place = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get_mut(id)
            .map(|issue| &mut issue.assignee_ids),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get_mut(id);
            row.map(|row| &mut row.assignee_ids)
        }
    };
    let Some(place) = place.filter(|place| **place != assignees) else {
        return;
    };
    let old = std::mem::replace(place, assignees.clone());
    tell_of_people(
        state,
        noteable,
        user,
        now,
        ["assigned to", "unassigned"],
        (&old, &assignees),
    );
    for new in assignees.iter().filter(|id| !old.contains(id)) {
        let action = TodoAction::Assigned;
        state.add_todo(*new, noteable, user, action, None, now);
    }
}

/// Tells who came and who went, each with its own words.
pub(crate) fn tell_of_people(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    words: [&str; 2],
    (old, new): (&[u64], &[u64]),
) {
    let names = |ids: &[u64], others: &[u64]| {
        let ids = ids.iter().filter(|id| !others.contains(id));
        let users = ids.filter_map(|id| state.users.get(*id));
        let names: Vec<String> = users.map(|user| format!("@{}", user.username)).collect();
        sentence(&names)
    };
    let parts = [(words[0], names(new, old)), (words[1], names(old, new))];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| format!("{verb} {names}"))
        .collect();
    if !parts.is_empty() {
        add_system_note(state, noteable, user, now, &parts.join(" and "));
    }
}

/// `a`, `a and b`, `a, b, and c`.
pub(crate) fn sentence(names: &[String]) -> String {
    match names {
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] if most.len() > 1 => format!("{}, and {last}", most.join(", ")),
        _ => names.join(", "),
    }
}

/// Hides an issue or opens it to all who see the project; false for merge requests and if it was so already.
pub(crate) fn set_confidential(
    state: &mut State,
    noteable: Noteable,
    confidential: bool,
    user: u64,
    now: Timestamp,
) -> bool {
    let place = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get_mut(id)
            .map(|issue| &mut issue.confidential),
        Noteable::MergeRequest(_) => None,
    };
    let Some(place) = place.filter(|place| **place != confidential) else {
        return false;
    };
    *place = confidential;
    let seen = if confidential {
        "confidential"
    } else {
        "visible to everyone"
    };
    let text = format!("made the {} {seen}", kind_of(state, noteable));
    add_system_note(state, noteable, user, now, &text);
    true
}
