//! Users: oneself, lookups, and creation by an administrator.

use serde_json::Value;

use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, hash, one_of, post, string};
use crate::store::State;
use crate::store::places::Place;
use crate::store::users::User;

use super::custom_attributes;
use super::user_entity as entity;
pub(crate) use super::user_entity::{basic, basic_by_id};
use super::user_params::{self, OTHERS, PROFILE};

pub(super) const ROUTES: &[Route] = &[
    get("user", Guard::User, own).any_scope(),
    get("users", Guard::Open, index)
        .params(&[
            string("username"),
            string("search"),
            boolean("active"),
            boolean("blocked"),
            boolean("humans"),
            boolean("external"),
            boolean("admins"),
            boolean("exclude_active"),
            boolean("exclude_external"),
            boolean("exclude_humans"),
            boolean("exclude_internal"),
            boolean("without_project_bots"),
            boolean("without_projects"),
            string("created_after"),
            string("created_before"),
            string("extern_uid"),
            string("provider"),
            one_of("two_factor", &["enabled", "disabled"]),
            one_of(
                "order_by",
                &["id", "name", "username", "created_at", "updated_at"],
            ),
            one_of("sort", &["asc", "desc"]),
            boolean("with_custom_attributes"),
            hash("custom_attributes", &[]),
        ])
        .keyset(),
    get("users/:id", Guard::User, show).params(&[boolean("with_custom_attributes")]),
    post("users", Guard::Admin, create)
        .params(&[
            string("email").required(),
            string("name").required(),
            string("username").required(),
            string("password"),
            boolean("reset_password"),
            boolean("force_random_password"),
            boolean("skip_confirmation"),
        ])
        .also(PROFILE)
        .and(OTHERS),
];

fn own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let user = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    let body = if user.admin {
        entity::for_admin(&state, user, ctx.url())
    } else {
        entity::private(&state, user, ctx.url())
    };
    Ok(Response::ok(&body))
}

/// Administrators see everything of everybody; who is not signed in must name the user.
fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let caller = ctx.caller.user().and_then(|user| state.users.get(user));
    let admin = caller.is_some_and(|caller| caller.admin);
    if caller.is_none() && ctx.string("username").is_none() {
        return Err(ApiError::forbidden_because(
            "Not authorized to access /api/v4/users",
        ));
    }
    if ctx.string("extern_uid").is_some() != ctx.string("provider").is_some() {
        return Err(ApiError::error(
            400,
            "extern_uid, provider provide all or none of parameters",
        ));
    }
    if ctx.string("extern_uid").is_some() && !admin {
        return Err(ApiError::forbidden());
    }
    let (after, before) = (
        ctx.instant("created_after")?,
        ctx.instant("created_before")?,
    );
    let wanted = |user: &&User| {
        let recent = after.is_none_or(|after| user.created_at > after)
            && before.is_none_or(|before| user.created_at < before);
        (recent || !admin)
            && is_named(ctx, user, admin)
            && is_of_kind(ctx, &state, user, admin)
            && custom_attributes::match_all(ctx, &state, Place::User(user.id))
    };
    let mut users: Vec<&User> = state.users.iter().filter(wanted).collect();
    match ctx.string("order_by").filter(|_| admin) {
        Some("name") => users.sort_by_key(|user| user.name.clone()),
        Some("username") => users.sort_by_key(|user| user.username.clone()),
        Some(_) | None => {}
    }
    if ctx.string("sort").filter(|_| admin) != Some("asc") {
        users.reverse();
    }
    let render = |user: &User| {
        let body = if admin {
            entity::for_admin(&state, user, ctx.url())
        } else {
            basic(user, ctx.url())
        };
        custom_attributes::with(ctx, &state, Place::User(user.id), body)
    };
    if ctx.string("pagination") == Some("keyset") {
        return crate::pagination::keyset(ctx, users, |user| user.id, render);
    }
    ctx.page(users, render)
}

