//! Lists of users that the strategies of feature flags go by.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, post, put, string};
use crate::store::State;
use crate::store::feature_flags::UserList;

use super::feature_flag_strategies::are_user_ids;

const DEVELOPER: Guard = Guard::Project(Role::Developer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/feature_flags_user_lists", DEVELOPER, index)
        .params(&[string("search")])
        .paginated(),
    post("projects/:id/feature_flags_user_lists", DEVELOPER, create)
        .params(&[string("name").required(), string("user_xids").required()]),
    get(
        "projects/:id/feature_flags_user_lists/:iid",
        DEVELOPER,
        show,
    ),
    put(
        "projects/:id/feature_flags_user_lists/:iid",
        DEVELOPER,
        update,
    )
    .params(&[string("name"), string("user_xids")]),
    delete(
        "projects/:id/feature_flags_user_lists/:iid",
        DEVELOPER,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let words = ctx.string("search").unwrap_or_default().to_lowercase();
    let own = state.user_lists_of(ctx.project()).filter(|list| {
        let name = list.name.to_lowercase();
        words.split_whitespace().all(|word| name.contains(word))
    });
    ctx.page(own, |list| entity(&state, list))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(&state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let list = UserList {
        id: 0,
        iid: 0,
        project_id: ctx.project(),
        name: String::new(),
        user_xids: String::new(),
        created_at: ctx.now(),
        updated_at: ctx.now(),
    };
    let list = with_changes(ctx, &state, list)?;
    let iid = state.next_iid(ctx.project(), "feature_flag_user_lists");
    let id = state.user_lists.insert(|id| UserList { id, iid, ..list });
    let made = state.user_lists.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(&state, made)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let list = with_changes(ctx, &state, find(ctx, &state)?.clone())?;
    let answer = Response::ok(&entity(&state, &list));
    if let Some(stored) = state.user_lists.get_mut(list.id) {
        *stored = list;
    }
    Ok(answer)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let in_use = state
        .feature_flags
        .iter()
        .flat_map(|flag| &flag.strategies)
        .any(|strategy| strategy.user_list == Some(id));
    if in_use {
        let text = "User list is associated with a strategy";
        return Err(ApiError::messages(409, &[text]));
    }
    state.user_lists.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a UserList, ApiError> {
    let iid = ctx.path_number("iid")?;
    let mut own = state.user_lists_of(ctx.project());
    own.find(|list| list.iid == iid)
        .ok_or_else(ApiError::not_found_plain)
}

fn with_changes(ctx: &Ctx<'_>, state: &State, mut list: UserList) -> Result<UserList, ApiError> {
    if let Some(name) = ctx.string("name") {
        name.clone_into(&mut list.name);
    }
    if let Some(ids) = ctx.string("user_xids") {
        ids.clone_into(&mut list.user_xids);
    }
    list.updated_at = ctx.now();
    let mut wrong = Vec::new();
    if list.name.trim().is_empty() {
        wrong.push("Name can't be blank");
    }
    let mut others = state.user_lists_of(list.project_id);
    if others.any(|other| other.id != list.id && other.name == list.name) {
        wrong.push("Name has already been taken");
    }
    match list.name.chars().count() {
        0 => wrong.push("Name is too short (minimum is 1 character)"),
        1..=255 => {}
        256.. => wrong.push("Name is too long (maximum is 255 characters)"),
    }
    if !are_user_ids(&list.user_xids) {
        wrong.push("User xids user_xids must be a string of unique comma separated values each 256 characters or less");
    }
    if wrong.is_empty() {
        Ok(list)
    } else {
        Err(ApiError::messages(400, &wrong))
    }
}

/// A list as the strategies of flags show it.
pub(super) fn basic(list: &UserList) -> Value {
    json!({ "id": list.id, "iid": list.iid, "name": list.name, "user_xids": list.user_xids })
}

fn entity(state: &State, list: &UserList) -> Value {
    let project = state.projects.get(list.project_id);
    let project = project
        .map(|project| state.project_path(project))
        .unwrap_or_default();
    let path = format!("/{project}/-/feature_flags_user_lists/{}", list.iid);
    let mut shown = basic(list);
    shown["project_id"] = json!(list.project_id);
    shown["created_at"] = json!(clock::iso(list.created_at));
    shown["updated_at"] = json!(clock::iso(list.updated_at));
    shown["edit_path"] = json!(format!("{path}/edit"));
    shown["path"] = json!(path);
    shown
}
