//! A base decides as the history before it would, and is no larger than it must be.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::controls::Order;
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::freezes::Freezes;
use crate::domain::ids::{ChannelName, MergeRequestId};
use crate::domain::linking::LinkKind;
use crate::domain::notification::outbox::id_of;
use crate::domain::notification::rules::{Rules, Wishes};
use crate::domain::trials::Policy;
use crate::insights::story::{Story, minute, mr};

/// One channel, which is told everything.
fn rules() -> Rules {
    Rules {
        channels: [(channel(), Wishes::default())].into(),
        ..Rules::default()
    }
}

fn channel() -> ChannelName {
    "team".parse().unwrap()
}

fn order(minutes: i64) -> Order {
    Order {
        person: None,
        reason: "why".into(),
        given_at: minute(minutes),
    }
}

/// One thing after the other, as no real project would do it: `(what, which, minutes later)`.
fn history(steps: &[(u8, u64, i64)]) -> Vec<Event> {
    let mut story = Story {
        title: "A change".into(),
        ..Story::default()
    };
    let (mut now, mut trial, mut version) = (0, 0, 1);
    let mut served = false;
    let mut open: Vec<u64> = Vec::new();
    let mut content: Vec<u64> = Vec::new();
    for (what, which, later) in steps {
        now += later;
        let iid = *which;
        match what {
            0 | 1 if !content.contains(&iid) && !open.contains(&iid) => {
                story.linked(now, iid, 1, LinkKind::Closes);
                story.queued(now, iid, &[(1, LinkKind::Closes)]);
                open.push(iid);
            }
            2..=5 if !open.is_empty() => {
                let first = open[0];
                trial += 1;
                story.tried(now, trial, &[first]);
                match what {
                    2 => {
                        story.abandoned(now + 5, trial);
                    }
                    3 => {
                        story.failed(now + 5, trial, first, "red");
                        open.remove(0);
                    }
                    _ => {
                        story.passed(
                            now + 5,
                            trial,
                            version,
                            &[(first, &[(1, LinkKind::Closes)])],
                        );
                        open.remove(0);
                        content.push(first);
                    }
                }
                now += 5;
            }
            6 => {
                story.add(
                    now,
                    Fact::ChangeSetHeld {
                        merge_request: mr(iid),
                        order: order(now),
                        until: None,
                        label: None,
                    },
                );
            }
            7 => {
                story.add(now, Fact::QueuePaused { order: order(now) });
                story.add(
                    now + 1,
                    Fact::QueueResumed {
                        order: order(now + 1),
                    },
                );
            }
            8 => {
                let about = Subject::MergeRequest(mr(iid));
                story.add(
                    now,
                    Fact::ContributorWarned {
                        about,
                        alert: format!("{now}"),
                        people: Vec::new(),
                    },
                );
            }
            9 if !content.is_empty() => {
                story.closed(now, version, &content);
                story.released(now + 1, version, &[]);
                version += 1;
                content.clear();
            }
            10 if !served => {
                served = true;
                story.add(now, Fact::ChannelOpened { channel: channel() });
            }
            11 => {
                let messages = story.events.iter().rev().take(4).map(id_of).collect();
                story.add(
                    now,
                    Fact::DeliverySucceeded {
                        channel: channel(),
                        messages,
                    },
                );
            }
            12 => {
                let messages = story.events.iter().rev().take(2).map(id_of).collect();
                let reason = "it was down".to_owned();
                story.add(
                    now,
                    Fact::DeliveryFailed {
                        channel: channel(),
                        messages,
                        reason,
                    },
                );
            }
            _ => {}
        }
    }
    story.events
}

/// The merge requests that nothing is heard of after a cut, and that do not wait there.
fn gone(before: &Yard, later: &[Event]) -> BTreeSet<MergeRequestId> {
    let named: BTreeSet<MergeRequestId> = later
        .iter()
        .filter_map(|event| event.fact.subject().merge_request().cloned())
        .collect();
    before.may_be_gone().difference(&named).cloned().collect()
}

/// What decisions ask of a state, but for merge requests that are gone.
fn asked(yard: &Yard, gone: &BTreeSet<MergeRequestId>, all: &[Event]) -> String {
    let here = |id: &MergeRequestId| !gone.contains(id);
    let left: Vec<_> = yard.queue.left.iter().filter(|(id, ..)| here(id)).collect();
    let holds: Vec<_> = yard.queue.holds.iter().filter(|(id, _)| here(id)).collect();
    let next = yard.next_trial(&Policy::default(), &Freezes::default(), yard.last);
    let warned: Vec<_> = yard
        .warned
        .keys()
        .filter(|(about, _)| {
            gone.iter()
                .all(|id| *about != Subject::MergeRequest(id.clone()).to_string())
        })
        .collect();
    let known: Vec<bool> = all
        .iter()
        .filter(|event| event.fact.subject().merge_request().is_some_and(here))
        .map(|event| yard.has(event))
        .collect();
    let of_the_gone = |event: &Event| {
        event
            .fact
            .subject()
            .merge_request()
            .is_some_and(|id| !here(id))
    };
    let alarms: Vec<_> = yard
        .outbox
        .alarms()
        .filter(|raised| !of_the_gone(&raised.event))
        .collect();
    let unanswered: Vec<_> = yard
        .outbox
        .unanswered()
        .into_iter()
        .filter(|raised| !of_the_gone(&raised.event))
        .collect();
    let rules = rules();
    let none = BTreeSet::new();
    let pending: Vec<_> = yard
        .outbox
        .pending(&channel(), &[], &rules, yard.last, &none)
        .into_iter()
        .filter(|pending| {
            let raised = all.iter().find(|event| id_of(event) == pending.id);
            raised.is_none_or(|event| !of_the_gone(event))
        })
        .collect();
    let released = yard.versions.released.last();
    let failing = yard.outbox.failing(&channel());
    format!(
        "{:#?}",
        (
            (&yard.queue.tickets, left, holds, &yard.queue.paused),
            (
                &yard.nrt,
                &yard.search,
                yard.rejected,
                &yard.pace,
                yard.last
            ),
            (
                yard.versions.open,
                &yard.versions.content,
                &yard.versions.closing,
                released
            ),
            (next, warned, known, alarms, unanswered, pending, failing),
        )
    )
}

