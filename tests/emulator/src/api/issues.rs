//! Issues: lists, one, and what is around one.

use serde_json::Value;

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::message::Response;
use crate::references;
use crate::router::{Answer, Guard, Param, Route, boolean, get, one_of, string};
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

use super::issuable_filter::{FILTERS, Facts, Filter};
use super::{issue_entity, merge_request_entity, users};

const READER: Guard = Guard::ProjectReader;
const MORE: &[Param] = &[
    one_of("state", &["opened", "closed", "all"]),
    one_of("issue_type", &["issue", "incident", "test_case", "task"]),
    boolean("confidential"),
    boolean("with_labels_details"),
    string("due_date"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/issues", READER, of_project)
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get("groups/:id/issues", Guard::GroupReader, of_group)
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get("issues", Guard::User, of_all)
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get("issues/:issue_id", Guard::Admin, by_id),
    get("projects/:id/issues/:issue_iid", READER, show),
    get(
        "projects/:id/issues/:issue_iid/related_merge_requests",
        READER,
        related,
    )
    .paginated(),
    get(
        "projects/:id/issues/:issue_iid/closed_by",
        READER,
        closed_by,
    )
    .paginated(),
    get(
        "projects/:id/issues/:issue_iid/participants",
        READER,
        participants,
    )
    .paginated(),
];

fn of_project(ctx: &Ctx<'_>) -> Answer {
    list(ctx, "all", |issue| issue.project_id == ctx.project())
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let inside: Vec<u64> = ctx.state().projects_below(ctx.group());
    list(ctx, "all", |issue| inside.contains(&issue.project_id))
}

fn of_all(ctx: &Ctx<'_>) -> Answer {
    list(ctx, "created_by_me", |_| true)
}

fn list(ctx: &Ctx<'_>, scope: &'static str, wanted: impl Fn(&Issue) -> bool) -> Answer {
    let filter = Filter::read(ctx, scope)?;
    let state = ctx.state();
    let mut rows: Vec<&Issue> = state
        .issues
        .iter()
        .filter(|issue| {
            wanted(issue)
                && issuables::may_read(&state, ctx.caller.user(), Noteable::Issue(issue.id))
                && passes(ctx, issue)
                && filter.passes(&state, &Facts::of_issue(issue))
        })
        .collect();
    filter.sort(&mut rows, |issue, order| {
        let text = match order {
            "title" => issue.title.clone(),
            "due_date" => issue
                .due_date
                .map(|day| day.to_string())
                .unwrap_or_default(),
            _ => String::new(),
        };
        let at = if order == "updated_at" {
            issue.updated_at
        } else {
            issue.created_at
        };
        (text, at, issue.id)
    });
    ctx.page(rows, |issue| issue_entity::entity(ctx, &state, issue))
}

fn passes(ctx: &Ctx<'_>, issue: &Issue) -> bool {
    let due = |wanted: &str| match wanted {
        "0" | "" => issue.due_date.is_none(),
        "any" => issue.due_date.is_some(),
        day => issue.due_date.is_some_and(|due| due.to_string() == day),
    };
    ctx.string("state")
        .is_none_or(|wanted| wanted == "all" || wanted == issue.state())
        && ctx
            .string("issue_type")
            .is_none_or(|wanted| wanted == issue.issue_type)
        && ctx
            .boolean("confidential")
            .is_none_or(|wanted| wanted == issue.confidential)
        && ctx.string("due_date").is_none_or(due)
}

fn by_id(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("issue_id")?;
    let state = ctx.state();
    let issue = state.issues.get(id).ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::ok(&issue_entity::entity(ctx, &state, issue)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&shown(ctx, find(ctx)?.id)?))
}

/// The issue of the path; one the caller may not see is not there.
pub(super) fn find(ctx: &Ctx<'_>) -> Result<Issue, ApiError> {
    let iid = ctx.path_number("issue_iid")?;
    let state = ctx.state();
    let user = ctx.caller.user();
    state
        .issue(ctx.project(), iid)
        .filter(|issue| issuables::may_read(&state, user, Noteable::Issue(issue.id)))
        .cloned()
        .ok_or_else(ApiError::not_found_plain)
}

/// The form of a single issue.
pub(super) fn shown(ctx: &Ctx<'_>, id: u64) -> Result<Value, ApiError> {
    let state = ctx.state();
    let issue = state.issues.get(id).ok_or_else(ApiError::not_found_plain)?;
    let mut entity = issue_entity::entity(ctx, &state, issue);
    entity["subscribed"] = Value::Bool(ctx.caller.user() == Some(issue.author_id));
    Ok(entity)
}

fn related(ctx: &Ctx<'_>) -> Answer {
    let issue = find(ctx)?;
    let noteable = Noteable::Issue(issue.id);
    merge_requests(ctx, |state, row| {
        let notes = state.notes_on(Noteable::MergeRequest(row.id));
        let notes = notes
            .filter(|note| !note.system)
            .map(|note| note.body.as_str());
        let own = [
            row.title.as_str(),
            row.description.as_deref().unwrap_or_default(),
        ];
        row.closes.contains(&issue.id)
            || own.into_iter().chain(notes).any(|text| {
                references::mentioned(state, ctx.url(), row.project_id, text).contains(&noteable)
            })
    })
}

fn closed_by(ctx: &Ctx<'_>) -> Answer {
    let issue = find(ctx)?;
    merge_requests(ctx, |_, row| row.closes.contains(&issue.id))
}

fn merge_requests(ctx: &Ctx<'_>, wanted: impl Fn(&State, &MergeRequest) -> bool) -> Answer {
    let state = ctx.state();
    let rows = state.merge_requests.iter().filter(|row| {
        access::may_read_code(&state, ctx.caller.user(), row.project_id) && wanted(&state, row)
    });
    ctx.page(rows, |row| merge_request_entity::basic(ctx, &state, row))
}

fn participants(ctx: &Ctx<'_>) -> Answer {
    let issue = find(ctx)?;
    let state = ctx.state();
    let notes = state
        .notes_on(Noteable::Issue(issue.id))
        .filter(|note| !note.system);
    let mut ids = vec![issue.author_id];
    for id in issue
        .assignee_ids
        .iter()
        .copied()
        .chain(notes.map(|note| note.author_id))
    {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ctx.page(ids, |id| users::basic_by_id(&state, id, ctx.url()))
}
