//! `trainyard nrt-lock conclude`: a person says whether a trial passed, by a manual job of its pipeline.
//!
//! GitLab tells who plays the job. The verdict goes to the log, under the lease; then the pipeline goes on, to land the candidate or
//! to give the environment back. A job that died in between is run again: it finds the verdict in the log, and only goes on.

use super::ask;
use super::rejecting::{self, Environment};
use crate::domain::controls::stop;
use crate::domain::event::Fact;
use crate::domain::ids::{Epoch, MergeRequestId, TrialId, UserName};
use crate::domain::nrt::{Held, Trial, hold, trial_under};
use crate::domain::trial_verdict::{
    Before, Culprit, Rejection, before, culprits, in_trial, may_decide,
};
use crate::domain::trials::{Policy, Verdict};
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, append_to_version, tell};
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
    let named = match &given.says {
        Says::Validated => Ok(None),
        Says::Rejected { named } => in_trial(&trial, named).map(Some),
    };
    let outcome = match (named, asked(desk, &trial)?) {
        (Err(strangers), _) => report::not_in_trial(&trial, &strangers),
        (Ok(_), Asked::MayNot(refused)) => *refused,
        (Ok(None), Asked::Nobody) => {
            return Err(Problem::misconfigured(
                "nobody is asked to validate trials here: `nrt.verdict` is `tests`",
                "set `nrt.verdict: both` or `manual` in `.trainyard.yml`, or take the job away; `nrt-lock conclude --rejected-by '!34'` may be used as it is",
            ));
        }
        (Ok(None), Asked::Person(person)) => validate(desk, &ledger, &held, &trial, &person)?,
        (Ok(Some(named)), asked) => {
            let rejection = rejection(desk, asked.person(), named, given);
            reject(
                desk,
                &ledger,
                &held,
                &trial,
                &rejection,
                asked.person().is_some(),
            )?
        }
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

/// Who says it.
enum Asked {
    /// A person who may.
    Person(UserName),
    /// Somebody who may not; what they read.
    MayNot(Box<Outcome>),
    /// The project's own jobs decide: its pipeline may name a culprit by this command, and nobody's role is asked.
    Nobody,
}

impl Asked {
    fn person(&self) -> Option<&UserName> {
        match self {
            Self::Person(name) => Some(name),
            Self::MayNot(_) | Self::Nobody => None,
        }
    }
}

fn asked(desk: &Desk<'_>, trial: &Trial) -> Answer<Asked> {
    if !desk.config.nrt.decided_by.asks_a_person() {
        return Ok(Asked::Nobody);
    }
    let player = desk.records.player()?;
    let roles = &desk.config.nrt.deciders;
    let holders = ask::deciders(desk)?;
    let own = desk.records.token_user()?.name;
    Ok(match may_decide(&player, &own, roles, &holders) {
        Ok(()) => Asked::Person(player.name),
        Err(why) => {
            let refused = report::may_not_judge(&player.name, why, roles, &holders, trial);
            Asked::MayNot(Box::new(refused))
        }
    })
}

fn validate(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    person: &UserName,
) -> Answer<Outcome> {
    if let Some(outcome) = append_to_version::stopped(desk, ledger, held, trial)? {
        go_on(desk)?;
        return Ok(outcome);
    }
    let freezes = &desk.config.integration.freezes;
    let recorded = ledger.decide(|yard| {
        // Somebody else may have decided while this job looked.
        let held = hold(&yard.nrt, held.epoch()).is_ok();
        let then = held && before(yard, trial.id) == Before::Undecided;
        // What was ordered in this very moment is seen by the job that would land it.
        let facts = if then && stop(yard, trial, freezes, desk.clock.now()).is_none() {
            vec![Fact::TrialValidated { trial: trial.id }]
        } else {
            Vec::new()
        };
        Ok(Decision { facts, then })
    })?;
    if !recorded {
        return Ok(report::verdict_overtaken(trial.id));
    }
    go_on(desk)?;
    let told = ask::settle(desk, trial, &format!("`{person}` validated it"));
    let outcome = report::validated_by(trial, person);
    Ok(warn(told, outcome))
}

fn rejection(
    desk: &Desk<'_>,
    person: Option<&UserName>,
    named: Vec<MergeRequestId>,
    given: &Given,
) -> Rejection {
    let reason = given.reason.as_deref();
    Rejection {
        verdict: Verdict::Rejected { named },
        reason: match person {
            Some(person) => report::rejected_by(person, reason),
            None => report::rejected_by_command(reason),
        },
        evidence: desk.ci.job_url.clone(),
        naming: None,
    }
}

fn reject(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    rejection: &Rejection,
    by_person: bool,
) -> Answer<Outcome> {
    let configured = desk.config.nrt.trials;
    // Tests may fail by chance, and are asked again where the project says so; people are not.
    let strikes = if by_person { 1 } else { configured.strikes };
    let policy = Policy {
        strikes,
        ..configured
    };
    let in_use = Environment::InUse;
    let Some(rejected) = rejecting::record(ledger, held, trial, rejection, &policy, in_use)? else {
        return Ok(report::verdict_overtaken(trial.id));
    };
    go_on(desk)?;
    let outcome = report::trial_rejected(trial, rejection, &rejected);
    let warnings = rejecting::tell(desk, ledger, trial, rejection, &rejected)?;
    tell::alert_all(desk, ledger)?;
    let told = ask::settle(desk, trial, &rejection.reason);
    Ok(warn(
        told,
        warnings.into_iter().fold(outcome, Outcome::with),
    ))
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
