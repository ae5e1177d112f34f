//! Tells people who must act: a new note with a mention. The notes that are kept in place are in `notes`.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::{Desk, release};
use crate::domain::event::{Fact, Subject};
use crate::domain::ids::{MergeRequestId, TrialId, UserName};
use crate::domain::notification::policy::{Who, row};
use crate::domain::notification::rules::KEPT;
use crate::domain::notification::{Alert, alert_for};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Known, Place};
use crate::report::{self, Addresses};

/// What the kinds of notes with a mention begin with.
const ALERT: &str = "alert:";

/// Warns from a job of a merge request pipeline, which has no log: the note itself is the memory.
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

/// The same, unless somebody deleted the merge request: then there is no place to tell it, and no reason for the job to fail.
fn send_where_it_is(desk: &Desk<'_>, iid: u64, alert: &Alert) -> Answer<()> {
    let Err(problem) = send(desk, iid, alert) else {
        return Ok(());
    };
    if desk.merge_requests.merge_request(iid)?.is_some() {
        return Err(problem);
    }
    tracing::warn!("!{iid} was deleted: nobody can be told on it");
    Ok(())
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
        if !yard.outbox.had_trouble(id) {
            continue;
        }
        let desk = &desk.of(&id.project)?;
        for (kind, own) in desk.announcements.notes(id.iid)? {
            // That it landed as nobody tested it is not over with its landing.
            let over = kind.starts_with(ALERT) && !kind.contains(":untested-");
            let alerts = own.iter().filter(|_| over);
            for alert in alerts.filter(|own| !report::is_settled(&own.text)) {
                let how = format!("it landed, in version #{}", yard.versions.open);
                let body = report::settled(&alert.text, &how);
                let place = Place::MergeRequest(id.iid);
                desk.announcements
                    .keep_note(&place, &kind, Known::At(alert.id), &body)?;
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
        let Some(place) = place_of(fact, &yard) else {
            continue;
        };
        let people: BTreeSet<UserName> = match row(fact).who {
            Who::ReleaseManagers => release::people(desk, raised.people.first())?,
            Who::Contributors => {
                let mut people = release::people(desk, raised.people.first())?;
                if let Subject::Version(version) = fact.subject() {
                    people.extend(yard.versions.contributors(version));
                }
                people
            }
            Who::Author | Who::RoleHolders | Who::Nobody => raised.people.iter().cloned().collect(),
        };
        if let Some(alert) = alert_for(fact, &people, &yard) {
            match desk.of(&place.project) {
                Ok(there) => send_where_it_is(&there, place.iid, &alert)?,
                // A project that left the yard cannot be told, and must not keep the others from being told.
                Err(problem) => tracing::warn!("{}", problem.full_text()),
            }
            sent.push(alert.sent());
        }
    }
    ledger.record(&sent)
}

/// The merge request on which people are told; a version has no page of its own yet, so its people are told where its last
/// change set is.
fn place_of(fact: &Fact, yard: &Yard) -> Option<MergeRequestId> {
    let of_version = |version| {
        let of_its_own = yard.versions.last_of(version);
        let landed = of_its_own.or_else(|| yard.versions.content.last())?;
        Some(landed.change_set.merge_request.clone())
    };
    match fact.subject() {
        Subject::MergeRequest(id) => Some(id),
        Subject::Version(version) => of_version(version),
        Subject::Environment | Subject::Trial(_) | Subject::Channel(_) => None,
    }
}
