//! Hands the project's channels what they are still to be told: at the end of every gate job, and in `remind`.
//!
//! A delivery is recorded before and after. A channel that does not take its messages never fails a job: it is reported once,
//! and tried again by later jobs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::ledger::{Decision, Ledger};
use super::{Desk, tell};
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{ChannelName, FeatureId, JobId, MessageId};
use crate::domain::linking::Sight;
use crate::domain::notification::letter::{Letter, Sort};
use crate::domain::notification::outbox::{Pending, Raised, id_from};
use crate::domain::notification::rounds::Handed;
use crate::domain::yard::Yard;
use crate::ports::Answer;
use crate::report::{self, Discretion};

/// The most messages that one job hands to one channel.
const MOST_AT_ONCE: usize = 10;
/// The most jobs that GitLab is asked about.
const MOST_ASKED_FOR: usize = 5;
/// How long a gate job hands out messages before it leaves the rest to a later one.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// How long `remind` does.
const LONGER_PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// How often a job looks again: what failed, or works again, is itself something to tell.
const ROUNDS: usize = 2;

/// A reminder, for the channels that are told of it.
#[derive(Debug, Clone)]
pub(super) struct Reminder {
    pub(super) pending: Pending,
    pub(super) letter: Letter,
    pub(super) channels: BTreeSet<ChannelName>,
}

/// Whether channels that have failed are tried at once, or in growing steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eagerness {
    /// A gate job: it has other things to do.
    Patient,
    /// `remind`: it is there for that.
    Eager,
}

/// Delivers at the end of a gate job.
///
/// # Errors
/// When the log can be neither read nor written.
pub fn run(desk: &Desk<'_>) -> Answer<Vec<Event>> {
    if desk.config.notification.channels.is_empty() {
        return Ok(Vec::new());
    }
    let ledger = Ledger::new(*desk);
    deliver(desk, &ledger, &[], Eagerness::Patient)?;
    Ok(ledger.into_events())
}

/// Delivers what is due.
pub(super) fn deliver(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    reminders: &[Reminder],
    eagerness: Eagerness,
) -> Answer<Vec<Handed>> {
    open(desk, ledger)?;
    let mut handed = Vec::new();
    let mut tried = BTreeSet::new();
    let patience = match eagerness {
        Eagerness::Patient => PATIENCE,
        Eagerness::Eager => LONGER_PATIENCE,
    };
    let begun = desk.clock.now();
    for _ in 0..ROUNDS {
        let claimed = claim(desk, ledger, reminders, eagerness, &tried)?;
        if claimed.is_empty() {
            break;
        }
        let yard = ledger.yard()?;
        let mut facts = Vec::new();
        for (channel, letters) in written(desk, &yard, claimed, reminders)? {
            // What is left is pending again when this job has ended.
            if desk.clock.now().duration_since(begun) > patience {
                tracing::info!(channel = %channel, "no time left; a later job tells this channel");
                continue;
            }
            let delivery = desk.channels.deliver(&channel, &letters);
            let (taken, left) = letters.split_at(delivery.taken.min(letters.len()));
            if !taken.is_empty() {
                facts.push(Fact::DeliverySucceeded {
                    channel: channel.clone(),
                    messages: ids(taken),
                });
            }
            let failure = delivery.failure.map(|failure| {
                let new = yard.outbox.failing(&channel).is_none();
                if new {
                    tracing::warn!(channel = %channel, mend = failure.mend, "the channel takes no messages: {}", failure.reason);
                } else {
                    tracing::info!(channel = %channel, "the channel still takes no messages: {}", failure.reason);
                }
                facts.push(Fact::DeliveryFailed {
                    channel: channel.clone(),
                    messages: ids(left),
                    reason: failure.reason.clone(),
                });
                format!("{} ({})", failure.reason, failure.mend)
            });
            tried.insert(channel.clone());
            handed.push(Handed {
                channel,
                taken: taken.to_vec(),
                failure,
            });
        }
        ledger.record(&facts)?;
    }
    Ok(handed)
}

/// A message that only tries a channel out; each one is new.
pub fn test_letter(desk: &Desk<'_>, channel: &ChannelName) -> Letter {
    let now = desk.clock.now();
    Letter {
        id: id_from(&format!("test {channel} {now}")),
        sort: Sort::Test,
        occasion: "test".to_owned(),
        about: Subject::Channel(channel.clone()),
        at: now,
        words: report::test_words(&tell::addresses(desk)),
        people: Vec::new(),
        recovers: Vec::new(),
    }
}

fn ids(letters: &[Letter]) -> Vec<MessageId> {
    letters.iter().map(|letter| letter.id.clone()).collect()
}

