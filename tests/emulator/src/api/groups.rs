//! Groups and subgroups.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::application_settings;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hash, integer, integers, one_of, post, put,
    string,
};
use crate::store::State;
use crate::store::group_settings::GroupSettings;
use crate::store::groups::Group;
use crate::store::holders::Holder;
use crate::store::members::Source;
use crate::store::places::Place;
use crate::store::projects::Visibility;
use crate::store::tokens::TokenKind;

use super::group_entity::{detail, entity, with_projects};
use super::group_params::{LATER, OTHERS, SETTINGS};
use super::overlay::overlaid;
use super::{avatars, custom_attributes};

pub(super) const VISIBILITY: Param = one_of("visibility", &["private", "internal", "public"]);
const SORT: Param = one_of("sort", &["asc", "desc"]);
const FILTERS: &[Param] = &[
    boolean("all_available"),
    boolean("owned"),
    boolean("top_level_only"),
    boolean("statistics"),
    boolean("with_custom_attributes"),
    hash("custom_attributes", &[]),
    integer("min_access_level"),
    integers("skip_groups"),
    string("search"),
    VISIBILITY,
    one_of("order_by", &["name", "path", "id"]),
    SORT,
];

const EDIT: &[Param] = &[
    string("name"),
    string("path"),
    LATER[0],
    LATER[1],
    LATER[2],
    LATER[3],
];

pub(super) const ROUTES: &[Route] = &[
    get("groups", Guard::Open, index)
        .refuses(&["repository_storage"])
        .params(FILTERS)
        .keyset(),
    post("groups", Guard::User, create)
        .params(&[
            string("name").required(),
            string("path").required(),
            integer("parent_id"),
            integer("organization_id"),
        ])
        .also(SETTINGS)
        .and(OTHERS),
    get("groups/:id", Guard::GroupReader, show)
        .params(&[boolean("with_projects"), boolean("with_custom_attributes")]),
    put("groups/:id", Guard::Group(Role::Owner), edit)
        .params(EDIT)
        .also(SETTINGS)
        .and(OTHERS),
    delete("groups/:id", Guard::Group(Role::Owner), destroy),
    get("groups/:id/subgroups", Guard::GroupReader, subgroups)
        .refuses(&["repository_storage"])
        .params(FILTERS)
        .paginated(),
    get(
        "groups/:id/descendant_groups",
        Guard::GroupReader,
        descendants,
    )
    .refuses(&["repository_storage"])
    .params(FILTERS)
    .paginated(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    groups_where(ctx, |_| true)
}

fn subgroups(ctx: &Ctx<'_>) -> Answer {
    groups_where(ctx, |group| group.parent_id == Some(ctx.group()))
}

fn descendants(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let below = |group: &Group| {
        group.id != ctx.group()
            && state
                .with_ancestors(group.id)
                .any(|above| above == ctx.group())
    };
    let ids: Vec<u64> = state
        .groups
        .iter()
        .filter(|group| below(group))
        .map(|group| group.id)
        .collect();
    drop(state);
    groups_where(ctx, |group| ids.contains(&group.id))
}

fn groups_where(ctx: &Ctx<'_>, wanted: impl Fn(&Group) -> bool) -> Answer {
    let state = ctx.state();
    let user = ctx.caller.user();
    let search = ctx.string("search").map(str::to_lowercase);
    let passes = |group: &&Group| {
        let access = access::in_group(&state, user, group.id);
        let least = if ctx.boolean("owned") == Some(true) {
            Some(Role::Owner.level())
        } else {
            ctx.integer("min_access_level")
        };
        access.can_read
            && wanted(group)
            && custom_attributes::match_all(ctx, &state, Place::Group(group.id))
            && least.is_none_or(|least| access.role.is_some_and(|role| role.level() >= least))
            && (ctx.boolean("top_level_only") != Some(true) || group.parent_id.is_none())
            && search.as_ref().is_none_or(|text| {
                state.namespace_path(group.id).to_lowercase().contains(text)
                    || group.name.to_lowercase().contains(text)
            })
            && ctx
                .string("visibility")
                .is_none_or(|wanted| group.visibility.as_str() == wanted)
            && !ctx
                .value("skip_groups")
                .and_then(Value::as_array)
                .is_some_and(|ids| ids.contains(&json!(group.id)))
    };
    let mut found: Vec<&Group> = state.groups.iter().filter(passes).collect();
    match ctx.string("order_by").unwrap_or("name") {
        "id" => {}
        "path" => found.sort_by_key(|group| (group.path.clone(), group.id)),
        _ => found.sort_by_key(|group| (group.name.clone(), group.id)),
    }
    if ctx.string("sort") == Some("desc") {
        found.reverse();
    }
    let render = |group: &Group| {
        let body = entity(ctx, &state, group);
        custom_attributes::with(ctx, &state, Place::Group(group.id), body)
    };
    if ctx.string("pagination") == Some("keyset") {
        return crate::pagination::keyset(ctx, found, |group| group.id, render);
    }
    ctx.page(found, render)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let group = state
        .groups
        .get(ctx.group())
        .ok_or_else(|| ApiError::not_found("Group"))?;
    let body = if ctx.boolean("with_projects") == Some(false) {
        detail(ctx, &state, group)
    } else {
        with_projects(ctx, &state, group)
    };
    let body = custom_attributes::with(ctx, &state, Place::Group(group.id), body);
    Ok(Response::ok(&body))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let text = |name: &str| ctx.string(name).unwrap_or_default().to_owned();
    let avatar = avatars::wished(ctx)?.flatten();
    let settings = changed(ctx, &GroupSettings::default())?;
    let mut state = ctx.state();
    let parent = ctx.number("parent_id");
    if let Some(parent) = parent {
        let access = access::in_group(&state, Some(user), parent);
        if !access.can_read {
            return Err(ApiError::not_found("Group"));
        }
        if !access.at_least(Role::Maintainer) {
            return Err(ApiError::forbidden());
        }
    }
    check_path(&state, parent, &text("path"), None)?;
    let id = state.next_namespace();
    let wished = ctx.string("visibility").map(Visibility::parse);
    let inherited = parent
        .and_then(|parent| state.groups.get(parent))
        .map(|parent| parent.visibility);
    let default = application_settings::text(&state, "default_group_visibility");
    let default = default.map_or(Visibility::Private, Visibility::parse);
    state.groups.put(id, |id| Group {
        id,
        name: text("name"),
        path: text("path"),
        parent_id: parent,
        description: text("description"),
        visibility: wished.or(inherited).unwrap_or(default),
        created_at: now,
        avatar,
        settings,
    });
    if !access::in_group(&state, Some(user), id).at_least(Role::Owner) || parent.is_none() {
        state.add_member(user, Source::Group(id), Role::Owner, now);
    }
    let group = state.groups.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&detail(ctx, &state, group)))
}

