//! What has waited too long: when people are reminded, how often, and when somebody else is told.
//!
//! Nothing is stored: the turns of a reminder follow from the instant since which something waits, so every run comes to the
//! same ones, and what went out is known by its id.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendar;
use super::outbox::id_from;
use crate::domain::event::{Fact, Subject};
use crate::domain::ids::{ChannelName, CommitSha, MergeRequestId, MessageId, RoleName, UserName};

/// What can wait too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A role has been asked for its verdict.
    ValidationWaiting,
    /// A merge request that names a feature is a draft, and nobody works on it.
    DraftStale,
    /// A change set is in the queue.
    TicketWaiting,
    /// A run holds the NRT environment.
    LeaseHeld,
    /// A trial waits for a person's verdict, and holds the environment meanwhile.
    VerdictWaiting,
    /// A version is closed and not released.
    ReleaseWaiting,
    /// The author was told of trouble, and has done nothing since.
    AlarmUnanswered,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ValidationWaiting,
        Self::DraftStale,
        Self::TicketWaiting,
        Self::LeaseHeld,
        Self::VerdictWaiting,
        Self::ReleaseWaiting,
        Self::AlarmUnanswered,
    ];

    /// Its name in configuration, output and payloads.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidationWaiting => "validation_waiting",
            Self::DraftStale => "draft_stale",
            Self::TicketWaiting => "ticket_waiting",
            Self::LeaseHeld => "lease_held",
            Self::VerdictWaiting => "verdict_waiting",
            Self::ReleaseWaiting => "release_waiting",
            Self::AlarmUnanswered => "alarm_unanswered",
        }
    }

    /// What waits, and who is reminded, for the documentation.
    pub fn meaning(self) -> (&'static str, &'static str) {
        match self {
            Self::ValidationWaiting => ("a role has not given its verdict", "people of the role"),
            Self::DraftStale => ("a draft that names a feature has no new pipeline", "author"),
            Self::TicketWaiting => ("a change set waits in the queue", "people who may release"),
            Self::LeaseHeld => ("a run holds the NRT environment", "people who may release"),
            Self::VerdictWaiting => (
                "a trial waits for a person's verdict",
                "people of `nrt.roles`",
            ),
            Self::ReleaseWaiting => (
                "a version is closed and not released",
                "who closed it, or people who may release",
            ),
            Self::AlarmUnanswered => (
                "a rejected, conflicting or withdrawn change set has no new commit",
                "author",
            ),
        }
    }

    fn usual(self) -> Cadence {
        let (after, every, most) = match self {
            Self::ValidationWaiting => (4, 24, 5),
            Self::DraftStale => (14 * 24, 7 * 24, 2),
            Self::TicketWaiting => (24, 24, 3),
            Self::LeaseHeld => (4, 4, 3),
            Self::VerdictWaiting => (1, 4, 5),
            Self::ReleaseWaiting => (4, 12, 3),
            Self::AlarmUnanswered => (3 * 24, 7 * 24, 2),
        };
        Cadence {
            after: SignedDuration::from_hours(after),
            every: SignedDuration::from_hours(every),
            most,
            escalation: None,
        }
    }
}

/// When one kind is reminded of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cadence {
    /// First after so long.
    pub after: SignedDuration,
    /// Then every so often.
    pub every: SignedDuration,
    /// At most so many times; 0 switches it off.
    pub most: u32,
    /// Who else is told, once.
    pub escalation: Option<Escalation>,
}

/// Who is told when reminders did not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// After so long, counted from the same beginning.
    pub after: SignedDuration,
    /// People by name.
    pub users: BTreeSet<UserName>,
    /// The people of these roles.
    pub roles: Vec<RoleName>,
    /// Channels, beside those that get the reminders.
    pub channels: Vec<ChannelName>,
}

/// When who is reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminders(BTreeMap<Kind, Cadence>);

