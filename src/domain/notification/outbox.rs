//! What channels are still to be sent, folded from the log: what was raised minus what was delivered.
//!
//! The log is the outbox: a message is a fact that the policy tells channels, and its id is that of the event. A delivery is
//! recorded before and after, so that two jobs never send the same at once, and a job that dies in between leaves a message
//! that is sent again, once, rather than lost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::letter::Sort;
use super::policy::{self, About, Matter, Tier, Who};
use super::rules::{KEPT, Rules};
use crate::domain::digest::sha256;
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{ChannelName, JobId, MergeRequestId, MessageId, UserName};
use crate::domain::pairs;

/// How long a delivery that has begun is left to the job that began it. Longer than any job may take for it.
pub const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Clocks of runners and the time of a delivery differ by less.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The first pause after a channel has failed twice in a row; each further failure doubles it.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(4);

/// Something that channels may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The message's id, that of the event.
    pub id: MessageId,
    /// Why channels would be told; what is only of interest as the end of an alarm is `Silent`.
    pub tier: Tier,
    /// What happened.
    pub event: Event,
    /// The messages whose matter it ends.
    pub recovers: Vec<MessageId>,
    /// Who must act, as far as the log knows.
    pub people: Vec<UserName>,
}

/// How a channel has been doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// How much had been raised when it was opened; it is told what comes after. `None` before.
    opened: Option<usize>,
    /// What it took, and when.
    delivered: BTreeMap<MessageId, Timestamp>,
    taken: BTreeMap<MessageId, (Timestamp, Option<JobId>)>,
    /// Since when it has failed, if its last delivery did.
    pub failing: Option<Failing>,
}

/// A channel that does not take messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// When it was tried last.
    pub last: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// Why, in our own words.
    pub reason: String,
}

impl Failing {
    /// When a gate job tries it again: at once after the first failure, then in growing steps.
    pub fn again(&self) -> Timestamp {
        let steps = self.times.saturating_sub(2).min(10);
        let pause = if self.times < 2 {
            SignedDuration::ZERO
        } else {
            (FIRST_PAUSE * 2_i32.pow(steps)).min(LONGEST_PAUSE)
        };
        self.last.saturating_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// Everything raised and sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbox {
    raised: Vec<Raised>,
    /// Alarms that have not ended.
    #[serde(with = "pairs")]
    standing: BTreeMap<About, Vec<MessageId>>,
    /// Alarms that have.
    over: BTreeSet<MessageId>,
    /// Whom alarms are for: the authors of change sets that were queued, and who closed the last version.
    #[serde(with = "pairs")]
    authors: BTreeMap<MergeRequestId, UserName>,
    closed_by: Option<UserName>,
    channels: BTreeMap<ChannelName, Service>,
}

impl Outbox {
    /// Forgets what no channel and no job will ask for again:
    ///
    /// - messages that every channel has got or never gets, unless somebody must still act on them, or they ended an alarm that a
    ///   note is about to be edited for;
    /// - ids of delivered messages that are too old to be sent, unless their end is still to be told;
    /// - alarms about merge requests that are gone.
    pub(in crate::domain) fn forget(
        &mut self,
        gone: &BTreeSet<MergeRequestId>,
        rules: &Rules,
        at: Timestamp,
    ) {
        let names: BTreeSet<String> = gone
            .iter()
            .map(|id| Subject::MergeRequest(id.clone()).to_string())
            .collect();
        self.standing
            .retain(|(matter, which), _| *matter != Matter::ChangeSet || !names.contains(which));
        self.authors.retain(|id, _| !gone.contains(id));
        let standing: BTreeSet<MessageId> = self.standing.values().flatten().cloned().collect();
        let of_the_gone = |raised: &Raised| {
            let subject = raised.event.fact.subject();
            subject.merge_request().is_some_and(|id| gone.contains(id))
        };
        let wanted: Vec<bool> = (0..)
            .zip(&self.raised)
            .map(|(index, raised)| {
                let young = at.duration_since(raised.event.at) < KEPT;
                let ended = young && !raised.recovers.is_empty() && !of_the_gone(raised);
                let open = raised.tier == Tier::Alarm
                    && standing.contains(&raised.id)
                    && !self.over.contains(&raised.id);
                ended || open || (young && self.is_owed(index, raised, rules))
            })
            .collect();
        for service in self.channels.values_mut() {
            let before = |opened: usize| wanted.iter().take(opened).filter(|kept| **kept).count();
            service.opened = service.opened.map(before);
        }
        let mut kept = wanted.into_iter();
        self.raised.retain(|_| kept.next() == Some(true));
        let recovered = self.raised.iter().flat_map(|raised| &raised.recovers);
        let named: BTreeSet<MessageId> = recovered.chain(&standing).cloned().collect();
        let own: BTreeSet<&MessageId> = self.raised.iter().map(|raised| &raised.id).collect();
        self.over
            .retain(|id| named.contains(id) || own.contains(id));
        for service in self.channels.values_mut() {
            service.delivered.retain(|id, taken| {
                at.duration_since(*taken) < KEPT + DAY || named.contains(id) || own.contains(id)
            });
            service
                .taken
                .retain(|_, (taken, _)| at.duration_since(*taken) < DAY);
        }
    }

