//! `trainyard nrt-lock enqueue`: wakes the gate. Runs in the merge request pipeline, as the job `integrate`.
//!
//! The request itself is GitLab's record that this job succeeded on this commit; waking the gate carries no power, and a
//! wake-up that gets lost only delays.

use crate::jobs::{Desk, Done};
use crate::outcome::Outcome;
use crate::ports::Answer;

/// Wakes the gate.
///
/// # Errors
/// When GitLab refuses the wake-up.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    desk.workers.wake(Some(iid))?;
    let outcome = Outcome::open(format!("asked the gate to integrate !{iid} at `{}`", desk.ci.commit.short()))
        .next("the gate checks links, validations and this pipeline again, and tells the place in the queue on the merge request")
        .next("nothing more to do here; this job's success is the request");
    Ok(Done::saying(outcome))
}
