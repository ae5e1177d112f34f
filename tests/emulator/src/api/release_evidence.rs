//! Evidence of releases: what a release was at a moment, kept under the digest of its text.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, post};
use crate::store::State;
use crate::store::releases::{Evidence, Release};

use super::release_entity::encoded;
use super::repository::require_code;

pub(super) const ROUTES: &[Route] = &[post(
    "projects/:id/releases/:tag_name/evidence",
    Guard::Project(Role::Developer),
    collect_again,
)
.job_token()];

pub(super) const PAGES: &[Route] = &[get(
    "releases/:tag_name/evidences/:file",
    Guard::ProjectReader,
    show,
)];

/// The kept text of an evidence.
fn show(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let id: Option<u64> = ctx
        .path("file")
        .strip_suffix(".json")
        .and_then(|id| id.parse().ok());
    let state = ctx.state();
    let release = state.release_of_tag(ctx.project(), ctx.path("tag_name"));
    let found = id
        .and_then(|id| state.evidences.get(id))
        .filter(|evidence| release.is_some_and(|release| release.id == evidence.release_id));
    let found = found.ok_or_else(ApiError::not_found_plain)?;
    Ok(Response::ok(&found.summary))
}

fn collect_again(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let release = state.release_of_tag(ctx.project(), ctx.path("tag_name"));
    let id = release.map(|release| release.id);
    let id = id.ok_or_else(|| ApiError::message(404, "404 Not Found"))?;
    collect(ctx, &mut state, id);
    Ok(Response::json(202, &json!(202)))
}

/// Keeps what the release is now.
pub(super) fn collect(ctx: &Ctx<'_>, state: &mut State, release_id: u64) {
    let Some(summary) = state
        .releases
        .get(release_id)
        .map(|release| summary(state, release))
    else {
        return;
    };
    let sha = Sha256::digest(summary.to_string())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let collected_at = ctx.now();
    state.evidences.insert(|id| Evidence {
        id,
        release_id,
        sha,
        summary,
        collected_at,
    });
}

fn summary(state: &State, release: &Release) -> Value {
    let project = state.projects.get(release.project_id);
    let milestones = release.milestone_ids.iter();
    let milestones = milestones.filter_map(|id| state.milestones.get(*id));
    let milestones = milestones.map(|milestone| {
        let issues = state.issues.iter();
        let issues = issues.filter(|issue| issue.milestone_id == Some(milestone.id));
        let issues = issues.map(|issue| {
            json!({
                "id": issue.id,
                "iid": issue.iid,
                "title": issue.title,
                "description": issue.description,
                "author": { "id": issue.author_id },
                "state": if issue.open { "opened" } else { "closed" },
                "confidential": issue.confidential,
                "created_at": clock::iso(issue.created_at),
                "due_date": issue.due_date.map(|day| day.to_string()),
            })
        });
        json!({
            "id": milestone.id,
            "iid": milestone.iid,
            "title": milestone.title,
            "description": milestone.description,
            "state": milestone.state(),
            "created_at": clock::iso(milestone.created_at),
            "due_date": milestone.due_date.map(|day| day.to_string()),
            "issues": issues.collect::<Vec<_>>(),
        })
    });
    json!({
        "release": {
            "id": release.id,
            "tag_name": release.tag,
            "name": release.name,
            "description": release.description,
            "created_at": clock::iso(release.created_at),
            "project": project.map(|project| json!({
                "id": project.id,
                "name": project.name,
                "description": project.settings.description,
                "created_at": clock::iso(project.created_at),
            })),
            "milestones": milestones.collect::<Vec<_>>(),
        },
    })
}

/// The evidences of a release as the API writes them.
pub(super) fn entities(state: &State, release: &Release, project_url: &str) -> Vec<Value> {
    let tag = encoded(&release.tag);
    let own = state.evidences.iter();
    let own = own.filter(|evidence| evidence.release_id == release.id);
    own.map(|evidence| {
        json!({
            "sha": evidence.sha,
            "filepath": format!("{project_url}/-/releases/{tag}/evidences/{}.json", evidence.id),
            "collected_at": clock::iso(evidence.collected_at),
        })
    })
    .collect()
}
