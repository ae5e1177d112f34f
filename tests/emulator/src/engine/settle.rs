//! Letting the engine run until nothing moves: jobs under the lock, downstream pipelines without it.

use super::create::{self, Order, Refusal};
use super::{bridges, process};
use crate::merge_requests::auto_merge;
use crate::replica;
use crate::shared::Shared;
use crate::store::State;

/// Moves everything that can move. Call it without holding the state, after every change to pipelines or jobs.
pub(crate) fn settle(shared: &Shared) {
    if replica::is_read() {
        return;
    }
    loop {
        let (bridges, waiting) = {
            let now = shared.clock.now();
            let mut state = shared.state();
            let finished = process::process(&mut state, now);
            let bridges = bridges::claim(&mut state, now);
            (bridges, waiting_for(&state, &finished))
        };
        for (project, iid) in waiting {
            auto_merge::merge_if_ready(shared, project, iid);
        }
        if bridges.is_empty() {
            return;
        }
        for bridge in bridges {
            bridges::trigger(shared, bridge);
        }
    }
}

/// The merge requests that wait for one of these pipelines to merge by themselves.
fn waiting_for(state: &State, pipelines: &[u64]) -> Vec<(u64, u64)> {
    state
        .merge_requests
        .iter()
        .filter(|merge_request| {
            merge_request.auto_merge.is_some()
                && merge_request
                    .head_pipeline_id
                    .is_some_and(|head| pipelines.contains(&head))
        })
        .map(|merge_request| (merge_request.project_id, merge_request.iid))
        .collect()
}

/// Creates a pipeline and starts it.
pub(crate) fn run_pipeline(shared: &Shared, order: Order) -> Result<u64, Refusal> {
    let id = create::create(shared, order)?;
    settle(shared);
    Ok(id)
}
