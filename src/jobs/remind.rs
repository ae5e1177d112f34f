//! `trainyard remind`: tells what quiet hours, digests and failures held back, and reminds people of what has waited too long.
//! Runs in a scheduled pipeline of the default branch.
//!
//! What waits is read from the log and from GitLab's records of the merge requests that are open; nothing polls, and nothing
//! is remembered but what was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use super::post::{self, Eagerness, Reminder};
use super::{Desk, observe, release, tell};
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{ChannelName, UserName};
use crate::domain::integration::Place as Standing;
use crate::domain::linking::{LinkKind, named_features};
use crate::domain::notification::letter::{Letter, Sort};
use crate::domain::notification::outbox::Pending;
use crate::domain::notification::reminder::{Kind, Turn, Turns, Waiting, head_of_alarm};
use crate::domain::notification::rounds::{Mentioned, Mode, Rounds};
use crate::domain::validation::{self, Decision};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Evidence, Known, MergeRequest, OwnNotes, Place};
use crate::report;

/// How many open merge requests one run looks at closely, the oldest first.
const MOST_LOOKED_AT: usize = 60;
/// The word that every link contains.
const LINK_WORD: &str = "feature";

/// Does what is due now.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, mode: Mode) -> Answer<(Rounds, Vec<Event>)> {
    let ledger = Ledger::new(*desk);
    if mode == Mode::Real {
        tell::alert_all(desk, &ledger)?;
    }
    let mut seen = look(desk, &ledger.yard()?)?;
    if mode == Mode::Real {
        ledger.record(&seen.rejections)?;
    }
    let yard = ledger.yard()?;
    seen.waiting.extend(of_the_yard(desk, &yard)?);
    let mut rounds = Rounds {
        left_out: seen.left_out,
        ..Rounds::default()
    };
    let mut told = Vec::new();
    let mut reminders = Vec::new();
    for waiting in seen.waiting {
        let cadence = desk.config.notification.rules.reminders.of(waiting.kind);
        let calendar = &desk.config.notification.rules.calendar;
        let Turns { due, next } = waiting.turns(cadence, calendar, desk.clock.now());
        for turn in &due {
            let reminder = Turned::of(desk, &waiting, turn)?;
            if let Some(iid) = reminder.to_mention(desk, &yard, &seen.notes) {
                if mode == Mode::Real {
                    reminder.mention(desk, iid, &seen.notes)?;
                }
                told.push(waiting.reminded(turn, &reminder.people));
                rounds.mentioned.push(Mentioned {
                    merge_request: iid,
                    people: reminder.people.clone(),
                    key: waiting.key(turn),
                });
            }
            reminders.push(reminder.for_channels());
        }
        rounds.waiting.push((waiting, next));
    }
    if mode == Mode::Real {
        ledger.record(&told)?;
    }
    if !desk.config.notification.channels.is_empty() && mode == Mode::Real {
        rounds.handed = post::deliver(desk, &ledger, &reminders, Eagerness::Eager)?;
    }
    for channel in desk.config.notification.channels.keys() {
        if let Some(obstacle) = desk.channels.obstacle(channel) {
            let why = format!("{} ({})", obstacle.reason, obstacle.mend);
            rounds.unready.push((channel.clone(), why));
        }
    }
    let yard = ledger.yard()?;
    let over = post::over(desk, &yard);
    for (channel, pending) in post::pending(desk, &yard, &reminders, &over) {
        let held = pending
            .into_iter()
            .map(|pending| (channel.clone(), pending));
        rounds.held.extend(held);
    }
    Ok((rounds, ledger.into_events()))
}

/// What GitLab shows of the merge requests that are open.
#[derive(Default)]
struct Seen {
    waiting: Vec<Waiting>,
    /// Verdicts that no gate job has recorded: channels are told of them from the log.
    rejections: Vec<Fact>,
    notes: BTreeMap<u64, OwnNotes>,
    left_out: usize,
}

