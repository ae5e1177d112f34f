//! The outbox against histories: what each channel is told, once, and when.

use std::collections::BTreeMap;

use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::event::Event;
use crate::domain::ids::{Epoch, MergeRequestId, PipelineId, ProjectPath, TrialId, VersionId};
use crate::domain::notification::calendar::{Calendar, Quiet};
use crate::domain::notification::rules::Wishes;
use crate::domain::nrt::{Abandoned, Holder};
use crate::domain::versioning::Number;

fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rejected(iid: u64, trial: u64) -> Fact {
    Fact::ChangeSetRejected {
        merge_request: MergeRequestId {
            project: project(),
            iid,
        },
        head: "a".repeat(40).parse().unwrap(),
        trial: TrialId(trial),
        reason: "red".into(),
        evidence: None,
        failures: Vec::new(),
    }
}

fn number() -> Number {
    Number {
        version: semver::Version::new(1, 0, 0),
        prefix: "v".into(),
        package: None,
    }
}

fn release_failed() -> Fact {
    Fact::ReleaseFailed {
        version: VersionId(1),
        number: number(),
        reason: "disk".into(),
        evidence: None,
    }
}

fn released() -> Fact {
    Fact::VersionReleased {
        version: VersionId(1),
        number: number(),
        commit: "b".repeat(40).parse().unwrap(),
        features: Vec::new(),
    }
}

/// A history that grows, second by second.
struct History {
    outbox: Outbox,
    second: i64,
    rules: Rules,
    /// The yard applies no event twice.
    seen: BTreeSet<String>,
}

impl History {
    fn with(channels: &[(&str, Wishes)]) -> Self {
        let channels: BTreeMap<ChannelName, Wishes> = channels
            .iter()
            .map(|(channel, wishes)| (name(channel), wishes.clone()))
            .collect();
        let mut history = Self {
            outbox: Outbox::default(),
            second: 0,
            rules: Rules {
                channels: channels.clone(),
                ..Rules::default()
            },
            seen: BTreeSet::new(),
        };
        for channel in channels.into_keys() {
            history.then(Fact::ChannelOpened { channel });
        }
        history
    }

    fn then(&mut self, fact: Fact) -> MessageId {
        self.by(fact, JobId(1))
    }

    fn by(&mut self, fact: Fact, job: JobId) -> MessageId {
        self.second += 1;
        let event = Event::new(&project(), at(self.second), None, Some(job), fact);
        if self.seen.insert(event.id.clone()) {
            self.outbox.apply(&event);
        }
        id_of(&event)
    }

    fn pending(&self, channel: &str, now: i64) -> Vec<(Sort, MessageId)> {
        self.outbox
            .pending(&name(channel), &[], &self.rules, at(now), &BTreeSet::new())
            .into_iter()
            .filter(|pending| pending.due <= at(now))
            .map(|pending| (pending.sort, pending.id))
            .collect()
    }

    fn deliver(&mut self, channel: &str) -> Vec<MessageId> {
        let messages: Vec<MessageId> = self
            .pending(channel, self.second)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        self.then(Fact::DeliverySucceeded {
            channel: name(channel),
            messages: messages.clone(),
        });
        messages
    }
}

#[test]
fn a_channel_is_told_what_happens_after_it_was_opened_and_once() {
    let mut history = History::with(&[]);
    history.then(rejected(7, 1));
    history
        .rules
        .channels
        .insert(name("team"), Wishes::default());
    assert_eq!(history.pending("team", 50), [], "it is not open");
    history.then(Fact::ChannelOpened {
        channel: name("team"),
    });
    let second = history.then(rejected(7, 2));
    assert_eq!(history.pending("team", 50), [(Sort::Alarm, second.clone())]);
    assert_eq!(history.deliver("team"), [second]);
    assert_eq!(history.pending("team", 50), []);
}

