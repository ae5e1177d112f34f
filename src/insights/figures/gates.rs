//! What a change set meets on its way: people's verdicts, the queue, the trials, and what is rejected there.

use std::collections::BTreeMap;

use super::{Measure, name};
use crate::domain::ids::{MergeRequestId, RoleName};
use crate::insights::flow::Flow;
use crate::insights::stage::Place;
use crate::insights::tracks::TrialEnd;
use crate::insights::{
    Distribution, ExitKind, Period, QueueFigures, Rejection, RejectionKind, RoleFigures,
    RunningTrial, Share, Stage, TrialFigures, Waiting,
};

impl Measure<'_> {
    pub(super) fn queue(&mut self) -> QueueFigures {
        let (flow, period) = (self.flow, self.period);
        let mut totals: BTreeMap<&MergeRequestId, u64> = BTreeMap::new();
        let mut stays = Vec::new();
        for wait in &flow.waits {
            let id = &wait.merge_request;
            let seconds = self
                .ruler
                .seconds("queue wait", name(id), wait.from, wait.to);
            *totals.entry(id).or_default() += seconds.unwrap_or(0);
            stays.extend(seconds.filter(|_| period.holds(wait.to)));
        }
        let landed = totals.iter().filter(|(id, _)| {
            let track = flow.merge_requests.get(*id);
            let landed = track.and_then(|track| track.landed);
            landed.is_some_and(|at| period.holds(at))
        });
        let mut exits: BTreeMap<ExitKind, usize> = BTreeMap::new();
        for (_, kind) in flow.exits.iter().filter(|(at, _)| period.holds(*at)) {
            *exits.entry(*kind).or_default() += 1;
        }
        QueueFigures {
            joined: flow.joined.iter().filter(|at| period.holds(**at)).count(),
            exits: exits.into_iter().collect(),
            wait_in_total: Distribution::of(landed.map(|(_, seconds)| *seconds)),
            wait: Distribution::of(stays),
            waiting: self.waiting(),
        }
    }

    fn waiting(&mut self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (id, track) in &self.flow.merge_requests {
            let Place::Queued(since) = track.standing.place else {
                continue;
            };
            let seconds = self
                .ruler
                .seconds("queue wait so far", name(id), since, self.now);
            waiting.extend(seconds.map(|seconds| Waiting {
                merge_request: id.clone(),
                title: track.title.clone(),
                since,
                seconds,
            }));
        }
        waiting.sort_by_key(|waiting| waiting.since);
        waiting
    }

    pub(super) fn validation(&mut self) -> Vec<RoleFigures> {
        let mut roles: BTreeMap<RoleName, (Vec<u64>, usize)> = BTreeMap::new();
        for given in &self.flow.decided {
            let about = format!("{} by {}", name(&given.merge_request), given.role);
            let seconds = self
                .ruler
                .seconds("validation wait", about, given.from, given.to);
            let waits = &mut roles.entry(given.role.clone()).or_default().0;
            waits.extend(seconds.filter(|_| self.period.holds(given.to)));
        }
        let on_the_way = self.flow.merge_requests.values();
        for track in on_the_way.filter(|track| track.standing.stage() == Stage::Validation) {
            for role in track.standing.asked.keys() {
                roles.entry(role.clone()).or_default().1 += 1;
            }
        }
        let figures = roles
            .into_iter()
            .map(|(role, (waits, awaited))| RoleFigures {
                role,
                wait: Distribution::of(waits),
                awaited,
            });
        figures.collect()
    }

    pub(super) fn trials(&mut self) -> TrialFigures {
        let (mut validated, mut rejected, mut abandoned, mut without_start) = (0, 0, 0, 0);
        let mut durations = Vec::new();
        let mut running = None;
        for (id, trial) in &self.flow.trials {
            let Some((to, end)) = trial.ended else {
                running = trial.started.map(|since| RunningTrial {
                    trial: *id,
                    since,
                    change_sets: trial.change_sets.clone(),
                });
                continue;
            };
            if !self.period.holds(to) {
                continue;
            }
            without_start += usize::from(trial.started.is_none());
            match end {
                TrialEnd::Validated => validated += 1,
                TrialEnd::Rejected => rejected += 1,
                TrialEnd::Abandoned => {
                    abandoned += 1;
                    continue;
                }
            }
            let from = trial.started.into_iter();
            durations.extend(from.filter_map(|from| {
                self.ruler
                    .seconds("trial duration", format!("trial {id}"), from, to)
            }));
        }
        TrialFigures {
            validated,
            rejected,
            abandoned,
            rejected_share: Share::of(rejected, validated + rejected),
            duration: Distribution::of(durations),
            running,
            without_start,
        }
    }
}

/// What was rejected in the period, the most frequent first.
pub(super) fn rejections(flow: &Flow, period: Period) -> Vec<Rejection> {
    let mut counts: BTreeMap<(RejectionKind, &str), usize> = BTreeMap::new();
    for (at, kind, reason) in &flow.rejections {
        if period.holds(*at) {
            *counts.entry((*kind, reason)).or_default() += 1;
        }
    }
    let mut rejections: Vec<Rejection> = counts
        .into_iter()
        .map(|((kind, reason), count)| Rejection {
            kind,
            reason: reason.to_owned(),
            count,
        })
        .collect();
    rejections.sort_by_key(|rejection| std::cmp::Reverse(rejection.count));
    rejections
}
