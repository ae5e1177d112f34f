//! The linter of configurations.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ci::definition::When;
use crate::ci::{Included, Lint, LintJob};
use crate::ctx::Ctx;
use crate::engine::{self, Order, Refusal, Target};
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

/// A sent text is checked at the head of the default branch, and a simulated pipeline runs at the wanted one.
fn check_text(ctx: &Ctx<'_>) -> Answer {
    let content = ctx.string("content").unwrap_or_default().to_owned();
    if ctx.boolean("dry_run") == Some(true) {
        return simulate(ctx, &["ref"], content);
    }
    let target = default_branch(ctx)
        .and_then(|branch| engine::target_of(ctx.shared, ctx.project(), &branch).ok())
        .unwrap_or_else(no_commit);
    lint(ctx, target, content)
}

fn check_project(ctx: &Ctx<'_>) -> Answer {
    let Some(branch) = default_branch(ctx) else {
        return Err(ApiError::not_found("Repository"));
    };
    let named = ["content_ref", "sha"]
        .into_iter()
        .find_map(|name| ctx.string(name));
    let wanted = named.unwrap_or(&branch);
    let repository = ctx.shared.repository(ctx.project());
    let commit = repository.commit(wanted)?;
    let commit = commit.ok_or_else(|| ApiError::not_found("Commit"))?;
    let target = engine::target_of(ctx.shared, ctx.project(), wanted).unwrap_or(Target {
        sha: commit.id,
        ..no_commit()
    });
    let order = Order::new(ctx.project(), ctx.user()?, Source::Push, target.clone());
    let content = engine::project_configuration(ctx.shared, &order).unwrap_or_default();
    if ctx.boolean("dry_run") == Some(true) {
        simulate(ctx, &["dry_run_ref", "ref"], content)
    } else {
        lint(ctx, target, content)
    }
}

/// Checks what a pipeline of the branch or tag in one of these parameters would do.
fn simulate(ctx: &Ctx<'_>, names: &[&str], content: String) -> Answer {
    let named = names.iter().find_map(|name| ctx.string(name));
    let named = named.map(str::to_owned).or_else(|| default_branch(ctx));
    match engine::target_of(ctx.shared, ctx.project(), &named.unwrap_or_default()) {
        Ok(target) => lint(ctx, target, content),
        Err(refusal) => Ok(refused(refusal)),
    }
}

fn default_branch(ctx: &Ctx<'_>) -> Option<String> {
    let state = ctx.state();
    let project = state.projects.get(ctx.project())?;
    project.default_branch.clone()
}

/// Where the text of a project without commits stands.
fn no_commit() -> Target {
    Target {
        git_ref: String::new(),
        tag: false,
        sha: String::new(),
        before: None,
        merge_request_id: None,
    }
}

fn lint(ctx: &Ctx<'_>, target: Target, content: String) -> Answer {
    let user = ctx.user()?;
    let order = Order {
        configuration: Some(content),
        ..Order::new(ctx.project(), user, Source::Push, target)
    };
    let dry_run = ctx.boolean("dry_run") == Some(true);
    let lint = match engine::lint(ctx.shared, &order, dry_run) {
        Ok(lint) => lint,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let mut answer = entity(&lint);
    if ctx.boolean("include_jobs") == Some(true) {
        answer["jobs"] = lint.jobs.iter().map(job).collect();
    }
    Ok(Response::ok(&answer))
}

/// What is said where there is nothing to check.
fn refused(refusal: Refusal) -> Response {
    Response::ok(&json!({
        "valid": false,
        "errors": [refusal.0],
        "warnings": [],
        "merged_yaml": Value::Null,
        "includes": [],
    }))
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
