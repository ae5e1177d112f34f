//! Artifacts of jobs: whole archives and single files, by job or by ref and job name.

use super::ci_access;
use crate::access::{Access, Role};
use crate::ctx::Ctx;
use crate::engine::status::Status;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, post, string};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::{Pipeline, Source};

const READER: Guard = Guard::ProjectReader;
const BY_NAME: &[Param] = &[
    string("job").required(),
    boolean("search_recent_successful_pipelines"),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/jobs/artifacts/:ref_name/download",
        READER,
        archive_by_name,
    )
    .params(BY_NAME)
    .job_token(),
    get(
        "projects/:id/jobs/artifacts/:ref_name/raw/*artifact_path",
        READER,
        file_by_name,
    )
    .params(BY_NAME)
    .job_token(),
    get(
        "projects/:id/jobs/:job_id/artifacts",
        READER,
        archive_of_job,
    )
    .job_token(),
    get(
        "projects/:id/jobs/:job_id/artifacts/*artifact_path",
        READER,
        file_of_job,
    )
    .job_token(),
    post(
        "projects/:id/jobs/:job_id/artifacts/keep",
        Guard::Project(Role::Developer),
        keep,
    )
    .job_token(),
    delete(
        "projects/:id/jobs/:job_id/artifacts",
        Guard::Project(Role::Maintainer),
        destroy,
    )
    .job_token(),
    delete(
        "projects/:id/artifacts",
        Guard::Project(Role::Maintainer),
        destroy_all,
    ),
];

/// The addresses of the web interface.
pub(super) const PAGES: &[Route] = &[
    get("jobs/artifacts/:ref_name/download", READER, archive_by_name).params(BY_NAME),
    get(
        "jobs/artifacts/:ref_name/raw/*artifact_path",
        READER,
        file_by_name,
    )
    .params(BY_NAME),
    get("jobs/:job_id/artifacts/download", READER, download_of_job).params(&[string("file_type")]),
    get(
        "jobs/:job_id/artifacts/raw/*artifact_path",
        READER,
        file_of_job,
    ),
];

fn archive_by_name(ctx: &Ctx<'_>) -> Answer {
    let reader = reader(ctx)?;
    archive(named(ctx, &ctx.state())?, reader)
}

fn file_by_name(ctx: &Ctx<'_>) -> Answer {
    let reader = reader(ctx)?;
    file(ctx, named(ctx, &ctx.state())?, reader)
}

fn archive_of_job(ctx: &Ctx<'_>) -> Answer {
    let reader = reader(ctx)?;
    archive(numbered(ctx, &ctx.state())?, reader)
}

/// The web interface offers every report of a job, not only its archive.
fn download_of_job(ctx: &Ctx<'_>) -> Answer {
    let reader = reader(ctx)?;
    let state = ctx.state();
    let job = numbered(ctx, &state)?;
    check_access(job, reader)?;
    let wanted = ctx.string("file_type").unwrap_or("archive");
    if wanted == "archive" {
        return archive_response(job);
    }
    let mut reports = job.artifacts.iter();
    let report = reports
        .find(|report| report.file_type == wanted)
        .ok_or_else(ApiError::not_found_plain)?;
    let kind = match report.file_format.as_str() {
        "gzip" => "application/gzip",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    };
    let name = format!("attachment; filename=\"{}\"", report.file_name);
    Ok(Response::bytes(200, kind, report.content.clone()).with("content-disposition", name))
}

fn file_of_job(ctx: &Ctx<'_>) -> Answer {
    let reader = reader(ctx)?;
    file(ctx, numbered(ctx, &ctx.state())?, reader)
}

