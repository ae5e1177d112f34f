//! The linter of configurations.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ci::definition::When;
use crate::ci::{Included, Lint, LintJob};
use crate::ctx::Ctx;
use crate::engine::{self, Order};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, post, string};
use crate::store::pipelines::Source;

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/ci/lint",
        Guard::Project(Role::Developer),
        check_text,
    )
    .params(&[
        string("content").required(),
        boolean("dry_run"),
        boolean("include_jobs"),
        string("ref"),
    ]),
    get("projects/:id/ci/lint", Guard::ProjectReader, check_project).params(&[
        string("content_ref"),
        string("sha"),
        string("ref"),
        string("dry_run_ref"),
        boolean("dry_run"),
        boolean("include_jobs"),
    ]),
];

fn check_text(ctx: &Ctx<'_>) -> Answer {
    let reference = ctx.string("ref").map(str::to_owned);
    lint(ctx, reference, ctx.string("content").map(str::to_owned))
}

fn check_project(ctx: &Ctx<'_>) -> Answer {
    let named = ["content_ref", "sha", "dry_run_ref", "ref"]
        .into_iter()
        .find_map(|name| ctx.string(name));
    lint(ctx, named.map(str::to_owned), None)
}

fn lint(ctx: &Ctx<'_>, reference: Option<String>, content: Option<String>) -> Answer {
    let default = {
        let state = ctx.state();
        let project = state.projects.get(ctx.project());
        project.and_then(|project| project.default_branch.clone())
    };
    let reference = reference.or(default).unwrap_or_default();
    let target = engine::target_of(ctx.shared, ctx.project(), &reference)
        .map_err(|_refusal| ApiError::not_found("Commit"))?;
    let user = ctx.user()?;
    let order = Order {
        configuration: content,
        ..Order::new(ctx.project(), user, Source::Push, target)
    };
    let dry_run = ctx.boolean("dry_run") == Some(true);
    let lint = engine::lint(ctx.shared, &order, dry_run)
        .map_err(|refusal| ApiError::message(400, refusal.0))?;
    let mut answer = entity(&lint);
    if ctx.boolean("include_jobs") == Some(true) {
        answer["jobs"] = lint.jobs.iter().map(job).collect();
    }
    Ok(Response::ok(&answer))
}

fn entity(lint: &Lint) -> Value {
    let includes: Vec<Value> = lint.includes.iter().map(include).collect();
    json!({
        "valid": lint.is_valid(),
        "errors": lint.errors,
        "warnings": lint.warnings,
        "merged_yaml": lint.merged_yaml,
        "includes": includes,
    })
}

fn include(included: &Included) -> Value {
    json!({
        "type": included.kind,
        "location": included.location,
        "blob": included.blob,
        "raw": included.raw,
        "extra": included.extra,
        "context_project": included.context_project,
        "context_sha": included.context_sha,
    })
}

fn job(job: &LintJob) -> Value {
    let when = match job.when {
        When::OnSuccess => "on_success",
        When::OnFailure => "on_failure",
        When::Always => "always",
        When::Manual => "manual",
        When::Delayed => "delayed",
    };
    json!({
        "name": job.name,
        "stage": job.stage,
        "before_script": job.before_script,
        "script": job.script,
        "after_script": job.after_script,
        "tag_list": job.tag_list,
        "environment": job.environment,
        "when": when,
        "allow_failure": job.allow_failure,
        "only": job.only,
        "except": job.except,
        "needs": job.needs,
    })
}
