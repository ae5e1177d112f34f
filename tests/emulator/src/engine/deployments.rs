//! Deployments that jobs make by their `environment:`, and the rule that an outdated one must not run.

use jiff::Timestamp;

use super::environments;
use super::status::Status;
use crate::ci::definition::EnvironmentUse;
use crate::store::State;
use crate::store::deployments::NewDeployment;
use crate::store::jobs::Job;

/// Makes the environments that the jobs of a new pipeline name.
pub(super) fn ensure_environment(
    state: &mut State,
    project: u64,
    wanted: &EnvironmentUse,
    now: Timestamp,
) {
    let new = state.environment_named(project, &wanted.name).is_none();
    let id = state.ensure_environment(project, &wanted.name, now);
    if let (true, Some(tier), Some(environment)) =
        (new, &wanted.deployment_tier, state.environments.get_mut(id))
    {
        environment.tier.clone_from(tier);
    }
}

/// Makes the deployment of a job whose turn it is, be it that it only waits then to be played.
pub(super) fn create_for(state: &mut State, id: u64, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let Some(wanted) = environment_of(job)
        .filter(|wanted| wanted.action == "start")
        .cloned()
    else {
        return;
    };
    let Some(pipeline) = state.pipelines.get(job.pipeline_id) else {
        return;
    };
    if state.deployment_of_job(id).is_some() {
        return;
    }
    let new = NewDeployment {
        project_id: job.project_id,
        environment_id: 0,
        git_ref: pipeline.git_ref.clone(),
        tag: pipeline.tag,
        sha: pipeline.sha.clone(),
        user_id: job.user_id,
        job_id: Some(id),
    };
    let environment_id = state.ensure_environment(new.project_id, &wanted.name, now);
    state.add_deployment(
        NewDeployment {
            environment_id,
            ..new
        },
        now,
    );
}

/// The deployment follows its job; a successful `stop` job stops the environment.
pub(super) fn follow(state: &mut State, id: u64, status: Status, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let (project, wanted) = (job.project_id, environment_of(job).cloned());
    if let Some(wanted) = wanted.filter(|wanted| wanted.action == "stop")
        && status == Status::Success
        && let Some(found) = state
            .environment_named(project, &wanted.name)
            .map(|row| row.id)
        && let Some(environment) = state.environments.get_mut(found)
    {
        "stopped".clone_into(&mut environment.state);
        environment.updated_at = now;
    }
    let Some(deployment) = state.deployment_of_job(id).map(|row| row.id) else {
        return;
    };
    match status {
        Status::Running | Status::Success | Status::Failed | Status::Canceled | Status::Skipped => {
            state.move_deployment(deployment, status.as_str(), now);
            let environment = state.deployments.get(deployment);
            let environment = environment.map(|row| row.environment_id);
            if let (Status::Success, Some(environment)) = (status, environment) {
                environments::give_time(state, id, environment, now);
            }
        }
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Canceling
        | Status::Manual
        | Status::Scheduled => {}
    }
}

/// Is the job's deployment older than the environment's last successful one, and of another commit?
pub(crate) fn is_outdated(state: &State, job: &Job) -> bool {
    let settings = state.projects.get(job.project_id).map(|row| &row.settings);
    let forward_only = settings.is_some_and(|settings| {
        settings.ci_forward_deployment_enabled
            && (!settings.ci_forward_deployment_rollback_allowed || !job.status.is_complete())
    });
    let Some(own) = state.deployment_of_job(job.id).filter(|_| forward_only) else {
        return false;
    };
    state
        .last_deployment(own.environment_id)
        .is_some_and(|last| own.id < last.id && own.sha != last.sha)
}

/// Writes the address that a job gave to its environment.
pub(super) fn set_address(state: &mut State, id: u64, address: &str, now: Timestamp) {
    let Some(job) = state.jobs.get(id) else {
        return;
    };
    let project = job.project_id;
    let named = environment_of(job).map(|wanted| wanted.name.clone());
    let found = named.and_then(|name| Some(state.environment_named(project, &name)?.id));
    if let Some(environment) = found.and_then(|id| state.environments.get_mut(id)) {
        environment.external_url = Some(address.to_owned());
        environment.updated_at = now;
    }
}

/// The `environment:` of a job.
pub(super) fn environment_of(job: &Job) -> Option<&EnvironmentUse> {
    job.definition()?.environment.as_ref()
}
