//! From the replayed history to the figures of a period: features and change sets here, the rest in the files below.

mod gates;
mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::flow::Flow;
use super::history::History;
use super::numbers::{Ruler, seconds_between};
use super::tracks::{FeatureTrack, MergeRequestTrack};
use super::{
    ChangeSetFlow, Distribution, FeatureFlow, Freshness, Insights, LinkedMergeRequest, Period,
    Release, Stage, StageFigures, StageTime, Visit,
};
use crate::domain::event::Event;
use crate::domain::ids::{FeatureId, MergeRequestId, VersionId};
use crate::domain::versioning::Number;

const FORMAT: u32 = 1;

pub(super) fn of(events: &[Event], now: Timestamp, period: Period) -> Insights {
    let mut history = History::of(events);
    let freshness = freshness(&history, period);
    // A period of the past is told as it stood at its end.
    history.events.retain(|event| event.at <= period.to);
    let flow = Flow::of(&history);
    let mut measure = Measure {
        flow: &flow,
        now: now.min(period.to),
        period,
        ruler: Ruler::default(),
    };
    let features = measure.features();
    let change_sets = measure.change_sets();
    let queue = measure.queue();
    let validation = measure.validation();
    let trials = measure.trials();
    let versions = measure.versions();
    let in_period = |release: &Option<Release>| {
        let release = release.as_ref();
        release.is_some_and(|release| period.holds(release.at))
    };
    let released = features.iter().filter(|f| in_period(&f.released));
    let out = change_sets.iter().filter(|c| in_period(&c.released));
    let mut excluded = measure.ruler.excluded;
    excluded.sort();
    excluded.dedup();
    Insights {
        format: FORMAT,
        period,
        now,
        events: freshness,
        feature_lead_time: Distribution::of(released.clone().filter_map(|f| f.lead_seconds)),
        stages: stages(released),
        change_set_lead_time: Distribution::of(out.filter_map(|c| c.lead_seconds)),
        features,
        change_sets,
        queue,
        validation,
        trials,
        rejections: gates::rejections(&flow, period),
        versions,
        excluded,
    }
}

/// A replayed history, looked at from one instant over one period.
struct Measure<'a> {
    flow: &'a Flow,
    now: Timestamp,
    period: Period,
    ruler: Ruler,
}

impl Measure<'_> {
    fn features(&mut self) -> Vec<FeatureFlow> {
        let flow = self.flow;
        let mut features: Vec<FeatureFlow> = flow
            .features
            .iter()
            .filter_map(|(id, track)| {
                let shown = self.shows(&track.path.visits);
                shown.then(|| self.feature(id, track)).flatten()
            })
            .collect();
        features.sort_by_key(|feature| (feature.first_known, feature.feature.clone()));
        features
    }

    /// Whether something was on its way in the period, or reached its end in it.
    fn shows(&self, visits: &[Visit]) -> bool {
        let Some(last) = visits.last() else {
            return false;
        };
        let started = visits.first().is_some_and(|v| v.from <= self.period.to);
        let lasted = match last.stage {
            Stage::Released => self.period.from.is_none_or(|from| from < last.from),
            Stage::Development
            | Stage::Validation
            | Stage::Validated
            | Stage::Queued
            | Stage::Trial
            | Stage::Landed => true,
        };
        started && lasted
    }

    fn feature(&mut self, id: &FeatureId, track: &FeatureTrack) -> Option<FeatureFlow> {
        let (stage, since) = track.path.now()?;
        let released = track.releases.first().map(|first| self.release(*first));
        let lead_seconds = released.as_ref().and_then(|release| {
            let (from, to) = (track.first_known, release.at);
            self.ruler.seconds("feature lead time", id, from, to)
        });
        let links = track.links.iter();
        Some(FeatureFlow {
            feature: id.clone(),
            stage,
            since,
            first_known: track.first_known,
            released,
            lead_seconds,
            merge_requests: links
                .map(|(merge_request, kind)| LinkedMergeRequest {
                    merge_request: merge_request.clone(),
                    kind: *kind,
                })
                .collect(),
            stages: by_stage(&track.path.visits, |from, to| {
                self.ruler.seconds("stage time", id, from, to)
            }),
            visits: track.path.visits.clone(),
            timeline: track.timeline.clone(),
        })
    }

    fn change_sets(&mut self) -> Vec<ChangeSetFlow> {
        let mut waits: BTreeMap<&MergeRequestId, Vec<u64>> = BTreeMap::new();
        for wait in &self.flow.waits {
            let id = &wait.merge_request;
            let seconds = self
                .ruler
                .seconds("queue wait", name(id), wait.from, wait.to);
            waits.entry(id).or_default().extend(seconds);
        }
        let mut change_sets = Vec::new();
        for (id, track) in &self.flow.merge_requests {
            let Some((stage, _)) = track.path.now() else {
                continue;
            };
            if !self.shows(&track.path.visits) {
                continue;
            }
            let released = track.released.map(|release| self.release(release));
            let waits = waits.remove(id).unwrap_or_default();
            change_sets.push(ChangeSetFlow {
                merge_request: id.clone(),
                title: track.title.clone(),
                stage,
                first_known: track.first_known,
                waited_seconds: waits.iter().sum(),
                waits,
                trials: track.trials.len(),
                landed: track.landed,
                lead_seconds: self.lead_time(id, track),
                released,
            });
        }
        change_sets.sort_by_key(|set| (set.first_known, set.merge_request.clone()));
        change_sets
    }

    fn lead_time(&mut self, id: &MergeRequestId, track: &MergeRequestTrack) -> Option<u64> {
        let (_, to) = track.released?;
        self.ruler
            .seconds("change set lead time", name(id), track.first_known, to)
    }

    fn release(&self, (version, at): (VersionId, Timestamp)) -> Release {
        let track = self.flow.versions.get(&version);
        let number = track.and_then(|track| track.number.as_ref());
        Release {
            version,
            number: number.map(Number::tag),
            at,
        }
    }
}

