//! The pipelines of a merge request.

use super::{pipeline_entity, pipelines};
use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::engine::{self, merge_requests, order_for};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, post};

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/merge_requests/:merge_request_iid/pipelines",
        Guard::ProjectReader,
        index,
    )
    .paginated(),
    post(
        "projects/:id/merge_requests/:merge_request_iid/pipelines",
        Guard::SignedInReader,
        create,
    )
    .params(&[boolean("async")]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    super::ci_access::check_reader(ctx)?;
    engine::settle(ctx.shared);
    let iid = ctx.path_number("merge_request_iid")?;
    let merge_request = {
        let state = ctx.state();
        state.merge_request(ctx.project(), iid).cloned()
    };
    let merge_request = merge_request.ok_or_else(|| ApiError::message(404, "404 Not found"))?;
    let base = merge_request.diff().map(|diff| diff.base.clone());
    let range = match base {
        Some(base) => format!("{base}..{}", merge_request.sha),
        None => merge_request.sha.clone(),
    };
    let repository = ctx.shared.repository(ctx.project());
    let mut commits: Vec<String> = repository
        .commits(&[&range])
        .unwrap_or_default()
        .into_iter()
        .map(|commit| commit.id)
        .collect();
    commits.push(merge_request.sha.clone());
    let state = ctx.state();
    let found = merge_requests::pipelines_of(&state, &merge_request, &commits);
    ctx.page(found, |pipeline| {
        pipeline_entity::basic(&state, pipeline, ctx.url())
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let iid = ctx.path_number("merge_request_iid")?;
    let user = ctx.user()?;
    let (order, range) = {
        let state = ctx.state();
        let merge_request = state.merge_request(ctx.project(), iid);
        let merge_request = merge_request.ok_or_else(ApiError::not_found_plain)?;
        let range = merge_request
            .diff()
            .map(|diff| format!("{}..{}", diff.base, diff.head));
        let runs = |project: u64| {
            access::in_project(&state, Some(user), project).at_least(Role::Developer)
        };
        if !runs(merge_request.project_id) && !runs(merge_request.source_project_id) {
            return Err(ApiError::forbidden());
        }
        (order_for(&state, merge_request, user), range)
    };
    let commits = match range {
        Some(range) => ctx.shared.repository(ctx.project()).commits(&[&range])?,
        None => Vec::new(),
    };
    if commits.is_empty() {
        return Err(ApiError::message(405, "405 Method Not Allowed"));
    }
    let made = engine::run_pipeline(ctx.shared, order);
    if ctx.boolean("async") == Some(true) {
        // Whether a pipeline comes of it shows later.
        return Ok(Response::bytes(202, "application/json", ""));
    }
    let id = made.map_err(pipelines::refused)?;
    let state = ctx.state();
    let pipeline = state.pipelines.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&pipeline_entity::detail(
        &state,
        pipeline,
        ctx.url(),
    )))
}
