//! A merge request as the API writes it, short and long.

use serde_json::{Value, json};

use crate::access;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::markdown;
use crate::merge_requests::checks::{self, Verdict};
use crate::store::State;
use crate::store::merge_requests::{MergeRequest, MergeStatus};
use crate::store::notes::Noteable;
use crate::time_tracking;

use super::issue_entity::label_list;
use super::{milestones, users};

/// The form of `view=simple`.
pub(super) fn simple(ctx: &Ctx<'_>, state: &State, row: &MergeRequest) -> Value {
    let page = state.project_url(ctx.url(), row.project_id);
    json!({
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "title": row.title,
        "description": row.description,
        "state": row.state.as_str(),
        "created_at": clock::iso(row.created_at),
        "updated_at": clock::iso(row.updated_at),
        "web_url": format!("{page}/-/merge_requests/{}", row.iid),
    })
}

/// The form of lists.
pub(crate) fn basic(ctx: &Ctx<'_>, state: &State, row: &MergeRequest) -> Value {
    let url = ctx.url();
    let noteable = Noteable::MergeRequest(row.id);
    let user = |id: u64| users::basic_by_id(state, id, url);
    let users = |ids: &[u64]| ids.iter().map(|id| user(*id)).collect::<Vec<_>>();
    let assignees = users(&row.assignee_ids);
    let page = state.project_url(url, row.project_id);
    let path = page.trim_start_matches(url).trim_start_matches('/');
    let (tasks, done) = markdown::tasks(row.description.as_deref().unwrap_or_default());
    let notes = state.notes_on(noteable).filter(|note| !note.system).count();
    let verdict = checks::verdict(ctx.shared.pipelines.as_ref(), state, ctx.now(), row);
    let conflicts = matches!(row.merge_status, MergeStatus::Checked(found) if found.conflicts);
    let squash_option = state
        .projects
        .get(row.project_id)
        .map(|project| project.settings.squash_option.as_str());
    let must_resolve = state.projects.get(row.project_id).is_some_and(|project| {
        project
            .settings
            .only_allow_merge_if_all_discussions_are_resolved
    });
    let resolved = !must_resolve || state.discussions_are_resolved(noteable);
    let merge_user = row
        .merged_by
        .or(row.auto_merge.as_ref().map(|waiting| waiting.user_id))
        .map(user);
    let mut entity = simple(ctx, state, row);
    let more = json!({
        "merged_by": row.merged_by.map(user),
        "merge_user": merge_user,
        "merged_at": row.merged_at.map(clock::iso),
        "closed_by": row.closed_by.map(user),
        "closed_at": row.closed_at.map(clock::iso),
        "target_branch": row.target_branch,
        "source_branch": row.source_branch,
        "user_notes_count": notes,
        "upvotes": state.award_count(noteable, "thumbsup"),
        "downvotes": state.award_count(noteable, "thumbsdown"),
        "author": user(row.author_id),
        "assignee": assignees.first(),
        "assignees": assignees,
        "reviewers": users(&row.reviewer_ids),
        "source_project_id": state.projects.get(row.source_project_id).map(|project| project.id),
        "target_project_id": row.project_id,
        "labels": label_list(ctx, state, &row.label_ids),
        "draft": row.is_draft(),
        "imported": false,
        "imported_from": "none",
        "work_in_progress": row.is_draft(),
        "milestone": milestones::entity_by_id(ctx, state, row.milestone_id),
        "merge_when_pipeline_succeeds": row.auto_merge.is_some(),
        "merge_status": row.merge_status.as_str(),
        "detailed_merge_status": verdict.as_str(),
        "merge_after": row.merge_after.map(clock::iso),
        "sha": row.sha,
        "merge_commit_sha": row.merge_commit_sha,
        "squash_commit_sha": row.squash_commit_sha,
        "discussion_locked": row.discussion_locked,
        "should_remove_source_branch": row.should_remove_source_branch,
        "force_remove_source_branch": row.force_remove_source_branch,
        "prepared_at": row.prepared_at.map(clock::iso),
        "reference": format!("!{}", row.iid),
        "references": {
            "short": format!("!{}", row.iid),
            "relative": format!("!{}", row.iid),
            "full": format!("{path}!{}", row.iid),
        },
        "time_stats": time_tracking::stats(state, noteable),
        "squash": row.squash,
        "squash_on_merge": match squash_option {
            Some("always") => true,
            Some("never") => false,
            Some(_) | None => row.squash,
        },
        "task_completion_status": { "count": tasks, "completed_count": done },
        "has_conflicts": conflicts && verdict != Verdict::Checking,
        "blocking_discussions_resolved": resolved,
    });
    extend(&mut entity, more);
    if row.source_project_id != row.project_id {
        entity["allow_collaboration"] = json!(row.allow_collaboration);
        entity["allow_maintainer_to_push"] = json!(row.allow_collaboration);
    }
    entity
}

