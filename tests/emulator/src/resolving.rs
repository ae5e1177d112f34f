//! Resolving threads of merge requests, and what follows.

use jiff::Timestamp;

use crate::access::{self, Role};
use crate::issuables;
use crate::store::State;
use crate::store::notes::{Note, Noteable};

/// May the user resolve threads of it? Developers may, and the author.
pub(crate) fn may_resolve(state: &State, user: u64, noteable: Noteable) -> bool {
    let project = issuables::project_of(state, noteable);
    let access = access::in_project(state, Some(user), project);
    access.at_least(Role::Developer) || issuables::author_of(state, noteable) == user
}

/// Resolves notes, or opens them again; says so when nothing is left to resolve.
pub(crate) fn set(
    state: &mut State,
    noteable: Noteable,
    resolved: bool,
    user: u64,
    now: Timestamp,
    chosen: impl Fn(&Note) -> bool,
) {
    let mut changed = false;
    for note in state.notes.iter_mut() {
        let concerned = note.noteable == noteable && note.is_resolvable() && chosen(note);
        if concerned && note.resolved_at.is_some() != resolved {
            note.resolved_at = resolved.then_some(now);
            note.resolved_by = resolved.then_some(user);
            changed = true;
        }
    }
    if changed && resolved && state.discussions_are_resolved(noteable) {
        issuables::add_system_note(state, noteable, user, now, "resolved all threads");
    }
}
