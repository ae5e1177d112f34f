//! Releases: creation (with the tag, if need be), lookup, lists, editing, removal.

use jiff::Timestamp;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hash, integers, list, one_of, post, put,
    string,
};
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::releases::{Release, ReleaseLink};

use super::release_addresses::{download, latest};
use super::release_entity as entity;
use super::{release_evidence, release_links, tags};

const HTML: &[Param] = &[boolean("include_html_description")];
const WRITE: Guard = Guard::Project(Role::Developer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/releases", Guard::ProjectReader, index)
        .params(&[
            one_of("order_by", &["released_at", "created_at"]),
            one_of("sort", &["asc", "desc"]),
            string("updated_before"),
            string("updated_after"),
        ])
        .also(HTML)
        .paginated()
        .job_token(),
    get("groups/:id/releases", Guard::GroupReader, of_group)
        .params(&[one_of("sort", &["asc", "desc"]), boolean("simple")])
        .paginated(),
    get(
        "projects/:id/releases/:tag_name",
        Guard::ProjectReader,
        show,
    )
    .params(HTML)
    .job_token(),
    get(
        "projects/:id/releases/permalink/latest",
        Guard::ProjectReader,
        latest,
    )
    .params(HTML)
    .also(&[one_of("order_by", &["released_at"])])
    .job_token(),
    get(
        "projects/:id/releases/permalink/latest/*suffix_path",
        Guard::ProjectReader,
        latest,
    )
    .params(HTML)
    .also(&[one_of("order_by", &["released_at"])])
    .paginated()
    .job_token(),
    get(
        "projects/:id/releases/:tag_name/downloads/*direct_asset_path",
        Guard::ProjectReader,
        download,
    )
    .job_token(),
    post("projects/:id/releases", WRITE, create)
        .params(&[
            string("tag_name").required(),
            string("tag_message"),
            string("ref"),
            hash("assets", &["links"]),
        ])
        .also(CONTENT)
        .job_token(),
    put("projects/:id/releases/:tag_name", WRITE, update)
        .params(CONTENT)
        .job_token(),
    delete(
        "projects/:id/releases/:tag_name",
        Guard::Project(Role::Maintainer),
        destroy,
    )
    .job_token(),
];

/// What creation and editing have in common.
const CONTENT: &[Param] = &[
    string("name"),
    string("description"),
    list("milestones"),
    integers("milestone_ids"),
    string("released_at"),
];

/// What the short form of a group's releases has.
const SIMPLE: &[&str] = &[
    "name",
    "tag_name",
    "description",
    "created_at",
    "released_at",
    "upcoming_release",
];

/// The most characters of a description (`Gitlab::Database::MAX_TEXT_SIZE_LIMIT`).
const MOST_TEXT: usize = 1_000_000;

/// A description that GitLab's model does not take.
fn check_description(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    let text = ctx.string("description").unwrap_or_default();
    if text.chars().count() <= MOST_TEXT {
        return Ok(());
    }
    let text =
        format!("Validation failed: Description is too long (maximum is {MOST_TEXT} characters)");
    Err(ApiError::message(400, text))
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let (before, after) = (
        ctx.instant("updated_before")?,
        ctx.instant("updated_after")?,
    );
    let mut found: Vec<Release> = {
        let state = ctx.state();
        let wanted = |release: &&Release| {
            before.is_none_or(|before| release.updated_at <= before)
                && after.is_none_or(|after| release.updated_at >= after)
        };
        state
            .releases_of(ctx.project())
            .filter(wanted)
            .cloned()
            .collect()
    };
    if ctx.string("order_by") != Some("created_at") {
        found.sort_by_key(|release| (release.released_at, release.id));
    }
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    let code = entity::may_read_code(ctx);
    ctx.page(found, |release| entity::full(ctx, &release, code))
}