fn freshness(history: &History<'_>, period: Period) -> Freshness {
    let times = history.events.iter().map(|event| event.at);
    Freshness {
        read: history.events.len(),
        duplicates: history.duplicates,
        later: times.clone().filter(|at| *at > period.to).count(),
        first: times.clone().min(),
        last: times.max(),
    }
}

/// Time by stage up to the first release: what a feature does after it is in production belongs to no lead time.
fn stages<'a>(released: impl Iterator<Item = &'a FeatureFlow>) -> Vec<StageFigures> {
    let mut of_features: BTreeMap<Stage, Vec<StageTime>> = BTreeMap::new();
    for feature in released {
        let Some(out) = feature.released.as_ref().map(|release| release.at) else {
            continue;
        };
        let until_then = |from, to| seconds_between(from, to).filter(|_| to <= out);
        for time in by_stage(&feature.visits, until_then) {
            of_features.entry(time.stage).or_default().push(time);
        }
    }
    let on_the_way = Stage::ON_THE_WAY.into_iter();
    on_the_way
        .map(|stage| {
            let times = of_features.remove(&stage).unwrap_or_default();
            StageFigures {
                stage,
                waits: stage.waits(),
                visits: times.iter().map(|time| time.visits).sum(),
                seconds: times.iter().map(|time| time.seconds).sum(),
                per_feature: Distribution::of(times.iter().map(|time| time.seconds)),
            }
        })
        .collect()
}

/// The visits that are over, summed up by stage, as far as they could be measured.
fn by_stage(
    visits: &[Visit],
    mut measure: impl FnMut(Timestamp, Timestamp) -> Option<u64>,
) -> Vec<StageTime> {
    let mut times: BTreeMap<Stage, StageTime> = BTreeMap::new();
    for visit in visits {
        let Some(seconds) = visit.to.and_then(|to| measure(visit.from, to)) else {
            continue;
        };
        let time = times.entry(visit.stage).or_insert(StageTime {
            stage: visit.stage,
            visits: 0,
            seconds: 0,
        });
        time.visits += 1;
        time.seconds += seconds;
    }
    times.into_values().collect()
}

/// A merge request's full name, as subjects of events have it.
fn name(id: &MergeRequestId) -> String {
    format!("{}!{}", id.project, id.iid)
}
