//! Every fact that can happen, in the past tense, and the envelope it travels in.
//!
//! The format is public: a field or a fact is never renamed or reused, only added, and readers keep what they do not know.
//! Which command makes a fact and who listens is in `registry`.

pub mod registry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::candidate::{Placed, Postponed};
use super::controls::Order;
use super::ids::{
    BranchName, ChannelName, CommitSha, Epoch, FeatureId, JobId, MergeRequestId, MessageId,
    PatchId, PipelineId, ProjectPath, RoleName, TrialId, UserName, VersionId,
};
use super::integration::ChangeSet;
use super::linking::LinkKind;
use super::nrt::{Abandoned, Candidate, Holder};
use super::validation::Verdict;
use super::versioning::comparison::Around;
use super::versioning::hotfix::Pick;
use super::versioning::packages::Kept;
use super::versioning::{Appended, Number, ThroughFreeze};

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

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A merge request and its change set.
    MergeRequest(MergeRequestId),
    /// The NRT environment.
    Environment,
    /// A trial in it.
    Trial(TrialId),
    /// A version.
    Version(VersionId),
    /// A channel that messages are sent to.
    Channel(ChannelName),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MergeRequest(id) => write!(f, "{}!{}", id.project, id.iid),
            Self::Environment => f.write_str("environment/nrt"),
            Self::Trial(id) => write!(f, "trial/{id}"),
            Self::Version(id) => write!(f, "version/{id}"),
            Self::Channel(name) => write!(f, "channel/{name}"),
        }
    }
}

impl Subject {
    /// The merge request, if it is one.
    pub fn merge_request(&self) -> Option<&MergeRequestId> {
        match self {
            Self::MergeRequest(id) => Some(id),
            Self::Environment | Self::Trial(_) | Self::Version(_) | Self::Channel(_) => None,
        }
    }
}

/// A fact with its circumstances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Derived from what happened, so that a retried job writes the same one.
    pub id: String,
    /// When it happened, according to whoever saw it.
    pub at: Timestamp,
    /// Where.
    pub project: ProjectPath,
    /// The person behind it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// The job that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// The NRT environment whose log holds it, where the project has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nrt_environment: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