/// The releases of a group's projects, as far as the caller may see them.
fn of_group(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.caller.user();
    let mut found: Vec<(Release, bool)> = {
        let state = ctx.state();
        let inside = |project: u64| {
            state
                .groups_above(project)
                .any(|group| group == ctx.group())
        };
        state
            .releases
            .iter()
            .filter(|release| inside(release.project_id))
            .filter(|release| access::in_project(&state, user, release.project_id).can_read)
            .map(|release| {
                let code = access::may_read_code(&state, user, release.project_id);
                (release.clone(), code)
            })
            .collect()
    };
    found.sort_by_key(|(release, _)| (release.released_at, release.id));
    if ctx.string("sort") != Some("asc") {
        found.reverse();
    }
    let simple = ctx.boolean("simple") == Some(true);
    ctx.page(found, |(release, code)| {
        let mut body = entity::full(ctx, &release, code);
        if let (true, Some(fields)) = (simple, body.as_object_mut()) {
            fields.retain(|name, _| SIMPLE.contains(&name.as_str()));
        }
        body
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    check_code(ctx)?;
    let release = find(ctx)?;
    Ok(Response::ok(&entity::full(ctx, &release, true)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let tag = ctx.string("tag_name").unwrap_or_default();
    let released_at = ctx.instant("released_at")?.unwrap_or_else(|| ctx.now());
    let links = release_links::of_assets(ctx)?;
    let milestone_ids = {
        let state = ctx.state();
        if !access::may_create_tag(&state, user, ctx.project(), tag) {
            let text = "You are not allowed to create this tag as it is protected.";
            return Err(ApiError::message(403, text));
        }
        if state.release_of_tag(ctx.project(), tag).is_some() {
            return Err(ApiError::message(409, "Release already exists"));
        }
        milestones(ctx, &state)?.unwrap_or_default()
    };
    let repository = ctx.shared.repository(ctx.project());
    let in_git = format!("refs/tags/{tag}");
    if repository.resolve(&in_git)?.is_none() {
        let target = ctx.string("ref").filter(|text| !text.is_empty());
        let target = target.ok_or_else(|| ApiError::message(422, "Ref is not specified"))?;
        let message = ctx.string("tag_message");
        tags::make(ctx, tag, target, message)?;
    }
    // By then the tag is there.
    check_description(ctx)?;
    let sha = repository.resolve(&in_git)?.unwrap_or_default();
    let name = ctx.string("name").filter(|name| !name.is_empty());
    let release = Release {
        id: 0,
        project_id: ctx.project(),
        tag: tag.to_owned(),
        sha,
        name: name.unwrap_or(tag).to_owned(),
        description: ctx.string("description").map(str::to_owned),
        author_id: user,
        milestone_ids,
        created_at: ctx.now(),
        updated_at: ctx.now(),
        released_at,
    };
    let release = store(ctx, release, links)?;
    let answer = Response::created(&entity::full(ctx, &release, true));
    // A release of the past has none, and one of the future gets it when its time comes.
    if !ctx.given("released_at") {
        release_evidence::collect(ctx, &mut ctx.state(), release.id);
    }
    Ok(answer)
}

/// The last check and the insertion under one lock: whoever was overtaken meanwhile fails like at the database's index.
fn store(ctx: &Ctx<'_>, release: Release, links: Vec<ReleaseLink>) -> Result<Release, ApiError> {
    let mut state = ctx.state();
    if state
        .release_of_tag(release.project_id, &release.tag)
        .is_some()
    {
        let text = "Validation failed: Tag has already been taken";
        return Err(ApiError::message(400, text));
    }
    let release_id = state.releases.insert(|id| Release { id, ..release });
    for link in links {
        state.release_links.insert(|id| ReleaseLink {
            id,
            release_id,
            ..link
        });
    }
    let stored = state.releases.get(release_id).cloned();
    stored.ok_or_else(ApiError::internal)
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let release = may_change(ctx)?;
    if CONTENT.iter().all(|param| !ctx.given(param.name)) {
        return Err(ApiError::message(400, "params is empty"));
    }
    let in_git = format!("refs/tags/{}", release.tag);
    if ctx
        .shared
        .repository(ctx.project())
        .resolve(&in_git)?
        .is_none()
    {
        return Err(ApiError::message(404, "Tag does not exist"));
    }
    check_description(ctx)?;
    let released_at: Option<Timestamp> = ctx.instant("released_at")?;
    let mut state = ctx.state();
    let milestone_ids = milestones(ctx, &state)?;
    let stored = state
        .releases
        .get_mut(release.id)
        .ok_or_else(|| ApiError::message(404, "Release does not exist"))?;
    if let Some(name) = ctx.string("name") {
        name.clone_into(&mut stored.name);
    }
    if ctx.given("description") {
        stored.description = ctx.string("description").map(str::to_owned);
    }
    stored.milestone_ids = milestone_ids.unwrap_or_else(|| stored.milestone_ids.clone());
    stored.released_at = released_at.unwrap_or(stored.released_at);
    stored.updated_at = ctx.now();
    let release = stored.clone();
    drop(state);
    Ok(Response::ok(&entity::full(ctx, &release, true)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let release = may_change(ctx)?;
    let answer = Response::ok(&entity::full(ctx, &release, true));
    ctx.state().remove_release(release.id);
    Ok(answer)
}

/// The release of the path if its tag lets the caller change it. One that is not there is forbidden too: GitLab asks for the
/// right before it looks.
fn may_change(ctx: &Ctx<'_>) -> Result<Release, ApiError> {
    let user = ctx.user()?;
    let state = ctx.state();
    let release = state.release_of_tag(ctx.project(), ctx.path("tag_name"));
    release
        .filter(|release| access::may_create_tag(&state, user, ctx.project(), &release.tag))
        .cloned()
        .ok_or_else(ApiError::forbidden)
}

/// Single releases are for those who may read the code.
pub(super) fn check_code(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    if entity::may_read_code(ctx) {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

/// The release of the path.
pub(super) fn find(ctx: &Ctx<'_>) -> Result<Release, ApiError> {
    let state = ctx.state();
    let release = state.release_of_tag(ctx.project(), ctx.path("tag_name"));
    release
        .cloned()
        .ok_or_else(|| ApiError::message(404, "404 Not Found"))
}

/// The ids of the milestones that titles or ids name; nothing if neither was sent.
fn milestones(ctx: &Ctx<'_>, state: &State) -> Result<Option<Vec<u64>>, ApiError> {
    let (titles, ids) = (ctx.list("milestones"), ctx.list_of_numbers("milestone_ids"));
    if ctx.given("milestones") && ctx.given("milestone_ids") {
        let text = "milestones, milestone_ids Cannot specify milestones and milestone_ids at the same time";
        return Err(ApiError::error(400, text));
    }
    if !ctx.given("milestones") && !ctx.given("milestone_ids") {
        return Ok(None);
    }
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for title in titles.unwrap_or_default() {
        match state.milestone_titled(ctx.project(), &title) {
            Some(milestone) => found.push(milestone.id),
            None => missing.push(title),
        }
    }
    if !missing.is_empty() {
        let text = format!("Milestone(s) not found: {}", missing.join(", "));
        return Err(ApiError::message(400, text));
    }
    for id in ids.unwrap_or_default() {
        let holder = Holder::Project(ctx.project());
        if state.milestones_for(holder).any(|row| row.id == id) {
            found.push(id);
        } else {
            missing.push(id.to_string());
        }
    }
    if !missing.is_empty() {
        let text = format!("Milestone id(s) not found: {}", missing.join(", "));
        return Err(ApiError::message(400, text));
    }
    Ok(Some(found))
}
