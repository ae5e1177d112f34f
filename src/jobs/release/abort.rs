//! `trainyard release abort`: the deployment failed, or somebody refuses it; the content goes back to the open version.

use super::notices;
use super::publish::{nothing_closing, of_another_pipeline};
use super::taking::{self, Took};
use crate::domain::event::Fact;
use crate::domain::releasing::Prepared;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Deployed, DeploymentState, Newest};
use crate::report;

/// Gives the content of a version whose deployment failed back to the open one. Without a reason, the job of this pipeline that
/// failed is the reason.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn abort(desk: &Desk<'_>, prepared: &Prepared, reason: Option<&str>) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let versions = ledger.yard()?.versions;
    if let Some(refused) = of_another_pipeline(desk, prepared, &versions) {
        return Ok(Done::saying(refused));
    }
    let Some(closing) = versions.closing else {
        // A job that died right after it gave the version up has told nobody.
        tell::alert_all(desk, &ledger)?;
        return Ok(Done {
            outcome: nothing_closing(&versions, &desk.ci.commit),
            events: ledger.into_events(),
        });
    };
    let tag = closing.number.tag();
    if desk.releases.tag(&tag)?.is_some() {
        return Ok(Done::saying(Outcome::refused(
            format!(
                "version {} is tagged (`{tag}`), so it cannot be aborted any more",
                closing.number
            ),
            vec!["run `trainyard release publish` to finish it".to_owned()],
        )));
    }
    match taking::take(desk, &ledger, closing.id, &closing.number)? {
        Took::Ours { .. } => {}
        Took::Theirs(taken) => {
            return Ok(Done::saying(taking::refused(desk, &closing.number, &taken)));
        }
        Took::Over => {
            let versions = ledger.yard()?.versions;
            return Ok(Done::saying(nothing_closing(&versions, &desk.ci.commit)));
        }
    }
    let (reason, evidence) = because(desk, reason)?;
    desk.releases.deployment(&Deployed {
        environment: &desk.config.versions.environment,
        commit: &closing.commit,
        branch: desk.branch_of_versions(),
        state: DeploymentState::Failed,
        since: closing.at,
        newest: Newest::NotLookedAt,
    })?;
    let failed = [Fact::ReleaseFailed {
        version: closing.id,
        number: closing.number.clone(),
        reason: reason.chars().take(500).collect(),
        evidence,
    }];
    // People read it before it is recorded: a job that dies in between is run again, and does both.
    let kept = notices::keep(desk, &ledger.with(&failed)?, &closing.content);
    ledger.record(&failed)?;
    tell::alert_all(desk, &ledger)?;
    let outcome = Outcome::open(format!(
        "the release of version {} is aborted: {}",
        closing.number,
        report::plain(&reason)
    ))
    .with("its change sets are in the open version again, in their order");
    let outcome = kept.warnings.into_iter().fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// The reason, and the job that shows it: the one that failed in this pipeline.
fn because(desk: &Desk<'_>, reason: Option<&str>) -> Answer<(String, Option<String>)> {
    let jobs = desk.records.jobs(desk.ci.pipeline.0)?;
    let failed = jobs
        .iter()
        .find(|job| job.status == "failed" && !job.may_fail && job.id != desk.ci.job);
    let evidence = failed.map(|job| format!("{}/-/jobs/{}", desk.ci.project_url, job.id));
    let reason = match (reason, failed) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(job)) => format!("the job `{}` failed", report::plain(&job.name)),
        (None, None) => "the deployment failed".to_owned(),
    };
    Ok((reason, evidence))
}
