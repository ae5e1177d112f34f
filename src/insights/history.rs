//! Events of any order, twice or once, as the one history they tell: by time, and never an effect before its cause.
//!
//! Runners' clocks disagree by seconds. An event is moved behind what made it possible, but keeps its own time, so that a
//! duration which comes out negative is seen and left out instead of being invented.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::event::{Event, Fact};
use crate::domain::ids::{CommitSha, MergeRequestId, VersionId};

/// The steps of a trial that follow one another: granted, unqueued, started, ended, consequences, released.
const TRIAL_STEPS: usize = 6;

/// Events in order.
#[derive(Debug)]
pub(super) struct History<'a> {
    pub(super) events: Vec<&'a Event>,
    /// How many were there again.
    pub(super) duplicates: usize,
}

impl<'a> History<'a> {
    /// Orders events. Of several with one id the earliest counts: the others are retries of the same job.
    pub(super) fn of(events: &'a [Event]) -> Self {
        let mut known: BTreeMap<&str, &Event> = BTreeMap::new();
        for event in events {
            let first = known.entry(&event.id).or_insert(event);
            if (event.at, event.job) < (first.at, first.job) {
                *first = event;
            }
        }
        let causes = Causes::of(known.values().copied());
        let mut ordered: Vec<&Event> = known.into_values().collect();
        ordered.sort_by_cached_key(|event| {
            let place = Place::of(&event.fact);
            (causes.not_before(event), place, event.at, event.id.clone())
        });
        Self {
            duplicates: events.len() - ordered.len(),
            events: ordered,
        }
    }
}

/// Where a fact stands among facts of the same instant: what ends before what begins, trial by trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    layer: u8,
    trial: u64,
    step: u8,
}

impl Place {
    fn of(fact: &Fact) -> Self {
        let (layer, trial, step) = match fact {
            Fact::FeatureUnlinked { .. } => (0, 0, 0),
            Fact::ValidationLapsed { .. } => (0, 0, 1),
            Fact::FeatureLinked { .. } => (0, 0, 2),
            Fact::LinkRefused { .. } => (0, 0, 3),
            Fact::ValidationRequested { .. } => (0, 0, 4),
            Fact::FeatureValidated { .. } | Fact::FeatureRejected { .. } => (0, 0, 5),
            Fact::ChangeSetWithdrawn { .. } => (0, 0, 6),
            Fact::ChangeSetHeld { .. }
            | Fact::ChangeSetUnheld { .. }
            | Fact::ChangeSetForced { .. }
            | Fact::QueuePaused { .. }
            | Fact::HotfixAsked { .. }
            | Fact::QueueResumed { .. } => (0, 0, 9),
            Fact::ChangeSetQueued { .. } => (0, 0, 7),
            Fact::ChangeSetRebased { .. } => (0, 0, 8),
            Fact::LeaseGranted { epoch, .. } => (1, epoch.0, 0),
            Fact::ChangeSetUnqueued { trial, .. } => (1, trial.0, 1),
            Fact::TrialStarted { trial, .. } => (1, trial.0, 2),
            Fact::TrialValidated { trial }
            | Fact::TrialRejected { trial, .. }
            | Fact::TrialAbandoned { trial, .. } => (1, trial.0, 3),
            Fact::ChangeSetRejected { trial, .. } => (1, trial.0, 4),
            Fact::ChangeSetMerged { trial, .. } | Fact::LandedUntested { trial, .. } => {
                (1, trial.0, 5)
            }
            Fact::ChangeSetAppended { appended, .. } => (1, appended.trial.0, 6),
            Fact::LeaseReleased { epoch }
            | Fact::LeaseExpired { epoch, .. }
            | Fact::LeaseBroken { epoch, .. } => (1, epoch.0, 7),
            Fact::ChangeSetConflicted { .. } => (2, 0, 0),
            Fact::VersionClosed { .. } => (3, 0, 0),
            Fact::VersionOpened { .. } => (3, 0, 1),
            Fact::ReleaseTaken { .. } | Fact::VersionDeployed { .. } => (3, 0, 2),
            Fact::VersionReleased { .. }
            | Fact::ReleaseFailed { .. }
            | Fact::VersionWithdrawn { .. }
            | Fact::VersionAnnounced { .. } => (3, 0, 3),
            Fact::ContributorWarned { .. }
            | Fact::EnvironmentStuck { .. }
            | Fact::StateRepaired { .. }
            | Fact::SourceBranchesSettled { .. }
            | Fact::ChannelOpened { .. }
            | Fact::DeliveryStarted { .. }
            | Fact::DeliverySucceeded { .. }
            | Fact::DeliveryFailed { .. } => (4, 0, 0),
        };
        Self { layer, trial, step }
    }

    /// Its step among the steps of a trial, if it is one.
    fn trial_step(self) -> Option<usize> {
        (self.layer == 1).then_some(match self.step {
            step @ 0..=3 => usize::from(step),
            4..=6 => 4,
            7.. => TRIAL_STEPS - 1,
        })
    }
}

/// When things that others depend on had happened.
#[derive(Debug, Default)]
struct Causes<'a> {
    queued: BTreeMap<(&'a MergeRequestId, &'a CommitSha), Timestamp>,
    trials: BTreeMap<u64, [Option<Timestamp>; TRIAL_STEPS]>,
    appended: BTreeMap<&'a MergeRequestId, Timestamp>,
    versions: BTreeMap<VersionId, Timestamp>,
}

