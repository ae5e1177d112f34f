//! Moving pipelines on: jobs whose turn has come, and the status of the whole.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::cancel;
use super::decide::{self, Next, Ordering};
use super::deployments;
use super::status::{self, Status};
use super::transition::{drop_job, enqueue, move_job};
use super::{resources, retry};
use crate::ci::definition::{Strategy, When};
use crate::store::State;
use crate::store::jobs::{Job, Work};

/// Goes on until nothing moves any more; the answer are the pipelines that came to an end.
pub(super) fn process(state: &mut State, now: Timestamp) -> Vec<u64> {
    let mut finished = Vec::new();
    start_delayed(state, now);
    drop_stuck(state, now);
    loop {
        resources::assign(state, now);
        let Some(pipeline) = state.touched_pipelines.pop_first() else {
            return finished;
        };
        start_jobs(state, pipeline, now);
        let before = state.pipelines.get(pipeline).map(|row| row.status);
        settle_status(state, pipeline, now);
        let after = state.pipelines.get(pipeline).map(|row| row.status);
        if before != after && after.is_some_and(Status::is_complete) {
            finished.push(pipeline);
        }
    }
}

fn start_delayed(state: &mut State, now: Timestamp) {
    let due = |job: &&Job| {
        job.status == Status::Scheduled && job.scheduled_at.is_some_and(|at| at <= now)
    };
    let due: Vec<u64> = state.jobs.iter().filter(due).map(|job| job.id).collect();
    for job in due {
        enqueue(state, job, now);
    }
}

/// Jobs that no runner takes for a whole day fail, and those of outside runners that have been silent for an hour.
fn drop_stuck(state: &mut State, now: Timestamp) {
    let longest = SignedDuration::from_hours(24);
    let stuck = |job: &&Job| {
        job.status == Status::Pending
            && job.is_build()
            && job
                .queued_at
                .is_some_and(|at| now.duration_since(at) > longest)
    };
    let silence = SignedDuration::from_hours(1);
    let lost = |job: &&Job| {
        matches!(job.status, Status::Running | Status::Canceling)
            && job.taken.as_ref().is_some_and(|taken| {
                let runner = state.runners.get(taken.runner_id);
                let embedded = runner.is_some_and(|runner| runner.embedded);
                !embedded && now.duration_since(taken.heard_at) > silence
            })
    };
    let doomed: Vec<u64> = state
        .jobs
        .iter()
        .filter(|job| stuck(job) || lost(job))
        .map(|job| job.id)
        .collect();
    for job in doomed {
        drop_job(state, job, "stuck_or_timeout_failure", now);
        retry::retry_by_itself(state, job, now);
    }
}

fn start_jobs(state: &mut State, pipeline: u64, now: Timestamp) {
    let stages: BTreeSet<usize> = state
        .current_jobs_of(pipeline)
        .map(|job| job.stage_index)
        .collect();
    for stage in stages {
        // Needs inside a stage are followed by looking again until nothing changes.
        loop {
            let decisions: Vec<(u64, Next)> = state
                .current_jobs_of(pipeline)
                .filter(|job| job.stage_index == stage && job.status == Status::Created)
                .filter_map(|job| Some((job.id, decision(state, job)?)))
                .filter(|(_, next)| *next != Next::Hold)
                .collect();
            if decisions.is_empty() {
                break;
            }
            for (job, next) in decisions {
                apply(state, job, next, now);
            }
        }
    }
}

fn decision(state: &State, job: &Job) -> Option<Next> {
    let Work::Defined(definition) = &job.work else {
        return None;
    };
    let facts = |job: &Job| (job.status, job.allow_failure);
    let others = state.current_jobs_of(job.pipeline_id);
    let (ordering, before) = match &definition.needs {
        Some(needs) => {
            let needed: Vec<(Status, bool)> = others
                .filter(|other| needs.iter().any(|need| need.job == other.name))
                .map(facts)
                .collect();
            (Ordering::Needs, status::composite_of_needs(&needed))
        }
        None => {
            let earlier: Vec<(Status, bool)> = others
                .filter(|other| other.stage_index < job.stage_index)
                .map(facts)
                .collect();
            (Ordering::Stages, status::composite(&earlier))
        }
    };
    Some(decide::next(
        definition.when,
        ordering,
        job.enqueue_immediately,
        before,
    ))
}

