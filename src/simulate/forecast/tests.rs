//! What forecasts promise: nothing below a number of trials, the same twice, and what they say of how often comes true.

use super::*;
use crate::insights::story::{Story, minute, mr};

const POLICY: Policy = Policy {
    batch_max: 8,
    strikes: 1,
};

/// Trials of half an hour each, every fifth of them rejected, with a change set each; the next minute, and the story.
fn past(trials: u64) -> (i64, Story) {
    let mut story = Story::default();
    let mut at = 0;
    for n in 1..=trials {
        story.queued(at, n, &[]).tried(at + 1, n, &[n]);
        at += 31;
        if n % 5 == 0 {
            story.failed(at, n, n, "red");
        } else {
            story.passed(at, n, 1, &[(n, &[])]);
        }
        at += 9;
    }
    (at, story)
}

fn of(story: &Story, at: i64) -> Forecast {
    forecast(&Yard::of(&story.events), &POLICY, minute(at))
}

#[test]
fn too_few_trials_foretell_nothing() {
    let (at, mut story) = past(10);
    story.queued(at, 99, &[]);
    assert_eq!(of(&story, at), Forecast::TooFew { trials: 10 });
}

#[test]
fn a_free_environment_lands_a_change_set_after_the_pause_and_one_trial() {
    let (at, mut story) = past(20);
    story.queued(at, 99, &[]);
    let landing = of(&story, at).landing(&mr(99)).unwrap();
    assert_eq!(landing.p50, minute(at + 31), "it passes in most runs");
    assert!(landing.p85 < minute(at + 80), "{landing:?}");
    assert_eq!(of(&story, at), of(&story, at));
}

#[test]
fn whoever_is_under_test_lands_when_the_trial_is_as_long_as_others() {
    let (at, mut story) = past(20);
    story.queued(at, 98, &[]).tried(at + 1, 90, &[98]);
    story.queued(at + 5, 99, &[]);
    let foretold = of(&story, at + 21);
    assert_eq!(foretold.landing(&mr(98)).unwrap().p50, minute(at + 31));
    let next = foretold.landing(&mr(99)).unwrap();
    assert_eq!(next.p50, minute(at + 62), "a pause of a minute, one trial");
    assert_eq!(
        of(&story, at + 40),
        Forecast::Overdue { trials: 20 },
        "it takes longer than any before"
    );
}

#[test]
fn a_long_queue_waits_for_several_trials_and_a_hotfix_does_not() {
    let (at, mut story) = past(20);
    for iid in 101..=140 {
        story.queued(at, iid, &[]);
    }
    let mut hotfix = story.change_set(200, &[], 9_999);
    hotfix.priority = Priority::Hotfix;
    let fact = crate::domain::event::Fact::ChangeSetQueued { change_set: hotfix };
    story.add(at, fact);
    let foretold = of(&story, at);
    let p50 = |iid| foretold.landing(&mr(iid)).unwrap().p50;
    assert_eq!(p50(200), minute(at + 31));
    assert!(p50(101) <= p50(120) && p50(120) < p50(140));
    assert!(p50(140) > minute(at + 5 * 31));
}

/// A yard of its own: arrivals, trials and verdicts are drawn, and its log is what the forecasts read.
mod calibration {
    use super::*;
    use crate::domain::event::Fact;

    #[derive(Default)]
    struct Made {
        story: Story,
        yard: Yard,
        read: usize,
        bad: Vec<bool>,
        chance: fastrand::Rng,
        foretold: BTreeMap<u64, (i64, Landing)>,
    }

    impl Made {
        fn yard(&mut self) -> &Yard {
            for event in &self.story.events[self.read..] {
                self.yard.apply(event);
            }
            self.read = self.story.events.len();
            &self.yard
        }

        /// One more change set joins, and is told when it may land; returns when the next one comes.
        fn joins(&mut self, at: i64, load: f64, share: f64) -> i64 {
            let iid = self.bad.len() as u64;
            self.story.queued(at, iid, &[]);
            let is_bad = self.chance.f64() < share;
            self.bad.push(is_bad);
            if iid > 60 && iid % 3 == 0 {
                let forecast = forecast(self.yard(), &POLICY, minute(at));
                let landing = forecast.landing(&mr(iid));
                self.foretold.extend(landing.map(|l| (iid, (at, l))));
            }
            at + 1 + (-(1.0 - self.chance.f64()).ln() * 44.0 / load) as i64
        }

