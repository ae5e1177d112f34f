//! Artifacts between the server and outside runners: files brought back, and files of earlier jobs fetched.

use serde_json::json;

use super::artifacts::archive_response;
use super::runner_auth;
use crate::access;
use crate::ctx::Ctx;
use crate::engine::uploads::{self, Upload};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, file, get, integer, one_of, post, string,
};

/// The kinds of files a job may have.
const TYPES: &[&str] = &[
    "archive",
    "metadata",
    "trace",
    "junit",
    "sast",
    "dependency_scanning",
    "container_scanning",
    "dast",
    "codequality",
    "license_scanning",
    "performance",
    "metrics",
    "metrics_referee",
    "network_referee",
    "lsif",
    "dotenv",
    "cobertura",
    "terraform",
    "accessibility",
    "cluster_applications",
    "secret_detection",
    "requirements",
    "coverage_fuzzing",
    "browser_performance",
    "load_performance",
    "api_fuzzing",
    "cluster_image_scanning",
    "cyclonedx",
    "requirements_v2",
    "annotations",
    "repository_xray",
    "sarif",
    "jacoco",
    "scip",
];
const TYPE: Param = one_of("artifact_type", TYPES);

pub(super) const ROUTES: &[Route] = &[
    post("jobs/:id/artifacts/authorize", Guard::Open, authorize).params(&[
        string("token"),
        integer("filesize"),
        TYPE,
    ]),
    post("jobs/:id/artifacts", Guard::Open, upload).params(&[
        string("token"),
        file("file").required(),
        string("expire_in"),
        TYPE,
        one_of("artifact_format", &["raw", "zip", "gzip"]),
        file("metadata"),
        one_of("accessibility", &["public", "private", "none"]),
    ]),
    get("jobs/:id/artifacts", Guard::Open, download)
        .params(&[string("token"), boolean("direct_download")]),
];

fn authorize(ctx: &Ctx<'_>) -> Answer {
    if let Err(refused) = runner_auth::own_job(ctx, &mut ctx.state(), ctx.now()) {
        return Ok(refused.answer());
    }
    let body = json!({ "TempPath": "uploads", "MaximumSize": uploads::MAX_ARCHIVE });
    Ok(Response::bytes(
        200,
        "application/vnd.gitlab-workhorse+json",
        body.to_string(),
    ))
}

fn upload(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = match runner_auth::own_job(ctx, &mut state, ctx.now()) {
        Ok(id) => id,
        Err(refused) => return Ok(refused.answer()),
    };
    let file = ctx
        .file("file")
        .ok_or_else(|| ApiError::error(400, "file is invalid"))?;
    let upload = Upload {
        kind: ctx.string("artifact_type").unwrap_or("archive").to_owned(),
        format: ctx.string("artifact_format").unwrap_or("zip").to_owned(),
        file_name: file.file_name.clone(),
        content: file.content.clone(),
        expire_in: ctx.string("expire_in").map(str::to_owned),
    };
    uploads::accept(&mut state, id, upload, ctx.now())
        .map_err(|refusal| ApiError::message(refusal.status, refusal.message))?;
    Ok(Response::bytes(201, "application/json", "201"))
}

fn download(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id: u64 = ctx
        .path("id")
        .parse()
        .map_err(|_error| ApiError::error(400, "id is invalid"))?;
    let job = state.jobs.get(id).ok_or_else(ApiError::forbidden)?;
    let token = runner_auth::job_token(ctx);
    let running = state.job_tokens.iter().find(|known| known.secret == token);
    let allowed = runner_auth::is_own(job, token)
        || running.is_some_and(|running| {
            let user = Some(running.user_id);
            access::in_project(&state, user, job.project_id).can_read
        });
    if !allowed {
        return Err(ApiError::forbidden());
    }
    archive_response(job)
}
