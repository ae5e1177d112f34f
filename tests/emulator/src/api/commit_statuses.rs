//! Commit statuses: jobs that other systems report, in a pipeline that is there or in one of their own.

use serde_json::{Value, json};

use super::users;
use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::engine::{self, external};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, integer, one_of, post, string};
use crate::store::State;
use crate::store::jobs::{External, Job, Work};

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/repository/commits/:sha/statuses",
        Guard::ProjectReader,
        index,
    )
    .params(&[
        string("ref"),
        string("stage"),
        string("name"),
        integer("pipeline_id"),
        boolean("all"),
        one_of("order_by", &["id", "pipeline_id"]),
        one_of("sort", &["asc", "desc"]),
    ])
    .paginated(),
    post(
        "projects/:id/statuses/:sha",
        Guard::Project(Role::Developer),
        create,
    )
    .params(&[
        one_of(
            "state",
            &[
                "pending", "running", "success", "failed", "canceled", "skipped",
            ],
        )
        .required(),
        string("ref"),
        string("name"),
        string("context"),
        string("target_url"),
        string("description"),
        string("coverage"),
        integer("pipeline_id"),
    ]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    super::ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let commit = ctx
        .shared
        .repository(ctx.project())
        .resolve(ctx.path("sha"))?;
    let sha = commit.ok_or_else(|| ApiError::not_found("Commit"))?;
    let all = ctx.boolean("all") == Some(true);
    let state = ctx.state();
    let equals = |name: &str, own: &str| ctx.string(name).is_none_or(|wanted| wanted == own);
    let mut found: Vec<&Job> = state
        .jobs
        .iter()
        .filter(|job| job.project_id == ctx.project() && (all || !job.retried))
        .filter(|job| equals("stage", &job.stage) && equals("name", &job.name))
        .filter(|job| {
            let pipeline = state.pipelines.get(job.pipeline_id);
            pipeline.is_some_and(|pipeline| {
                pipeline.sha == sha
                    && equals("ref", &pipeline.git_ref)
                    && ctx.number("pipeline_id").is_none_or(|id| id == pipeline.id)
            })
        })
        .collect();
    if ctx.string("order_by") == Some("pipeline_id") {
        found.sort_by_key(|job| job.pipeline_id);
    }
    if ctx.string("sort") == Some("desc") {
        found.reverse();
    }
    ctx.page(found, |job| entity(ctx, &state, job))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let coverage = match ctx.string("coverage") {
        None => None,
        Some(text) => {
            let number: f64 = text
                .parse()
                .map_err(|_error| ApiError::error(400, "coverage is invalid"))?;
            Some(number)
        }
    };
    let wanted = ctx.string("state").and_then(external::Reported::parse);
    let wanted = wanted.ok_or_else(|| ApiError::error(400, "state does not have a valid value"))?;
    let report = external::Report {
        project: ctx.project(),
        user: ctx.user()?,
        sha: ctx.path("sha").to_owned(),
        git_ref: ctx.string("ref").map(str::to_owned),
        pipeline: ctx.number("pipeline_id"),
        name: ctx
            .string("name")
            .or(ctx.string("context"))
            .unwrap_or("default")
            .to_owned(),
        status: wanted,
        target_url: ctx.string("target_url").map(str::to_owned),
        description: ctx.string("description").map(str::to_owned),
        coverage,
    };
    let id = external::report(ctx.shared, report).map_err(|refusal| match refusal {
        external::Refusal::NotFound(what) => ApiError::not_found(what),
        external::Refusal::Forbidden => ApiError::forbidden(),
        external::Refusal::Transition(text) => ApiError::message(400, text),
    })?;
    engine::settle(ctx.shared);
    let state = ctx.state();
    let job = state.jobs.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, job)))
}

fn entity(ctx: &Ctx<'_>, state: &State, job: &Job) -> Value {
    let pipeline = state.pipelines.get(job.pipeline_id);
    let project = state.projects.get(job.project_id);
    let (target_url, description) = match &job.work {
        Work::External(External {
            target_url,
            description,
        }) => (target_url.clone(), description.clone()),
        Work::Defined(_) => {
            let path = project.map(|project| state.project_path(project));
            let path = path.unwrap_or_default();
            let page = format!("{}/{path}/-/jobs/{}", ctx.url(), job.id);
            (Some(page), None)
        }
    };
    json!({
        "id": job.id,
        "sha": pipeline.map(|pipeline| &pipeline.sha),
        "ref": pipeline.map(|pipeline| &pipeline.git_ref),
        "status": job.status.as_str(),
        "name": job.name,
        "target_url": target_url,
        "description": description,
        "created_at": clock::iso(job.created_at),
        "started_at": job.started_at.map(clock::iso),
        "finished_at": job.finished_at.map(clock::iso),
        "allow_failure": job.allow_failure,
        "coverage": job.coverage,
        "pipeline_id": job.pipeline_id,
        "author": users::basic_by_id(state, job.user_id, ctx.url()),
    })
}
