//! What issues and merge requests have in common: who may see and change them, their notes, events and mentions.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::access::{self, Role};
use crate::mentions;
use crate::references;
use crate::store::State;
use crate::store::events::{EventAction, EventTarget};
use crate::store::issues::Issue;
use crate::store::notes::{Note, Noteable};
use crate::store::resource_events::{Change, ResourceEvent};
use crate::store::todos::TodoAction;

/// The project something belongs to.
pub(crate) fn project_of(state: &State, noteable: Noteable) -> u64 {
    match noteable {
        Noteable::Issue(id) => state.issues.get(id).map(|issue| issue.project_id),
        Noteable::MergeRequest(id) => state.merge_requests.get(id).map(|row| row.project_id),
    }
    .unwrap_or(0)
}

/// The number inside its project.
pub(crate) fn iid_of(state: &State, noteable: Noteable) -> u64 {
    match noteable {
        Noteable::Issue(id) => state.issues.get(id).map(|issue| issue.iid),
        Noteable::MergeRequest(id) => state.merge_requests.get(id).map(|row| row.iid),
    }
    .unwrap_or(0)
}

/// The user who opened it.
pub(crate) fn author_of(state: &State, noteable: Noteable) -> u64 {
    match noteable {
        Noteable::Issue(id) => state.issues.get(id).map(|issue| issue.author_id),
        Noteable::MergeRequest(id) => state.merge_requests.get(id).map(|row| row.author_id),
    }
    .unwrap_or(0)
}

/// May the user see it? Confidential issues are for their author, assignees and members from Planner on.
pub(crate) fn may_read(state: &State, user: Option<u64>, noteable: Noteable) -> bool {
    let access = access::in_project(state, user, project_of(state, noteable));
    match noteable {
        Noteable::MergeRequest(_) => access.can_read,
        Noteable::Issue(id) => state.issues.get(id).is_some_and(|issue| {
            let party = user
                .is_some_and(|user| issue.author_id == user || issue.assignee_ids.contains(&user));
            access.can_read && (!issue.confidential || party || access.at_least(Role::Planner))
        }),
    }
}

/// May the user close it, reopen it and change its words? Its author may, and those whose work it is.
pub(crate) fn may_update(state: &State, user: u64, noteable: Noteable) -> bool {
    may_read(state, Some(user), noteable)
        && (author_of(state, noteable) == user || may_administer(state, user, noteable))
}

/// May the user set labels, milestone and people?
pub(crate) fn may_administer(state: &State, user: u64, noteable: Noteable) -> bool {
    let access = access::in_project(state, Some(user), project_of(state, noteable));
    access.at_least(match noteable {
        Noteable::Issue(_) => Role::Planner,
        Noteable::MergeRequest(_) => Role::Developer,
    })
}

/// Adds an open issue.
pub(crate) fn add_issue(
    state: &mut State,
    project: u64,
    title: &str,
    author: u64,
    now: Timestamp,
) -> u64 {
    let iid = state.next_iid(project, "issues");
    let id = state.issues.insert(|id| Issue {
        id,
        iid,
        project_id: project,
        title: title.to_owned(),
        description: None,
        open: true,
        author_id: author,
        assignee_ids: Vec::new(),
        label_ids: Vec::new(),
        milestone_id: None,
        confidential: false,
        issue_type: "issue".to_owned(),
        due_date: None,
        time_estimate: 0,
        relative_position: None,
        duplicate_of: None,
        severity: "unknown".to_owned(),
        discussion_locked: None,
        moved_to_id: None,
        created_at: now,
        updated_at: now,
        closed_at: None,
        closed_by: None,
    });
    let target = EventTarget::Noteable(Noteable::Issue(id));
    state.record(project, author, EventAction::Created, target, now);
    id
}

/// Notes an event; what changes the state also shows in the activity of its author, who has nothing to do about it any more.
pub(crate) fn add_event(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    change: Change,
) {
    let project_id = project_of(state, noteable);
    let done = match change {
        Change::State { state: "closed" } => Some(EventAction::Closed),
        Change::State { state: "reopened" } => Some(EventAction::Reopened),
        Change::State { state: "merged" } => Some(EventAction::Merged),
        Change::State { .. } | Change::Label { .. } | Change::Milestone { .. } => None,
    };
    if let Some(action) = done {
        let target = EventTarget::Noteable(noteable);
        state.record(project_id, user, action, target, now);
        if action != EventAction::Reopened {
            state.finish_todos(user, noteable, now);
        }
    }
    state.resource_events.insert(|id| ResourceEvent {
        id,
        project_id,
        noteable,
        user_id: user,
        created_at: now,
        change,
        via: None,
    });
}

