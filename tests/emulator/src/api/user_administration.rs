//! What administrators do with users: editing, blocking, removal, and a look at their memberships.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::engine;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::members::Source;
use crate::store::users::User;

use super::users;

pub(super) const ROUTES: &[Route] = &[
    put("users/:id", Guard::Admin, edit)
        .refuses(&[
            "avatar",
            "bio",
            "can_create_group",
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
            string("name"),
            string("username"),
            string("email"),
            string("password"),
            boolean("skip_reconfirmation"),
            boolean("admin"),
        ]),
    delete("users/:id", Guard::Admin, destroy).params(&[boolean("hard_delete")]),
    post("users/:id/block", Guard::Admin, block),
    post("users/:id/unblock", Guard::Admin, unblock),
    post("users/:id/deactivate", Guard::Admin, deactivate),
    post("users/:id/activate", Guard::Admin, activate),
    get("users/:id/memberships", Guard::Admin, memberships)
        .params(&[one_of("type", &["Project", "Namespace"])])
        .paginated(),
];

fn edit(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let taken = |other: &User| {
        other.id != id
            && (Some(other.email.as_str()) == ctx.string("email")
                || ctx
                    .string("username")
                    .is_some_and(|name| other.username.eq_ignore_ascii_case(name)))
    };
    if let Some(other) = state.users.iter().find(|other| taken(other)) {
        let same_email = Some(other.email.as_str()) == ctx.string("email");
        let what = if same_email { "Email" } else { "Username" };
        return Err(ApiError::message(
            409,
            format!("{what} has already been taken"),
        ));
    }
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    let mut invalid = Invalid::default();
    for (name, field) in [
        ("name", &mut user.name),
        ("username", &mut user.username),
        ("email", &mut user.email),
    ] {
        match ctx.string(name) {
            Some("") => invalid.add(name, "can't be blank"),
            Some(text) => text.clone_into(field),
            None => {}
        }
    }
    invalid.check()?;
    user.admin = ctx.boolean("admin").unwrap_or(user.admin);
    Ok(Response::ok(&users::private_entity(user, ctx.url())))
}

/// What the user made stays, without an author as far as the API shows; GitLab gives it to a ghost user.
fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
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
    state.users.remove(id);
    state.members.retain(|member| member.user_id != id);
    state.tokens.retain(|token| token.user_id != id);
    Ok(Response::no_content())
}

fn block(ctx: &Ctx<'_>) -> Answer {
    move_to(ctx, "blocked", &["active", "deactivated"])
}

fn unblock(ctx: &Ctx<'_>) -> Answer {
    move_to(ctx, "active", &["blocked"])
}

fn deactivate(ctx: &Ctx<'_>) -> Answer {
    move_to(ctx, "deactivated", &["active"])
}

fn activate(ctx: &Ctx<'_>) -> Answer {
    move_to(ctx, "active", &["deactivated"])
}

/// `201 true`; `403` from a state that has no such step, and for administrators themselves.
fn move_to(ctx: &Ctx<'_>, target: &str, from: &[&str]) -> Answer {
    let caller = ctx.user()?;
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    if id == caller && target != "active" {
        let text = format!("The API initiating user cannot be {target} by the API");
        return Err(ApiError::forbidden_because(&text));
    }
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    if user.state == target {
        return Ok(Response::created(&json!(true)));
    }
    if !from.contains(&user.state.as_str()) {
        let text = format!("A {} user cannot become {target} this way", user.state);
        return Err(ApiError::forbidden_because(&text));
    }
    target.clone_into(&mut user.state);
    if target == "blocked" {
        engine::block::end_work_of(&mut state, id, ctx.now());
    }
    drop(state);
    engine::settle(ctx.shared);
    Ok(Response::created(&json!(true)))
}

fn memberships(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state)?.id;
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

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a User, ApiError> {
    state
        .users
        .get(ctx.path_number("id")?)
        .ok_or_else(|| ApiError::not_found("User"))
}
