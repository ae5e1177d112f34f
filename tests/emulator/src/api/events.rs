//! The activity of people: their own, somebody's, a project's.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::access;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::router::{Answer, Guard, Param, Route, get, one_of, string};
use crate::store::State;
use crate::store::events::{Event, EventAction, EventTarget, PushData};
use crate::store::notes::Noteable;

use super::{notes, users};

const FILTERS: &[Param] = &[
    string("action"),
    one_of(
        "target_type",
        &[
            "issue",
            "milestone",
            "merge_request",
            "note",
            "project",
            "snippet",
            "user",
            "wiki",
            "design",
            "work_item",
        ],
    ),
    string("before"),
    string("after"),
    one_of("sort", &["asc", "desc"]),
];

pub(super) const ROUTES: &[Route] = &[
    get("events", Guard::User, own)
        .params(FILTERS)
        .also(&[string("scope")])
        .paginated(),
    get("users/:id/events", Guard::Open, of_user)
        .params(FILTERS)
        .paginated(),
    get("projects/:id/events", Guard::ProjectReader, of_project)
        .params(FILTERS)
        .paginated(),
];

fn own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    if ctx.string("scope") == Some("all") {
        return list(ctx, |state, event| {
            let access = access::in_project(state, Some(user), event.project_id);
            access.role.is_some()
        });
    }
    list(ctx, |_, event| event.author_id == user)
}

fn of_user(ctx: &Ctx<'_>) -> Answer {
    let wanted = {
        let state = ctx.state();
        let name = ctx.path("id");
        let by_id = name.parse().ok().and_then(|id| state.users.get(id));
        let user = by_id.or_else(|| state.user_named(name));
        user.ok_or_else(|| ApiError::not_found("User"))?.id
    };
    list(ctx, |_, event| event.author_id == wanted)
}

fn of_project(ctx: &Ctx<'_>) -> Answer {
    list(ctx, |_, event| event.project_id == ctx.project())
}

fn list(ctx: &Ctx<'_>, wanted: impl Fn(&State, &Event) -> bool) -> Answer {
    let action = match ctx.string("action").filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => {
            let known = EventAction::ALL.into_iter();
            let found = known
                .into_iter()
                .find(|action| action.filter_name() == name);
            let invalid = || ApiError::error(400, "action does not have a valid value");
            Some(found.ok_or_else(invalid)?)
        }
    };
    let (after, before) = (day(ctx, "after")?, day(ctx, "before")?);
    let state = ctx.state();
    let user = ctx.caller.user();
    let mut found: Vec<&Event> = state
        .events
        .iter()
        .filter(|event| {
            let day = clock::day(event.created_at);
            wanted(&state, event)
                && action.is_none_or(|action| event.action == action)
                && after.is_none_or(|after| day > after)
                && before.is_none_or(|before| day < before)
                && is_about(&state, event, ctx.string("target_type"))
                && is_visible(&state, user, event)
        })
        .collect();
    found.sort_by_key(|event| (event.created_at, event.id));
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    ctx.page(found, |event| entity(ctx, &state, event))
}

