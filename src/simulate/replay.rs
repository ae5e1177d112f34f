//! A project's own history played again through the functions that choose and conclude trials, as it was and with something else.
//!
//! The same change sets join at the same instants, and the same ones are bad. A trial takes as long as the one nearest in time that
//! came to the same; no trial begins while the environment stood still.

use serde::Serialize;

use super::course::{Change, Course, Surroundings, Trial};
use super::past::{Past, PastTrial};
use super::{mean, ratio};
use crate::domain::ids::MergeRequestId;
use crate::domain::pace::Came;
use crate::domain::trials::{Policy, Search, Verdict};
use crate::insights::Distribution;

/// Under which rules a history is played again.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What the column is called.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// How long a trial takes, over how long it took.
    pub trial: f64,
    /// Among how many environments the merge requests are divided, each with its own queue and its own target.
    pub environments: usize,
}

/// What came of it; durations in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// What it is of.
    pub name: String,
    /// Change sets that landed.
    pub landed: usize,
    /// Change sets that were rejected.
    pub rejected: usize,
    /// Trials.
    pub trials: usize,
    /// Trials for each landed change set.
    pub trials_per_landed: f64,
    /// The mean time from joining to landing.
    pub mean: f64,
    /// How that time is spread.
    pub turnaround: Option<Distribution>,
    /// The share of the time in which an environment was taken.
    pub taken: f64,
    /// From joining to its decision, in seconds since the first change set: for the picture.
    #[serde(skip)]
    pub stays: Vec<(f64, f64)>,
}

/// The history as it was.
pub fn as_it_was(past: &Past) -> Column {
    let landed = past.changes.iter().filter(|change| change.landed);
    let times: Vec<f64> = landed.map(|change| change.decided - change.at).collect();
    let busy = past.trials.iter().map(|trial| trial.took).sum();
    let stays = past
        .changes
        .iter()
        .map(|change| (change.at, change.decided));
    column(
        "as it was",
        past.changes.len(),
        times,
        past.trials.len(),
        (busy, 1),
        stays.collect(),
    )
}

/// The history under other rules.
pub fn replay(past: &Past, rules: &Rules) -> Column {
    let mut order: Vec<&MergeRequestId> = Vec::new();
    for change in &past.changes {
        if !order.contains(&&change.merge_request) {
            order.push(&change.merge_request);
        }
    }
    // The merge request that stands for its project.
    let place = |id: &MergeRequestId| order.iter().position(|other| other.project == id.project);
    let (mut times, mut stays, mut trials, mut busy) = (Vec::new(), Vec::new(), 0, 0.0);
    for environment in 0..rules.environments {
        let here: Vec<usize> = (0..past.changes.len())
            .filter(|index| {
                let id = &past.changes[*index].merge_request;
                let place = order.iter().position(|other| *other == id);
                place.is_some_and(|place| place % rules.environments == environment)
            })
            .collect();
        let changes: Vec<Change> = here
            .iter()
            .map(|index| &past.changes[*index])
            .map(|change| Change {
                at: change.at,
                lane: change.lane,
                bad: !change.landed,
                place: place(&change.merge_request).unwrap_or_default(),
            })
            .collect();
        let mut again = Again {
            past,
            rules,
            here: &here,
            changes: &changes,
            times: &mut times,
            stays: &mut stays,
        };
        let mut course = Course::new(&changes, rules.policy, Search::default());
        course.run(0.0, &mut again);
        trials += course.trials;
        busy += course.busy;
    }
    let all = past.changes.len();
    let busy = (busy, rules.environments);
    column(&rules.name, all, times, trials, busy, stays)
}

fn column(
    name: &str,
    all: usize,
    times: Vec<f64>,
    trials: usize,
    (busy, environments): (f64, usize),
    stays: Vec<(f64, f64)>,
) -> Column {
    let landed = times.len();
    let end = stays.iter().map(|(_, to)| *to).fold(0.0, f64::max);
    Column {
        name: name.to_owned(),
        landed,
        rejected: all - landed,
        trials,
        trials_per_landed: ratio(trials, landed.max(1)),
        mean: if landed == 0 { 0.0 } else { mean(&times) },
        turnaround: Distribution::of(times.iter().map(|seconds| seconds.round() as u64)),
        taken: if end > 0.0 {
            (busy / environments as f64 / end).min(1.0)
        } else {
            0.0
        },
        stays,
    }
}

/// The surroundings of the history, again.
struct Again<'a> {
    past: &'a Past,
    rules: &'a Rules,
    /// The places of `changes` in the history.
    here: &'a [usize],
    changes: &'a [Change],
    times: &'a mut Vec<f64>,
    stays: &'a mut Vec<(f64, f64)>,
}

impl Again<'_> {
    /// The trial nearest in time that came to the same; of any verdict where none did.
    fn like(&self, came: Came, now: f64) -> Option<&PastTrial> {
        let nearest = |like: &dyn Fn(&PastTrial) -> bool| {
            let distance = |trial: &&PastTrial| (trial.began - now).abs();
            self.past
                .trials
                .iter()
                .filter(|trial| like(trial))
                .min_by(|one, other| distance(one).total_cmp(&distance(other)))
        };
        nearest(&|trial| trial.came == came)
            .or_else(|| nearest(&|trial| trial.came != Came::WithoutVerdict))
    }
}