impl<'a> Causes<'a> {
    fn of(events: impl Iterator<Item = &'a Event> + Clone) -> Self {
        let mut causes = Self::default();
        // Each pass rests on the one before it: queue, trials, landings, versions.
        for event in events.clone() {
            if let Fact::ChangeSetQueued { change_set } = &event.fact {
                let first = causes
                    .queued
                    .entry((&change_set.merge_request, &change_set.head))
                    .or_insert(event.at);
                *first = event.at.min(*first);
            }
        }
        for event in events.clone() {
            let place = Place::of(&event.fact);
            if let Some(step) = place.trial_step() {
                let at = causes.queued_before(event).max(event.at);
                let last = &mut causes.trials.entry(place.trial).or_default()[step];
                *last = (*last).max(Some(at));
            }
        }
        for event in events.clone() {
            if let Fact::ChangeSetAppended { appended, .. } = &event.fact {
                let at = causes.not_before(event);
                let merge_request = &appended.change_set.merge_request;
                let first = causes.appended.entry(merge_request).or_insert(at);
                *first = at.min(*first);
            }
        }
        for event in events {
            if let Fact::VersionClosed { version, .. } = &event.fact {
                let at = causes.not_before(event);
                let first = causes.versions.entry(*version).or_insert(at);
                *first = at.min(*first);
            }
        }
        causes
    }

    /// The event's own time, or that of the last thing without which it could not have happened.
    fn not_before(&self, event: &Event) -> Timestamp {
        let place = Place::of(&event.fact);
        let in_trial = place.trial_step().and_then(|step| {
            let steps = self.trials.get(&place.trial)?;
            steps[..step].iter().flatten().max().copied()
        });
        let in_version = match &event.fact {
            Fact::VersionClosed { content, .. } => content
                .iter()
                .filter_map(|id| self.appended.get(id))
                .max()
                .copied(),
            Fact::ReleaseTaken { version, .. }
            | Fact::VersionAnnounced { version, .. }
            | Fact::VersionDeployed { version, .. }
            | Fact::VersionReleased { version, .. }
            | Fact::VersionWithdrawn { version, .. }
            | Fact::ReleaseFailed { version, .. } => self.versions.get(version).copied(),
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
            | Fact::ChangeSetConflicted { .. }
            | Fact::TrialStarted { .. }
            | Fact::TrialValidated { .. }
            | Fact::TrialRejected { .. }
            | Fact::TrialAbandoned { .. }
            | Fact::ChangeSetRejected { .. }
            | Fact::ChangeSetMerged { .. }
            | Fact::LandedUntested { .. }
            | Fact::SourceBranchesSettled { .. }
            | Fact::ChangeSetAppended { .. }
            | Fact::VersionOpened { .. }
            | Fact::ContributorWarned { .. }
            | Fact::ChannelOpened { .. }
            | Fact::DeliveryStarted { .. }
            | Fact::DeliverySucceeded { .. }
            | Fact::DeliveryFailed { .. } => None,
        };
        let causes = [in_trial, in_version].into_iter().flatten();
        causes.fold(self.queued_before(event).max(event.at), Timestamp::max)
    }

    /// When the change set that an event takes out of the queue had first joined it.
    fn queued_before(&self, event: &Event) -> Timestamp {
        let Fact::ChangeSetUnqueued {
            merge_request,
            head,
            ..
        } = &event.fact
        else {
            return event.at;
        };
        let joined = self.queued.get(&(merge_request, head));
        joined.copied().unwrap_or(event.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::story::{Story, mr};

    fn facts(story: &Story) -> Vec<&'static str> {
        let history = History::of(&story.events);
        history
            .events
            .iter()
            .map(|event| event.fact.name())
            .collect()
    }

    #[test]
    fn at_one_instant_what_ends_goes_before_what_begins() {
        let mut story = Story::default();
        let withdrawn = Fact::ChangeSetWithdrawn {
            merge_request: mr(7),
            head: "a".repeat(40).parse().unwrap(),
            reason: "replaced by newer commits".into(),
            order: None,
        };
        story
            .tried(5, 2, &[8])
            .queued(5, 7, &[])
            .add(5, withdrawn)
            .abandoned(5, 1);
        assert_eq!(
            facts(&story),
            [
                "ChangeSetWithdrawn",
                "ChangeSetQueued",
                "TrialAbandoned",
                "LeaseReleased",
                "LeaseGranted",
                "ChangeSetUnqueued",
                "TrialStarted",
            ]
        );
    }

    #[test]
    fn no_effect_comes_before_its_cause_whatever_the_clocks_say() {
        let mut story = Story::default();
        story
            .released(1, 1, &[])
            .closed(2, 1, &[7])
            .passed(3, 1, 1, &[(7, &[])])
            .tried(4, 1, &[7])
            .queued(5, 7, &[]);
        assert_eq!(
            facts(&story),
            [
                "VersionOpened",
                "LeaseGranted",
                "ChangeSetQueued",
                "ChangeSetUnqueued",
                "TrialStarted",
                "TrialValidated",
                "ChangeSetMerged",
                "ChangeSetAppended",
                "LeaseReleased",
                "VersionClosed",
                "VersionReleased",
            ]
        );
    }

    #[test]
    fn of_two_events_with_one_id_the_earlier_counts() {
        let mut story = Story::default();
        story
            .abandoned(9, 1)
            .passed(8, 2, 1, &[])
            .passed(6, 2, 1, &[]);
        let history = History::of(&story.events);
        assert_eq!(history.duplicates, 2);
        assert_eq!(history.events[0].at, crate::insights::story::minute(6));
    }
}
