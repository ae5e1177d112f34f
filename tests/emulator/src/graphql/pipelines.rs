//! Pipelines and jobs. GitLab's `CiJob` has no user.

use serde_json::{Value, json};

use super::pages::page;
use super::parse::Field;
use super::types::{Found, Object, World, accepts, global, one, text, time, upper};
use crate::engine::{is_action, play, retry};
use crate::store::jobs::{Job, Work};
use crate::store::pipelines::Pipeline;

pub(super) fn pipeline(
    world: &World<'_>,
    row: &Pipeline,
    field: &Field,
) -> Result<Option<Found>, String> {
    let state = world.state;
    let scalar = |value: Value| Ok(Some(Found::Scalar(value)));
    match field.name.as_str() {
        "id" => scalar(json!(global("Ci::Pipeline", row.id))),
        "iid" => scalar(json!(row.iid.to_string())),
        "sha" => scalar(json!(row.sha)),
        "beforeSha" => scalar(json!(row.before_sha)),
        "ref" => scalar(json!(row.git_ref)),
        "status" => scalar(json!(upper(row.status))),
        "source" => scalar(json!(row.source.as_str())),
        "name" => scalar(json!(row.name)),
        "active" => scalar(json!(row.status.is_active())),
        "complete" => scalar(json!(row.status.is_complete())),
        "yamlErrors" => scalar(json!(row.yaml_errors.is_some())),
        "yamlErrorMessages" => scalar(json!(row.yaml_errors)),
        "child" => scalar(json!(row.is_child())),
        "createdAt" => scalar(time(Some(row.created_at))),
        "updatedAt" => scalar(time(Some(row.updated_at))),
        "startedAt" => scalar(time(row.started_at)),
        "finishedAt" => scalar(time(row.finished_at)),
        "user" => Ok(Some(Found::One(Object::User(row.user_id)))),
        "mergeRequest" => Ok(Some(one(row.merge_request_id.map(Object::MergeRequest)))),
        "project" => Ok(Some(Found::One(Object::Project(row.project_id)))),
        "upstream" => {
            let upstream = state.upstream_of(row).map(|row| Object::Pipeline(row.id));
            Ok(Some(one(upstream)))
        }
        "downstream" => {
            accepts(field, &["first", "last", "after", "before"])?;
            let found = state
                .jobs_of(row.id)
                .filter_map(|job| job.downstream_pipeline_id)
                .map(Object::Pipeline);
            page(field, "PipelineConnection", found.collect())
        }
        "jobs" => {
            accepts(
                field,
                &[
                    "first", "last", "after", "before", "retried", "statuses", "jobKind",
                ],
            )?;
            let retried = field.arguments.get("retried").and_then(Value::as_bool);
            let statuses = field.arguments.get("statuses").and_then(Value::as_array);
            let kind = text(field, "jobKind");
            let found = state
                .jobs_of(row.id)
                .rev()
                .filter(|job| retried.is_none_or(|wanted| wanted == job.retried))
                .filter(|job| {
                    statuses.is_none_or(|wanted| wanted.contains(&json!(upper(job.status))))
                })
                .filter(|job| kind.is_empty() || kind == kind_of(job))
                .map(|job| Object::Job(job.id));
            page(field, "CiJobConnection", found.collect())
        }
        "job" => {
            accepts(field, &["id", "name"])?;
            let (id, name) = (text(field, "id"), text(field, "name"));
            let mut jobs = state.current_jobs_of(row.id);
            let found = jobs.find(|job| {
                (id.is_empty() || id == job_id(job)) && (name.is_empty() || name == job.name)
            });
            Ok(Some(one(found.map(|job| Object::Job(job.id)))))
        }
        _ => Ok(None),
    }
}

pub(super) fn job(world: &World<'_>, row: &Job, field: &Field) -> Result<Option<Found>, String> {
    let scalar = |value: Value| Ok(Some(Found::Scalar(value)));
    let pipeline = world.state.pipelines.get(row.pipeline_id);
    match field.name.as_str() {
        "id" => scalar(json!(job_id(row))),
        "name" => scalar(json!(row.name)),
        "status" => scalar(json!(upper(row.status))),
        "kind" => scalar(json!(kind_of(row))),
        "manualJob" => scalar(json!(is_action(row))),
        "allowFailure" => scalar(json!(row.allow_failure)),
        "retried" => scalar(json!(row.retried)),
        "active" => scalar(json!(row.status.is_active())),
        "playable" => scalar(json!(play::is_playable(row))),
        "retryable" => scalar(json!(retry::is_retryable(row))),
        "cancelable" => scalar(json!(row.status.is_cancelable())),
        "coverage" => scalar(json!(row.coverage)),
        "exitCode" => scalar(json!(row.exit_code)),
        "refName" => scalar(json!(pipeline.map(|pipeline| &pipeline.git_ref))),
        "tags" => {
            let tags = row.definition().map(|definition| &definition.tags);
            scalar(json!(tags))
        }
        "createdAt" => scalar(time(Some(row.created_at))),
        "queuedAt" => scalar(time(row.queued_at)),
        "startedAt" => scalar(time(row.started_at)),
        "finishedAt" => scalar(time(row.finished_at)),
        "scheduledAt" => scalar(time(row.scheduled_at)),
        "stage" => Ok(Some(Found::One(Object::Stage {
            pipeline: row.pipeline_id,
            name: row.stage.clone(),
        }))),
        "pipeline" => Ok(Some(Found::One(Object::Pipeline(row.pipeline_id)))),
        "downstreamPipeline" => Ok(Some(one(row.downstream_pipeline_id.map(Object::Pipeline)))),
        _ => Ok(None),
    }
}

fn job_id(job: &Job) -> String {
    let kind = match &job.work {
        Work::External(_) => "GenericCommitStatus",
        Work::Defined(_) if job.bridge().is_some() => "Ci::Bridge",
        Work::Defined(_) => "Ci::Build",
    };
    global(kind, job.id)
}

fn kind_of(job: &Job) -> &'static str {
    if job.bridge().is_some() {
        "BRIDGE"
    } else {
        "BUILD"
    }
}
