//! Templates of the instance, and of projects with their own for issues and merge requests.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, get, integer, string};
use crate::templates::{self, LICENSES, License};

const FILL: &[Param] = &[string("project"), string("fullname")];

pub(super) const ROUTES: &[Route] = &[
    get("templates/dockerfiles", Guard::Open, index).paginated(),
    get("templates/dockerfiles/:name", Guard::Open, show),
    get("templates/gitignores", Guard::Open, index).paginated(),
    get("templates/gitignores/:name", Guard::Open, show),
    get("templates/gitlab_ci_ymls", Guard::Open, index).paginated(),
    get("templates/gitlab_ci_ymls/:name", Guard::Open, show),
    get("templates/licenses", Guard::Open, licenses)
        .params(&[boolean("popular")])
        .paginated(),
    get("templates/licenses/:name", Guard::Open, license).params(FILL),
    get(
        "projects/:id/templates/:type",
        Guard::ProjectReader,
        of_project,
    )
    .paginated(),
    get(
        "projects/:id/templates/:type/:name",
        Guard::ProjectReader,
        one_of_project,
    )
    .params(FILL)
    .also(&[integer("source_template_project_id")]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    list_of(ctx, kind_of_path(ctx))
}

fn list_of(ctx: &Ctx<'_>, kind: &str) -> Answer {
    let all = templates::of_kind(kind).ok_or_else(bad_type)?;
    ctx.page(all, |(name, _)| json!({ "key": name, "name": name }))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    one_of_kind(ctx, kind_of_path(ctx))
}

fn one_of_kind(ctx: &Ctx<'_>, kind: &str) -> Answer {
    let mut all = templates::of_kind(kind).ok_or_else(bad_type)?.iter();
    let found = all.find(|(name, _)| *name == ctx.path("name"));
    let (name, content) = found.ok_or_else(|| ApiError::not_found("Template"))?;
    Ok(Response::ok(&json!({ "name": name, "content": content })))
}

/// `gitignores` of `/api/v4/templates/gitignores/Node`.
fn kind_of_path<'a>(ctx: &'a Ctx<'_>) -> &'a str {
    ctx.request.segments.get(3).map_or("", String::as_str)
}

fn bad_type() -> ApiError {
    ApiError::error(400, "type does not have a valid value")
}

fn licenses(ctx: &Ctx<'_>) -> Answer {
    let wanted = |license: &&License| {
        ctx.boolean("popular")
            .is_none_or(|popular| license.popular == popular)
    };
    ctx.page(LICENSES.iter().filter(wanted), |license| {
        license_entity(license, license.content)
    })
}

fn license(ctx: &Ctx<'_>) -> Answer {
    let found = LICENSES
        .iter()
        .find(|license| license.key == ctx.path("name"));
    let license = found.ok_or_else(|| ApiError::not_found("License"))?;
    let user = ctx.caller.user();
    let own = user.and_then(|user| ctx.state().users.get(user).map(|user| user.name.clone()));
    let fullname = ctx.string("fullname").map(str::to_owned).or(own);
    let year = ctx.now().to_zoned(TimeZone::UTC).year().to_string();
    let mut content = license.content.replace("[year]", &year);
    if let Some(fullname) = fullname {
        content = content.replace("[fullname]", &fullname);
    }
    if let Some(project) = ctx.string("project") {
        content = content.replace("[project]", project);
    }
    Ok(Response::ok(&license_entity(license, &content)))
}

fn license_entity(license: &License, content: &str) -> Value {
    json!({
        "key": license.key,
        "name": license.name,
        "nickname": license.nickname,
        "html_url": format!("https://choosealicense.com/licenses/{}/", license.key),
        "source_url": license.source_url,
        "popular": license.popular,
        "description": Value::Null,
        "conditions": license.conditions,
        "permissions": license.permissions,
        "limitations": license.limitations,
        "content": content,
    })
}

/// The folder of a project's own templates.
fn folder(kind: &str) -> Option<&'static str> {
    match kind {
        "issues" => Some(".gitlab/issue_templates"),
        "merge_requests" => Some(".gitlab/merge_request_templates"),
        _ => None,
    }
}

fn of_project(ctx: &Ctx<'_>) -> Answer {
    let kind = ctx.path("type");
    if kind == "licenses" {
        return ctx.page(
            LICENSES,
            |license| json!({ "key": license.key, "name": license.name }),
        );
    }
    let Some(folder) = folder(kind) else {
        return list_of(ctx, kind);
    };
    let Some(branch) = readable_branch(ctx)? else {
        return ctx.page(Vec::<String>::new(), |name| json!(name));
    };
    let entries = ctx
        .shared
        .repository(ctx.project())
        .tree(&branch, folder, false)?;
    let names = entries.iter().filter_map(|entry| {
        let name = entry.path.rsplit('/').next()?;
        name.strip_suffix(".md").map(str::to_owned)
    });
    ctx.page(names, |name| json!({ "key": name, "name": name }))
}

fn one_of_project(ctx: &Ctx<'_>) -> Answer {
    let kind = ctx.path("type");
    if kind == "licenses" {
        return license(ctx);
    }
    let Some(folder) = folder(kind) else {
        return one_of_kind(ctx, kind);
    };
    let missing = || ApiError::not_found("Template");
    let branch = readable_branch(ctx)?.ok_or_else(missing)?;
    let name = ctx.path("name");
    let path = format!("{folder}/{name}.md");
    let content = ctx
        .shared
        .repository(ctx.project())
        .file(&branch, &path)?
        .ok_or_else(missing)?;
    let content = String::from_utf8_lossy(&content);
    Ok(Response::ok(&json!({ "name": name, "content": content })))
}

/// The default branch, if there is one and the caller may read code.
fn readable_branch(ctx: &Ctx<'_>) -> Result<Option<String>, ApiError> {
    let state = ctx.state();
    if !access::may_read_code(&state, ctx.caller.user(), ctx.project()) {
        return Err(ApiError::not_found("Project"));
    }
    let project = state.projects.get(ctx.project());
    let branch = project.and_then(|project| project.default_branch.clone());
    Ok(branch.map(|branch| format!("refs/heads/{branch}")))
}
