//! Issues: lists, one, and what is around one.

use jiff::Span;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::access;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::message::Response;
use crate::references;
use crate::router::{Answer, Guard, Param, Route, boolean, get, one_of};
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
    boolean("non_archived"),
    one_of(
        "due_date",
        &[
            "0",
            "any",
            "today",
            "tomorrow",
            "overdue",
            "week",
            "month",
            "next_month_and_previous_two_weeks",
            "",
        ],
    ),
    one_of(
        "order_by",
        &[
            "created_at",
            "updated_at",
            "title",
            "due_date",
            "label_priority",
            "milestone_due",
            "popularity",
            "priority",
            "relative_position",
        ],
    ),
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
    get("issues", Guard::Open, of_all)
        .params(MORE)
        .also(FILTERS)
        .paginated(),
    get("issues_statistics", Guard::User, count_all)
        .params(MORE)
        .also(FILTERS),
    get(
        "groups/:id/issues_statistics",
        Guard::GroupReader,
        count_group,
    )
    .params(MORE)
    .also(FILTERS),
    get("projects/:id/issues_statistics", READER, count_project)
        .params(MORE)
        .also(FILTERS),
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
    get(
        "projects/:id/issues/:issue_iid/user_agent_detail",
        READER,
        user_agent,
    ),
];

fn of_project(ctx: &Ctx<'_>) -> Answer {
    list(ctx, "all", |_, issue| issue.project_id == ctx.project())
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let inside: Vec<u64> = ctx.state().projects_below(ctx.group());
    list(ctx, "all", |state, issue| {
        inside.contains(&issue.project_id) && is_wanted(ctx, state, issue.project_id)
    })
}

fn of_all(ctx: &Ctx<'_>) -> Answer {
    list(ctx, "created_by_me", |state, issue| {
        is_wanted(ctx, state, issue.project_id)
    })
}

/// Archived projects are left out of lists over several projects, unless asked for.
pub(super) fn is_wanted(ctx: &Ctx<'_>, state: &State, project: u64) -> bool {
    let archived = state
        .projects
        .get(project)
        .is_some_and(|project| project.settings.archived);
    !archived || ctx.boolean("non_archived") == Some(false)
}

fn count_project(ctx: &Ctx<'_>) -> Answer {
    count(ctx, "all", |_, issue| issue.project_id == ctx.project())
}

fn count_group(ctx: &Ctx<'_>) -> Answer {
    let inside: Vec<u64> = ctx.state().projects_below(ctx.group());
    count(ctx, "all", |state, issue| {
        inside.contains(&issue.project_id) && is_wanted(ctx, state, issue.project_id)
    })
}

fn count_all(ctx: &Ctx<'_>) -> Answer {
    count(ctx, "created_by_me", |state, issue| {
        is_wanted(ctx, state, issue.project_id)
    })
}

fn count(ctx: &Ctx<'_>, scope: &'static str, wanted: impl Fn(&State, &Issue) -> bool) -> Answer {
    let filter = Filter::read(ctx, scope)?;
    let state = ctx.state();
    let found = found(ctx, &state, &filter, wanted);
    let open = found.iter().filter(|issue| issue.open).count();
    let counts = json!({ "all": found.len(), "closed": found.len() - open, "opened": open });
    Ok(Response::ok(&json!({ "statistics": { "counts": counts } })))
}

fn list(ctx: &Ctx<'_>, scope: &'static str, wanted: impl Fn(&State, &Issue) -> bool) -> Answer {
    let filter = Filter::read(ctx, scope)?;
    let state = ctx.state();
    let mut rows = found(ctx, &state, &filter, wanted);
    rows.retain(|issue| {
        ctx.string("state")
            .is_none_or(|wanted| wanted == "all" || wanted == issue.state())
    });
    filter.sort(&mut rows, |issue, order| {
        let number = |number: Option<i64>| (number.is_none(), number.unwrap_or(0), String::new());
        let key = match order {
            "due_date" => {
                let due = issue.due_date.map(|day| day.to_string().replace('-', ""));
                number(due.and_then(|due| due.parse().ok()))
            }
            "relative_position" => number(issue.relative_position),
            _ => Facts::of_issue(issue).sort_key(&state, order),
        };
        (key, issue.id)
    });
    ctx.page(rows, |issue| issue_entity::entity(ctx, &state, issue))
}

