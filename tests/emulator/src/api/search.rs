//! Searching in everything, in a group or in a project, as far as a server without advanced search can.

use serde_json::{Value, json};

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::router::{Answer, Guard, Param, Route, boolean, get, list, one_of, string};
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::members::Source;
use crate::store::notes::Noteable;

use super::search_code;
use super::{
    issue_entity, merge_request_entity, milestones, notes, project_entity, snippets, users,
};

const SCOPES: &[&str] = &[
    "projects",
    "issues",
    "merge_requests",
    "milestones",
    "snippet_titles",
    "users",
    "wiki_blobs",
    "commits",
    "blobs",
    "notes",
];
/// What only an index of all repositories can answer.
const ADVANCED: &[&str] = &["wiki_blobs", "commits", "blobs", "notes"];
const WHAT: &[Param] = &[
    string("search").required(),
    one_of("scope", SCOPES).required(),
    one_of("state", &["all", "opened", "closed", "merged"]),
    boolean("confidential"),
    one_of("order_by", &["created_at"]),
    one_of("sort", &["asc", "desc"]),
    boolean("include_archived"),
    list("fields"),
];
const PROJECT: Guard = Guard::SignedInReader;
const REF: &[Param] = &[string("ref")];

pub(super) const ROUTES: &[Route] = &[
    get("search", Guard::User, everywhere)
        .params(WHAT)
        .paginated(),
    get("groups/:id/search", Guard::GroupReader, in_group)
        .params(WHAT)
        .paginated(),
    get("groups/:id/-/search", Guard::GroupReader, in_group)
        .params(WHAT)
        .paginated(),
    get("projects/:id/search", PROJECT, in_project)
        .params(WHAT)
        .also(REF)
        .paginated(),
    get("projects/:id/-/search", PROJECT, in_project)
        .params(WHAT)
        .also(REF)
        .paginated(),
];

fn everywhere(ctx: &Ctx<'_>) -> Answer {
    refuse_advanced(ctx)?;
    if ctx.string("scope") == Some("snippet_titles") {
        let state = ctx.state();
        let found: Vec<Value> = state
            .snippets
            .iter()
            .rev()
            .filter(|snippet| has(ctx, &snippet.title) && snippets::may_read(ctx, &state, snippet))
            .map(|snippet| snippets::entity(ctx, &state, snippet))
            .collect();
        return ctx.page(found, |entity| entity);
    }
    scoped(ctx, None)
}

fn in_group(ctx: &Ctx<'_>) -> Answer {
    ctx.user()?;
    refuse_advanced(ctx)?;
    only(
        ctx,
        &[
            "projects",
            "issues",
            "merge_requests",
            "milestones",
            "users",
        ],
    )?;
    scoped(ctx, Some(Holder::Group(ctx.group())))
}

fn in_project(ctx: &Ctx<'_>) -> Answer {
    match ctx.string("scope") {
        Some("blobs") => search_code::blobs(ctx),
        Some("commits") => search_code::commits(ctx),
        Some("wiki_blobs") => search_code::wiki(ctx),
        Some("notes") => in_notes(ctx),
        Some(_) | None => {
            only(ctx, &["issues", "merge_requests", "milestones", "users"])?;
            scoped(ctx, Some(Holder::Project(ctx.project())))
        }
    }
}

fn refuse_advanced(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    if !ctx
        .string("scope")
        .is_some_and(|scope| ADVANCED.contains(&scope))
    {
        return Ok(());
    }
    let text = "Scope supported only with advanced search or exact code search";
    Err(ApiError::body(400, json!({ "message": { "error": text } })))
}

fn only(ctx: &Ctx<'_>, scopes: &[&str]) -> Result<(), ApiError> {
    let known = ctx
        .string("scope")
        .is_some_and(|scope| scopes.contains(&scope));
    known
        .then_some(())
        .ok_or_else(|| ApiError::error(400, "scope does not have a valid value"))
}

/// Does a text contain what is searched, whatever its case?
pub(super) fn has(ctx: &Ctx<'_>, text: &str) -> bool {
    let wanted = ctx.string("search").unwrap_or_default().to_lowercase();
    text.to_lowercase().contains(&wanted)
}

