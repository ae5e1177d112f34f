//! Merging by itself once everything is in order.

use jiff::Timestamp;

use super::checks::{self, Verdict};
use super::merging::{self, Wish};
use crate::issuables;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::AutoMerge;
use crate::store::notes::Noteable;
use crate::versions::{self, Feature};

/// Lets an open merge request merge by itself later; false if it is not open any more or has got another head.
pub(crate) fn set(shared: &Shared, id: u64, wish: AutoMerge) -> bool {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let found = state.merge_requests.get_mut(id);
    let Some(row) = found.filter(|row| row.is_open() && row.sha == wish.sha) else {
        return false;
    };
    let (user, sha) = (wish.user_id, wish.sha.clone());
    row.auto_merge = Some(wish);
    let text = if versions::has(shared.version, Feature::AutoMergeWaitsForChecks) {
        format!("enabled an automatic merge when all merge checks for {sha} pass")
    } else {
        format!("enabled an automatic merge when the pipeline for {sha} succeeds")
    };
    issuables::add_system_note(&mut state, Noteable::MergeRequest(id), user, now, &text);
    true
}

/// Gives up an automatic merge, and says why; nothing if none was set.
pub(crate) fn abort(state: &mut State, id: u64, user: u64, now: Timestamp, why: &str) {
    let row = state.merge_requests.get_mut(id);
    if row.and_then(|row| row.auto_merge.take()).is_none() {
        return;
    }
    let text = format!("aborted the automatic merge because {why}");
    issuables::add_system_note(state, Noteable::MergeRequest(id), user, now, &text);
}

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
