//! Landings that a run has begun and another one finishes.

use super::appending::{End, Going, Leaves, append, placed};
use super::together;
use crate::domain::ids::MergeRequestId;
use crate::domain::integration::MergeRequestState;
use crate::domain::labelling;
use crate::domain::nrt::{Held, Trial};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, labels, notes};
use crate::outcome::Outcome;
use crate::ports::Answer;

/// Appends what a validated trial merged before its run died; what is not merged waits again.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn finish_landing(desk: &Desk<'_>, ledger: &Ledger<'_>, trial: &Trial) -> Answer<()> {
    let desk = &desk.of_trial(trial)?;
    if !trial.placed.is_empty() {
        return together::finish(desk, ledger, trial);
    }
    for id in &trial.change_sets {
        let Some(ticket) = ledger.yard()?.queue.ticket(id).cloned() else {
            continue;
        };
        let Some(found) = desk.merge_requests.merge_request(id.iid)? else {
            continue;
        };
        if let (MergeRequestState::Merged, Some(landed)) = (found.state, &found.landed)
            && found.head == trial.candidate.commit
        {
            let same = desk.commits.same_tree(&trial.candidate.commit, landed)?;
            let placed = [placed(&ticket.change_set, landed)];
            let going = Going {
                trial,
                placed: &placed,
                leaves: &Leaves::new(),
                differs: !same,
                end: End::AsItIs,
                at: desk.clock.now(),
            };
            append(desk, ledger, &going)?;
            labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Landed);
        }
    }
    Ok(())
}

/// A change set that is found merged may have been landed by a trial that was validated and then abandoned: the run that held its
/// lease lived on for a moment. Whether that was so; then it is in the version.
///
/// # Errors
/// As above.
pub fn finish_overdue(desk: &Desk<'_>, ledger: &Ledger<'_>, id: &MergeRequestId) -> Answer<bool> {
    let yard = ledger.yard()?;
    for trial in yard.nrt.overdue_with(id) {
        finish_landing(desk, ledger, trial)?;
        if ledger.yard()?.queue.ticket(id).is_none() {
            for warning in notes::keep_all(desk, ledger, &trial.change_sets)? {
                tracing::warn!("{warning}");
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finishes, under the lease that is still held, the landing of a validated trial whose run died: all of a batch lands now; of a
/// change set alone what is merged is appended, and it waits again if it is not.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub fn go_on_landing(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
) -> Answer<Option<Outcome>> {
    let desk = &desk.of_trial(trial)?;
    if trial.placed.is_empty() {
        finish_landing(desk, ledger, trial)?;
        return Ok(None);
    }
    together::land(desk, ledger, held, trial).map(Some)
}

/// The same, before the lease of a dead holder is taken over.
///
/// # Errors
/// As above.
pub fn finish_what_a_dead_holder_began(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<()> {
    match ledger.yard()?.nrt.trial {
        Some(trial) if trial.validated => finish_landing(desk, ledger, &trial),
        Some(_) | None => Ok(()),
    }
}
