//! One turn of a reminder: whom it is for, what it says, and whether it was told before.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{ChannelName, MergeRequestId, UserName};
use crate::domain::notification::letter::{Letter, Sort};
use crate::domain::notification::outbox::Pending;
use crate::domain::notification::reminder::{Turn, Waiting};
use crate::domain::yard::Yard;
use crate::jobs::post::Reminder;
use crate::jobs::{Desk, observe, tell};
use crate::ports::{Answer, Known, OwnNotes, Place};
use crate::report;

/// One turn of a reminder, ready to be told.
pub(super) struct Turned<'a> {
    waiting: &'a Waiting,
    turn: &'a Turn,
    pub(super) people: BTreeSet<UserName>,
    channels: BTreeSet<ChannelName>,
    letter: Letter,
}

impl<'a> Turned<'a> {
    pub(super) fn of(desk: &Desk<'_>, waiting: &'a Waiting, turn: &'a Turn) -> Answer<Self> {
        let rules = &desk.config.notification.rules;
        let (mut people, mut channels) = (waiting.people.clone(), BTreeSet::new());
        let escalation = rules.reminders.of(waiting.kind).escalation.as_ref();
        match escalation.filter(|_| turn.number.is_none()) {
            Some(escalation) => {
                people = observe::holders(desk, &escalation.roles)?
                    .into_values()
                    .flatten()
                    .chain(escalation.users.iter().cloned())
                    .collect();
                channels.extend(escalation.channels.iter().cloned());
            }
            None => {
                let told = rules.channels.keys();
                channels.extend(
                    told.filter(|c| rules.tells(c, waiting.kind.name(), Sort::Reminder))
                        .cloned(),
                );
            }
        }
        let now = desk.clock.now();
        let words =
            report::reminder_words(waiting, now, turn.number.is_none(), &tell::addresses(desk));
        let letter = Letter {
            id: waiting.message(turn),
            sort: Sort::Reminder,
            occasion: waiting.kind.name().to_owned(),
            about: waiting.about.clone(),
            at: turn.due,
            words,
            people: people.iter().cloned().collect(),
            recovers: Vec::new(),
        };
        Ok(Self {
            waiting,
            turn,
            people,
            channels,
            letter,
        })
    }

    /// The merge request on which people are still to be mentioned.
    pub(super) fn to_mention(
        &self,
        desk: &Desk<'_>,
        yard: &Yard,
        notes: &BTreeMap<MergeRequestId, OwnNotes>,
    ) -> Option<MergeRequestId> {
        let rules = &desk.config.notification.rules;
        let key = self.waiting.key(self.turn);
        let told = yard
            .warned
            .contains_key(&(self.waiting.about.to_string(), key.clone()));
        let id = self.waiting.merge_request.clone()?;
        let written = notes
            .get(&id)
            .is_some_and(|notes| notes.contains_key(&tell::kind_of_alert(&key)));
        let wanted = rules.mentions_of(self.waiting.kind.name(), Sort::Reminder);
        (wanted && !told && !written && !self.people.is_empty()).then_some(id)
    }

    pub(super) fn mention(
        &self,
        desk: &Desk<'_>,
        id: &MergeRequestId,
        notes: &BTreeMap<MergeRequestId, OwnNotes>,
    ) -> Answer<()> {
        // Its notes were read a moment ago, or else it is looked for by its marker: written once, whatever died when.
        let known = if notes.contains_key(id) {
            Known::Absent
        } else {
            Known::Unsure
        };
        let kind = tell::kind_of_alert(&self.waiting.key(self.turn));
        let body = report::mention(&self.people, &self.letter.words);
        desk.of(&id.project)?
            .announcements
            .keep_note(&Place::MergeRequest(id.iid), &kind, known, &body)
            .map(drop)
    }

    pub(super) fn for_channels(self) -> Reminder {
        Reminder {
            pending: Pending {
                id: self.letter.id.clone(),
                sort: Sort::Reminder,
                occasion: self.letter.occasion.clone(),
                at: self.turn.due,
                due: self.turn.due,
                digest: false,
            },
            letter: self.letter,
            channels: self.channels,
        }
    }
}