    /// Whether a channel that is served has not got it and is told such things.
    fn is_owed(&self, index: usize, raised: &Raised, rules: &Rules) -> bool {
        self.channels.iter().any(|(channel, service)| {
            service.opened.is_some_and(|opened| opened <= index)
                && !service.delivered.contains_key(&raised.id)
                && self.told(channel, service, raised, rules).is_some()
        })
    }

    /// The state after one more event.
    pub fn apply(&mut self, event: &Event) {
        self.keep_books(event);
        let row = policy::row(&event.fact);
        let id = id_of(event);
        let mut recovers = Vec::new();
        for about in policy::settled_by(&event.fact) {
            recovers.extend(self.standing.remove(&about).unwrap_or_default());
        }
        self.over.extend(recovers.iter().cloned());
        let tier = match policy::raised_by(&event.fact) {
            Some(about) => {
                let told = self.standing.entry(about.clone()).or_default();
                if about.0.is_told_once() && !told.is_empty() {
                    return;
                }
                told.push(id.clone());
                Tier::Alarm
            }
            None if row.tier == Tier::News => Tier::News,
            None => Tier::Silent,
        };
        if tier != Tier::Silent || !recovers.is_empty() {
            self.raised.push(Raised {
                id,
                tier,
                event: event.clone(),
                recovers,
                people: self.people(&event.fact, row.who),
            });
        }
    }

    fn people(&self, fact: &Fact, who: Who) -> Vec<UserName> {
        let person = match (who, fact.subject()) {
            (Who::Author, Subject::MergeRequest(id)) => self.authors.get(&id),
            (Who::ReleaseManagers | Who::Contributors, _) => self.closed_by.as_ref(),
            (Who::Author | Who::Nobody | Who::RoleHolders, _) => None,
        };
        person.into_iter().cloned().collect()
    }

    fn keep_books(&mut self, event: &Event) {
        let raised = self.raised.len();
        if let Fact::ChangeSetQueued { change_set } = &event.fact {
            let id = change_set.merge_request.clone();
            self.authors.insert(id, change_set.author.clone());
            // The author has acted: nobody need be told to any more. That it is over is told when it lands.
            let about = (Matter::ChangeSet, event.fact.subject().to_string());
            let answered = self.standing.get(&about).into_iter().flatten().cloned();
            self.over.extend(answered);
        } else if let Fact::VersionClosed { closed_by, .. } = &event.fact {
            self.closed_by.clone_from(closed_by);
        }
        let Subject::Channel(name) = event.fact.subject() else {
            return;
        };
        let service = self.channels.entry(name).or_default();
        if let Fact::ChannelOpened { .. } = &event.fact {
            service.opened.get_or_insert(raised);
        } else if let Fact::DeliveryStarted { messages, .. } = &event.fact {
            for message in messages {
                service.taken.insert(message.clone(), (event.at, event.job));
            }
        } else if let Fact::DeliverySucceeded { messages, .. } = &event.fact {
            for message in messages {
                service.taken.remove(message);
                service.delivered.insert(message.clone(), event.at);
            }
            service.failing = None;
        } else if let Fact::DeliveryFailed {
            messages, reason, ..
        } = &event.fact
        {
            for message in messages {
                service.taken.remove(message);
            }
            let before = service.failing.take();
            service.failing = Some(Failing {
                since: before.as_ref().map_or(event.at, |failing| failing.since),
                last: event.at,
                times: before.map_or(0, |failing| failing.times) + 1,
                reason: reason.clone(),
            });
        }
    }

    /// Whether a channel is served already.
    pub fn is_open(&self, channel: &ChannelName) -> bool {
        self.channels
            .get(channel)
            .is_some_and(|service| service.opened.is_some())
    }

    /// Why a channel fails, if it does.
    pub fn failing(&self, channel: &ChannelName) -> Option<&Failing> {
        self.channels.get(channel)?.failing.as_ref()
    }

    /// What was raised under an id.
    pub fn raised(&self, id: &MessageId) -> Option<&Raised> {
        self.raised.iter().find(|raised| raised.id == *id)
    }

    /// Whether somebody was alarmed about a change set before it landed.
    pub fn had_trouble(&self, change_set: &MergeRequestId) -> bool {
        self.raised.iter().any(|raised| {
            let landed = matches!(&raised.event.fact, Fact::ChangeSetAppended { appended, .. }
                if appended.change_set.merge_request == *change_set);
            landed && !raised.recovers.is_empty()
        })
    }

    /// Alarms that somebody must still act on, oldest first.
    pub fn alarms(&self) -> impl Iterator<Item = &Raised> {
        self.raised
            .iter()
            .filter(|raised| raised.tier == Tier::Alarm && !self.over.contains(&raised.id))
    }

