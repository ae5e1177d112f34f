//! Stars that users give to projects.

use serde_json::json;

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, post, string};

use super::{project_entity, user_entity};

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/star", Guard::ProjectReader, star),
    post("projects/:id/unstar", Guard::ProjectReader, unstar),
    get("projects/:id/starrers", Guard::ProjectReader, starrers)
        .params(&[string("search")])
        .paginated(),
];

fn starrers(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let stars = project.into_iter().flat_map(|project| &project.starred_by);
    let words = ctx.string("search").unwrap_or_default().to_lowercase();
    let wanted = stars.filter(|(id, _)| {
        state.users.get(**id).is_some_and(|user| {
            user.name.to_lowercase().contains(&words) || user.username.contains(&words)
        })
    });
    ctx.page(wanted, |(id, since)| {
        json!({
            "starred_since": clock::iso(*since),
            "user": user_entity::basic_by_id(&state, *id, ctx.url()),
        })
    })
}

fn star(ctx: &Ctx<'_>) -> Answer {
    set(ctx, true)
}

fn unstar(ctx: &Ctx<'_>) -> Answer {
    set(ctx, false)
}

/// `304` when nothing changes.
fn set(ctx: &Ctx<'_>, starred: bool) -> Answer {
    let user = ctx.user()?;
    let mut state = ctx.state();
    let project = state.projects.get_mut(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    if project.starred_by.contains_key(&user) == starred {
        return Ok(Response {
            status: 304,
            ..Response::no_content()
        });
    }
    if starred {
        project.starred_by.insert(user, ctx.now());
    } else {
        project.starred_by.remove(&user);
    }
    let project = project.clone();
    Ok(Response::created(&project_entity::for_caller(
        ctx, &state, &project,
    )))
}
