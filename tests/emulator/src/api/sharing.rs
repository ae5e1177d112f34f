//! Projects and groups shared with the members of other groups.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integer, integers, one_of, post, string,
};
use crate::store::State;
use crate::store::belongings::GroupLink;
use crate::store::groups::Group;
use crate::store::places::Place;

use super::personal_access_tokens::date;
use super::{custom_attributes, group_entity};

const SHARE: &[Param] = &[
    integer("group_id").required(),
    integer("group_access").required(),
    string("expires_at"),
];

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/share",
        Guard::Project(Role::Maintainer),
        share,
    )
    .params(SHARE),
    delete(
        "projects/:id/share/:group_id",
        Guard::Project(Role::Maintainer),
        unshare,
    ),
    post("groups/:id/share", Guard::Group(Role::Owner), share).params(SHARE),
    delete(
        "groups/:id/share/:group_id",
        Guard::Group(Role::Owner),
        unshare,
    ),
    get("projects/:id/groups", Guard::ProjectReader, groups_of)
        .params(&[
            string("search"),
            integers("skip_groups"),
            boolean("with_shared"),
            boolean("shared_visible_only"),
            integer("shared_min_access_level"),
        ])
        .paginated(),
    get(
        "projects/:id/share_locations",
        Guard::Project(Role::Maintainer),
        locations,
    )
    .params(&[string("search")]),
    get("projects/:id/invited_groups", Guard::ProjectReader, invited)
        .params(&[
            string("search"),
            integer("min_access_level"),
            one_of("relation", &["direct", "inherited"]),
            boolean("with_custom_attributes"),
        ])
        .paginated(),
];

fn share(ctx: &Ctx<'_>) -> Answer {
    let expires_at = date(ctx, "expires_at")?;
    let wish = ctx.number("group_id").unwrap_or_default();
    let with_group = ctx.find_group(&wish.to_string())?;
    let level = ctx.integer("group_access").unwrap_or_default();
    let Some(role) = Role::from_level(level) else {
        return Err(ApiError::error(
            400,
            "group_access does not have a valid value",
        ));
    };
    let place = ctx.place();
    let mut state = ctx.state();
    if place == Place::Group(with_group) {
        return Err(ApiError::message(
            400,
            "Shared with group must be different from the shared group",
        ));
    }
    let known = |link: &GroupLink| link.shared == place && link.with_group == with_group;
    if state.belongings.group_links.iter().any(known) {
        let what = if matches!(place, Place::Project(_)) {
            "Group already shared with this group"
        } else {
            "Shared group The group has already been shared with this group"
        };
        return Err(ApiError::message(409, what));
    }
    let id = state.belongings.group_links.insert(|id| GroupLink {
        id,
        shared: place,
        with_group,
        role,
        expires_at,
    });
    if let Some(group) = state.groups.get(ctx.group()) {
        return Ok(Response::created(&group_entity::with_projects(
            ctx, &state, group,
        )));
    }
    Ok(Response::created(&json!({
        "id": id,
        "project_id": ctx.project(),
        "group_id": with_group,
        "group_access": role.level(),
        "expires_at": expires_at.map(|day| day.to_string()),
    })))
}

fn unshare(ctx: &Ctx<'_>) -> Answer {
    let with_group = ctx.path_number("group_id")?;
    let place = ctx.place();
    let mut state = ctx.state();
    let links = &mut state.belongings.group_links;
    let link = links
        .iter()
        .find(|link| link.shared == place && link.with_group == with_group)
        .map(|link| link.id);
    links.remove(link.ok_or_else(ApiError::not_found_plain)?);
    Ok(Response::no_content())
}

/// The groups above a project, and on request those it is shared with.
fn groups_of(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let mut ids: Vec<u64> = state.with_ancestors(project.namespace_id).collect();
    if ctx.boolean("with_shared") == Some(true) {
        let least = ctx.integer("shared_min_access_level").unwrap_or(0);
        let links = state.belongings.group_links.iter();
        let links = links.filter(|link| {
            link.shared == ctx.place()
                && link.role.level() >= least
                && (ctx.boolean("shared_visible_only") != Some(true)
                    || can_read(ctx, &state, link.with_group))
        });
        ids.extend(links.map(|link| link.with_group));
    }
    let skipped = ctx.list_of_numbers("skip_groups").unwrap_or_default();
    ids.retain(|id| !skipped.contains(id));
    ids.sort_unstable();
    ids.dedup();
    let found = ids.into_iter().filter_map(|id| state.groups.get(id));
    ctx.page(
        found.filter(|group| is_named(ctx, &state, group)),
        |group| short(ctx, &state, group),
    )
}

/// The groups with which the caller could share a project.
fn locations(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let linked = |group: u64| {
        let mut links = state.belongings.group_links.iter();
        links.any(|link| link.shared == ctx.place() && link.with_group == group)
    };
    let found: Value = state
        .groups
        .iter()
        .filter(|group| {
            can_read(ctx, &state, group.id) && !linked(group.id) && is_named(ctx, &state, group)
        })
        .map(|group| short(ctx, &state, group))
        .collect();
    Ok(Response::ok(&found))
}

fn invited(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let least = ctx.integer("min_access_level").unwrap_or(0);
    let namespace = state.projects.get(ctx.project());
    let above: Vec<Place> = namespace
        .into_iter()
        .flat_map(|project| state.with_ancestors(project.namespace_id))
        .map(Place::Group)
        .collect();
    let links = state.belongings.group_links.iter().filter(|link| {
        let direct = link.shared == ctx.place();
        let inherited = above.contains(&link.shared);
        link.role.level() >= least
            && match ctx.string("relation") {
                Some("direct") => direct,
                Some(_) => inherited,
                None => direct || inherited,
            }
    });
    let found = links.filter_map(|link| state.groups.get(link.with_group));
    let found =
        found.filter(|group| can_read(ctx, &state, group.id) && is_named(ctx, &state, group));
    ctx.page(found, |group| {
        let body = short(ctx, &state, group);
        custom_attributes::with(ctx, &state, Place::Group(group.id), body)
    })
}

fn can_read(ctx: &Ctx<'_>, state: &State, group: u64) -> bool {
    access::in_group(state, ctx.caller.user(), group).can_read
}

fn is_named(ctx: &Ctx<'_>, state: &State, group: &Group) -> bool {
    let text = ctx.string("search").unwrap_or_default().to_lowercase();
    group.name.to_lowercase().contains(&text)
        || state
            .namespace_path(group.id)
            .to_lowercase()
            .contains(&text)
}

/// No more of a group than where it is.
pub(super) fn short(ctx: &Ctx<'_>, state: &State, group: &Group) -> Value {
    let full_path = state.namespace_path(group.id);
    json!({
        "id": group.id,
        "web_url": format!("{}/groups/{full_path}", ctx.url()),
        "name": group.name,
        "avatar_url": group_entity::avatar_url(group, ctx.url()),
        "full_name": state.namespace_name(group.id),
        "full_path": full_path,
    })
}