#[test]
fn the_end_of_an_alarm_is_told_to_those_who_got_it_and_to_nobody_else() {
    let mut history = History::with(&[("team", Wishes::default()), ("late", Wishes::default())]);
    let alarm = history.then(release_failed());
    history.deliver("team");
    history.rules.rules.insert(
        "VersionReleased".to_owned(),
        super::super::rules::Rule {
            channels: Some(Vec::new()),
            ..Default::default()
        },
    );
    let end = history.then(released());
    assert_eq!(history.pending("team", 50), [(Sort::Recovery, end.clone())]);
    assert_eq!(
        history.pending("late", 50),
        [],
        "neither the alarm, which is over, nor its end"
    );
    assert_eq!(history.outbox.raised(&end).unwrap().recovers, [alarm]);
}

#[test]
fn trouble_of_the_environment_is_told_once_until_it_is_over() {
    let mut history = History::with(&[("team", Wishes::default())]);
    let abandoned = |trial, reason| Fact::TrialAbandoned {
        trial: TrialId(trial),
        reason,
    };
    history.then(abandoned(1, Abandoned::TargetMoved));
    assert_eq!(history.pending("team", 50), [], "nobody's trouble");
    let first = history.then(abandoned(2, Abandoned::Infrastructure));
    history.deliver("team");
    history.then(abandoned(3, Abandoned::NoVerdict));
    assert_eq!(history.pending("team", 50), [], "told already");
    let verdict = history.then(Fact::TrialValidated { trial: TrialId(4) });
    assert_eq!(history.pending("team", 50), [(Sort::Recovery, verdict)]);
    history.deliver("team");
    let again = history.then(abandoned(5, Abandoned::HolderGone));
    assert_eq!(history.pending("team", 50), [(Sort::Alarm, again.clone())]);
    assert_ne!(first, again);
    let holder = Holder {
        project: project(),
        pipeline: PipelineId(1),
        job: JobId(1),
        user: None,
    };
    history.deliver("team");
    let expired = history.then(Fact::LeaseExpired {
        epoch: Epoch(5),
        holder,
    });
    assert_eq!(history.deliver("team"), [expired]);
    let back = history.then(Fact::LeaseReleased { epoch: Epoch(6) });
    assert_eq!(history.pending("team", 50), [(Sort::Recovery, back)]);
}

#[test]
fn what_one_job_is_sending_no_other_sends_until_it_must_have_died() {
    let mut history = History::with(&[("team", Wishes::default())]);
    let alarm = history.then(rejected(7, 1));
    history.by(
        Fact::DeliveryStarted {
            channel: name("team"),
            messages: vec![alarm.clone()],
        },
        JobId(5),
    );
    let pending = |job, now| {
        history
            .outbox
            .pending(
                &name("team"),
                &[],
                &history.rules,
                at(now),
                &BTreeSet::from([JobId(job)]),
            )
            .len()
    };
    assert_eq!(history.outbox.takers(at(100)), BTreeSet::from([JobId(5)]));
    assert_eq!(pending(6, 100), 0);
    assert_eq!(pending(5, 100), 1, "the job that began is over");
    assert_eq!(pending(6, 700), 1, "ten minutes later");
}

#[test]
fn a_channel_that_fails_is_reported_to_its_fallback_once_and_when_it_works_again() {
    let team = Wishes {
        fallback: Some(name("ops")),
        ..Wishes::default()
    };
    let mut history = History::with(&[("team", team), ("ops", Wishes::default())]);
    history.rules.rules.insert(
        "alarms".to_owned(),
        super::super::rules::Rule {
            channels: Some(vec![name("team")]),
            ..Default::default()
        },
    );
    let alarm = history.then(rejected(7, 1));
    let failed = |job| {
        (
            Fact::DeliveryFailed {
                channel: name("team"),
                messages: vec![alarm.clone()],
                reason: "status 503".into(),
            },
            JobId(job),
        )
    };
    let (fact, job) = failed(1);
    let failure = history.by(fact, job);
    assert_eq!(history.pending("ops", 60), [(Sort::Alarm, failure)]);
    history.deliver("ops");
    let (fact, job) = failed(2);
    history.by(fact, job);
    assert_eq!(history.pending("ops", 60), []);
    let failing = history.outbox.failing(&name("team")).unwrap();
    assert_eq!((failing.times, failing.since), (2, at(4)));
    assert_eq!(failing.again().duration_since(failing.last), FIRST_PAUSE);
    assert_eq!(history.deliver("team"), [alarm]);
    let told = history.pending("ops", 60);
    assert!(
        matches!(told[..], [(Sort::Recovery, _)]),
        "it works again: {told:?}"
    );
}

