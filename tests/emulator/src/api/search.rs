//! Search: in everything, in a group, in a project.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{Answer, Guard, Param, Route, boolean, get, list, one_of, string};
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::members::Source;
use crate::store::merge_requests::{MergeRequest, MergeRequestState};

use super::{
    commit_entity, issue_entity, merge_request_entity, milestones, notes, project_entity, users,
};

const EVERYWHERE: &[&str] = &[
    "projects",
    "issues",
    "merge_requests",
    "milestones",
    "users",
];
const IN_PROJECT: &[&str] = &[
    "issues",
    "merge_requests",
    "milestones",
    "notes",
    "commits",
    "blobs",
    "users",
];
const TEXT: &[Param] = &[
    string("search").required(),
    one_of("state", &["all", "opened", "closed", "merged"]),
    boolean("confidential"),
    one_of("order_by", &["created_at"]),
    one_of("sort", &["asc", "desc"]),
    list("fields"),
];
const SCOPE: &[Param] = &[one_of("scope", EVERYWHERE).required()];
const PROJECT_SCOPE: &[Param] = &[one_of("scope", IN_PROJECT).required(), string("ref")];

pub(super) const ROUTES: &[Route] = &[
    get("search", Guard::User, search)
        .params(TEXT)
        .also(SCOPE)
        .paginated(),
    get("groups/:id/search", Guard::GroupReader, search)
        .params(TEXT)
        .also(SCOPE)
        .paginated(),
    get("groups/:id/-/search", Guard::GroupReader, search)
        .params(TEXT)
        .also(SCOPE)
        .paginated(),
    get("projects/:id/search", Guard::SignedInReader, search)
        .params(TEXT)
        .also(PROJECT_SCOPE)
        .paginated(),
    get("projects/:id/-/search", Guard::SignedInReader, search)
        .params(TEXT)
        .also(PROJECT_SCOPE)
        .paginated(),
];

fn search(ctx: &Ctx<'_>) -> Answer {
    match ctx.string("scope").unwrap_or_default() {
        "projects" => projects(ctx),
        "issues" => issues(ctx),
        "merge_requests" => merge_requests(ctx),
        "milestones" => in_milestones(ctx),
        "notes" => in_notes(ctx),
        "commits" => commits(ctx),
        "blobs" => blobs(ctx),
        _ => in_users(ctx),
    }
}

/// Does any of the texts contain what is searched, whatever its case?
fn matches(ctx: &Ctx<'_>, texts: &[&str]) -> bool {
    let wanted = ctx.string("search").unwrap_or_default().to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    texts.iter().any(|text| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    })
}

/// The newest first, unless asked otherwise.
fn ordered<T>(ctx: &Ctx<'_>, mut rows: Vec<T>) -> Vec<T> {
    if ctx.string("sort") != Some("asc") {
        rows.reverse();
    }
    rows
}

/// Is a project where the search looks, and may the caller see it?
fn covers(ctx: &Ctx<'_>, state: &State, project: u64) -> bool {
    let inside = |group: u64| state.projects_below(group).contains(&project);
    (ctx.project() == 0 || ctx.project() == project)
        && (ctx.group() == 0 || inside(ctx.group()))
        && access::in_project(state, ctx.caller.user(), project).can_read
}

fn projects(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let found = state.projects.iter().filter(|project| {
        let description = project.settings.description.as_deref().unwrap_or_default();
        let path = state.project_path(project);
        covers(ctx, &state, project.id) && matches(ctx, &[&project.name, &path, description])
    });
    ctx.page(ordered(ctx, found.collect()), |project| {
        Value::Object(project_entity::simple(ctx, &state, project))
    })
}

fn issues(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = ctx.caller.user();
    let found = state.issues.iter().filter(|issue| {
        let may_see = !issue.confidential
            || user == Some(issue.author_id)
            || user.is_some_and(|user| issue.assignee_ids.contains(&user))
            || access::in_project(&state, user, issue.project_id).at_least(Role::Planner);
        may_see
            && covers(ctx, &state, issue.project_id)
            && match ctx.string("state") {
                Some("opened") => issue.open,
                Some("closed") => !issue.open,
                Some(_) | None => true,
            }
            && ctx
                .boolean("confidential")
                .is_none_or(|wanted| issue.confidential == wanted)
            && matches(
                ctx,
                &[
                    &issue.title,
                    issue.description.as_deref().unwrap_or_default(),
                ],
            )
    });
    ctx.page(ordered(ctx, found.collect()), |issue| {
        issue_entity::entity(ctx, &state, issue)
    })
}

fn merge_requests(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let in_state = |row: &MergeRequest| match ctx.string("state") {
        Some("opened") => row.state == MergeRequestState::Opened,
        Some("closed") => row.state == MergeRequestState::Closed,
        Some("merged") => row.state == MergeRequestState::Merged,
        Some(_) | None => true,
    };
    let found = state.merge_requests.iter().filter(|row| {
        covers(ctx, &state, row.project_id)
            && in_state(row)
            && matches(
                ctx,
                &[&row.title, row.description.as_deref().unwrap_or_default()],
            )
    });
    ctx.page(ordered(ctx, found.collect()), |row| {
        merge_request_entity::basic(ctx, &state, row)
    })
}

