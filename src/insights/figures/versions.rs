//! What each version brings, and how long it took to get there.

use std::collections::{BTreeMap, BTreeSet};

use super::Measure;
use crate::domain::ids::{FeatureId, MergeRequestId, VersionId};
use crate::domain::linking::LinkKind;
use crate::domain::versioning::Number;
use crate::insights::stage::Place;
use crate::insights::tracks::VersionTrack;
use crate::insights::{Distribution, VersionFigures, VersionState};

impl Measure<'_> {
    pub(super) fn versions(&mut self) -> Vec<VersionFigures> {
        let flow = self.flow;
        let on_its_way = |track: &&VersionTrack| track.released.is_none() && track.failed.is_none();
        let frozen: BTreeSet<&MergeRequestId> = flow
            .versions
            .values()
            .filter(on_its_way)
            .flat_map(|track| &track.content)
            .collect();
        let open: Vec<MergeRequestId> = flow
            .merge_requests
            .iter()
            .filter(|(id, track)| track.standing.place == Place::Landed && !frozen.contains(id))
            .map(|(id, _)| id.clone())
            .collect();
        let mut versions = Vec::new();
        if !open.is_empty() {
            versions.push(self.version(None, &VersionTrack::default(), &open));
        }
        for (id, track) in flow.versions.iter().rev() {
            let version = self.version(Some(*id), track, &track.content);
            let ended = match version.state {
                VersionState::Open | VersionState::Closing => None,
                VersionState::Released | VersionState::Failed | VersionState::Withdrawn => {
                    version.at
                }
            };
            if ended.is_none_or(|at| self.period.holds(at)) {
                versions.push(version);
            }
        }
        versions
    }

    fn version(
        &mut self,
        id: Option<VersionId>,
        track: &VersionTrack,
        content: &[MergeRequestId],
    ) -> VersionFigures {
        let (state, at) = match (track.released, &track.failed, track.closed) {
            (Some(_), ..) if let Some((at, _)) = &track.withdrawn => {
                (VersionState::Withdrawn, Some(*at))
            }
            (Some(at), ..) => (VersionState::Released, Some(at)),
            (None, Some((at, _)), _) => (VersionState::Failed, Some(*at)),
            (None, None, Some(at)) => (VersionState::Closing, Some(at)),
            (None, None, None) => (VersionState::Open, None),
        };
        let mut features: BTreeMap<FeatureId, LinkKind> = BTreeMap::new();
        let mut lead_times = Vec::new();
        for merge_request in content {
            let Some(track) = self.flow.merge_requests.get(merge_request) else {
                continue;
            };
            for (feature, kind) in &track.links {
                let strongest = features.entry(feature.clone()).or_insert(*kind);
                *strongest = (*strongest).max(*kind);
            }
            if state == VersionState::Released {
                lead_times.extend(self.lead_time(merge_request, track));
            }
        }
        let of_kind = |wanted: LinkKind| {
            let features = features.iter();
            let wanted = features.filter(move |(_, kind)| **kind == wanted);
            wanted.map(|(id, _)| id.clone()).collect()
        };
        VersionFigures {
            version: id,
            number: track.number.as_ref().map(Number::tag),
            state,
            at,
            change_sets: content.len(),
            completes: of_kind(LinkKind::Closes),
            contributes_to: of_kind(LinkKind::Contributes),
            lead_time: Distribution::of(lead_times),
            failure: track
                .withdrawn
                .as_ref()
                .or(track.failed.as_ref())
                .map(|(_, reason)| reason.clone()),
            recovered_after_seconds: track.withdrawn.as_ref().and_then(|(from, _)| {
                let after = track.recovered?.duration_since(*from);
                u64::try_from(after.as_secs()).ok()
            }),
        }
    }
}
