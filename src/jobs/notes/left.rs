//! The notes of change sets that left the queue, or their version, and what a job that died has left untold of them.

use std::collections::BTreeMap;

use super::{Keeping, Told, features_of, keep, note_of};
use crate::domain::ids::ProjectPath;
use crate::domain::integration::{ChangeSet, Left};
use crate::domain::progress::{Mark, Stage};
use crate::domain::versioning::Appended;
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::jobs::ledger::Ledger;
use crate::jobs::observe;
use crate::ports::{Answer, Targets};
use crate::report;

/// How many change sets that left the queue are looked at again.
const LEFT_MENDED: usize = 5;

/// Keeps the notes of change sets that went out as a hotfix, before their own version, and those of their features.
pub(in crate::jobs) fn keep_gone_out(desk: &Desk<'_>, out: &[(Appended, Stage)]) -> Vec<String> {
    let home = observe::features_project(desk);
    let told = out.iter().map(|(appended, stage)| {
        let body = report::note_landed(stage, appended, home);
        Told {
            iid: appended.change_set.merge_request.iid,
            head: appended.change_set.head.clone(),
            stage: stage.clone(),
            links: appended.change_set.links.clone(),
            links_since: None,
            body: Box::new(move |_: &Mark| body.clone()),
        }
    });
    let told: Vec<Told<'_>> = told.collect();
    if told.is_empty() {
        return Vec::new();
    }
    keep(
        desk,
        Keeping {
            features: features_of(&told),
            told,
            ..Keeping::default()
        },
    )
}

/// Keeps the notes of a change set that left the queue.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn keep_left(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    set: &ChangeSet,
    stage: Stage,
    body: String,
) -> Answer<Vec<String>> {
    let desk = &desk.of(&set.merge_request.project)?;
    let told = vec![Told {
        iid: set.merge_request.iid,
        head: set.head.clone(),
        stage,
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |_| body.clone()),
    }];
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(ledger.yard()?),
            told,
            board: None,
        },
    ))
}

/// Tells of change sets that left the queue when the job that took them out died before it could: their notes say still that
/// they wait or are tried.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn mend_left(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let mut gone: BTreeMap<&ProjectPath, BTreeMap<u64, &Left>> = BTreeMap::new();
    for (id, _, _, how) in yard.queue.left.iter().rev().take(LEFT_MENDED) {
        let newer = yard.queue.ticket(id).is_some() || yard.versions.holding(id).is_some();
        if !newer && *how != Left::Landed {
            gone.entry(&id.project)
                .or_default()
                .entry(id.iid)
                .or_insert(how);
        }
    }
    let mut warnings = Vec::new();
    for (project, gone) in gone {
        warnings.extend(mend_there(&desk.of(project)?, &yard, &gone)?);
    }
    Ok(warnings)
}

fn mend_there(desk: &Desk<'_>, yard: &Yard, gone: &BTreeMap<u64, &Left>) -> Answer<Vec<String>> {
    let targets = Targets {
        merge_requests: gone.keys().copied().collect(),
        ..Targets::default()
    };
    let board = desk.boards.board(&targets)?;
    let mut told: Vec<Told<'_>> = Vec::new();
    for (iid, on_board) in &board.merge_requests {
        let mark = note_of(on_board).and_then(|own| report::mark_of(&own.text));
        let mark = mark.filter(|mark| mark.stage.is_of_the_gate());
        let (Some(mark), Some(how)) = (mark, gone.get(iid)) else {
            continue;
        };
        let (stage, body) = match how {
            Left::Landed => continue,
            Left::Rejected { reason } => (mark.stage.rejected(), report::note_rejection(reason)),
            Left::Conflicted => (Stage::Conflicted, report::note_conflict()),
            Left::Withdrawn { reason } => (Stage::LeftQueue, report::note_withdrawn(reason)),
        };
        told.push(Told {
            iid: *iid,
            head: mark.head,
            stage,
            links: mark.links,
            links_since: None,
            body: Box::new(move |_| body.clone()),
        });
    }
    if told.is_empty() {
        return Ok(Vec::new());
    }
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(yard.clone()),
            told,
            board: None,
        },
    ))
}
