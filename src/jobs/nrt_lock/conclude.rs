//! `trainyard nrt-lock conclude`: a person says whether a trial passed, by a manual job of its pipeline.
//!
//! GitLab tells who plays the job. The verdict goes to the log, under the lease; then the pipeline goes on, to land the candidate or
//! to give the environment back. A job that died in between is run again: it finds the verdict in the log, and only goes on.

use super::ask;
use super::rejecting::{self, Environment};
use crate::domain::event::Fact;
use crate::domain::ids::{Epoch, MergeRequestId, TrialId};
use crate::domain::nrt::{Held, Trial, hold, trial_under};
use crate::domain::trial_verdict::{
    Before, Culprit, DecidedBy, Rejection, before, culprits, in_trial, may_decide,
};
use crate::domain::trials::{Policy, Verdict};
use crate::domain::validation::Player;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, tell};
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;
use crate::report;

/// Our job that waits for the verdict.
const GOING_ON: &str = "append-to-version";

/// What the person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It may land.
    Validated,
    /// It may not, and these are to blame, if anybody.
    Rejected { named: Vec<Culprit> },
}

/// The verdict, as the job was told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What.
    pub says: Says,
    /// Why; untrusted.
    pub reason: Option<String>,
}

/// Gives a person's verdict on the trial under a lease.
///
/// # Errors
/// When GitLab cannot be asked, the log cannot be written, or nobody is asked for a verdict.
pub fn run(desk: &Desk<'_>, epoch: Epoch, given: &Given) -> Answer<Done> {
    let given = &with_variables(desk, given)?;
    let ledger = Ledger::new(*desk);
    let yard = ledger.yard()?;
    let trial = TrialId(epoch.0);
    let held = match (hold(&yard.nrt, epoch), before(&yard, trial)) {
        (Ok(held), Before::Undecided) => held,
        // Whoever gave the verdict may have died before the pipeline could go on.
        (Ok(_), before @ (Before::Validated | Before::Rejected)) => {
            go_on(desk)?;
            return Ok(Done::saying(report::decided_before(
                trial,
                before,
                says(given),
            )));
        }
        (Err(not_held), before) => {
            return Ok(Done::saying(report::verdict_too_late(
                trial, &not_held, before,
            )));
        }
    };
    let Some(trial) = trial_under(&yard.nrt, &held).cloned() else {
        return Ok(Done::saying(report::no_trial_to_judge(epoch)));
    };
    if desk.config.nrt.decided_by == DecidedBy::Tests && given.says == Says::Validated {
        return Err(Problem::misconfigured(
            "nobody is asked to validate trials here: `nrt.verdict` is `tests`",
            "set `nrt.verdict: both` or `manual` in `.trainyard.yml`, or take the job away; `nrt-lock conclude --rejected-by '!34'` may be used as it is",
        ));
    }
    let player = desk.records.player()?;
    if let Some(refused) = refused(desk, &player, &trial)? {
        return Ok(Done::saying(refused));
    }
    let outcome = match &given.says {
        Says::Validated => validate(desk, &ledger, &held, &trial, &player)?,
        Says::Rejected { named } => match in_trial(&trial, named) {
            Ok(named) => reject(desk, &ledger, &held, &trial, &player, named, given)?,
            Err(strangers) => report::not_in_trial(&trial, &strangers),
        },
    };
    Ok(Done {
        outcome: rejecting::seeing(desk, &trial, outcome),
        events: ledger.into_events(),
    })
}

fn says(given: &Given) -> Before {
    match given.says {
        Says::Validated => Before::Validated,
        Says::Rejected { .. } => Before::Rejected,
    }
}

/// What the person set as variables of the manual job.
fn with_variables(desk: &Desk<'_>, given: &Given) -> Answer<Given> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let says = match (&given.says, said(&desk.ci.culprit)) {
        (Says::Rejected { named }, Some(text)) if named.is_empty() => {
            let named = culprits(&text).map_err(|word| {
                Problem::misconfigured(
                    format!(
                        "`TRAINYARD_CULPRIT` names `{}`, which is not a merge request",
                        report::plain(&word)
                    ),
                    "play the job again with one or several such as `!34, !35`, or without the variable",
                )
            })?;
            Says::Rejected { named }
        }
        (says, _) => says.clone(),
    };
    let reason = given.reason.clone().or_else(|| said(&desk.ci.reason));
    Ok(Given { says, reason })
}

