//! From events to durations, counts and distributions. Pure: the time and the period are arguments.
//!
//! Every figure is of one project, never of one person. What is drawn from it is in `page`.

mod figures;
mod flow;
mod history;
mod numbers;
pub mod page;
mod stage;
#[cfg(test)]
pub(crate) mod story;
#[cfg(test)]
mod tests;
mod timeline;
mod tracks;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::event::Event;
use crate::domain::ids::{FeatureId, MergeRequestId, RoleName, TrialId, VersionId};
use crate::domain::linking::LinkKind;

pub use numbers::{Distribution, Excluded, Period, Share};
pub use stage::{Stage, Visit};
pub use timeline::{Step, Turn};

/// How a change set left the queue for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// It is in the version.
    Landed,
    /// A trial rejected it.
    Rejected,
    /// It does not apply on the target.
    Conflicted,
    /// It was taken back.
    Withdrawn,
}

/// At which gate something was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionKind {
    /// The links of a merge request.
    Links,
    /// A person's verdict.
    Validation,
    /// A change set that does not apply.
    Conflict,
    /// A trial's verdict on a change set.
    Trial,
}

/// Everything that the events say about a period: what `--json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Insights {
    /// The version of this format; fields are only ever added to it.
    pub format: u32,
    /// The time looked at.
    pub period: Period,
    /// The instant at which it was looked at. What still lasts is measured up to it, or up to the end of the period.
    pub now: Timestamp,
    /// What it was made from.
    pub events: Freshness,
    /// Features on their way, and those that reached production in the period, oldest first.
    pub features: Vec<FeatureFlow>,
    /// How long features released in the period took, from the first that is known of them to production.
    pub feature_lead_time: Option<Distribution>,
    /// Where the features released in the period spent their time, stage by stage.
    pub stages: Vec<StageFigures>,
    /// Change sets that were on their way, landed or released in the period.
    pub change_sets: Vec<ChangeSetFlow>,
    /// How long change sets released in the period took, from the first that is known of them to production.
    pub change_set_lead_time: Option<Distribution>,
    /// The queue.
    pub queue: QueueFigures,
    /// How long the verdict of each role took.
    pub validation: Vec<RoleFigures>,
    /// The trials.
    pub trials: TrialFigures,
    /// What was rejected, by gate and reason, the most frequent first.
    pub rejections: Vec<Rejection>,
    /// Versions released or failed in the period, newest first; before them the one on its way and the open one.
    pub versions: Vec<VersionFigures>,
    /// Durations left out because they came out negative.
    pub excluded: Vec<Excluded>,
}

/// How much was read and how fresh it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// Events, each once.
    pub read: usize,
    /// Events that were there again.
    pub duplicates: usize,
    /// Events from after the end of the period: left out.
    pub later: usize,
    /// The time of the first.
    pub first: Option<Timestamp>,
    /// The time of the last.
    pub last: Option<Timestamp>,
}

/// A feature and its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureFlow {
    /// Which one.
    pub feature: FeatureId,
    /// Where it is.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// When it was first heard of.
    pub first_known: Timestamp,
    /// When it first reached production, and in which version.
    pub released: Option<Release>,
    /// From `first_known` to there.
    pub lead_seconds: Option<u64>,
    /// The merge requests linked to it.
    pub merge_requests: Vec<LinkedMergeRequest>,
    /// Its time by stage: visits that are over, summed up.
    pub stages: Vec<StageTime>,
    /// Its way, visit by visit.
    pub visits: Vec<Visit>,
    /// Every event that concerns it.
    pub timeline: Vec<Step>,
}

/// A merge request of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkedMergeRequest {
    /// Which one.
    pub merge_request: MergeRequestId,
    /// Contributes or closes.
    pub kind: LinkKind,
}

/// In which version something reached production, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Which version.
    pub version: VersionId,
    /// Its number.
    pub number: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Time spent in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageTime {
    /// Which one.
    pub stage: Stage,
    /// How often it was entered.
    pub visits: usize,
    /// All visits together.
    pub seconds: u64,
}

