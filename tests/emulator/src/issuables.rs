//! What issues and merge requests have in common: who may see and change them, their notes, events and mentions.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::access::{self, Role};
use crate::references;
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::notes::{Note, Noteable};
use crate::store::resource_events::{Change, ResourceEvent};

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
    state.issues.insert(|id| Issue {
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
        discussion_locked: None,
        moved_to_id: None,
        created_at: now,
        updated_at: now,
        closed_at: None,
        closed_by: None,
    })
}

/// Notes an event.
pub(crate) fn add_event(
    state: &mut State,
    noteable: Noteable,
    user: u64,
    now: Timestamp,
    change: Change,
) {
    let project_id = project_of(state, noteable);
    state.resource_events.insert(|id| ResourceEvent {
        id,
        project_id,
        noteable,
        user_id: user,
        created_at: now,
        change,
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
    let home = project_of(state, source);
    for target in references::mentioned(state, url, home, text) {
        let away = project_of(state, target) != home;
        let path = state.projects.get(home).filter(|_| away);
        let path = path
            .map(|project| state.project_path(project))
            .unwrap_or_default();
        let body = match source {
            Noteable::Issue(_) => format!("mentioned in issue {path}#{}", iid_of(state, source)),
            Noteable::MergeRequest(_) => {
                format!(
                    "mentioned in merge request {path}!{}",
                    iid_of(state, source)
                )
            }
        };
        let known = state
            .notes_on(target)
            .any(|note| note.system && note.body == body);
        if target != source && !known {
            add_system_note(state, target, user, now, &body);
        }
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
