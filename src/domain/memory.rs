//! Which events were applied, by what they are about: so that a merge request that is gone is forgotten whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::Event;
use super::ids::MergeRequestId;
use super::pairs;

/// A job looks at GitLab and then at the log. What it looked at is not forgotten while such a job can run.
const QUIET: SignedDuration = SignedDuration::from_hours(24);
/// So much of an id tells events apart.
const DIGITS: usize = 16;

/// The ids of the events of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    #[serde(with = "pairs")]
    merge_requests: BTreeMap<MergeRequestId, Heard>,
    others: BTreeMap<String, Timestamp>,
}

/// What was heard of a merge request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    last: Timestamp,
    ids: BTreeSet<String>,
}

impl Memory {
    /// Whether an event was applied.
    pub(super) fn has(&self, event: &Event) -> bool {
        let id = short(event);
        match event.fact.subject().merge_request() {
            None => self.others.contains_key(id),
            Some(one) => {
                let heard = self.merge_requests.get(one);
                heard.is_some_and(|heard| heard.ids.contains(id))
            }
        }
    }

    /// Takes it in; whether it is new.
    pub(super) fn insert(&mut self, event: &Event) -> bool {
        let id = short(event).to_owned();
        match event.fact.subject().merge_request() {
            None => self.others.insert(id, event.at).is_none(),
            Some(one) => {
                let heard = self.merge_requests.entry(one.clone()).or_default();
                heard.last = heard.last.max(event.at);
                heard.ids.insert(id)
            }
        }
    }

    /// The merge requests that anything was heard of.
    pub(super) fn merge_requests(&self) -> impl Iterator<Item = &MergeRequestId> {
        self.merge_requests.keys()
    }

    /// Whether nothing was heard of a merge request in the day before an instant.
    pub(super) fn is_quiet(&self, one: &MergeRequestId, at: Timestamp) -> bool {
        let heard = self.merge_requests.get(one);
        heard.is_none_or(|heard| at.duration_since(heard.last) > QUIET)
    }

    /// Forgets merge requests, and everything about trials, versions and channels that is older than a day: epochs, the version
    /// that is open and the channels that are served say by themselves what of it was before.
    pub(super) fn forget(&mut self, merge_requests: &BTreeSet<MergeRequestId>, at: Timestamp) {
        self.merge_requests
            .retain(|one, _| !merge_requests.contains(one));
        self.others
            .retain(|_, heard| at.duration_since(*heard) <= QUIET);
    }
}

fn short(event: &Event) -> &str {
    event.id.get(..DIGITS).unwrap_or(&event.id)
}
