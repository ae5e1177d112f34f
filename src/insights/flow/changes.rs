//! What each kind of change does to the tracks of merge requests, features, trials and versions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Flow;
use crate::domain::event::{Event, Subject};
use crate::domain::ids::{FeatureId, MergeRequestId, RoleName, TrialId, VersionId};
use crate::domain::linking::LinkKind;
use crate::domain::versioning::Number;
use crate::insights::stage::{Path, Place, Stage, Standing};
use crate::insights::timeline::Step;
use crate::insights::tracks::{
    Decided, FeatureTrack, MergeRequestTrack, TrialEnd, VersionTrack, Wait,
};
use crate::insights::{ExitKind, RejectionKind};

impl Flow {
    pub(super) fn link(
        &mut self,
        id: &MergeRequestId,
        feature: &FeatureId,
        kind: LinkKind,
        at: Timestamp,
    ) {
        self.track(id, at).links.insert(feature.clone(), kind);
        let links = &mut self.feature(feature.clone(), at).links;
        match links.iter_mut().find(|(other, _)| other == id) {
            Some((_, known)) => *known = kind,
            None => links.push((id.clone(), kind)),
        }
    }

    pub(super) fn unlink(&mut self, id: &MergeRequestId, feature: &FeatureId, at: Timestamp) {
        self.track(id, at).links.remove(feature);
        let links = &mut self.feature(feature.clone(), at).links;
        links.retain(|(other, _)| other != id);
    }

    pub(super) fn reject(&mut self, at: Timestamp, kind: RejectionKind, reason: &str) {
        self.rejections.push((at, kind, reason.to_owned()));
    }

    pub(super) fn decide(&mut self, id: &MergeRequestId, role: &RoleName, at: Timestamp) {
        if let Some(from) = self.track(id, at).standing.asked.remove(role) {
            self.decided.push(Decided {
                role: role.clone(),
                merge_request: id.clone(),
                from,
                to: at,
            });
        }
    }

    /// A change set goes from the queue to a trial.
    pub(super) fn take(&mut self, id: &MergeRequestId, trial: TrialId, at: Timestamp) {
        let track = self.track(id, at);
        track.trials.insert(trial);
        let from = match track.standing.place {
            Place::Queued(from) => Some(from),
            Place::Outside | Place::Trial(_) => None,
            Place::Landed | Place::Released => return,
        };
        track.standing.place = Place::Trial(trial);
        self.waits.extend(from.map(|from| Wait {
            merge_request: id.clone(),
            from,
            to: at,
        }));
    }

    pub(super) fn end(
        &mut self,
        id: TrialId,
        at: Timestamp,
        end: TrialEnd,
        concerned: &[MergeRequestId],
    ) {
        let trial = self.trials.entry(id).or_default();
        trial.ended = trial.ended.or(Some((at, end)));
        if end == TrialEnd::Validated {
            return;
        }
        for merge_request in concerned {
            let rejected = self.rejected_by.contains(&(merge_request.clone(), id));
            let standing = &mut self.track(merge_request, at).standing;
            if standing.place == Place::Trial(id) && !rejected {
                standing.place = Place::Queued(at);
            }
        }
    }

    pub(super) fn land(&mut self, id: &MergeRequestId, at: Timestamp) {
        let track = self.track(id, at);
        if track.standing.stage() < Stage::Landed {
            track.standing.place = Place::Landed;
            track.landed = Some(at);
            self.exits.push((at, ExitKind::Landed));
        }
    }

    /// A version is out: what it closes is in production, and so is a feature of which nothing but this release is known.
    pub(super) fn release(
        &mut self,
        version: VersionId,
        at: Timestamp,
        content: &[MergeRequestId],
        named: &[FeatureId],
    ) {
        let mut completed: BTreeSet<FeatureId> = BTreeSet::new();
        for id in content {
            let track = self.track(id, at);
            track.standing.place = Place::Released;
            track.released = Some((version, at));
            let closed = track
                .links
                .iter()
                .filter(|(_, kind)| **kind == LinkKind::Closes);
            completed.extend(closed.map(|(feature, _)| feature.clone()));
        }
        let unknown = named.iter().filter(|id| {
            let track = self.features.get(id);
            track.is_none_or(|track| track.links.is_empty())
        });
        completed.extend(unknown.cloned());
        for id in completed {
            self.feature(id, at).releases.push((version, at));
        }
    }