impl Default for Reminders {
    fn default() -> Self {
        Self(Kind::ALL.map(|kind| (kind, kind.usual())).into())
    }
}

impl Reminders {
    /// How a kind is reminded of.
    pub fn of(&self, kind: Kind) -> &Cadence {
        self.0
            .get(&kind)
            .expect("every kind is put in when the value is made, and none is taken out")
    }

    /// Changes how a kind is reminded of.
    pub fn set(&mut self, kind: Kind, change: impl FnOnce(&mut Cadence)) {
        change(self.0.entry(kind).or_insert_with(|| kind.usual()));
    }
}

/// Something that waits, with whoever could end that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What kind of thing.
    pub kind: Kind,
    /// What exactly.
    pub about: Subject,
    /// What tells this wait from an earlier one of the same subject: the content, the ticket, the lease.
    pub which: String,
    /// Since when.
    pub since: Timestamp,
    /// Who could end it.
    pub people: BTreeSet<UserName>,
    /// What is awaited, in words: roles, a lease. Untrusted.
    pub detail: String,
    /// The merge request on which people are mentioned, if there is one.
    pub merge_request: Option<MergeRequestId>,
}

/// One turn of a reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The first is 1; `None` is the escalation.
    pub number: Option<u32>,
    /// When it may go out.
    pub due: Timestamp,
}

/// What is due now, and when the next turn is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// The latest turn that is due, and the escalation if it is. Earlier turns that nobody sent are left out.
    pub due: Vec<Turn>,
    /// When there is more.
    pub next: Option<Timestamp>,
}

impl Waiting {
    /// The turns of this wait.
    pub fn turns(&self, cadence: &Cadence, calendar: &Calendar, now: Timestamp) -> Turns {
        let mut turns = Turns::default();
        if cadence.most == 0 {
            return turns;
        }
        let at = |passed: SignedDuration| {
            let instant = self.since.saturating_add(passed).unwrap_or(Timestamp::MAX);
            calendar.loud_from(instant)
        };
        let regular = (1..=cadence.most).map(|number| {
            let number_of_steps = i32::try_from(number - 1).unwrap_or(i32::MAX);
            let passed = cadence
                .every
                .checked_mul(number_of_steps)
                .and_then(|steps| steps.checked_add(cadence.after))
                .unwrap_or(SignedDuration::MAX);
            (Some(number), at(passed))
        });
        let escalation = cadence
            .escalation
            .iter()
            .map(|escalation| (None, at(escalation.after)));
        let all: Vec<Turn> = regular
            .chain(escalation)
            .map(|(number, due)| Turn { number, due })
            .collect();
        let latest = all
            .iter()
            .rfind(|turn| turn.number.is_some() && turn.due <= now);
        let escalated = all
            .iter()
            .find(|turn| turn.number.is_none() && turn.due <= now);
        turns.due = latest.into_iter().chain(escalated).cloned().collect();
        turns.next = all
            .iter()
            .map(|turn| turn.due)
            .filter(|due| *due > now)
            .min();
        turns
    }

    /// What tells a turn of this wait from any other: the key of its note.
    pub fn key(&self, turn: &Turn) -> String {
        let number = turn
            .number
            .map_or("escalated".to_owned(), |number| number.to_string());
        format!("{} {} {number}", self.kind.name(), self.which)
    }

    /// The id of its message.
    pub fn message(&self, turn: &Turn) -> MessageId {
        id_from(&format!("{} {}", self.about, self.key(turn)))
    }

    /// The fact that people were reminded.
    pub fn reminded(&self, turn: &Turn, people: &BTreeSet<UserName>) -> Fact {
        Fact::ContributorWarned {
            about: self.about.clone(),
            alert: self.key(turn),
            people: people.iter().cloned().collect(),
        }
    }
}

