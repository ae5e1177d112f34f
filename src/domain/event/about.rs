//! What a fact is about, and what readers ask of it.

use serde::{Deserialize, Serialize};

use super::Fact;
use crate::domain::controls::Order;
use crate::domain::ids::{ChannelName, FeatureId, MergeRequestId, TrialId, VersionId};

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
                | Self::LandedUntested { .. }
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
            Self::LandedUntested { .. } => "LandedUntested",
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
            | Self::LandedUntested { merge_request, .. }
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
            | Self::LandedUntested { .. }
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
            | Self::LandedUntested { .. }
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
}
