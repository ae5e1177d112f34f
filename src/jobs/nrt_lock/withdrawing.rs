//! Change sets that leave the queue before their trial: changed by their people since, or in conflict with the target.

use crate::domain::event::Fact;
use crate::domain::ids::BranchName;
use crate::domain::integration::{MergeRequestState, Ticket};
use crate::domain::labelling;
use crate::domain::progress::Stage;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, append_to_version, labels, notes, observe};
use crate::ports::{Answer, MergeRequest};
use crate::report;

/// Why a change set can no longer be tried as it was queued.
pub(super) fn left_meanwhile(
    desk: &Desk<'_>,
    found: Option<&MergeRequest>,
    ticket: &Ticket,
    branch: &BranchName,
) -> Answer<Option<String>> {
    let Some(found) = found else {
        return Ok(Some("the merge request is gone".to_owned()));
    };
    let objection = observe::objection(desk, found);
    let reason = match found.state {
        MergeRequestState::Closed => Some("the merge request was closed".to_owned()),
        MergeRequestState::Merged => Some("somebody merged it around the queue".to_owned()),
        MergeRequestState::Open if found.draft => {
            Some("the merge request was made a draft".to_owned())
        }
        MergeRequestState::Open if found.target != *branch => {
            Some(format!("the merge request now targets `{}`", found.target))
        }
        MergeRequestState::Open if objection.is_some() => objection,
        MergeRequestState::Open if ticket.is_of(&found.head) => None,
        MergeRequestState::Open if only_rebased(desk, found, ticket)? => None,
        MergeRequestState::Open => Some(format!(
            "new commits were pushed (`{}`)",
            found.head.short()
        )),
    };
    Ok(reason)
}

/// Whether a head that the log does not know is the same change: somebody rebased it, or a run before this one did and died before
/// it could say so.
fn only_rebased(desk: &Desk<'_>, found: &MergeRequest, ticket: &Ticket) -> Answer<bool> {
    let base = match &found.base {
        Some(base) => Some(base.clone()),
        None => desk
            .merge_requests
            .merge_request(found.id.iid)?
            .and_then(|whole| whole.base),
    };
    let Some(base) = base else {
        return Ok(false);
    };
    let head = &ticket.change_set.head;
    let same = desk.commits.same_change(head, &found.head, &base);
    Ok(same.unwrap_or_else(|problem| {
        // The old head can be gone for good. What cannot be compared counts as new, and its author is told.
        tracing::warn!(
            "`{}` and `{}` cannot be compared: {}",
            head.short(),
            found.head.short(),
            problem.full_text()
        );
        false
    }))
}

/// It leaves, with the reason; or it has landed by a trial that was given up too early.
pub(super) fn leave(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    found: Option<&MergeRequest>,
    reason: &str,
) -> Answer<()> {
    let merged = found.is_some_and(|found| found.state == MergeRequestState::Merged);
    let id = &ticket.change_set.merge_request;
    if merged && append_to_version::finish_overdue(desk, ledger, id)? {
        return Ok(());
    }
    withdraw(desk, ledger, ticket, reason)
}

/// It leaves, with the reason; its people are told.
pub(super) fn withdraw(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    reason: &str,
) -> Answer<()> {
    let change_set = &ticket.change_set;
    let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
    ledger.record(&[Fact::ChangeSetWithdrawn {
        merge_request,
        head,
        reason: reason.to_owned(),
        order: None,
    }])?;
    let note = report::note_withdrawn(reason);
    notes::keep_left(desk, ledger, change_set, Stage::LeftQueue, note).map(warn_all)?;
    labels::show_change_set(desk, change_set, labelling::Stage::Linked);
    Ok(())
}

/// It leaves, because it does not apply on its target any more; its people are told.
pub(super) fn conflict(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    detail: &str,
) -> Answer<()> {
    let change_set = &ticket.change_set;
    ledger.record(&[Fact::ChangeSetConflicted {
        merge_request: change_set.merge_request.clone(),
        head: change_set.head.clone(),
        detail: detail.chars().take(500).collect(),
    }])?;
    let note = report::note_conflicted(change_set, detail);
    notes::keep_left(desk, ledger, change_set, Stage::Conflicted, note).map(warn_all)?;
    labels::show_change_set(desk, change_set, labelling::Stage::Linked);
    Ok(())
}

/// The change set that left is not the one that this job goes on with: what could not be told about it goes to the log at once.
pub(super) fn warn_all(warnings: Vec<String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