/// `#7` or `!7` names one by its number.
fn numbered(ctx: &Ctx<'_>, mark: char, iid: u64) -> bool {
    let wanted = ctx
        .string("search")
        .and_then(|text| text.strip_prefix(mark));
    wanted.and_then(|text| text.parse().ok()) == Some(iid)
}

fn covers(state: &State, place: Option<Holder>, project: u64) -> bool {
    match place {
        None => true,
        Some(Holder::Project(own)) => own == project,
        Some(Holder::Group(group)) => state.groups_above(project).any(|above| above == group),
    }
}

/// The scopes that a place of any size has.
fn scoped(ctx: &Ctx<'_>, place: Option<Holder>) -> Answer {
    let state = ctx.state();
    let user = ctx.caller.user();
    let mut found: Vec<Value> = match ctx.string("scope") {
        Some("projects") => state
            .projects
            .iter()
            .rev()
            .filter(|project| {
                let description = project.settings.description.as_deref().unwrap_or_default();
                let texts = [project.name.as_str(), &project.path, description];
                access::in_project(&state, user, project.id).can_read
                    && covers(&state, place, project.id)
                    && texts.iter().any(|text| has(ctx, text))
            })
            .map(|project| Value::Object(project_entity::simple(ctx, &state, project)))
            .collect(),
        Some("issues") => state
            .issues
            .iter()
            .rev()
            .filter(|issue| {
                let text = issue.description.as_deref().unwrap_or_default();
                let open = if issue.open { "opened" } else { "closed" };
                covers(&state, place, issue.project_id)
                    && (has(ctx, &issue.title) || has(ctx, text) || numbered(ctx, '#', issue.iid))
                    && in_state(ctx, open)
                    && ctx
                        .boolean("confidential")
                        .is_none_or(|only| only == issue.confidential)
                    && issuables::may_read(&state, user, Noteable::Issue(issue.id))
            })
            .map(|issue| issue_entity::entity(ctx, &state, issue))
            .collect(),
        Some("merge_requests") => state
            .merge_requests
            .iter()
            .rev()
            .filter(|row| {
                let text = row.description.as_deref().unwrap_or_default();
                covers(&state, place, row.project_id)
                    && (has(ctx, &row.title) || has(ctx, text) || numbered(ctx, '!', row.iid))
                    && in_state(ctx, row.state.as_str())
                    && access::may_read_code(&state, user, row.project_id)
            })
            .map(|row| merge_request_entity::basic(ctx, &state, row))
            .collect(),
        Some("milestones") => state
            .milestones
            .iter()
            .rev()
            .filter(|milestone| {
                let readable = |project: u64| {
                    access::in_project(&state, user, project).can_read
                        && covers(&state, place, project)
                };
                let text = milestone.description.as_deref().unwrap_or_default();
                milestone.holder.project().is_some_and(readable)
                    && (has(ctx, &milestone.title) || has(ctx, text))
            })
            .map(|milestone| milestones::entity(ctx, &state, milestone))
            .collect(),
        Some(_) | None => {
            let belongs = |id: u64| match place {
                None => true,
                Some(holder) => state.holder_and_above(holder).into_iter().any(|holder| {
                    let source = match holder {
                        Holder::Project(project) => Source::Project(project),
                        Holder::Group(group) => Source::Group(group),
                    };
                    state.member_role(id, source).is_some()
                }),
            };
            let users = state.users.iter().filter(|user| {
                let named = has(ctx, &user.username) || has(ctx, &user.name);
                let mailed = ctx.string("search") == Some(user.email.as_str());
                (named || mailed) && belongs(user.id)
            });
            users
                .map(|user| users::basic_by_id(&state, user.id, ctx.url()))
                .collect()
        }
    };
    if ctx.string("sort") == Some("asc") {
        found.reverse();
    }
    ctx.page(found, |entity| entity)
}

fn in_state(ctx: &Ctx<'_>, state: &str) -> bool {
    ctx.string("state")
        .is_none_or(|wanted| wanted == "all" || wanted == state)
}

fn in_notes(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = ctx.caller.user();
    let found = state.notes.iter().rev().filter(|note| {
        note.project_id == ctx.project()
            && !note.system
            && !note.internal
            && has(ctx, &note.body)
            && issuables::may_read(&state, user, note.noteable)
    });
    ctx.page(found, |note| notes::entity(ctx, &state, note))
}
