//! `trainyard nrt-lock ask`: tells the people who decide that a trial waits for their verdict. Runs once the candidate is deployed,
//! and after its tests where they must pass too. Nothing depends on it: a trial whose people were not told can still be judged.

use std::collections::BTreeSet;

use crate::domain::event::{Fact, Subject};
use crate::domain::ids::{Epoch, TrialId, UserName};
use crate::domain::nrt::{Trial, hold, trial_under};
use crate::domain::trial_verdict::{ASKED, Before, before};
use crate::domain::yard::Yard;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done, observe, tell};
use crate::ports::{Answer, Known, Place};
use crate::report;

/// Asks for the verdict on the trial under a lease.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, epoch: Epoch) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let yard = ledger.yard()?;
    let held = hold(&yard.nrt, epoch).ok();
    let Some(trial) = held.and_then(|held| trial_under(&yard.nrt, &held).cloned()) else {
        return Ok(Done::saying(report::nothing_to_judge(epoch)));
    };
    let people = deciders(desk)?;
    let outcome = report::trial_to_judge(&report::ToJudge {
        trial: &trial,
        queue: &yard.queue,
        roles: &desk.config.nrt.deciders,
        people: &people,
        project_url: &desk.ci.project_url,
        pipeline: desk.ci.pipeline,
        home: observe::features_project(&desk.of_trial(&trial)?),
    });
    if before(&yard, trial.id) == Before::Undecided && !was_asked(&yard, trial.id) {
        if let (Some(iid), false) = (place(&trial), people.is_empty()) {
            let body =
                report::note_to_judge(&trial, &people, &desk.ci.project_url, desk.ci.pipeline);
            let place = Place::MergeRequest(iid);
            let kind = kind(trial.id);
            let known = Known::Unsure;
            let there = desk.of_trial(&trial)?.announcements;
            there.keep_note(&place, &kind, known, &body)?;
        }
        ledger.record(&[Fact::ContributorWarned {
            about: Subject::Trial(trial.id),
            alert: ASKED.to_owned(),
            people: people.into_iter().collect(),
        }])?;
    }
    let links = report::change_set_links(&trial.change_sets, &desk.ci.server);
    Ok(Done {
        outcome: outcome.seeing(links),
        events: ledger.into_events(),
    })
}

/// Everybody who may decide, as far as roles say so.
pub(in crate::jobs) fn deciders(desk: &Desk<'_>) -> Answer<BTreeSet<UserName>> {
    let roles = &desk.config.nrt.deciders;
    if roles.is_empty() {
        return Ok(BTreeSet::new());
    }
    observe::people_of(desk, roles)
}

/// Whether the people who decide know of a trial.
pub(in crate::jobs) fn was_asked(yard: &Yard, trial: TrialId) -> bool {
    let about = Subject::Trial(trial).to_string();
    yard.warned.contains_key(&(about, ASKED.to_owned()))
}

/// Marks the note that asked as settled.
pub(super) fn settle(desk: &Desk<'_>, trial: &Trial, how: &str) -> Answer<()> {
    let Some(iid) = place(trial) else {
        return Ok(());
    };
    let (kind, place) = (kind(trial.id), Place::MergeRequest(iid));
    let there = desk.of_trial(trial)?.announcements;
    let notes = there.notes(iid)?;
    for own in notes.get(&kind).into_iter().flatten() {
        if !report::is_settled(&own.text) {
            let body = report::settled(&own.text, how);
            let known = Known::At(own.id);
            there.keep_note(&place, &kind, known, &body)?;
        }
    }
    Ok(())
}

fn kind(trial: TrialId) -> String {
    tell::kind_of_alert(&format!("verdict of trial {trial}"))
}

/// People are mentioned once, on the first merge request of the trial.
fn place(trial: &Trial) -> Option<u64> {
    trial.change_sets.first().map(|id| id.iid)
}
