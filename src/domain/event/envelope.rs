//! The envelope of a fact: when, where, by whom, and an id that is the same when a retried job writes it again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Fact;
use crate::domain::ids::{CommitSha, JobId, MessageId, ProjectPath, UserName};

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
            | Self::LandedUntested { trial, .. }
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
    use crate::domain::ids::TrialId;

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
