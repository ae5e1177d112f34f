//! A user's own list of things to do.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, get, integer, one_of, post, string};
use crate::store::State;
use crate::store::notes::Noteable;
use crate::store::todos::{Todo, TodoAction};

use super::{issue_entity, merge_request_entity, project_entity, users};

const FILTERS: &[Param] = &[
    string("action"),
    integer("author_id"),
    integer("project_id"),
    integer("group_id"),
    one_of("state", &["pending", "done"]),
    string("type"),
];

pub(super) const ROUTES: &[Route] = &[
    get("todos", Guard::User, index).params(FILTERS).paginated(),
    post("todos/:todo_id/mark_as_done", Guard::User, finish),
    post("todos/mark_as_done", Guard::User, finish_all).params(FILTERS),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let found: Vec<&Todo> = state
        .todos
        .iter()
        .rev()
        .filter(|todo| {
            let readable = issuables::may_read(&state, Some(user), todo.noteable);
            todo.user_id == user && readable && passes(ctx, &state, todo)
        })
        .collect();
    ctx.page(found, |todo| entity(ctx, &state, todo))
}

fn passes(ctx: &Ctx<'_>, state: &State, todo: &Todo) -> bool {
    let named = |action: &str| {
        let number = action.parse::<usize>().ok();
        let by_number = number.and_then(|number| TodoAction::ALL.get(number.wrapping_sub(1)));
        action == todo.action.as_str() || by_number == Some(&todo.action)
    };
    let in_group = |group: u64| state.projects_below(group).contains(&todo.project_id);
    todo.done == (ctx.string("state") == Some("done"))
        && ctx.string("action").is_none_or(named)
        && ctx
            .number("author_id")
            .is_none_or(|id| todo.author_id == id)
        && ctx
            .number("project_id")
            .is_none_or(|id| todo.project_id == id)
        && ctx.number("group_id").is_none_or(in_group)
        && ctx
            .string("type")
            .is_none_or(|kind| todo.noteable.type_name() == kind)
}

fn finish(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let id = ctx.path_number("todo_id")?;
    let mut state = ctx.state();
    let todo = state.todos.get_mut(id).filter(|todo| todo.user_id == user);
    let todo = todo.ok_or_else(ApiError::not_found_plain)?;
    (todo.done, todo.updated_at) = (true, now);
    let todo = state.todos.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, todo)))
}

fn finish_all(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let mut state = ctx.state();
    let mine: Vec<u64> = state
        .todos
        .iter()
        .filter(|todo| todo.user_id == user && !todo.done && passes(ctx, &state, todo))
        .map(|todo| todo.id)
        .collect();
    for id in mine {
        if let Some(todo) = state.todos.get_mut(id) {
            (todo.done, todo.updated_at) = (true, now);
        }
    }
    Ok(Response::no_content())
}

/// An entry of the list as the API writes it.
pub(super) fn entity(ctx: &Ctx<'_>, state: &State, todo: &Todo) -> Value {
    let (target, title) = match todo.noteable {
        Noteable::Issue(id) => {
            let issue = state.issues.get(id);
            let target = issue.map(|issue| issue_entity::entity(ctx, state, issue));
            (target, issue.map(|issue| issue.title.clone()))
        }
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get(id);
            let target = row.map(|row| merge_request_entity::basic(ctx, state, row));
            (target, row.map(|row| row.title.clone()))
        }
    };
    let project = state.projects.get(todo.project_id);
    let identity = project.map(|project| {
        let mut entity = project_entity::simple(ctx, state, project);
        entity.retain(|name, _| IDENTITY.contains(&name.as_str()));
        Value::Object(entity)
    });
    let note = todo.note_id.and_then(|id| state.notes.get(id));
    let page = target
        .as_ref()
        .and_then(|target| target["web_url"].as_str())
        .unwrap_or_default();
    let url = match note {
        Some(note) => format!("{page}#note_{}", note.id),
        None => page.to_owned(),
    };
    json!({
        "id": todo.id,
        "project": identity,
        "author": users::basic_by_id(state, todo.author_id, ctx.url()),
        "action_name": todo.action.as_str(),
        "target_type": todo.noteable.type_name(),
        "target": target,
        "target_url": url,
        "body": note.map(|note| note.body.clone()).or(title),
        "state": if todo.done { "done" } else { "pending" },
        "created_at": clock::iso(todo.created_at),
        "updated_at": clock::iso(todo.updated_at),
    })
}

/// What an entry says of its project.
const IDENTITY: [&str; 7] = [
    "id",
    "description",
    "name",
    "name_with_namespace",
    "path",
    "path_with_namespace",
    "created_at",
];