        fn length(&mut self) -> i64 {
            let spread = (0..6).map(|_| self.chance.f64()).sum::<f64>();
            20 + (spread * 8.0) as i64
        }
    }

    /// Change sets arrive one by one; the product's own choice and conclusion decide. Returns what was foretold of each when it joined,
    /// and when it landed.
    fn score(seed: u64, load: f64, share: f64) -> Vec<(i64, Landing, i64)> {
        let mut made = Made {
            chance: fastrand::Rng::with_seed(seed),
            ..Made::default()
        };
        let mut landed = BTreeMap::new();
        let (mut next, mut free, mut trial) = (0i64, 0i64, 0u64);
        while made.bad.len() < 300 {
            let waits = made.yard().queue.waiting().next().is_some();
            if !waits || next <= free {
                free = free.max(next + 1);
                next = made.joins(next, load, share);
                continue;
            }
            trial += 1;
            let yard = made.yard().clone();
            let tried = yard.next_trial(&POLICY);
            let iids: Vec<u64> = tried
                .iter()
                .map(|t| t.change_set.merge_request.iid)
                .collect();
            let ids: Vec<_> = iids.iter().map(|iid| mr(*iid)).collect();
            made.story.tried(free, trial, &iids);
            let end = free + made.length();
            // Whoever joins while the trial runs is asked about then.
            while next < end && made.bad.len() < 300 {
                next = made.joins(next, load, share);
            }
            let fails = iids.iter().any(|iid| made.bad[*iid as usize]);
            let rejected = Verdict::Rejected { named: Vec::new() };
            let verdict = if fails { rejected } else { Verdict::Validated };
            let (conclusion, _) = yard.search.conclude(&ids, &verdict, &POLICY);
            let out: Vec<u64> = conclusion.reject.iter().map(|(id, _)| id.iid).collect();
            if fails {
                let culprits = out.iter().map(|iid| mr(*iid)).collect();
                let (trial, evidence) = (crate::domain::ids::TrialId(trial), String::new());
                let fact = Fact::TrialRejected {
                    trial,
                    culprits,
                    evidence,
                };
                made.story.add(end, fact);
            }
            for iid in out {
                let fact = Fact::ChangeSetRejected {
                    merge_request: mr(iid),
                    head: "a".repeat(40).parse().unwrap(),
                    trial: crate::domain::ids::TrialId(trial),
                    reason: String::new(),
                };
                made.story.add(end, fact);
            }
            let lands: Vec<(u64, &[_])> =
                conclusion.land.iter().map(|id| (id.iid, &[][..])).collect();
            if fails {
                let epoch = crate::domain::ids::Epoch(trial);
                made.story.add(end, Fact::LeaseReleased { epoch });
            } else {
                made.story.passed(end, trial, 1, &lands);
            }
            landed.extend(lands.iter().map(|(iid, _)| (*iid, end)));
            free = end + 2;
        }
        let scored = made
            .foretold
            .into_iter()
            .filter_map(|(iid, (asked, landing))| {
                landed.get(&iid).map(|end| (asked, landing, *end))
            });
        scored.collect()
    }

    #[test]
    fn about_as_many_land_by_the_time_that_is_told_as_it_says() {
        for (load, share) in [(0.5, 0.1), (1.0, 0.1), (1.5, 0.05)] {
            let all = score(1, load, share);
            let by = |at: fn(&Landing) -> Timestamp| {
                let kept = all.iter().filter(|(_, l, end)| minute(*end) <= at(l));
                kept.count() as f64 / all.len() as f64
            };
            let (half, most) = (by(|l| l.p50), by(|l| l.p85));
            let cell = format!("{load} {share}: n {}, {half:.2}, {most:.2}", all.len());
            assert!(all.len() > 60, "{cell}");
            assert!((0.35..=0.66).contains(&half), "{cell}");
            assert!((0.75..=0.95).contains(&most), "{cell}");
        }
    }
}
