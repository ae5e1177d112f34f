//! Every fact that can happen, in the past tense; the envelope it travels in is `envelope`.
//!
//! The format is public: a field or a fact is never renamed or reused, only added, and readers keep what they do not know.
//! Which command makes a fact and who listens is in `registry`.

mod about;
mod envelope;
pub mod registry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::candidate::{Placed, Postponed};
use super::controls::Order;
use super::ids::{
    BranchName, ChannelName, CommitSha, Epoch, FeatureId, JobId, MergeRequestId, MessageId,
    PatchId, PipelineId, RoleName, TrialId, UserName, VersionId,
};
use super::integration::ChangeSet;
use super::linking::LinkKind;
use super::nrt::{Abandoned, Candidate, Holder};
use super::validation::Verdict;
use super::versioning::comparison::Around;
use super::versioning::hotfix::Pick;
use super::versioning::packages::Kept;
use super::versioning::{Appended, Number, ThroughFreeze};

pub use about::Subject;
pub use envelope::Event;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact")]
pub enum Fact {
    /// A merge request names a feature, and the link is in order.
    FeatureLinked {
        merge_request: MergeRequestId,
        feature: FeatureId,
        kind: LinkKind,
        /// The head of the merge request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitSha>,
        /// The job that told of it first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_by: Option<JobId>,
    },
    /// A merge request names a feature no more.
    FeatureUnlinked {
        merge_request: MergeRequestId,
        feature: FeatureId,
        /// The head of the merge request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitSha>,
        /// The job that told of it first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_by: Option<JobId>,
    },
    /// The links of a merge request are not in order.
    LinkRefused {
        merge_request: MergeRequestId,
        reasons: Vec<String>,
    },
    /// A closing merge request waits for the verdict of its roles.
    ValidationRequested {
        merge_request: MergeRequestId,
        features: Vec<FeatureId>,
        roles: Vec<RoleName>,
        commit: CommitSha,
    },
    /// A role validated the features that a merge request closes.
    FeatureValidated {
        merge_request: MergeRequestId,
        features: Vec<FeatureId>,
        verdict: Verdict,
    },
    /// A role rejected them.
    FeatureRejected {
        merge_request: MergeRequestId,
        features: Vec<FeatureId>,
        verdict: Verdict,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A verdict no longer holds, because the content changed.
    ValidationLapsed {
        merge_request: MergeRequestId,
        features: Vec<FeatureId>,
        verdict: Verdict,
        commit: CommitSha,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patch: Option<PatchId>,
    },
    /// A change set joined the queue.
    ChangeSetQueued { change_set: ChangeSet },
    /// A change set was taken back before its trial was over.
    ChangeSetWithdrawn {
        merge_request: MergeRequestId,
        head: CommitSha,
        reason: String,
        /// The order by which a person took it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Order>,
    },
    /// A merge request is not to be tried until it is free again.
    ChangeSetHeld {
        merge_request: MergeRequestId,
        order: Order,
        /// When the hold ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The label that holds it, for as long as it is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// It may be tried again.
    ChangeSetUnheld {
        merge_request: MergeRequestId,
        order: Order,
    },
    /// A change set goes before all others that wait.
    ChangeSetForced {
        merge_request: MergeRequestId,
        head: CommitSha,
        order: Order,
        /// Whether no freeze stops it.
        through_freezes: bool,
    },
    /// Nothing is taken for a trial until the queue is resumed.
    QueuePaused { order: Order },
    /// The queue is served again.
    QueueResumed { order: Order },
    /// A run got the NRT environment.
    LeaseGranted {
        epoch: Epoch,
        holder: Holder,
        until: Timestamp,
    },
    /// It gave it back.
    LeaseReleased { epoch: Epoch },
    /// It is gone without giving it back.
    LeaseExpired { epoch: Epoch, holder: Holder },
    /// A person took the environment away from the run that held it.
    LeaseBroken {
        epoch: Epoch,
        holder: Holder,
        /// Why, in that person's words; untrusted.
        reason: String,
        /// Not `by`: that key is the envelope's.
        broken_by: UserName,
    },
    /// Jobs wait for the environment although nobody has it.
    EnvironmentStuck {
        /// The first job that waits. Not `job`: that key is the envelope's.
        waiting: JobId,
        /// Its pipeline.
        pipeline: PipelineId,
    },
    /// The log was damaged, and was put right from what GitLab knows.
    StateRepaired {
        /// Grants go on above this one: no grant of the lost entries can have reached it.
        epoch: Epoch,
        /// State that was lost or set aside, by name.
        lost: Vec<String>,
    },
    /// A change set left the queue for a trial.
    ChangeSetUnqueued {
        merge_request: MergeRequestId,
        head: CommitSha,
        trial: TrialId,
    },
    /// Its branch was rebased onto the target.
    ChangeSetRebased {
        merge_request: MergeRequestId,
        from: CommitSha,
        to: CommitSha,
        onto: CommitSha,
    },
    /// It does not apply on the target.
    ChangeSetConflicted {
        merge_request: MergeRequestId,
        head: CommitSha,
        detail: String,
    },
    /// A candidate went to the environment.
    TrialStarted {
        trial: TrialId,
        candidate: Candidate,
        change_sets: Vec<MergeRequestId>,
        /// Where each stands in a candidate that git put together; empty when GitLab's own rebase made it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        placed: Vec<Placed>,
        /// What was taken for it, and does not go together with those before it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postponed: Vec<Postponed>,
    },
    /// Its tests passed, or a person validated it.
    TrialValidated { trial: TrialId },
    /// Its tests failed, or a person rejected it.
    TrialRejected {
        trial: TrialId,
        culprits: Vec<MergeRequestId>,
        evidence: String,
    },
    /// It ended without a verdict; its change sets wait again, at their old place.
    TrialAbandoned { trial: TrialId, reason: Abandoned },
    /// A change set was rejected by a trial of exactly what its landing would have produced, or by name.
    ChangeSetRejected {
        merge_request: MergeRequestId,
        head: CommitSha,
        trial: TrialId,
        reason: String,
        /// Where it can be seen: the address of a job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
        /// Test cases that failed; untrusted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failures: Vec<String>,
    },
    /// It is in the target branch.
    ChangeSetMerged {
        merge_request: MergeRequestId,
        head: CommitSha,
        commit: CommitSha,
        trial: TrialId,
        /// Its source branch, which is still to be deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaves: Option<BranchName>,
    },
    /// It landed, and not as its trial validated it: somebody pushed to the target in the instant of the merge.
    LandedUntested {
        merge_request: MergeRequestId,
        trial: TrialId,
        /// What the trial validated.
        candidate: CommitSha,
        /// What landed.
        commit: CommitSha,
    },
    /// Nothing more is to be done about the source branches of these: they are deleted, or have to stay.
    SourceBranchesSettled { merge_requests: Vec<MergeRequestId> },
    /// It is in the open version.
    ChangeSetAppended {
        version: VersionId,
        appended: Appended,
    },
    /// A version can be filled.
    VersionOpened { version: VersionId },
    /// Its content and commit are frozen.
    VersionClosed {
        version: VersionId,
        number: Number,
        commit: CommitSha,
        content: Vec<MergeRequestId>,
        /// What of it other packages are still to bring.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<Kept>,
        /// Not `by`: that key is the envelope's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed_by: Option<UserName>,
        /// What came around the gate since the last version.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        around: Vec<Around>,
        /// The SHA-256 of the manifest that the release leaves behind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manifest: Option<String>,
        /// The freeze that it was released in spite of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through_freeze: Option<ThroughFreeze>,
    },
    /// A job publishes it, or gives it up: no other one does meanwhile.
    ReleaseTaken { version: VersionId, number: Number },
    /// It runs in production.
    VersionDeployed {
        version: VersionId,
        number: Number,
        environment: String,
        deployment: Option<u64>,
    },
    /// It is tagged and published.
    VersionReleased {
        version: VersionId,
        number: Number,
        commit: CommitSha,
        features: Vec<FeatureId>,
    },
    /// Everything that goes with its release is done, and everybody is told.
    VersionAnnounced { version: VersionId, number: Number },
    /// Its deployment failed; its content went back to the open version.
    ReleaseFailed {
        version: VersionId,
        number: Number,
        reason: String,
        /// Where it can be seen: the address of a job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
    },
    /// A version that was released is bad; its content went back to the open version.
    VersionWithdrawn {
        version: VersionId,
        number: Number,
        /// Why; untrusted.
        reason: String,
        /// Not `by`: that key is the envelope's.
        withdrawn_by: UserName,
    },
    /// Somebody asked that change sets go to production before the next version: they were picked onto a released one.
    HotfixAsked {
        /// The merge request that brings them to the branch of hotfixes.
        merge_request: MergeRequestId,
        /// The version in production that they are put on.
        from: Number,
        /// What was picked, in the order it landed.
        picks: Vec<Pick>,
        /// Why; untrusted.
        reason: String,
        /// Not `by`: that key is the envelope's.
        asked_by: UserName,
    },
    /// A person was told that they must act.
    ContributorWarned {
        about: Subject,
        alert: String,
        people: Vec<UserName>,
    },
    /// A channel is served from now on; what happened before is not sent to it.
    ChannelOpened { channel: ChannelName },
    /// A job is about to hand messages to a channel: nobody else does meanwhile.
    DeliveryStarted {
        channel: ChannelName,
        messages: Vec<MessageId>,
    },
    /// The channel took them.
    DeliverySucceeded {
        channel: ChannelName,
        messages: Vec<MessageId>,
    },
    /// The channel did not take them; they are tried again.
    DeliveryFailed {
        channel: ChannelName,
        messages: Vec<MessageId>,
        reason: String,
    },
}
