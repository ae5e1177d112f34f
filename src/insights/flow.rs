//! Replays a history once and keeps, for every merge request, feature, trial and version, what happened to it when.
//!
//! A feature stands where its closing merge request stands; while it has none, where the least advanced of its contributing
//! ones stands, and once those have landed it is in development again.

mod changes;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::history::History;
use super::stage::{Place, Stage};
use super::tracks::{
    Decided, FeatureTrack, MergeRequestTrack, TrialEnd, TrialTrack, VersionTrack, Wait,
};
use super::{ExitKind, RejectionKind};
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{FeatureId, MergeRequestId, TrialId, VersionId};

/// Everything that a history says.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) merge_requests: BTreeMap<MergeRequestId, MergeRequestTrack>,
    pub(super) features: BTreeMap<FeatureId, FeatureTrack>,
    pub(super) trials: BTreeMap<TrialId, TrialTrack>,
    pub(super) versions: BTreeMap<VersionId, VersionTrack>,
    pub(super) joined: Vec<Timestamp>,
    pub(super) waits: Vec<Wait>,
    pub(super) exits: Vec<(Timestamp, ExitKind)>,
    pub(super) decided: Vec<Decided>,
    pub(super) rejections: Vec<(Timestamp, RejectionKind, String)>,
    /// Change sets that a trial rejected, known in advance: they do not go back to the queue when that trial ends.
    rejected_by: BTreeSet<(MergeRequestId, TrialId)>,
}

impl Flow {
    pub(super) fn of(history: &History<'_>) -> Self {
        let mut flow = Self::default();
        for event in &history.events {
            if let Fact::ChangeSetRejected {
                merge_request,
                trial,
                ..
            } = &event.fact
            {
                flow.rejected_by.insert((merge_request.clone(), *trial));
            }
        }
        for event in &history.events {
            flow.apply(event);
        }
        flow
    }

    fn apply(&mut self, event: &Event) {
        let concerned = self.concerned(&event.fact);
        for id in &concerned {
            self.track(id, event.at);
        }
        for feature in event.fact.features() {
            self.feature(feature, event.at);
        }
        // Links that end still concern the feature: it is asked for before and after.
        let mut features: BTreeSet<FeatureId> = event.fact.features().into_iter().collect();
        features.extend(self.features_of(&concerned));
        self.change(event, &concerned);
        features.extend(self.features_of(&concerned));
        for id in &concerned {
            if let Some(track) = self.merge_requests.get_mut(id) {
                track.path.enter(track.standing.stage(), event.at);
            }
        }
        for id in features {
            self.note(&id, event, &concerned);
        }
    }

