//! What real jobs recorded, cut at every entry: a base of what was before and the events after it lead to the same decisions as all of it.
//!
//! Scenarios hand their logs over when they are done with them; nothing is kept.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use trainyard::checkpoint::Checkpoint;
use trainyard::domain::event::{Event, Subject};
use trainyard::domain::freezes::Freezes;
use trainyard::domain::ids::MergeRequestId;
use trainyard::domain::notification::rules::Rules;
use trainyard::domain::trials::Policy;
use trainyard::domain::yard::Yard;
use trainyard::sinks::cloud_event;

use crate::stage::Stage;

/// The log of a stage, as `trainyard events` prints it.
pub(crate) fn log(stage: &Stage, flags: &[&str]) -> Vec<Event> {
    let said = stage.gate(&[&["events"], flags].concat()).said;
    cloud_event::read_lines(said.as_bytes()).events
}

/// The same decisions at every cut; with the times as they were, when hardly anything can be forgotten, and with more than a day between
/// any two entries, when all of it is that may be.
pub(crate) fn decide_alike(recorded: &[Event]) {
    assert!(recorded.len() > 10, "{} events", recorded.len());
    for between in [SignedDuration::ZERO, SignedDuration::from_hours(26)] {
        let mut events = recorded.to_vec();
        for (index, event) in events.iter_mut().enumerate() {
            event.at += between * i32::try_from(index).unwrap();
        }
        let whole = Yard::of(&events);
        for cut in 0..=events.len() {
            let (before, after) = events.split_at(cut);
            let before = Yard::of(before);
            let gone = gone(&before, after);
            let state = before.without_the_past(&gone, &Rules::default());
            let packed = Checkpoint::of(&state, 1, Timestamp::UNIX_EPOCH).unwrap();
            let mut yard = packed.open(1).unwrap().state;
            for event in after {
                yard.apply(event);
            }
            let (found, expected) = (asked(&yard, &gone), asked(&whole, &gone));
            let mut lines = found.lines().zip(expected.lines());
            let differs = lines.find(|(one, other)| one != other);
            assert!(
                found == expected,
                "cut after {cut} of {}, {between} apart: {differs:?}",
                events.len()
            );
            let again = yard.clone();
            for event in after {
                yard.apply(event);
            }
            assert_eq!(yard, again, "repeated behind the cut after {cut}");
        }
    }
}

/// The merge requests that nothing is heard of any more, and that do not wait.
fn gone(before: &Yard, after: &[Event]) -> BTreeSet<MergeRequestId> {
    let named: BTreeSet<MergeRequestId> = after
        .iter()
        .filter_map(|event| event.fact.subject().merge_request().cloned())
        .collect();
    before.may_be_gone().difference(&named).cloned().collect()
}

/// What decisions ask of a state, but for merge requests that are gone.
fn asked(yard: &Yard, gone: &BTreeSet<MergeRequestId>) -> String {
    let here = |id: &MergeRequestId| !gone.contains(id);
    let queue = &yard.queue;
    let left: Vec<_> = queue.left.iter().filter(|(id, ..)| here(id)).collect();
    let holds: Vec<_> = queue.holds.iter().filter(|(id, _)| here(id)).collect();
    let of_the_gone: BTreeSet<String> = gone
        .iter()
        .map(|id| Subject::MergeRequest(id.clone()).to_string())
        .collect();
    let of_merge_requests = |about: &str| about.contains('!') && !of_the_gone.contains(about);
    let warned: Vec<_> = yard
        .warned
        .keys()
        .filter(|(about, _)| of_merge_requests(about))
        .collect();
    let alarms: Vec<_> = yard
        .outbox
        .alarms()
        .filter(|raised| raised.event.fact.subject().merge_request().is_none_or(here))
        .collect();
    let versions = &yard.versions;
    let next = yard.next_trial(&Policy::default(), &Freezes::default(), yard.last);
    format!(
        "{:#?}",
        (
            (&queue.tickets, left, holds, &queue.paused, next),
            (&yard.nrt, &yard.search, yard.rejected, &yard.pace),
            (versions.open, &versions.content, &versions.closing),
            (versions.released.last(), &versions.hotfixes),
            (warned, alarms, yard.last),
        )
    )
}
