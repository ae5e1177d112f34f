//! One job from one status to another, with the timestamps, token and lock that go with it.

use jiff::Timestamp;

use super::deployments;
use super::merge_requests;
use super::status::Status;
use crate::store::State;
use crate::store::resource_groups::ResourceGroup;

/// Moves a job; the engine looks at its pipeline afterwards.
pub(crate) fn move_job(state: &mut State, id: u64, status: Status, now: Timestamp) {
    let Some(job) = state.jobs.get_mut(id).filter(|job| job.status != status) else {
        return;
    };
    job.status = status;
    match status {
        Status::Pending => job.queued_at = Some(now),
        Status::Running => job.started_at = Some(now),
        Status::Success | Status::Failed | Status::Canceled => job.finished_at = Some(now),
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Canceling
        | Status::Skipped
        | Status::Manual
        | Status::Scheduled => {}
    }
    if status != Status::Failed {
        job.failure_reason = None;
    }
    state.touched_pipelines.insert(job.pipeline_id);
    if status == Status::Failed && !job.allow_failure {
        let pipeline = job.pipeline_id;
        merge_requests::call_for_repair(state, pipeline, now);
    }
    deployments::follow(state, id, status, now);
    if status.is_complete() {
        state.revoke_job_token(id);
        release_resource(state, id);
    }
}

fn release_resource(state: &mut State, job: u64) {
    let held = |group: &&mut ResourceGroup| group.holder == Some(job);
    let Some(group) = state.resource_groups.iter_mut().find(held) else {
        return;
    };
    if state.limits.lost_resource_releases > 0 {
        state.limits.lost_resource_releases -= 1;
    } else {
        group.holder = None;
        group.stalled = false;
    }
}

/// Why an outdated deployment job fails.
pub(super) const OUTDATED: &str = "failed_outdated_deployment_job";

/// Lets a job wait for a runner, or first for its resource.
pub(super) fn enqueue(state: &mut State, id: u64, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    if deployments::is_outdated(state, job) {
        drop_job(state, id, OUTDATED, now);
        return;
    }
    let next = match job.resource_group_id {
        Some(group) => {
            if let Some(group) = state.resource_groups.get_mut(group) {
                group.stalled = false;
            }
            Status::WaitingForResource
        }
        None => Status::Pending,
    };
    move_job(state, id, next, now);
}

/// Fails a job for a reason.
pub(crate) fn drop_job(state: &mut State, id: u64, reason: &str, now: Timestamp) {
    move_job(state, id, Status::Failed, now);
    if let Some(job) = state.jobs.get_mut(id) {
        job.failure_reason = Some(reason.to_owned());
    }
}
