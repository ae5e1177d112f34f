//! `trainyard append-to-version`: lands what a trial validated, and appends it to the open version.
//!
//! The verdict is recorded before the merge: a run whose lease was lost cannot record it, so it cannot merge; and a run that
//! dies in between leaves behind what the next one needs to finish.

mod appending;
mod finishing;
mod obstacles;
mod together;
mod verdict;

use crate::domain::ids::{Epoch, MergeRequestId, TrialId};
use crate::domain::integration::ChangeSet;
use crate::domain::labelling;
use crate::domain::nrt::{Held, Trial, hold, trial_under};
use crate::domain::obstacles::Obstacle;
use crate::domain::versioning::Appended;
use crate::jobs::ledger::Ledger;
use crate::jobs::nrt_lock::release;
use crate::jobs::{Desk, Done, labels, observe, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Merge, MergeRequest};
use crate::report;

use appending::{End, Leaves, Seen, Told, append_and_tell, placed};
use obstacles::{give_up, obstacle};

pub use finishing::{
    finish_landing, finish_overdue, finish_what_a_dead_holder_began, go_on_landing,
};
pub(super) use verdict::stopped;

/// Lands the trial under a lease.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, epoch: Epoch) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let yard = ledger.yard()?;
    let out = yard.versions.released.iter().flat_map(|one| &one.content);
    let landed: Vec<MergeRequestId> = out
        .chain(yard.versions.unreleased())
        .filter(|a| a.trial.0 == epoch.0)
        .map(|a| a.change_set.merge_request.clone())
        .collect();
    let gate = desk;
    let outcome = match hold(&yard.nrt, epoch) {
        Err(_) if !landed.is_empty() => report::already_landed(&landed),
        Err(not_held) => report::lease_lost(&not_held),
        Ok(held) => match trial_under(&yard.nrt, &held).cloned() {
            None if !landed.is_empty() => report::already_landed(&landed),
            None => report::no_trial(epoch),
            Some(trial) if desk.config.nrt.decided_by.asks_a_person() && !trial.validated => {
                report::nobody_validated(&trial, &desk.config.nrt.deciders)
            }
            Some(trial) => {
                let desk = &desk.of_trial(&trial)?;
                let outcome = match verdict::stopped(desk, &ledger, &held, &trial)? {
                    Some(outcome) => outcome,
                    None if trial.placed.is_empty() => land(desk, &ledger, &held, &trial)?,
                    None => together::land(desk, &ledger, &held, &trial)?,
                };
                outcome.seeing(report::change_set_links(
                    &trial.change_sets,
                    &desk.ci.server,
                ))
            }
        },
    };
    let outcome = after_landing(gate, &ledger, epoch, outcome)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// What is left to do once a landing has given the environment back, because no later job of the trial does it then.
fn after_landing(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    epoch: Epoch,
    outcome: Outcome,
) -> Answer<Outcome> {
    let yard = ledger.yard()?;
    let landed = |appended: &Appended| appended.trial.0 == epoch.0;
    if hold(&yard.nrt, epoch).is_ok() || !yard.versions.content.iter().any(landed) {
        return Ok(outcome);
    }
    tell::alert_all(desk, ledger)?;
    tell::settle_landed(desk, ledger, TrialId(epoch.0))?;
    release::serve_next(desk, ledger, outcome)
}

/// One change set per trial: GitLab's own merge lands it.
fn land(desk: &Desk<'_>, ledger: &Ledger<'_>, held: &Held, trial: &Trial) -> Answer<Outcome> {
    let mut outcome = Outcome::open(format!("trial {} is landed", trial.id));
    for id in &trial.change_sets {
        let Some(ticket) = ledger.yard()?.queue.ticket(id).cloned() else {
            continue;
        };
        // The verdict is recorded before anything is looked at: the look tells as well whether it is in the log.
        if let Some(outcome) = verdict::record(desk, ledger, held, trial)? {
            return Ok(outcome);
        }
        let (found, board) = observe::at_the_gate(desk, &ledger.yard()?, &ticket.change_set)?;
        ledger.prove()?;
        let found = found.ok_or_else(|| observe::no_merge_request(desk, id.iid))?;
        if let Some(obstacle) = obstacle(desk, &found, &ticket.change_set, trial)? {
            return give_up(desk, ledger, &ticket.change_set, trial, obstacle);
        }
        let merged = match found.landed.clone() {
            Some(landed) => Merge::Done { landed },
            None => merge(desk, held, &found, &ticket.change_set, trial)?,
        };
        let landed = match merged {
            Merge::Done { landed } => landed,
            Merge::HeadMoved => {
                return give_up(
                    desk,
                    ledger,
                    &ticket.change_set,
                    trial,
                    Obstacle::changed("new commits were pushed during the trial"),
                );
            }
            Merge::Refused { status } => {
                let obstacle = Obstacle::refused(&status, &ticket.change_set.target);
                return give_up(desk, ledger, &ticket.change_set, trial, obstacle);
            }
        };
        let same = desk.commits.same_tree(&trial.candidate.commit, &landed)?;
        let placed = [placed(&ticket.change_set, &landed)];
        let end = End::of(desk, held);
        let seen = Seen {
            board,
            leaves: Leaves::new(),
            differs: !same,
        };
        let Told {
            version, warnings, ..
        } = append_and_tell(desk, ledger, trial, &placed, end, seen)?;
        outcome = warnings.into_iter().fold(outcome, Outcome::with);
        labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Landed);
        outcome = outcome.with(report::landed_line(&ticket.change_set, version, &landed));
        if !same {
            return Ok(report::landed_tree_differs(
                &ticket.change_set,
                trial,
                &landed,
            ));
        }
    }
    Ok(outcome)
}

fn merge(
    desk: &Desk<'_>,
    held: &Held,
    found: &MergeRequest,
    change_set: &ChangeSet,
    trial: &Trial,
) -> Answer<Merge> {
    let candidate = &trial.candidate.commit;
    let message = report::merge_message(change_set, trial.id, &desk.ci.project);
    let merge = || {
        let merge_requests = desk.merge_requests;
        merge_requests.merge(held, found.id.iid, candidate, &message)
    };
    let wants_pipeline = |status: &str| matches!(status, "ci_must_pass" | "ci_still_running");
    if !wants_pipeline(&found.merge_status) {
        let merged = merge()?;
        // GitLab makes its checks when it is asked to merge, and tells only then what it wants.
        if !matches!(&merged, Merge::Refused { status } if wants_pipeline(status)) {
            return Ok(merged);
        }
    }
    // After our rebase the head has no pipeline of its own: this status becomes it.
    let text = format!("trial {} validated this commit", trial.id);
    desk.announcements
        .set_status(candidate, &found.source, true, &text)?;
    merge()
}
