//! The stages of a pipeline and the groups of jobs in them.

use serde_json::json;

use super::entity::many;
use super::job_status::status_record;
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, record, value};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;

const STAGE: &[Line] = &[
    field("id: CiStageID!", |c| {
        stage(c, |row, name, _| {
            let at = row
                .stages
                .iter()
                .position(|stage| stage == name)
                .unwrap_or_default();
            value(format!(
                "gid://gitlab/Ci::Stage/{}",
                row.id * 1000 + at as u64 + 1
            ))
        })
    }),
    field("name: String", |c| stage(c, |_, name, _| value(name))),
    field("status: String", |c| {
        stage(c, |row, name, state| value(stage_status(state, row, name)))
    }),
    field("detailedStatus: DetailedStatus", |c| {
        stage(c, |row, name, state| {
            let status = stage_status(state, row, name);
            let page = crate::api::pipeline_entity::web_url(state, row, "");
            let known = state
                .jobs_of(row.id)
                .map(|job| job.status)
                .find(|own| own.as_str() == status);
            let id = format!("{status}-{}-{name}", row.id);
            status_record(&id, known.unwrap_or(row.status), &format!("{page}#{name}")).found()
        })
    }),
    field("jobs: CiJobConnection", |c| {
        stage(c, |row, name, state| {
            many(
                state
                    .current_jobs_of(row.id)
                    .filter(|job| job.stage == name)
                    .map(|job| job.id),
                Object::Job,
            )
        })
    }),
    field("groups: CiGroupConnection", |c| {
        stage(c, |row, name, state| {
            let jobs: Vec<&Job> = state
                .current_jobs_of(row.id)
                .filter(|job| job.stage == name)
                .collect();
            let made = jobs.iter().map(|job| {
                let data = json!({ "id": format!("gid://gitlab/Ci::Group/{}", job.id), "name": job.name, "size": 1 });
                let id = format!("{}-{}-{}", job.status.as_str(), job.id, job.id);
                record("CiGroup", data)
                    .with("detailedStatus", status_record(&id, job.status, "").found())
                    .with("jobs", Found::Many(vec![Object::Job(job.id)]))
                    .object()
            });
            Found::Many(made.collect())
        })
    }),
];

/// The family of stages.
pub(super) const FAMILY: Family = Family {
    tables: &[object("CiStage", &[STAGE])],
    sdl: "type CiGroup { detailedStatus: DetailedStatus id: String! jobs: CiJobConnection name: String size: Int }",
};

fn stage(call: &Call<'_>, read: fn(&Pipeline, &str, &State) -> Found) -> Outcome {
    let Object::Stage { pipeline, name } = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .pipelines
        .get(*pipeline)
        .map_or(NOTHING, |row| read(row, name, &state)))
}

/// The status of a stage from those of its jobs, the most pressing first.
fn stage_status(state: &State, row: &Pipeline, name: &str) -> &'static str {
    const ORDER: &[&str] = &[
        "running",
        "pending",
        "preparing",
        "waiting_for_resource",
        "canceling",
        "scheduled",
        "created",
    ];
    let jobs: Vec<&Job> = state
        .current_jobs_of(row.id)
        .filter(|job| job.stage == name)
        .collect();
    let has = |status: &str| jobs.iter().any(|job| job.status.as_str() == status);
    let blocked = jobs
        .iter()
        .any(|job| job.status.as_str() == "manual" && !job.allow_failure);
    let failed = jobs
        .iter()
        .any(|job| job.status.as_str() == "failed" && !job.allow_failure);
    if let Some(status) = ORDER.iter().find(|status| has(status)) {
        return status;
    }
    match () {
        () if blocked => "manual",
        () if failed => "failed",
        () if has("canceled") => "canceled",
        () if has("success") || has("failed") => "success",
        () if has("manual") => "skipped",
        () => "skipped",
    }
}
