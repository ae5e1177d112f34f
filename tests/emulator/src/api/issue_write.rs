//! Opening, changing, moving and deleting issues.

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::issuable_changes as changes;
use crate::issuable_details::{set_due_date, set_locked, set_type};
use crate::issuable_texts as texts;
use crate::issuables;
use crate::issue_moving as moving;
use crate::message::Response;
use crate::quick_actions;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, integer, one_of, post, put, string,
};
use crate::store::notes::Noteable;

use super::instants::{day, instant};
use super::issuable_fields;
use super::issues::{find, shown};

const FIELDS: &[Param] = &[
    string("description"),
    boolean("confidential"),
    boolean("discussion_locked"),
    string("due_date"),
    one_of("issue_type", &["issue", "incident", "test_case", "task"]),
];

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/issues", Guard::ProjectReader, create)
        .params(FIELDS)
        .and(issuable_fields::FIELDS)
        .also(&[string("title").required(), string("created_at")]),
    put(
        "projects/:id/issues/:issue_iid",
        Guard::ProjectReader,
        update,
    )
    .params(FIELDS)
    .and(issuable_fields::FIELDS)
    .also(&[
        string("title"),
        string("updated_at"),
        one_of("state_event", &["close", "reopen"]),
    ]),
    post(
        "projects/:id/issues/:issue_iid/move",
        Guard::ProjectReader,
        relocate,
    )
    .params(&[integer("to_project_id").required()]),
    post(
        "projects/:id/issues/:issue_iid/clone",
        Guard::ProjectReader,
        clone,
    )
    .params(&[integer("to_project_id").required(), boolean("with_notes")]),
    put(
        "projects/:id/issues/:issue_iid/reorder",
        Guard::ProjectReader,
        reorder,
    )
    .params(&[integer("move_after_id"), integer("move_before_id")]),
    delete(
        "projects/:id/issues/:issue_iid",
        Guard::ProjectReader,
        destroy,
    ),
];

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, project, now) = (ctx.user()?, ctx.project(), ctx.now());
    let title = checked_title(ctx.string("title").unwrap_or_default())?;
    let due = day(ctx, "due_date")?;
    let created_at = instant(ctx, "created_at")?;
    let parsed = quick_actions::parse(ctx.string("description").unwrap_or_default());
    let id = {
        let mut state = ctx.state();
        let owner = access::in_project(&state, Some(user), project).at_least(Role::Owner);
        let at = created_at.filter(|_| owner).unwrap_or(now);
        let id = issuables::add_issue(&mut state, project, &title, user, at);
        let noteable = Noteable::Issue(id);
        issuable_fields::set(ctx, &mut state, noteable, user, now);
        if let Some(issue) = state.issues.get_mut(id) {
            issue.description = ctx.given("description").then(|| parsed.text.clone());
            issue.confidential = ctx.boolean("confidential").unwrap_or(false);
            issue.discussion_locked = ctx.boolean("discussion_locked");
            issue.due_date = due.flatten();
            issue.updated_at = at;
            if let Some(kind) = ctx.string("issue_type") {
                kind.clone_into(&mut issue.issue_type);
            }
        }
        issuables::call(&mut state, noteable, user, now, &parsed.text, None);
        for text in [title.as_str(), parsed.text.as_str()] {
            issuables::mention(&mut state, ctx.url(), noteable, user, now, text);
        }
        id
    };
    quick_actions::execute(
        ctx.shared,
        user,
        Noteable::Issue(id),
        &parsed.commands,
        None,
    );
    Ok(Response::created(&shown(ctx, id)?))
}

fn checked_title(title: &str) -> Result<String, ApiError> {
    let mut invalid = Invalid::default();
    if title.trim().is_empty() {
        invalid.add("title", "can't be blank");
    }
    if title.chars().count() > 255 {
        invalid.add("title", "is too long (maximum is 255 characters)");
    }
    invalid.check()?;
    Ok(title.to_owned())
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let old = find(ctx)?;
    let noteable = Noteable::Issue(old.id);
    if !issuables::may_update(&ctx.state(), user, noteable) {
        return Err(ApiError::forbidden());
    }
    let title = ctx.string("title").map(checked_title).transpose()?;
    let due = day(ctx, "due_date")?;
    let parsed = quick_actions::parse(ctx.string("description").unwrap_or_default());
    {
        let mut state = ctx.state();
        issuable_fields::set(ctx, &mut state, noteable, user, now);
        if let Some(title) = title {
            texts::set_title(&mut state, noteable, &title, user, now);
        }
        if ctx.given("description") {
            let text = ctx.string("description").map(|_| parsed.text.as_str());
            texts::set_description(&mut state, ctx.url(), noteable, text, user, now);
        }
        if let Some(confidential) = ctx.boolean("confidential") {
            changes::set_confidential(&mut state, noteable, confidential, user, now);
        }
        if let Some(due) = due {
            set_due_date(&mut state, old.id, due, user, now);
        }
        if ctx.given("discussion_locked") {
            let locked = ctx.boolean("discussion_locked");
            set_locked(&mut state, noteable, locked, user, now);
        }
        if let Some(kind) = ctx.string("issue_type") {
            set_type(&mut state, old.id, kind, user, now);
        }
        issuables::touch(&mut state, noteable, now);
        if let Some(event) = ctx.string("state_event") {
            changes::set_open(&mut state, noteable, event == "reopen", user, now);
        }
    }
    quick_actions::execute(ctx.shared, user, noteable, &parsed.commands, None);
    Ok(Response::ok(&shown(ctx, old.id)?))
}

