//! `trainyard nrt-lock break`: a person takes the environment away from a run that hangs. Run as a manual job; GitLab's record says
//! who played it.
//!
//! The run is cancelled first and the break recorded then: whoever dies in between leaves a holder that GitLab calls finished,
//! which the next worker takes over from.

use super::release;
use crate::domain::ids::UserName;
use crate::domain::nrt::{Lease, Liveness, Unbreakable, break_lease};
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, append_to_version, notes, observe, tell};
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;
use crate::report;

/// What a reason may have at most; longer ones are cut.
const LONGEST_REASON: usize = 500;

/// Takes the environment away from whoever holds it.
///
/// # Errors
/// When no reason is given, GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, reason: Option<&str>) -> Answer<Done> {
    let reason: String = reason
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            Problem::misconfigured(
                "taking the NRT environment away needs a reason, which the authors of its change sets will read",
                "give `TRAINYARD_REASON` as a variable when you play the job, or `--reason TEXT`",
            )
        })?
        .chars()
        .take(LONGEST_REASON)
        .collect();
    let player = desk.records.player()?.name;
    let may = observe::people_or_maintainers(desk, &desk.config.nrt.broken_by)?;
    if !may.contains(&player) {
        return Ok(Done::saying(report::may_not_break(
            &player,
            &desk.config.nrt.broken_by,
        )));
    }
    let ledger = Ledger::new(*desk);
    let Some(lease) = ledger.yard()?.nrt.lease else {
        return Ok(Done::saying(report::nothing_to_break()));
    };
    take_away(desk, &ledger, &lease, &reason, &player)
}

fn take_away(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    lease: &Lease,
    reason: &str,
    by: &UserName,
) -> Answer<Done> {
    let alive = desk.records.liveness(&lease.holder)? == Liveness::Running;
    if !alive {
        append_to_version::finish_what_a_dead_holder_began(desk, ledger)?;
    }
    let yard = ledger.yard()?;
    if let Err(why) = break_lease(&yard.nrt, lease.epoch, reason, by) {
        return Ok(refused(ledger, desk, &why));
    }
    let concerned = release::concerned(&yard, lease.epoch);
    let mut warning = None;
    if alive && let Err(problem) = desk.workers.stop(&lease.holder) {
        warning = Some(report::not_cancelled(&lease.holder, &problem.full_text()));
    }
    let broken = ledger.decide(|yard| {
        Ok(match break_lease(&yard.nrt, lease.epoch, reason, by) {
            Ok(facts) => Decision {
                facts,
                then: Ok(()),
            },
            Err(why) => Decision {
                facts: Vec::new(),
                then: Err(why),
            },
        })
    })?;
    if let Err(why) = broken {
        return Ok(refused(ledger, desk, &why));
    }
    if let Some(trial) = &yard.nrt.trial {
        release::show_queued(desk, ledger, trial)?;
    }
    let outcome = report::broken(lease, concerned.len())
        .seeing(report::change_set_links(&concerned, &desk.ci.server));
    let outcome = warning.into_iter().fold(outcome, Outcome::warning);
    let warnings = notes::keep_all(desk, ledger, &concerned)?;
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    tell::alert_all(desk, ledger)?;
    let waiting = ledger.yard()?.queue.waiting().count();
    let outcome = if waiting > 0 {
        outcome.next(release::serve_the_waiting(desk, waiting)?)
    } else {
        outcome
    };
    Ok(Done {
        outcome,
        events: ledger.written(),
    })
}

fn refused(ledger: &Ledger<'_>, desk: &Desk<'_>, why: &Unbreakable) -> Done {
    Done {
        outcome: report::unbreakable(why, &desk.ci.project_url),
        events: ledger.written(),
    }
}