/// The head that an alarm about a change set was raised on, for facts that are such an alarm.
pub fn head_of_alarm(fact: &Fact) -> Option<&CommitSha> {
    if let Fact::ChangeSetRejected { head, .. }
    | Fact::ChangeSetConflicted { head, .. }
    | Fact::ChangeSetWithdrawn { head, .. } = fact
    {
        return Some(head);
    }
    if let Fact::FeatureRejected { verdict, .. } = fact {
        return Some(&verdict.commit);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waiting(kind: Kind) -> Waiting {
        let merge_request = MergeRequestId {
            project: "shop/web".parse().unwrap(),
            iid: 7,
        };
        Waiting {
            kind,
            about: Subject::MergeRequest(merge_request.clone()),
            which: "abcd".into(),
            since: Timestamp::UNIX_EPOCH,
            people: BTreeSet::new(),
            detail: String::new(),
            merge_request: Some(merge_request),
        }
    }

    fn hours(n: i64) -> Timestamp {
        Timestamp::from_second(n * 3600).unwrap()
    }

    fn cadence() -> Cadence {
        Cadence {
            after: SignedDuration::from_hours(4),
            every: SignedDuration::from_hours(24),
            most: 3,
            escalation: Some(Escalation {
                after: SignedDuration::from_hours(30),
                users: BTreeSet::new(),
                roles: Vec::new(),
                channels: Vec::new(),
            }),
        }
    }

    #[test]
    fn reminders_come_first_then_every_so_often_then_no_more() {
        let calendar = Calendar::default();
        for (now, due, next) in [
            (3, vec![], Some(4)),
            (4, vec![Some(1)], Some(28)),
            (27, vec![Some(1)], Some(28)),
            (29, vec![Some(2)], Some(30)),
            (31, vec![Some(2), None], Some(52)),
            (500, vec![Some(3), None], None),
        ] {
            let turns = waiting(Kind::ValidationWaiting).turns(&cadence(), &calendar, hours(now));
            let numbers: Vec<Option<u32>> = turns.due.iter().map(|turn| turn.number).collect();
            assert_eq!((numbers, turns.next), (due, next.map(hours)), "hour {now}");
        }
        let off = Cadence {
            most: 0,
            ..cadence()
        };
        assert_eq!(
            waiting(Kind::DraftStale).turns(&off, &calendar, hours(500)),
            Turns::default(),
            "switched off, escalation and all"
        );
    }

    #[test]
    fn each_turn_of_each_wait_has_an_id_of_its_own() {
        let turn = |number| Turn {
            number,
            due: hours(4),
        };
        let mut other = waiting(Kind::ValidationWaiting);
        other.which = "efgh".into();
        let ids: BTreeSet<MessageId> = [
            waiting(Kind::ValidationWaiting).message(&turn(Some(1))),
            waiting(Kind::ValidationWaiting).message(&turn(Some(2))),
            waiting(Kind::ValidationWaiting).message(&turn(None)),
            waiting(Kind::DraftStale).message(&turn(Some(1))),
            other.message(&turn(Some(1))),
        ]
        .into();
        assert_eq!(ids.len(), 5);
    }

    proptest! {
        /// However often a run looks, and whenever: the turns seen are at most `most` and the escalation, in order.
        #[test]
        fn no_wait_has_more_turns_than_allowed(after in 1i64..100, every in 1i64..100, most in 0u32..6, looks in prop::collection::vec(0i64..2_000, 1..30)) {
            let cadence = Cadence { after: SignedDuration::from_hours(after), every: SignedDuration::from_hours(every), most, escalation: None };
            let mut seen = BTreeSet::new();
            for look in looks {
                let turns = waiting(Kind::TicketWaiting).turns(&cadence, &Calendar::default(), hours(look));
                prop_assert!(turns.due.len() <= 1);
                for turn in turns.due {
                    prop_assert!(turn.due <= hours(look));
                    seen.insert(turn.number);
                }
            }
            prop_assert!(seen.len() <= most as usize);
        }
    }
}