    /// The last alarm about each change set that has not landed since.
    pub fn unanswered(&self) -> Vec<&Raised> {
        self.standing
            .iter()
            .filter(|((matter, _), _)| *matter == Matter::ChangeSet)
            .filter_map(|(_, ids)| ids.last().filter(|id| !self.over.contains(id)))
            .filter_map(|id| self.raised(id))
            .collect()
    }

    /// The jobs that have begun deliveries and not ended them, as far as they may still be at it.
    pub fn takers(&self, now: Timestamp) -> BTreeSet<JobId> {
        self.channels
            .values()
            .flat_map(|service| service.taken.values())
            .filter(|(at, _)| now.duration_since(*at) < TAKEN_FOR)
            .filter_map(|(_, job)| *job)
            .collect()
    }

    /// What a channel is to be told, oldest first, each now or later. `over` are jobs that send nothing any more: what they
    /// had begun is pending again.
    pub fn pending(
        &self,
        channel: &ChannelName,
        reminders: &[Pending],
        rules: &Rules,
        now: Timestamp,
        over: &BTreeSet<JobId>,
    ) -> Vec<Pending> {
        let Some(service) = self.channels.get(channel) else {
            return Vec::new();
        };
        let Some(opened) = service.opened else {
            return Vec::new();
        };
        let told = self
            .raised
            .iter()
            .skip(opened)
            .filter_map(|raised| self.told(channel, service, raised, rules));
        told.chain(reminders.iter().cloned())
            .filter(|pending| !service.delivered.contains_key(&pending.id))
            .filter(|pending| !service.is_taken(&pending.id, now, over))
            .filter(|pending| now.duration_since(pending.at) < KEPT)
            .map(|pending| pending.timed(channel, rules))
            .collect()
    }

    fn told(
        &self,
        channel: &ChannelName,
        service: &Service,
        raised: &Raised,
        rules: &Rules,
    ) -> Option<Pending> {
        let occasion = raised.event.fact.name();
        let recovers = raised
            .recovers
            .iter()
            .any(|alarm| service.delivered.contains_key(alarm));
        let of_channel = match raised.event.fact.subject() {
            Subject::Channel(name) => Some(name),
            Subject::MergeRequest(_)
            | Subject::Environment
            | Subject::Trial(_)
            | Subject::Version(_) => None,
        };
        let told = match raised.tier {
            // Nobody is told first when it is over that something was wrong.
            Tier::Alarm if self.over.contains(&raised.id) => false,
            Tier::Alarm => match of_channel {
                Some(broken) => {
                    rules
                        .channels
                        .get(&broken)
                        .and_then(|wishes| wishes.fallback.as_ref())
                        == Some(channel)
                }
                None => rules.tells(channel, occasion, Sort::Alarm),
            },
            Tier::News => rules.tells(channel, occasion, Sort::News),
            Tier::Silent | Tier::Edited => false,
        };
        let sort = match (recovers, raised.tier) {
            (true, _) => Sort::Recovery,
            (false, Tier::Alarm) => Sort::Alarm,
            (false, Tier::News | Tier::Silent | Tier::Edited) => Sort::News,
        };
        (told || recovers).then(|| Pending {
            id: raised.id.clone(),
            sort,
            occasion: occasion.to_owned(),
            at: raised.event.at,
            due: raised.event.at,
            digest: false,
        })
    }
}

impl Service {
    fn is_taken(&self, id: &MessageId, now: Timestamp, over: &BTreeSet<JobId>) -> bool {
        self.taken.get(id).is_some_and(|(at, by)| {
            let ended = by.is_some_and(|job| over.contains(&job));
            !ended && now.duration_since(*at) < TAKEN_FOR
        })
    }
}

/// A message that a channel has not got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its id.
    pub id: MessageId,
    /// Why it is sent.
    pub sort: Sort,
    /// The fact or the kind of reminder.
    pub occasion: String,
    /// When its cause happened.
    pub at: Timestamp,
    /// When it may go out.
    pub due: Timestamp,
    /// Whether it waits for the channel's digest.
    pub digest: bool,
}

impl Pending {
    fn timed(self, channel: &ChannelName, rules: &Rules) -> Self {
        if rules.is_urgent(&self.occasion, self.sort) {
            return self;
        }
        let digest = rules.channels.get(channel).and_then(|wishes| wishes.digest);
        let from = digest.map_or(self.at, |time| rules.calendar.next(time, self.at));
        Self {
            due: rules.calendar.loud_from(from),
            digest: digest.is_some(),
            ..self
        }
    }
}

/// The id of the message that tells an event.
pub fn id_of(event: &Event) -> MessageId {
    event
        .id
        .get(..16)
        .and_then(|start| start.parse().ok())
        .unwrap_or_else(|| id_from(&event.id))
}

/// An id made of any text: the same text, the same id.
pub fn id_from(text: &str) -> MessageId {
    sha256(text)[..16]
        .parse()
        .expect("eight bytes are sixteen hexadecimal digits")
}

#[cfg(test)]
mod tests;
