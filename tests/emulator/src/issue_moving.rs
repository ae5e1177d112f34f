//! Moving and cloning issues to other projects, closing them as duplicates, and linking them.

use jiff::Timestamp;

use crate::access::{self, Role};
use crate::issuable_changes as changes;
use crate::issuables::{self, add_system_note, may_administer, reference_from};
use crate::store::State;
use crate::store::awards::Awardable;
use crate::store::issues::{Issue, IssueLink};
use crate::store::notes::{Note, Noteable};

/// Moves an issue: a new one in the other project, and this one closed with a pointer to it. Gives the new one's id, or why
/// not in GitLab's words.
pub(crate) fn relocate(
    state: &mut State,
    issue: u64,
    target: u64,
    user: u64,
    now: Timestamp,
) -> Result<u64, &'static str> {
    const DENIED: &str = "Cannot move issue due to insufficient permissions!";
    let old = state.issues.get(issue).cloned().ok_or(DENIED)?;
    if old.project_id == target {
        return Err("Cannot move issue to project it originates from!");
    }
    if !may_copy(state, user, &old, target) || old.moved_to_id.is_some() {
        return Err(DENIED);
    }
    let new = copy(state, &old, target, user, now);
    if let Some(row) = state.issues.get_mut(new) {
        (row.author_id, row.created_at) = (old.author_id, old.created_at);
    }
    copy_notes(state, issue, new);
    for award in state.awards.iter_mut() {
        if award.target == Awardable::Noteable(Noteable::Issue(issue)) {
            (award.target, award.project_id) = (Awardable::Noteable(Noteable::Issue(new)), target);
        }
    }
    tell_both(state, issue, new, "moved", user, now);
    changes::set_open(state, Noteable::Issue(issue), false, user, now);
    if let Some(row) = state.issues.get_mut(issue) {
        row.moved_to_id = Some(new);
    }
    Ok(new)
}

/// Clones an issue, if wished with its comments.
pub(crate) fn clone(
    state: &mut State,
    issue: u64,
    target: u64,
    with_notes: bool,
    user: u64,
    now: Timestamp,
) -> Result<u64, &'static str> {
    const DENIED: &str = "Cannot clone issue due to insufficient permissions!";
    let old = state.issues.get(issue).cloned().ok_or(DENIED)?;
    if !may_copy(state, user, &old, target) {
        return Err(DENIED);
    }
    let new = copy(state, &old, target, user, now);
    if with_notes {
        copy_notes(state, issue, new);
    }
    tell_both(state, issue, new, "cloned", user, now);
    Ok(new)
}

fn may_copy(state: &State, user: u64, old: &Issue, target: u64) -> bool {
    may_administer(state, user, Noteable::Issue(old.id))
        && access::in_project(state, Some(user), target).at_least(Role::Planner)
}

/// The same issue in another project; labels and milestone as far as there are some of the same names.
fn copy(state: &mut State, old: &Issue, target: u64, user: u64, now: Timestamp) -> u64 {
    let names = state.label_names(&old.label_ids);
    let labels = names
        .iter()
        .filter_map(|name| state.label_named(target, name))
        .map(|label| label.id)
        .collect();
    let milestone = old.milestone_id.and_then(|id| state.milestones.get(id));
    let milestone = milestone
        .and_then(|milestone| state.milestone_titled(target, &milestone.title))
        .map(|milestone| milestone.id);
    let sees = |id: &u64| access::in_project(state, Some(*id), target).can_read;
    let assignees = old.assignee_ids.iter().copied().filter(sees).collect();
    let new = issuables::add_issue(state, target, &old.title, user, now);
    if let Some(row) = state.issues.get_mut(new) {
        *row = Issue {
            id: row.id,
            iid: row.iid,
            project_id: target,
            author_id: user,
            label_ids: labels,
            milestone_id: milestone,
            assignee_ids: assignees,
            open: true,
            closed_at: None,
            closed_by: None,
            moved_to_id: None,
            duplicate_of: None,
            relative_position: None,
            created_at: now,
            updated_at: now,
            ..old.clone()
        };
    }
    new
}

fn copy_notes(state: &mut State, from: u64, to: u64) {
    let notes: Vec<Note> = state.notes_on(Noteable::Issue(from)).cloned().collect();
    let project_id = issuables::project_of(state, Noteable::Issue(to));
    for note in notes {
        state.notes.insert(|id| Note {
            id,
            project_id,
            noteable: Noteable::Issue(to),
            // Threads stay together, but are not those of the old issue.
            discussion_id: format!("{:.24}{to:016x}", note.discussion_id),
            ..note
        });
    }
}

fn tell_both(state: &mut State, old: u64, new: u64, verb: &str, user: u64, now: Timestamp) {
    let (old, new) = (Noteable::Issue(old), Noteable::Issue(new));
    for (on, other, way) in [(old, new, "to"), (new, old, "from")] {
        let home = issuables::project_of(state, on);
        let text = format!("{verb} {way} {}", reference_from(state, home, other));
        add_system_note(state, on, user, now, &text);
    }
}

/// Relates two issues; nothing if they are related already.
pub(crate) fn relate(
    state: &mut State,
    one: u64,
    other: u64,
    user: u64,
    now: Timestamp,
) -> Option<u64> {
    if link_between(state, one, other).is_some() {
        return None;
    }
    let id = state.issue_links.insert(|id| IssueLink {
        id,
        source: one,
        target: other,
        created_at: now,
    });
    tell_of_link(state, one, other, user, now, true);
    Some(id)
}

/// Takes a link away.
pub(crate) fn unlink(state: &mut State, link: u64, user: u64, now: Timestamp) {
    if let Some(link) = state.issue_links.remove(link) {
        tell_of_link(state, link.source, link.target, user, now, false);
    }
}

/// The link between two issues, whichever way it goes.
pub(crate) fn link_between(state: &State, one: u64, other: u64) -> Option<u64> {
    let mut links = state.issue_links.iter();
    let found = links.find(|link| {
        let ends = (link.source, link.target);
        ends == (one, other) || ends == (other, one)
    });
    found.map(|link| link.id)
}

fn tell_of_link(state: &mut State, one: u64, other: u64, user: u64, now: Timestamp, related: bool) {
    for (on, to) in [(one, other), (other, one)] {
        let on = Noteable::Issue(on);
        let home = issuables::project_of(state, on);
        let reference = reference_from(state, home, Noteable::Issue(to));
        let text = if related {
            let kind = crate::issuable_details::kind_of(state, on);
            format!("marked this {kind} as related to {reference}")
        } else {
            format!("removed the relation with {reference}")
        };
        add_system_note(state, on, user, now, &text);
    }
}

/// Closes an issue as a duplicate of another, to which it is related from then on.
pub(crate) fn mark_duplicate(
    state: &mut State,
    issue: u64,
    canonical: u64,
    user: u64,
    now: Timestamp,
) {
    let (own, other) = (Noteable::Issue(issue), Noteable::Issue(canonical));
    let home = issuables::project_of(state, own);
    let text = format!(
        "marked this issue as a duplicate of {}",
        reference_from(state, home, other)
    );
    add_system_note(state, own, user, now, &text);
    let home = issuables::project_of(state, other);
    let text = format!(
        "marked {} as a duplicate of this issue",
        reference_from(state, home, own)
    );
    add_system_note(state, other, user, now, &text);
    changes::set_open(state, own, false, user, now);
    relate(state, issue, canonical, user, now);
    if let Some(row) = state.issues.get_mut(issue) {
        row.duplicate_of = Some(canonical);
    }
}
