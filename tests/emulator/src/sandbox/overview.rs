//! How everything stands, in one answer: for curious people, and for tests that compare before and after. No secret is in it.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::git::GitError;
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::projects::Project;
use crate::store::variables::Owner;

/// How many of a project's newest pipelines are told.
const PIPELINES: usize = 30;

/// Users, and per project its branches, open merge requests, pipelines with jobs, resource groups, variables and environments.
pub(super) fn overview(shared: &Shared) -> Result<Value, GitError> {
    let (mut whole, projects) = {
        let state = shared.state();
        let projects: Vec<(u64, Value)> = state
            .projects
            .iter()
            .map(|project| (project.id, of_project(&state, project)))
            .collect();
        let users: Vec<Value> = state
            .users
            .iter()
            .map(|user| json!({ "id": user.id, "username": user.username, "state": user.state.as_str() }))
            .collect();
        (
            json!({
                "version": shared.version,
                "now": clock::iso(shared.clock.now()),
                "requests": shared.requests_so_far(),
                "running_jobs": shared.runs.jobs(),
                "users": users,
            }),
            projects,
        )
    };
    let mut told = Vec::new();
    for (id, mut project) in projects {
        let branches = shared.repository(id).branches()?;
        let heads: Map<String, Value> = branches
            .into_iter()
            .map(|(name, sha)| (name, json!(sha)))
            .collect();
        project["branches"] = Value::Object(heads);
        told.push(project);
    }
    whole["projects"] = Value::Array(told);
    Ok(whole)
}

fn of_project(state: &State, project: &Project) -> Value {
    let open = state
        .merge_requests
        .iter()
        .filter(|request| request.project_id == project.id && request.state.as_str() == "opened")
        .map(|request| {
            json!({
                "iid": request.iid, "title": request.title, "source_branch": request.source_branch,
                "target_branch": request.target_branch, "sha": request.sha,
            })
        });
    let pipelines = state
        .pipelines
        .iter()
        .rev()
        .filter(|pipeline| pipeline.project_id == project.id)
        .take(PIPELINES)
        .map(|pipeline| {
            let jobs = state
                .jobs
                .iter()
                .filter(|job| job.pipeline_id == pipeline.id && !job.retried)
                .map(of_job);
            json!({
                "id": pipeline.id, "ref": pipeline.git_ref, "sha": pipeline.sha, "source": pipeline.source.as_str(),
                "status": pipeline.status.as_str(), "yaml_errors": pipeline.yaml_errors, "jobs": jobs.collect::<Vec<_>>(),
            })
        });
    let groups = state
        .resource_groups
        .iter()
        .filter(|group| group.project_id == project.id)
        .map(|group| {
            let waiting = state.jobs.iter().filter(|job| {
                job.resource_group_id == Some(group.id)
                    && job.status.as_str() == "waiting_for_resource"
            });
            json!({
                "key": group.key, "process_mode": group.process_mode.as_str(), "holder": group.holder,
                "waiting": waiting.map(|job| job.id).collect::<Vec<_>>(),
            })
        });
    let variables = state
        .variables
        .of(Owner::Project(project.id))
        .map(|variable| {
            json!({
                "key": variable.key, "environment_scope": variable.environment_scope, "protected": variable.protected,
                "masked": variable.masked, "hidden": variable.hidden, "bytes": variable.value.len(),
            })
        });
    let environments = state
        .environments
        .iter()
        .filter(|environment| environment.project_id == project.id)
        .map(|environment| json!({ "name": environment.name, "state": environment.state }));
    json!({
        "id": project.id,
        "path": state.project_path(project),
        "default_branch": project.default_branch,
        "open_merge_requests": open.collect::<Vec<_>>(),
        "open_issues": state.issues.iter().filter(|issue| issue.project_id == project.id && issue.closed_at.is_none()).count(),
        "pipelines": pipelines.collect::<Vec<_>>(),
        "resource_groups": groups.collect::<Vec<_>>(),
        "variables": variables.collect::<Vec<_>>(),
        "environments": environments.collect::<Vec<_>>(),
    })
}

fn of_job(job: &Job) -> Value {
    json!({
        "id": job.id, "name": job.name, "stage": job.stage, "status": job.status.as_str(),
        "failure_reason": job.failure_reason, "downstream_pipeline": job.downstream_pipeline_id,
    })
}
