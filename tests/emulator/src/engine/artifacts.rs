//! Artifacts that have expired, and those that are kept all the same because nothing newer is there.

use jiff::Timestamp;

use super::status::Status;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;

/// Removes what has expired; the trace stays.
pub(super) fn remove_expired(state: &mut State, now: Timestamp) {
    let expired = |job: &&Job| {
        job.artifacts_expire_at.is_some_and(|at| at <= now)
            && job.artifacts.iter().any(|file| file.file_type != "trace")
    };
    let expired: Vec<u64> = state
        .jobs
        .iter()
        .filter(expired)
        .filter(|job| !is_kept(state, job))
        .map(|job| job.id)
        .collect();
    for id in expired {
        if let Some(job) = state.jobs.get_mut(id) {
            job.artifacts.retain(|file| file.file_type == "trace");
            job.files.clear();
        }
    }
}

/// Does the project keep the artifacts of its newest successful pipelines, and is this job of one of them?
fn is_kept(state: &State, job: &Job) -> bool {
    let keeps = state
        .projects
        .get(job.project_id)
        .is_some_and(|project| project.settings.keep_latest_artifact);
    let Some(pipeline) = state.pipelines.get(job.pipeline_id).filter(|_| keeps) else {
        return false;
    };
    let root = state.ancestors_of(pipeline).last().unwrap_or(pipeline);
    let overtaken = |other: &Pipeline| {
        other.id > root.id
            && other.git_ref == root.git_ref
            && !other.is_child()
            && other.status == Status::Success
    };
    !state.pipelines_of(job.project_id).any(overtaken)
}
