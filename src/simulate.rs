//! What the queue would do: simulated arrivals, driven through the very functions that choose and conclude a trial.
//!
//! The unit of time is D, the time of one trial. Changes arrive as a Poisson stream; each is bad with the same probability; a
//! trial is rejected when it holds a bad change, or for nothing when it is flaky. Everything is compared with an **Oracle**: a
//! clairvoyant on one environment, who takes every good change that waits at once.

pub mod course;
pub mod forecast;
#[cfg(test)]
pub(crate) mod made;
pub mod past;
pub mod replay;

use serde::Serialize;

use crate::domain::trials::{Policy, Search, Verdict};
use course::{Change, Course, Surroundings, Trial, URGENT};

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// Changes that arrive in the time of one trial.
    pub load: f64,
    /// The share of bad changes.
    pub failure_rate: f64,
    /// The share of rejected trials whose verdict names the bad changes.
    pub naming: f64,
    /// The share of good trials that are rejected for nothing.
    pub flake: f64,
    /// The project's policy.
    pub policy: Policy,
    /// How many changes arrive.
    pub arrivals: usize,
    /// Makes the same stream again.
    pub seed: u64,
    /// Whether all changes wait from the beginning, to measure capacity.
    pub saturated: bool,
}

/// What came of it. Turnaround is the time from arrival to landing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The mean turnaround of landed changes, over the Oracle's.
    pub mean_over_oracle: f64,
    /// The 95th percentile of the turnaround, over the Oracle's.
    pub p95_over_oracle: f64,
    /// The mean turnaround in D.
    pub mean: f64,
    /// The 95th percentile of the turnaround in D.
    pub p95: f64,
    /// How many trials were made for each landed change.
    pub trials_per_landed: f64,
    /// The share of good changes that were rejected.
    pub false_rejection_rate: f64,
    /// Whether the queue kept up with the arrivals.
    pub stable: bool,
    /// Changes decided in the time of one trial over what one bit a trial allows, 1/H2(p), p as it came out in this stream; of a
    /// saturated queue only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_share: Option<f64>,
    /// Changes that landed.
    pub landed: usize,
    /// Changes that were rejected.
    pub rejected: usize,
    /// Trials that were made.
    pub trials: usize,
}

/// Plays one scenario to its end.
pub fn simulate(scenario: &Scenario) -> Figures {
    let mut chance = fastrand::Rng::with_seed(scenario.seed);
    let arrivals = arrivals(scenario, &mut chance);
    let oracle = oracle(&arrivals);
    let mut course = Course::new(&arrivals, scenario.policy, Search::default());
    let mut stream = Stream {
        scenario,
        arrivals: &arrivals,
        chance,
        turnaround: Vec::new(),
        rejected: 0,
        wronged: 0,
    };
    course.run(0.0, &mut stream);
    let Stream {
        turnaround,
        rejected,
        wronged,
        ..
    } = stream;
    let (landed, trials) = (turnaround.len(), course.trials);
    let good = arrivals.iter().filter(|arrival| !arrival.bad).count();
    let (mean, p95) = (mean(&turnaround), p95(turnaround));
    Figures {
        mean_over_oracle: mean / self::mean(&oracle),
        p95_over_oracle: p95 / self::p95(oracle),
        mean,
        p95,
        trials_per_landed: ratio(trials, landed),
        false_rejection_rate: ratio(wronged, good),
        stable: course.keeps_up(),
        capacity_share: scenario.saturated.then(|| {
            ratio(landed + rejected, trials) * entropy(ratio(arrivals.len() - good, arrivals.len()))
        }),
        landed,
        rejected,
        trials,
    }
}

/// An invented stream: every trial takes one unit of time.
struct Stream<'a> {
    scenario: &'a Scenario,
    arrivals: &'a [Change],
    chance: fastrand::Rng,
    turnaround: Vec<f64>,
    rejected: usize,
    wronged: usize,
}

impl Surroundings for Stream<'_> {
    fn trial(&mut self, tried: &[usize], _now: f64) -> Trial {
        Trial {
            verdict: Some(verdict(
                tried,
                self.arrivals,
                self.scenario,
                &mut self.chance,
            )),
            took: 1.0,
            decided_after: 1.0,
        }
    }

    fn decided(&mut self, change: usize, at: f64, landed: bool) {
        let arrival = &self.arrivals[change];
        if landed {
            self.turnaround.push(at - arrival.at);
        } else {
            self.rejected += 1;
            self.wronged += usize::from(!arrival.bad);
        }
    }
}

fn arrivals(scenario: &Scenario, chance: &mut fastrand::Rng) -> Vec<Change> {
    let mut at = 0.0;
    let mut arrival = || {
        if !scenario.saturated {
            // The gaps of a Poisson stream are exponential.
            at -= (1.0 - chance.f64()).ln() / scenario.load;
        }
        Change {
            at,
            lane: URGENT + 1,
            place: 0,
            bad: chance.f64() < scenario.failure_rate,
        }
    };
    (0..scenario.arrivals).map(|_| arrival()).collect()
}

