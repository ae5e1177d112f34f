//! Users: oneself, lookups, and creation by an administrator.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, get, one_of, post, string};
use crate::store::State;
use crate::store::users::User;

pub(super) const ROUTES: &[Route] = &[
    get("user", Guard::User, own),
    get("users", Guard::User, index)
        .refuses(&[
            "admins",
            "created_after",
            "created_before",
            "exclude_active",
            "exclude_external",
            "exclude_humans",
            "extern_uid",
            "external",
            "provider",
            "two_factor",
            "with_custom_attributes",
            "without_projects",
        ])
        .params(&[
            string("username"),
            string("search"),
            boolean("active"),
            boolean("blocked"),
            boolean("humans"),
            boolean("exclude_internal"),
            boolean("without_project_bots"),
            one_of(
                "order_by",
                &["id", "name", "username", "created_at", "updated_at"],
            ),
            one_of("sort", &["asc", "desc"]),
        ])
        .keyset(),
    get("users/:id", Guard::User, show).refuses(&["with_custom_attributes"]),
    post("users", Guard::Admin, create)
        .refuses(&[
            "avatar",
            "bio",
            "color_scheme_id",
            "commit_email",
            "discord",
            "extern_uid",
            "external",
            "linkedin",
            "location",
            "note",
            "organization",
            "private_profile",
            "projects_limit",
            "pronouns",
            "provider",
            "public_email",
            "skype",
            "theme_id",
            "twitter",
            "view_diffs_file_by_file",
            "website_url",
        ])
        .params(&[
            string("email").required(),
            string("name").required(),
            string("username"),
            string("password"),
            boolean("reset_password"),
            boolean("force_random_password"),
            boolean("skip_confirmation"),
            boolean("admin"),
            boolean("can_create_group"),
        ]),
];

fn own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let state = ctx.state();
    let user = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    Ok(Response::ok(&private_entity(user, ctx.url())))
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let search = ctx.string("search").map(str::to_lowercase);
    let wanted = |user: &&User| {
        let found = |text: &String| {
            user.username.to_lowercase().contains(text)
                || user.name.to_lowercase().contains(text)
                || user.email.to_lowercase() == *text
        };
        ctx.string("username")
            .is_none_or(|name| user.username.eq_ignore_ascii_case(name))
            && search.as_ref().is_none_or(found)
            && (ctx.boolean("active") != Some(true) || user.state == "active")
            && (ctx.boolean("blocked") != Some(true) || user.state == "blocked")
            && (ctx.boolean("humans") != Some(true) || !user.bot)
            && (ctx.boolean("without_project_bots") != Some(true) || !user.bot)
    };
    let mut users: Vec<&User> = state.users.iter().filter(wanted).collect();
    match ctx.string("order_by") {
        Some("name") => users.sort_by_key(|user| user.name.clone()),
        Some("username") => users.sort_by_key(|user| user.username.clone()),
        Some(_) | None => {}
    }
    if ctx.string("sort") != Some("asc") {
        users.reverse();
    }
    if ctx.string("pagination") == Some("keyset") {
        return crate::pagination::keyset(
            ctx,
            users,
            |user| user.id,
            |user| basic(user, ctx.url()),
        );
    }
    ctx.page(users, |user| basic(user, ctx.url()))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("id")?;
    let state = ctx.state();
    let user = state
        .users
        .get(id)
        .ok_or_else(|| ApiError::not_found("User"))?;
    Ok(Response::ok(&public_entity(user, ctx.url())))
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
    if state.users.iter().any(|user| user.email == text("email")) {
        return Err(ApiError::message(409, "Email has already been taken"));
    }
    if state.user_named(text("username")).is_some() || state.find_group(text("username")).is_some()
    {
        return Err(ApiError::message(409, "Username has already been taken"));
    }
    let mut invalid = Invalid::default();
    if text("username").is_empty() {
        invalid.add("username", "can't be blank");
    }
    invalid.check()?;
    let id = state.add_user(text("username"), text("name"), text("email"), ctx.now());
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    user.admin = ctx.boolean("admin").unwrap_or(false);
    Ok(Response::created(&private_entity(user, ctx.url())))
}

/// The short form that appears as author, assignee and so on.
pub(crate) fn basic(user: &User, url: &str) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "public_email": Value::Null,
        "name": user.name,
        "state": user.state,
        "locked": false,
        "avatar_url": Value::Null,
        "web_url": format!("{url}/{}", user.username),
    })
}

/// The short form of a user by id; null for one that is gone.
pub(crate) fn basic_by_id(state: &State, id: u64, url: &str) -> Value {
    state
        .users
        .get(id)
        .map_or(Value::Null, |user| basic(user, url))
}

/// The form other users see.
pub(crate) fn public_entity(user: &User, url: &str) -> Value {
    let mut entity = object(basic(user, url));
    entity.extend(object(json!({
        "created_at": clock::iso(user.created_at),
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "github": "",
        "job_title": "",
        "pronouns": Value::Null,
        "organization": "",
        "bot": user.bot,
        "work_information": Value::Null,
        "local_time": Value::Null,
        "followers": 0,
        "following": 0,
        "is_followed": false,
    })));
    Value::Object(entity)
}

/// The form administrators and the user see.
pub(super) fn private_entity(user: &User, url: &str) -> Value {
    let mut entity = object(public_entity(user, url));
    entity.extend(object(json!({
        "last_sign_in_at": Value::Null,
        "confirmed_at": clock::iso(user.created_at),
        "last_activity_on": Value::Null,
        "email": user.email,
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "current_sign_in_at": Value::Null,
        "identities": [],
        "can_create_group": true,
        "can_create_project": true,
        "two_factor_enabled": false,
        "external": false,
        "private_profile": false,
        "commit_email": user.email,
        "namespace_id": user.namespace_id,
        "created_by": Value::Null,
    })));
    if user.admin {
        entity.insert("is_admin".to_owned(), Value::Bool(true));
    }
    Value::Object(entity)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
