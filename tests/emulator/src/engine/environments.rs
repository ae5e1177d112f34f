//! Stopping environments: by their stop job where they have one, and of themselves when their time or branch is over.

use jiff::{SignedDuration, Timestamp};

use super::deployments::environment_of;
use super::play;
use crate::ci::duration;
use crate::store::State;
use crate::store::deployments::Deployment;
use crate::store::environments::Environment;
use crate::store::jobs::Job;

/// Stops an environment for a user. One with a stop job is `stopping` until that job has run, unless it is forced.
pub(crate) fn stop(state: &mut State, id: u64, user: u64, force: bool, now: Timestamp) {
    let action = stop_job(state, id).map(|job| job.id).filter(|_| !force);
    let Some(environment) = state.environments.get_mut(id) else {
        return;
    };
    if environment.state == "stopped" {
        return;
    }
    let next = if action.is_some() {
        "stopping"
    } else {
        "stopped"
    };
    next.clone_into(&mut environment.state);
    environment.auto_stop_at = None;
    environment.updated_at = now;
    if let Some(job) = action {
        play::play(state, job, user, Vec::new(), now);
    }
}

/// The job that stops what was deployed last, if somebody could play it.
pub(crate) fn stop_job(state: &State, environment: u64) -> Option<&Job> {
    let deployed = state.last_deployment(environment)?.job_id?;
    let deployed = state.jobs.get(deployed)?;
    let name = environment_of(deployed)?.on_stop.as_deref()?;
    state
        .current_jobs_of(deployed.pipeline_id)
        .find(|job| job.name == name && play::is_playable(job))
}

/// After a successful deployment the environment lives as long as its job says.
pub(super) fn give_time(state: &mut State, job: u64, environment: u64, now: Timestamp) {
    let time = state
        .jobs
        .get(job)
        .and_then(|job| environment_of(job)?.auto_stop_in.as_deref())
        .and_then(duration::seconds)
        .and_then(|seconds| i64::try_from(seconds).ok());
    let Some(time) = time else {
        return;
    };
    if let Some(environment) = state.environments.get_mut(environment) {
        environment.auto_stop_at = now.checked_add(SignedDuration::from_secs(time)).ok();
    }
}

/// Stops the environments whose time is over, in the name of whoever deployed last.
pub(super) fn stop_those_due(state: &mut State, now: Timestamp) {
    let due = |row: &&Environment| {
        row.state == "available" && row.auto_stop_at.is_some_and(|at| at <= now)
    };
    stop_all(state, due, None, now);
}

/// Stops the environments that were deployed last from a branch that is gone, or from the pipeline of a merge request that
/// has ended.
pub(crate) fn stop_those_of(
    state: &mut State,
    project: u64,
    origin: Origin<'_>,
    user: u64,
    now: Timestamp,
) {
    let of_origin = |state: &State, deployment: &Deployment| match origin {
        Origin::Branch(name) => !deployment.tag && deployment.git_ref == name,
        Origin::MergeRequest(id) => deployment
            .job_id
            .and_then(|job| state.jobs.get(job))
            .and_then(|job| state.pipelines.get(job.pipeline_id))
            .is_some_and(|pipeline| pipeline.merge_request_id == Some(id)),
    };
    let found: Vec<u64> = state
        .environments_of(project)
        .filter(|row| row.state == "available")
        .filter(|row| {
            let last = state.last_deployment(row.id);
            last.is_some_and(|last| of_origin(state, last))
        })
        .map(|row| row.id)
        .collect();
    stop_all(state, |row| found.contains(&row.id), Some(user), now);
}

/// Where a deployment came from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Branch(&'a str),
    MergeRequest(u64),
}

fn stop_all(
    state: &mut State,
    wanted: impl Fn(&&Environment) -> bool,
    user: Option<u64>,
    now: Timestamp,
) {
    let found: Vec<(u64, u64)> = state
        .environments
        .iter()
        .filter(wanted)
        // Some are stopped of themselves only if there is a job for it.
        .filter(|row| row.auto_stop_setting == "always" || stop_job(state, row.id).is_some())
        .filter_map(|row| {
            let last = state.last_deployment(row.id).map(|last| last.user_id);
            Some((row.id, user.or(last)?))
        })
        .collect();
    for (id, user) in found {
        stop(state, id, user, false, now);
    }
}
