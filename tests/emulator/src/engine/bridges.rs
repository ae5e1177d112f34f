//! Trigger jobs: making the downstream pipeline, with GitLab's limits and failure reasons.

use jiff::Timestamp;
use serde_json::Map;

use super::create::{self, Order, Target};
use super::permissions;
use super::status::Status;
use super::transition::{drop_job, move_job};
use super::variables::{self, Server};
use crate::access;
use crate::ci;
use crate::ci::definition::{Bridge, Downstream};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::{Pipeline, Source};

/// Parent, child, grandchild, and no further.
const MAX_NESTED_CHILDREN: usize = 2;

/// Takes the bridges that are ready, so that nobody else triggers them.
pub(super) fn claim(state: &mut State, now: Timestamp) -> Vec<u64> {
    let ready: Vec<u64> = state
        .jobs
        .iter()
        .filter(|job| {
            job.status == Status::Pending
                && job.bridge().is_some()
                && job.downstream_pipeline_id.is_none()
        })
        .map(|job| job.id)
        .collect();
    for bridge in &ready {
        move_job(state, *bridge, Status::Running, now);
    }
    ready
}

/// Makes the downstream pipeline of a bridge.
pub(super) fn trigger(shared: &Shared, id: u64) {
    let found = {
        let state = shared.state();
        let job = state.jobs.get(id).cloned();
        let pipeline = job
            .as_ref()
            .and_then(|job| state.pipelines.get(job.pipeline_id).cloned());
        job.zip(pipeline)
    };
    let Some((job, parent)) = found else {
        return;
    };
    let Some(bridge) = job.bridge() else {
        return;
    };
    let made = order(shared, bridge, &job, &parent).and_then(|order| {
        create::create(shared, order)
            .map_err(|refusal| ("downstream_pipeline_creation_failed", refusal.0))
    });
    let now = shared.clock.now();
    let mut state = shared.state();
    let (reason, text) = match made {
        Ok(downstream) => {
            let wrong = state
                .pipelines
                .get(downstream)
                .and_then(|pipeline| pipeline.yaml_errors.clone());
            match wrong {
                Some(error) => ("downstream_pipeline_creation_failed", error),
                None => {
                    let still_runs = state
                        .jobs
                        .get(id)
                        .is_some_and(|job| job.status == Status::Running);
                    if bridge.strategy.is_none() && still_runs {
                        move_job(&mut state, id, Status::Success, now);
                    }
                    return;
                }
            }
        }
        Err(failure) => failure,
    };
    drop_job(&mut state, id, reason, now);
    if let Some(job) = state.jobs.get_mut(id) {
        job.trace = text;
    }
}

type Failure = (&'static str, String);

fn order(shared: &Shared, bridge: &Bridge, job: &Job, parent: &Pipeline) -> Result<Order, Failure> {
    let fail = |reason: &'static str| (reason, String::new());
    let (source, project, target, configuration) = match &bridge.downstream {
        Downstream::Child(includes) => {
            let nested = 1 + shared.state().ancestors_of(parent).count();
            if nested > MAX_NESTED_CHILDREN {
                return Err(fail("reached_max_descendant_pipelines_depth"));
            }
            let before = {
                let state = shared.state();
                let merge_request = parent
                    .merge_request_id
                    .and_then(|id| state.merge_requests.get(id));
                match merge_request {
                    Some(merge_request) => merge_request.diff().map(|diff| diff.base.clone()),
                    None => Some(parent.before_sha.clone()),
                }
            };
            let target = Target {
                git_ref: parent.git_ref.clone(),
                tag: parent.tag,
                sha: parent.sha.clone(),
                before,
                merge_request_id: parent.merge_request_id,
            };
            let text = ci::child_text(includes);
            (
                Source::ParentPipeline,
                parent.project_id,
                target,
                Some(text),
            )
        }
        Downstream::Project { path, branch } => {
            let (project, branch) = {
                let state = shared.state();
                let found = state.find_project(path).filter(|project| {
                    access::in_project(&state, Some(job.user_id), project.id).can_read
                });
                let found = found.ok_or_else(|| fail("downstream_bridge_project_not_found"))?;
                let branch = branch.clone().or_else(|| found.default_branch.clone());
                (found.id, branch.unwrap_or_default())
            };
            if project == parent.project_id {
                return Err(fail("invalid_bridge_trigger"));
            }
            let target = create::target_of(shared, project, &branch)
                .map_err(|refusal| ("downstream_pipeline_creation_failed", refusal.0))?;
            (Source::Pipeline, project, target, None)
        }
    };
    let state = shared.state();
    let permitted = permissions::may_update(&state, job.user_id, parent)
        && permissions::may_use_ref(&state, job.user_id, project, &target.git_ref, target.tag);
    if !permitted {
        return Err(fail("insufficient_bridge_permissions"));
    }
    let variables = variables::for_bridge(Server::from(shared), &state, parent, job);
    let inputs = match &bridge.downstream {
        // A child's inputs stand beside its includes.
        Downstream::Child(_) => Map::new(),
        Downstream::Project { .. } => bridge.inputs.clone().into_iter().collect(),
    };
    Ok(Order {
        variables,
        inputs,
        source_job_id: Some(job.id),
        configuration,
        ..Order::new(project, job.user_id, source, target)
    })
}
