//! Tells people: the one note that is kept, and a new one with a mention when somebody must act.

use std::collections::BTreeSet;

use super::Desk;
use super::ledger::Ledger;
use crate::domain::event::Fact;
use crate::domain::ids::{NoteId, UserName};
use crate::domain::integration::ChangeSet;
use crate::domain::linking::Remembered;
use crate::domain::notification::{Alert, alert_for};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Known, OwnNotes, Place};
use crate::report;

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
    let authors = BTreeSet::from([author.clone()]);
    alert_for(fact, &authors, &Yard::default()).map_or(Ok(()), |alert| send(desk, iid, &alert))
}

fn send(desk: &Desk<'_>, iid: u64, alert: &Alert) -> Answer<()> {
    let kind = format!("alert:{}", alert.key.replace(' ', "-"));
    desk.announcements
        .keep_note(
            &Place::MergeRequest(iid),
            &kind,
            Known::Unsure,
            &report::alert(alert),
        )
        .map(drop)
}

/// Warns the people behind a merge request of what a fact asks of them, once.
pub(super) fn warn(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    iid: u64,
    fact: &Fact,
    author: &UserName,
) -> Answer<()> {
    let authors = BTreeSet::from([author.clone()]);
    let Some(alert) = alert_for(fact, &authors, &ledger.yard()?) else {
        return Ok(());
    };
    send(desk, iid, &alert)?;
    ledger.record(&[alert.sent()])
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
