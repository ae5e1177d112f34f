//! Links between issues.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::issue_moving as moving;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, one_of, post, string};
use crate::store::State;
use crate::store::issues::{Issue, IssueLink};
use crate::store::notes::Noteable;

use super::issue_entity;
use super::issues::find;

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/issues/:issue_iid/links", READER, index),
    get(
        "projects/:id/issues/:issue_iid/links/:link_id",
        READER,
        show,
    ),
    post("projects/:id/issues/:issue_iid/links", READER, create).params(&[
        string("target_project_id").required(),
        string("target_issue_iid").required(),
        one_of("link_type", &["relates_to", "blocks", "is_blocked_by"]),
    ]),
    delete(
        "projects/:id/issues/:issue_iid/links/:link_id",
        READER,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let own = find(ctx)?;
    let state = ctx.state();
    let mut related = Vec::new();
    for link in state.issue_links.iter() {
        let other = match (link.source == own.id, link.target == own.id) {
            (true, _) => link.target,
            (_, true) => link.source,
            (false, false) => continue,
        };
        let readable = issuables::may_read(&state, ctx.caller.user(), Noteable::Issue(other));
        if let Some(issue) = state.issues.get(other).filter(|_| readable) {
            let mut entity = issue_entity::entity(ctx, &state, issue);
            entity["issue_link_id"] = json!(link.id);
            entity["link_type"] = json!("relates_to");
            entity["link_created_at"] = json!(clock::iso(link.created_at));
            entity["link_updated_at"] = json!(clock::iso(link.created_at));
            related.push(entity);
        }
    }
    Ok(Response::ok(&json!(related)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let own = find(ctx)?;
    let state = ctx.state();
    let link = link_of(ctx, &state, own.id)?;
    Ok(Response::ok(&entity(ctx, &state, link)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let own = find(ctx)?;
    let mut state = ctx.state();
    // Links of the other two types are a paid feature.
    if ctx
        .string("link_type")
        .is_some_and(|kind| kind != "relates_to")
    {
        let text = "Blocked issues not available for current license";
        return Err(ApiError::message(403, text));
    }
    let target = target(ctx, &state, user)?.id;
    let may = issuables::may_administer(&state, user, Noteable::Issue(own.id));
    may.then_some(()).ok_or_else(ApiError::forbidden)?;
    if target == own.id {
        return Err(ApiError::message(
            404,
            "No matching issue found. Make sure that you are adding a valid issue URL.",
        ));
    }
    let related = moving::relate(&mut state, own.id, target, user, ctx.now());
    let id = related.ok_or_else(|| ApiError::message(409, "Issue(s) already assigned"))?;
    let link = state.issue_links.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, link)))
}

fn target<'a>(ctx: &Ctx<'_>, state: &'a State, user: u64) -> Result<&'a Issue, ApiError> {
    let missing = || ApiError::not_found_plain();
    // Sent as null it is the project of the path.
    let project = match ctx.string("target_project_id") {
        Some(named) => state.find_project(named),
        None => state.projects.get(ctx.project()),
    };
    let iid = ctx
        .string("target_issue_iid")
        .and_then(|iid| iid.parse().ok());
    let issue = project.and_then(|project| state.issue(project.id, iid?));
    issue
        .filter(|issue| issuables::may_read(state, Some(user), Noteable::Issue(issue.id)))
        .ok_or_else(missing)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let own = find(ctx)?;
    let mut state = ctx.state();
    let may = issuables::may_administer(&state, user, Noteable::Issue(own.id));
    may.then_some(()).ok_or_else(ApiError::forbidden)?;
    let link = link_of(ctx, &state, own.id)?;
    let (id, answer) = (link.id, entity(ctx, &state, link));
    moving::unlink(&mut state, id, user, ctx.now());
    Ok(Response::ok(&answer))
}

fn link_of<'a>(ctx: &Ctx<'_>, state: &'a State, issue: u64) -> Result<&'a IssueLink, ApiError> {
    let id = ctx.path_number("link_id")?;
    let found = state.issue_links.get(id);
    found
        .filter(|link| link.source == issue || link.target == issue)
        .ok_or_else(ApiError::not_found_plain)
}

fn entity(ctx: &Ctx<'_>, state: &State, link: &IssueLink) -> Value {
    let issue = |id: u64| {
        let issue = state.issues.get(id);
        issue.map(|issue| issue_entity::entity(ctx, state, issue))
    };
    json!({
        "id": link.id,
        "source_issue": issue(link.source),
        "target_issue": issue(link.target),
        "link_type": "relates_to",
    })
}
