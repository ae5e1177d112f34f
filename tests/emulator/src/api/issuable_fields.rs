//! The parameters that creating and updating issues and merge requests share: labels, milestone, assignees.

use jiff::Timestamp;

use crate::ctx::Ctx;
use crate::issuable_changes as changes;
use crate::issuables;
use crate::router::{Param, integer, integers, list};
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::notes::Noteable;

pub(super) const FIELDS: &[Param] = &[
    integer("assignee_id"),
    integers("assignee_ids"),
    list("labels"),
    list("add_labels"),
    list("remove_labels"),
    integer("milestone_id"),
];

/// Sets what was sent; for users who may not administer it, GitLab leaves these out without a word.
pub(super) fn set(ctx: &Ctx<'_>, state: &mut State, noteable: Noteable, user: u64, now: Timestamp) {
    if !issuables::may_administer(state, user, noteable) {
        return;
    }
    let project = issuables::project_of(state, noteable);
    let mut wanted = changes::label_ids(state, noteable);
    if ctx.given("labels") {
        let names = ctx.list("labels").unwrap_or_default();
        wanted = changes::labels_named(state, project, &names, user, now);
    }
    let added = ctx.list("add_labels").unwrap_or_default();
    wanted.extend(changes::labels_named(state, project, &added, user, now));
    let removed = ctx.list("remove_labels").unwrap_or_default();
    wanted.retain(|id| {
        let label = state.labels.get(*id);
        !label.is_some_and(|label| removed.contains(&label.name))
    });
    changes::set_labels(state, noteable, &wanted, user, now);
    if ctx.given("milestone_id") {
        let found = ctx.number("milestone_id").filter(|id| {
            state
                .milestones_for(Holder::Project(project))
                .any(|milestone| milestone.id == *id)
        });
        changes::set_milestone(state, noteable, found, user, now);
    }
    if ctx.given("assignee_id") || ctx.given("assignee_ids") {
        let listed = ctx.list_of_numbers("assignee_ids");
        let single = || ctx.number("assignee_id").into_iter().collect();
        let wanted = one_person(state, listed.unwrap_or_else(single));
        changes::set_assignees(state, noteable, wanted, user, now);
    }
}

/// The one known person of a list: several are a paid feature.
pub(super) fn one_person(state: &State, ids: Vec<u64>) -> Vec<u64> {
    let known = ids.into_iter().filter(|id| state.users.get(*id).is_some());
    known.take(1).collect()
}