fn steps() -> impl Strategy<Value = Vec<(u8, u64, i64)>> {
    prop::collection::vec(
        (0u8..13, 1u64..9, prop_oneof![0i64..40, 600i64..3_000]),
        1..80,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A base with what came after it, and all of the history, lead to the same decisions: cut anywhere, once and twice, packed and
    /// unpacked, with everything forgotten that may be.
    #[test]
    fn a_base_and_what_came_after_it_decide_as_all_of_the_history(steps in steps(), cut in any::<prop::sample::Index>(), again in any::<prop::sample::Index>()) {
        let all = history(&steps);
        prop_assume!(!all.is_empty());
        let first = cut.index(all.len());
        let second = first + again.index(all.len() - first);
        let mut yard = Yard::of(&all[..first]);
        let mut forgotten = gone(&yard, &all[first..]);
        let base = |yard: &Yard, forgotten: &BTreeSet<MergeRequestId>| {
            let state = yard.without_the_past(forgotten, &rules());
            let packed = Checkpoint::of(&state, 1, Timestamp::UNIX_EPOCH).unwrap();
            packed.open(1).unwrap().state
        };
        yard = base(&yard, &forgotten);
        for event in &all[first..second] {
            yard.apply(event);
        }
        forgotten.extend(gone(&yard, &all[second..]));
        yard = base(&yard, &forgotten);
        for event in &all[second..] {
            yard.apply(event);
        }
        let whole = Yard::of(&all);
        let (found, expected) = (asked(&yard, &forgotten, &all), asked(&whole, &forgotten, &all));
        let differs = found.lines().zip(expected.lines()).find(|(one, other)| one != other);
        prop_assert!(found == expected, "{differs:?}");
        // Repeated events change nothing behind a base either.
        let mut twice = yard.clone();
        for event in &all[second..] {
            twice.apply(event);
        }
        prop_assert_eq!(twice, yard);
    }
}

/// A state with so many open tickets, and so many change sets in the open version, after a past of so many.
fn busy(past: u64, waiting: u64, landed: u64) -> (Yard, BTreeSet<MergeRequestId>) {
    let mut story = Story {
        title: "Show the price per unit next to the total in the basket".into(),
        ..Story::default()
    };
    let links: &[(u64, LinkKind)] = &[(7, LinkKind::Closes)];
    let (mut now, mut trial, mut version, mut content) = (0, 0, 1, Vec::new());
    let mut land = |story: &mut Story, iid: u64, now: i64, version: u64| {
        trial += 1;
        story.linked(now, iid, 7, LinkKind::Closes);
        story
            .verdict(now, iid, 7, "po", None)
            .verdict(now, iid, 7, "qa", None);
        story.queued(now, iid, links).tried(now + 1, trial, &[iid]);
        story.passed(now + 9, trial, version, &[(iid, links)]);
    };
    for iid in 1..=past {
        now += 60;
        land(&mut story, iid, now, version);
        content.push(iid);
        if content.len() == 20 {
            story
                .closed(now + 10, version, &content)
                .released(now + 11, version, &[]);
            version += 1;
            content.clear();
        }
    }
    if !content.is_empty() {
        story
            .closed(now + 10, version, &content)
            .released(now + 11, version, &[]);
        version += 1;
    }
    now += 3 * 24 * 60;
    for iid in past + 1..=past + landed {
        now += 30;
        land(&mut story, iid, now, version);
    }
    for iid in past + landed + 1..=past + landed + waiting {
        now += 1;
        story
            .verdict(now, iid, 7, "po", None)
            .verdict(now, iid, 7, "qa", None);
        story.queued(now, iid, links);
    }
    (
        Yard::of(&story.events),
        (1..=past + landed).map(mr).collect(),
    )
}

#[test]
fn a_base_is_as_large_as_what_waits_and_is_not_released_whatever_was_before() {
    let size = |past| {
        let (yard, gone) = busy(past, 100, 100);
        let state = yard.without_the_past(&gone, &rules());
        let packed = Checkpoint::of(&state, 1, Timestamp::UNIX_EPOCH).unwrap();
        (
            packed.state.len(),
            serde_json::to_string(&state).unwrap().len(),
        )
    };
    let (few, many) = (size(10), size(2_000));
    // The last version that was released stays whole: 20 change sets instead of 10.
    assert!(many.0 < few.0 + few.0 / 8, "{few:?} {many:?}");
    assert!(many.0 < 60_000, "{many:?}");
}
