//! What the replay keeps of each merge request, feature, trial and version.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::stage::{Path, Stage, Standing};
use super::timeline::Step;
use crate::domain::ids::{FeatureId, MergeRequestId, RoleName, TrialId, VersionId};
use crate::domain::linking::LinkKind;
use crate::domain::versioning::Number;

/// A merge request through its history.
#[derive(Debug)]
pub(super) struct MergeRequestTrack {
    pub(super) first_known: Timestamp,
    pub(super) title: Option<String>,
    pub(super) links: BTreeMap<FeatureId, LinkKind>,
    pub(super) standing: Standing,
    pub(super) path: Path,
    pub(super) trials: BTreeSet<TrialId>,
    pub(super) landed: Option<Timestamp>,
    pub(super) released: Option<(VersionId, Timestamp)>,
}

/// A feature through its history.
#[derive(Debug)]
pub(super) struct FeatureTrack {
    pub(super) first_known: Timestamp,
    /// In the order they were linked.
    pub(super) links: Vec<(MergeRequestId, LinkKind)>,
    pub(super) path: Path,
    pub(super) releases: Vec<(VersionId, Timestamp)>,
    pub(super) timeline: Vec<Step>,
}

/// A trial through its history; the first ending counts.
#[derive(Debug, Default)]
pub(super) struct TrialTrack {
    pub(super) started: Option<Timestamp>,
    pub(super) change_sets: Vec<MergeRequestId>,
    pub(super) ended: Option<(Timestamp, TrialEnd)>,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrialEnd {
    Validated,
    Rejected,
    Abandoned,
}

/// A version through its history.
#[derive(Debug, Default)]
pub(super) struct VersionTrack {
    pub(super) number: Option<Number>,
    pub(super) content: Vec<MergeRequestId>,
    pub(super) closed: Option<Timestamp>,
    pub(super) deployed: Option<Timestamp>,
    pub(super) released: Option<Timestamp>,
    pub(super) failed: Option<(Timestamp, String)>,
    pub(super) withdrawn: Option<(Timestamp, String)>,
    /// When production was well again: another version ran there.
    pub(super) recovered: Option<Timestamp>,
}

/// A stay in the queue that ended with a trial.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) merge_request: MergeRequestId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// A verdict that was asked for and given.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) role: RoleName,
    pub(super) merge_request: MergeRequestId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl MergeRequestTrack {
    /// Back to its people, unless it has landed.
    pub(super) fn send_back(&mut self) {
        if self.standing.stage() < Stage::Landed {
            self.standing.back_to_development();
        }
    }
}
