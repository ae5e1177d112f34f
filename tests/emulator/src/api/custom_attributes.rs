//! Custom attributes of users, groups and projects; for administrators.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, put, string};
use crate::store::State;
use crate::store::places::Place;

use super::users;

const VALUE: &[Param] = &[string("value").required()];
const PROJECT: Guard = Guard::Project(Role::Owner);
const GROUP: Guard = Guard::Group(Role::Owner);

pub(super) const ROUTES: &[Route] = &[
    get("users/:id/custom_attributes", Guard::Admin, index),
    get("users/:id/custom_attributes/:key", Guard::Admin, show),
    put("users/:id/custom_attributes/:key", Guard::Admin, set).params(VALUE),
    delete("users/:id/custom_attributes/:key", Guard::Admin, destroy),
    get("projects/:id/custom_attributes", PROJECT, index),
    get("projects/:id/custom_attributes/:key", PROJECT, show),
    put("projects/:id/custom_attributes/:key", PROJECT, set).params(VALUE),
    delete("projects/:id/custom_attributes/:key", PROJECT, destroy),
    get("groups/:id/custom_attributes", GROUP, index),
    get("groups/:id/custom_attributes/:key", GROUP, show),
    put("groups/:id/custom_attributes/:key", GROUP, set).params(VALUE),
    delete("groups/:id/custom_attributes/:key", GROUP, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let place = place(ctx, &state)?;
    Ok(Response::ok(&all(&state, place)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let place = place(ctx, &state)?;
    let key = ctx.path("key").to_owned();
    let value = state
        .belongings
        .custom_attributes
        .get(&(place, key.clone()));
    let value = value.ok_or_else(|| ApiError::not_found("Resource"))?;
    Ok(Response::ok(&entity(&key, value)))
}

fn set(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let place = place(ctx, &state)?;
    let key = ctx.path("key").to_owned();
    let value = ctx.string("value").unwrap_or_default().to_owned();
    let body = entity(&key, &value);
    state
        .belongings
        .custom_attributes
        .insert((place, key), value);
    Ok(Response::ok(&body))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let place = place(ctx, &state)?;
    let key = ctx.path("key").to_owned();
    match state.belongings.custom_attributes.remove(&(place, key)) {
        Some(_) => Ok(Response::no_content()),
        None => Err(ApiError::not_found("Resource")),
    }
}

/// Owners of projects and groups are not enough: `403` to everybody but administrators.
fn place(ctx: &Ctx<'_>, state: &State) -> Result<Place, ApiError> {
    if !is_admin(ctx, state) {
        return Err(ApiError::forbidden());
    }
    match ctx.place() {
        Place::Instance => Ok(Place::User(users::of_path(ctx, state)?.id)),
        place @ (Place::Project(_) | Place::Group(_) | Place::User(_)) => Ok(place),
    }
}

fn is_admin(ctx: &Ctx<'_>, state: &State) -> bool {
    let user = ctx.caller.user().and_then(|user| state.users.get(user));
    user.is_some_and(|user| user.admin)
}

fn entity(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

fn all(state: &State, place: Place) -> Value {
    let own = state.belongings.custom_attributes.iter();
    own.filter(|((owner, _), _)| *owner == place)
        .map(|((_, key), value)| entity(key, value))
        .collect()
}

/// The body with the attributes, if an administrator asks for them.
pub(super) fn with(ctx: &Ctx<'_>, state: &State, place: Place, mut body: Value) -> Value {
    if ctx.boolean("with_custom_attributes") == Some(true) && is_admin(ctx, state) {
        body["custom_attributes"] = all(state, place);
    }
    body
}

/// Does a row have every attribute of the filter `custom_attributes[key]=value`? Only administrators filter.
pub(super) fn match_all(ctx: &Ctx<'_>, state: &State, place: Place) -> bool {
    let Some(wanted) = ctx.value("custom_attributes").and_then(Value::as_object) else {
        return true;
    };
    !is_admin(ctx, state)
        || wanted.iter().all(|(key, value)| {
            let own = state
                .belongings
                .custom_attributes
                .get(&(place, key.clone()));
            own.map(String::as_str) == value.as_str()
        })
}
