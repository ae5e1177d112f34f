//! Milestones of projects and groups.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::issuables;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integers, one_of, post, put, string,
};
use crate::store::State;
use crate::store::events::{EventAction, EventTarget};
use crate::store::holders::Holder;
use crate::store::milestones::Milestone;
use crate::store::notes::Noteable;

use super::instants::day;
use super::labels::holder;
use super::{issue_entity, merge_request_entity};

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Planner);
const GROUP_READER: Guard = Guard::GroupReader;
const GROUP_WRITER: Guard = Guard::Group(Role::Planner);
const LIST: &[Param] = &[
    integers("iids"),
    one_of("state", &["active", "closed", "all"]),
    string("title"),
    string("search"),
    string("search_title"),
    boolean("include_ancestors"),
    boolean("include_parent_milestones"),
    string("updated_before"),
    string("updated_after"),
    string("containing_date"),
];
const FIELDS: &[Param] = &[
    string("description"),
    string("due_date"),
    string("start_date"),
];
const TITLE: &[Param] = &[string("title").required()];
const CHANGE: &[Param] = &[
    string("title"),
    one_of("state_event", &["close", "activate"]),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/milestones", READER, index)
        .params(LIST)
        .paginated(),
    get("projects/:id/milestones/:milestone_id", READER, show),
    post("projects/:id/milestones", WRITER, create)
        .params(FIELDS)
        .also(TITLE),
    put("projects/:id/milestones/:milestone_id", WRITER, update)
        .params(FIELDS)
        .also(CHANGE),
    delete("projects/:id/milestones/:milestone_id", WRITER, destroy),
    get(
        "projects/:id/milestones/:milestone_id/issues",
        READER,
        issues,
    )
    .paginated(),
    get(
        "projects/:id/milestones/:milestone_id/merge_requests",
        READER,
        merge_requests,
    )
    .paginated(),
    post(
        "projects/:id/milestones/:milestone_id/promote",
        WRITER,
        promote,
    ),
    get("groups/:id/milestones", GROUP_READER, index)
        .params(LIST)
        .also(&[boolean("include_descendents")])
        .paginated(),
    get("groups/:id/milestones/:milestone_id", GROUP_READER, show),
    post("groups/:id/milestones", GROUP_WRITER, create)
        .params(FIELDS)
        .also(TITLE),
    put("groups/:id/milestones/:milestone_id", GROUP_WRITER, update)
        .params(FIELDS)
        .also(CHANGE),
    delete("groups/:id/milestones/:milestone_id", GROUP_WRITER, destroy),
    get(
        "groups/:id/milestones/:milestone_id/issues",
        GROUP_READER,
        issues,
    )
    .paginated(),
    get(
        "groups/:id/milestones/:milestone_id/merge_requests",
        GROUP_READER,
        merge_requests,
    )
    .paginated(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let (before, after) = (
        ctx.instant("updated_before")?,
        ctx.instant("updated_after")?,
    );
    let today = day(ctx, "containing_date")?.flatten();
    let state = ctx.state();
    let holder = holder(ctx);
    let ancestors = ["include_ancestors", "include_parent_milestones"];
    let mut holders = vec![holder];
    if ancestors.iter().any(|name| ctx.boolean(name) == Some(true)) {
        holders = state.holder_and_above(holder);
    }
    if let (Holder::Group(group), Some(true)) = (holder, ctx.boolean("include_descendents")) {
        holders.extend(state.holders_below(group));
    }
    let iids = ctx.list_of_numbers("iids");
    let has = |text: &str, name: &str| {
        ctx.string(name)
            .is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
    };
    let found = state.milestones.iter().rev().filter(|milestone| {
        let description = milestone.description.as_deref().unwrap_or_default();
        let starts = |day| milestone.start_date.is_none_or(|start| start <= day);
        let ends = |day| milestone.due_date.is_none_or(|due| due >= day);
        holders.contains(&milestone.holder)
            && ctx
                .string("state")
                .is_none_or(|wanted| wanted == "all" || wanted == milestone.state())
            && ctx
                .string("title")
                .is_none_or(|title| milestone.title == title)
            && iids
                .as_ref()
                .is_none_or(|iids| iids.contains(&milestone.iid))
            && (has(&milestone.title, "search") || has(description, "search"))
            && has(&milestone.title, "search_title")
            && before.is_none_or(|before: Timestamp| milestone.updated_at <= before)
            && after.is_none_or(|after: Timestamp| milestone.updated_at >= after)
            && today.is_none_or(|day| starts(day) && ends(day))
    });
    ctx.page(found, |milestone| entity(ctx, &state, milestone))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, holder, now) = (ctx.state(), holder(ctx), ctx.now());
    let milestone = changed(
        ctx,
        Milestone {
            id: 0,
            iid: 0,
            holder,
            title: String::new(),
            description: None,
            active: true,
            start_date: None,
            due_date: None,
            created_at: now,
            updated_at: now,
        },
    )?;
    problems(&state, &milestone).check()?;
    let iid = state.next_milestone_iid(holder);
    let id = state.milestones.insert(|id| Milestone {
        id,
        iid,
        ..milestone
    });
    record(ctx, &mut state, holder, id, EventAction::Created)?;
    let milestone = state.milestones.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, milestone)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?.clone();
    let was_active = old.active;
    let mut new = changed(ctx, old)?;
    match ctx.string("state_event") {
        Some("close") => new.active = false,
        Some("activate") => new.active = true,
        Some(_) | None => {}
    }
    new.updated_at = ctx.now();
    problems(&state, &new).check()?;
    if let Some(stored) = state.milestones.get_mut(new.id) {
        stored.clone_from(&new);
    }
    if new.active != was_active {
        let action = if new.active {
            EventAction::Reopened
        } else {
            EventAction::Closed
        };
        record(ctx, &mut state, new.holder, new.id, action)?;
    }
    Ok(Response::ok(&entity(ctx, &state, &new)))
}

