//! What a user has started ends when the user is blocked.

use jiff::Timestamp;

use super::transition::drop_job;
use crate::store::State;

/// Fails the unfinished jobs of a user's pipelines and switches the user's schedules off.
pub(crate) fn end_work_of(state: &mut State, user: u64, now: Timestamp) {
    let pipelines: Vec<u64> = state
        .pipelines
        .iter()
        .filter(|row| row.user_id == user && !row.status.is_complete())
        .map(|row| row.id)
        .collect();
    for pipeline in pipelines {
        let unfinished: Vec<u64> = state
            .current_jobs_of(pipeline)
            .filter(|job| job.status.is_cancelable())
            .map(|job| job.id)
            .collect();
        for job in unfinished {
            drop_job(state, job, "user_blocked", now);
        }
    }
    for schedule in state.schedules.iter_mut() {
        schedule.active &= schedule.owner_id != user;
    }
}