fn verdict(
    tried: &[usize],
    arrivals: &[Change],
    scenario: &Scenario,
    chance: &mut fastrand::Rng,
) -> Verdict<usize> {
    let bad: Vec<usize> = tried.iter().copied().filter(|c| arrivals[*c].bad).collect();
    let (flaked, could_tell) = (
        chance.f64() < scenario.flake,
        chance.f64() < scenario.naming,
    );
    match (bad.is_empty(), flaked) {
        (true, false) => Verdict::Validated,
        (true, true) => Verdict::Rejected { named: Vec::new() },
        (false, _) => Verdict::Rejected {
            named: if could_tell { bad } else { Vec::new() },
        },
    }
}

/// The turnaround of every good change with a clairvoyant at the environment.
fn oracle(arrivals: &[Change]) -> Vec<f64> {
    let good: Vec<f64> = arrivals.iter().filter(|a| !a.bad).map(|a| a.at).collect();
    let (mut turnaround, mut free, mut first) = (Vec::new(), 0.0f64, 0);
    while let Some(next) = good.get(first) {
        let start = free.max(*next);
        let taken = good[first..].iter().take_while(|at| **at <= start).count();
        turnaround.extend(good[first..first + taken].iter().map(|at| start + 1.0 - at));
        free = start + 1.0;
        first += taken;
    }
    turnaround
}

fn ratio(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// By nearest rank, as everywhere in the insights.
fn p95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * 95).div_ceil(100);
    values
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

/// Binary entropy in bits: how much one verdict can tell at most.
fn entropy(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return 0.0;
    }
    -(p * p.log2() + (1.0 - p) * (1.0 - p).log2())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Scenario = Scenario {
        load: 1.0,
        failure_rate: 0.1,
        naming: 0.0,
        flake: 0.0,
        policy: Policy {
            batch_max: 32,
            strikes: 1,
        },
        arrivals: 20_000,
        seed: 7,
        saturated: false,
    };

    #[test]
    fn the_bars_of_the_queue_policy_are_reached() {
        for (load, failure_rate, naming, mean, p95, trials) in [
            (0.7, 0.02, 0.0, 1.15, 1.5, 1.0),
            (0.7, 0.1, 0.0, 1.15, 1.5, 1.0),
            (0.7, 0.1, 0.7, 1.08, 1.1, 1.0),
            (1.0, 0.1, 0.0, 1.35, 2.3, 0.87),
            (1.0, 0.1, 0.7, 1.15, 1.45, 0.87),
            (2.0, 0.02, 0.0, 1.2, 1.8, 0.5),
            (2.0, 0.02, 0.7, 1.06, 1.15, 0.5),
        ] {
            let figures = simulate(&Scenario {
                load,
                failure_rate,
                naming,
                arrivals: 100_000,
                ..CELL
            });
            let cell = format!("{load}, {failure_rate}, {naming}: {figures:?}");
            assert!(figures.stable && figures.mean_over_oracle <= mean, "{cell}");
            assert!(figures.p95_over_oracle <= p95, "{cell}");
            assert!(figures.trials_per_landed <= trials, "{cell}");
            assert_eq!(figures.false_rejection_rate, 0.0, "{cell}");
            assert_eq!(figures.landed + figures.rejected, 100_000, "none is lost");
        }
    }

    #[test]
    fn a_saturated_queue_decides_nearly_what_one_bit_a_trial_allows() {
        for failure_rate in [0.02, 0.05, 0.1, 0.2] {
            let figures = simulate(&Scenario {
                failure_rate,
                saturated: true,
                ..CELL
            });
            let share = figures.capacity_share.unwrap();
            assert!((0.97..=1.0).contains(&share), "{failure_rate}: {share}");
        }
    }

    #[test]
    fn two_strikes_spare_good_changes_from_flaky_trials() {
        for (load, failure_rate) in [(0.3, 0.02), (0.7, 0.1)] {
            let flaky = Scenario {
                load,
                failure_rate,
                flake: 0.05,
                arrivals: 100_000,
                ..CELL
            };
            let once = simulate(&flaky);
            let twice = simulate(&Scenario {
                policy: Policy {
                    strikes: 2,
                    ..CELL.policy
                },
                ..flaky
            });
            assert!(once.false_rejection_rate > 0.03);
            assert!(twice.false_rejection_rate <= 0.005, "{twice:?}");
            assert!(
                twice.trials_per_landed <= once.trials_per_landed * 1.05,
                "{once:?}\n{twice:?}"
            );
        }
    }

    #[test]
    fn a_queue_that_cannot_keep_up_is_called_unstable() {
        let serial = Policy {
            batch_max: 1,
            strikes: 1,
        };
        let figures = simulate(&Scenario {
            load: 2.0,
            policy: serial,
            ..CELL
        });
        assert!(!figures.stable);
    }

    #[test]
    fn the_same_seed_makes_the_same_figures() {
        assert_eq!(simulate(&CELL), simulate(&CELL));
        assert_ne!(simulate(&CELL), simulate(&Scenario { seed: 8, ..CELL }));
    }
}