/// The form of a single merge request; runs git, so the state must not be held.
pub(super) fn full(ctx: &Ctx<'_>, id: u64) -> Result<Value, ApiError> {
    let missing = || ApiError::not_found_plain();
    let diverged = if ctx.boolean("include_diverged_commits_count") == Some(true) {
        let row = ctx
            .state()
            .merge_requests
            .get(id)
            .cloned()
            .ok_or_else(missing)?;
        Some(diverged_commits(ctx, &row)?)
    } else {
        None
    };
    let state = ctx.state();
    let row = state.merge_requests.get(id).ok_or_else(missing)?;
    let pipeline = ctx.shared.pipelines.head_pipeline(&state, row);
    let (files, refs) = match row.diff() {
        Some(diff) => (
            diff.changed_files.to_string(),
            json!({ "base_sha": diff.base, "head_sha": diff.head, "start_sha": diff.start }),
        ),
        None => ("0".to_owned(), Value::Null),
    };
    let can_merge = ctx
        .caller
        .user()
        .is_some_and(|user| access::may_update(&state, user, row.project_id, &row.target_branch));
    let subscribed = ctx
        .caller
        .user()
        .is_some_and(|user| state.is_subscribed(user, Noteable::MergeRequest(id)));
    let mut entity = basic(ctx, &state, row);
    let more = json!({
        "subscribed": subscribed,
        "changes_count": files,
        "latest_build_started_at": Value::Null,
        "latest_build_finished_at": Value::Null,
        "first_deployed_to_production_at": Value::Null,
        "pipeline": pipeline.as_ref().map(|pipeline| &pipeline.basic),
        "head_pipeline": pipeline.as_ref().map(|pipeline| &pipeline.detail),
        "diff_refs": refs,
        "merge_error": row.merge_error,
        "first_contribution": false,
        "user": { "can_merge": can_merge },
    });
    extend(&mut entity, more);
    if ctx.boolean("include_rebase_in_progress") == Some(true) {
        entity["rebase_in_progress"] = json!(row.rebase_in_progress);
    }
    if let Some(diverged) = diverged {
        entity["diverged_commits_count"] = json!(diverged);
    }
    if ctx.boolean("render_html") == Some(true) {
        entity["title_html"] = json!(row.title);
        entity["description_html"] = json!(row.description);
    }
    Ok(entity)
}

/// How many commits the target branch has that the source branch lacks.
fn diverged_commits(ctx: &Ctx<'_>, row: &MergeRequest) -> Result<u64, ApiError> {
    let repository = ctx.shared.repository(row.project_id);
    let target = repository.resolve(&format!("refs/heads/{}", row.target_branch))?;
    Ok(match target {
        Some(target) => repository.count_between(&row.sha, &target)?,
        None => 0,
    })
}

fn extend(entity: &mut Value, more: Value) {
    if let (Value::Object(entity), Value::Object(more)) = (entity, more) {
        entity.extend(more);
    }
}