/// The settings with the parameters of the request laid over them.
fn changed(ctx: &Ctx<'_>, old: &GroupSettings) -> Result<GroupSettings, ApiError> {
    let mut settings = overlaid(ctx, &overlaid(ctx, old, SETTINGS)?, LATER)?;
    if let Some(disabled) = ctx.boolean("emails_disabled") {
        settings.emails_enabled = !disabled;
    }
    Ok(settings)
}

fn edit(ctx: &Ctx<'_>) -> Answer {
    let avatar = avatars::wished(ctx)?;
    let mut state = ctx.state();
    let parent = state
        .groups
        .get(ctx.group())
        .and_then(|group| group.parent_id);
    if let Some(path) = ctx.string("path") {
        check_path(&state, parent, path, Some(ctx.group()))?;
    }
    let group = state
        .groups
        .get_mut(ctx.group())
        .ok_or_else(|| ApiError::not_found("Group"))?;
    for (name, field) in [
        ("name", &mut group.name),
        ("path", &mut group.path),
        ("description", &mut group.description),
    ] {
        if let Some(text) = ctx.string(name) {
            text.clone_into(field);
        }
    }
    if let Some(text) = ctx.string("visibility") {
        group.visibility = Visibility::parse(text);
    }
    group.settings = changed(ctx, &group.settings)?;
    if let Some(avatar) = avatar {
        group.avatar = avatar;
    }
    let group = group.clone();
    Ok(Response::ok(&with_projects(ctx, &state, &group)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let below = |state: &State, group: u64| {
        state
            .with_ancestors(group)
            .any(|above| above == ctx.group())
    };
    let projects: Vec<u64> = state
        .projects
        .iter()
        .filter(|project| below(&state, project.namespace_id))
        .map(|project| project.id)
        .collect();
    let groups: Vec<u64> = state
        .groups
        .iter()
        .filter(|group| below(&state, group.id))
        .map(|group| group.id)
        .collect();
    for project in &projects {
        state.remove_project(*project);
    }
    for group in groups {
        state.groups.remove(group);
        state.remove_belongings(Place::Group(group));
        let holder = Holder::Group(group);
        state.labels.retain(|label| label.holder != holder);
        state
            .milestones
            .retain(|milestone| milestone.holder != holder);
        state.boards.retain(|board| board.holder != holder);
        state
            .members
            .retain(|member| member.source != Source::Group(group));
        state
            .variables
            .remove_of(crate::store::variables::Owner::Group(group));
        state
            .tokens
            .retain(|token| token.kind != TokenKind::Group(group));
    }
    drop(state);
    projects
        .into_iter()
        .for_each(|project| ctx.shared.repository(project).delete());
    Ok(Response::json(202, &json!({ "message": "202 Accepted" })))
}

/// Is a path free and allowed below a parent?
pub(super) fn check_path(
    state: &State,
    parent: Option<u64>,
    path: &str,
    own: Option<u64>,
) -> Result<(), ApiError> {
    let mut invalid = Invalid::default();
    let taken = state.groups.iter().any(|group| {
        Some(group.id) != own && group.parent_id == parent && group.path.eq_ignore_ascii_case(path)
    });
    if taken || (parent.is_none() && state.user_named(path).is_some()) {
        invalid.add("path", "has already been taken");
    }
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    if path.is_empty()
        || !path.chars().all(allowed)
        || path.starts_with(['-', '.'])
        || path.ends_with(".git")
    {
        invalid.add("path", "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'.");
    }
    if invalid.is_empty() {
        return Ok(());
    }
    let error = invalid.check().err().unwrap_or_else(ApiError::internal);
    let details = error.body["message"].to_string();
    Err(ApiError::message(
        400,
        format!("Failed to save group {details}"),
    ))
}