/// What happens to a project's milestones shows in the activity.
fn record(
    ctx: &Ctx<'_>,
    state: &mut State,
    holder: Holder,
    milestone: u64,
    action: EventAction,
) -> Result<(), ApiError> {
    let user = ctx.user()?;
    if let Holder::Project(project) = holder {
        let target = EventTarget::Milestone(milestone);
        state.record(project, user, action, target, ctx.now());
    }
    Ok(())
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let row = find(ctx, &state)?;
    ctx.check_unmodified(row.updated_at)?;
    let id = row.id;
    state.replace_milestone(id, None);
    Ok(Response::no_content())
}

fn issues(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state)?.id;
    let rows = state.issues.iter().filter(|issue| {
        let readable = || issuables::may_read(&state, ctx.caller.user(), Noteable::Issue(issue.id));
        issue.milestone_id == Some(id) && readable()
    });
    ctx.page(rows, |issue| issue_entity::entity(ctx, &state, issue))
}

fn merge_requests(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state)?.id;
    let user = ctx.caller.user();
    let rows = state.merge_requests.iter().filter(|row| {
        row.milestone_id == Some(id) && access::may_read_code(&state, user, row.project_id)
    });
    ctx.page(rows, |row| merge_request_entity::basic(ctx, &state, row))
}

/// The milestone moves up to the group, and takes the place of those of its title in the group's projects.
fn promote(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let old = find(ctx, &state)?.clone();
    let group = state
        .groups_above(ctx.project())
        .next()
        .ok_or_else(|| ApiError::message(400, "Project does not belong to a group."))?;
    if !access::in_group(&state, Some(user), group).at_least(Role::Planner) {
        return Err(ApiError::forbidden());
    }
    let holder = Holder::Group(group);
    let below = state.holders_below(group);
    let same = state
        .milestones
        .iter()
        .filter(|other| other.title == old.title && below.contains(&other.holder));
    let same: Vec<u64> = same.map(|other| other.id).collect();
    let iid = state.next_milestone_iid(holder);
    let id = state.milestones.insert(|id| Milestone {
        id,
        iid,
        holder,
        ..old
    });
    for other in same {
        state.replace_milestone(other, Some(id));
    }
    Ok(Response::ok(&json!(200)))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Milestone, ApiError> {
    let id = ctx.path_number("milestone_id")?;
    state
        .own_milestones(holder(ctx))
        .find(|milestone| milestone.id == id)
        .ok_or_else(|| ApiError::not_found("Milestone"))
}

fn changed(ctx: &Ctx<'_>, mut milestone: Milestone) -> Result<Milestone, ApiError> {
    if let Some(title) = ctx.string("title") {
        title.clone_into(&mut milestone.title);
    }
    if ctx.given("description") {
        milestone.description = ctx.string("description").map(str::to_owned);
    }
    if let Some(due) = day(ctx, "due_date")? {
        milestone.due_date = due;
    }
    if let Some(start) = day(ctx, "start_date")? {
        milestone.start_date = start;
    }
    Ok(milestone)
}

fn problems(state: &State, milestone: &Milestone) -> Invalid {
    let mut invalid = Invalid::default();
    if milestone.title.trim().is_empty() {
        invalid.add("title", "can't be blank");
    }
    // A title is unique among a group, the groups above it and the projects below it.
    let mut holders = state.holder_and_above(milestone.holder);
    if let Holder::Group(group) = milestone.holder {
        holders.extend(state.holders_below(group));
    }
    let taken = state.milestones.iter().any(|other| {
        other.id != milestone.id
            && other.title == milestone.title
            && holders.contains(&other.holder)
    });
    if taken {
        invalid.add(
            "title",
            "already being used for another group or project milestone.",
        );
    }
    if let (Some(start), Some(due)) = (milestone.start_date, milestone.due_date)
        && due < start
    {
        invalid.add("due_date", "must be greater than start date");
    }
    invalid
}

/// A milestone as the API writes it.
pub(crate) fn entity(ctx: &Ctx<'_>, state: &State, milestone: &Milestone) -> Value {
    let url = state.holder_url(ctx.url(), milestone.holder);
    let today = clock::day(ctx.now());
    let mut body = json!({
        "id": milestone.id,
        "iid": milestone.iid,
        "title": milestone.title,
        "description": milestone.description,
        "state": milestone.state(),
        "created_at": clock::iso(milestone.created_at),
        "updated_at": clock::iso(milestone.updated_at),
        "due_date": milestone.due_date.map(|day| day.to_string()),
        "start_date": milestone.start_date.map(|day| day.to_string()),
        "expired": milestone.due_date.is_some_and(|due| due < today),
        "web_url": format!("{url}/-/milestones/{}", milestone.iid),
    });
    match milestone.holder {
        Holder::Project(project) => body["project_id"] = json!(project),
        Holder::Group(group) => body["group_id"] = json!(group),
    }
    body
}

/// A milestone by id; null for none.
pub(crate) fn entity_by_id(ctx: &Ctx<'_>, state: &State, id: Option<u64>) -> Value {
    let milestone = id.and_then(|id| state.milestones.get(id));
    milestone.map_or(Value::Null, |milestone| entity(ctx, state, milestone))
}
