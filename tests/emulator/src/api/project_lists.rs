//! Lists of projects: all, a user's, a group's; the filters and orders they share.

use jiff::Timestamp;
use serde_json::Value;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{
    Answer, Guard, Param, Route, boolean, get, hash, integer, list, one_of, string,
};
use crate::store::State;
use crate::store::members::Source;
use crate::store::places::Place;
use crate::store::projects::Project;

use super::custom_attributes;
use super::groups::VISIBILITY;
use super::project_entity as entity;

/// The filters of every list of projects.
pub(super) const FILTERS: &[Param] = &[
    string("search"),
    boolean("archived"),
    boolean("owned"),
    boolean("starred"),
    boolean("simple"),
    boolean("with_issues_enabled"),
    boolean("with_merge_requests_enabled"),
    boolean("with_custom_attributes"),
    hash("custom_attributes", &[]),
    integer("min_access_level"),
    list("topic"),
    VISIBILITY,
    one_of(
        "order_by",
        &[
            "id",
            "name",
            "path",
            "created_at",
            "updated_at",
            "last_activity_at",
            "star_count",
        ],
    ),
    one_of("sort", &["asc", "desc"]),
];
/// The filters of lists that reach over namespaces.
pub(super) const EVERYWHERE: &[Param] = &[
    boolean("search_namespaces"),
    boolean("membership"),
    boolean("statistics"),
    integer("id_after"),
    integer("id_before"),
    string("last_activity_after"),
    string("last_activity_before"),
    string("updated_after"),
    string("updated_before"),
];

/// Filters of GitLab's that are not there.
pub(super) const REFUSED: &[&str] = &[
    "imported",
    "include_pending_delete",
    "repository_storage",
    "topic_id",
    "with_programming_language",
];

