//! `trainyard tick`: sees that the queue goes on when nobody presses anything. Runs in a scheduled pipeline of the default branch.
//!
//! A wake-up can be lost, refused or cancelled, and a worker can die before it takes the lease. The request to integrate is the
//! successful `integrate` job, and the queue is the log: both are still there, so a look at regular times is enough.

use super::ledger::Ledger;
use super::nrt_lock::admit;
use super::{Desk, Done, archive, label_holds, leaving, notes, release, tell};
use crate::domain::event::Fact;
use crate::domain::nrt::Liveness;
use crate::domain::yard::Yard;
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report::{self, Serving};

/// Admits what was forgotten, and starts a worker where one is missing.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let admitted = admit::admit_forgotten(desk, &ledger)?;
    let mut warnings = label_holds::look(desk, &ledger)?;
    tell::alert_all(desk, &ledger)?;
    // Orders from people's machines, and freezes that begin and end, are told by whoever comes next.
    warnings.extend(notes::mend_left(desk, &ledger)?);
    warnings.extend(notes::keep_first(desk, &ledger)?);
    warnings.extend(leaving::delete(desk, &ledger)?);
    let released = release::go_on(desk, &ledger)?;
    let yard = ledger.yard()?;
    let waiting = yard.queue.waiting().count();
    let serving = serve(desk, &yard)?;
    let stuck = stuck(desk, &ledger, &serving)?;
    let outcome = report::ticked(&serving, waiting).including(admitted);
    let outcome = released.into_iter().fold(outcome, Outcome::including);
    let outcome = stuck.into_iter().fold(outcome, Outcome::warning);
    let outcome = archive::at_tick(desk, &ledger)
        .into_iter()
        .chain(warnings)
        .fold(outcome, Outcome::with);
    let outcome = if yard.nrt.worth_another_worker() {
        outcome
    } else {
        outcome.warning(report::environment_needs_a_look(yard.nrt.fruitless))
    };
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// Starts a worker where change sets can be tried, or the holder of the environment is gone, and none is coming.
///
/// # Errors
/// When GitLab cannot be asked.
pub(super) fn serve(desk: &Desk<'_>, yard: &Yard) -> Answer<Serving> {
    let (freezes, now) = (&desk.config.integration.freezes, desk.clock.now());
    Ok(match &yard.nrt.lease {
        Some(lease) => match desk.records.liveness(&lease.holder)? {
            Liveness::Running => Serving::Held(lease.clone()),
            Liveness::Finished | Liveness::Vanished => {
                start(desk, Serving::HolderGone(lease.clone()))?
            }
        },
        None if yard.queue.waiting().next().is_none() => Serving::NothingWaits,
        None => match report::nothing_to_serve(yard, freezes, now) {
            Some(why) => Serving::Hindered(why),
            None => start(desk, Serving::NobodyCame)?,
        },
    })
}

/// A known fault of GitLab: a job goes on waiting for a resource group that nobody has. Told once for each such job.
fn stuck(desk: &Desk<'_>, ledger: &Ledger<'_>, serving: &Serving) -> Answer<Option<String>> {
    if *serving != Serving::Coming {
        return Ok(None);
    }
    let Some(first) = desk.traces.waiting_at_the_gate()?.into_iter().next() else {
        return Ok(None);
    };
    let since = ledger
        .yard()?
        .nrt
        .freed
        .map_or(first.since, |ended| ended.max(first.since));
    let waited = desk.clock.now().duration_since(since);
    if waited < desk.config.nrt.stuck_after || !desk.traces.running_workers()?.is_empty() {
        return Ok(None);
    }
    let fact = Fact::EnvironmentStuck {
        waiting: first.job,
        pipeline: first.pipeline,
    };
    let known = ledger.yard()?.has(&ledger.event(fact.clone()));
    let kick = desk.config.nrt.kick && !known;
    if kick {
        desk.workers.wake(None)?;
    }
    ledger.record(&[fact])?;
    Ok(Some(report::environment_stuck(&first, since, kick)))
}

/// Starts a worker for this reason, unless one is on its way.
fn start(desk: &Desk<'_>, why: Serving) -> Answer<Serving> {
    if desk.workers.one_is_coming()? {
        return Ok(Serving::Coming);
    }
    desk.workers.wake(None)?;
    Ok(why)
}
