//! A worker that GitLab ends while it prepares a trial: what it took is given back.

use super::release;
use crate::domain::nrt::{Abandoned, hold, lease_of};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, notes};
use crate::outcome::Problem;
use crate::ports::{Answer, Stop};

/// GitLab ends the job: nobody will run the trial, so the environment is given back at once. Its people are told as far as time
/// allows.
pub(super) fn give_back(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Problem> {
    let yard = ledger.yard()?;
    let Some(epoch) = lease_of(&yard.nrt, &desk.ci.project, desk.ci.pipeline) else {
        return Ok(Problem::stopped(
            "GitLab ended this job before it took the NRT environment; nothing was changed",
            "nothing to do: the next worker takes what waits",
        ));
    };
    if let Ok(held) = hold(&yard.nrt, epoch) {
        let concerned = release::concerned(&yard, epoch);
        release::give_back(ledger, &held, Abandoned::NoVerdict)?;
        for warning in notes::keep_all(desk, ledger, &concerned)? {
            tracing::warn!("{warning}");
        }
    }
    Ok(Problem::stopped(
        format!(
            "GitLab ended this job while it prepared a trial; the NRT environment is free again (lease {epoch}), and its change sets wait at their old places"
        ),
        "nothing to do: the next worker takes them; `trainyard tick` starts one",
    ))
}

/// Ends the work between two steps.
pub(super) fn unless_stopped(stop: &dyn Stop) -> Answer<()> {
    if stop.asked() {
        Err(Problem::stopped("GitLab ends this job", "nothing to do"))
    } else {
        Ok(())
    }
}