fn look(desk: &Desk<'_>, yard: &Yard) -> Answer<Seen> {
    let mut open = desk.merge_requests.open_mentioning(LINK_WORD)?;
    open.retain(|mr| yard.queue.ticket(&mr.id).is_none());
    open.sort_by_key(|mr| mr.id.iid);
    let mut seen = Seen::default();
    let drafts = desk
        .config
        .notification
        .rules
        .reminders
        .of(Kind::DraftStale);
    let roles = !desk.config.validation.roles.is_empty();
    let mut looked_at = 0;
    for found in &open {
        unanswered(yard, found, &mut seen.waiting);
        let closes = !found.draft && roles && closes_a_feature(desk, found)?;
        if !closes && !(found.draft && drafts.most > 0) {
            continue;
        }
        looked_at += 1;
        if looked_at > MOST_LOOKED_AT {
            seen.left_out += 1;
            continue;
        }
        let evidence = desk.records.evidence(found.id.iid)?;
        if found.draft {
            seen.waiting.extend(draft(found, &evidence));
        } else {
            validation(desk, found, &evidence, &mut seen)?;
        }
        seen.notes.insert(found.id.iid, evidence.notes);
    }
    Ok(seen)
}

fn closes_a_feature(desk: &Desk<'_>, found: &MergeRequest) -> Answer<bool> {
    let reading = observe::read_description(desk, &found.description)?;
    let named = named_features(&reading, observe::features_project(desk));
    Ok(named.iter().any(|(link, _)| link.kind == LinkKind::Closes))
}

/// An author who was told of trouble and has pushed nothing since.
fn unanswered(yard: &Yard, found: &MergeRequest, waiting: &mut Vec<Waiting>) {
    let about = Subject::MergeRequest(found.id.clone());
    for raised in yard.outbox.unanswered() {
        let fact = &raised.event.fact;
        if fact.subject() == about && head_of_alarm(fact) == Some(&found.head) {
            waiting.push(Waiting {
                kind: Kind::AlarmUnanswered,
                about: about.clone(),
                which: raised.id.to_string(),
                since: raised.event.at,
                people: BTreeSet::from([found.author.clone()]),
                detail: trouble(fact).to_owned(),
                merge_request: Some(found.id.iid),
            });
        }
    }
}

fn trouble(fact: &Fact) -> &'static str {
    match fact.name() {
        "ChangeSetConflicted" => "in conflict with its target",
        "ChangeSetWithdrawn" => "out of the queue",
        _ => "rejected",
    }
}

/// A draft is as old as its newest pipeline: pushing starts one, and our own notes do not.
fn draft(found: &MergeRequest, evidence: &Evidence) -> Option<Waiting> {
    let newest = evidence.pipelines.iter().map(|p| p.created).max()?;
    Some(Waiting {
        kind: Kind::DraftStale,
        about: Subject::MergeRequest(found.id.clone()),
        which: found.head.to_string(),
        since: newest,
        people: BTreeSet::from([found.author.clone()]),
        detail: String::new(),
        merge_request: Some(found.id.iid),
    })
}

/// Roles that are awaited, since the first pipeline of this content; and rejections that stand.
fn validation(
    desk: &Desk<'_>,
    found: &MergeRequest,
    evidence: &Evidence,
    seen: &mut Seen,
) -> Answer<()> {
    let content = observe::content(desk, found, evidence)?;
    let (judgement, holders) = observe::judgement(desk, found, evidence, &content)?;
    let features: Vec<_> = named_features(
        &observe::read_description(desk, &found.description)?,
        observe::features_project(desk),
    )
    .into_iter()
    .map(|(link, _)| link)
    .filter(|link| link.kind == LinkKind::Closes)
    .map(|link| link.feature)
    .collect();
    let (mut awaited, mut rejected) = (Vec::new(), false);
    for (role, standing) in &judgement.standings {
        match standing {
            validation::Standing::Validated(_) => {}
            validation::Standing::Awaited { .. } => awaited.push(role.clone()),
            validation::Standing::Rejected(verdict) => {
                debug_assert_eq!(verdict.decision, Decision::Reject);
                rejected = true;
                seen.rejections.push(Fact::FeatureRejected {
                    merge_request: found.id.clone(),
                    features: features.clone(),
                    verdict: verdict.clone(),
                    reason: None,
                });
            }
        }
    }
    let first = evidence
        .pipelines
        .iter()
        .filter(|pipeline| content.contains(&pipeline.commit))
        .min_by_key(|pipeline| pipeline.created);
    let Some(first) = first.filter(|_| !awaited.is_empty() && !rejected) else {
        return Ok(());
    };
    let mut people: BTreeSet<UserName> = awaited
        .iter()
        .filter_map(|role| holders.get(role))
        .flatten()
        .cloned()
        .collect();
    if !desk.config.validation.author_may_validate {
        people.remove(&found.author);
    }
    let names: Vec<&str> = awaited.iter().map(|role| role.as_str()).collect();
    seen.waiting.push(Waiting {
        kind: Kind::ValidationWaiting,
        about: Subject::MergeRequest(found.id.clone()),
        which: first.commit.to_string(),
        since: first.created,
        people,
        detail: names.join(", "),
        merge_request: Some(found.id.iid),
    });
    Ok(())
}