/// A stage over all features released in the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageFigures {
    /// Which one.
    pub stage: Stage,
    /// Whether time in it counts as waiting.
    pub waits: bool,
    /// How often it was entered.
    pub visits: usize,
    /// All of them together.
    pub seconds: u64,
    /// The time of each feature that was ever in it, repeated visits summed.
    pub per_feature: Option<Distribution>,
}

/// A change set and its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeSetFlow {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// Its title, untrusted.
    pub title: Option<String>,
    /// Where it is.
    pub stage: Stage,
    /// When it was first heard of.
    pub first_known: Timestamp,
    /// The stays in the queue that ended with a trial, in seconds, in order.
    pub waits: Vec<u64>,
    /// All of them together.
    pub waited_seconds: u64,
    /// How many trials it was in.
    pub trials: usize,
    /// When it landed.
    pub landed: Option<Timestamp>,
    /// When it reached production.
    pub released: Option<Release>,
    /// From `first_known` to production.
    pub lead_seconds: Option<u64>,
}

/// The queue in the period, and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueFigures {
    /// How many change sets joined it.
    pub joined: usize,
    /// How they left it for good.
    pub exits: Vec<(ExitKind, usize)>,
    /// One stay: from joining, or coming back after an abandoned trial, to the trial.
    pub wait: Option<Distribution>,
    /// All stays of a change set that landed, together.
    pub wait_in_total: Option<Distribution>,
    /// Who waits now, longest first.
    pub waiting: Vec<Waiting>,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Which change set.
    pub merge_request: MergeRequestId,
    /// Its title, untrusted.
    pub title: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Up to now.
    pub seconds: u64,
}

/// The verdicts of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleFigures {
    /// Which role; never which person.
    pub role: RoleName,
    /// From asked to given.
    pub wait: Option<Distribution>,
    /// Verdicts that are awaited now.
    pub awaited: usize,
}

/// The trials that ended in the period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialFigures {
    /// How many passed.
    pub validated: usize,
    /// How many failed.
    pub rejected: usize,
    /// How many ended without a verdict.
    pub abandoned: usize,
    /// The rejected among those with a verdict.
    pub rejected_share: Option<Share>,
    /// From start to verdict.
    pub duration: Option<Distribution>,
    /// The one going on.
    pub running: Option<RunningTrial>,
    /// Ended trials of which no start is recorded: counted, not measured.
    pub without_start: usize,
}

/// A trial going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningTrial {
    /// Which one.
    pub trial: TrialId,
    /// Since when.
    pub since: Timestamp,
    /// Its change sets.
    pub change_sets: Vec<MergeRequestId>,
}

/// How often something was rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// At which gate.
    pub kind: RejectionKind,
    /// Why, untrusted.
    pub reason: String,
    /// How often.
    pub count: usize,
}

/// Where a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// It is being filled.
    Open,
    /// It is on its way to production.
    Closing,
    /// It is in production.
    Released,
    /// Its deployment failed; its content went back to the open version.
    Failed,
    /// It was in production, and turned out to be bad.
    Withdrawn,
}

/// A version and what it brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionFigures {
    /// Which one; the open one has not got its own yet when nothing opened it.
    pub version: Option<VersionId>,
    /// Its number; the open one has none.
    pub number: Option<String>,
    /// Where it is.
    pub state: VersionState,
    /// When it got there; none for the open one.
    pub at: Option<Timestamp>,
    /// How many change sets it holds.
    pub change_sets: usize,
    /// Features that it completes.
    pub completes: Vec<FeatureId>,
    /// Features that it brings a part of.
    pub contributes_to: Vec<FeatureId>,
    /// From the first that is known of a change set to production.
    pub lead_time: Option<Distribution>,
    /// Why it failed or was withdrawn, untrusted.
    pub failure: Option<String>,
    /// How long a withdrawn version kept production from being well, in seconds: from its withdrawal until another one ran there.
    pub recovered_after_seconds: Option<u64>,
}

/// Events of any order, twice or once, as the one history they tell.
pub fn in_order(events: &[Event]) -> Vec<&Event> {
    history::History::of(events).events
}

/// Works everything out. `events` may come in any order and more than once.
pub fn insights(events: &[Event], now: Timestamp, period: Period) -> Insights {
    figures::of(events, now, period)
}