    /// The merge requests that a fact is about.
    fn concerned(&self, fact: &Fact) -> Vec<MergeRequestId> {
        let of_trial = |id| self.trials.get(id).map(|trial| trial.change_sets.clone());
        let of_version = |id| self.versions.get(id).map(|version| version.content.clone());
        match fact {
            Fact::TrialStarted { change_sets, .. } => change_sets.clone(),
            Fact::TrialValidated { trial }
            | Fact::TrialRejected { trial, .. }
            | Fact::TrialAbandoned { trial, .. } => of_trial(trial).unwrap_or_default(),
            Fact::VersionClosed { content, .. } => content.clone(),
            Fact::ReleaseTaken { version, .. }
            | Fact::VersionAnnounced { version, .. }
            | Fact::VersionDeployed { version, .. }
            | Fact::VersionReleased { version, .. }
            | Fact::VersionWithdrawn { version, .. }
            | Fact::ReleaseFailed { version, .. } => of_version(version).unwrap_or_default(),
            Fact::LeaseGranted { .. }
            | Fact::LeaseReleased { .. }
            | Fact::LeaseExpired { .. }
            | Fact::LeaseBroken { .. }
            | Fact::EnvironmentStuck { .. }
            | Fact::StateRepaired { .. }
            | Fact::SourceBranchesSettled { .. }
            | Fact::VersionOpened { .. }
            | Fact::QueuePaused { .. }
            | Fact::QueueResumed { .. }
            | Fact::ChannelOpened { .. }
            | Fact::DeliveryStarted { .. }
            | Fact::DeliverySucceeded { .. }
            | Fact::DeliveryFailed { .. } => Vec::new(),
            Fact::FeatureLinked { .. }
            | Fact::FeatureUnlinked { .. }
            | Fact::LinkRefused { .. }
            | Fact::ValidationRequested { .. }
            | Fact::FeatureValidated { .. }
            | Fact::FeatureRejected { .. }
            | Fact::ValidationLapsed { .. }
            | Fact::ChangeSetQueued { .. }
            | Fact::ChangeSetWithdrawn { .. }
            | Fact::ChangeSetHeld { .. }
            | Fact::ChangeSetUnheld { .. }
            | Fact::ChangeSetForced { .. }
            | Fact::HotfixAsked { .. }
            | Fact::ChangeSetUnqueued { .. }
            | Fact::ChangeSetRebased { .. }
            | Fact::ChangeSetConflicted { .. }
            | Fact::ChangeSetRejected { .. }
            | Fact::ChangeSetMerged { .. }
            | Fact::LandedUntested { .. }
            | Fact::ChangeSetAppended { .. }
            | Fact::ContributorWarned { .. } => match fact.subject() {
                Subject::MergeRequest(id) => vec![id],
                Subject::Trial(id) => of_trial(&id).unwrap_or_default(),
                Subject::Version(id) => of_version(&id).unwrap_or_default(),
                Subject::Environment | Subject::Channel(_) => Vec::new(),
            },
        }
    }