#[test]
fn quiet_hours_hold_what_is_not_urgent_and_a_digest_collects_it() {
    let night = Calendar {
        quiet: Some(Quiet {
            from: time(0, 0, 0, 0),
            to: time(8, 0, 0, 0),
            days: Vec::new(),
        }),
        ..Calendar::default()
    };
    let digest = Wishes {
        digest: Some(time(9, 30, 0, 0)),
        ..Wishes::default()
    };
    let mut history = History::with(&[("now", Wishes::default()), ("later", digest)]);
    history.rules.calendar = night;
    let held = history.then(rejected(7, 1));
    let urgent = history.then(release_failed());
    for channel in ["now", "later"] {
        assert_eq!(
            history.pending(channel, 60),
            [(Sort::Alarm, urgent.clone())],
            "{channel}"
        );
    }
    let eight = 8 * 3600;
    assert_eq!(history.pending("now", eight - 1).len(), 1);
    assert_eq!(history.pending("now", eight)[0].1, held);
    assert_eq!(history.pending("later", eight).len(), 1);
    assert_eq!(history.pending("later", eight + 5400).len(), 2);
}

#[test]
fn what_is_a_week_old_is_not_worth_sending() {
    let mut history = History::with(&[("team", Wishes::default())]);
    history.then(rejected(7, 1));
    let week = KEPT.as_secs();
    assert_eq!(history.pending("team", week).len(), 1);
    assert_eq!(history.pending("team", week + 60), []);
}

proptest! {
    /// Whatever happens in whatever order: no message is pending on a channel that got it, and an alarm that stands and is
    /// neither taken nor delivered is pending.
    #[test]
    fn nothing_is_told_twice_and_no_standing_alarm_is_lost(steps in prop::collection::vec(0u8..8, 1..40)) {
        let mut history = History::with(&[("team", Wishes::default())]);
        let mut sent: Vec<MessageId> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let n = index as u64;
            match step {
                0 => { history.then(rejected(n % 3, n)); }
                1 => { history.then(Fact::TrialAbandoned { trial: TrialId(n), reason: Abandoned::Infrastructure }); }
                2 => { history.then(Fact::TrialValidated { trial: TrialId(n) }); }
                3 => { history.by(release_failed(), JobId(n)); }
                4 => { history.then(released()); }
                5 => {
                    let messages = history.pending("team", history.second).into_iter().map(|(_, id)| id).collect();
                    let fact = Fact::DeliveryFailed { channel: name("team"), messages, reason: "x".into() };
                    history.by(fact, JobId(n));
                }
                _ => sent.extend(history.deliver("team")),
            }
        }
        let mut once = sent.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), sent.len(), "each id was sent once");
        let pending: Vec<MessageId> = history.pending("team", history.second).into_iter().map(|(_, id)| id).collect();
        for alarm in history.outbox.standing.values().flatten() {
            let known = sent.contains(alarm) || pending.contains(alarm);
            let own = history.outbox.standing.keys().any(|about| about.0 == policy::Matter::Channel && history.outbox.standing[about].contains(alarm));
            prop_assert!(known || own, "{:?}", alarm);
        }
        prop_assert!(SignedDuration::ZERO < KEPT);
    }
}
