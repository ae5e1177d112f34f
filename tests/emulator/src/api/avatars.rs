//! Pictures: the parameter `avatar`, and where pictures are read again.

use serde_json::{Value, json};

use super::user_entity::{avatar_url, gravatar};
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::{Request, Response};
use crate::router::{Answer, Guard, Param, Route, file, get, integer, put, string};
use crate::shared::Shared;
use crate::store::avatars::Avatar;

/// The parameter of everything that has a picture.
pub(super) const AVATAR: Param = file("avatar");

pub(super) const ROUTES: &[Route] = &[
    put("user/avatar", Guard::User, set_own).params(&[file("avatar").required()]),
    get("projects/:id/avatar", Guard::ProjectReader, of_project),
    get("groups/:id/avatar", Guard::GroupReader, of_group),
    get("avatar", Guard::Open, of_address).params(&[string("email").required(), integer("size")]),
];

const TYPES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("tiff", "image/tiff"),
    ("ico", "image/vnd.microsoft.icon"),
    ("webp", "image/webp"),
];
const MOST_BYTES: usize = 200 * 1024;

/// The picture that a request sets (`Some(None)` takes it away), or nothing if it says nothing about it.
pub(super) fn wished(ctx: &Ctx<'_>) -> Result<Option<Option<Avatar>>, ApiError> {
    if !ctx.given("avatar") {
        return Ok(None);
    }
    let Some(file) = ctx.file("avatar") else {
        return match ctx.values().get("avatar") {
            Some(Value::String(text)) if !text.is_empty() => {
                Err(ApiError::error(400, "avatar is invalid"))
            }
            Some(_) | None => Ok(Some(None)),
        };
    };
    let mut invalid = Invalid::default();
    if content_type(&file.file_name).is_none() {
        let known: Vec<&str> = TYPES.iter().map(|(_, kind)| *kind).collect();
        invalid.add(
            "avatar",
            format!(
                "file format is not supported. Please try one of the following supported formats: {}",
                known.join(", ")
            ),
        );
    }
    if file.content.len() > MOST_BYTES {
        invalid.add("avatar", "is too big (should be at most 200 KiB)");
    }
    invalid.check()?;
    Ok(Some(Some(Avatar {
        file_name: file.file_name.clone(),
        content: file.content.clone(),
    })))
}

fn set_own(ctx: &Ctx<'_>) -> Answer {
    let avatar = wished(ctx)?.flatten();
    let mut state = ctx.state();
    let user = state
        .users
        .get_mut(ctx.user()?)
        .ok_or_else(ApiError::unauthorized)?;
    user.avatar = avatar;
    Ok(Response::ok(
        &json!({ "avatar_url": avatar_url(user, ctx.url()) }),
    ))
}

fn of_project(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    sent(
        project.and_then(|project| project.avatar.as_ref()),
        "Project Avatar",
    )
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let group = state.groups.get(ctx.group());
    sent(
        group.and_then(|group| group.avatar.as_ref()),
        "Group Avatar",
    )
}

/// The picture of whoever made an address public; without one GitLab would ask Gravatar.
fn of_address(ctx: &Ctx<'_>) -> Answer {
    let email = ctx.string("email").unwrap_or_default();
    let state = ctx.state();
    let user = state
        .users
        .iter()
        .find(|user| user.profile.public_email.as_deref() == Some(email));
    let address = match user {
        Some(user) => avatar_url(user, ctx.url()),
        None => gravatar(email, ctx.integer("size").unwrap_or(40) * 2),
    };
    Ok(Response::ok(&json!({ "avatar_url": address })))
}

fn sent(avatar: Option<&Avatar>, what: &str) -> Answer {
    let avatar = avatar.ok_or_else(|| ApiError::not_found(what))?;
    let kind = content_type(&avatar.file_name).unwrap_or("application/octet-stream");
    Ok(Response::bytes(200, kind, avatar.content.clone()))
}

fn content_type(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    TYPES
        .iter()
        .find(|(known, _)| *known == extension)
        .map(|(_, kind)| *kind)
}

/// A picture at its own address, `/uploads/-/system/...`; open to everybody.
pub(crate) fn page(shared: &Shared, request: &Request) -> Option<Answer> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let ["uploads", "-", "system", path @ ..] = segments.as_slice() else {
        return None;
    };
    let state = shared.state();
    let found = match path {
        ["user", "avatar", id, _] => number(id)
            .and_then(|id| state.users.get(id))
            .and_then(|row| row.avatar.as_ref()),
        ["group", "avatar", id, _] => number(id)
            .and_then(|id| state.groups.get(id))
            .and_then(|row| row.avatar.as_ref()),
        ["project", "avatar", id, _] => number(id)
            .and_then(|id| state.projects.get(id))
            .and_then(|row| row.avatar.as_ref()),
        ["projects", "topic", "avatar", id, _] => number(id)
            .and_then(|id| state.instance.topics.get(id))
            .and_then(|row| row.avatar.as_ref()),
        _ => None,
    };
    Some(sent(found, "Avatar"))
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
