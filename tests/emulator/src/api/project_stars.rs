//! Stars that users give to projects.

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, post};

use super::project_entity;

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/star", Guard::ProjectReader, star),
    post("projects/:id/unstar", Guard::ProjectReader, unstar),
];

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
    if project.starred_by.contains(&user) == starred {
        return Ok(Response {
            status: 304,
            ..Response::no_content()
        });
    }
    if starred {
        project.starred_by.push(user);
    } else {
        project.starred_by.retain(|other| *other != user);
    }
    let project = project.clone();
    Ok(Response::created(&project_entity::for_caller(
        ctx, &state, &project,
    )))
}
