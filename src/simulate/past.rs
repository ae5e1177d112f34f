//! A project's own history, as far as a replay needs it: who joined when, whether it was bad, how long trials took, and when the
//! environment stood still.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::course::lane;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::MergeRequestId;
use crate::domain::integration::ChangeSet;
use crate::domain::pace::Came;
use crate::domain::yard::Yard;
use crate::insights;

/// A change set that was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChange {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// Its lane, as in a course.
    pub lane: u8,
    /// When it joined, in seconds since the first of all.
    pub at: f64,
    /// When it landed or was rejected.
    pub decided: f64,
    /// Which of the two.
    pub landed: bool,
    /// Whether a verdict on several named it.
    pub named: bool,
}

/// A trial that had the environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastTrial {
    /// When it began, in seconds since the first change set.
    pub began: f64,
    /// How long it had the environment, in seconds.
    pub took: f64,
    /// After how much of that its change sets were decided.
    pub decided_after: f64,
    /// What it came to.
    pub came: Came,
}

/// What a replay leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Change sets that were taken back.
    pub withdrawn: usize,
    /// Change sets that did not apply.
    pub conflicted: usize,
    /// Change sets that were not decided by the end of the history.
    pub open: usize,
}

/// A history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// When the first change set joined.
    pub from: Timestamp,
    /// The last event.
    pub to: Timestamp,
    /// Change sets that were decided, by the time they joined.
    pub changes: Vec<PastChange>,
    /// Every trial, by the time it began.
    pub trials: Vec<PastTrial>,
    /// Trials whose verdict says nothing of any change set: abandoned, or rejected although all of it landed later.
    pub without_effect: usize,
    /// The largest trial.
    pub largest: usize,
    /// How long somebody usually waits with nobody in the environment, in seconds.
    pub pause: f64,
    /// When no trial began although somebody waited, or one came to nothing; in order.
    pub still: Vec<(f64, f64)>,
    /// What is not in `changes`.
    pub left_out: LeftOut,
}

/// A pause counts as standing still when it is so many times as long as usual, and longer than a usual trial.
const UNUSUAL: f64 = 10.0;

impl Past {
    /// Reads a history, in any order and with repetitions; none when nothing was decided in it.
    pub fn of(events: &[Event]) -> Option<Self> {
        let mut reading = Reading::default();
        for event in insights::in_order(events) {
            reading.apply(event);
        }
        reading.past()
    }

    /// How long the environment stood still in all, in seconds.
    pub fn still_seconds(&self) -> f64 {
        let lengths = self.still.iter().map(|(from, to)| to - from);
        lengths.fold(0.0, |sum, length| sum + length)
    }
}

#[derive(Default)]
struct Reading {
    yard: Yard,
    from: Option<Timestamp>,
    joined: Vec<(PastChange, Option<f64>)>,
    open: BTreeMap<MergeRequestId, usize>,
    trials: Vec<(PastTrial, Vec<usize>)>,
    held: Vec<usize>,
    pauses: Vec<(f64, f64)>,
    largest: usize,
    left_out: LeftOut,
}

impl Reading {
    fn apply(&mut self, event: &Event) {
        let at = self
            .from
            .map_or(0.0, |from| event.at.duration_since(from).as_secs_f64());
        self.notice(&event.fact, event.at, at);
        self.yard.apply(event);
        for turn in self.yard.pace.turns.drain(..) {
            let trial = PastTrial {
                began: at - turn.seconds as f64,
                took: turn.seconds as f64,
                decided_after: turn.decided_after as f64,
                came: turn.came,
            };
            self.trials.push((trial, std::mem::take(&mut self.held)));
        }
        for pause in self.yard.pace.pauses.drain(..) {
            self.pauses.push((at - pause as f64, pause as f64));
        }
    }

