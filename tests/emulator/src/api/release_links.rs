//! The links among the assets of a release.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::releases::{Release, ReleaseLink};

use super::{release_entity as entity, releases};

const WRITE: Guard = Guard::Project(Role::Developer);
const TYPES: &[&str] = &["other", "runbook", "image", "package"];
const REST: &[Param] = &[
    string("direct_asset_path"),
    string("filepath"),
    one_of("link_type", TYPES),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/releases/:tag_name/assets/links",
        Guard::ProjectReader,
        index,
    )
    .paginated()
    .job_token(),
    post(
        "projects/:id/releases/:tag_name/assets/links",
        WRITE,
        create,
    )
    .params(&[string("name").required(), string("url").required()])
    .also(REST)
    .job_token(),
    get(
        "projects/:id/releases/:tag_name/assets/links/:link_id",
        Guard::ProjectReader,
        show,
    )
    .job_token(),
    put(
        "projects/:id/releases/:tag_name/assets/links/:link_id",
        WRITE,
        update,
    )
    .params(&[string("name"), string("url")])
    .also(REST)
    .job_token(),
    delete(
        "projects/:id/releases/:tag_name/assets/links/:link_id",
        WRITE,
        destroy,
    )
    .job_token(),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let release = releases::find(ctx)?;
    let state = ctx.state();
    let url = state.project_url(ctx.url(), ctx.project());
    ctx.page(state.links_of(release.id), |link| {
        entity::link(link, &release, &url)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let release = releases::find(ctx)?;
    let state = ctx.state();
    let link = find(ctx, &state, &release)?;
    Ok(Response::ok(&rendered(ctx, &state, &release, link)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let release = changeable(ctx)?;
    let link = with_changes(ctx, new(ctx, release.id));
    let mut state = ctx.state();
    problems(&state, &link).check()?;
    let id = state.release_links.insert(|id| ReleaseLink { id, ..link });
    let link = state.release_links.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&rendered(ctx, &state, &release, link)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    if ctx.string("name").is_none() && ctx.string("url").is_none() {
        let text = "name, url are missing, at least one parameter must be provided";
        return Err(ApiError::error(400, text));
    }
    let release = changeable(ctx)?;
    let mut state = ctx.state();
    let link = with_changes(ctx, find(ctx, &state, &release)?.clone());
    problems(&state, &link).check()?;
    let answer = Response::ok(&rendered(ctx, &state, &release, &link));
    let id = link.id;
    if let Some(stored) = state.release_links.get_mut(id) {
        *stored = link;
    }
    Ok(answer)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let release = changeable(ctx)?;
    let mut state = ctx.state();
    let link = find(ctx, &state, &release)?.clone();
    state.release_links.remove(link.id);
    Ok(Response::ok(&rendered(ctx, &state, &release, &link)))
}

/// The release of the path, unless its tag is protected against the caller.
fn changeable(ctx: &Ctx<'_>) -> Result<Release, ApiError> {
    let release = releases::find(ctx)?;
    let user = ctx.user()?;
    if access::may_create_tag(&ctx.state(), user, ctx.project(), &release.tag) {
        Ok(release)
    } else {
        Err(ApiError::forbidden())
    }
}

fn find<'a>(
    ctx: &Ctx<'_>,
    state: &'a State,
    release: &Release,
) -> Result<&'a ReleaseLink, ApiError> {
    state
        .release_links
        .get(ctx.path_number("link_id")?)
        .filter(|link| link.release_id == release.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn rendered(ctx: &Ctx<'_>, state: &State, release: &Release, link: &ReleaseLink) -> Value {
    entity::link(link, release, &state.project_url(ctx.url(), ctx.project()))
}

fn new(ctx: &Ctx<'_>, release_id: u64) -> ReleaseLink {
    ReleaseLink {
        id: 0,
        release_id,
        name: String::new(),
        url: String::new(),
        filepath: None,
        link_type: "other".to_owned(),
        created_at: ctx.now(),
    }
}

fn with_changes(ctx: &Ctx<'_>, mut link: ReleaseLink) -> ReleaseLink {
    let given = |name: &str| ctx.string(name).map(str::to_owned);
    link.name = given("name").unwrap_or(link.name);
    link.url = given("url").unwrap_or(link.url);
    link.filepath = given("direct_asset_path")
        .or_else(|| given("filepath"))
        .or(link.filepath)
        .filter(|path| !path.is_empty());
    // The type has a default, so an update that leaves it out sets it back.
    link.link_type = given("link_type").unwrap_or_else(|| "other".to_owned());
    link
}

static FILEPATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A/([\-.\w]+/?)*[\da-zA-Z]+\z").ok());

fn problems(state: &State, link: &ReleaseLink) -> Invalid {
    let mut invalid = Invalid::default();
    let others = || {
        state
            .links_of(link.release_id)
            .filter(|other| other.id != link.id)
    };
    let taken = "has already been taken";
    if link.url.is_empty() {
        invalid.add("url", "can't be blank");
    }
    if !["http://", "https://", "ftp://"]
        .iter()
        .any(|scheme| link.url.starts_with(scheme))
    {
        invalid.add(
            "url",
            "is blocked: Only allowed schemes are http, https, ftp",
        );
    }
    if others().any(|other| other.url == link.url) {
        invalid.add("url", taken);
    }
    if link.name.is_empty() {
        invalid.add("name", "can't be blank");
    }
    if others().any(|other| other.name == link.name) {
        invalid.add("name", taken);
    }
    if let Some(path) = &link.filepath {
        if others().any(|other| other.filepath.as_ref() == Some(path)) {
            invalid.add("filepath", taken);
        }
        if FILEPATH
            .as_ref()
            .is_some_and(|pattern| !pattern.is_match(path))
        {
            invalid.add("filepath", "is invalid");
        }
        if path.chars().count() > 128 {
            invalid.add("filepath", "is too long (maximum is 128 characters)");
        }
    }
    invalid
}

/// The links that the creation of a release brings along; here every problem is one sentence.
pub(super) fn of_assets(ctx: &Ctx<'_>) -> Result<Vec<ReleaseLink>, ApiError> {
    let links = ctx.value("assets").and_then(|assets| assets.get("links"));
    let Some(links) = links.filter(|links| !links.is_null()) else {
        return Ok(Vec::new());
    };
    let links = links
        .as_array()
        .ok_or_else(|| ApiError::error(400, "assets[links] is invalid"))?;
    let mut made: Vec<ReleaseLink> = Vec::new();
    for (index, entry) in links.iter().enumerate() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let required = |name: &str| {
            let missing =
                || ApiError::error(400, format!("assets[links][{index}][{name}] is missing"));
            text(name).ok_or_else(missing)
        };
        let link_type = text("link_type").unwrap_or_else(|| "other".to_owned());
        if !TYPES.contains(&link_type.as_str()) {
            let odd = format!("'{link_type}' is not a valid link_type");
            return Err(ApiError::message(400, odd));
        }
        let path = text("direct_asset_path").or_else(|| text("filepath"));
        made.push(ReleaseLink {
            name: required("name")?,
            url: required("url")?,
            filepath: path.filter(|path| !path.is_empty()),
            link_type,
            ..new(ctx, 0)
        });
    }
    check_together(&ctx.state(), &made)?;
    Ok(made)
}

fn check_together(state: &State, links: &[ReleaseLink]) -> Result<(), ApiError> {
    let failed = |text: String| Err(ApiError::message(400, format!("Validation failed: {text}")));
    for link in links {
        if let Some(problem) = problems(state, link).first() {
            return failed(format!("Links {problem}"));
        }
    }
    let columns: [fn(&ReleaseLink) -> Option<&str>; 3] = [
        |link| Some(&link.name),
        |link| Some(&link.url),
        |link| link.filepath.as_deref(),
    ];
    for column in columns {
        let values: Vec<&str> = links.iter().filter_map(column).collect();
        let twice = values
            .iter()
            .enumerate()
            .find(|(index, value)| values[..*index].contains(value));
        if let Some((_, value)) = twice {
            return failed(format!("Links have duplicate values ({value})"));
        }
    }
    Ok(())
}
