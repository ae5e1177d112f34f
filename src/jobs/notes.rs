//! The notes that are kept in place through the whole life of a merge request and of a feature.
//!
//! What is true is looked up, the texts that follow from it are compared with those that stand, and only what differs is
//! written. Then the board is looked at again: two jobs may have written at once, and whoever wrote last sees what is missing.
//! Notes are for people to read: a note that cannot be kept is a warning, never a failure.

mod as_recorded;
mod keeper;
mod left;
mod told;

use std::collections::BTreeSet;

use super::Desk;
use crate::domain::ids::{CommitSha, FeatureId, JobId, NoteId};
use crate::domain::linking::Link;
use crate::domain::progress::{Mark, Own, Stage, members_of};
use crate::domain::yard::Yard;
use crate::ports::{Board, MergeRequestOnBoard, Targets};
use crate::report;

use keeper::Keeper;

pub(super) use as_recorded::{
    Look, keep_all, keep_as, keep_features, keep_first, keep_one, keep_seen, keep_several, look,
};
pub(super) use left::{keep_gone_out, keep_left, mend_left};
pub(super) use told::{asked, queued, stage_of};

/// How many waiting change sets learn their new rank at once.
const RANKS_TOLD: usize = 10;
/// How many features one look covers.
const FEATURES_AT_ONCE: usize = 10;

/// What a job tells the people of one merge request.
pub(super) struct Told<'a> {
    /// Which one.
    pub(super) iid: u64,
    /// The head that it is true of.
    pub(super) head: CommitSha,
    /// Where it is now.
    pub(super) stage: Stage,
    /// The links that it has.
    pub(super) links: Vec<Link>,
    /// The job that told their last change, where this one knows.
    pub(super) links_since: Option<JobId>,
    /// What its people read.
    pub(super) body: Box<dyn Fn(&Mark) -> String + 'a>,
}

/// What a job knows when it tells.
#[derive(Default)]
pub(super) struct Keeping<'a> {
    /// The log, where there is one.
    pub(super) yard: Option<Yard>,
    /// The features that the telling is about.
    pub(super) features: BTreeSet<FeatureId>,
    /// Merge requests to tell.
    pub(super) told: Vec<Told<'a>>,
    /// The board, where it was looked at already and nothing was written since.
    pub(super) board: Option<Board>,
}

/// Keeps all notes that follow from what a job knows; returns what could not be kept, for the job's log.
pub(super) fn keep(desk: &Desk<'_>, keeping: Keeping<'_>) -> Vec<String> {
    kept(desk, keeping).warnings
}

/// The same, and the number of the note on one of the merge requests.
pub(super) fn keep_seeing(
    desk: &Desk<'_>,
    keeping: Keeping<'_>,
    iid: u64,
) -> (Vec<String>, Option<NoteId>) {
    let kept = kept(desk, keeping);
    let seen = kept.board.as_ref();
    let seen = seen.and_then(|board| board.merge_requests.get(&iid));
    (kept.warnings, seen.and_then(note_of).map(|own| own.id))
}

/// What became of keeping notes.
#[derive(Default)]
pub(super) struct Kept {
    /// What could not be kept.
    pub(super) warnings: Vec<String>,
    /// The merge requests that were told as they stand since, where they were looked at.
    pub(super) board: Option<Board>,
}

fn kept(desk: &Desk<'_>, keeping: Keeping<'_>) -> Kept {
    let mut kept = Kept::default();
    if !desk.may_look_up {
        return kept;
    }
    let Keeping {
        yard,
        features,
        told,
        mut board,
    } = keeping;
    let features: Vec<FeatureId> = features.into_iter().collect();
    let mut first = true;
    // A look covers some features; nearly always that is all of them.
    let mut rest = features.as_slice();
    while first || !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(FEATURES_AT_ONCE));
        let keeper = Keeper {
            desk,
            yard: yard.as_ref(),
            features: now.iter().cloned().collect(),
            told: if first { &told } else { &[] },
        };
        match keeper.keep(board.take(), &mut kept.warnings) {
            Ok(board) if first => kept.board = Some(board),
            Ok(_) => {}
            Err(problem) => {
                kept.warnings.push(format!(
                    "warning: the notes could not be kept: {}",
                    problem.full_text()
                ));
                break;
            }
        }
        rest = later;
        first = false;
    }
    kept
}

/// The note on a merge request that tells where it stands; the oldest one, should there be two.
pub(super) fn note_of(on_board: &MergeRequestOnBoard) -> Option<&Own> {
    on_board
        .notes
        .get(report::STATE)
        .and_then(|notes| notes.first())
}

/// What is looked at: features, the merge requests that are told, those of the features that the log knows, and those whose rank
/// may have changed.
pub(super) fn targets(
    desk: &Desk<'_>,
    yard: Option<&Yard>,
    features: &BTreeSet<FeatureId>,
    told: &BTreeSet<u64>,
) -> Targets {
    let mut merge_requests = told.clone();
    if let Some(yard) = yard {
        let members = features.iter().flat_map(|id| members_of(yard, id));
        let waiting = yard.queue.waiting().take(RANKS_TOLD);
        let waiting = waiting.map(|ticket| ticket.change_set.merge_request.clone());
        let here = members
            .chain(waiting.filter(|_| !told.is_empty()))
            .filter(|id| id.project == desk.ci.project);
        merge_requests.extend(here.map(|id| id.iid));
    }
    Targets {
        features: features.clone(),
        merge_requests,
        ..Targets::default()
    }
}

fn features_of(told: &[Told<'_>]) -> BTreeSet<FeatureId> {
    let links = told.iter().flat_map(|told| &told.links);
    links.map(|link| link.feature.clone()).collect()
}