fn day(ctx: &Ctx<'_>, name: &str) -> Result<Option<Date>, ApiError> {
    let Some(text) = ctx.string(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let mut parts = text
        .split('T')
        .next()
        .unwrap_or_default()
        .split('-')
        .map(|part| part.parse::<i16>().ok());
    let mut next = || parts.next().flatten();
    let date = (|| {
        let (year, month, day) = (next()?, next()?, next()?);
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    })();
    date.map(Some)
        .ok_or_else(|| ApiError::error(400, format!("{name} is invalid")))
}

fn is_about(state: &State, event: &Event, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else {
        return true;
    };
    match &event.target {
        EventTarget::Project | EventTarget::Push(_) => false,
        EventTarget::Noteable(Noteable::Issue(id)) => {
            wanted == "issue"
                || (wanted == "work_item"
                    && state
                        .issues
                        .get(*id)
                        .is_some_and(|issue| issue.issue_type == "task"))
        }
        EventTarget::Noteable(Noteable::MergeRequest(_)) => wanted == "merge_request",
        EventTarget::Note(_) => wanted == "note",
        EventTarget::Milestone(_) => wanted == "milestone",
    }
}

fn is_visible(state: &State, user: Option<u64>, event: &Event) -> bool {
    let access = access::in_project(state, user, event.project_id);
    let code = || access::may_read_code(state, user, event.project_id);
    access.can_read
        && match &event.target {
            EventTarget::Project | EventTarget::Milestone(_) => true,
            EventTarget::Push(_) => code(),
            EventTarget::Noteable(noteable) => reads(state, user, *noteable),
            EventTarget::Note(id) => state
                .notes
                .get(*id)
                .is_none_or(|note| reads(state, user, note.noteable) && !note.internal),
        }
}

fn reads(state: &State, user: Option<u64>, noteable: Noteable) -> bool {
    match noteable {
        // What is gone has no secrets left but its number.
        Noteable::Issue(id) if state.issues.get(id).is_none() => true,
        Noteable::Issue(_) | Noteable::MergeRequest(_) => {
            issuables::may_read(state, user, noteable)
        }
    }
}

fn entity(ctx: &Ctx<'_>, state: &State, event: &Event) -> Value {
    let (kind, id, iid, title) = target(state, event);
    let author = state.users.get(event.author_id);
    let mut entity = json!({
        "id": event.id,
        "project_id": event.project_id,
        "action_name": action_name(event),
        "target_id": id,
        "target_iid": iid,
        "target_type": kind,
        "author_id": event.author_id,
        "target_title": title,
        "created_at": clock::iso(event.created_at),
        "author": author.map(|author| users::basic(author, ctx.url())),
        "imported": false,
        "imported_from": "none",
        "author_username": author.map(|author| author.username.as_str()),
    });
    match &event.target {
        EventTarget::Note(id) => {
            let note = state.notes.get(*id);
            entity["note"] = json!(note.map(|note| notes::entity(ctx, state, note)));
        }
        EventTarget::Push(push) => entity["push_data"] = payload(push),
        EventTarget::Project | EventTarget::Noteable(_) | EventTarget::Milestone(_) => {}
    }
    entity
}

type Target = (
    Option<&'static str>,
    Option<u64>,
    Option<u64>,
    Option<String>,
);

fn target(state: &State, event: &Event) -> Target {
    match &event.target {
        EventTarget::Project | EventTarget::Push(_) => (None, None, None, None),
        EventTarget::Noteable(noteable) => {
            let title = title(state, *noteable);
            let iid = title
                .as_ref()
                .map_or(noteable.id(), |_| issuables::iid_of(state, *noteable));
            let kind = Some(noteable.type_name());
            (kind, Some(noteable.id()), Some(iid), title)
        }
        EventTarget::Note(id) => {
            let note = state.notes.get(*id);
            let kind = note.and_then(crate::store::notes::Note::kind);
            let title = note.and_then(|note| title(state, note.noteable));
            (Some(kind.unwrap_or("Note")), Some(*id), Some(*id), title)
        }
        EventTarget::Milestone(id) => {
            let found = state.milestones.get(*id);
            let iid = found.map_or(*id, |milestone| milestone.iid);
            let title = found.map(|milestone| milestone.title.clone());
            (Some("Milestone"), Some(*id), Some(iid), title)
        }
    }
}

fn title(state: &State, noteable: Noteable) -> Option<String> {
    match noteable {
        Noteable::Issue(id) => state.issues.get(id).map(|issue| issue.title.clone()),
        Noteable::MergeRequest(id) => state.merge_requests.get(id).map(|row| row.title.clone()),
    }
}

fn action_name(event: &Event) -> &'static str {
    match (event.action, &event.target) {
        (EventAction::Pushed, EventTarget::Push(push)) => match (&push.from, &push.to) {
            (None, _) => "pushed new",
            (_, None) => "deleted",
            (Some(_), Some(_)) => "pushed to",
        },
        (EventAction::Created, EventTarget::Project) => "created",
        (EventAction::Closed, _) => "closed",
        (EventAction::Merged, _) => "accepted",
        (EventAction::Joined, _) => "joined",
        (EventAction::Left, _) => "left",
        (EventAction::Expired, _) => "removed due to membership expiration from",
        (EventAction::Destroyed, _) => "destroyed",
        (EventAction::Commented, _) => "commented on",
        (EventAction::Approved, _) => "approved",
        (
            EventAction::Created
            | EventAction::Updated
            | EventAction::Reopened
            | EventAction::Pushed,
            _,
        ) => "opened",
    }
}

fn payload(push: &PushData) -> Value {
    let action = match (&push.from, &push.to) {
        (None, _) => "created",
        (_, None) => "removed",
        (Some(_), Some(_)) => "pushed",
    };
    json!({
        "commit_count": push.commits,
        "action": action,
        "ref_type": if push.branch { "branch" } else { "tag" },
        "commit_from": push.from,
        "commit_to": push.to,
        "ref": push.name,
        "commit_title": push.title,
        "ref_count": Value::Null,
    })
}
