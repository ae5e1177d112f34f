//! One queue at one environment, played on from any state: who is tried when, and when each is decided. What a trial takes and says
//! comes from outside, so that invented streams, forecasts and replays of a real history run through the same rules.

use crate::domain::integration::Priority;
use crate::domain::trials::{Policy, Search, Verdict, Waiting};

/// A change and when it comes, in any unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When it joins the queue; changes are given in this order.
    pub at: f64,
    /// Which lane it queues in; the smallest goes first.
    pub lane: u8,
    /// Whether a trial that holds it fails.
    pub bad: bool,
    /// Where it comes from: a trial holds changes of one place only.
    pub place: usize,
}

/// The lane whose changes go before everything and are never tried with others.
pub const URGENT: u8 = 0;

/// The lane of a priority.
pub fn lane(priority: Priority) -> u8 {
    match priority {
        Priority::Hotfix => URGENT,
        Priority::High => URGENT + 1,
        Priority::Normal => URGENT + 2,
        Priority::Low => URGENT + 3,
    }
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What it said; nothing when it ended without a verdict.
    pub verdict: Option<Verdict<usize>>,
    /// How long it had the environment.
    pub took: f64,
    /// After how much of that its changes were decided.
    pub decided_after: f64,
}

/// The surroundings of a queue.
pub trait Surroundings {
    /// What becomes of a trial of these changes that begins now.
    fn trial(&mut self, tried: &[usize], now: f64) -> Trial;

    /// When the next trial begins, with an environment that is free and this change first in the queue.
    fn begins(&mut self, now: f64, _first: usize) -> f64 {
        now
    }

    /// A change landed, or was rejected.
    fn decided(&mut self, change: usize, at: f64, landed: bool);

    /// Whether everything is known that was asked for.
    fn is_answered(&self) -> bool {
        false
    }
}

/// A queue on its way.
#[derive(Debug)]
pub struct Course<'a> {
    changes: &'a [Change],
    policy: Policy,
    search: Search<usize>,
    queue: Queue,
    /// Trials made so far.
    pub trials: usize,
    /// How long the environment was taken so far.
    pub busy: f64,
}

impl<'a> Course<'a> {
    /// A queue that knows what `search` knows.
    pub fn new(changes: &'a [Change], policy: Policy, search: Search<usize>) -> Self {
        Self {
            changes,
            policy,
            search,
            queue: Queue::default(),
            trials: 0,
            busy: 0.0,
        }
    }

    /// Plays until nothing waits and nothing more comes.
    pub fn run(&mut self, from: f64, around: &mut impl Surroundings) {
        let mut now = from;
        while !around.is_answered() {
            self.queue.admit(self.changes, now);
            let Some(first) = self.queue.waiting.first() else {
                match self.changes.get(self.queue.arrived) {
                    Some(next) => now = next.at.max(now),
                    None => break,
                }
                continue;
            };
            let begin = around.begins(now, first.change);
            if begin > now {
                now = begin;
                self.queue.admit(self.changes, now);
            }
            let place = |change: &usize| self.changes[*change].place;
            let waiting = &self.queue.waiting;
            let tried = self
                .search
                .choose_of_one_place(waiting, &self.policy, place);
            let trial = around.trial(&tried, now);
            self.conclude(&tried, &trial, now, around);
            now += trial.took;
        }
    }

    /// Takes over what a trial that began at an instant came to.
    pub fn conclude(
        &mut self,
        tried: &[usize],
        trial: &Trial,
        began: f64,
        around: &mut impl Surroundings,
    ) {
        self.trials += 1;
        self.busy += trial.took;
        let Some(verdict) = &trial.verdict else {
            return;
        };
        let at = began + trial.decided_after;
        let (conclusion, after) = self.search.conclude(tried, verdict, &self.policy);
        self.search = after;
        let landed = conclusion.land.into_iter().map(|change| (change, true));
        let rejected = conclusion.reject.into_iter();
        for (change, has_landed) in landed.chain(rejected.map(|(change, _)| (change, false))) {
            around.decided(change, at, has_landed);
            self.queue.remove(change);
        }
    }

