//! One event in words, as a line of a feature's timeline.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::event::{Event, Fact};
use crate::domain::ids::{MergeRequestId, UserName};
use crate::domain::linking::LinkKind;

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When it happened.
    pub at: Timestamp,
    /// The event's id.
    pub event: String,
    /// The name of its fact.
    pub fact: &'static str,
    /// Whether it brought the feature on or back.
    pub turn: Turn,
    /// The merge request it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_request: Option<MergeRequestId>,
    /// The person behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// What happened, in words; holds untrusted text.
    pub text: String,
}

/// Whether an event brings a feature on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Nearer to production, or no nearer.
    On,
    /// Back to people's hands.
    Back,
}

impl Step {
    /// The line for an event; `merge_request` is the one through which the event concerns the feature.
    pub(super) fn of(event: &Event, merge_request: Option<&MergeRequestId>) -> Self {
        let (turn, text, decided_by) = words(&event.fact);
        Self {
            at: event.at,
            event: event.id.clone(),
            fact: event.fact.name(),
            turn,
            merge_request: merge_request.cloned(),
            by: decided_by.cloned().or_else(|| event.by.clone()),
            text,
        }
    }
}

/// What a fact says: its turn, its words, and who decided it.
fn words(fact: &Fact) -> (Turn, String, Option<&UserName>) {
    use Turn::{Back, On};
    match fact {
        Fact::FeatureLinked { kind, .. } => {
            let text = match kind {
                LinkKind::Contributes => "linked as a contribution",
                LinkKind::Closes => "linked as the one that closes the feature",
            };
            (On, text.to_owned(), None)
        }
        Fact::FeatureUnlinked { .. } => (Back, "no longer linked".to_owned(), None),
        Fact::LinkRefused { reasons, .. } => {
            (Back, format!("links refused: {}", reasons.join("; ")), None)
        }
        Fact::ValidationRequested { roles, .. } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            (On, format!("verdict asked of {}", roles.join(", ")), None)
        }
        Fact::FeatureValidated { verdict, .. } => (
            On,
            format!("validated as {}", verdict.role),
            Some(&verdict.by),
        ),
        Fact::FeatureRejected {
            verdict, reason, ..
        } => {
            let why = reason.as_deref().map(|reason| format!(": {reason}"));
            let text = format!("rejected as {}{}", verdict.role, why.unwrap_or_default());
            (Back, text, Some(&verdict.by))
        }
        Fact::ValidationLapsed { verdict, .. } => (
            Back,
            format!("verdict of {} lapsed: the content changed", verdict.role),
            None,
        ),
        Fact::ChangeSetQueued { change_set } => (
            On,
            format!("joined the queue ({} priority)", change_set.priority),
            None,
        ),
        Fact::ChangeSetWithdrawn { reason, .. } => {
            (Back, format!("left the queue: {reason}"), None)
        }
        Fact::ChangeSetHeld { order, label, .. } => {
            let why = label.as_deref().unwrap_or(&order.reason);
            (Back, format!("held: {why}"), order.person.as_ref())
        }
        Fact::ChangeSetUnheld { order, .. } => {
            (On, "held no more".to_owned(), order.person.as_ref())
        }
        Fact::ChangeSetForced { order, .. } => {
            let text = format!("put before all others: {}", order.reason);
            (On, text, order.person.as_ref())
        }
        Fact::HotfixAsked {
            from,
            picks,
            reason,
            asked_by,
            ..
        } => {
            let picked: Vec<String> = picks
                .iter()
                .map(|one| format!("!{}", one.merge_request.iid))
                .collect();
            let text = format!(
                "a hotfix of version {from} with {}: {reason}",
                picked.join(", ")
            );
            (On, text, Some(asked_by))
        }
        Fact::QueuePaused { order } => {
            let text = format!("the queue was paused: {}", order.reason);
            (Back, text, order.person.as_ref())
        }
        Fact::QueueResumed { order } => (
            On,
            "the queue was resumed".to_owned(),
            order.person.as_ref(),
        ),
        Fact::ChangeSetUnqueued { trial, .. } => {
            (On, format!("taken from the queue for trial {trial}"), None)
        }
        Fact::ChangeSetRebased { onto, .. } => (On, format!("rebased onto {}", onto.short()), None),
        Fact::ChangeSetConflicted { detail, .. } => (
            Back,
            format!("does not apply on the target: {detail}"),
            None,
        ),
        Fact::TrialStarted {
            trial, change_sets, ..
        } => {
            let others = match change_sets.len() {
                0 | 1 => String::new(),
                n => format!(", {n} change sets together"),
            };
            (On, format!("trial {trial} started{others}"), None)
        }
        Fact::TrialValidated { trial } => (On, format!("trial {trial} validated"), None),
        Fact::TrialRejected {
            trial, evidence, ..
        } => (Back, format!("trial {trial} rejected: {evidence}"), None),
        Fact::TrialAbandoned { trial, reason } => {
            (Back, format!("trial {trial} abandoned: {reason}"), None)
        }
        Fact::ChangeSetRejected { trial, reason, .. } => {
            (Back, format!("rejected by trial {trial}: {reason}"), None)
        }
        Fact::ChangeSetMerged { commit, .. } => (On, format!("merged as {}", commit.short()), None),
        Fact::ChangeSetAppended { version, .. } => {
            (On, format!("appended to open version {version}"), None)
        }
        Fact::VersionClosed {
            number, closed_by, ..
        } => (
            On,
            format!("version {number} closed for release"),
            closed_by.as_ref(),
        ),
        Fact::VersionDeployed {
            number,
            environment,
            ..
        } => (
            On,
            format!("version {number} deployed to {environment}"),
            None,
        ),
        Fact::ReleaseTaken { number, .. } => (
            On,
            format!("a job took the release of version {number}"),
            None,
        ),
        Fact::VersionAnnounced { number, .. } => {
            (On, format!("everybody was told of version {number}"), None)
        }
        Fact::VersionReleased { number, .. } => (On, format!("version {number} released"), None),
        Fact::ReleaseFailed { number, reason, .. } => (
            Back,
            format!("release of version {number} failed: {reason}"),
            None,
        ),
        Fact::VersionWithdrawn { number, reason, .. } => {
            (Back, format!("version {number} withdrawn: {reason}"), None)
        }
        Fact::ContributorWarned { alert, people, .. } => {
            let people: Vec<&str> = people.iter().map(|user| user.as_str()).collect();
            (On, format!("{} warned: {alert}", people.join(", ")), None)
        }
        Fact::ChannelOpened { channel }
        | Fact::DeliveryStarted { channel, .. }
        | Fact::DeliverySucceeded { channel, .. }
        | Fact::DeliveryFailed { channel, .. } => (On, format!("channel {channel}"), None),
        Fact::VersionOpened { version } => (On, format!("version {version} opened"), None),
        Fact::LeaseGranted { epoch, .. } => (On, format!("lease {epoch} granted"), None),
        Fact::LeaseReleased { epoch } => (On, format!("lease {epoch} released"), None),
        Fact::LeaseExpired { epoch, .. } => (Back, format!("lease {epoch} expired"), None),
        Fact::LeaseBroken { epoch, .. } => (Back, format!("lease {epoch} was broken"), None),
        Fact::EnvironmentStuck { waiting, .. } => (
            Back,
            format!("job {waiting} waited for the free environment"),
            None,
        ),
        Fact::LandedUntested { commit, .. } => (
            Back,
            format!("landed as {}, which nobody tested", commit.short()),
            None,
        ),
        Fact::SourceBranchesSettled { .. } => {
            (On, "source branches are tidied up".to_owned(), None)
        }
        Fact::StateRepaired { .. } => (Back, "the state was repaired".to_owned(), None),
    }
}
