//! `trainyard nrt-lock enqueue`: wakes the gate. Runs in the merge request pipeline, as the job `integrate`.
//!
//! The request itself is GitLab's record that this job succeeded on this commit; waking the gate carries no power, and a
//! wake-up that gets lost only delays.

use crate::domain::ids::ProjectPath;
use crate::jobs::{Desk, Done};
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;

/// Wakes the gate; `yard` is the project that the pipeline file says it is in.
///
/// # Errors
/// When GitLab refuses the wake-up, or the project's rules name another yard.
pub fn run(desk: &Desk<'_>, yard: Option<&ProjectPath>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    if let Some(yard) = yard {
        agree(desk, yard)?;
    }
    desk.workers.wake(Some(iid))?;
    let outcome = Outcome::open(format!("asked the gate to integrate !{iid} at `{}`", desk.ci.commit.short()))
        .next("the gate checks links, validations and this pipeline again, and tells the place in the queue on the merge request")
        .next("nothing more to do here; this job's success is the request");
    Ok(Done::saying(outcome))
}

/// A wake-up of the wrong gate would be refused there, where the author does not see it.
fn agree(desk: &Desk<'_>, yard: &ProjectPath) -> Answer<()> {
    let target = &desk.ci.merge_request()?.target;
    let said = match &desk.config.gate.project {
        Some(project) if project == yard => return Ok(()),
        Some(other) => format!("says `{other}`"),
        None => "names none".to_owned(),
    };
    Err(Problem::misconfigured(
        format!(
            "the CI file says that the gate is in `{yard}`, and `gate.project` in `.trainyard.yml` on `{target}` {said}"
        ),
        "give the template's input `gate` and `gate.project` the same project",
    ))
}
