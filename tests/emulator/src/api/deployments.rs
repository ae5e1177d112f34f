//! Deployments: those that clients record by themselves, and a view on those that CI jobs make.

use serde_json::{Map, Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::deployments::{Deployment, NewDeployment};
use crate::store::environments::Environment;
use crate::store::merge_requests::MergeRequestState;

use super::job_entity::{self, Surroundings};
use super::{environments, issuable_filter, merge_requests, users};

const READ: Guard = Guard::Project(Role::Reporter);
const WRITE: Guard = Guard::Project(Role::Developer);
/// The statuses that a client may set.
const STATUS: Param = one_of("status", &["running", "success", "failed", "canceled"]);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/deployments", READ, index)
        .params(&[
            one_of(
                "order_by",
                &[
                    "id",
                    "iid",
                    "created_at",
                    "updated_at",
                    "finished_at",
                    "ref",
                ],
            ),
            one_of("sort", &["asc", "desc"]),
            string("updated_after"),
            string("updated_before"),
            string("finished_after"),
            string("finished_before"),
            string("environment"),
            one_of(
                "status",
                &[
                    "created", "running", "success", "failed", "canceled", "skipped", "blocked",
                ],
            ),
        ])
        .paginated()
        .job_token(),
    get("projects/:id/deployments/:deployment_id", READ, show).job_token(),
    get(
        "projects/:id/deployments/:deployment_id/merge_requests",
        READ,
        shipped,
    )
    .refuses(&["deployed_after", "deployed_before", "environment"])
    .params(merge_requests::MORE)
    .also(issuable_filter::FILTERS)
    .paginated()
    .job_token(),
    post("projects/:id/deployments", WRITE, create)
        .params(&[
            string("environment").required(),
            string("sha").required(),
            string("ref").required(),
            boolean("tag").required(),
            STATUS.required(),
        ])
        .job_token(),
    put("projects/:id/deployments/:deployment_id", WRITE, update)
        .params(&[STATUS.required()])
        .job_token(),
    delete(
        "projects/:id/deployments/:deployment_id",
        Guard::Project(Role::Maintainer),
        destroy,
    )
    .job_token(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    check_combination(ctx)?;
    let (updated_after, updated_before) = (
        ctx.instant("updated_after")?,
        ctx.instant("updated_before")?,
    );
    let (finished_after, finished_before) = (
        ctx.instant("finished_after")?,
        ctx.instant("finished_before")?,
    );
    let mut found: Vec<Deployment> = {
        let state = ctx.state();
        let environment = ctx.string("environment").map(|name| {
            state
                .environment_named(ctx.project(), name)
                .map(|environment| environment.id)
        });
        let wanted = |row: &&Deployment| {
            row.project_id == ctx.project()
                && environment.is_none_or(|wanted| wanted == Some(row.environment_id))
                && ctx
                    .string("status")
                    .is_none_or(|wanted| row.status == wanted)
                && updated_after.is_none_or(|after| row.updated_at >= after)
                && updated_before.is_none_or(|before| row.updated_at <= before)
                && finished_after.is_none_or(|after| row.finished_at >= Some(after))
                && finished_before
                    .is_none_or(|before| row.finished_at.is_some_and(|finished| finished <= before))
        };
        state.deployments.iter().filter(wanted).cloned().collect()
    };
    let descending = ctx.string("sort") == Some("desc");
    if descending {
        found.reverse();
    }
    match ctx.string("order_by") {
        // Equal times: the newer one first, whatever the direction.
        Some("updated_at") => found.sort_by_key(|row| (row.updated_at, u64::MAX - row.id)),
        Some("finished_at") => found.sort_by_key(|row| (row.finished_at, u64::MAX - row.id)),
        Some("ref") => found.sort_by_key(|row| row.git_ref.clone()),
        Some(_) | None => return ctx.page(found, |row| entity(ctx, &row)),
    }
    if descending {
        found.reverse();
    }
    ctx.page(found, |row| entity(ctx, &row))
}

/// Filters by time must go with the order by the same time, or GitLab's database would suffer.
fn check_combination(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    let updated = ctx.given("updated_after") || ctx.given("updated_before");
    let finished = ctx.given("finished_after") || ctx.given("finished_before");
    let ordered = |by: &str| ctx.string("order_by") == Some(by);
    let problem = if updated && finished {
        "Both `updated_at` filter and `finished_at` filter can not be specified"
    } else if updated != ordered("updated_at") {
        "`updated_at` filter and `updated_at` sorting must be paired"
    } else if finished != ordered("finished_at") {
        "`finished_at` filter and `finished_at` sorting must be paired"
    } else if finished && ctx.string("status") != Some("success") {
        "`finished_at` filter must be combined with `success` status filter."
    } else {
        return Ok(());
    };
    Err(ApiError::bad_request(problem))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let deployment = find(ctx, &ctx.state())?.clone();
    Ok(Response::ok(&extended(ctx, &deployment)))
}

/// The merge requests that this deployment brought to its environment first.
fn shipped(ctx: &Ctx<'_>) -> Answer {
    let (deployment, review_app, previous) = {
        let state = ctx.state();
        let deployment = find(ctx, &state)?.clone();
        let environment = state.environments.get(deployment.environment_id);
        // Environments in a folder are review apps, for which nothing is recorded.
        let review_app = environment.is_some_and(|row| row.name.contains('/'));
        let previous = state.deployment_before(&deployment).cloned();
        (deployment, review_app, previous)
    };
    let recorded = deployment.status == "success" && !review_app;
    let commits = match previous {
        Some(previous) if recorded => {
            let range = format!("{}..{}", previous.sha, deployment.sha);
            let commits = ctx.shared.repository(ctx.project()).commits(&[&range])?;
            Some(
                commits
                    .into_iter()
                    .map(|commit| commit.id)
                    .collect::<Vec<_>>(),
            )
        }
        Some(_) | None => None,
    };
    merge_requests::list(ctx, "all", |_, row| {
        let merged = [&row.merge_commit_sha, &row.squash_commit_sha];
        let merged = merged.into_iter().flatten().next().unwrap_or(&row.sha);
        recorded
            && row.project_id == deployment.project_id
            && row.state == MergeRequestState::Merged
            && match &commits {
                Some(commits) => commits.contains(merged),
                // The first deployment counts for all that was merged into its branch so far.
                None => {
                    row.target_branch == deployment.git_ref
                        && row.merged_at <= deployment.finished_at
                }
            }
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let text = |name: &str| ctx.string(name).unwrap_or_default();
    let user = ctx.user()?;
    let repository = ctx.shared.repository(ctx.project());
    let ref_exists = repository.resolve(text("ref"))?.is_some();
    let commit = repository.resolve(text("sha"))?;

    let mut state = ctx.state();
    // The environment stays even if the deployment is refused below.
    if state
        .environment_named(ctx.project(), text("environment"))
        .is_none()
    {
        let new = Environment::new(ctx.project(), text("environment"), ctx.now());
        environments::problems(&state, &new).check()?;
    }
    let environment_id = state.ensure_environment(ctx.project(), text("environment"), ctx.now());
    let mut invalid = Invalid::default();
    if commit.is_none() {
        invalid.add("sha", "The commit does not exist");
    }
    if !ref_exists {
        invalid.add("ref", "The branch or tag does not exist");
    }
    invalid.check()?;
    let new = NewDeployment {
        project_id: ctx.project(),
        environment_id,
        git_ref: text("ref").to_owned(),
        tag: ctx.boolean("tag").unwrap_or(false),
        sha: commit.unwrap_or_default(),
        user_id: user,
        job_id: None,
    };
    let id = state.add_deployment(new, ctx.now());
    state.move_deployment(id, text("status"), ctx.now());
    let made = state
        .deployments
        .get(id)
        .ok_or_else(ApiError::internal)?
        .clone();
    drop(state);
    Ok(Response::created(&extended(ctx, &made)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let status = ctx.string("status").unwrap_or_default();
    let mut state = ctx.state();
    let deployment = find(ctx, &state)?;
    if deployment.job_id.is_some() {
        return Err(ApiError::forbidden_because(
            "Deployments created using GitLab CI can not be updated using the API",
        ));
    }
    let id = deployment.id;
    if !state.move_deployment(id, status, ctx.now()) {
        let mut invalid = Invalid::default();
        let event = match status {
            "running" => "run",
            "success" => "succeed",
            "failed" => "drop",
            _ => "cancel",
        };
        invalid.add("status", format!("cannot transition via \"{event}\""));
        invalid.check()?;
    }
    drop(state);
    show(ctx)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let deployment = find(ctx, &state)?;
    ctx.check_unmodified(deployment.updated_at)?;
    if deployment.status == "running" {
        return Err(ApiError::message(400, "Cannot destroy running deployment"));
    }
    let last = state.last_deployment(deployment.environment_id);
    if last.is_some_and(|last| last.id == deployment.id) {
        return Err(ApiError::message(
            400,
            "Deployment currently deployed to environment",
        ));
    }
    let id = deployment.id;
    state.deployments.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Deployment, ApiError> {
    state
        .deployments
        .get(ctx.path_number("deployment_id")?)
        .filter(|deployment| deployment.project_id == ctx.project())
        .ok_or_else(|| ApiError::not_found("Deployment"))
}

/// The form inside an environment.
pub(super) fn without_environment(ctx: &Ctx<'_>, deployment: &Deployment) -> Map<String, Value> {
    let state = ctx.state();
    let around = Surroundings {
        state: &state,
        url: ctx.url(),
        now: ctx.now(),
    };
    let job = deployment.job_id.and_then(|id| state.jobs.get(id));
    let body = json!({
        "id": deployment.id,
        "iid": deployment.iid,
        "ref": deployment.git_ref,
        "sha": deployment.sha,
        "created_at": clock::iso(deployment.created_at),
        "updated_at": clock::iso(deployment.updated_at),
        "user": users::basic_by_id(&state, deployment.user_id, ctx.url()),
        "deployable": job.map(|job| job_entity::any(around, job)),
        "status": deployment.status,
    });
    body.as_object().cloned().unwrap_or_default()
}

fn entity(ctx: &Ctx<'_>, deployment: &Deployment) -> Value {
    let environment = ctx
        .state()
        .environments
        .get(deployment.environment_id)
        .map(environments::basic);
    let mut body = without_environment(ctx, deployment);
    body.insert("environment".to_owned(), json!(environment));
    Value::Object(body)
}

/// The form of a single deployment. Its approvals belong to a paid tier, so nothing is ever pending.
fn extended(ctx: &Ctx<'_>, deployment: &Deployment) -> Value {
    let mut body = entity(ctx, deployment);
    body["pending_approval_count"] = json!(0);
    body["approvals"] = json!([]);
    body["approval_summary"] = json!({ "rules": [] });
    body
}
