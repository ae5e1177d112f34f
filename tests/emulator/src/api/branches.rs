//! Branches.

use regex::Regex;
use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Action, Commit};
use crate::message::Response;
use crate::pagination;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;

use super::commit_entity::{self, project_url};
use super::repository::require_code;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Developer);
const KEEPER: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/repository/branches", READER, index)
        .params(&[
            string("search"),
            string("page_token"),
            one_of("pagination", &["keyset", "legacy"]),
            string("regex"),
            one_of("sort", &["name_asc", "updated_asc", "updated_desc"]),
        ])
        .paginated()
        .job_token(),
    get("projects/:id/repository/branches/:branch", READER, show),
    post("projects/:id/repository/branches", WRITER, create)
        .params(&[string("branch").required(), string("ref").required()]),
    delete("projects/:id/repository/branches/:branch", WRITER, destroy),
    delete(
        "projects/:id/repository/merged_branches",
        WRITER,
        destroy_merged,
    ),
    put(
        "projects/:id/repository/branches/:branch/protect",
        KEEPER,
        protect,
    )
    .params(&[
        boolean("developers_can_push"),
        boolean("developers_can_merge"),
    ]),
    put(
        "projects/:id/repository/branches/:branch/unprotect",
        KEEPER,
        unprotect,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let pattern = match ctx.string("regex") {
        Some(pattern) => Some(
            Regex::new(pattern)
                .map_err(|error| ApiError::bad_request(&format!("Invalid regex: {error}")))?,
        ),
        None => None,
    };
    let wanted = |name: &str| {
        ctx.string("search")
            .is_none_or(|search| matches_search(search, name))
            && pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(name))
    };
    let mut branches = read(ctx, |name| wanted(name))?;
    match ctx.string("sort") {
        Some("updated_asc") => branches.sort_by_key(|(_, commit)| commit.committer.at),
        Some("updated_desc") => {
            branches.sort_by_key(|(_, commit)| std::cmp::Reverse(commit.committer.at));
        }
        Some(_) | None => {}
    }
    let rendered = entities(ctx, branches)?;
    if ctx.string("pagination") == Some("keyset") {
        let name = |branch: &Value| branch["name"].as_str().unwrap_or_default().to_owned();
        return pagination::by_token(ctx, rendered, name, |branch| branch);
    }
    ctx.page(rendered, |branch| branch)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    Ok(Response::ok(&one(ctx, ctx.path("branch"))?))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, project) = (ctx.user()?, ctx.project());
    let (name, from) = (
        ctx.string("branch").unwrap_or_default(),
        ctx.string("ref").unwrap_or_default(),
    );
    let repository = ctx.shared.repository(project);
    if !repository.is_ref_name(name) {
        return Err(ApiError::message(400, "Branch name is invalid"));
    }
    if repository.resolve(&format!("refs/heads/{name}"))?.is_some() {
        return Err(ApiError::message(400, "Branch already exists"));
    }
    if repository.branches()?.is_empty() {
        begin(ctx, user)?;
    }
    let Some(commit) = repository.resolve(from)? else {
        return Err(ApiError::message(
            400,
            format!("Invalid reference name: {from}"),
        ));
    };
    if !access::may_update(&ctx.state(), user, project, name) {
        let text = "You are not allowed to create protected branches on this project.";
        return Err(ApiError::message(400, text));
    }
    let update = RefUpdate {
        name: format!("refs/heads/{name}"),
        old: None,
        new: Some(commit),
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    Ok(Response::created(&one(ctx, name)?))
}

/// An empty repository gets its default branch, with an empty README, before another branch is made.
fn begin(ctx: &Ctx<'_>, user: u64) -> Result<(), ApiError> {
    let project = ctx.project();
    let (by, branch) = {
        let state = ctx.state();
        let wished = state.projects.get(project);
        let wished = wished.and_then(|project| project.wished_default_branch.clone());
        (
            state.identity(user, ctx.now()),
            wished.unwrap_or_else(|| "main".to_owned()),
        )
    };
    let repository = ctx.shared.repository(project);
    let readme = [Action::put("README.md", b"")];
    let commit = repository.commit_actions(None, &readme, "Add README.md", &by, &by)?;
    let update = RefUpdate {
        name: format!("refs/heads/{branch}"),
        old: None,
        new: Some(commit),
    };
    Ok(push::move_ref(
        ctx.shared,
        project,
        user,
        update,
        Vec::new(),
    )?)
}

/// Deletes the branches that the default branch holds, but for protected ones.
fn destroy_merged(ctx: &Ctx<'_>) -> Answer {
    let (user, project) = (ctx.user()?, ctx.project());
    let repository = ctx.shared.repository(project);
    let default = {
        let state = ctx.state();
        let project = state.projects.get(project);
        project.and_then(|project| project.default_branch.clone())
    };
    let default = default.unwrap_or_else(|| "main".to_owned());
    let Some(root) = repository.resolve(&format!("refs/heads/{default}"))? else {
        return Err(ApiError::not_found_plain());
    };
    for (name, commit) in repository.branches()? {
        let kept = name == default
            || ctx.state().is_protected_branch(project, &name)
            || ctx.state().merge_requests_of(project).any(|row| {
                row.is_open() && (row.source_branch == name || row.target_branch == name)
            });
        if kept || !repository.is_ancestor(&commit, &root)? {
            continue;
        }
        let update = RefUpdate {
            name: format!("refs/heads/{name}"),
            old: Some(commit),
            new: None,
        };
        push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    }
    Ok(Response::json(202, &json!({ "message": "202 Accepted" })))
}

