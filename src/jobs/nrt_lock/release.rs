//! `trainyard nrt-lock release`: concludes a trial that did not land, gives the environment back, and sees that whoever waits is
//! served. Runs last in every trial, whatever happened, and once more in the pipeline above it.

use super::rejecting::{self, Environment};
use crate::domain::ids::{Epoch, MergeRequestId, PipelineId, TrialId};
use crate::domain::integration::Place;
use crate::domain::nrt::{Abandoned, Held, NotHeld, Trial, hold, lease_of, release, trial_under};
use crate::domain::trial_verdict::Rejection;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, append_to_version, notes, tell};
use crate::outcome::{Outcome, Pointer, SeeAlso};
use crate::ports::{Answer, JobRecord};
use crate::report;

/// Our own jobs of a trial: their failure says nothing about the candidate.
const OWN_JOBS: [&str; 2] = ["append-to-version", "nrt-release"];

/// Our job that asks people for their verdict.
const ASKING: &str = "nrt:ask";

/// What the worker hands on when it took no lease.
const NOTHING_TAKEN: Epoch = Epoch(0);

/// Gives the environment back.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, epoch: Epoch) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let yard = ledger.yard()?;
    // The job that took the lease may have died before it could hand the number on.
    let epoch = if epoch == NOTHING_TAKEN {
        lease_of(&yard.nrt, &desk.ci.project, desk.ci.pipeline).unwrap_or(epoch)
    } else {
        epoch
    };
    let held = match hold(&yard.nrt, epoch) {
        Ok(held) => held,
        Err(not_held) => {
            let last = match not_held {
                NotHeld::Lost { last, .. } => last,
                NotHeld::By { epoch: other, .. } => Some(other),
            };
            // The job that gave it back may have died before it could tell.
            let warnings = notes::mend_left(desk, &ledger)?;
            tell::alert_all(desk, &ledger)?;
            tell::settle_landed(desk, &ledger, TrialId(epoch.0))?;
            let outcome = report::already_released(epoch, last);
            let outcome = warnings.into_iter().fold(outcome, Outcome::with);
            let outcome = match ledger.yard()?.nrt.lease {
                None if epoch != NOTHING_TAKEN => serve_next(desk, &ledger, outcome)?,
                Some(_) | None => outcome,
            };
            return Ok(Done {
                outcome,
                events: ledger.into_events(),
            });
        }
    };
    let concerned = concerned(&yard, epoch);
    let outcome = match trial_under(&yard.nrt, &held).cloned() {
        None => {
            give_back(&ledger, &held, Abandoned::NoVerdict)?;
            Outcome::open(format!("the NRT environment is free again (lease {epoch})"))
        }
        Some(trial) if trial.validated => {
            let landing = append_to_version::go_on_landing(desk, &ledger, &held, &trial)?;
            give_back(&ledger, &held, Abandoned::NoVerdict)?;
            let free = Outcome::open(format!("the NRT environment is free again (lease {epoch})"));
            landing.into_iter().fold(free, Outcome::including)
        }
        Some(trial) => conclude(desk, &ledger, &held, &trial)?,
    };
    // The jobs before this one may have died before they could tell what they recorded.
    let warnings = notes::keep_all(desk, &ledger, &concerned)?;
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    tell::alert_all(desk, &ledger)?;
    tell::settle_landed(desk, &ledger, TrialId(epoch.0))?;
    let outcome = serve_next(desk, &ledger, outcome)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// Sees that whoever waits is served, now that the environment is free; or says why nobody is.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be read.
pub(in crate::jobs) fn serve_next(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    outcome: Outcome,
) -> Answer<Outcome> {
    let after = ledger.yard()?;
    let (freezes, now) = (&desk.config.integration.freezes, desk.clock.now());
    let waiting = after.servable(freezes, now).count();
    if waiting > 0 && !after.nrt.worth_another_worker() {
        let broken = report::environment_looks_broken(after.nrt.fruitless, waiting);
        return Ok(outcome.warning(broken));
    }
    Ok(match report::nothing_to_serve(&after, freezes, now) {
        Some(why) => outcome.next(why),
        None if waiting > 0 => outcome.next(serve_the_waiting(desk, waiting)?),
        None => outcome,
    })
}

/// The change sets that this lease was about: taken out of the queue for it, or landed by it.
pub(super) fn concerned(yard: &Yard, epoch: Epoch) -> Vec<MergeRequestId> {
    let trial = TrialId(epoch.0);
    let taken = yard
        .queue
        .tickets
        .iter()
        .filter(|ticket| match &ticket.place {
            Place::InTrial(of) => *of == trial,
            Place::Merged { .. } => true,
            Place::Waiting => false,
        })
        .map(|ticket| &ticket.change_set);
    let landed = yard
        .versions
        .content
        .iter()
        .filter(|appended| appended.trial == trial)
        .map(|appended| &appended.change_set);
    taken
        .chain(landed)
        .map(|set| set.merge_request.clone())
        .collect()
}

