//! Playing manual and delayed jobs.

use jiff::Timestamp;

use super::process::is_action;
use super::retry::{is_retryable, retry_job, revive_dependents};
use super::status::Status;
use super::transition::enqueue;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::GivenVariable;

/// Can somebody press play?
pub(crate) fn is_playable(job: &Job) -> bool {
    let waits = match job.status {
        Status::Manual => true,
        Status::Scheduled => job.is_build(),
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Running
        | Status::Success
        | Status::Failed
        | Status::Canceling
        | Status::Canceled
        | Status::Skipped => job.is_build() && is_retryable(job),
    };
    is_action(job) && waits
}

/// Plays a job: from now on it is the player's. One that already ran is run again as a new job, which is the answer then.
pub(crate) fn play(
    state: &mut State,
    id: u64,
    user: u64,
    variables: Vec<GivenVariable>,
    now: Timestamp,
) -> Option<u64> {
    let job = state.jobs.get_mut(id)?;
    let waits = matches!(job.status, Status::Manual | Status::Scheduled);
    if !waits {
        let new = retry_job(state, id, user, now)?;
        state.jobs.get_mut(new)?.variables = variables;
        return Some(new);
    }
    job.user_id = user;
    job.variables = variables;
    enqueue(state, id, now);
    revive_dependents(state, id, user, now);
    Some(id)
}