impl Surroundings for Again<'_> {
    fn trial(&mut self, tried: &[usize], now: f64) -> Trial {
        let bad = || tried.iter().copied().filter(|c| self.changes[*c].bad);
        let named = bad().filter(|change| self.past.changes[self.here[*change]].named);
        let (came, verdict) = if bad().next().is_none() {
            (Came::Landed, Verdict::Validated)
        } else {
            let named = named.collect();
            (Came::Rejected, Verdict::Rejected { named })
        };
        let like = self.like(came, now);
        Trial {
            verdict: Some(verdict),
            took: like.map_or(0.0, |trial| trial.took) * self.rules.trial,
            decided_after: like.map_or(0.0, |trial| trial.decided_after) * self.rules.trial,
        }
    }

    fn begins(&mut self, now: f64, _first: usize) -> f64 {
        let mut begin = now + self.past.pause;
        for (from, to) in &self.past.still {
            if *from <= begin && begin < *to {
                begin = *to;
            }
        }
        begin
    }

    fn decided(&mut self, change: usize, at: f64, landed: bool) {
        let joined = self.changes[change].at;
        self.stays.push((joined, at));
        if landed {
            self.times.push(at - joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Fact;
    use crate::insights::story::{Story, mr};
    use crate::simulate::made::{Made, POLICY};

    fn rules() -> Rules {
        Rules {
            name: "replayed".to_owned(),
            policy: POLICY,
            trial: 1.0,
            environments: 1,
        }
    }

    fn past(load: f64, share: f64) -> Past {
        let made = Made::play(3, load, share, |_, _, _| {});
        Past::of(&made.story.events).unwrap()
    }

    #[test]
    fn a_replay_under_the_rules_that_were_in_force_is_near_what_was() {
        for (load, share) in [(0.5, 0.1), (1.0, 0.1), (1.5, 0.05)] {
            let past = past(load, share);
            let (was, again) = (as_it_was(&past), replay(&past, &rules()));
            let cell = format!("{load} {share}: {} {}", was.mean, again.mean);
            assert_eq!((was.landed, was.rejected), (again.landed, again.rejected));
            assert!((again.mean / was.mean - 1.0).abs() < 0.1, "{cell}");
            let trials = again.trials as f64 / was.trials as f64;
            assert!((trials - 1.0).abs() < 0.05, "{cell}: {trials}");
            assert!((again.taken - was.taken).abs() < 0.05, "{cell}");
        }
    }

    #[test]
    fn what_is_otherwise_shows() {
        let past = past(1.0, 0.1);
        let was = replay(&past, &rules());
        let shorter = replay(
            &past,
            &Rules {
                trial: 0.8,
                ..rules()
            },
        );
        assert!(
            shorter.mean < was.mean * 0.85,
            "{} {}",
            shorter.mean,
            was.mean
        );
        let two = replay(
            &past,
            &Rules {
                environments: 2,
                ..rules()
            },
        );
        assert!(two.mean < was.mean && two.trials > was.trials);
        let alone = Policy {
            batch_max: 1,
            strikes: 1,
        };
        let alone = replay(
            &past,
            &Rules {
                policy: alone,
                ..rules()
            },
        );
        assert!(alone.mean > was.mean && alone.trials_per_landed > 1.0);
        for column in [&shorter, &two, &alone] {
            assert_eq!((column.landed, column.rejected), (was.landed, was.rejected));
        }
    }

    #[test]
    fn what_was_not_decided_is_left_out_and_an_environment_that_stood_still_does_so_again() {
        let mut story = Story::default();
        let mut at = 0;
        for n in 1..=12 {
            story.queued(at, n, &[]).tried(at + 1, n, &[n]);
            story.passed(at + 31, n, 1, &[(n, &[])]);
            at += 40;
        }
        // Over the weekend no runner was there.
        story.queued(at, 20, &[]).tried(at + 3_000, 20, &[20]);
        story.passed(at + 3_030, 20, 1, &[(20, &[])]);
        story
            .queued(at + 3_100, 21, &[])
            .tried(at + 3_101, 21, &[21]);
        story.abandoned(at + 3_120, 21);
        let head = || "a".repeat(40).parse().unwrap();
        let (merge_request, reason) = (mr(21), "closed".to_owned());
        let withdrawn = Fact::ChangeSetWithdrawn {
            merge_request,
            head: head(),
            reason,
            order: None,
        };
        story.add(at + 3_121, withdrawn);
        story.queued(at + 3_200, 22, &[]);
        let (merge_request, detail) = (mr(22), String::new());
        let conflicted = Fact::ChangeSetConflicted {
            merge_request,
            head: head(),
            detail,
        };
        story
            .add(at + 3_201, conflicted)
            .queued(at + 3_300, 23, &[]);
        let past = Past::of(&story.events).unwrap();
        let left = past.left_out;
        assert_eq!((left.withdrawn, left.conflicted, left.open), (1, 1, 1));
        assert_eq!(
            (past.changes.len(), past.without_effect, past.pause),
            (13, 1, 60.0)
        );
        assert_eq!(past.still.len(), 2, "the weekend, and the abandoned trial");
        let again = replay(&past, &rules());
        assert_eq!(again.turnaround, as_it_was(&past).turnaround);
        assert_eq!(Past::of(&[]), None);
    }

    #[test]
    fn a_culprit_that_was_named_is_named_again() {
        let mut story = Story::default();
        for iid in 1..=4 {
            story.queued(0, iid, &[]);
        }
        story.tried(1, 1, &[1, 2, 3, 4]).failed(31, 1, 3, "red");
        let rest: [(u64, &[_]); 3] = [(1, &[]), (2, &[]), (4, &[])];
        story.tried(32, 2, &[1, 2, 4]).passed(62, 2, 1, &rest);
        let past = Past::of(&story.events).unwrap();
        let again = replay(&past, &rules());
        assert_eq!((again.trials, again.rejected), (2, 1));
        assert_eq!(again.turnaround, as_it_was(&past).turnaround);
    }
}
