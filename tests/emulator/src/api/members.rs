//! Members of projects and groups, direct and inherited.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integer, integers, post, put, string,
};
use crate::store::State;
use crate::store::members::{Member, Source};

use super::personal_access_tokens::date;
use super::users;

const FILTERS: &[Param] = &[
    string("query"),
    integers("user_ids"),
    integers("skip_users"),
];
const ADD: &[Param] = &[
    integer("access_level").required(),
    string("user_id"),
    string("username"),
    string("expires_at"),
    string("invite_source"),
];
const EDIT: &[Param] = &[integer("access_level").required(), string("expires_at")];
const REMOVE: &[Param] = &[boolean("skip_subresources"), boolean("unassign_issuables")];
const IN_PROJECT: Guard = Guard::Project(Role::Maintainer);
const IN_GROUP: Guard = Guard::Group(Role::Owner);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/members", Guard::ProjectReader, index)
        .params(FILTERS)
        .paginated(),
    get("projects/:id/members/all", Guard::ProjectReader, all)
        .refuses(&["state"])
        .params(FILTERS)
        .paginated(),
    get("projects/:id/members/:user_id", Guard::ProjectReader, show),
    get(
        "projects/:id/members/all/:user_id",
        Guard::ProjectReader,
        show_inherited,
    ),
    post("projects/:id/members", IN_PROJECT, add).params(ADD),
    put("projects/:id/members/:user_id", IN_PROJECT, edit).params(EDIT),
    delete("projects/:id/members/:user_id", IN_PROJECT, remove).params(REMOVE),
    get("projects/:id/users", Guard::ProjectReader, users_of)
        .params(&[string("search"), integers("skip_users")])
        .paginated(),
    get("groups/:id/members", Guard::GroupReader, index)
        .params(FILTERS)
        .paginated(),
    get("groups/:id/members/all", Guard::GroupReader, all)
        .refuses(&["state"])
        .params(FILTERS)
        .paginated(),
    get("groups/:id/members/:user_id", Guard::GroupReader, show),
    get(
        "groups/:id/members/all/:user_id",
        Guard::GroupReader,
        show_inherited,
    ),
    post("groups/:id/members", IN_GROUP, add).params(ADD),
    put("groups/:id/members/:user_id", IN_GROUP, edit).params(EDIT),
    delete("groups/:id/members/:user_id", IN_GROUP, remove).params(REMOVE),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let direct = state
        .members
        .iter()
        .filter(|member| member.source == source(ctx) && passes(ctx, &state, member));
    ctx.page(direct, |member| entity(ctx, &state, member))
}

fn all(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let members = with_inherited(&state, source(ctx))
        .into_iter()
        .filter(|member| passes(ctx, &state, member));
    ctx.page(members, |member| entity(ctx, &state, member))
}

