//! Milestones of projects.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::issuables;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integers, one_of, post, put, string,
};
use crate::store::State;
use crate::store::milestones::Milestone;
use crate::store::notes::Noteable;

use super::instants::day;
use super::{issue_entity, merge_request_entity};

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Planner);
const FIELDS: &[Param] = &[
    string("description"),
    string("due_date"),
    string("start_date"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/milestones", READER, index)
        .params(&[
            integers("iids"),
            one_of("state", &["active", "closed", "all"]),
            string("title"),
            string("search"),
            boolean("include_ancestors"),
            boolean("include_parent_milestones"),
        ])
        .paginated(),
    get("projects/:id/milestones/:milestone_id", READER, show),
    post("projects/:id/milestones", WRITER, create)
        .params(FIELDS)
        .also(&[string("title").required()]),
    put("projects/:id/milestones/:milestone_id", WRITER, update)
        .params(FIELDS)
        .also(&[
            string("title"),
            one_of("state_event", &["close", "activate"]),
        ]),
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
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let search = ctx.string("search").map(str::to_lowercase);
    let iids = ctx.list_of_numbers("iids");
    let found = state
        .milestones_of(ctx.project())
        .rev()
        .filter(|milestone| {
            let text = |text: &String| {
                let description = milestone.description.as_deref().unwrap_or_default();
                milestone.title.to_lowercase().contains(text)
                    || description.to_lowercase().contains(text)
            };
            ctx.string("state")
                .is_none_or(|wanted| wanted == "all" || wanted == milestone.state())
                && ctx
                    .string("title")
                    .is_none_or(|title| milestone.title == title)
                && iids
                    .as_ref()
                    .is_none_or(|iids| iids.contains(&milestone.iid))
                && search.as_ref().is_none_or(text)
        });
    ctx.page(found, |milestone| entity(ctx, &state, milestone))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, project_id, now) = (ctx.state(), ctx.project(), ctx.now());
    let milestone = changed(
        ctx,
        Milestone {
            id: 0,
            iid: 0,
            project_id,
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
    let iid = state.next_iid(project_id, "milestones");
    let id = state.milestones.insert(|id| Milestone {
        id,
        iid,
        ..milestone
    });
    let milestone = state.milestones.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, milestone)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?.clone();
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
    Ok(Response::ok(&entity(ctx, &state, &new)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let row = find(ctx, &state)?;
    ctx.check_unmodified(row.updated_at)?;
    let id = row.id;
    state.milestones.remove(id);
    let gone = |milestone: &mut Option<u64>| {
        if *milestone == Some(id) {
            *milestone = None;
        }
    };
    state
        .issues
        .iter_mut()
        .for_each(|issue| gone(&mut issue.milestone_id));
    state
        .merge_requests
        .iter_mut()
        .for_each(|row| gone(&mut row.milestone_id));
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
    let rows = state
        .merge_requests
        .iter()
        .filter(|row| row.milestone_id == Some(id));
    ctx.page(rows, |row| merge_request_entity::basic(ctx, &state, row))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Milestone, ApiError> {
    let id = ctx.path_number("milestone_id")?;
    state
        .milestones_of(ctx.project())
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
    let other = state.milestone_titled(milestone.project_id, &milestone.title);
    if other.is_some_and(|other| other.id != milestone.id) {
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
    let url = state.project_url(ctx.url(), milestone.project_id);
    let today = clock::day(ctx.now());
    json!({
        "id": milestone.id,
        "iid": milestone.iid,
        "project_id": milestone.project_id,
        "title": milestone.title,
        "description": milestone.description,
        "state": milestone.state(),
        "created_at": clock::iso(milestone.created_at),
        "updated_at": clock::iso(milestone.updated_at),
        "due_date": milestone.due_date.map(|day| day.to_string()),
        "start_date": milestone.start_date.map(|day| day.to_string()),
        "expired": milestone.due_date.is_some_and(|due| due < today),
        "web_url": format!("{url}/-/milestones/{}", milestone.iid),
    })
}

/// A milestone by id; null for none.
pub(crate) fn entity_by_id(ctx: &Ctx<'_>, state: &State, id: Option<u64>) -> Value {
    let milestone = id.and_then(|id| state.milestones.get(id));
    milestone.map_or(Value::Null, |milestone| entity(ctx, state, milestone))
}
