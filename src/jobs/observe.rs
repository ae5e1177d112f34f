//! What several jobs look at in the same way: a merge request, its links, and who holds a role.

mod links;
mod people;

use std::collections::BTreeSet;

use super::{Desk, notes};
use crate::domain::integration::{ChangeSet, MergeRequestState};
use crate::domain::objections;
use crate::domain::yard::Yard;
use crate::outcome::Problem;
use crate::ports::{Answer, Board, Evidence, MergeRequest, MergeRequestOnBoard, Targets};

pub(super) use links::{
    Linked, Related, features_project, grammar, judge_links, links, links_of, read_description,
    sights,
};
pub(super) use people::{Holders, holders, people_of, people_or_maintainers};

/// The merge request with our notes on it, in one request.
pub(super) fn whole(desk: &Desk<'_>, iid: u64) -> Answer<MergeRequestOnBoard> {
    let targets = Targets {
        whole: Some(iid),
        ..Targets::default()
    };
    let mut board = desk.boards.board(&targets)?;
    board
        .merge_requests
        .remove(&iid)
        .ok_or_else(|| no_merge_request(desk, iid))
}

/// The merge request that evidence was collected about.
pub(super) fn found(desk: &Desk<'_>, iid: u64, evidence: &Evidence) -> Answer<MergeRequestOnBoard> {
    evidence
        .found
        .clone()
        .ok_or_else(|| no_merge_request(desk, iid))
}

/// A merge request that must be there.
pub(super) fn merge_request(desk: &Desk<'_>, iid: u64) -> Answer<MergeRequest> {
    desk.merge_requests
        .merge_request(iid)?
        .ok_or_else(|| no_merge_request(desk, iid))
}

/// That there is no such merge request.
pub(super) fn no_merge_request(desk: &Desk<'_>, iid: u64) -> Problem {
    Problem::refused(
        format!("there is no merge request !{iid} in `{}`", desk.ci.project),
        "check the number; a deleted merge request needs nothing more",
    )
}

/// A change set's merge request, or that it is gone, with the board that its notes are kept on: one look for both.
pub(super) fn at_the_gate(
    desk: &Desk<'_>,
    yard: &Yard,
    set: &ChangeSet,
) -> Answer<(Option<MergeRequest>, Board)> {
    let iid = set.merge_request.iid;
    let features = set.links.iter().map(|link| link.feature.clone()).collect();
    let mut targets = notes::targets(desk, Some(yard), &features, &BTreeSet::from([iid]));
    targets.whole = Some(iid);
    let board = desk.boards.board(&targets)?;
    let seen = board.merge_requests.get(&iid);
    let found = match seen.map(|on_board| on_board.merge_request.clone()) {
        // How it got into its target is told by the REST API only.
        Some(merged) if merged.state == MergeRequestState::Merged => {
            desk.merge_requests.merge_request(iid)?
        }
        found => found,
    };
    Ok((found, board))
}

/// What people hold against merging it.
pub(super) fn objection(desk: &Desk<'_>, found: &MergeRequest) -> Option<String> {
    let wanted = desk.config.integration.resolved_threads;
    objections::against_merging(found.threads, wanted, &found.merge_status)
}