fn keep(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let job = numbered(ctx, &state)?;
    let id = job.id;
    if !has_archive(job) {
        return Err(ApiError::not_found_plain());
    }
    if let Some(job) = state.jobs.get_mut(id) {
        job.artifacts_expire_at = None;
    }
    let job = state.jobs.get(id).ok_or_else(ApiError::not_found_plain)?;
    let around = super::job_entity::Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    Ok(Response::ok(&super::job_entity::build(around, job)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = numbered(ctx, &state)?.id;
    if let Some(job) = state.jobs.get_mut(id) {
        clear(job);
    }
    Ok(Response::no_content())
}

/// All artifacts of the project expire now, but for traces and what is kept for the newest pipelines.
fn destroy_all(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let newest = newest_of_refs(&state, ctx.project());
    let doomed = |job: &&mut Job| {
        job.project_id == ctx.project()
            && job.is_build()
            && job.status.is_complete()
            && !newest.contains(&job.pipeline_id)
    };
    for job in state.jobs.iter_mut().filter(doomed) {
        clear(job);
    }
    Ok(Response::json(
        202,
        &serde_json::json!({ "message": "202 Accepted" }),
    ))
}

/// The newest successful pipeline of each ref, if the project keeps its artifacts.
fn newest_of_refs(state: &State, project: u64) -> Vec<u64> {
    let keeps = state
        .projects
        .get(project)
        .is_some_and(|project| project.settings.keep_latest_artifact);
    let mut newest = std::collections::BTreeMap::new();
    let succeeded = |pipeline: &&Pipeline| keeps && pipeline.status == Status::Success;
    for pipeline in state.pipelines_of(project).filter(succeeded) {
        newest.insert(&pipeline.git_ref, pipeline.id);
    }
    newest.into_values().collect()
}

fn has_archive(job: &Job) -> bool {
    let mut all = job.artifacts.iter();
    all.any(|artifact| artifact.file_type == "archive")
}

fn clear(job: &mut Job) {
    job.artifacts
        .retain(|artifact| artifact.file_type == "trace");
    job.files.clear();
}

/// The job of the path.
fn numbered<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Job, ApiError> {
    let job = state.jobs.get(ctx.path_number("job_id")?);
    job.filter(|job| job.project_id == ctx.project() && job.is_build())
        .ok_or_else(ApiError::not_found_plain)
}

/// The successful job of a name in the newest successful pipeline of the ref.
fn named<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Job, ApiError> {
    let fits = |pipeline: &&Pipeline| {
        pipeline.git_ref == ctx.path("ref_name")
            && pipeline.status == Status::Success
            && pipeline.source != Source::ParentPipeline
    };
    let of_pipeline = |pipeline: &'a Pipeline| {
        let mut jobs = state.current_jobs_of(pipeline.id);
        jobs.find(|job| {
            Some(job.name.as_str()) == ctx.string("job") && job.status == Status::Success
        })
    };
    let mut pipelines = state.pipelines_of(ctx.project()).rev().filter(fits);
    let found = if ctx.boolean("search_recent_successful_pipelines") == Some(true) {
        pipelines.find_map(of_pipeline)
    } else {
        pipelines.next().and_then(of_pipeline)
    };
    found.ok_or_else(ApiError::not_found_plain)
}

/// The caller's access, if it suffices to see jobs at all.
fn reader(ctx: &Ctx<'_>) -> Result<Access, ApiError> {
    ci_access::check_reader(ctx)?;
    Ok(ctx.access())
}

/// `artifacts:access` of the job may ask for more.
fn check_access(job: &Job, reader: Access) -> Result<(), ApiError> {
    let wanted = job
        .build()
        .and_then(|build| build.artifacts.as_ref()?.access.as_deref());
    let allowed = match wanted {
        Some("none") => false,
        Some("developer") => reader.at_least(Role::Developer),
        Some("maintainer") => reader.at_least(Role::Maintainer),
        Some(_) | None => true,
    };
    if allowed {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

fn archive(job: &Job, reader: Access) -> Answer {
    check_access(job, reader)?;
    archive_response(job)
}

/// The archive as a download.
pub(super) fn archive_response(job: &Job) -> Answer {
    let archive = job
        .artifacts
        .iter()
        .find(|artifact| artifact.file_type == "archive")
        .ok_or_else(ApiError::not_found_plain)?;
    Ok(
        Response::bytes(200, "application/zip", archive.content.clone()).with(
            "content-disposition",
            format!("attachment; filename=\"{}\"", archive.file_name),
        ),
    )
}

fn file(ctx: &Ctx<'_>, job: &Job, reader: Access) -> Answer {
    check_access(job, reader)?;
    let path = ctx.path("artifact_path");
    let file = job.files.iter().find(|file| file.path == path);
    let file = file.ok_or_else(ApiError::not_found_plain)?;
    let kind = match path.rsplit('.').next() {
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("txt" | "log" | "md" | "yml" | "yaml" | "env" | "xml" | "csv") => "text/plain",
        Some(_) | None => "application/octet-stream",
    };
    Ok(Response::bytes(200, kind, file.content.clone()))
}
