//! Addresses that lead to releases: the newest one, its files, and the links of any.

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get};

use super::release_entity as entity;
use super::releases::{check_code, find};

/// The addresses of the web interface.
pub(super) const PAGES: &[Route] = &[
    get(
        "releases/:tag_name/downloads/*direct_asset_path",
        Guard::ProjectReader,
        download,
    ),
    get(
        "releases/permalink/latest",
        Guard::ProjectReader,
        latest_page,
    ),
    get(
        "releases/permalink/latest/*suffix_path",
        Guard::ProjectReader,
        latest_page,
    ),
];

/// A redirect to the newest release, with whatever path and query follow.
pub(super) fn latest(ctx: &Ctx<'_>) -> Answer {
    check_code(ctx)?;
    let (tag, project) = {
        let state = ctx.state();
        let newest = state
            .releases_of(ctx.project())
            .max_by_key(|release| (release.released_at, release.id));
        let newest = newest.ok_or_else(|| ApiError::message(404, "404 Not Found"))?;
        (entity::encoded(&newest.tag), ctx.project())
    };
    let mut target = format!("/api/v4/projects/{project}/releases/{tag}");
    if !ctx.path("suffix_path").is_empty() {
        target = format!("{target}/{}", ctx.path("suffix_path"));
    }
    let query: Vec<&str> = ctx
        .request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("order_by="))
        .filter(|pair| !pair.contains("token="))
        .collect();
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    Ok(Response::redirect(&target))
}

/// The newest release where people see it, or a file of it.
fn latest_page(ctx: &Ctx<'_>) -> Answer {
    check_code(ctx)?;
    let state = ctx.state();
    let newest = state
        .releases_of(ctx.project())
        .max_by_key(|release| (release.released_at, release.id));
    let newest = newest.ok_or_else(|| ApiError::message(404, "404 Not Found"))?;
    let project = state.projects.get(ctx.project());
    let path = project.map(|project| state.project_path(project));
    let target = format!(
        "{}/{}/-/releases/{}",
        ctx.url(),
        path.unwrap_or_default(),
        entity::encoded(&newest.tag)
    );
    Ok(Response::redirect(&match ctx.path("suffix_path") {
        "" => target,
        suffix => format!("{target}/{suffix}"),
    }))
}

/// A redirect to what a link of a release leads to.
pub(super) fn download(ctx: &Ctx<'_>) -> Answer {
    check_code(ctx)?;
    let release = find(ctx)?;
    let path = format!("/{}", ctx.path("direct_asset_path"));
    let state = ctx.state();
    let mut links = state.links_of(release.id);
    let link = links.find(|link| link.filepath.as_deref() == Some(path.as_str()));
    Ok(Response::redirect(
        &link.ok_or_else(ApiError::not_found_plain)?.url,
    ))
}