/// A channel that is new is told what happens from now on, not the past.
fn open(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<()> {
    ledger.decide(|yard| {
        let new = desk.config.notification.channels.keys();
        let new = new.filter(|channel| !yard.outbox.is_open(channel));
        let facts = new.map(|channel| Fact::ChannelOpened {
            channel: channel.clone(),
        });
        Ok(Decision {
            facts: facts.collect(),
            then: (),
        })
    })
}

/// Everything that channels have not got, each with the channel.
pub(super) fn pending(
    desk: &Desk<'_>,
    yard: &Yard,
    reminders: &[Reminder],
    over: &BTreeSet<JobId>,
) -> Vec<(ChannelName, Vec<Pending>)> {
    let now = desk.clock.now();
    let of = |channel: &ChannelName| {
        let reminders: Vec<Pending> = reminders
            .iter()
            .filter(|reminder| reminder.channels.contains(channel))
            .map(|reminder| reminder.pending.clone())
            .collect();
        let rules = &desk.config.notification.rules;
        yard.outbox.pending(channel, &reminders, rules, now, over)
    };
    let channels = desk.config.notification.channels.keys();
    channels
        .map(|channel| (channel.clone(), of(channel)))
        .collect()
}

/// Jobs that have begun a delivery and will not end it: this one, when it died and was started again, and those that GitLab
/// says have ended.
pub(super) fn over(desk: &Desk<'_>, yard: &Yard) -> BTreeSet<JobId> {
    let takers = yard.outbox.takers(desk.clock.now());
    takers
        .into_iter()
        .take(MOST_ASKED_FOR)
        .filter(|job| *job == desk.ci.job || desk.records.is_over(*job).unwrap_or(false))
        .collect()
}

/// Takes what is due, so that no other job sends it meanwhile.
fn claim(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    reminders: &[Reminder],
    eagerness: Eagerness,
    tried: &BTreeSet<ChannelName>,
) -> Answer<Vec<(ChannelName, Vec<Pending>)>> {
    let over = over(desk, &ledger.yard()?);
    ledger.decide(|yard| {
        let now = desk.clock.now();
        let mut due = pending(desk, yard, reminders, &over);
        due.retain(|(channel, _)| {
            let rests = yard
                .outbox
                .failing(channel)
                .is_some_and(|failing| failing.again() > now);
            !tried.contains(channel) && (eagerness == Eagerness::Eager || !rests)
        });
        for (_, pending) in &mut due {
            pending.retain(|pending| pending.due <= now);
            pending.truncate(MOST_AT_ONCE);
        }
        due.retain(|(_, pending)| !pending.is_empty());
        let facts = due.iter().map(|(channel, pending)| Fact::DeliveryStarted {
            channel: channel.clone(),
            messages: pending.iter().map(|pending| pending.id.clone()).collect(),
        });
        Ok(Decision {
            facts: facts.collect(),
            then: due,
        })
    })
}

/// The messages, in words.
fn written(
    desk: &Desk<'_>,
    yard: &Yard,
    claimed: Vec<(ChannelName, Vec<Pending>)>,
    reminders: &[Reminder],
) -> Answer<Vec<(ChannelName, Vec<Letter>)>> {
    let ids = claimed.iter().flat_map(|(_, pending)| pending);
    let raised: Vec<&Raised> = ids
        .filter_map(|pending| yard.outbox.raised(&pending.id))
        .collect();
    let public = public_features(desk, &raised);
    let letter = |pending: &Pending| {
        let reminder = reminders
            .iter()
            .find(|reminder| reminder.pending.id == pending.id);
        if let Some(reminder) = reminder {
            return Some(reminder.letter.clone());
        }
        let raised = yard.outbox.raised(&pending.id)?;
        let features = raised.event.fact.features();
        let discretion = if features.iter().all(|feature| public.contains(feature)) {
            Discretion::Open
        } else {
            Discretion::Withheld
        };
        Some(report::letter(
            pending,
            raised,
            discretion,
            &tell::addresses(desk),
        ))
    };
    Ok(claimed
        .into_iter()
        .map(|(channel, pending)| (channel, pending.iter().filter_map(letter).collect()))
        .collect())
}

/// The features of whose merge requests titles and reasons may be told outside of GitLab. Asked for only when there are such
/// messages, and nothing is told when GitLab does not answer.
fn public_features(desk: &Desk<'_>, raised: &[&Raised]) -> BTreeSet<FeatureId> {
    let tells_text = |fact: &Fact| {
        matches!(
            fact,
            Fact::FeatureRejected { .. } | Fact::ChangeSetAppended { .. }
        )
    };
    let features: BTreeSet<FeatureId> = raised
        .iter()
        .filter(|raised| tells_text(&raised.event.fact))
        .flat_map(|raised| raised.event.fact.features())
        .collect();
    if features.is_empty() {
        return features;
    }
    let asked: Vec<FeatureId> = features.into_iter().collect();
    let sights: BTreeMap<FeatureId, Sight> = desk.features.sights(&asked).unwrap_or_default();
    sights
        .into_iter()
        .filter(|(_, sight)| sight.seen().is_some_and(|feature| !feature.confidential))
        .map(|(id, _)| id)
        .collect()
}
