//! `trainyard release withdraw | recovered`: a version in production is bad; the one before it runs again.

use std::path::Path;

use semver::Version;

use super::{forward, hand_on, members, notices, permission, telling};
use crate::domain::event::Fact;
use crate::domain::labelling::Stage;
use crate::domain::versioning::withdrawal::{WithdrawRefusal, Withdrawal, withdraw};
use crate::domain::versioning::{Released, heads_before};
use crate::files;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, labels, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Deployed, DeploymentState, Newest};
use crate::report;

/// Withdraws the version in production, and hands the one before it on to the deployment job. Run again, it does what is left.
///
/// # Errors
/// When GitLab cannot be asked, the log cannot be written, or there is no reason.
pub fn run(desk: &Desk<'_>, asked: &Version, reason: Option<&str>, dotenv: &Path) -> Answer<Done> {
    files::check_writable(dotenv)?;
    let reason = permission::reason(
        reason,
        "a version is withdrawn for a reason, and everybody will ask for it",
    )?;
    let ledger = Ledger::new(*desk);
    let package = desk.config.versions.numbering.package.as_ref();
    let player = desk.records.player()?.name;
    if !permission::may_release(desk, &player)? {
        return Ok(refused(&WithdrawRefusal::NotAReleaseManager { player }));
    }
    let withdrawn = ledger.decide(|yard| {
        let withdrawal = withdraw(&yard.versions, package, asked, &player, &reason);
        Ok(match withdrawal {
            Ok(withdrawal) => Decision {
                facts: withdrawal.facts.clone(),
                then: Ok(withdrawal),
            },
            Err(refusal) => Decision {
                facts: Vec::new(),
                then: Err(refusal),
            },
        })
    })?;
    let Withdrawal {
        facts,
        version,
        before,
    } = match withdrawn {
        Ok(withdrawal) => withdrawal,
        Err(refusal) => return Ok(refused(&refusal)),
    };
    hand_on(dotenv, &before.number, &before.commit)?;
    members::leave(desk, &heads_before(&version.content))?;
    let outcome = Outcome::open(report::withdrawn(&version, &before, facts.is_empty()));
    let outcome = tell_of(desk, &ledger, &version, outcome)?;
    tell::alert_all(desk, &ledger)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// The release, the features and the notes say that it is withdrawn. What cannot be said now is a warning: production goes first, and a
/// retry of the job says it.
fn tell_of(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    version: &Released,
    mut outcome: Outcome,
) -> Answer<Outcome> {
    let yard = ledger.yard()?;
    let known = yard.versions.released.iter();
    let known = known.clone().find(|one| one.id == version.id);
    if let Some(withdrawn) = known.and_then(|one| one.withdrawn.as_ref()) {
        let (name, notice) = report::withdrawn_release(&version.number, withdrawn);
        if let Err(problem) = desk
            .releases
            .mark_withdrawn(&version.number.tag(), &name, &notice)
        {
            outcome = outcome.warning(format!(
                "the release does not say so: {}",
                problem.full_text()
            ));
        }
    }
    let completed = telling::completed(&version.number, &version.content);
    match desk.features.reopen(&completed) {
        Ok(still_closed) => {
            let opened = completed.len() - still_closed.len();
            outcome = outcome.with(format!("{} open again", report::count_features(opened)));
            for (_, words) in still_closed {
                let words = report::plain(&words);
                outcome = outcome.warning(format!("a feature stays closed: {words}"));
            }
        }
        Err(problem) => {
            outcome = outcome.warning(format!(
                "features are not open again: {}",
                problem.full_text()
            ));
        }
    }
    for appended in &version.content {
        labels::show_change_set(desk, &appended.change_set, Stage::Landed);
    }
    let kept = notices::keep(desk, &yard, &version.content);
    let outcome = kept.warnings.into_iter().fold(outcome, Outcome::warning);
    let originals = match forward::take_back(desk, &yard, version) {
        Ok(warnings) => warnings,
        Err(problem) => vec![problem.full_text()],
    };
    Ok(originals.into_iter().fold(outcome, Outcome::warning))
}

/// The version before a withdrawn one runs again: the project's deployment job has succeeded.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn recovered(desk: &Desk<'_>) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let versions = ledger.yard()?.versions;
    let package = desk.config.versions.numbering.package.as_ref();
    let mut newest = versions.released_of(package).rev();
    let last = newest.find(|one| !one.number.is_pre_release());
    let since = last.and_then(|last| last.withdrawn.as_ref());
    let (Some(since), Some(running)) = (since, versions.in_production(package)) else {
        return Ok(Done::saying(Outcome::refused(
            "no version was withdrawn that another one stands in for",
            vec!["`trainyard release withdraw` comes first".to_owned()],
        )));
    };
    let environment = &desk.config.versions.environment;
    let deployment = desk.releases.deployment(&Deployed {
        environment,
        commit: &running.commit,
        branch: desk.branch_of_versions(),
        state: DeploymentState::Succeeded,
        since: since.at,
        newest: Newest::NotLookedAt,
    })?;
    ledger.record(&[Fact::VersionDeployed {
        version: running.id,
        number: running.number.clone(),
        environment: environment.clone(),
        deployment: Some(deployment),
    }])?;
    let outcome = Outcome::open(report::recovered(
        running,
        environment,
        desk.clock.now().duration_since(since.at),
    ));
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

fn refused(refusal: &WithdrawRefusal) -> Done {
    Done::saying(Outcome::refused(
        "no version is withdrawn",
        vec![report::withdraw_refusal(refusal)],
    ))
}