fn in_milestones(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let held = |holder: Holder| match holder {
        Holder::Project(project) => covers(ctx, &state, project),
        Holder::Group(group) => {
            let mut projects = state.projects_below(group).into_iter();
            projects.any(|project| covers(ctx, &state, project))
        }
    };
    let found = state.milestones.iter().filter(|row| {
        held(row.holder)
            && matches(
                ctx,
                &[&row.title, row.description.as_deref().unwrap_or_default()],
            )
    });
    ctx.page(ordered(ctx, found.collect()), |row| {
        milestones::entity(ctx, &state, row)
    })
}

fn in_notes(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let member = ctx_access(ctx, &state).at_least(Role::Planner);
    let found = state.notes.iter().filter(|note| {
        covers(ctx, &state, note.project_id)
            && !note.system
            && (!note.internal || member)
            && matches(ctx, &[&note.body])
    });
    ctx.page(ordered(ctx, found.collect()), |note| {
        notes::entity(ctx, &state, note)
    })
}

fn ctx_access(ctx: &Ctx<'_>, state: &State) -> access::Access {
    access::in_project(state, ctx.caller.user(), ctx.project())
}

/// People; inside a project or group only its members.
fn in_users(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let source = match (ctx.project(), ctx.group()) {
        (0, 0) => None,
        (0, group) => Some(Source::Group(group)),
        (project, _) => Some(Source::Project(project)),
    };
    let sources = source.map(|source| state.member_sources(source));
    let member = |user: u64| {
        sources.as_ref().is_none_or(|sources| {
            let mut sources = sources.iter();
            sources.any(|source| state.member_role(user, *source).is_some())
        })
    };
    let found = state
        .users
        .iter()
        .filter(|user| member(user.id) && matches(ctx, &[&user.name, &user.username, &user.email]));
    ctx.page(found, |user| users::basic(user, ctx.url()))
}

/// The ref to look at, in a project whose code the caller may read.
fn readable_ref(ctx: &Ctx<'_>) -> Result<Option<String>, ApiError> {
    let state = ctx.state();
    if !access::may_read_code(&state, ctx.caller.user(), ctx.project()) {
        return Err(ApiError::forbidden());
    }
    let project = state.projects.get(ctx.project());
    let default = project.and_then(|project| project.default_branch.clone());
    Ok(ctx.string("ref").map(str::to_owned).or(default))
}

fn commits(ctx: &Ctx<'_>) -> Answer {
    let wanted = ctx.string("search").unwrap_or_default();
    let Some(from) = readable_ref(ctx)? else {
        return ctx.page(Vec::<Value>::new(), |commit| commit);
    };
    let repository = ctx.shared.repository(ctx.project());
    let Some(start) = repository.resolve(&from)? else {
        return ctx.page(Vec::<Value>::new(), |commit| commit);
    };
    let grep = format!("--grep={wanted}");
    let found = repository.commits(&["--regexp-ignore-case", "--fixed-strings", &grep, &start])?;
    let url = commit_entity::project_url(ctx);
    ctx.page(found, |commit| {
        let mut body = commit_entity::basic(&url, &commit);
        body["project_id"] = json!(ctx.project());
        body
    })
}

/// The files in which a text occurs, each with the lines around its first place.
fn blobs(ctx: &Ctx<'_>) -> Answer {
    let Some(name) = readable_ref(ctx)? else {
        return ctx.page(Vec::<Value>::new(), |blob| blob);
    };
    let repository = ctx.shared.repository(ctx.project());
    let Some(commit) = repository.resolve(&name)? else {
        return ctx.page(Vec::<Value>::new(), |blob| blob);
    };
    let wanted = ctx.string("search").unwrap_or_default().to_lowercase();
    let mut found = Vec::new();
    for entry in repository.tree(&commit, "", true)? {
        if entry.kind != "blob" {
            continue;
        }
        let content = repository.file(&commit, &entry.path)?.unwrap_or_default();
        let content = String::from_utf8_lossy(&content).into_owned();
        let lines: Vec<&str> = content.lines().collect();
        let mut numbers = lines.iter();
        let Some(at) = numbers.position(|line| line.to_lowercase().contains(&wanted)) else {
            continue;
        };
        let (first, last) = (at.saturating_sub(2), (at + 3).min(lines.len()));
        let data = lines[first..last].join("\n");
        let (stem, _) = entry.path.rsplit_once('.').unwrap_or((&entry.path, ""));
        found.push(json!({
            "basename": stem,
            "data": format!("{data}\n"),
            "path": entry.path,
            "filename": entry.path,
            "id": Value::Null,
            "ref": name,
            "startline": first + 1,
            "project_id": ctx.project(),
        }));
    }
    ctx.page(found, |blob| blob)
}
