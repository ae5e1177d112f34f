//! Jobs, bridges and runners as the API writes them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{pipeline_entity, runner_entity, user_entity};
use crate::clock;
use crate::engine::status::Status;
use crate::store::State;
use crate::store::jobs::Job;

/// What an entity needs besides the row.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) state: &'a State,
    pub(crate) url: &'a str,
    pub(crate) now: Timestamp,
}

/// What all kinds of jobs have in common.
pub(crate) fn basic(around: Surroundings<'_>, job: &Job) -> Value {
    let Surroundings { state, url, now } = around;
    let instant = |at: Option<Timestamp>| at.map(clock::iso);
    let pipeline = state.pipelines.get(job.pipeline_id);
    let project = state.projects.get(job.project_id);
    let project_url = project
        .map(|project| format!("{url}/{}", state.project_path(project)))
        .unwrap_or_default();
    let commit = pipeline
        .and_then(|pipeline| pipeline.commit.as_ref())
        .map(|commit| super::commit_entity::basic(&project_url, commit));
    let user = state
        .users
        .get(job.user_id)
        .map(|user| user_entity::public(state, user, None, url));
    let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.map(|from| to.unwrap_or(now).duration_since(from).as_secs_f64())
    };
    let mut entity = json!({
        "id": job.id,
        "status": job.status.as_str(),
        "stage": job.stage,
        "name": job.name,
        "ref": pipeline.map(|pipeline| &pipeline.git_ref),
        "tag": pipeline.is_some_and(|pipeline| pipeline.tag),
        "coverage": job.coverage,
        "allow_failure": job.allow_failure,
        "created_at": clock::iso(job.created_at),
        "started_at": instant(job.started_at),
        "finished_at": instant(job.finished_at),
        "erased_at": instant(job.erased_at),
        "duration": seconds(job.started_at, job.finished_at),
        "queued_duration": seconds(job.queued_at, job.started_at.or(job.finished_at)),
        "user": user,
        "commit": commit,
        "pipeline": pipeline.map(|pipeline| pipeline_entity::basic(state, pipeline, url)),
        "web_url": format!("{project_url}/-/jobs/{}", job.id),
        "project": { "ci_job_token_scope_enabled": project.is_some_and(|project| {
            project.settings.ci_job_token_scope_enabled
        }) },
    });
    if job.status == Status::Failed {
        entity["failure_reason"] = json!(job.failure_reason);
    }
    entity
}

/// A job for a runner.
pub(crate) fn build(around: Surroundings<'_>, job: &Job) -> Value {
    let mut entity = basic(around, job);
    let files: Vec<Value> = job
        .artifacts
        .iter()
        .map(|artifact| {
            json!({
                "file_type": artifact.file_type,
                "size": artifact.content.len(),
                "filename": artifact.file_name,
                "file_format": artifact.file_format,
            })
        })
        .collect();
    let archive = job
        .artifacts
        .iter()
        .find(|artifact| artifact.file_type == "archive");
    if let Some(archive) = archive {
        entity["artifacts_file"] =
            json!({ "filename": archive.file_name, "size": archive.content.len() });
    }
    let tags = job
        .definition()
        .map(|definition| definition.tags.clone())
        .unwrap_or_default();
    entity["artifacts"] = json!(files);
    let taken = job.taken.as_ref();
    let state = around.state;
    let runner = taken.and_then(|taken| state.runners.get(taken.runner_id));
    let manager = taken.and_then(|taken| state.runner_managers.get(taken.manager_id?));
    entity["runner"] = json!(runner.map(|runner| runner_entity::basic(around, runner)));
    entity["runner_manager"] =
        json!(manager.map(|manager| runner_entity::manager(state, manager, around.now)));
    entity["artifacts_expire_at"] = json!(job.artifacts_expire_at.map(clock::iso));
    entity["archived"] = json!(around.state.is_archived(job, around.now));
    entity["tag_list"] = json!(tags);
    entity
}

/// A trigger job.
pub(crate) fn bridge(around: Surroundings<'_>, job: &Job) -> Value {
    let mut entity = basic(around, job);
    let downstream = job
        .downstream_pipeline_id
        .and_then(|id| around.state.pipelines.get(id))
        .map(|pipeline| pipeline_entity::basic(around.state, pipeline, around.url));
    entity["downstream_pipeline"] = json!(downstream);
    entity
}

/// The form that fits the kind of job.
pub(crate) fn any(around: Surroundings<'_>, job: &Job) -> Value {
    if job.bridge().is_some() {
        bridge(around, job)
    } else {
        build(around, job)
    }
}
