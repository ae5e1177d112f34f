//! The linter of configurations.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ci::definition::When;
use crate::ci::{Included, Lint, LintJob};
use crate::ctx::Ctx;
use crate::engine::{self, Order, Target};
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

/// GitLab shows no more of them.
const MAX_WARNINGS: usize = 25;
/// Stands for the visitor of a public project, who has no rights in it.
const NOBODY: u64 = 0;

/// A given text, as if it were the file on the default branch.
fn check_text(ctx: &Ctx<'_>) -> Answer {
    let content = ctx.string("content").unwrap_or_default().to_owned();
    let default = default_branch(ctx);
    let at = target(ctx, default.as_deref().unwrap_or_default())?;
    let dry_run_ref = ctx.string("ref").map(str::to_owned).or(default);
    lint(ctx, at, dry_run_ref, content)
}

/// The project's own file at any commit.
fn check_project(ctx: &Ctx<'_>) -> Answer {
    for (old, new) in [("sha", "content_ref"), ("ref", "dry_run_ref")] {
        if ctx.string(old).is_some() && ctx.string(new).is_some() {
            let text = format!("{old}, {new} are mutually exclusive");
            return Err(ApiError::error(400, text));
        }
    }
    let Some(default) = default_branch(ctx) else {
        return Err(ApiError::not_found("Repository"));
    };
    let named = |keys: [&str; 2]| keys.into_iter().find_map(|key| ctx.string(key));
    let content_ref = named(["content_ref", "sha"]).unwrap_or(&default);
    let at = target(ctx, content_ref)?.ok_or_else(|| ApiError::not_found("Commit"))?;
    let order = Order::new(
        ctx.project(),
        ctx.user().unwrap_or(NOBODY),
        Source::Push,
        at.clone(),
    );
    // A file that is not there is checked as an empty one.
    let content = engine::project_configuration(ctx.shared, &order).unwrap_or_default();
    let dry_run_ref = named(["dry_run_ref", "ref"]).unwrap_or(&default).to_owned();
    lint(ctx, Some(at), Some(dry_run_ref), content)
}

fn default_branch(ctx: &Ctx<'_>) -> Option<String> {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    project.and_then(|project| project.default_branch.clone())
}

/// The branch, tag or commit of a name.
fn target(ctx: &Ctx<'_>, name: &str) -> Result<Option<Target>, ApiError> {
    if let Ok(target) = engine::target_of(ctx.shared, ctx.project(), name) {
        return Ok(Some(target));
    }
    let repository = ctx.shared.repository(ctx.project());
    let sha = repository.resolve(name)?;
    Ok(sha.map(|sha| Target {
        git_ref: name.to_owned(),
        tag: false,
        sha,
        before: None,
        merge_request_id: None,
    }))
}

fn lint(
    ctx: &Ctx<'_>,
    content_at: Option<Target>,
    dry_run_ref: Option<String>,
    content: String,
) -> Answer {
    let dry_run = ctx.boolean("dry_run") == Some(true);
    let user = ctx.user().unwrap_or(NOBODY);
    let at = if dry_run {
        let name = dry_run_ref.unwrap_or_default();
        engine::target_of(ctx.shared, ctx.project(), &name)
    } else {
        Ok(content_at.unwrap_or_else(|| Target {
            git_ref: String::new(),
            tag: false,
            sha: String::new(),
            before: None,
            merge_request_id: None,
        }))
    };
    let checked = at.and_then(|target| {
        let order = Order {
            configuration: Some(content).filter(|text| !(dry_run && text.trim().is_empty())),
            ..Order::new(ctx.project(), user, Source::Push, target)
        };
        engine::lint(ctx.shared, &order, dry_run)
    });
    // What keeps a pipeline from being created is one more error of its configuration.
    let lint = checked.unwrap_or_else(|refusal| Lint {
        errors: vec![refusal.0],
        ..Lint::default()
    });
    let mut answer = entity(&lint);
    if ctx.boolean("include_jobs") == Some(true) {
        answer["jobs"] = lint.jobs.iter().map(|one| job(one, dry_run)).collect();
    }
    Ok(Response::ok(&answer))
}

fn entity(lint: &Lint) -> Value {
    let includes: Vec<Value> = lint.includes.iter().map(include).collect();
    let warnings = &lint.warnings[..lint.warnings.len().min(MAX_WARNINGS)];
    json!({
        "valid": lint.is_valid(),
        "errors": lint.errors,
        "warnings": warnings,
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

fn job(job: &LintJob, dry_run: bool) -> Value {
    let when = match job.when {
        When::OnSuccess => "on_success",
        When::OnFailure => "on_failure",
        When::Always => "always",
        When::Manual => "manual",
        When::Delayed => "delayed",
    };
    let mut shown = json!({
        "name": job.name,
        "stage": job.stage,
        "before_script": job.before_script,
        "script": job.script,
        "after_script": job.after_script,
        "tag_list": job.tag_list,
        "environment": job.environment,
        "when": when,
        "allow_failure": job.allow_failure,
    });
    if !dry_run {
        shown["only"] = job.only.clone().into();
        shown["except"] = job.except.clone().into();
        shown["needs"] = job.needs.clone().into();
    }
    shown
}
