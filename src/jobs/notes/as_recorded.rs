//! The notes of change sets as the log has them: one, several, or all that a job was about.

use std::collections::BTreeSet;

use super::told::known;
use super::{FEATURES_AT_ONCE, Keeping, Kept, RANKS_TOLD, Told, features_of, keep, kept, targets};
use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::versioning::Appended;
use crate::domain::yard::Yard;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, leaving};
use crate::ports::{Answer, Board, Targets};

/// How many merge requests one look covers.
const TOLD_AT_ONCE: usize = 20;

/// Keeps the notes of merge requests as the log has them now, and those of their features.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn keep_all(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
) -> Answer<Vec<String>> {
    Ok(keep_as(desk, &ledger.yard()?, ids))
}

/// The same for those who are served first: more of them read their note when their turn comes nearer.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn keep_first(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let waiting = yard.queue.waiting().take(RANKS_TOLD);
    let ids: Vec<MergeRequestId> = waiting
        .map(|ticket| ticket.change_set.merge_request.clone())
        .collect();
    Ok(keep_as(desk, &yard, &ids))
}

/// The same for one merge request, with the board that was looked at before it was decided on.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn keep_one(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    id: &MergeRequestId,
    board: Board,
) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let desk = &desk.of(&id.project)?;
    let Some(told) = known(desk, &yard, id) else {
        return Ok(Vec::new());
    };
    let told = vec![told];
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(yard.clone()),
            told,
            board: Some(board),
        },
    ))
}

/// What a look at change sets is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs) enum Look {
    /// To see how they stand, and to keep their notes.
    Notes,
    /// To make a candidate: also how the project merges, and which branches go with the push of it.
    Candidate,
}

/// The merge requests of change sets with their features and the notes on all of them, in one look.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be read.
pub(in crate::jobs) fn look(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
    how: Look,
) -> Answer<Board> {
    let yard = ledger.yard()?;
    let sets = ids.iter().filter_map(|id| yard.queue.ticket(id));
    let links = sets.flat_map(|ticket| &ticket.change_set.links);
    let features = links.map(|link| link.feature.clone()).collect();
    let told: BTreeSet<u64> = ids.iter().map(|id| id.iid).collect();
    let targets = Targets {
        checked: told.clone(),
        ..targets(desk, Some(&yard), &features, &told)
    };
    desk.boards.board(&match how {
        Look::Notes => targets,
        Look::Candidate => Targets {
            standing: ids.iter().take(TOLD_AT_ONCE).map(|id| id.iid).collect(),
            leaving: leaving::asked(&yard.leaving_in(&desk.ci.project)),
            ..targets
        },
    })
}

/// The same as `keep_all`, with the board that was looked at before, where one look covers them all.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::jobs) fn keep_several(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
    board: Option<Board>,
) -> Answer<Vec<String>> {
    Ok(keep_seen(desk, &ledger.yard()?, ids, board).warnings)
}

/// The same for a state that is about to be recorded, and what stands since; with which of these branches open merge requests are
/// to land on.
pub(in crate::jobs) fn keep_seen(
    desk: &Desk<'_>,
    yard: &Yard,
    ids: &[MergeRequestId],
    board: Option<Board>,
) -> Kept {
    let told: Vec<Told<'_>> = ids.iter().filter_map(|id| known(desk, yard, id)).collect();
    let features = features_of(&told);
    if ids.len() > TOLD_AT_ONCE || features.len() > FEATURES_AT_ONCE || board.is_none() {
        return Kept {
            warnings: keep_as(desk, yard, ids),
            board: None,
        };
    }
    kept(
        desk,
        Keeping {
            features,
            yard: Some(yard.clone()),
            told,
            board,
        },
    )
}

/// The same for a state that is about to be recorded: a job that dies in between does both again.
pub(in crate::jobs) fn keep_as(
    desk: &Desk<'_>,
    yard: &Yard,
    ids: &[MergeRequestId],
) -> Vec<String> {
    let mut warnings = Vec::new();
    let projects: BTreeSet<&ProjectPath> = ids.iter().map(|id| &id.project).collect();
    for project in projects {
        let of_project = ids.iter().filter(|id| id.project == *project);
        let of_project: Vec<MergeRequestId> = of_project.cloned().collect();
        match desk.of(project) {
            Ok(there) => warnings.extend(keep_there(&there, yard, &of_project)),
            Err(problem) => warnings.push(format!(
                "warning: the notes of `{project}` could not be kept: {}",
                problem.full_text()
            )),
        }
    }
    warnings
}

fn keep_there(desk: &Desk<'_>, yard: &Yard, ids: &[MergeRequestId]) -> Vec<String> {
    let mut warnings = Vec::new();
    for some in ids.chunks(TOLD_AT_ONCE) {
        let told: Vec<Told<'_>> = some.iter().filter_map(|id| known(desk, yard, id)).collect();
        if !told.is_empty() {
            warnings.extend(keep(
                desk,
                Keeping {
                    features: features_of(&told),
                    yard: Some(yard.clone()),
                    told,
                    board: None,
                },
            ));
        }
    }
    warnings
}

/// Keeps the notes of the features of change sets, and not those of their merge requests.
pub(in crate::jobs) fn keep_features(
    desk: &Desk<'_>,
    yard: &Yard,
    content: &[Appended],
) -> Vec<String> {
    let links = content.iter().flat_map(|one| &one.change_set.links);
    let features = links.map(|link| link.feature.clone()).collect();
    keep(
        desk,
        Keeping {
            features,
            yard: Some(yard.clone()),
            ..Keeping::default()
        },
    )
}