/// The verdict of the project's own jobs, as GitLab recorded it.
fn conclude(desk: &Desk<'_>, ledger: &Ledger<'_>, held: &Held, trial: &Trial) -> Answer<Outcome> {
    let pipeline = pipeline_of_trial(desk, ledger)?;
    let jobs = desk.records.jobs(pipeline.0)?;
    let mut failed: Vec<&JobRecord> = jobs
        .iter()
        .filter(|job| {
            job.status == "failed" && !job.may_fail && !OWN_JOBS.contains(&job.name.as_str())
        })
        .collect();
    let asked = jobs.iter().any(|job| job.name == ASKING && has_run(job));
    let cancelled = pipeline != desk.ci.pipeline && jobs.iter().any(|job| job.status == "canceled");
    // Once people were asked, only they decide; and whoever cancels a trial wants no verdict of it.
    if asked || cancelled {
        failed.clear();
    }
    if failed.is_empty() {
        give_back(ledger, held, Abandoned::NoVerdict)?;
        show_queued(desk, ledger, trial)?;
        return Ok(report::trial_without_verdict(
            trial,
            Abandoned::NoVerdict,
            None,
        ));
    }
    // A script that failed judged the candidate; a lost runner or a refused deployment did not.
    let judged = failed.iter().find(|job| {
        matches!(
            job.failure.as_deref(),
            Some("script_failure" | "job_execution_timeout") | None
        )
    });
    let Some(judged) = judged else {
        give_back(ledger, held, Abandoned::Infrastructure)?;
        show_queued(desk, ledger, trial)?;
        return Ok(report::trial_without_verdict(
            trial,
            Abandoned::Infrastructure,
            failed.first().map(|job| job.name.as_str()),
        ));
    };
    let evidence = format!("{}/-/jobs/{}", desk.ci.project_url, judged.id);
    let (naming, warning) = rejecting::named_by_tests(desk, ledger, trial, (pipeline, &failed))?;
    let rejection = Rejection::by_tests(&judged.name, evidence.clone(), naming);
    let policy = &desk.config.nrt.trials;
    let free = Environment::Free;
    let Some(rejected) = rejecting::record(ledger, held, trial, &rejection, policy, free)? else {
        give_back(ledger, held, Abandoned::NoVerdict)?;
        return Ok(report::already_released(held.epoch(), None));
    };
    let mut outcome = report::trial_rejected(trial, &rejection, &rejected);
    outcome = warning.into_iter().fold(outcome, Outcome::warning);
    let warnings = rejecting::tell(desk, ledger, trial, &rejection, &rejected)?;
    outcome = warnings.into_iter().fold(outcome, Outcome::with);
    Ok(
        rejecting::seeing(desk, trial, outcome).seeing([Pointer::new(
            SeeAlso::Pipelines,
            format!("{} failed", judged.name),
            evidence,
        )]),
    )
}

/// The trial's pipeline is this one, or, where the trial could not give the environment back itself, the one that this one started.
fn pipeline_of_trial(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<PipelineId> {
    let own = desk.ci.pipeline;
    let above = lease_of(&ledger.yard()?.nrt, &desk.ci.project, own).is_some();
    let started = if above {
        desk.records.started_by(own)?
    } else {
        None
    };
    Ok(started.unwrap_or(own))
}

/// Without a verdict the change sets wait again.
pub(super) fn show_queued(desk: &Desk<'_>, ledger: &Ledger<'_>, trial: &Trial) -> Answer<()> {
    let queue = ledger.yard()?.queue;
    let tickets = trial.change_sets.iter().filter_map(|id| queue.ticket(id));
    let again: Vec<_> = tickets.map(|ticket| ticket.change_set.clone()).collect();
    rejecting::show_queued(desk, &again);
    Ok(())
}

fn has_run(job: &JobRecord) -> bool {
    matches!(job.status.as_str(), "success" | "failed")
}

pub(super) fn give_back(ledger: &Ledger<'_>, held: &Held, why: Abandoned) -> Answer<()> {
    ledger.decide(|yard| {
        let facts = if hold(&yard.nrt, held.epoch()).is_ok() {
            release(&yard.nrt, held, why)
        } else {
            Vec::new()
        };
        Ok(Decision { facts, then: () })
    })
}

/// A worker that leaves tickets behind, with no worker on its way, starts one.
pub(in crate::jobs) fn serve_the_waiting(desk: &Desk<'_>, waiting: usize) -> Answer<String> {
    if desk.workers.one_is_coming()? {
        return Ok(format!(
            "{waiting} more in the queue; the next worker is on its way"
        ));
    }
    desk.workers.wake(None)?;
    Ok(format!(
        "{waiting} more in the queue; started the next worker"
    ))
}
