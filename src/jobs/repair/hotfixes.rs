//! Hotfixes that are under way, as their merge requests tell: nobody but the gate's user opens those, and a branch keeps its name.

use std::collections::BTreeSet;

use crate::domain::ids::{CommitSha, MergeRequestId};
use crate::domain::integration::MergeRequestState;
use crate::domain::versioning::hotfix::{Hotfix, Pick, of_branch};
use crate::jobs::Desk;
use crate::ports::{Answer, MergeRequest};
use crate::report;

/// Those that wait, or landed among these commits; and what could not be told of them.
///
/// # Errors
/// When GitLab cannot be asked.
pub(super) fn under_way(
    desk: &Desk<'_>,
    since: &BTreeSet<CommitSha>,
) -> Answer<(Vec<Hotfix>, Vec<String>)> {
    let (mut hotfixes, mut unsure) = (Vec::new(), Vec::new());
    if !desk.config.is_for_hotfixes() {
        return Ok((hotfixes, unsure));
    }
    let own = desk.records.token_user()?.name;
    for found in desk.proposals.onto(desk.branch(), &own)? {
        let landed = found.landed.as_ref();
        let of_now = match found.state {
            MergeRequestState::Open => true,
            MergeRequestState::Merged => landed.is_some_and(|landed| since.contains(landed)),
            MergeRequestState::Closed => false,
        };
        let prefix = &desk.config.versions.numbering.prefix;
        let Some((from, named)) = of_branch(&found.source, prefix).filter(|_| of_now) else {
            continue;
        };
        let (picks, unknown) = picks(desk, &named)?;
        if !unknown.is_empty() {
            unsure.push(report::picks_unknown(&found.id, &unknown));
            continue;
        }
        let (by, reason) = report::read_hotfix_proposal(&found.description)
            .unwrap_or_else(|| (own.clone(), String::new()));
        hotfixes.push(Hotfix {
            merge_request: found.id,
            from,
            picks,
            reason,
            by,
        });
    }
    hotfixes.sort_by_key(|one| one.merge_request.iid);
    Ok((hotfixes, unsure))
}

/// What was picked, in its order; and what of it GitLab does not show as merged.
fn picks(desk: &Desk<'_>, named: &[u64]) -> Answer<(Vec<Pick>, Vec<u64>)> {
    let seen = desk.merge_requests.merge_requests(named)?;
    let (mut picks, mut unknown) = (Vec::new(), Vec::new());
    for iid in named {
        let of_it = |one: &&MergeRequest| one.id.iid == *iid;
        match seen.iter().find(of_it).and_then(|one| one.landed.clone()) {
            Some(landed) => picks.push(Pick {
                merge_request: MergeRequestId {
                    project: desk.ci.project.clone(),
                    iid: *iid,
                },
                landed,
            }),
            None => unknown.push(*iid),
        }
    }
    Ok((picks, unknown))
}