fn apply(state: &mut State, id: u64, next: Next, now: Timestamp) {
    deployments::create_for(state, id, now);
    match next {
        Next::Hold => {}
        Next::Skip => move_job(state, id, Status::Skipped, now),
        Next::Enqueue => enqueue(state, id, now),
        Next::WaitForPlay => move_job(state, id, Status::Manual, now),
        Next::WaitForTime => {
            let seconds = state
                .jobs
                .get(id)
                .and_then(|job| job.definition()?.start_in_seconds)
                .and_then(|seconds| i64::try_from(seconds).ok())
                .unwrap_or(0);
            if let Some(job) = state.jobs.get_mut(id) {
                job.scheduled_at = now.checked_add(SignedDuration::from_secs(seconds)).ok();
            }
            move_job(state, id, Status::Scheduled, now);
        }
    }
}

fn settle_status(state: &mut State, id: u64, now: Timestamp) {
    let jobs: Vec<(Status, bool)> = state
        .current_jobs_of(id)
        .map(|job| (job.status, job.allow_failure))
        .collect();
    if jobs.is_empty() {
        return;
    }
    let next = status::composite(&jobs);
    let fatal = jobs.contains(&(Status::Failed, false));
    let Some(pipeline) = state.pipelines.get_mut(id) else {
        return;
    };
    let stop_all = pipeline.auto_cancel.all_on_job_failure && fatal;
    if pipeline.status != next {
        pipeline.status = next;
        pipeline.updated_at = now;
        if next == Status::Running && pipeline.started_at.is_none() {
            pipeline.started_at = Some(now);
        }
        pipeline.finished_at = next.is_complete().then_some(now);
        let bridge = pipeline.source_job_id;
        if let Some(bridge) = bridge {
            inherit(state, bridge, id, next, now);
        }
    }
    if stop_all && jobs.iter().any(|(status, _)| status.is_cancelable()) {
        cancel::cancel_jobs_of(state, id, |_| true, None, now);
    }
}

/// Brings the status of a downstream pipeline to the bridge that made it, as its strategy says.
fn inherit(state: &mut State, bridge: u64, downstream: u64, status: Status, now: Timestamp) {
    let Some(job) = state.jobs.get(bridge) else {
        return;
    };
    if job.downstream_pipeline_id != Some(downstream) {
        return;
    }
    let Some(strategy) = job.bridge().and_then(|bridge| bridge.strategy) else {
        return;
    };
    let next = match (strategy, status) {
        (_, Status::Success | Status::Canceled | Status::Failed) => status,
        (Strategy::Depend, Status::Skipped) => Status::Failed,
        (Strategy::Mirror, Status::Skipped | Status::Manual) => status,
        // Played again after it was mirrored as blocked or done.
        (Strategy::Mirror, Status::Running) => status,
        (
            Strategy::Depend | Strategy::Mirror,
            Status::Created
            | Status::WaitingForResource
            | Status::Preparing
            | Status::WaitingForCallback
            | Status::Pending
            | Status::Running
            | Status::Canceling
            | Status::Manual
            | Status::Scheduled,
        ) => return,
    };
    move_job(state, bridge, next, now);
}

/// Does a job wait to be played by somebody?
pub(crate) fn is_action(job: &Job) -> bool {
    match job.definition().map(|definition| definition.when) {
        Some(When::Manual) => true,
        Some(When::Delayed) => job.is_build(),
        Some(When::OnSuccess | When::OnFailure | When::Always) | None => false,
    }
}
