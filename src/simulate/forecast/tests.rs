//! What forecasts promise: nothing below a number of trials, the same twice, and what they say of how often comes true.

use super::*;
use crate::domain::controls::Order;
use crate::domain::event::Fact;
use crate::domain::freezes::{Freeze, Span, UnderTrial};
use crate::insights::story::{Story, minute, mr};
use crate::simulate::made::{self, Made};
use jiff::tz::TimeZone;

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
    forecast(
        &Yard::of(&story.events),
        &POLICY,
        &Freezes::default(),
        minute(at),
    )
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
fn what_is_held_or_paused_is_not_foretold_and_a_freeze_ends_first() {
    let (at, mut story) = past(20);
    story.queued(at, 98, &[]).queued(at, 99, &[]);
    let yard = Yard::of(&story.events);
    let noon: Timestamp = minute(at) + SignedDuration::from_hours(3);
    let freeze = Freeze {
        name: "release".to_owned(),
        reason: None,
        zone: TimeZone::UTC,
        span: Span::Once {
            from: minute(at - 60).to_zoned(TimeZone::UTC).datetime(),
            to: noon.to_zoned(TimeZone::UTC).datetime(),
        },
        except: vec![Priority::Hotfix],
        under_trial: UnderTrial::Waits,
    };
    let foretold = forecast(&yard, &POLICY, &Freezes(vec![freeze]), minute(at));
    let landing = foretold.landing(&mr(98)).unwrap();
    assert!(landing.p50 >= noon && landing.p50 <= noon + SignedDuration::from_mins(62));
    let order = Order {
        person: Some("olga".parse().unwrap()),
        reason: "wait".to_owned(),
        given_at: minute(at),
    };
    let held = Fact::ChangeSetHeld {
        merge_request: mr(98),
        order: order.clone(),
        until: None,
        label: None,
    };
    story.add(at, held);
    let foretold = of(&story, at);
    assert_eq!(foretold.landing(&mr(98)), None);
    assert_eq!(foretold.landing(&mr(99)).unwrap().p50, minute(at + 31));
    story.add(at, Fact::QueuePaused { order });
    assert_eq!(of(&story, at), Forecast::Paused { trials: 20 });
}

#[test]
fn a_long_queue_waits_for_several_trials_and_a_hotfix_does_not() {
    let (at, mut story) = past(20);
    for iid in 101..=140 {
        story.queued(at, iid, &[]);
    }
    let mut hotfix = story.change_set(200, &[], 9_999);
    hotfix.priority = Priority::Hotfix;
    let fact = Fact::ChangeSetQueued { change_set: hotfix };
    story.add(at, fact);
    let foretold = of(&story, at);
    let p50 = |iid| foretold.landing(&mr(iid)).unwrap().p50;
    assert_eq!(p50(200), minute(at + 31));
    assert!(p50(101) <= p50(120) && p50(120) < p50(140));
    assert!(p50(140) > minute(at + 5 * 31));
}

#[test]
fn about_as_many_land_by_the_time_that_is_told_as_it_says() {
    for (load, share) in [(0.5, 0.1), (1.0, 0.1), (1.5, 0.05)] {
        let mut foretold = BTreeMap::new();
        let made = Made::play(1, load, share, |yard, iid, at| {
            if iid > 60 && iid % 3 == 0 {
                let landing = forecast(yard, &made::POLICY, &Freezes::default(), minute(at))
                    .landing(&mr(iid));
                foretold.extend(landing.map(|landing| (iid, landing)));
            }
        });
        let scored = foretold.iter().filter_map(|(iid, landing)| {
            let end = made.landed.get(iid)?;
            Some((landing, minute(*end)))
        });
        let all: Vec<(&Landing, Timestamp)> = scored.collect();
        let by = |at: fn(&Landing) -> Timestamp| {
            let kept = all.iter().filter(|(landing, end)| *end <= at(landing));
            kept.count() as f64 / all.len() as f64
        };
        let (half, most) = (by(|l| l.p50), by(|l| l.p85));
        let cell = format!("{load} {share}: n {}, {half:.2}, {most:.2}", all.len());
        assert!(all.len() > 60, "{cell}");
        assert!((0.35..=0.66).contains(&half), "{cell}");
        assert!((0.75..=0.95).contains(&most), "{cell}");
    }
}