    fn notice(&mut self, fact: &Fact, instant: Timestamp, at: f64) {
        if let Fact::ChangeSetQueued { change_set } = fact {
            self.join(change_set, instant);
        } else if let Fact::TrialStarted { change_sets, .. } = fact {
            self.largest = self.largest.max(change_sets.len());
            let places = change_sets.iter().filter_map(|id| self.open.get(id));
            self.held = places.copied().collect();
        } else if let Fact::TrialRejected { culprits, .. } = fact {
            let of_several = self.held.len() > 1;
            for place in culprits.iter().filter_map(|id| self.open.get(id)) {
                self.joined[*place].0.named |= of_several;
            }
        } else if let Fact::ChangeSetAppended { appended, .. } = fact {
            self.decide(&appended.change_set.merge_request, at, true);
        } else if let Fact::ChangeSetRejected { merge_request, .. } = fact {
            self.decide(merge_request, at, false);
        } else if let Fact::ChangeSetWithdrawn { merge_request, .. } = fact {
            let was_open = self.open.remove(merge_request).is_some();
            self.left_out.withdrawn += usize::from(was_open);
        } else if let Fact::ChangeSetConflicted { merge_request, .. } = fact {
            let was_open = self.open.remove(merge_request).is_some();
            self.left_out.conflicted += usize::from(was_open);
        }
    }

    fn join(&mut self, change_set: &ChangeSet, instant: Timestamp) {
        // The same content on another head keeps its place.
        if self.open.contains_key(&change_set.merge_request) {
            return;
        }
        let first = *self.from.get_or_insert(instant);
        let at = instant.duration_since(first).as_secs_f64();
        let change = PastChange {
            merge_request: change_set.merge_request.clone(),
            lane: lane(change_set.priority),
            at,
            decided: at,
            landed: false,
            named: false,
        };
        let place = self.joined.len();
        self.open.insert(change_set.merge_request.clone(), place);
        self.joined.push((change, None));
    }

    fn decide(&mut self, id: &MergeRequestId, at: f64, landed: bool) {
        let Some(place) = self.open.remove(id) else {
            return;
        };
        let (change, decided) = &mut self.joined[place];
        change.landed = landed;
        // Clocks of two runners may disagree by seconds.
        *decided = Some(at.max(change.at));
    }

    fn past(mut self) -> Option<Past> {
        self.left_out.open = self.open.len();
        let lengths = self.trials.iter().map(|(trial, _)| trial.took);
        let usual_trial = median(lengths.collect());
        let pause = median(self.pauses.iter().map(|(_, pause)| *pause).collect());
        let unusual = |pause: f64, usual: f64| pause > UNUSUAL * usual && pause > usual_trial;
        let mut still: Vec<(f64, f64)> = self
            .pauses
            .iter()
            .filter(|(_, length)| unusual(*length, pause))
            .map(|(from, length)| (*from, from + length))
            .collect();
        let mut without_effect = 0;
        for (trial, held) in &self.trials {
            let any_bad = held.iter().any(|place| {
                let (change, decided) = &self.joined[*place];
                decided.is_some() && !change.landed
            });
            let told_nothing = match trial.came {
                Came::Landed => false,
                Came::Rejected => !any_bad,
                Came::WithoutVerdict => true,
            };
            if told_nothing {
                without_effect += 1;
                still.push((trial.began, trial.began + trial.took));
            }
        }
        still.sort_by(|one, other| one.0.total_cmp(&other.0));
        let decided = |(change, at): (PastChange, Option<f64>)| {
            let decided = at?;
            Some(PastChange { decided, ..change })
        };
        let changes: Vec<PastChange> = self.joined.into_iter().filter_map(decided).collect();
        (!changes.is_empty()).then_some(Past {
            from: self.from?,
            to: self.yard.last,
            changes,
            trials: self.trials.into_iter().map(|(trial, _)| trial).collect(),
            without_effect,
            largest: self.largest,
            pause,
            still,
            left_out: self.left_out,
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