/// Adds a note to a thread, or one that stands alone.
pub(crate) fn add_note(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    body: &str,
    thread: Option<&str>,
) -> u64 {
    let project_id = project_of(state, noteable);
    let id = state.notes.insert(|id| Note {
        id,
        project_id,
        noteable,
        author_id: user,
        body: body.to_owned(),
        system: false,
        internal: false,
        discussion_id: thread.map_or_else(|| discussion_id(id), str::to_owned),
        in_thread: thread.is_some(),
        position: None,
        resolved_by: None,
        resolved_at: None,
        created_at: now,
        updated_at: now,
    });
    touch(state, noteable, now);
    id
}

fn discussion_id(note: u64) -> String {
    let digest = Sha256::digest(format!("discussion {note}"));
    digest
        .iter()
        .take(20)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Adds what somebody says: besides the note, its event, its mentions, and who should look at it.
pub(crate) fn comment(
    state: &mut State,
    url: &str,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    body: &str,
    thread: Option<&str>,
) -> u64 {
    let id = add_note(state, noteable, user, now, body, thread);
    let project = project_of(state, noteable);
    let target = EventTarget::Note(id);
    state.record(project, user, EventAction::Commented, target, now);
    state.finish_todos(user, noteable, now);
    call(state, noteable, user, now, body, Some(id));
    mention(state, url, noteable, user, now, body);
    id
}

/// Puts something on the lists of those whom a text mentions, as far as they may see it.
pub(crate) fn call(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    text: &str,
    note: Option<u64>,
) {
    let addressed = mentions::addressed_in(state, text);
    for called in mentions::users_in(state, text) {
        let action = if addressed.contains(&called) {
            TodoAction::DirectlyAddressed
        } else {
            TodoAction::Mentioned
        };
        if may_read(state, Some(called), noteable) {
            state.add_todo(called, noteable, user, action, note, now);
        }
    }
}

/// A thing as a text of a project refers to it: `#1`, `shop#1` in the same namespace, `group/shop#1` from elsewhere.
pub(crate) fn reference_from(state: &State, home: u64, noteable: Noteable) -> String {
    let own = project_of(state, noteable);
    let namespace = |id: u64| state.projects.get(id).map(|project| project.namespace_id);
    let path = match state.projects.get(own).filter(|_| own != home) {
        None => String::new(),
        Some(project) if namespace(own) == namespace(home) => project.path.clone(),
        Some(project) => state.project_path(project),
    };
    match noteable {
        Noteable::Issue(_) => format!("{path}#{}", iid_of(state, noteable)),
        Noteable::MergeRequest(_) => format!("{path}!{}", iid_of(state, noteable)),
    }
}

/// Adds a note of the system.
pub(crate) fn add_system_note(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    body: &str,
) {
    let id = add_note(state, noteable, user, now, body, None);
    if let Some(note) = state.notes.get_mut(id) {
        note.system = true;
    }
}

/// Tells all that a text mentions, each only once per source.
pub(crate) fn mention(
    state: &mut State,
    url: &str,
    source: Noteable,
    user: u64,
    now: Timestamp,
    text: &str,
) {
    let kind = match source {
        Noteable::Issue(_) => "issue",
        Noteable::MergeRequest(_) => "merge request",
    };
    let home = project_of(state, source);
    for target in references::mentioned(state, url, home, text) {
        let away = project_of(state, target);
        let body = format!(
            "mentioned in {kind} {}",
            reference_from(state, away, source)
        );
        if target != source {
            add_mention(state, target, user, now, &body);
        }
    }
}

/// Tells of a mention, unless that was told before.
pub(crate) fn add_mention(
    state: &mut State,
    target: Noteable,
    user: u64,
    now: Timestamp,
    body: &str,
) {
    let known = state
        .notes_on(target)
        .any(|note| note.system && note.body == body);
    if !known {
        add_system_note(state, target, user, now, body);
    }
}

/// Sets `updated_at`.
pub(crate) fn touch(state: &mut State, noteable: Noteable, now: Timestamp) {
    match noteable {
        Noteable::Issue(id) => {
            if let Some(issue) = state.issues.get_mut(id) {
                issue.updated_at = now;
            }
        }
        Noteable::MergeRequest(id) => {
            if let Some(merge_request) = state.merge_requests.get_mut(id) {
                merge_request.updated_at = now;
            }
        }
    }
}
