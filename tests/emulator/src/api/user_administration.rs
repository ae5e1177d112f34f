//! What administrators do with users: editing, removal, and a look at their memberships.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, one_of, patch, put, string};
use crate::store::members::Source;
use crate::store::places::Place;

use super::user_params::{self, OTHERS, PROFILE};
use super::users;

pub(super) const ROUTES: &[Route] = &[
    put("users/:id", Guard::Admin, edit)
        .params(&[
            string("name"),
            string("username"),
            string("email"),
            string("password"),
            boolean("skip_reconfirmation"),
        ])
        .also(PROFILE)
        .and(OTHERS),
    delete("users/:id", Guard::Admin, destroy).params(&[boolean("hard_delete")]),
    patch(
        "users/:id/disable_two_factor",
        Guard::Admin,
        disable_two_factor,
    ),
    delete(
        "users/:id/identities/:provider",
        Guard::Admin,
        remove_identity,
    ),
    get("users/:id/memberships", Guard::Admin, memberships)
        .params(&[one_of("type", &["Project", "Namespace"])])
        .paginated(),
    get("users/:id/associations_count", Guard::User, count),
    get("user/activities", Guard::Admin, activities)
        .params(&[string("from")])
        .paginated(),
];

fn edit(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    if ctx
        .string("email")
        .is_some_and(|email| users::is_taken_address(&state, email, Some(id)))
    {
        return Err(ApiError::message(409, "Email has already been taken"));
    }
    let named = ctx
        .string("username")
        .and_then(|name| state.user_named(name));
    if named.is_some_and(|other| other.id != id) {
        return Err(ApiError::message(409, "Username has already been taken"));
    }
    let mut invalid = Invalid::default();
    for name in ["name", "username", "email"] {
        if ctx.string(name) == Some("") {
            invalid.add(name, "can't be blank");
        }
    }
    invalid.check()?;
    user_params::apply(ctx, &mut state, id)?;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    for (name, field) in [
        ("name", &mut user.name),
        ("username", &mut user.username),
        ("email", &mut user.email),
    ] {
        if let Some(text) = ctx.string(name) {
            text.clone_into(field);
        }
    }
    Ok(Response::ok(&users::admin_view(ctx, &state, id)?))
}

/// What the user made stays, without an author as far as the API shows; GitLab gives it to a ghost user.
fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let owner = state.members.iter().any(|member| {
        let alone = || {
            !state.members.iter().any(|other| {
                other.source == member.source && other.user_id != id && other.role == Role::Owner
            })
        };
        let group = matches!(member.source, Source::Group(_));
        member.user_id == id && group && member.role == Role::Owner && alone()
    });
    if owner && ctx.boolean("hard_delete") != Some(true) {
        let text = "User cannot be removed while is the sole-owner of a group";
        return Err(ApiError::message(409, text));
    }
    let gone = state.users.remove(id);
    state.members.retain(|member| member.user_id != id);
    state.tokens.retain(|token| token.user_id != id);
    state.remove_belongings(Place::User(id));
    let projects: Vec<u64> = state
        .projects
        .iter()
        .filter(|project| {
            gone.as_ref()
                .is_some_and(|user| user.namespace_id == project.namespace_id)
        })
        .map(|project| project.id)
        .collect();
    for project in &projects {
        state.remove_project(*project);
    }
    drop(state);
    projects
        .into_iter()
        .for_each(|project| ctx.shared.repository(project).delete());
    Ok(Response::no_content())
}

/// Nobody here has a second factor.
fn disable_two_factor(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    if users::of_path(ctx, &state)?.admin {
        let text = "Two-factor authentication for admins cannot be disabled via the API. Use the Rails console";
        return Err(ApiError::forbidden_because(text));
    }
    Err(ApiError::bad_request(
        "Two-factor authentication is not enabled for this user",
    ))
}

fn remove_identity(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    let before = user.identities.len();
    user.identities
        .retain(|identity| identity.provider != ctx.path("provider"));
    if user.identities.len() == before {
        return Err(ApiError::not_found("Identity"));
    }
    Ok(Response::no_content())
}

fn memberships(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = users::of_path(ctx, &state)?.id;
    let own = state.members.iter().filter_map(|member| {
        let (kind, source, name) = match member.source {
            Source::Project(project) => (
                "Project",
                project,
                state.projects.get(project)?.name.clone(),
            ),
            Source::Group(group) => ("Namespace", group, state.groups.get(group)?.name.clone()),
        };
        let wanted = ctx.string("type").is_none_or(|wanted| wanted == kind);
        (member.user_id == id && wanted).then_some((kind, source, name, member.role))
    });
    ctx.page(own, |(kind, source, name, role)| -> Value {
        json!({
            "source_id": source,
            "source_name": name,
            "source_type": kind,
            "access_level": role.level(),
        })
    })
}

/// How much a user has to do with; administrators and the user.
fn count(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = users::of_path(ctx, &state)?;
    let caller = ctx.user()?;
    if caller != user.id && !state.users.get(caller).is_some_and(|caller| caller.admin) {
        return Err(ApiError::not_found("User"));
    }
    let members = |group: bool| {
        state
            .members
            .iter()
            .filter(|member| {
                member.user_id == user.id && matches!(member.source, Source::Group(_)) == group
            })
            .count()
    };
    Ok(Response::ok(&json!({
        "groups_count": members(true),
        "projects_count": members(false),
        "issues_count": state.issues.iter().filter(|row| row.author_id == user.id).count(),
        "merge_requests_count": state.merge_requests.iter().filter(|row| row.author_id == user.id).count(),
    })))
}

/// Who was active, from half a year ago on unless a day is given.
fn activities(ctx: &Ctx<'_>) -> Answer {
    let from = super::personal_access_tokens::date(ctx, "from")?;
    let state = ctx.state();
    let active = state
        .users
        .iter()
        .filter_map(|user| Some((user, user.last_activity_on?)));
    let mut found: Vec<_> = active
        .filter(|(_, day)| from.is_none_or(|from| *day >= from))
        .collect();
    found.sort_by_key(|(_, day)| *day);
    ctx.page(found, |(user, day)| {
        json!({
            "username": user.username,
            "last_activity_on": day.to_string(),
            "last_activity_at": day.to_string(),
        })
    })
}