    /// Lets everything join that has come by now.
    pub fn admit(&mut self, now: f64) {
        self.queue.admit(self.changes, now);
    }

    /// Whether about as few waited in the last quarter of the trials as in the second one.
    pub fn keeps_up(&self) -> bool {
        let backlog = &self.queue.backlog;
        let quarter = backlog.len() / 4;
        let found = |quarters: usize| {
            let part = &backlog[quarter * quarters..quarter * (quarters + 1)];
            part.iter().sum::<usize>() as f64 / part.len() as f64
        };
        quarter == 0 || found(3) <= 2.0 * found(1) + 10.0
    }
}

/// What has come and is not decided.
#[derive(Debug, Default)]
struct Queue {
    /// In the order of service.
    waiting: Vec<Waiting<usize>>,
    lanes: Vec<u8>,
    arrived: usize,
    /// How many waited at the beginning of each trial, those that are not at hand included, while more were to come.
    backlog: Vec<usize>,
}

impl Queue {
    /// The most that are kept at hand: a policy looks at the head of the queue only.
    const AT_HAND: usize = 1_000;

    fn admit(&mut self, changes: &[Change], now: f64) {
        let room = Self::AT_HAND.saturating_sub(self.waiting.len());
        let come = changes[self.arrived..].iter();
        for change in come.take_while(|change| change.at <= now).take(room) {
            let place = self.lanes.partition_point(|lane| *lane <= change.lane);
            self.lanes.insert(place, change.lane);
            let waiting = Waiting {
                change: self.arrived,
                urgent: change.lane == URGENT,
            };
            self.waiting.insert(place, waiting);
            self.arrived += 1;
        }
        let beyond = changes[self.arrived..].partition_point(|change| change.at <= now);
        if self.arrived + beyond < changes.len() {
            self.backlog.push(self.waiting.len() + beyond);
        }
    }

    fn remove(&mut self, change: usize) {
        if let Some(place) = self.waiting.iter().position(|w| w.change == change) {
            self.waiting.remove(place);
            self.lanes.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        bad: Vec<usize>,
        decided: Vec<(usize, f64, bool)>,
        tried: Vec<Vec<usize>>,
    }

    impl Surroundings for Script {
        fn trial(&mut self, tried: &[usize], _now: f64) -> Trial {
            self.tried.push(tried.to_vec());
            let is_bad = tried.iter().any(|change| self.bad.contains(change));
            let verdict = if is_bad {
                Verdict::Rejected { named: Vec::new() }
            } else {
                Verdict::Validated
            };
            Trial {
                verdict: Some(verdict),
                took: 10.0,
                decided_after: 8.0,
            }
        }

        fn begins(&mut self, now: f64, _first: usize) -> f64 {
            now + 1.0
        }

        fn decided(&mut self, change: usize, at: f64, landed: bool) {
            self.decided.push((change, at, landed));
        }
    }

    fn change(at: f64, lane: u8) -> Change {
        Change {
            at,
            lane,
            bad: false,
            place: 0,
        }
    }

    #[test]
    fn lanes_come_first_and_whoever_comes_before_the_trial_begins_is_in_it() {
        let changes = [
            change(0.0, 2),
            change(0.5, 2),
            change(5.0, 2),
            change(6.0, 1),
            change(7.0, URGENT),
        ];
        let mut script = Script {
            bad: vec![2],
            decided: Vec::new(),
            tried: Vec::new(),
        };
        let mut course = Course::new(&changes, Policy::default(), Search::default());
        course.run(0.0, &mut script);
        assert_eq!(script.tried, [vec![0, 1], vec![4], vec![3, 2], vec![3]]);
        let decided = [
            (0, 9.0, true),
            (1, 9.0, true),
            (4, 20.0, true),
            (3, 42.0, true),
            (2, 42.0, false),
        ];
        assert_eq!(script.decided, decided);
        assert_eq!((course.trials, course.busy), (4, 40.0));
    }
}