fn relocate(ctx: &Ctx<'_>) -> Answer {
    let (user, old) = (ctx.user()?, find(ctx)?);
    let target = visible_target(ctx, user)?;
    let moved = moving::relocate(&mut ctx.state(), old.id, target, user, ctx.now());
    let new = moved.map_err(|reason| ApiError::message(400, reason))?;
    Ok(Response::created(&shown(ctx, new)?))
}

fn clone(ctx: &Ctx<'_>) -> Answer {
    let (user, old) = (ctx.user()?, find(ctx)?);
    let target = visible_target(ctx, user)?;
    let with_notes = ctx.boolean("with_notes").unwrap_or(false);
    let (mut state, now) = (ctx.state(), ctx.now());
    let cloned = moving::clone(&mut state, old.id, target, with_notes, user, now);
    drop(state);
    let new = cloned.map_err(|reason| ApiError::message(400, reason))?;
    Ok(Response::created(&shown(ctx, new)?))
}

fn visible_target(ctx: &Ctx<'_>, user: u64) -> Result<u64, ApiError> {
    let target = ctx.number("to_project_id").unwrap_or(0);
    let readable = access::in_project(&ctx.state(), Some(user), target).can_read;
    readable
        .then_some(target)
        .ok_or_else(|| ApiError::not_found("Project"))
}

/// Puts an issue between two others in the order that people choose.
fn reorder(ctx: &Ctx<'_>) -> Answer {
    let (user, issue) = (ctx.user()?, find(ctx)?);
    let may = issuables::may_administer(&ctx.state(), user, Noteable::Issue(issue.id));
    may.then_some(()).ok_or_else(ApiError::forbidden)?;
    let (before, after) = (ctx.number("move_after_id"), ctx.number("move_before_id"));
    if before.is_none() && after.is_none() {
        let names = "move_after_id, move_before_id";
        let text = format!("{names} are missing, at least one parameter must be provided");
        return Err(ApiError::error(400, text));
    }
    {
        let mut state = ctx.state();
        // Issues that nobody put anywhere stand in the order of their making.
        let mut order: Vec<(bool, i64, u64)> = state
            .issues_of(issue.project_id)
            .filter(|row| row.id != issue.id)
            .map(|row| {
                let position = row.relative_position;
                (position.is_none(), position.unwrap_or(0), row.id)
            })
            .collect();
        order.sort_unstable();
        let mut ids: Vec<u64> = order.into_iter().map(|(_, _, id)| id).collect();
        let at = |wanted: u64| ids.iter().position(|id| *id == wanted);
        let place = match (before, after) {
            (Some(before), _) => at(before).map(|at| at + 1),
            (None, after) => after.and_then(at),
        };
        let place = place.ok_or_else(ApiError::not_found_plain)?;
        ids.insert(place, issue.id);
        for (position, id) in (1_i64..).zip(ids) {
            if let Some(row) = state.issues.get_mut(id) {
                row.relative_position = Some(position * 1000);
            }
        }
    }
    Ok(Response::ok(&shown(ctx, issue.id)?))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    ctx.user()?;
    let row = find(ctx)?;
    ctx.require(Role::Owner)?;
    ctx.check_unmodified(row.updated_at)?;
    let id = row.id;
    let mut state = ctx.state();
    let noteable = Noteable::Issue(id);
    state.issues.remove(id);
    state
        .issue_links
        .retain(|link| link.source != id && link.target != id);
    state.notes.retain(|note| note.noteable != noteable);
    state
        .resource_events
        .retain(|event| event.noteable != noteable);
    state
        .awards
        .retain(|award| award.target != crate::store::awards::Awardable::Noteable(noteable));
    Ok(Response::no_content())
}
