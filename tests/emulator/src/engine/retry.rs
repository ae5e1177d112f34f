//! Running jobs again: by hand, by their own `retry`, or all failed ones of a pipeline.

use jiff::Timestamp;

use super::process::is_action;
use super::status::Status;
use super::transition::move_job;
use crate::ci::definition::{AllowFailure, Retry};
use crate::store::State;
use crate::store::jobs::{Job, Work};

/// May the job be run again?
pub(crate) fn is_retryable(job: &Job) -> bool {
    let depth = job.failure_reason.as_deref() == Some("reached_max_descendant_pipelines_depth");
    job.definition().is_some()
        && !job.retried
        && !depth
        && matches!(
            job.status,
            Status::Success | Status::Failed | Status::Canceled | Status::Canceling
        )
}

/// Runs a job again in the name of a user; the answer is the new job.
pub(crate) fn retry_job(state: &mut State, id: u64, user: u64, now: Timestamp) -> Option<u64> {
    let new = copy(state, id, user, now)?;
    if let Some(job) = state.jobs.get_mut(new) {
        job.enqueue_immediately = is_action(job);
    }
    revive_dependents(state, id, user, now);
    Some(new)
}

/// Runs the failed and canceled jobs of a pipeline again.
pub(crate) fn retry_pipeline(state: &mut State, pipeline: u64, user: u64, now: Timestamp) {
    let again: Vec<u64> = state
        .current_jobs_of(pipeline)
        .filter(|job| matches!(job.status, Status::Failed | Status::Canceled) && is_retryable(job))
        .map(|job| job.id)
        .collect();
    for id in again {
        copy(state, id, user, now);
    }
    let skipped: Vec<u64> = state
        .current_jobs_of(pipeline)
        .filter(|job| job.status == Status::Skipped)
        .map(|job| job.id)
        .collect();
    for id in skipped {
        reset(state, id, user, now);
    }
    reset_source_bridge(state, pipeline, user, now);
}

/// Gives a job that failed its next try, if its `retry` allows one.
pub(super) fn retry_by_itself(state: &mut State, id: u64, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let Some(definition) = job.definition() else {
        return;
    };
    let tries = state
        .jobs_of(job.pipeline_id)
        .filter(|other| other.retried && other.name == job.name)
        .count();
    let reason = job.failure_reason.as_deref().unwrap_or_default();
    let (max, user) = (usize::from(definition.retry.max), job.user_id);
    if tries < max && covers(&definition.retry, reason, job.exit_code) {
        retry_job(state, id, user, now);
    }
}

fn covers(retry: &Retry, reason: &str, exit_code: Option<i32>) -> bool {
    let by_code = exit_code.is_some_and(|code| retry.exit_codes.contains(&code));
    let always = retry.when.is_empty() && retry.exit_codes.is_empty();
    by_code
        || always
        || retry
            .when
            .iter()
            .any(|when| when == "always" || when == reason)
}

/// A fresh job in place of an old one.
fn copy(state: &mut State, id: u64, user: u64, now: Timestamp) -> Option<u64> {
    let old = state.jobs.get_mut(id)?;
    old.retried = true;
    let old = old.clone();
    let allow_failure = old
        .definition()
        .is_some_and(|definition| definition.allow_failure == AllowFailure::Yes);
    let pipeline = old.pipeline_id;
    let new = state.jobs.insert(|id| Job {
        id,
        project_id: old.project_id,
        pipeline_id: pipeline,
        name: old.name,
        stage: old.stage,
        stage_index: old.stage_index,
        allow_failure,
        work: old.work,
        user_id: user,
        resource_group_id: old.resource_group_id,
        inputs: old.inputs,
        ..Job::blank(now)
    });
    state.touched_pipelines.insert(pipeline);
    Some(new)
}

/// Skipped jobs that come after a job get another chance, now in the name of whoever revived it; so does the bridge above.
pub(super) fn revive_dependents(state: &mut State, id: u64, user: u64, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let (pipeline, stage) = (job.pipeline_id, job.stage_index);
    let mut needing = vec![job.name.clone()];
    loop {
        let more: Vec<String> = state
            .current_jobs_of(pipeline)
            .filter(|job| !needing.contains(&job.name) && needs_any(job, &needing))
            .map(|job| job.name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        needing.extend(more);
    }
    let skipped: Vec<u64> = state
        .current_jobs_of(pipeline)
        .filter(|job| job.status == Status::Skipped)
        .filter(|job| job.stage_index > stage || needing.contains(&job.name))
        .map(|job| job.id)
        .collect();
    for id in skipped {
        reset(state, id, user, now);
    }
    reset_source_bridge(state, pipeline, user, now);
}

fn needs_any(job: &Job, names: &[String]) -> bool {
    let Work::Defined(definition) = &job.work else {
        return false;
    };
    let needs = definition.needs.as_deref().unwrap_or_default();
    needs.iter().any(|need| names.contains(&need.job))
}

fn reset(state: &mut State, id: u64, user: u64, now: Timestamp) {
    if let Some(job) = state.jobs.get_mut(id) {
        job.user_id = user;
    }
    move_job(state, id, Status::Created, now);
}

/// A bridge that waits for its downstream pipeline waits again when something starts there anew.
fn reset_source_bridge(state: &mut State, pipeline: u64, user: u64, now: Timestamp) {
    let bridge = state
        .pipelines
        .get(pipeline)
        .and_then(|pipeline| state.jobs.get(pipeline.source_job_id?))
        .filter(|job| {
            job.downstream_pipeline_id == Some(pipeline)
                && job.status != Status::Running
                && job.bridge().is_some_and(|bridge| bridge.strategy.is_some())
        })
        .map(|job| job.id);
    let Some(bridge) = bridge else {
        return;
    };
    if let Some(job) = state.jobs.get_mut(bridge) {
        job.user_id = user;
    }
    // It has its downstream pipeline already, so nobody triggers it a second time.
    move_job(state, bridge, Status::Pending, now);
    revive_dependents(state, bridge, user, now);
}
