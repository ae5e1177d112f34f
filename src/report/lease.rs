//! The right to the NRT environment, where people meddle with it: taken away, stuck, or damaged.

use jiff::Timestamp;

use crate::domain::ids::{RoleName, UserName};
use crate::domain::nrt::{Holder, Lease, Unbreakable};
use crate::outcome::Outcome;
use crate::ports::WaitingJob;

use super::moment;

/// Somebody asked who may not.
pub fn may_not_break(player: &UserName, roles: &[RoleName]) -> Outcome {
    let who = if roles.is_empty() {
        "maintainers of the project may (or people of `nrt.broken_by`)".to_owned()
    } else {
        let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        format!(
            "people of the role {} may (`nrt.broken_by`)",
            roles.join(" or ")
        )
    };
    Outcome::refused(
        "the NRT environment is not taken away from its run",
        vec![format!(
            "GitLab says that `{player}` played this job; {who}: ask one of them"
        )],
    )
}

/// Nobody holds it.
pub fn nothing_to_break() -> Outcome {
    Outcome::open("nobody holds the NRT environment; nothing changed")
}

/// It was taken away.
pub fn broken(lease: &Lease, change_sets: usize) -> Outcome {
    Outcome::open(format!(
        "lease {} is broken: pipeline {} may do nothing more in the NRT environment",
        lease.epoch, lease.holder.pipeline
    ))
    .with(match change_sets {
        0 => "it had taken no change set".to_owned(),
        1 => "its change set waits again at its old place".to_owned(),
        n => format!("its {n} change sets wait again at their old places"),
    })
}

/// Its run goes on, which keeps GitLab's resource group.
pub fn not_cancelled(holder: &Holder, problem: &str) -> String {
    format!(
        "pipeline {} could not be cancelled, and keeps GitLab's resource group until it ends: cancel it by hand ({problem})",
        holder.pipeline
    )
}

/// Why it was not taken away.
pub fn unbreakable(why: &Unbreakable, project_url: &str) -> Outcome {
    match why {
        Unbreakable::Free => nothing_to_break(),
        Unbreakable::Another { epoch } => Outcome::refused(
            "the NRT environment is not taken away from its run",
            vec![format!(
                "the run that held it gave it back meanwhile, and lease {epoch} is another run's; look at `trainyard queue`, and play this job again if that one hangs too"
            )],
        ),
        Unbreakable::Landing { holder, trial } => Outcome::refused(
            "the NRT environment is not taken away from its run",
            vec![format!(
                "trial {trial} is validated and its change sets are being merged; if that hangs, cancel its pipeline {project_url}/-/pipelines/{}: the next worker finishes what it began",
                holder.pipeline
            )],
        ),
    }
}

/// GitLab lets nobody in although nobody is in.
pub fn environment_stuck(waiting: &WaitingJob, since: Timestamp, kicked: bool) -> String {
    let mend = if kicked {
        "started a new pipeline of the gate, which makes GitLab look again"
    } else {
        "start a new pipeline of the gate (or run a finished job of the resource group again), or let `tick` do it with `nrt.kick: true`; when an older pipeline of the gate hangs before its turn, cancel it"
    };
    format!(
        "job {} of pipeline {} waits for GitLab's resource group, which nobody has had since {}: a known fault of GitLab; {mend}",
        waiting.job,
        waiting.pipeline,
        moment(since)
    )
}
