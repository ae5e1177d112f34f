//! Who is told what, when, and only once.
//!
//! `policy` is the one table: for every fact, who is told and how. A new note with a mention is written only when a named
//! person must act; everything else is an edit of the note that is there. `outbox` folds from the log what channels are still
//! to be sent, `rules` is what a project decides about that, `calendar` knows quiet hours and digests, `reminder` what has
//! waited too long, `letter` what a message consists of. The wording is in `report`.

pub mod calendar;
pub mod letter;
pub mod outbox;
pub mod policy;
pub mod reminder;
pub mod rounds;
pub mod rules;

use std::collections::BTreeSet;

use super::event::{Fact, Subject};
use super::ids::UserName;
use super::yard::Yard;
use policy::{Note, row};

/// Something that a person must act on, told by a note with a mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub about: Subject,
    /// Tells this alert from any other on the same subject: sent once, however often its cause is seen.
    pub key: String,
    /// Who must act. Never empty.
    pub people: BTreeSet<UserName>,
    /// The fact that makes it necessary.
    pub cause: Fact,
}

/// The alert that a fact calls for, unless it went out before.
///
/// `people` are those whom the fact's row of the policy names: the authors of a merge request, or whoever may release.
pub fn alert_for(fact: &Fact, people: &BTreeSet<UserName>, yard: &Yard) -> Option<Alert> {
    if row(fact).note != Note::Mention {
        return None;
    }
    let (about, key) = (fact.subject(), key_of(fact));
    // Whoever ordered it knows.
    let orderer = fact.order().and_then(|order| order.person.as_ref());
    let people: BTreeSet<UserName> = people
        .iter()
        .filter(|person| orderer != Some(person))
        .cloned()
        .collect();
    if people.is_empty() || yard.warned.contains_key(&(about.to_string(), key.clone())) {
        return None;
    }
    Some(Alert {
        about,
        key,
        people,
        cause: fact.clone(),
    })
}

/// What tells one alert about a subject from another one.
fn key_of(fact: &Fact) -> String {
    match fact {
        Fact::ChangeSetRejected { trial, .. } => format!("rejected by trial {trial}"),
        Fact::ChangeSetConflicted { head, .. } => format!("conflict at {head}"),
        Fact::LandedUntested { trial, .. } => format!("untested after trial {trial}"),
        Fact::ChangeSetWithdrawn { head, .. } => format!("withdrawn at {head}"),
        Fact::ChangeSetHeld { order, .. } => format!("held at {}", order.given_at),
        Fact::FeatureRejected { verdict, .. } => format!("rejected by job {}", verdict.job),
        Fact::ReleaseFailed { version, .. } => format!("release of version {version} failed"),
        Fact::VersionWithdrawn { version, .. } => format!("version {version} withdrawn"),
        Fact::FeatureLinked { .. }
        | Fact::FeatureUnlinked { .. }
        | Fact::LinkRefused { .. }
        | Fact::ValidationRequested { .. }
        | Fact::FeatureValidated { .. }
        | Fact::ValidationLapsed { .. }
        | Fact::ChangeSetQueued { .. }
        | Fact::ChangeSetUnheld { .. }
        | Fact::ChangeSetForced { .. }
        | Fact::HotfixAsked { .. }
        | Fact::QueuePaused { .. }
        | Fact::QueueResumed { .. }
        | Fact::LeaseGranted { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseExpired { .. }
        | Fact::LeaseBroken { .. }
        | Fact::EnvironmentStuck { .. }
        | Fact::StateRepaired { .. }
        | Fact::ChangeSetUnqueued { .. }
        | Fact::ChangeSetRebased { .. }
        | Fact::TrialStarted { .. }
        | Fact::TrialValidated { .. }
        | Fact::TrialRejected { .. }
        | Fact::TrialAbandoned { .. }
        | Fact::ChangeSetMerged { .. }
        | Fact::SourceBranchesSettled { .. }
        | Fact::ChangeSetAppended { .. }
        | Fact::VersionOpened { .. }
        | Fact::VersionClosed { .. }
        | Fact::ReleaseTaken { .. }
        | Fact::VersionAnnounced { .. }
        | Fact::VersionDeployed { .. }
        | Fact::VersionReleased { .. }
        | Fact::ContributorWarned { .. }
        | Fact::ChannelOpened { .. }
        | Fact::DeliveryStarted { .. }
        | Fact::DeliverySucceeded { .. }
        | Fact::DeliveryFailed { .. } => fact.name().to_owned(),
    }
}

impl Alert {
    /// The fact that it went out.
    pub fn sent(&self) -> Fact {
        Fact::ContributorWarned {
            about: self.about.clone(),
            alert: self.key.clone(),
            people: self.people.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::ids::{MergeRequestId, TrialId};
    use jiff::Timestamp;

    #[test]
    fn an_author_is_warned_once_of_one_rejection() {
        let project: crate::domain::ids::ProjectPath = "shop/web".parse().unwrap();
        let merge_request = MergeRequestId {
            project: project.clone(),
            iid: 7,
        };
        let authors = BTreeSet::from(["ana".parse().unwrap()]);
        let rejection = |trial| Fact::ChangeSetRejected {
            merge_request: merge_request.clone(),
            head: "a".repeat(40).parse().unwrap(),
            trial: TrialId(trial),
            reason: "red".into(),
            evidence: None,
            failures: Vec::new(),
        };
        let mut yard = Yard::default();
        let alert = alert_for(&rejection(1), &authors, &yard).unwrap();
        yard.apply(&Event::new(
            &project,
            Timestamp::UNIX_EPOCH,
            None,
            None,
            alert.sent(),
        ));
        assert_eq!(alert_for(&rejection(1), &authors, &yard), None);
        assert!(
            alert_for(&rejection(2), &authors, &yard).is_some(),
            "another trial is another matter"
        );
    }
}