/// What waits according to the log: tickets, the lease, a version that is closed.
fn of_the_yard(desk: &Desk<'_>, yard: &Yard) -> Answer<Vec<Waiting>> {
    let mut all = Vec::new();
    for ticket in yard.queue.tickets.iter() {
        let waits = match ticket.place {
            Standing::Waiting => true,
            Standing::InTrial(_) | Standing::Merged { .. } => false,
        };
        if waits {
            all.push(Waiting {
                kind: Kind::TicketWaiting,
                about: Subject::MergeRequest(ticket.change_set.merge_request.clone()),
                which: ticket.change_set.requested_by.to_string(),
                since: ticket.queued_at,
                people: BTreeSet::new(),
                detail: String::new(),
                merge_request: Some(ticket.change_set.merge_request.iid),
            });
        }
    }
    if let Some(lease) = &yard.nrt.lease {
        let tried = yard.nrt.trial.as_ref().and_then(|t| t.change_sets.first());
        all.push(Waiting {
            kind: Kind::LeaseHeld,
            about: Subject::Environment,
            which: lease.epoch.to_string(),
            since: lease.granted_at,
            people: BTreeSet::new(),
            detail: format!("pipeline {}", lease.holder.pipeline),
            merge_request: tried.map(|id| id.iid),
        });
    }
    if let Some(closing) = &yard.versions.closing {
        let last = closing.content.last();
        all.push(Waiting {
            kind: Kind::ReleaseWaiting,
            about: Subject::Version(closing.id),
            which: closing.number.to_string(),
            since: closing.at,
            people: BTreeSet::new(),
            detail: closing.number.to_string(),
            merge_request: last.map(|appended| appended.change_set.merge_request.iid),
        });
    }
    for waiting in &mut all {
        let cadence = desk.config.notification.rules.reminders.of(waiting.kind);
        let calendar = &desk.config.notification.rules.calendar;
        let due = waiting.turns(cadence, calendar, desk.clock.now()).due;
        if !due.is_empty() {
            let closed_by = yard.versions.closing.as_ref().and_then(|c| c.by.as_ref());
            let closed_by = closed_by.filter(|_| waiting.kind == Kind::ReleaseWaiting);
            waiting.people = release::people(desk, closed_by)?;
        }
    }
    Ok(all)
}

/// One turn of a reminder, ready to be told.
struct Turned<'a> {
    waiting: &'a Waiting,
    turn: &'a Turn,
    people: BTreeSet<UserName>,
    channels: BTreeSet<ChannelName>,
    letter: Letter,
}

impl<'a> Turned<'a> {
    fn of(desk: &Desk<'_>, waiting: &'a Waiting, turn: &'a Turn) -> Answer<Self> {
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
    fn to_mention(
        &self,
        desk: &Desk<'_>,
        yard: &Yard,
        notes: &BTreeMap<u64, OwnNotes>,
    ) -> Option<u64> {
        let rules = &desk.config.notification.rules;
        let key = self.waiting.key(self.turn);
        let told = yard
            .warned
            .contains(&(self.waiting.about.to_string(), key.clone()));
        let iid = self.waiting.merge_request?;
        let written = notes
            .get(&iid)
            .is_some_and(|notes| notes.contains_key(&tell::kind_of_alert(&key)));
        let wanted = rules.mentions_of(self.waiting.kind.name(), Sort::Reminder);
        (wanted && !told && !written && !self.people.is_empty()).then_some(iid)
    }

    fn mention(&self, desk: &Desk<'_>, iid: u64, notes: &BTreeMap<u64, OwnNotes>) -> Answer<()> {
        // Its notes were read a moment ago, or else it is looked for by its marker: written once, whatever died when.
        let known = if notes.contains_key(&iid) {
            Known::Absent
        } else {
            Known::Unsure
        };
        let kind = tell::kind_of_alert(&self.waiting.key(self.turn));
        let body = report::mention(&self.people, &self.letter.words);
        desk.announcements
            .keep_note(&Place::MergeRequest(iid), &kind, known, &body)
            .map(drop)
    }

    fn for_channels(self) -> Reminder {
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