impl Event {
    /// Puts a fact into its envelope.
    pub fn new(
        project: &ProjectPath,
        at: Timestamp,
        by: Option<UserName>,
        job: Option<JobId>,
        fact: Fact,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [
            project.as_str(),
            fact.name(),
            &fact.subject().to_string(),
            &fact.occurrence(job),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Self {
            id: short_hash(hash.finalize()),
            at,
            project: project.clone(),
            by,
            job,
            nrt_environment: None,
            fact,
        }
    }

    /// The same in one of several environments: each counts its leases, trials and versions by itself.
    #[must_use]
    pub fn in_environment(self, environment: &str) -> Self {
        let text = format!("{}\0{environment}", self.id);
        Self {
            id: short_hash(Sha256::digest(text)),
            nrt_environment: Some(environment.to_owned()),
            ..self
        }
    }
}

fn short_hash(hash: impl IntoIterator<Item = u8>) -> String {
    let bytes = hash.into_iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

impl Fact {
    /// Whether a job must be certain that it is in the log before it goes on: the right to the environment and to land hang on it,
    /// or a version. What is lost of all else is what a job leaves undone that dies, and the next one does it.
    pub fn must_be_proved(&self) -> bool {
        !matches!(
            self,
            Self::FeatureLinked { .. }
                | Self::FeatureValidated { .. }
                | Self::FeatureRejected { .. }
                | Self::ChangeSetQueued { .. }
                | Self::ChangeSetRebased { .. }
                | Self::ChangeSetConflicted { .. }
                | Self::ChangeSetWithdrawn { .. }
                | Self::ChangeSetRejected { .. }
                | Self::ChangeSetMerged { .. }
                | Self::SourceBranchesSettled { .. }
                | Self::ChangeSetAppended { .. }
                | Self::TrialStarted { .. }
                | Self::TrialRejected { .. }
                | Self::TrialAbandoned { .. }
                | Self::LeaseReleased { .. }
                | Self::ReleaseTaken { .. }
                | Self::VersionDeployed { .. }
                | Self::VersionReleased { .. }
                | Self::VersionAnnounced { .. }
                | Self::ContributorWarned { .. }
        )
    }

    /// Its name, as in the registry and on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FeatureLinked { .. } => "FeatureLinked",
            Self::FeatureUnlinked { .. } => "FeatureUnlinked",
            Self::LinkRefused { .. } => "LinkRefused",
            Self::ValidationRequested { .. } => "ValidationRequested",
            Self::FeatureValidated { .. } => "FeatureValidated",
            Self::FeatureRejected { .. } => "FeatureRejected",
            Self::ValidationLapsed { .. } => "ValidationLapsed",
            Self::ChangeSetQueued { .. } => "ChangeSetQueued",
            Self::ChangeSetWithdrawn { .. } => "ChangeSetWithdrawn",
            Self::ChangeSetHeld { .. } => "ChangeSetHeld",
            Self::ChangeSetUnheld { .. } => "ChangeSetUnheld",
            Self::ChangeSetForced { .. } => "ChangeSetForced",
            Self::QueuePaused { .. } => "QueuePaused",
            Self::QueueResumed { .. } => "QueueResumed",
            Self::LeaseGranted { .. } => "LeaseGranted",
            Self::LeaseReleased { .. } => "LeaseReleased",
            Self::LeaseExpired { .. } => "LeaseExpired",
            Self::LeaseBroken { .. } => "LeaseBroken",
            Self::EnvironmentStuck { .. } => "EnvironmentStuck",
            Self::StateRepaired { .. } => "StateRepaired",
            Self::ChangeSetUnqueued { .. } => "ChangeSetUnqueued",
            Self::ChangeSetRebased { .. } => "ChangeSetRebased",
            Self::ChangeSetConflicted { .. } => "ChangeSetConflicted",
            Self::TrialStarted { .. } => "TrialStarted",
            Self::TrialValidated { .. } => "TrialValidated",
            Self::TrialRejected { .. } => "TrialRejected",
            Self::TrialAbandoned { .. } => "TrialAbandoned",
            Self::ChangeSetRejected { .. } => "ChangeSetRejected",
            Self::ChangeSetMerged { .. } => "ChangeSetMerged",
            Self::SourceBranchesSettled { .. } => "SourceBranchesSettled",
            Self::ChangeSetAppended { .. } => "ChangeSetAppended",
            Self::VersionOpened { .. } => "VersionOpened",
            Self::VersionClosed { .. } => "VersionClosed",
            Self::ReleaseTaken { .. } => "ReleaseTaken",
            Self::VersionAnnounced { .. } => "VersionAnnounced",
            Self::VersionDeployed { .. } => "VersionDeployed",
            Self::VersionReleased { .. } => "VersionReleased",
            Self::ReleaseFailed { .. } => "ReleaseFailed",
            Self::VersionWithdrawn { .. } => "VersionWithdrawn",
            Self::HotfixAsked { .. } => "HotfixAsked",
            Self::ContributorWarned { .. } => "ContributorWarned",
            Self::ChannelOpened { .. } => "ChannelOpened",
            Self::DeliveryStarted { .. } => "DeliveryStarted",
            Self::DeliverySucceeded { .. } => "DeliverySucceeded",
            Self::DeliveryFailed { .. } => "DeliveryFailed",
        }
    }

    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::FeatureLinked { merge_request, .. }
            | Self::FeatureUnlinked { merge_request, .. }
            | Self::LinkRefused { merge_request, .. }
            | Self::ValidationRequested { merge_request, .. }
            | Self::FeatureValidated { merge_request, .. }
            | Self::FeatureRejected { merge_request, .. }
            | Self::ValidationLapsed { merge_request, .. }
            | Self::ChangeSetWithdrawn { merge_request, .. }
            | Self::ChangeSetHeld { merge_request, .. }
            | Self::ChangeSetUnheld { merge_request, .. }
            | Self::ChangeSetForced { merge_request, .. }
            | Self::HotfixAsked { merge_request, .. }
            | Self::ChangeSetUnqueued { merge_request, .. }
            | Self::ChangeSetRebased { merge_request, .. }
            | Self::ChangeSetConflicted { merge_request, .. }
            | Self::ChangeSetRejected { merge_request, .. }
            | Self::ChangeSetMerged { merge_request, .. } => {
                Subject::MergeRequest(merge_request.clone())
            }
            Self::ChangeSetQueued { change_set } => {
                Subject::MergeRequest(change_set.merge_request.clone())
            }
            Self::ChangeSetAppended { appended, .. } => {
                Subject::MergeRequest(appended.change_set.merge_request.clone())
            }
            Self::LeaseGranted { .. }
            | Self::LeaseReleased { .. }
            | Self::LeaseExpired { .. }
            | Self::LeaseBroken { .. }
            | Self::EnvironmentStuck { .. }
            | Self::StateRepaired { .. }
            | Self::SourceBranchesSettled { .. }
            | Self::QueuePaused { .. }
            | Self::QueueResumed { .. } => Subject::Environment,
            Self::TrialStarted { trial, .. }
            | Self::TrialValidated { trial }
            | Self::TrialRejected { trial, .. }
            | Self::TrialAbandoned { trial, .. } => Subject::Trial(*trial),
            Self::VersionOpened { version }
            | Self::VersionClosed { version, .. }
            | Self::ReleaseTaken { version, .. }
            | Self::VersionAnnounced { version, .. }
            | Self::VersionDeployed { version, .. }
            | Self::VersionReleased { version, .. }
            | Self::ReleaseFailed { version, .. }
            | Self::VersionWithdrawn { version, .. } => Subject::Version(*version),
            Self::ContributorWarned { about, .. } => about.clone(),
            Self::ChannelOpened { channel }
            | Self::DeliveryStarted { channel, .. }
            | Self::DeliverySucceeded { channel, .. }
            | Self::DeliveryFailed { channel, .. } => Subject::Channel(channel.clone()),
        }
    }

    /// The order that it carries out, if a person gave one.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::ChangeSetWithdrawn { order, .. } => order.as_ref(),
            Self::ChangeSetHeld { order, .. }
            | Self::ChangeSetUnheld { order, .. }
            | Self::ChangeSetForced { order, .. }
            | Self::QueuePaused { order }
            | Self::QueueResumed { order } => Some(order),
            Self::FeatureLinked { .. }
            | Self::FeatureUnlinked { .. }
            | Self::LinkRefused { .. }
            | Self::ValidationRequested { .. }
            | Self::FeatureValidated { .. }
            | Self::FeatureRejected { .. }
            | Self::ValidationLapsed { .. }
            | Self::ChangeSetQueued { .. }
            | Self::ChangeSetUnqueued { .. }
            | Self::ChangeSetRebased { .. }
            | Self::ChangeSetConflicted { .. }
            | Self::ChangeSetRejected { .. }
            | Self::ChangeSetMerged { .. }
            | Self::SourceBranchesSettled { .. }
            | Self::ChangeSetAppended { .. }
            | Self::LeaseGranted { .. }
            | Self::LeaseReleased { .. }
            | Self::LeaseExpired { .. }
            | Self::LeaseBroken { .. }
            | Self::EnvironmentStuck { .. }
            | Self::StateRepaired { .. }
            | Self::TrialStarted { .. }
            | Self::TrialValidated { .. }
            | Self::TrialRejected { .. }
            | Self::TrialAbandoned { .. }
            | Self::VersionOpened { .. }
            | Self::VersionClosed { .. }
            | Self::ReleaseTaken { .. }
            | Self::VersionAnnounced { .. }
            | Self::VersionDeployed { .. }
            | Self::VersionReleased { .. }
            | Self::ReleaseFailed { .. }
            | Self::VersionWithdrawn { .. }
            | Self::HotfixAsked { .. }
            | Self::ContributorWarned { .. }
            | Self::ChannelOpened { .. }
            | Self::DeliveryStarted { .. }
            | Self::DeliverySucceeded { .. }
            | Self::DeliveryFailed { .. } => None,
        }
    }

    /// The features it concerns, as far as the fact itself says.
    pub fn features(&self) -> Vec<FeatureId> {
        match self {
            Self::FeatureLinked { feature, .. } | Self::FeatureUnlinked { feature, .. } => {
                vec![feature.clone()]
            }
            Self::ValidationRequested { features, .. }
            | Self::FeatureValidated { features, .. }
            | Self::FeatureRejected { features, .. }
            | Self::ValidationLapsed { features, .. }
            | Self::VersionReleased { features, .. } => features.clone(),
            Self::ChangeSetQueued { change_set } => {
                change_set.links.iter().map(|l| l.feature.clone()).collect()
            }
            Self::ChangeSetAppended { appended, .. } => appended
                .change_set
                .links
                .iter()
                .map(|l| l.feature.clone())
                .collect(),
            Self::LinkRefused { .. }
            | Self::ChangeSetWithdrawn { .. }
            | Self::ChangeSetHeld { .. }
            | Self::ChangeSetUnheld { .. }
            | Self::ChangeSetForced { .. }
            | Self::QueuePaused { .. }
            | Self::QueueResumed { .. }
            | Self::ChangeSetUnqueued { .. }
            | Self::ChangeSetRebased { .. }
            | Self::ChangeSetConflicted { .. }
            | Self::ChangeSetRejected { .. }
            | Self::ChangeSetMerged { .. }
            | Self::SourceBranchesSettled { .. }
            | Self::LeaseGranted { .. }
            | Self::LeaseReleased { .. }
            | Self::LeaseExpired { .. }
            | Self::LeaseBroken { .. }
            | Self::EnvironmentStuck { .. }
            | Self::StateRepaired { .. }
            | Self::TrialStarted { .. }
            | Self::TrialValidated { .. }
            | Self::TrialRejected { .. }
            | Self::TrialAbandoned { .. }
            | Self::VersionOpened { .. }
            | Self::VersionClosed { .. }
            | Self::ReleaseTaken { .. }
            | Self::VersionAnnounced { .. }
            | Self::VersionDeployed { .. }
            | Self::ReleaseFailed { .. }
            | Self::VersionWithdrawn { .. }
            | Self::HotfixAsked { .. }
            | Self::ContributorWarned { .. }
            | Self::ChannelOpened { .. }
            | Self::DeliveryStarted { .. }
            | Self::DeliverySucceeded { .. }
            | Self::DeliveryFailed { .. } => Vec::new(),
        }
    }

    /// What tells this occurrence from another one of the same fact on the same subject.
    fn occurrence(&self, job: Option<JobId>) -> String {
        let by_job = || job.map_or(String::new(), |job| job.to_string());
        // Linked, unlinked and linked again are three facts, on one commit too; another job that tells of one repeats it.
        let telling = |commit: &Option<CommitSha>, told_by: &Option<JobId>| match (told_by, commit)
        {
            (Some(job), _) => Some(format!(" told by {job}")),
            (None, Some(commit)) => Some(format!(" {commit}")),
            (None, None) => None,
        };
        match self {
            Self::FeatureLinked {
                feature,
                kind,
                commit,
                told_by,
                ..
            } => format!(
                "{feature} {kind}{}",
                telling(commit, told_by).unwrap_or_default()
            ),
            Self::FeatureUnlinked {
                feature,
                commit,
                told_by,
                ..
            } => format!(
                "{feature}{}",
                telling(commit, told_by).unwrap_or_else(|| format!(" {}", by_job()))
            ),
            Self::LinkRefused { .. } | Self::TrialAbandoned { .. } | Self::StateRepaired { .. } => {
                by_job()
            }
            Self::ValidationRequested { commit, .. } => commit.to_string(),
            Self::FeatureValidated { verdict, .. } | Self::FeatureRejected { verdict, .. } => {
                verdict.job.to_string()
            }
            Self::ValidationLapsed {
                verdict, commit, ..
            } => format!("{} {commit}", verdict.job),
            Self::ChangeSetQueued { change_set } => {
                format!("{} {}", change_set.head, change_set.requested_by)
            }
            Self::ChangeSetWithdrawn {
                head,
                reason,
                order: None,
                ..
            } => format!("{head} {reason}"),
            // What is ordered, taken back and ordered again are three facts, from one person and job too.
            Self::ChangeSetWithdrawn {
                order: Some(order), ..
            }
            | Self::ChangeSetHeld { order, .. }
            | Self::ChangeSetUnheld { order, .. }
            | Self::ChangeSetForced { order, .. }
            | Self::QueuePaused { order }
            | Self::QueueResumed { order } => order.given_at.to_string(),
            Self::LeaseGranted { epoch, .. }
            | Self::LeaseReleased { epoch }
            | Self::LeaseExpired { epoch, .. }
            | Self::LeaseBroken { epoch, .. } => epoch.to_string(),
            Self::EnvironmentStuck { waiting, .. } => waiting.to_string(),
            Self::ChangeSetUnqueued { trial, .. }
            | Self::ChangeSetRejected { trial, .. }
            | Self::ChangeSetMerged { trial, .. }
            | Self::TrialStarted { trial, .. }
            | Self::TrialValidated { trial }
            | Self::TrialRejected { trial, .. } => trial.to_string(),
            Self::ChangeSetRebased { to, .. } => to.to_string(),
            Self::ChangeSetConflicted { head, .. } => format!("{head} {}", by_job()),
            Self::ChangeSetAppended { appended, .. } => appended.trial.to_string(),
            Self::SourceBranchesSettled { merge_requests } => {
                let ids: Vec<String> = merge_requests.iter().map(ToString::to_string).collect();
                format!("{} {}", ids.join(" "), by_job())
            }
            Self::VersionOpened { version } => version.to_string(),
            Self::VersionClosed { number, commit, .. } => format!("{number} {commit} {}", by_job()),
            Self::VersionDeployed {
                number,
                environment,
                ..
            } => format!("{number} {environment} {}", by_job()),
            Self::VersionReleased { number, .. }
            | Self::VersionAnnounced { number, .. }
            | Self::VersionWithdrawn { number, .. } => number.to_string(),
            Self::ReleaseTaken { number, .. } | Self::ReleaseFailed { number, .. } => {
                format!("{number} {}", by_job())
            }
            Self::HotfixAsked { from, .. } => from.to_string(),
            Self::ContributorWarned { alert, .. } => alert.clone(),
            Self::ChannelOpened { .. } => String::new(),
            Self::DeliverySucceeded { messages, .. } => listed(messages),
            Self::DeliveryStarted { messages, .. } | Self::DeliveryFailed { messages, .. } => {
                format!("{} {}", listed(messages), by_job())
            }
        }
    }
}

