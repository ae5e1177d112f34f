//! Tells people who must act: a new note with a mention. The notes that are kept in place are in `notes`.

use std::collections::BTreeSet;

use super::Desk;
use super::ledger::Ledger;
use crate::domain::event::Fact;
use crate::domain::ids::UserName;
use crate::domain::notification::{Alert, alert_for};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Known, Place};
use crate::report;

/// Warns from a job of a merge request pipeline, which has no log: the note itself is the memory.
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
