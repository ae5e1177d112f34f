//! What came of change sets and trials, as the log tells it: read by the scenarios that ask for it.

use std::collections::BTreeMap;

use trainyard::domain::event::Fact;

use crate::stage::Stage;

/// The change sets of each trial, in the order of the trials.
pub(crate) fn trials(stage: &Stage) -> Vec<Vec<u64>> {
    let mut trials = Vec::new();
    for fact in stage.facts() {
        if let Fact::TrialStarted { change_sets, .. } = fact {
            trials.push(change_sets.iter().map(|id| id.iid).collect());
        }
    }
    trials
}

/// What was appended to a version, in its order; twice what was appended twice.
pub(crate) fn landed(stage: &Stage) -> Vec<u64> {
    let mut landed = Vec::new();
    for fact in stage.facts() {
        if let Fact::ChangeSetAppended { appended, .. } = fact {
            landed.push(appended.change_set.merge_request.iid);
        }
    }
    landed
}

/// What left the queue without a verdict, and why; none of them twice.
pub(crate) fn withdrawn(stage: &Stage) -> BTreeMap<u64, String> {
    let mut left = BTreeMap::new();
    for fact in stage.facts() {
        if let Fact::ChangeSetWithdrawn {
            merge_request,
            reason,
            ..
        } = fact
        {
            let before = left.insert(merge_request.iid, reason);
            assert_eq!(before, None, "!{} left twice", merge_request.iid);
        }
    }
    left
}