fn listed(messages: &[MessageId]) -> String {
    let ids: Vec<&str> = messages.iter().map(MessageId::as_str).collect();
    ids.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    #[test]
    fn a_retried_job_writes_the_same_event() {
        let fact = Fact::TrialValidated { trial: TrialId(4) };
        let first = Event::new(
            &project(),
            Timestamp::UNIX_EPOCH,
            None,
            Some(JobId(1)),
            fact.clone(),
        );
        let retried = Event::new(
            &project(),
            Timestamp::from_second(9).unwrap(),
            None,
            Some(JobId(2)),
            fact,
        );
        assert_eq!(first.id, retried.id);
        assert_eq!(first.id.len(), 32);
        let other = Event::new(
            &project(),
            Timestamp::UNIX_EPOCH,
            None,
            Some(JobId(1)),
            Fact::TrialValidated { trial: TrialId(5) },
        );
        assert_ne!(first.id, other.id);
    }

    /// The format is public: a stored line of it must be readable for ever.
    #[test]
    fn a_stored_event_of_the_first_format_is_read() {
        let line = r#"{"id":"00","at":"2026-01-05T10:00:00Z","project":"shop/web","job":7,"fact":"TrialStarted","trial":3,"candidate":{"commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","base":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","reference":"refs/merge-requests/7/head"},"change_sets":[{"project":"shop/web","iid":7}],"later":"ignored"}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert!(matches!(
            event.fact,
            Fact::TrialStarted {
                trial: TrialId(3),
                ..
            }
        ));
        let again: Event = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(again, event);
    }
}
