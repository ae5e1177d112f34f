//! Resource groups: whose turn it is, and the upcoming jobs.

use jiff::{SignedDuration, Timestamp};

use super::deployments;
use super::status::Status;
use super::transition::{OUTDATED, drop_job, move_job};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::resource_groups::{ProcessMode, ResourceGroup};

/// Gives every free resource to the job whose turn it is, if that job is ready.
pub(super) fn assign(state: &mut State, now: Timestamp) {
    free_stale(state, now);
    let free: Vec<u64> = state
        .resource_groups
        .iter()
        .filter(|group| group.holder.is_none() && !group.stalled)
        .map(|group| group.id)
        .collect();
    for id in free {
        let Some(group) = state.resource_groups.get(id) else {
            continue;
        };
        // With an ordered mode the head of the queue may not be ready, and then everybody waits.
        let head = upcoming(state, group)
            .first()
            .filter(|job| job.status == Status::WaitingForResource)
            .map(|job| job.id);
        let Some(job) = head else { continue };
        if state.limits.lost_resource_assignments > 0 {
            state.limits.lost_resource_assignments -= 1;
            if let Some(group) = state.resource_groups.get_mut(id) {
                group.stalled = true;
            }
            continue;
        }
        // One that was overtaken while it waited is dropped, and the next has its turn later.
        if state
            .jobs
            .get(job)
            .is_some_and(|row| deployments::is_outdated(state, row))
        {
            drop_job(state, job, OUTDATED, now);
            continue;
        }
        if let Some(group) = state.resource_groups.get_mut(id) {
            group.holder = Some(job);
        }
        move_job(state, job, Status::Pending, now);
    }
}

/// Takes resources back from jobs that ended a while ago without giving them back.
fn free_stale(state: &mut State, now: Timestamp) {
    let patience = SignedDuration::from_mins(5);
    let ended = |job: &Job| {
        job.status.is_complete()
            && job
                .finished_at
                .is_none_or(|at| now.duration_since(at) > patience)
    };
    let stale: Vec<u64> = state
        .resource_groups
        .iter()
        .filter(|group| {
            let holder = group.holder.and_then(|id| state.jobs.get(id));
            holder.is_some_and(ended)
        })
        .map(|group| group.id)
        .collect();
    for id in stale {
        if let Some(group) = state.resource_groups.get_mut(id) {
            (group.holder, group.stalled) = (None, false);
        }
    }
}

/// The jobs that want the resource, in the order of the group's mode.
pub(crate) fn upcoming<'a>(state: &'a State, group: &ResourceGroup) -> Vec<&'a Job> {
    let waiting_only = matches!(
        group.process_mode,
        ProcessMode::Unordered | ProcessMode::NewestReadyFirst
    );
    let counts = |job: &&Job| {
        job.resource_group_id == Some(group.id)
            && !job.retried
            && match job.status {
                Status::WaitingForResource => true,
                Status::Created | Status::Scheduled => !waiting_only,
                Status::Preparing
                | Status::WaitingForCallback
                | Status::Pending
                | Status::Running
                | Status::Success
                | Status::Failed
                | Status::Canceling
                | Status::Canceled
                | Status::Skipped
                | Status::Manual => false,
            }
    };
    let mut jobs: Vec<&Job> = state.jobs.iter().filter(counts).collect();
    let not_ready = |job: &Job| job.status != Status::WaitingForResource;
    match group.process_mode {
        ProcessMode::Unordered => {}
        ProcessMode::OldestFirst => jobs.sort_by_key(|job| (job.pipeline_id, not_ready(job))),
        ProcessMode::NewestFirst | ProcessMode::NewestReadyFirst => {
            jobs.sort_by_key(|job| (std::cmp::Reverse(job.pipeline_id), not_ready(job)));
        }
    }
    jobs
}