/// The members as plain users.
fn users_of(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let members = with_inherited(&state, source(ctx))
        .into_iter()
        .filter(|member| passes(ctx, &state, member));
    ctx.page(members, |member| {
        users::basic_by_id(&state, member.user_id, ctx.url())
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let member = find(ctx, &state)?;
    Ok(Response::ok(&entity(ctx, &state, member)))
}

fn show_inherited(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.path_number("user_id")?;
    let state = ctx.state();
    let member = with_inherited(&state, source(ctx))
        .into_iter()
        .find(|member| member.user_id == user);
    Ok(Response::ok(&entity(
        ctx,
        &state,
        member.ok_or_else(ApiError::not_found_plain)?,
    )))
}

fn add(ctx: &Ctx<'_>) -> Answer {
    let role = granted_role(ctx)?;
    let expires_at = date(ctx, "expires_at")?;
    let mut state = ctx.state();
    let user = match (ctx.string("user_id"), ctx.string("username")) {
        (Some(id), _) => id.parse().ok().and_then(|id| state.users.get(id)),
        (None, Some(name)) => state.user_named(name),
        (None, None) => {
            return Err(ApiError::error(
                400,
                "user_id, username are missing, at least one parameter must be provided",
            ));
        }
    };
    let user = user.ok_or_else(|| ApiError::not_found("User"))?.id;
    if state.member_role(user, source(ctx)).is_some() {
        return Err(ApiError::message(409, "Member already exists"));
    }
    state.add_member(user, source(ctx), role, ctx.now());
    if let Some(member) = direct_mut(&mut state, source(ctx), user) {
        member.created_by = ctx.caller.user();
        member.expires_at = expires_at;
    }
    let member = state
        .members
        .iter()
        .find(|member| member.user_id == user && member.source == source(ctx));
    Ok(Response::created(&entity(
        ctx,
        &state,
        member.ok_or_else(ApiError::internal)?,
    )))
}

fn edit(ctx: &Ctx<'_>) -> Answer {
    let role = granted_role(ctx)?;
    let expires_at = date(ctx, "expires_at")?;
    let mut state = ctx.state();
    let user = find(ctx, &state)?.user_id;
    if let Some(member) = direct_mut(&mut state, source(ctx), user) {
        member.role = role;
        if ctx.given("expires_at") {
            member.expires_at = expires_at;
        }
    }
    let member = find(ctx, &state)?;
    Ok(Response::ok(&entity(ctx, &state, member)))
}

fn remove(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let user = find(ctx, &state)?.user_id;
    state
        .members
        .retain(|member| !(member.user_id == user && member.source == source(ctx)));
    Ok(Response::no_content())
}

fn source(ctx: &Ctx<'_>) -> Source {
    if ctx.group() == 0 {
        Source::Project(ctx.project())
    } else {
        Source::Group(ctx.group())
    }
}

/// The role asked for, which must not exceed the caller's own.
fn granted_role(ctx: &Ctx<'_>) -> Result<Role, ApiError> {
    let level = ctx.integer("access_level").unwrap_or_default();
    let Some(role) = Role::from_level(level) else {
        return Err(ApiError::body(
            400,
            json!({ "message": { "access_level": ["is not included in the list"] } }),
        ));
    };
    let own = match source(ctx) {
        Source::Project(project) => access::in_project(&ctx.state(), ctx.caller.user(), project),
        Source::Group(group) => access::in_group(&ctx.state(), ctx.caller.user(), group),
    };
    if own.at_least(role) {
        Ok(role)
    } else {
        Err(ApiError::forbidden())
    }
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Member, ApiError> {
    let user = ctx.path_number("user_id")?;
    let member = state
        .members
        .iter()
        .find(|member| member.user_id == user && member.source == source(ctx));
    member.ok_or_else(ApiError::not_found_plain)
}

fn direct_mut(state: &mut State, source: Source, user: u64) -> Option<&mut Member> {
    state
        .members
        .iter_mut()
        .find(|member| member.user_id == user && member.source == source)
}

/// Every member once, with the highest of the roles.
fn with_inherited(state: &State, source: Source) -> Vec<&Member> {
    let sources = state.member_sources(source);
    let mut members: Vec<&Member> = Vec::new();
    for member in state
        .members
        .iter()
        .filter(|member| sources.contains(&member.source))
    {
        match members
            .iter_mut()
            .find(|known| known.user_id == member.user_id)
        {
            Some(known) if known.role < member.role => *known = member,
            Some(_) => {}
            None => members.push(member),
        }
    }
    members
}

fn passes(ctx: &Ctx<'_>, state: &State, member: &Member) -> bool {
    let within = |name: &str| {
        let ids = ctx.value(name)?.as_array()?;
        Some(ids.iter().any(|id| id.as_u64() == Some(member.user_id)))
    };
    let text = ctx.string("query").or_else(|| ctx.string("search"));
    let text = text.map(str::to_lowercase);
    let named = |text: &String| {
        let user = state.users.get(member.user_id);
        user.is_some_and(|user| {
            user.name.to_lowercase().contains(text) || user.username.to_lowercase().contains(text)
        })
    };
    within("user_ids") != Some(false)
        && within("skip_users") != Some(true)
        && text.as_ref().is_none_or(named)
}

fn entity(ctx: &Ctx<'_>, state: &State, member: &Member) -> Value {
    let mut entity = users::basic_by_id(state, member.user_id, ctx.url());
    entity["access_level"] = json!(member.role.level());
    entity["created_at"] = json!(clock::iso(member.created_at));
    entity["expires_at"] = json!(member.expires_at.map(|day| day.to_string()));
    if let Some(by) = member.created_by {
        entity["created_by"] = users::basic_by_id(state, by, ctx.url());
    }
    entity["membership_state"] = json!("active");
    entity
}
