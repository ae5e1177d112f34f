//! Opening, changing, moving and deleting issues.

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::issuable_changes as changes;
use crate::issuable_details::{set_due_date, set_locked, set_type};
use crate::issuables;
use crate::message::Response;
use crate::quick_actions;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, integer, one_of, post, put, string,
};
use crate::store::issues::Issue;
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
            changes::set_title(&mut state, noteable, &title, user, now);
        }
        if ctx.given("description") {
            let text = ctx.string("description").map(|_| parsed.text.as_str());
            changes::set_description(&mut state, ctx.url(), noteable, text, user, now);
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

/// Moves an issue: a new one in the other project, and this one closed with a pointer to it.
fn relocate(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let old = find(ctx)?;
    let target = ctx.number("to_project_id").unwrap_or(0);
    let new = {
        let mut state = ctx.state();
        if state.projects.get(target).is_none() {
            return Err(ApiError::not_found("Project"));
        }
        let here = issuables::may_administer(&state, user, Noteable::Issue(old.id));
        let there = access::in_project(&state, Some(user), target).at_least(Role::Planner);
        let reason = match (old.project_id == target, here && there, old.moved_to_id) {
            (true, _, _) => Some("Cannot move issue to project it originates from!"),
            (false, true, None) => None,
            (false, _, _) => Some("Cannot move issue due to insufficient permissions!"),
        };
        if let Some(reason) = reason {
            return Err(ApiError::message(400, reason));
        }
        let id = issuables::add_issue(&mut state, target, &old.title, user, now);
        if let Some(issue) = state.issues.get_mut(id) {
            *issue = Issue {
                id,
                iid: issue.iid,
                project_id: target,
                label_ids: Vec::new(),
                milestone_id: None,
                ..old.clone()
            };
        }
        changes::set_open(&mut state, Noteable::Issue(old.id), false, user, now);
        if let Some(issue) = state.issues.get_mut(old.id) {
            issue.moved_to_id = Some(id);
        }
        let text = |state: &crate::store::State, project: u64, iid: u64| {
            let project = state.projects.get(project);
            let path = project
                .map(|project| state.project_path(project))
                .unwrap_or_default();
            format!("{path}#{iid}")
        };
        let to = text(
            &state,
            target,
            issuables::iid_of(&state, Noteable::Issue(id)),
        );
        let from = text(&state, old.project_id, old.iid);
        let told = [
            (old.id, format!("moved to {to}")),
            (id, format!("moved from {from}")),
        ];
        for (issue, text) in told {
            issuables::add_system_note(&mut state, Noteable::Issue(issue), user, now, &text);
        }
        id
    };
    Ok(Response::created(&shown(ctx, new)?))
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
    state.awards.retain(|award| award.noteable != noteable);
    Ok(Response::no_content())
}