    /// A version is withdrawn: what it brought is in production no more, and was not released before another version brings it.
    pub(super) fn take_back(
        &mut self,
        version: VersionId,
        at: Timestamp,
        content: &[MergeRequestId],
    ) {
        for id in content {
            let track = self.track(id, at);
            if track.released.is_some_and(|(by, _)| by == version) {
                track.standing.place = Place::Landed;
                track.released = None;
            }
        }
        for track in self.features.values_mut() {
            track.releases.retain(|(by, _)| *by != version);
        }
    }

    /// Puts the event on a feature's timeline and the feature where it stands now.
    pub(super) fn note(&mut self, id: &FeatureId, event: &Event, concerned: &[MergeRequestId]) {
        let Some(track) = self.features.get_mut(id) else {
            return;
        };
        let stage = stage_of(track, &self.merge_requests);
        track.path.enter(stage, event.at);
        let subject = match (event.fact.subject(), concerned) {
            (Subject::MergeRequest(id), _) => Some(id),
            (
                Subject::Trial(_)
                | Subject::Version(_)
                | Subject::Environment
                | Subject::Channel(_),
                [only],
            ) => Some(only.clone()),
            (
                Subject::Trial(_)
                | Subject::Version(_)
                | Subject::Environment
                | Subject::Channel(_),
                _,
            ) => None,
        };
        track.timeline.push(Step::of(event, subject.as_ref()));
    }

    pub(super) fn features_of(&self, ids: &[MergeRequestId]) -> Vec<FeatureId> {
        let tracks = ids.iter().filter_map(|id| self.merge_requests.get(id));
        tracks
            .flat_map(|track| track.links.keys().cloned())
            .collect()
    }

    pub(super) fn track(&mut self, id: &MergeRequestId, at: Timestamp) -> &mut MergeRequestTrack {
        self.merge_requests
            .entry(id.clone())
            .or_insert_with(|| MergeRequestTrack {
                first_known: at,
                title: None,
                links: BTreeMap::new(),
                standing: Standing::default(),
                path: Path::default(),
                trials: BTreeSet::new(),
                landed: None,
                released: None,
            })
    }

    pub(super) fn feature(&mut self, id: FeatureId, at: Timestamp) -> &mut FeatureTrack {
        self.features.entry(id).or_insert_with(|| FeatureTrack {
            first_known: at,
            links: Vec::new(),
            path: Path::default(),
            releases: Vec::new(),
            timeline: Vec::new(),
        })
    }

    /// A version runs in production that was there before: whatever was withdrawn is gone.
    pub(super) fn recovered(&mut self, at: Timestamp) {
        let withdrawn = self.versions.values_mut();
        for track in withdrawn.filter(|track| track.withdrawn.is_some()) {
            track.recovered.get_or_insert(at);
        }
    }

    pub(super) fn version(&mut self, id: VersionId, number: &Number) -> &mut VersionTrack {
        let track = self.versions.entry(id).or_default();
        track.number = Some(number.clone());
        track
    }
}

fn stage_of(
    feature: &FeatureTrack,
    merge_requests: &BTreeMap<MergeRequestId, MergeRequestTrack>,
) -> Stage {
    let stages = |wanted: LinkKind| {
        let links = feature.links.iter();
        links
            .filter(move |(_, kind)| *kind == wanted)
            .filter_map(|(id, _)| merge_requests.get(id))
            .map(|track| track.standing.stage())
    };
    // The latest closing merge request that is not out yet decides: an earlier one was given up.
    if let Some(stage) = stages(LinkKind::Closes).rfind(|stage| *stage != Stage::Released) {
        return stage;
    }
    if !feature.releases.is_empty() {
        return Stage::Released;
    }
    stages(LinkKind::Contributes)
        .filter(|stage| *stage < Stage::Landed)
        .min()
        .unwrap_or(Stage::Development)
}
