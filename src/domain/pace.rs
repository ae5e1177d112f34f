//! How fast the environment has been: what forecasts are made of. Folded from events; the last ones count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, Fact};
use super::ids::Epoch;

/// How many of the last ones are remembered.
const REMEMBERED: usize = 100;

/// When a change set lands, if it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// As likely before as after.
    pub p50: Timestamp,
    /// By then with a probability of 85 %.
    pub p85: Timestamp,
}

/// What a trial came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Came {
    /// It passed, and its change sets landed.
    Landed,
    /// It failed.
    Rejected,
    /// To nothing: it was abandoned.
    WithoutVerdict,
}

/// One use of the environment for a trial, from the lease to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// What it came to.
    pub came: Came,
    /// How long the environment was taken, in seconds.
    pub seconds: u64,
    /// How much of that had passed when its change sets were decided, in seconds.
    pub decided_after: u64,
}

/// The use that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// By which lease.
    pub epoch: Epoch,
    /// Since when.
    pub since: Timestamp,
    /// How its change sets were decided, and when the last of them was.
    decided: Option<(Came, Timestamp)>,
    tried: bool,
}

/// The pace of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Trials that are over, oldest first.
    pub turns: Vec<Turn>,
    /// How long somebody waited with nobody in the environment before a worker took it, in seconds, oldest first.
    pub pauses: Vec<u64>,
    /// When change sets joined the queue, oldest first.
    pub joined: Vec<Timestamp>,
    /// The lease in force.
    pub running: Option<Running>,
    /// Since when somebody waits and nobody has the environment.
    pub idle_since: Option<Timestamp>,
}

impl Pace {
    /// How many trials came to a verdict.
    pub fn verdicts(&self) -> usize {
        let judged = |turn: &&Turn| turn.came != Came::WithoutVerdict;
        self.turns.iter().filter(judged).count()
    }

    /// Takes in one more event. `waiting`: whether anything waits after it that nobody holds or paused.
    pub fn apply(&mut self, event: &Event, waiting: bool) {
        let (fact, at) = (&event.fact, event.at);
        if let Fact::ChangeSetQueued { .. } = fact {
            keep(&mut self.joined, at);
        } else if let Fact::LeaseGranted { epoch, .. } = fact {
            let paused = self.idle_since.and_then(|idle| seconds(idle, at));
            if let Some(paused) = paused {
                keep(&mut self.pauses, paused);
            }
            self.running = Some(Running {
                epoch: *epoch,
                since: at,
                decided: None,
                tried: false,
            });
        } else if let Fact::LeaseReleased { epoch }
        | Fact::LeaseExpired { epoch, .. }
        | Fact::LeaseBroken { epoch, .. } = fact
        {
            let over = self.running.take_if(|running| running.epoch == *epoch);
            if let Some(turn) = over.and_then(|over| over.turn(at)) {
                keep(&mut self.turns, turn);
            }
        } else if let Some(running) = &mut self.running {
            running.apply(fact, at);
        }
        if self.running.is_some() || !waiting {
            self.idle_since = None;
        } else if self.idle_since.is_none() {
            self.idle_since = Some(at);
        }
    }
}

impl Running {
    fn apply(&mut self, fact: &Fact, at: Timestamp) {
        if let Fact::TrialStarted { .. } = fact {
            self.tried = true;
        } else if let Fact::ChangeSetAppended { .. } = fact {
            self.decided = Some((Came::Landed, at));
        } else if let Fact::TrialRejected { .. } = fact {
            self.decided = Some((Came::Rejected, at));
        }
    }

    fn turn(self, over: Timestamp) -> Option<Turn> {
        let (came, decided) = self.decided.unwrap_or((Came::WithoutVerdict, over));
        let turn = Turn {
            came,
            seconds: seconds(self.since, over)?,
            decided_after: seconds(self.since, decided)?,
        };
        (self.tried && turn.decided_after <= turn.seconds).then_some(turn)
    }
}

fn keep<T>(list: &mut Vec<T>, one: T) {
    list.push(one);
    let surplus = list.len().saturating_sub(REMEMBERED);
    list.drain(..surplus);
}

/// Whole seconds; none when the clocks of two runners disagree.
fn seconds(from: Timestamp, to: Timestamp) -> Option<u64> {
    u64::try_from(to.duration_since(from).as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::story::{Story, minute};

    fn pace(story: &Story) -> Pace {
        crate::domain::yard::Yard::of(&story.events).pace
    }

    #[test]
    fn trials_and_the_pauses_between_them_are_measured_while_somebody_waits() {
        let mut story = Story::default();
        story
            .queued(0, 7, &[])
            .tried(2, 1, &[7])
            .passed(32, 1, 1, &[(7, &[])])
            .queued(100, 8, &[])
            .queued(101, 9, &[])
            .tried(103, 2, &[8])
            .failed(113, 2, 8, "red")
            .tried(118, 3, &[9])
            .abandoned(120, 3);
        let pace = pace(&story);
        let came: Vec<(Came, u64)> = pace.turns.iter().map(|t| (t.came, t.seconds)).collect();
        let expected = [
            (Came::Landed, 1_800),
            (Came::Rejected, 600),
            (Came::WithoutVerdict, 120),
        ];
        assert_eq!(came, expected);
        assert_eq!(pace.pauses, [120, 180, 300]);
        assert_eq!((pace.verdicts(), pace.joined.len()), (2, 3));
        assert_eq!(pace.idle_since, Some(minute(120)), "it waits again");
    }

    #[test]
    fn a_clock_that_went_back_measures_nothing() {
        let mut story = Story::default();
        story
            .queued(9, 7, &[])
            .tried(8, 1, &[7])
            .passed(5, 1, 1, &[(7, &[])]);
        assert_eq!(pace(&story).turns, []);
        assert_eq!(pace(&story).pauses, [] as [u64; 0]);
    }

    #[test]
    fn only_the_last_hundred_count() {
        let mut story = Story::default();
        for n in 1..=150 {
            let at = i64::try_from(n * 10).unwrap();
            story.queued(at, n, &[]).tried(at + 1, n, &[n]);
            story.passed(at + 5, n, 1, &[(n, &[])]);
        }
        let pace = pace(&story);
        assert_eq!((pace.turns.len(), pace.joined.len()), (100, 100));
    }
}