/// The issues the caller may see and the filters let pass, whatever their state.
fn found<'a>(
    ctx: &Ctx<'_>,
    state: &'a State,
    filter: &Filter<'_>,
    wanted: impl Fn(&State, &Issue) -> bool,
) -> Vec<&'a Issue> {
    let passes = |issue: &&Issue| {
        wanted(state, issue)
            && issuables::may_read(state, ctx.caller.user(), Noteable::Issue(issue.id))
            && passes(ctx, issue)
            && filter.passes(state, &Facts::of_issue(issue))
    };
    state.issues.iter().filter(passes).collect()
}

fn passes(ctx: &Ctx<'_>, issue: &Issue) -> bool {
    ctx.string("issue_type")
        .is_none_or(|wanted| wanted == issue.issue_type)
        && ctx
            .boolean("confidential")
            .is_none_or(|wanted| wanted == issue.confidential)
        && ctx
            .string("due_date")
            .is_none_or(|wanted| is_due(clock::day(ctx.now()), issue.due_date, wanted))
}

/// Is an issue of this due date among those due then, seen from today?
fn is_due(today: Date, due: Option<Date>, wanted: &str) -> bool {
    let (Some(due), false) = (due, matches!(wanted, "0" | "")) else {
        return due.is_none() && matches!(wanted, "0" | "");
    };
    let days = |count: i32| today.saturating_add(Span::new().days(count));
    let monday = days(-i32::from(today.weekday().to_monday_zero_offset()));
    let within = |from: Date, to: Date| from <= due && due <= to;
    match wanted {
        "today" => due == today,
        "tomorrow" => due == days(1),
        "overdue" => due < today,
        "week" => within(monday, monday.saturating_add(Span::new().days(6))),
        "month" => within(today.first_of_month(), today.last_of_month()),
        "next_month_and_previous_two_weeks" => {
            let next = today.saturating_add(Span::new().months(1));
            within(days(-14), next.last_of_month())
        }
        _ => true,
    }
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
    let noteable = Noteable::Issue(id);
    let user = ctx.caller.user();
    let subscribed = user.is_some_and(|user| state.is_subscribed(user, noteable));
    entity["subscribed"] = Value::Bool(subscribed);
    Ok(entity)
}

/// Those that the issue and everything written on it refer to; a merge request that mentions the issue is there because GitLab
/// wrote that down on the issue, and stays there when its text changes.
fn related(ctx: &Ctx<'_>) -> Answer {
    let issue = find(ctx)?;
    let texts: Vec<String> = {
        let state = ctx.state();
        let notes = state.notes_on(Noteable::Issue(issue.id));
        notes
            .map(|note| note.body.clone())
            .chain(issue.description.clone())
            .collect()
    };
    merge_requests(ctx, |state, row| {
        let noteable = Noteable::MergeRequest(row.id);
        texts.iter().any(|text| {
            references::mentioned(state, ctx.url(), issue.project_id, text).contains(&noteable)
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
    let ids = state.participants(Noteable::Issue(issue.id));
    ctx.page(ids, |id| users::basic_by_id(&state, id, ctx.url()))
}

/// GitLab writes these down only for issues that its spam check looked at.
fn user_agent(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let admin = ctx.state().users.get(user).is_some_and(|user| user.admin);
    admin.then_some(()).ok_or_else(ApiError::forbidden)?;
    find(ctx)?;
    Err(ApiError::not_found("UserAgentDetail"))
}