    /// What the event changes in the tracks; where they stand afterwards is derived in `apply`.
    fn change(&mut self, event: &Event, concerned: &[MergeRequestId]) {
        let at = event.at;
        match &event.fact {
            Fact::FeatureLinked {
                merge_request,
                feature,
                kind,
                ..
            } => self.link(merge_request, feature, *kind, at),
            Fact::FeatureUnlinked {
                merge_request,
                feature,
                ..
            } => self.unlink(merge_request, feature, at),
            Fact::LinkRefused { reasons, .. } => {
                for reason in reasons {
                    self.reject(at, RejectionKind::Links, reason);
                }
            }
            Fact::ValidationRequested {
                merge_request,
                roles,
                ..
            } => {
                let standing = &mut self.track(merge_request, at).standing;
                standing.validated = false;
                for role in roles {
                    standing.asked.entry(role.clone()).or_insert(at);
                }
            }
            Fact::FeatureValidated {
                merge_request,
                verdict,
                ..
            } => {
                self.decide(merge_request, &verdict.role, at);
                let standing = &mut self.track(merge_request, at).standing;
                standing.validated = standing.asked.is_empty();
            }
            Fact::FeatureRejected {
                merge_request,
                verdict,
                reason,
                ..
            } => {
                self.decide(merge_request, &verdict.role, at);
                self.track(merge_request, at).send_back();
                let reason = reason.as_deref().unwrap_or("no reason given");
                self.reject(at, RejectionKind::Validation, reason);
            }
            Fact::ValidationLapsed {
                merge_request,
                verdict,
                ..
            } => {
                let standing = &mut self.track(merge_request, at).standing;
                standing.validated = false;
                standing.asked.entry(verdict.role.clone()).or_insert(at);
            }
            Fact::ChangeSetQueued { change_set } => {
                for link in &change_set.links {
                    self.link(&change_set.merge_request, &link.feature, link.kind, at);
                }
                let track = self.track(&change_set.merge_request, at);
                track.title = Some(change_set.title.clone());
                track.standing.asked.clear();
                track.standing.validated = true;
                // The same content on another head takes the place of its ticket: it joined before.
                let joins = track.standing.stage() < Stage::Queued;
                if joins {
                    track.standing.place = Place::Queued(at);
                }
                self.joined.extend(joins.then_some(at));
            }
            Fact::ChangeSetWithdrawn { merge_request, .. } => {
                let track = self.track(merge_request, at);
                if track.standing.stage() < Stage::Landed {
                    track.standing.place = Place::Outside;
                }
                self.exits.push((at, ExitKind::Withdrawn));
            }
            Fact::ChangeSetConflicted { merge_request, .. } => {
                self.track(merge_request, at).send_back();
                self.exits.push((at, ExitKind::Conflicted));
                self.reject(at, RejectionKind::Conflict, "does not apply on the target");
            }
            Fact::ChangeSetUnqueued {
                merge_request,
                trial,
                ..
            } => self.take(merge_request, *trial, at),
            Fact::TrialStarted {
                trial, change_sets, ..
            } => {
                for id in change_sets {
                    self.take(id, *trial, at);
                }
                let track = self.trials.entry(*trial).or_default();
                track.started = track.started.or(Some(at));
                track.change_sets.clone_from(change_sets);
            }
            Fact::TrialValidated { trial } => self.end(*trial, at, TrialEnd::Validated, concerned),
            Fact::TrialRejected { trial, .. } => {
                self.end(*trial, at, TrialEnd::Rejected, concerned);
            }
            Fact::TrialAbandoned { trial, .. } => {
                self.end(*trial, at, TrialEnd::Abandoned, concerned);
            }
            Fact::ChangeSetRejected {
                merge_request,
                reason,
                ..
            } => {
                self.track(merge_request, at).send_back();
                self.exits.push((at, ExitKind::Rejected));
                self.reject(at, RejectionKind::Trial, reason);
            }
            Fact::ChangeSetMerged { merge_request, .. } => self.land(merge_request, at),
            Fact::ChangeSetAppended { appended, .. } => {
                let change_set = &appended.change_set;
                for link in &change_set.links {
                    self.link(&change_set.merge_request, &link.feature, link.kind, at);
                }
                self.land(&change_set.merge_request, at);
                self.track(&change_set.merge_request, at).title = Some(change_set.title.clone());
            }
            Fact::VersionClosed {
                version,
                number,
                content,
                ..
            } => {
                let track = self.version(*version, number);
                track.closed = Some(at);
                track.content.clone_from(content);
            }
            Fact::VersionDeployed {
                version, number, ..
            } => {
                // Deployed again after it was out: production is back where it was.
                if self.version(*version, number).released.is_some() {
                    self.recovered(at);
                } else {
                    self.version(*version, number).deployed = Some(at);
                }
            }
            Fact::VersionWithdrawn {
                version,
                number,
                reason,
                ..
            } => {
                self.version(*version, number).withdrawn = Some((at, reason.clone()));
                self.take_back(*version, at, concerned);
            }
            Fact::VersionReleased {
                version,
                number,
                features,
                ..
            } => {
                self.version(*version, number).released = Some(at);
                self.release(*version, at, concerned, features);
            }
            Fact::ReleaseFailed {
                version,
                number,
                reason,
                ..
            } => self.version(*version, number).failed = Some((at, reason.clone())),
            Fact::LeaseGranted { .. }
            | Fact::LeaseReleased { .. }
            | Fact::LeaseExpired { .. }
            | Fact::LeaseBroken { .. }
            | Fact::EnvironmentStuck { .. }
            | Fact::StateRepaired { .. }
            | Fact::LandedUntested { .. }
            | Fact::SourceBranchesSettled { .. }
            | Fact::ChangeSetRebased { .. }
            | Fact::VersionOpened { .. }
            | Fact::ReleaseTaken { .. }
            | Fact::VersionAnnounced { .. }
            | Fact::ChangeSetHeld { .. }
            | Fact::ChangeSetUnheld { .. }
            | Fact::ChangeSetForced { .. }
            | Fact::HotfixAsked { .. }
            | Fact::QueuePaused { .. }
            | Fact::QueueResumed { .. }
            | Fact::ContributorWarned { .. }
            | Fact::ChannelOpened { .. }
            | Fact::DeliveryStarted { .. }
            | Fact::DeliverySucceeded { .. }
            | Fact::DeliveryFailed { .. } => {}
        }
    }
}
