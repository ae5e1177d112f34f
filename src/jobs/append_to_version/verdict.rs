//! The verdict of a trial, recorded only while its lease is in force and nobody ordered otherwise.

use crate::domain::controls::{Stop, stop};
use crate::domain::event::Fact;
use crate::domain::labelling;
use crate::domain::nrt::{Abandoned, Held, NotHeld, Trial, hold, trial_under};
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, labels, notes, tell};
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report;

enum Verdict {
    Stands,
    NotHeld(NotHeld),
    Stopped(Stop),
}

/// Records that the trial is validated; or says why it must not land. The caller proves it before anything lands.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub(super) fn record(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
) -> Answer<Option<Outcome>> {
    let fact = Fact::TrialValidated { trial: trial.id };
    decide(desk, ledger, held, trial, Some(&fact))
}

/// Says why a trial must not land, before anything of it is looked at.
///
/// # Errors
/// As above.
pub(in crate::jobs) fn stopped(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
) -> Answer<Option<Outcome>> {
    decide(desk, ledger, held, trial, None)
}

fn decide(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    validated: Option<&Fact>,
) -> Answer<Option<Outcome>> {
    let freezes = &desk.config.integration.freezes;
    let verdict = ledger.decide_unproved(|yard| {
        let held = match hold(&yard.nrt, held.epoch()) {
            Ok(held) => held,
            Err(not_held) => {
                return Ok(Decision {
                    facts: Vec::new(),
                    then: Verdict::NotHeld(not_held),
                });
            }
        };
        let current = trial_under(&yard.nrt, &held).unwrap_or(trial);
        Ok(match stop(yard, current, freezes, desk.clock.now()) {
            None => Decision {
                facts: validated.into_iter().cloned().collect(),
                then: Verdict::Stands,
            },
            Some(stop) => Decision {
                facts: vec![Fact::TrialAbandoned {
                    trial: trial.id,
                    reason: match &stop {
                        Stop::Gone(_) => Abandoned::ChangeSetChanged,
                        Stop::Frozen(_) => Abandoned::Frozen,
                    },
                }],
                then: Verdict::Stopped(stop),
            },
        })
    })?;
    let stop = match verdict {
        Verdict::Stands => return Ok(None),
        Verdict::NotHeld(not_held) => return Ok(Some(report::lease_lost(&not_held))),
        Verdict::Stopped(stop) => stop,
    };
    let warnings = notes::keep_all(desk, ledger, &trial.change_sets)?;
    let queue = ledger.yard()?.queue;
    for ticket in trial.change_sets.iter().filter_map(|id| queue.ticket(id)) {
        labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Queued);
    }
    tell::alert_all(desk, ledger)?;
    let outcome = report::trial_stopped(trial, &stop);
    Ok(Some(warnings.into_iter().fold(outcome, Outcome::with)))
}
