//! Pipelines as the API writes them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::users;
use crate::clock;
use crate::engine::status::Status;
use crate::store::State;
use crate::store::pipelines::Pipeline;

/// The short form, as in lists and inside jobs.
pub(crate) fn basic(state: &State, pipeline: &Pipeline, url: &str) -> Value {
    json!({
        "id": pipeline.id,
        "iid": pipeline.iid,
        "project_id": pipeline.project_id,
        "sha": pipeline.sha,
        "ref": pipeline.git_ref,
        "status": pipeline.status.as_str(),
        "source": pipeline.source.as_str(),
        "created_at": clock::iso(pipeline.created_at),
        "updated_at": clock::iso(pipeline.updated_at),
        "web_url": web_url(state, pipeline, url),
    })
}

/// The short form with the name, as in the list of a project's pipelines.
pub(crate) fn listed(state: &State, pipeline: &Pipeline, url: &str) -> Value {
    let mut entity = basic(state, pipeline, url);
    entity["name"] = json!(pipeline.name);
    entity
}

/// The long form.
pub(crate) fn detail(state: &State, pipeline: &Pipeline, url: &str) -> Value {
    let mut entity = basic(state, pipeline, url);
    let path = web_url(state, pipeline, "");
    let instant = |at: Option<Timestamp>| at.map(clock::iso);
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs().max(0);
    let queued = pipeline
        .started_at
        .map(|started| seconds(pipeline.created_at, started));
    let duration = pipeline
        .started_at
        .zip(pipeline.finished_at)
        .map(|(from, to)| seconds(from, to));
    let more = json!({
        "before_sha": pipeline.before_sha,
        "tag": pipeline.tag,
        "yaml_errors": pipeline.yaml_errors,
        "user": users::basic_by_id(state, pipeline.user_id, url),
        "started_at": instant(pipeline.started_at),
        "finished_at": instant(pipeline.finished_at),
        "committed_at": Value::Null,
        "duration": duration,
        "queued_duration": queued,
        "coverage": coverage(state, pipeline),
        "detailed_status": detailed_status(pipeline.status, &path),
        "archived": false,
    });
    if let (Some(entity), Some(more)) = (entity.as_object_mut(), more.as_object()) {
        entity.extend(more.clone());
    }
    entity
}

/// The long form with the name.
pub(crate) fn detail_with_name(state: &State, pipeline: &Pipeline, url: &str) -> Value {
    let mut entity = detail(state, pipeline, url);
    entity["name"] = json!(pipeline.name);
    entity
}

/// The page of a pipeline.
pub(crate) fn web_url(state: &State, pipeline: &Pipeline, url: &str) -> String {
    let path = state
        .projects
        .get(pipeline.project_id)
        .map(|project| state.project_path(project))
        .unwrap_or_default();
    format!("{url}/{path}/-/pipelines/{}", pipeline.id)
}

/// The mean coverage of the jobs that have one.
fn coverage(state: &State, pipeline: &Pipeline) -> Option<String> {
    let all: Vec<f64> = state
        .current_jobs_of(pipeline.id)
        .filter_map(|job| job.coverage)
        .collect();
    let count = u32::try_from(all.len()).ok().filter(|count| *count > 0)?;
    Some(format!("{:.2}", all.iter().sum::<f64>() / f64::from(count)))
}

/// How a status is shown, with the page it leads to.
pub(crate) fn detailed_status(status: Status, details_path: &str) -> Value {
    let (text, label, icon) = match status {
        Status::Created => ("Created", "created", "created"),
        Status::WaitingForResource => ("Waiting", "waiting for resource", "pending"),
        Status::Preparing => ("Preparing", "preparing", "preparing"),
        Status::WaitingForCallback => ("Waiting", "waiting for callback", "pending"),
        Status::Pending => ("Pending", "pending", "pending"),
        Status::Running => ("Running", "running", "running"),
        Status::Success => ("Passed", "passed", "success"),
        Status::Failed => ("Failed", "failed", "failed"),
        Status::Canceling => ("Canceling", "canceling", "canceled"),
        Status::Canceled => ("Canceled", "canceled", "canceled"),
        Status::Skipped => ("Skipped", "skipped", "skipped"),
        Status::Manual => ("Blocked", "waiting for manual action", "manual"),
        Status::Scheduled => ("Delayed", "waiting for delayed job", "scheduled"),
    };
    let tooltip = if status == Status::Manual {
        "blocked"
    } else {
        label
    };
    json!({
        "icon": format!("status_{icon}"),
        "text": text,
        "label": label,
        "group": status.as_str().replace('_', "-"),
        "tooltip": tooltip,
        "has_details": true,
        "details_path": details_path,
        "illustration": Value::Null,
        "favicon": format!("/assets/ci_favicons/favicon_status_{icon}.png"),
    })
}
