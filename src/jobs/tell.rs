//! Tells people: the one note that is kept, and a new one with a mention when somebody must act.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::{Desk, release};
use crate::domain::event::{Fact, Subject};
use crate::domain::ids::{NoteId, ProjectPath, TrialId, UserName};
use crate::domain::integration::ChangeSet;
use crate::domain::linking::Remembered;
use crate::domain::notification::policy::{Who, row};
use crate::domain::notification::rules::KEPT;
use crate::domain::notification::{Alert, alert_for};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Known, OwnNotes, Place};
use crate::report::{self, Addresses};

/// The note on a merge request that tells where it stands.
pub(super) const STATE: &str = "state";

/// The hidden line of the state note that remembers the links, for whichever job looks next.
const LINKS: (&str, &str) = ("<!-- trainyard-links: ", " -->");

/// What the links were when they were last told; nothing when nobody did, or the note is gone.
pub(super) fn remembered_links(notes: &OwnNotes) -> Remembered {
    links_line(notes)
        .and_then(|line| line.strip_prefix(LINKS.0)?.strip_suffix(LINKS.1))
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn links_line(notes: &OwnNotes) -> Option<&str> {
    let (_, text) = notes.get(STATE)?;
    text.lines().find(|line| line.starts_with(LINKS.0))
}

/// Keeps the state note, with links to remember.
pub(super) fn keep_linked_note(
    desk: &Desk<'_>,
    iid: u64,
    notes: &OwnNotes,
    body: &str,
    links: &Remembered,
) -> Answer<NoteId> {
    let (before, after) = LINKS;
    keep_state_note(desk, iid, notes, &format!("{before}{links}{after}\n{body}"))
}

/// What the kinds of notes with a mention begin with.
const ALERT: &str = "alert:";

/// Keeps the state note; one that says the same already is left alone. The links that it remembers stay in it.
pub(super) fn keep_state_note(
    desk: &Desk<'_>,
    iid: u64,
    notes: &OwnNotes,
    body: &str,
) -> Answer<NoteId> {
    let carried = match links_line(notes) {
        Some(line) if !body.starts_with(LINKS.0) => format!("{line}\n{body}"),
        Some(_) | None => body.to_owned(),
    };
    let body = carried.as_str();
    let known = match notes.get(STATE) {
        Some((id, text)) if text.ends_with(body) => return Ok(*id),
        Some((id, _)) => Known::At(*id),
        None => Known::Absent,
    };
    desk.announcements
        .keep_note(&Place::MergeRequest(iid), STATE, known, body)
}

/// The same for a job of a merge request pipeline, which has no log: the note itself is the memory.
pub(super) fn warn_without_log(
    desk: &Desk<'_>,
    iid: u64,
    fact: &Fact,
    author: &UserName,
) -> Answer<()> {
    if !desk.config.notification.rules.mentions(fact) {
        return Ok(());
    }
    let authors = BTreeSet::from([author.clone()]);
    alert_for(fact, &authors, &Yard::default()).map_or(Ok(()), |alert| send(desk, iid, &alert))
}

/// The kind of the note that carries an alert or a reminder.
pub(super) fn kind_of_alert(key: &str) -> String {
    format!("{ALERT}{}", key.replace(' ', "-"))
}

fn send(desk: &Desk<'_>, iid: u64, alert: &Alert) -> Answer<()> {
    let kind = kind_of_alert(&alert.key);
    desk.announcements
        .keep_note(
            &Place::MergeRequest(iid),
            &kind,
            Known::Unsure,
            &report::alert(alert, &addresses(desk)),
        )
        .map(drop)
}

/// Where things are, for links.
pub(super) fn addresses<'a>(desk: &Desk<'a>) -> Addresses<'a> {
    Addresses {
        server: &desk.ci.server,
        home: &desk.ci.project,
        home_url: &desk.ci.project_url,
    }
}

/// Marks the alerts on the change sets that landed by a trial as settled, by an edit of each: whoever was told sees that it is
/// over. Costs nothing where there was no trouble.
pub(super) fn settle_landed(desk: &Desk<'_>, ledger: &Ledger<'_>, trial: TrialId) -> Answer<()> {
    let yard = ledger.yard()?;
    let landed = yard.versions.content.iter().filter(|a| a.trial == trial);
    for appended in landed {
        let id = &appended.change_set.merge_request;
        if id.project != desk.ci.project || !yard.outbox.had_trouble(id) {
            continue;
        }
        for (kind, (note, body)) in desk.announcements.notes(id.iid)? {
            if kind.starts_with(ALERT) && !report::is_settled(&body) {
                let how = format!("it landed, in version #{}", yard.versions.open);
                let body = report::settled(&body, &how);
                let place = Place::MergeRequest(id.iid);
                desk.announcements
                    .keep_note(&place, &kind, Known::At(note), &body)?;
            }
        }
    }
    Ok(())
}

/// Tells everybody who must act and has not been told, once: what this job recorded, and what a job that died before it could
/// tell. Costs nothing when there is nothing to tell.
pub(super) fn alert_all(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<()> {
    let yard = ledger.yard()?;
    let mut sent = Vec::new();
    for raised in yard.outbox.alarms() {
        let fact = &raised.event.fact;
        let old = desk.clock.now().duration_since(raised.event.at) > KEPT;
        // The job by which a feature was rejected has told the author, or else the rejection does not count.
        if old || matches!(fact, Fact::FeatureRejected { .. }) {
            continue;
        }
        if !desk.config.notification.rules.mentions(fact) {
            continue;
        }
        let Some(iid) = place_of(fact, &yard, &desk.ci.project) else {
            continue;
        };
        let people: BTreeSet<UserName> = match row(fact).who {
            Who::ReleaseManagers => release::people(desk, raised.people.first())?,
            Who::Author | Who::RoleHolders | Who::Nobody => raised.people.iter().cloned().collect(),
        };
        if let Some(alert) = alert_for(fact, &people, &yard) {
            send(desk, iid, &alert)?;
            sent.push(alert.sent());
        }
    }
    ledger.record(&sent)
}

/// The merge request on which people are told; a version has no page of its own yet, so its people are told where its last
/// change set is.
fn place_of(fact: &Fact, yard: &Yard, home: &ProjectPath) -> Option<u64> {
    let of_version = || {
        let landed = yard.versions.content.last()?;
        Some(landed.change_set.merge_request.clone())
    };
    let id = match fact.subject() {
        Subject::MergeRequest(id) => Some(id),
        Subject::Version(_) => of_version(),
        Subject::Environment | Subject::Trial(_) | Subject::Channel(_) => None,
    };
    id.filter(|id| id.project == *home).map(|id| id.iid)
}

/// Keeps the state note of a change set that is in the queue.
pub(super) fn state(desk: &Desk<'_>, change_set: &ChangeSet, body: &str) -> Answer<()> {
    let place = Place::MergeRequest(change_set.merge_request.iid);
    desk.announcements
        .keep_note(
            &place,
            STATE,
            change_set.note.map_or(Known::Unsure, Known::At),
            body,
        )
        .map(drop)
}
