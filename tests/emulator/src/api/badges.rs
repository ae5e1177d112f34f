//! Badges of projects and groups, with the placeholders in their addresses filled in.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, post, put, string};
use crate::store::State;
use crate::store::belongings::Badge;
use crate::store::places::Place;

use super::overlay::overlaid;

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Maintainer);
const FIELDS: &[Param] = &[string("link_url"), string("image_url"), string("name")];
const CREATE: &[Param] = &[
    string("link_url").required(),
    string("image_url").required(),
    string("name"),
];
const RENDER: &[Param] = &[
    string("link_url").required(),
    string("image_url").required(),
];
const NAME: &[Param] = &[string("name")];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/badges", Guard::ProjectReader, index)
        .params(NAME)
        .paginated(),
    get("projects/:id/badges/render", PROJECT, preview).params(RENDER),
    get("projects/:id/badges/:badge_id", Guard::ProjectReader, show),
    post("projects/:id/badges", PROJECT, create).params(CREATE),
    put("projects/:id/badges/:badge_id", PROJECT, update).params(FIELDS),
    delete("projects/:id/badges/:badge_id", PROJECT, destroy),
    get("groups/:id/badges", Guard::GroupReader, index)
        .params(NAME)
        .paginated(),
    get("groups/:id/badges/render", GROUP, preview).params(RENDER),
    get("groups/:id/badges/:badge_id", Guard::GroupReader, show),
    post("groups/:id/badges", GROUP, create).params(CREATE),
    put("groups/:id/badges/:badge_id", GROUP, update).params(FIELDS),
    delete("groups/:id/badges/:badge_id", GROUP, destroy),
];

/// A project shows the badges of its groups too.
fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let places = places(ctx, &state);
    let wanted = |row: &&Badge| {
        places.contains(&row.place)
            && ctx
                .string("name")
                .is_none_or(|name| row.name.as_deref() == Some(name))
    };
    ctx.page(state.belongings.badges.iter().filter(wanted), |row| {
        entity(ctx, &state, row)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = ctx.path_number("badge_id")?;
    let places = places(ctx, &state);
    let row = state.belongings.badges.get(id);
    let row = row
        .filter(|row| places.contains(&row.place))
        .ok_or_else(|| ApiError::not_found("Badge"))?;
    Ok(Response::ok(&entity(ctx, &state, row)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let badge = overlaid(ctx, &blank(ctx), FIELDS)?;
    problems(&badge).check()?;
    let mut state = ctx.state();
    let id = state.belongings.badges.insert(|id| Badge {
        id,
        place: ctx.place(),
        ..badge
    });
    let row = state.belongings.badges.get(id);
    let body = entity(ctx, &state, row.ok_or_else(ApiError::internal)?);
    Ok(Response::created(&body))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = own(ctx, &state)?.clone();
    let badge = Badge {
        place: old.place,
        ..overlaid(ctx, &old, FIELDS)?
    };
    problems(&badge).check()?;
    let body = entity(ctx, &state, &badge);
    if let Some(row) = state.belongings.badges.get_mut(badge.id) {
        *row = badge;
    }
    Ok(Response::ok(&body))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = own(ctx, &state)?.id;
    state.belongings.badges.remove(id);
    Ok(Response::no_content())
}

/// What a badge would look like; nothing is stored.
fn preview(ctx: &Ctx<'_>) -> Answer {
    let badge = overlaid(ctx, &blank(ctx), RENDER)?;
    problems(&badge).check()?;
    let mut body = entity(ctx, &ctx.state(), &badge);
    if let Some(body) = body.as_object_mut() {
        body.retain(|name, _| name.ends_with("_url"));
    }
    Ok(Response::ok(&body))
}

fn blank(ctx: &Ctx<'_>) -> Badge {
    Badge {
        id: 0,
        place: ctx.place(),
        name: None,
        link_url: String::new(),
        image_url: String::new(),
    }
}

/// The place itself, and for a project the groups above it.
fn places(ctx: &Ctx<'_>, state: &State) -> Vec<Place> {
    let namespace = state
        .projects
        .get(ctx.project())
        .map(|project| project.namespace_id);
    let groups = namespace
        .into_iter()
        .flat_map(|namespace| state.with_ancestors(namespace))
        .map(Place::Group);
    std::iter::once(ctx.place()).chain(groups).collect()
}

/// To change a badge, one must go where it belongs.
fn own<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Badge, ApiError> {
    let row = state.belongings.badges.get(ctx.path_number("badge_id")?);
    row.filter(|row| row.place == ctx.place())
        .ok_or_else(|| ApiError::not_found("Badge"))
}

fn problems(badge: &Badge) -> Invalid {
    let mut invalid = Invalid::default();
    for (name, address) in [
        ("link_url", &badge.link_url),
        ("image_url", &badge.image_url),
    ] {
        if address.is_empty() {
            invalid.add(name, "can't be blank");
        }
        if !address.starts_with("http://") && !address.starts_with("https://") {
            invalid.add(name, "is blocked: Only allowed schemes are http, https");
        }
    }
    invalid
}

fn entity(ctx: &Ctx<'_>, state: &State, row: &Badge) -> Value {
    let kind = if matches!(row.place, Place::Group(_)) {
        "group"
    } else {
        "project"
    };
    json!({
        "name": row.name,
        "link_url": row.link_url,
        "image_url": row.image_url,
        "rendered_link_url": rendered(ctx, state, &row.link_url),
        "rendered_image_url": rendered(ctx, state, &row.image_url),
        "id": row.id,
        "kind": kind,
    })
}

/// An address with the names of the project in place of `%{project_path}` and the like.
fn rendered(ctx: &Ctx<'_>, state: &State, address: &str) -> String {
    let Some(project) = state.projects.get(ctx.project()) else {
        return address.to_owned();
    };
    let host = ctx.url().trim_start_matches("http://").to_owned();
    let group = state.groups.get(project.namespace_id);
    let values = [
        ("project_path", state.project_path(project)),
        ("project_title", project.name.clone()),
        ("project_name", project.path.clone()),
        ("project_id", project.id.to_string()),
        (
            "project_namespace",
            state.namespace_path(project.namespace_id),
        ),
        (
            "group_name",
            group.map(|group| group.name.clone()).unwrap_or_default(),
        ),
        ("gitlab_server", host),
        (
            "default_branch",
            project.default_branch.clone().unwrap_or_default(),
        ),
    ];
    values
        .iter()
        .fold(address.to_owned(), |text, (name, value)| {
            text.replace(&format!("%{{{name}}}"), value)
        })
}
