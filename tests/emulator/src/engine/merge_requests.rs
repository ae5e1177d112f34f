//! Pipelines and merge requests: which pipelines belong to a merge request, and which one is its head.

use jiff::Timestamp;

use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;
use crate::store::pipelines::{Pipeline, Source};
use crate::store::todos::TodoAction;

/// A merge request's own pipelines first, then those of its source branch; each newest first. Only for the commits given.
pub(crate) fn pipelines_of<'a>(
    state: &'a State,
    merge_request: &MergeRequest,
    commits: &[String],
) -> Vec<&'a Pipeline> {
    let own = |pipeline: &&Pipeline| pipeline.merge_request_id == Some(merge_request.id);
    let of_branch = |pipeline: &&Pipeline| {
        pipeline.merge_request_id.is_none()
            && pipeline.project_id == merge_request.source_project_id
            && pipeline.git_ref == merge_request.source_branch
            && !pipeline.tag
            && commits.contains(&pipeline.sha)
    };
    let visible = |pipeline: &&Pipeline| pipeline.source != Source::ParentPipeline;
    let all = || state.pipelines.iter().rev().filter(visible);
    all().filter(own).chain(all().filter(of_branch)).collect()
}

/// Brings the head pipeline of the open merge requests that a new pipeline may concern up to date.
pub(crate) fn update_heads(state: &mut State, pipeline: u64) {
    let Some(new) = state.pipelines.get(pipeline) else {
        return;
    };
    if new.is_child() {
        return;
    }
    let concerned = |merge_request: &&MergeRequest| {
        merge_request.is_open()
            && merge_request.sha == new.sha
            && (new.merge_request_id == Some(merge_request.id)
                || (merge_request.source_project_id == new.project_id
                    && merge_request.source_branch == new.git_ref))
    };
    let concerned: Vec<u64> = state
        .merge_requests
        .iter()
        .filter(concerned)
        .map(|merge_request| merge_request.id)
        .collect();
    for merge_request in concerned {
        update_head(state, merge_request);
    }
}

/// Makes the newest pipeline of a merge request's newest commit its head, if there is one.
pub(super) fn update_head(state: &mut State, merge_request: u64) {
    let head = state.merge_requests.get(merge_request).and_then(|found| {
        let commits = std::slice::from_ref(&found.sha);
        pipelines_of(state, found, commits)
            .into_iter()
            .find(|pipeline| pipeline.sha == found.sha)
            .map(|pipeline| pipeline.id)
    });
    if let (Some(head), Some(found)) = (head, state.merge_requests.get_mut(merge_request)) {
        found.head_pipeline_id = Some(head);
    }
}

/// A failed job of its head pipeline is for the author of a merge request to look at, and for whoever set it to merge.
pub(super) fn call_for_repair(state: &mut State, pipeline: u64, now: Timestamp) {
    let concerned: Vec<(u64, u64, Option<u64>)> = state
        .merge_requests
        .iter()
        .filter(|row| row.is_open() && row.head_pipeline_id == Some(pipeline))
        .map(|row| {
            let waiting = row.auto_merge.as_ref().map(|waiting| waiting.user_id);
            (row.id, row.author_id, waiting)
        })
        .collect();
    for (id, author, waiting) in concerned {
        let noteable = Noteable::MergeRequest(id);
        for user in [Some(author), waiting].into_iter().flatten() {
            state.add_todo(user, noteable, user, TodoAction::BuildFailed, None, now);
        }
    }
}
