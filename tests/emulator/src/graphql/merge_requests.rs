//! Merge requests and their notes.

use serde_json::{Value, json};

use super::pages::page;
use super::parse::Field;
use super::types::{Found, Object, World, accepts, global, one, sees_jobs, text, time, upper};
use crate::access::{self, Role};
use crate::engine::merge_requests;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::{Note, Noteable};

pub(super) fn merge_request(
    world: &World<'_>,
    row: &MergeRequest,
    field: &Field,
) -> Result<Option<Found>, String> {
    let state = world.state;
    let scalar = |value: Value| Ok(Some(Found::Scalar(value)));
    let home = state.projects.get(row.project_id);
    let sees_jobs = home.is_some_and(|home| sees_jobs(world, home));
    match field.name.as_str() {
        "id" => scalar(json!(global("MergeRequest", row.id))),
        "iid" => scalar(json!(row.iid.to_string())),
        "title" => scalar(json!(row.title)),
        "description" => scalar(json!(row.description)),
        "state" => scalar(json!(row.state.as_str())),
        "draft" => scalar(json!(row.is_draft())),
        "diffHeadSha" => scalar(json!(row.sha)),
        "sourceBranch" => scalar(json!(row.source_branch)),
        "targetBranch" => scalar(json!(row.target_branch)),
        "mergeCommitSha" => scalar(json!(row.merge_commit_sha)),
        "createdAt" => scalar(time(Some(row.created_at))),
        "updatedAt" => scalar(time(Some(row.updated_at))),
        "mergedAt" => scalar(time(row.merged_at)),
        "webUrl" => {
            let path = home.map(|home| state.project_path(home));
            let path = path.unwrap_or_default();
            scalar(json!(format!(
                "{}/{path}/-/merge_requests/{}",
                world.url, row.iid
            )))
        }
        "author" => Ok(Some(Found::One(Object::User(row.author_id)))),
        "labels" => {
            accepts(field, &["first", "last", "after", "before"])?;
            let labels = row.label_ids.iter().map(|id| Object::Label(*id));
            page(field, "LabelConnection", labels.collect())
        }
        "notes" => notes(world, row, field),
        "headPipeline" => {
            let head = row.head_pipeline_id.filter(|_| sees_jobs);
            Ok(Some(one(head.map(Object::Pipeline))))
        }
        "pipelines" => {
            accepts(
                field,
                &["first", "last", "after", "before", "status", "sha"],
            )?;
            let commits = world.commits.get(&row.id).cloned().unwrap_or_default();
            let (status, sha) = (text(field, "status"), text(field, "sha"));
            let found = merge_requests::pipelines_of(state, row, &commits)
                .into_iter()
                .filter(|pipeline| {
                    sees_jobs
                        && (status.is_empty() || status == upper(pipeline.status))
                        && (sha.is_empty() || sha == pipeline.sha)
                })
                .map(|pipeline| Object::Pipeline(pipeline.id));
            page(field, "PipelineConnection", found.collect())
        }
        _ => Ok(None),
    }
}

fn notes(world: &World<'_>, row: &MergeRequest, field: &Field) -> Result<Option<Found>, String> {
    accepts(field, &["first", "last", "after", "before", "filter"])?;
    let access = access::in_project(world.state, world.user, row.project_id);
    let insider = access.at_least(Role::Planner);
    let filter = text(field, "filter");
    let found = world
        .state
        .notes
        .iter()
        .filter(|note| note.noteable == Noteable::MergeRequest(row.id))
        .filter(|note| insider || !note.internal)
        .filter(|note| match filter.as_str() {
            "ONLY_COMMENTS" => !note.system,
            "ONLY_ACTIVITY" => note.system,
            _ => true,
        })
        .map(|note| Object::Note(note.id));
    page(field, "NoteConnection", found.collect())
}

pub(super) fn note(row: &Note, field: &Field) -> Option<Found> {
    let kind = if row.in_thread {
        "DiscussionNote"
    } else {
        "Note"
    };
    Some(match field.name.as_str() {
        "id" => Found::Scalar(json!(global(kind, row.id))),
        "body" => Found::Scalar(json!(row.body)),
        "system" => Found::Scalar(json!(row.system)),
        "internal" => Found::Scalar(json!(row.internal)),
        "resolvable" => Found::Scalar(json!(row.is_resolvable())),
        "resolved" => Found::Scalar(json!(row.resolved_at.is_some())),
        "createdAt" => Found::Scalar(time(Some(row.created_at))),
        "updatedAt" => Found::Scalar(time(Some(row.updated_at))),
        "author" => Found::One(Object::User(row.author_id)),
        _ => return None,
    })
}
