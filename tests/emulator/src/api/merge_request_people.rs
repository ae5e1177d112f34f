//! Who and what is around a merge request: participants, reviewers, approvals and issues.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::merge_requests::approving;
use crate::message::Response;
use crate::references;
use crate::router::{Answer, Guard, Route, get, post, put, string};
use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

use super::merge_requests::find;
use super::{issue_entity, merge_request_entity, users};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/merge_requests/:merge_request_iid/participants",
        READER,
        participants,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/reviewers",
        READER,
        reviewers,
    ),
    get(
        "projects/:id/merge_requests/:merge_request_iid/closes_issues",
        READER,
        closes_issues,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/related_issues",
        READER,
        related_issues,
    )
    .paginated(),
    get(
        "projects/:id/merge_requests/:merge_request_iid/approvals",
        READER,
        approvals,
    ),
    post(
        "projects/:id/merge_requests/:merge_request_iid/approve",
        READER,
        approve,
    )
    .params(&[string("sha")]),
    post(
        "projects/:id/merge_requests/:merge_request_iid/unapprove",
        READER,
        unapprove,
    ),
    put(
        "projects/:id/merge_requests/:merge_request_iid/reset_approvals",
        READER,
        reset_approvals,
    ),
];

fn participants(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let state = ctx.state();
    let ids = state.participants(Noteable::MergeRequest(row.id));
    ctx.page(ids, |id| users::basic_by_id(&state, id, ctx.url()))
}

fn reviewers(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let state = ctx.state();
    let entities: Vec<Value> = row
        .reviewer_ids
        .iter()
        .map(|id| {
            let approved = row.approvals.iter().any(|(by, _)| by == id);
            json!({
                "user": users::basic_by_id(&state, *id, ctx.url()),
                "state": if approved { "approved" } else { "unreviewed" },
                "created_at": clock::iso(row.created_at),
            })
        })
        .collect();
    Ok(Response::ok(&json!(entities)))
}

fn closes_issues(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let state = ctx.state();
    issues(ctx, &state, &row.closes)
}

fn related_issues(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let mut texts = vec![
        row.title.clone(),
        row.description.clone().unwrap_or_default(),
    ];
    if let Some(diff) = row.diff() {
        let range = format!("{}..{}", diff.base, diff.head);
        let commits = ctx.shared.repository(row.project_id).commits(&[&range])?;
        texts.extend(commits.into_iter().map(|commit| commit.message));
    }
    let state = ctx.state();
    let notes = state.notes_on(Noteable::MergeRequest(row.id));
    texts.extend(
        notes
            .filter(|note| !note.system)
            .map(|note| note.body.clone()),
    );
    let mut ids = Vec::new();
    for text in texts {
        for found in references::mentioned(&state, ctx.url(), row.project_id, &text) {
            match found {
                Noteable::Issue(id) if !ids.contains(&id) => ids.push(id),
                Noteable::Issue(_) | Noteable::MergeRequest(_) => {}
            }
        }
    }
    issues(ctx, &state, &ids)
}

fn issues(ctx: &Ctx<'_>, state: &State, ids: &[u64]) -> Answer {
    let readable = |id: &&u64| issuables::may_read(state, ctx.caller.user(), Noteable::Issue(**id));
    let found = ids
        .iter()
        .filter(readable)
        .filter_map(|id| state.issues.get(*id));
    ctx.page(found, |issue| issue_entity::entity(ctx, state, issue))
}

fn approvals(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    Ok(Response::ok(&approval_entity(ctx, &row)))
}

fn approval_entity(ctx: &Ctx<'_>, row: &MergeRequest) -> Value {
    let state = ctx.state();
    let user = ctx.caller.user();
    let approved = user.is_some_and(|user| row.approvals.iter().any(|(by, _)| *by == user));
    let may = access::in_project(&state, user, row.project_id).at_least(Role::Developer);
    let by: Vec<Value> = row
        .approvals
        .iter()
        .map(|(id, at)| {
            json!({
                "user": users::basic_by_id(&state, *id, ctx.url()),
                "approved_at": clock::iso(*at),
            })
        })
        .collect();
    // Clients take this answer for the merge request itself, so it has the fields that name one.
    let mut entity = merge_request_entity::simple(ctx, &state, row);
    entity["merge_status"] = json!(row.merge_status.as_str());
    entity["approvals_required"] = json!(0);
    entity["approvals_left"] = json!(0);
    entity["user_has_approved"] = json!(approved);
    entity["user_can_approve"] = json!(may && !approved);
    entity["approved"] = json!(!by.is_empty());
    entity["approved_by"] = json!(by);
    entity
}

fn approve(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    if ctx.string("sha").is_some_and(|sha| sha != row.sha) {
        let text = format!("SHA does not match HEAD of source branch: {}", row.sha);
        return Err(ApiError::message(409, text));
    }
    let done = approving::set(&mut ctx.state(), row.id, user, true, ctx.now());
    done.then_some(()).ok_or_else(ApiError::unauthorized)?;
    Ok(Response::created(&approval_entity(ctx, &find(ctx)?)))
}

fn unapprove(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    let done = approving::set(&mut ctx.state(), row.id, user, false, ctx.now());
    done.then_some(()).ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::created(&approval_entity(ctx, &find(ctx)?)))
}

/// All approvals are taken back; only bots with rights on the branch may ask for it.
fn reset_approvals(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    let mut state = ctx.state();
    let bot = state.users.get(user).is_some_and(|user| user.bot);
    let access = access::in_project(&state, Some(user), ctx.project());
    (bot && access.at_least(Role::Developer))
        .then_some(())
        .ok_or_else(ApiError::unauthorized)?;
    if let Some(row) = state.merge_requests.get_mut(row.id) {
        row.approvals.clear();
    }
    Ok(Response::json(202, &json!(202)))
}