/// Where the project's own jobs decide, its pipeline may also name a culprit by this command: nobody's role is asked then.
fn refused(desk: &Desk<'_>, player: &Player, trial: &Trial) -> Answer<Option<Outcome>> {
    if !desk.config.nrt.decided_by.asks_a_person() {
        return Ok(None);
    }
    let roles = &desk.config.nrt.deciders;
    let holders = ask::deciders(desk)?;
    let why = may_decide(player, roles, &holders).err();
    Ok(why.map(|why| report::may_not_judge(&player.name, why, roles, &holders, trial)))
}

fn validate(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    player: &Player,
) -> Answer<Outcome> {
    let not_held = ledger.decide(|yard| {
        let (facts, then) = match undecided(yard, held, trial.id) {
            Ok(()) => (vec![Fact::TrialValidated { trial: trial.id }], None),
            Err(outcome) => (Vec::new(), Some(outcome)),
        };
        Ok(Decision { facts, then })
    })?;
    if let Some(outcome) = not_held {
        return Ok(outcome);
    }
    go_on(desk)?;
    let how = format!("`{}` validated it", player.name);
    let told = ask::settle(desk, trial, &how);
    let outcome = report::validated_by(trial, &player.name);
    Ok(warn(told, outcome))
}

fn reject(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    player: &Player,
    named: Vec<MergeRequestId>,
    given: &Given,
) -> Answer<Outcome> {
    let asked = desk.config.nrt.decided_by.asks_a_person();
    let reason = given.reason.as_deref();
    let rejection = Rejection {
        verdict: Verdict::Rejected { named },
        reason: if asked {
            report::rejected_by(&player.name, reason)
        } else {
            report::rejected_by_command(reason)
        },
        evidence: desk.ci.job_url.clone(),
        naming: None,
    };
    // Tests may fail by chance, and are asked again where the project says so; people are not.
    let strikes = if asked {
        1
    } else {
        desk.config.nrt.trials.strikes
    };
    let policy = Policy {
        strikes,
        ..desk.config.nrt.trials
    };
    let in_use = Environment::InUse;
    let Some(rejected) = rejecting::record(ledger, held, trial, &rejection, &policy, in_use)?
    else {
        return Ok(report::verdict_overtaken(trial.id));
    };
    go_on(desk)?;
    let outcome = report::trial_rejected(trial, &rejection, &rejected);
    let warnings = rejecting::tell(desk, ledger, trial, &rejection, &rejected)?;
    tell::alert_all(desk, ledger)?;
    let told = ask::settle(desk, trial, &rejection.reason);
    Ok(warn(
        told,
        warnings.into_iter().fold(outcome, Outcome::with),
    ))
}

/// Somebody else may have decided while this job looked.
fn undecided(yard: &Yard, held: &Held, trial: TrialId) -> Result<(), Outcome> {
    match (hold(&yard.nrt, held.epoch()), before(yard, trial)) {
        (Ok(_), Before::Undecided) => Ok(()),
        (Ok(_) | Err(_), _) => Err(report::verdict_overtaken(trial)),
    }
}

/// Lets the job go on that waits for the verdict; where none waits, the pipeline goes on by itself.
fn go_on(desk: &Desk<'_>) -> Answer<()> {
    let jobs = desk.records.jobs(desk.ci.pipeline.0)?;
    let waits = jobs
        .iter()
        .find(|job| job.name == GOING_ON && job.status == "manual");
    waits.map_or(Ok(()), |job| desk.workers.play(job.id))
}

/// The verdict stands, whether or not the note that asked for it could be edited.
fn warn(told: Answer<()>, outcome: Outcome) -> Outcome {
    match told {
        Ok(()) => outcome,
        Err(problem) => outcome.warning(format!(
            "the note that asked for the verdict could not be edited: {}",
            problem.full_text()
        )),
    }
}