pub(super) const ROUTES: &[Route] = &[
    get("projects", Guard::Open, index)
        .refuses(&[
            "imported",
            "include_pending_delete",
            "repository_storage",
            "topic_id",
            "with_programming_language",
        ])
        .params(FILTERS)
        .also(EVERYWHERE)
        .keyset(),
    get("users/:user_id/projects", Guard::Open, of_user)
        .refuses(&[
            "imported",
            "include_pending_delete",
            "repository_storage",
            "topic_id",
            "with_programming_language",
        ])
        .params(FILTERS)
        .also(EVERYWHERE)
        .keyset(),
    get("groups/:id/projects", Guard::GroupReader, of_group)
        .refuses(&["include_ancestor_groups"])
        .params(FILTERS)
        .also(&[boolean("include_subgroups"), boolean("with_shared")])
        .keyset(),
    get(
        "groups/:id/projects/shared",
        Guard::GroupReader,
        shared_with_group,
    )
    .params(FILTERS)
    .paginated(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    list_of(ctx, &ctx.state(), |_| true)
}

fn of_user(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = ctx.path("user_id");
    let user = id.parse().ok().and_then(|id| state.users.get(id));
    let user = user.or_else(|| state.user_named(id));
    let namespace = user
        .ok_or_else(|| ApiError::not_found("User"))?
        .namespace_id;
    list_of(ctx, &state, |project| project.namespace_id == namespace)
}

fn of_group(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let inside = |namespace: u64| match ctx.boolean("include_subgroups") {
        Some(true) => state
            .with_ancestors(namespace)
            .any(|above| above == ctx.group()),
        Some(false) | None => namespace == ctx.group(),
    };
    let with_shared = ctx.boolean("with_shared") != Some(false);
    list_of(ctx, &state, |project| {
        inside(project.namespace_id) || with_shared && is_shared(&state, project, ctx.group())
    })
}

fn shared_with_group(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    list_of(ctx, &state, |project| {
        is_shared(&state, project, ctx.group())
    })
}

fn is_shared(state: &State, project: &Project, group: u64) -> bool {
    state
        .belongings
        .group_links
        .iter()
        .any(|link| link.shared == Place::Project(project.id) && link.with_group == group)
}

/// The projects the caller may see, filtered and ordered by the parameters.
pub(super) fn list_of(ctx: &Ctx<'_>, state: &State, wanted: impl Fn(&Project) -> bool) -> Answer {
    let times = Times::read(ctx)?;
    let passes = |project: &&Project| {
        wanted(project)
            && times.cover(project)
            && custom_attributes::match_all(ctx, state, Place::Project(project.id))
            && belongs_to_caller(ctx, state, project)
            && has_properties(ctx, state, project)
    };
    let mut found: Vec<&Project> = state.projects.iter().filter(passes).collect();
    match ctx.string("order_by") {
        Some("name") => found.sort_by_key(|project| (project.name.clone(), project.id)),
        Some("path") => found.sort_by_key(|project| (project.path.clone(), project.id)),
        Some("updated_at") => found.sort_by_key(|project| (project.updated_at, project.id)),
        Some("star_count") => found.sort_by_key(|project| (project.starred_by.len(), project.id)),
        Some("last_activity_at") => {
            found.sort_by_key(|project| (project.last_activity_at, project.id));
        }
        Some(_) | None => {}
    }
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    let render = |project: &Project| {
        let body = if ctx.boolean("simple") == Some(true) {
            Value::Object(entity::simple(ctx, state, project))
        } else {
            entity::for_caller(ctx, state, project)
        };
        custom_attributes::with(ctx, state, Place::Project(project.id), body)
    };
    if ctx.string("pagination") == Some("keyset") {
        return crate::pagination::keyset(ctx, found, |project| project.id, render);
    }
    ctx.page(found, render)
}

/// May the caller see the project, and is it theirs in the way the parameters ask for?
fn belongs_to_caller(ctx: &Ctx<'_>, state: &State, project: &Project) -> bool {
    let user = ctx.caller.user();
    let access = access::in_project(state, user, project.id);
    let sources = state.member_sources(Source::Project(project.id));
    let member = user.is_some_and(|user| {
        sources
            .into_iter()
            .any(|source| state.member_role(user, source).is_some())
    });
    let asked = |name: &str| ctx.boolean(name) == Some(true);
    access.can_read
        && (!asked("membership") || member)
        && (!asked("owned") || (member && access.at_least(Role::Owner)))
        && (!asked("starred") || user.is_some_and(|user| project.starred_by.contains_key(&user)))
        && ctx
            .integer("min_access_level")
            .is_none_or(|least| access.role.is_some_and(|role| role.level() >= least))
}

fn has_properties(ctx: &Ctx<'_>, state: &State, project: &Project) -> bool {
    let settings = &project.settings;
    let on = |name: &str, enabled: bool| ctx.boolean(name) != Some(true) || enabled;
    let found = |text: String| {
        let path = if ctx.boolean("search_namespaces") == Some(true) {
            state.project_path(project)
        } else {
            project.path.clone()
        };
        path.to_lowercase().contains(&text) || project.name.to_lowercase().contains(&text)
    };
    ctx.boolean("archived")
        .is_none_or(|archived| settings.archived == archived)
        && on("with_issues_enabled", settings.issues_enabled)
        && on(
            "with_merge_requests_enabled",
            settings.merge_requests_enabled,
        )
        && ctx
            .number("id_after")
            .is_none_or(|after| project.id > after)
        && ctx
            .number("id_before")
            .is_none_or(|before| project.id < before)
        && ctx
            .list("topic")
            .is_none_or(|topics| topics.iter().all(|topic| settings.topics.contains(topic)))
        && ctx
            .string("visibility")
            .is_none_or(|visibility| project.visibility.as_str() == visibility)
        && ctx
            .string("search")
            .is_none_or(|text| found(text.to_lowercase()))
}

/// The bounds of the instants of a project.
struct Times {
    activity: (Option<Timestamp>, Option<Timestamp>),
    update: (Option<Timestamp>, Option<Timestamp>),
}

impl Times {
    fn read(ctx: &Ctx<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            activity: (
                ctx.instant("last_activity_after")?,
                ctx.instant("last_activity_before")?,
            ),
            update: (
                ctx.instant("updated_after")?,
                ctx.instant("updated_before")?,
            ),
        })
    }

    fn cover(&self, project: &Project) -> bool {
        let within = |(after, before): (Option<Timestamp>, Option<Timestamp>), at: Timestamp| {
            after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
        };
        within(self.activity, project.last_activity_at) && within(self.update, project.updated_at)
    }
}