/// The older way to protect a branch.
fn protect(ctx: &Ctx<'_>) -> Answer {
    let (project, name) = (ctx.project(), ctx.path("branch"));
    one(ctx, name)?;
    {
        let mut state = ctx.state();
        let known = state
            .protected_branches
            .iter()
            .find(|rule| rule.project_id == project && rule.name == name)
            .map(|rule| rule.id);
        let id = known.unwrap_or_else(|| state.protect_branch(project, name));
        if let Some(rule) = state.protected_branches.get_mut(id) {
            let level = |open: Option<bool>, old: &mut Vec<i64>| match open {
                Some(true) => *old = vec![Role::Developer.level()],
                Some(false) => *old = vec![Role::Maintainer.level()],
                None => {}
            };
            level(
                ctx.boolean("developers_can_push"),
                &mut rule.push_access_levels,
            );
            level(
                ctx.boolean("developers_can_merge"),
                &mut rule.merge_access_levels,
            );
        }
    }
    Ok(Response::ok(&one(ctx, name)?))
}

fn unprotect(ctx: &Ctx<'_>) -> Answer {
    let (project, name) = (ctx.project(), ctx.path("branch"));
    one(ctx, name)?;
    ctx.state()
        .protected_branches
        .retain(|rule| rule.project_id != project || rule.name != name);
    Ok(Response::ok(&one(ctx, name)?))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let (user, project, name) = (ctx.user()?, ctx.project(), ctx.path("branch"));
    let full = format!("refs/heads/{name}");
    let old = ctx.shared.repository(project).resolve(&full)?;
    let old = old.ok_or_else(|| ApiError::not_found("Branch"))?;
    if let Some(head) = ctx.shared.repository(project).commit(&old)? {
        ctx.check_unmodified(head.committer.at)?;
    }
    {
        let state = ctx.state();
        let found = state.projects.get(project);
        if found.and_then(|found| found.default_branch.as_deref()) == Some(name) {
            return Err(ApiError::message(405, "Cannot remove HEAD branch"));
        }
        let maintainer = access::in_project(&state, Some(user), project).at_least(Role::Maintainer);
        if state.is_protected_branch(project, name) && !maintainer {
            return Err(ApiError::message(405, "You dont have push access to repo"));
        }
    }
    let update = RefUpdate {
        name: full,
        old: Some(old),
        new: None,
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    Ok(Response::no_content())
}

/// `^v` means a start, `v$` an end, anything else a part; case does not matter.
pub(super) fn matches_search(search: &str, name: &str) -> bool {
    let (search, name) = (search.to_lowercase(), name.to_lowercase());
    match (search.strip_prefix('^'), search.strip_suffix('$')) {
        (Some(rest), Some(_)) => name == rest.trim_end_matches('$'),
        (Some(start), None) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name.contains(&search),
    }
}

fn one(ctx: &Ctx<'_>, name: &str) -> Result<Value, ApiError> {
    let branches = read(ctx, |other| other == name)?;
    let entity = entities(ctx, branches)?.into_iter().next();
    entity.ok_or_else(|| ApiError::not_found("Branch"))
}

fn read(ctx: &Ctx<'_>, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Commit)>, ApiError> {
    let repository = ctx.shared.repository(ctx.project());
    let mut branches = Vec::new();
    for (name, id) in repository.branches()? {
        if wanted(&name)
            && let Some(commit) = repository.commit(&id)?
        {
            branches.push((name, commit));
        }
    }
    Ok(branches)
}

fn entities(ctx: &Ctx<'_>, branches: Vec<(String, Commit)>) -> Result<Vec<Value>, ApiError> {
    let project = ctx.project();
    let (repository, url) = (ctx.shared.repository(project), project_url(ctx));
    let default = ctx
        .state()
        .projects
        .get(project)
        .and_then(|project| project.default_branch.clone());
    let root = match &default {
        Some(branch) => repository.resolve(&format!("refs/heads/{branch}"))?,
        None => None,
    };
    let mut rendered = Vec::new();
    for (name, commit) in branches {
        let merged = match &root {
            Some(root) => *root != commit.id && repository.is_ancestor(&commit.id, root)?,
            None => false,
        };
        let state = ctx.state();
        rendered.push(json!({
            "name": name,
            "commit": commit_entity::basic(&url, &commit),
            "merged": merged,
            "protected": state.is_protected_branch(project, &name),
            "developers_can_push": developers(&state, project, &name, |rule| &rule.push_access_levels),
            "developers_can_merge": developers(&state, project, &name, |rule| &rule.merge_access_levels),
            "can_push": ctx.caller.user().is_some_and(|user| access::may_push(&state, user, project, &name)),
            "default": default.as_ref() == Some(&name),
            "web_url": format!("{url}/-/tree/{name}"),
        }));
    }
    Ok(rendered)
}

fn developers(
    state: &State,
    project: u64,
    branch: &str,
    levels: fn(&crate::store::protected_branches::ProtectedBranch) -> &Vec<i64>,
) -> bool {
    state
        .protections(project, branch)
        .any(|rule| levels(rule).contains(&Role::Developer.level()))
}
