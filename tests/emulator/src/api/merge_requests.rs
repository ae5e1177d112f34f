//! Reading merge requests: one, and lists by many filters.

use jiff::Timestamp;
use serde_json::Value;

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, get, integer, one_of, string};
use crate::store::State;
use crate::store::merge_requests::MergeRequest;

use super::issuable_filter::{FILTERS, Facts, Filter};
use super::issues::is_wanted;
use super::merge_request_entity as entity;
use super::repository::require_code;

/// The filters that only merge requests have.
pub(super) const MORE: &[Param] = &[
    one_of("state", &["opened", "closed", "locked", "merged", "all"]),
    string("source_branch"),
    string("target_branch"),
    integer("source_project_id"),
    string("reviewer_id"),
    string("reviewer_username"),
    integer("merge_user_id"),
    string("merge_user_username"),
    one_of("wip", &["yes", "no"]),
    boolean("draft"),
    one_of("view", &["simple"]),
    boolean("with_labels_details"),
    boolean("with_merge_status_recheck"),
    boolean("non_archived"),
    one_of(
        "order_by",
        &[
            "created_at",
            "updated_at",
            "merged_at",
            "title",
            "label_priority",
            "priority",
            "milestone_due",
            "popularity",
        ],
    ),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/merge_requests",
        Guard::ProjectReader,
        of_project,
    )
    .refuses(&["deployed_after", "deployed_before", "environment"])
    .params(MORE)
    .also(FILTERS)
    .paginated()
    .job_token(),
    get("groups/:id/merge_requests", Guard::GroupReader, of_group)
        .refuses(&["deployed_after", "deployed_before", "environment"])
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get("merge_requests", Guard::Open, of_all)
        .refuses(&["deployed_after", "deployed_before", "environment"])
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid",
        Guard::ProjectReader,
        show,
    )
    .params(&[
        boolean("include_diverged_commits_count"),
        boolean("include_rebase_in_progress"),
        boolean("render_html"),
    ])
    .job_token(),
];

fn of_project(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    list(ctx, "all", |_, row| row.project_id == ctx.project())
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let inside = ctx.state().projects_below(ctx.group());
    list(ctx, "all", |state, row| {
        inside.contains(&row.project_id) && is_wanted(ctx, state, row.project_id)
    })
}

fn of_all(ctx: &Ctx<'_>) -> Answer {
    list(ctx, "created_by_me", |state, row| {
        is_wanted(ctx, state, row.project_id)
    })
}

/// A page of the wanted merge requests that the caller may see and the parameters let pass.
pub(super) fn list(
    ctx: &Ctx<'_>,
    scope: &'static str,
    wanted: impl Fn(&State, &MergeRequest) -> bool,
) -> Answer {
    let filter = Filter::read(ctx, scope)?;
    let state = ctx.state();
    let mut rows: Vec<&MergeRequest> = state
        .merge_requests
        .iter()
        .filter(|row| {
            wanted(&state, row)
                && access::may_read_code(&state, ctx.caller.user(), row.project_id)
                && passes(ctx, &state, row)
                && filter.passes(&state, &Facts::of_merge_request(row))
        })
        .collect();
    filter.sort(&mut rows, |row, order| {
        let at = |at: Option<Timestamp>| {
            let number = at.map_or(0, Timestamp::as_microsecond);
            (at.is_none(), number, String::new())
        };
        let key = match order {
            "merged_at" => at(row.merged_at),
            _ => Facts::of_merge_request(row).sort_key(&state, order),
        };
        (key, row.id)
    });
    ctx.page(rows, |row| {
        if ctx.string("view") == Some("simple") {
            entity::simple(ctx, &state, row)
        } else {
            entity::basic(ctx, &state, row)
        }
    })
}

fn passes(ctx: &Ctx<'_>, state: &State, row: &MergeRequest) -> bool {
    let is = |id: u64, name: &str| state.user_named(name).is_some_and(|user| user.id == id);
    let draft = ctx
        .boolean("draft")
        .or(ctx.string("wip").map(|wip| wip == "yes"));
    ctx.string("state")
        .is_none_or(|wanted| wanted == "all" || wanted == row.state.as_str())
        && ctx
            .string("source_branch")
            .is_none_or(|branch| row.source_branch == branch)
        && ctx
            .string("target_branch")
            .is_none_or(|branch| row.target_branch == branch)
        && ctx
            .number("source_project_id")
            .is_none_or(|id| row.source_project_id == id)
        && ctx
            .number("merge_user_id")
            .is_none_or(|id| row.merged_by == Some(id))
        && ctx
            .string("merge_user_username")
            .is_none_or(|name| row.merged_by.is_some_and(|id| is(id, name)))
        && draft.is_none_or(|draft| row.is_draft() == draft)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&shown(ctx, find(ctx)?.id)?))
}

/// The merge request of the path, for callers who may read code.
pub(super) fn find(ctx: &Ctx<'_>) -> Result<MergeRequest, ApiError> {
    require_code(ctx)?;
    let iid = ctx.path_number("merge_request_iid")?;
    let state = ctx.state();
    let found = state.merge_request(ctx.project(), iid).cloned();
    found.ok_or_else(ApiError::not_found_plain)
}

/// The long form of a merge request.
pub(super) fn shown(ctx: &Ctx<'_>, id: u64) -> Result<Value, ApiError> {
    entity::full(ctx, id)
}
