//! Canceling jobs and pipelines, and the pipelines that a newer one makes redundant.

use jiff::{SignedDuration, Timestamp};

use super::status::Status;
use super::transition::move_job;
use crate::ci::definition::OnNewCommit;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;

/// Cancels one job. One that runs first becomes `canceling`, until the runner has stopped it.
pub(crate) fn cancel_job(state: &mut State, id: u64, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let next = match job.status {
        Status::Running
            if job
                .taken
                .as_ref()
                .is_none_or(|taken| taken.cancel_gracefully) =>
        {
            Status::Canceling
        }
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Running
        | Status::Manual
        | Status::Scheduled => Status::Canceled,
        Status::Success
        | Status::Failed
        | Status::Canceling
        | Status::Canceled
        | Status::Skipped => return,
    };
    move_job(state, id, next, now);
}

/// Ends a job that is `canceling` without waiting for its runner.
pub(crate) fn force_cancel_job(state: &mut State, id: u64, now: Timestamp) {
    if state
        .jobs
        .get(id)
        .is_some_and(|job| job.status == Status::Canceling)
    {
        move_job(state, id, Status::Canceled, now);
    }
}

/// Cancels the jobs of a pipeline that fit; manual jobs are left alone.
pub(super) fn cancel_jobs_of(
    state: &mut State,
    pipeline: u64,
    fits: impl Fn(&Job) -> bool,
    by: Option<u64>,
    now: Timestamp,
) {
    let doomed: Vec<u64> = state
        .current_jobs_of(pipeline)
        .filter(|job| job.status.is_cancelable() && fits(job))
        .map(|job| job.id)
        .collect();
    for id in doomed {
        if let Some(job) = state.jobs.get_mut(id) {
            job.auto_canceled_by_id = by;
        }
        cancel_job(state, id, now);
    }
}

/// Cancels a pipeline and its children.
pub(crate) fn cancel_pipeline(state: &mut State, pipeline: u64, now: Timestamp) {
    let children = state.descendants_of(pipeline);
    for id in [pipeline].into_iter().chain(children) {
        cancel_jobs_of(state, id, |_| true, None, now);
    }
}

/// Cancels older pipelines of the same ref as the old pipelines' own `auto_cancel` says.
pub(super) fn cancel_redundant(
    state: &mut State,
    new: u64,
    ref_head: Option<&str>,
    now: Timestamp,
) {
    let Some(new) = state.pipelines.get(new).cloned() else {
        return;
    };
    let enabled = state
        .projects
        .get(new.project_id)
        .is_some_and(|project| project.settings.auto_cancel_pending_pipelines == "enabled");
    if new.is_child() || !enabled {
        return;
    }
    let oldest = now
        .checked_sub(SignedDuration::from_hours(7 * 24))
        .unwrap_or(Timestamp::MIN);
    let redundant = |old: &&Pipeline| {
        let root = state.ancestors_of(old).last().unwrap_or(old);
        old.id != new.id
            && old.git_ref == new.git_ref
            && (old.status.is_cancelable() || old.status == Status::Manual)
            && root.id < new.id
            && old.sha != new.sha
            && Some(old.sha.as_str()) != ref_head
            && old.created_at >= oldest
    };
    let doomed: Vec<(u64, OnNewCommit)> = state
        .pipelines_of(new.project_id)
        .filter(redundant)
        .map(|old| (old.id, old.auto_cancel.on_new_commit))
        .collect();
    for (old, how) in doomed {
        match how {
            OnNewCommit::None => continue,
            OnNewCommit::Conservative => {
                let started = |job: &Job| {
                    job.definition().is_some()
                        && !job.is_interruptible()
                        && job.started_at.is_some()
                };
                if state.current_jobs_of(old).any(started) {
                    continue;
                }
                cancel_jobs_of(state, old, |_| true, Some(new.id), now);
            }
            OnNewCommit::Interruptible => {
                cancel_jobs_of(state, old, Job::is_interruptible, Some(new.id), now);
            }
        }
        if let Some(old) = state.pipelines.get_mut(old) {
            old.auto_canceled_by_id = Some(new.id);
        }
    }
}
