//! Tags.

use std::cmp::{Ordering, Reverse};

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Commit, Tag};
use crate::message::Response;
use crate::pagination;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Route, delete, get, one_of, post, string};
use crate::store::State;

use super::branches::matches_search;
use super::commit_entity::{self, project_url};
use super::repository::require_code;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Developer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/repository/tags", READER, index)
        .params(&[
            string("search"),
            string("page_token"),
            one_of("pagination", &["keyset", "legacy"]),
            one_of("order_by", &["name", "updated", "version"]),
            one_of("sort", &["asc", "desc"]),
        ])
        .paginated()
        .job_token(),
    get("projects/:id/repository/tags/:tag_name", READER, show),
    post("projects/:id/repository/tags", WRITER, create).params(&[
        string("tag_name").required(),
        string("ref").required(),
        string("message"),
    ]),
    delete("projects/:id/repository/tags/:tag_name", WRITER, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let mut tags = Vec::new();
    for tag in repository.tags()? {
        let wanted = ctx
            .string("search")
            .is_none_or(|search| matches_search(search, &tag.name));
        if wanted && let Some(commit) = repository.commit(&tag.commit)? {
            tags.push((tag, commit));
        }
    }
    match ctx.string("order_by") {
        Some("name") => {}
        Some("version") => tags.sort_by(|(one, _), (other, _)| by_version(&one.name, &other.name)),
        Some(_) | None => {
            tags.sort_by_key(|(tag, commit)| tag.created_at.unwrap_or(commit.committer.at));
        }
    }
    if ctx.string("sort") != Some("asc") {
        tags.reverse();
    }
    let url = project_url(ctx);
    let state = ctx.state();
    if ctx.string("pagination") == Some("keyset") {
        let name = |row: &(Tag, Commit)| row.0.name.clone();
        return pagination::by_token(ctx, tags, name, |(tag, commit)| {
            entity((&state, ctx.project()), &url, &tag, &commit)
        });
    }
    ctx.page(tags, |(tag, commit)| {
        entity((&state, ctx.project()), &url, &tag, &commit)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    Ok(Response::ok(&one(ctx, ctx.path("tag_name"))?))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let name = ctx.string("tag_name").unwrap_or_default();
    let target = ctx.string("ref").unwrap_or_default();
    make(ctx, name, target, ctx.string("message"))?;
    Ok(Response::created(&one(ctx, name)?))
}

/// Makes a tag in the name of the caller, annotated if there is a message; refused with `400` and GitLab's words.
pub(super) fn make(
    ctx: &Ctx<'_>,
    name: &str,
    target: &str,
    message: Option<&str>,
) -> Result<(), ApiError> {
    let (user, project) = (ctx.user()?, ctx.project());
    let repository = ctx.shared.repository(project);
    let refused = |text: String| Err(ApiError::message(400, text));
    if !access::may_create_tag(&ctx.state(), user, project, name) {
        return refused("You are not allowed to create this tag as it is protected.".to_owned());
    }
    if !repository.is_ref_name(name) {
        return refused("Tag name invalid".to_owned());
    }
    let Some(commit) = repository.resolve(target)? else {
        return refused(format!("Target {target} is invalid"));
    };
    let full = format!("refs/tags/{name}");
    if repository.resolve(&full)?.is_some() {
        return refused(format!("Tag {name} already exists"));
    }
    let tagger = ctx.state().identity(user, ctx.now());
    let object = match message.filter(|message| !message.is_empty()) {
        Some(message) => repository.tag_object(name, &commit, message, &tagger)?,
        None => commit,
    };
    let update = RefUpdate {
        name: full,
        old: None,
        new: Some(object),
    };
    match push::move_ref(ctx.shared, project, user, update, Vec::new()) {
        Err(crate::git::GitError::RefMoved { .. }) => refused(format!("Tag {name} already exists")),
        moved => Ok(moved?),
    }
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let (user, project, name) = (ctx.user()?, ctx.project(), ctx.path("tag_name"));
    let tag = ctx.shared.repository(project).tag(name)?;
    let tag = tag.ok_or_else(|| ApiError::not_found("Tag"))?;
    if ctx.state().is_protected_tag(project, name) {
        ctx.require(Role::Maintainer)?;
    }
    if let Some(head) = ctx.shared.repository(project).commit(&tag.target)? {
        ctx.check_unmodified(head.committer.at)?;
    }
    let update = RefUpdate {
        name: format!("refs/tags/{name}"),
        old: Some(tag.target),
        new: None,
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    let mut state = ctx.state();
    if let Some(release) = state
        .release_of_tag(project, name)
        .map(|release| release.id)
    {
        state.remove_release(release);
    }
    Ok(Response::no_content())
}

fn one(ctx: &Ctx<'_>, name: &str) -> Result<Value, ApiError> {
    let repository = ctx.shared.repository(ctx.project());
    let missing = || ApiError::not_found("Tag");
    let tag = repository.tag(name)?.ok_or_else(missing)?;
    let commit = repository.commit(&tag.commit)?.ok_or_else(missing)?;
    let url = project_url(ctx);
    let state = ctx.state();
    Ok(entity((&state, ctx.project()), &url, &tag, &commit))
}

fn entity((state, project): (&State, u64), url: &str, tag: &Tag, commit: &Commit) -> Value {
    let release = state.release_of_tag(project, &tag.name);
    let release = release.map(|row| json!({ "tag_name": row.tag, "description": row.description }));
    json!({
        "name": tag.name,
        "message": tag.message,
        "target": tag.target,
        "commit": commit_entity::basic(url, commit),
        "release": release,
        "protected": state.is_protected_tag(project, &tag.name),
        "created_at": tag.created_at.map(clock::iso),
    })
}

/// Names compared part by part: `v1.10` comes after `v1.9`, and `1.0-rc1` before `1.0`.
fn by_version(one: &str, other: &str) -> Ordering {
    let key = |name: &str| {
        let name = name.trim_start_matches('v');
        let (numbers, pre) = name.split_once('-').unwrap_or((name, ""));
        let numbers: Vec<u64> = numbers
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect();
        (numbers, Reverse(!pre.is_empty()), pre.to_owned())
    };
    key(one).cmp(&key(other))
}

#[cfg(test)]
mod tests {
    use super::by_version;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let mut names = ["v1.10.0", "v1.9.0", "v1.10.0-rc1", "1.2", "v2"];
        names.sort_by(|one, other| by_version(one, other));
        assert_eq!(names, ["1.2", "v1.9.0", "v1.10.0-rc1", "v1.10.0", "v2"]);
    }
}
