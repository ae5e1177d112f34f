//! Merging by itself once everything is in order.

use super::checks::{self, Verdict};
use super::merging::{self, Wish};
use crate::shared::Shared;

/// Merges a merge request that is set to merge by itself, if nothing is in the way any more. The pipeline engine calls it
/// when a pipeline has finished. Call it without holding the state.
pub(crate) fn merge_if_ready(shared: &Shared, project: u64, iid: u64) {
    let (user, wish) = {
        let state = shared.state();
        let Some(merge_request) = state.merge_request(project, iid) else {
            return;
        };
        let Some(waiting) = merge_request.auto_merge.clone() else {
            return;
        };
        let pipelines = shared.pipelines.as_ref();
        let verdict = checks::verdict(pipelines, &state, shared.clock.now(), merge_request);
        let pipeline = checks::pipeline_of_head(pipelines, &state, merge_request);
        let passed = pipeline.is_none_or(|pipeline| pipeline.status == "success");
        if verdict != Verdict::Mergeable || !passed {
            return;
        }
        let wish = Wish {
            squash: waiting.squash,
            should_remove_source_branch: waiting.should_remove_source_branch,
            merge_commit_message: waiting.merge_commit_message,
            squash_commit_message: waiting.squash_commit_message,
        };
        (waiting.user_id, wish)
    };
    // Whoever came first has merged it; any other failure is on the merge request.
    let _merged = merging::merge(shared, user, project, iid, &wish);
}