fn is_named(ctx: &Ctx<'_>, user: &User, admin: bool) -> bool {
    let found = |text: &str| {
        let text = text.to_lowercase();
        let email = user.email.to_lowercase() == text;
        let public = user.profile.public_email.as_ref();
        user.username.to_lowercase().contains(&text)
            || user.name.to_lowercase().contains(&text)
            || (email && (admin || public.is_some_and(|public| public.to_lowercase() == text)))
    };
    let account = |provider: &str| {
        user.identities.iter().any(|identity| {
            identity.provider == provider
                && Some(identity.extern_uid.as_str()) == ctx.string("extern_uid")
        })
    };
    ctx.string("username")
        .is_none_or(|name| user.username.eq_ignore_ascii_case(name))
        && ctx.string("search").is_none_or(found)
        && ctx.string("provider").is_none_or(account)
}

fn is_of_kind(ctx: &Ctx<'_>, state: &State, user: &User, admin: bool) -> bool {
    let asked = |name: &str| ctx.boolean(name) == Some(true);
    let active = user.state == "active";
    let own_projects = || {
        state
            .projects
            .iter()
            .any(|project| project.namespace_id == user.namespace_id)
    };
    (!asked("active") || active)
        && (!asked("exclude_active") || !active)
        && (!asked("blocked") || user.state == "blocked")
        && (!asked("humans") || !user.bot)
        && (!asked("exclude_humans") || user.bot)
        && (!asked("external") || user.profile.external)
        && (!asked("exclude_external") || !user.profile.external)
        && (!asked("admins") || !admin || user.admin)
        && (!asked("without_project_bots") || !user.bot)
        && (!asked("without_projects") || !admin || !own_projects())
        && (ctx.string("two_factor") != Some("enabled") || !admin)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = of_path(ctx, &state)?;
    let caller = ctx.user()?;
    let admin = state.users.get(caller).is_some_and(|caller| caller.admin);
    let body = if admin {
        entity::for_admin(&state, user, ctx.url())
    } else {
        entity::public(&state, user, Some(caller), ctx.url())
    };
    let body = custom_attributes::with(ctx, &state, Place::User(user.id), body);
    Ok(Response::ok(&body))
}

/// The user of the path's `:id`, or `404`.
pub(super) fn of_path<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a User, ApiError> {
    let id = ctx.path("id").parse().ok();
    id.and_then(|id| state.users.get(id))
        .ok_or_else(|| ApiError::not_found("User"))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let text = |name: &str| ctx.string(name).unwrap_or_default();
    let random = ctx.boolean("reset_password") == Some(true)
        || ctx.boolean("force_random_password") == Some(true);
    if ctx.string("password").is_none() && !random {
        let names = "password, reset_password, force_random_password";
        return Err(ApiError::error(
            400,
            format!("{names} are missing, at least one parameter must be provided"),
        ));
    }
    let mut state = ctx.state();
    if is_taken_address(&state, text("email"), None) {
        return Err(ApiError::message(409, "Email has already been taken"));
    }
    if state.user_named(text("username")).is_some() || state.find_group(text("username")).is_some()
    {
        return Err(ApiError::message(409, "Username has already been taken"));
    }
    let mut invalid = Invalid::default();
    for name in ["username", "name", "email"] {
        if text(name).is_empty() {
            invalid.add(name, "can't be blank");
        }
    }
    if !text("email").is_empty() && !text("email").contains('@') {
        invalid.add("email", "is invalid");
    }
    if !random && text("password").chars().count() < 8 {
        invalid.add("password", "is too short (minimum is 8 characters)");
    }
    invalid.check()?;
    let id = state.add_user(text("username"), text("name"), text("email"), ctx.now());
    if let Err(error) = user_params::apply(ctx, &mut state, id) {
        state.users.remove(id);
        return Err(error);
    }
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    user.created_by = ctx.caller.user();
    let user = user.clone();
    Ok(Response::created(&entity::for_admin(
        &state,
        &user,
        ctx.url(),
    )))
}

/// Does an address belong to another user, as the main one or a further one?
pub(super) fn is_taken_address(state: &State, address: &str, own: Option<u64>) -> bool {
    state
        .users
        .iter()
        .any(|user| Some(user.id) != own && user.email.eq_ignore_ascii_case(address))
        || state
            .belongings
            .emails
            .iter()
            .any(|email| Some(email.user_id) != own && email.email.eq_ignore_ascii_case(address))
}

/// The body of an administrator's view of a user.
pub(super) fn admin_view(ctx: &Ctx<'_>, state: &State, id: u64) -> Result<Value, ApiError> {
    let user = state.users.get(id).ok_or_else(ApiError::internal)?;
    Ok(entity::for_admin(state, user, ctx.url()))
}
