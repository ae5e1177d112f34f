//! What a released hotfix leaves to be done: what the main branch lacks of it is brought there by a merge request, and the merge requests
//! that it was picked from say that they are in production.

use super::hotfix::{branch_name, pushed};
use super::notices::Finished;
use crate::config::publishing::Notices;
use crate::domain::ids::{CommitSha, MergeRequestId};
use crate::domain::integration::MergeRequestState;
use crate::domain::progress::Stage;
use crate::domain::versioning::hotfix::forward_branch;
use crate::domain::versioning::{Number, Released, Versions};
use crate::domain::yard::Yard;
use crate::jobs::{Desk, notes};
use crate::ports::{Answer, MergeRequest, Missing, Proposal};
use crate::report::{self, Forward};

/// Does it, as far as it can be done now; nothing for a version that holds no hotfixes.
pub(super) fn finish(desk: &Desk<'_>, yard: &Yard, released: &Released, finished: &mut Finished) {
    if !desk.config.is_for_hotfixes() || released.number.is_pre_release() {
        return;
    }
    match merge(desk, released) {
        Ok(line) => finished.lines.push(line),
        Err(problem) => finished.left(
            1,
            &format!(
                "version {} is not merged forward: {}",
                released.number,
                problem.full_text()
            ),
        ),
    }
    if desk.config.versions.publishing.notices == Notices::Nowhere {
        return;
    }
    match tell_originals(desk, yard, released) {
        Ok(warnings) => {
            finished.pending += warnings.len();
            finished.warnings.extend(warnings);
        }
        Err(problem) => finished.left(
            1,
            &format!(
                "the merge requests that the hotfix was picked from are not told: {}",
                problem.full_text()
            ),
        ),
    }
}

/// Opens the merge request into the main branch, once, where something is missing there.
fn merge(desk: &Desk<'_>, released: &Released) -> Answer<String> {
    let main = &desk.ci.default_branch;
    let number = &released.number;
    let source = branch_name(&forward_branch(number))?;
    let forward = match newest(desk.proposals.of_branch(&source)?) {
        Some(there) => Forward::By(Box::new(there)),
        None => match lacks(desk, released)? {
            None => Forward::NotNeeded,
            Some(tip) => {
                // A job that died before it could open the merge request has pushed it.
                if desk.picks.head(&source)?.is_none() {
                    pushed(desk, &[(&source, &tip)])?;
                }
                let sets: Vec<_> = released.content.iter().map(|one| &one.change_set).collect();
                let (title, description) = report::forward_proposal(number, &sets, main);
                Forward::By(Box::new(desk.proposals.propose(&Proposal {
                    source,
                    target: main.clone(),
                    title,
                    description,
                })?))
            }
        },
    };
    Ok(report::forwarded(number, &forward, main))
}

/// The commit that brings the main branch what it lacks; the version itself where that cannot be put on it as it is, for people to mend.
fn lacks(desk: &Desk<'_>, released: &Released) -> Answer<Option<CommitSha>> {
    let missing = desk
        .picks
        .missing(&released.commit, &desk.ci.default_branch)?;
    Ok(match missing {
        Missing::Nothing => None,
        Missing::Commits { tip } => Some(tip),
        Missing::Conflict => Some(released.commit.clone()),
    })
}

/// One that is open or landed counts more than one that was closed.
fn newest(found: Vec<MergeRequest>) -> Option<MergeRequest> {
    let closed = |one: &MergeRequest| one.state == MergeRequestState::Closed;
    found.into_iter().min_by_key(closed)
}

/// The notes of the merge requests that were picked from say with which version they went out.
fn tell_originals(desk: &Desk<'_>, yard: &Yard, released: &Released) -> Answer<Vec<String>> {
    let picked: Vec<_> = yard.versions.picked_for(released).collect();
    let main = desk.config.environment_of(&desk.ci.default_branch);
    let (false, Some(main)) = (picked.is_empty(), main) else {
        return Ok(Vec::new());
    };
    let landed = desk.logs.yard_of(&main.serves.environment)?.versions;
    let mut out = Vec::new();
    for (hotfix, pick) in picked {
        // A version of the main branch that has it already says so by itself.
        let still = landed
            .unreleased()
            .any(|one| one.change_set.merge_request == pick.merge_request);
        if let Some(original) = landed.landed(&pick.merge_request).filter(|_| still) {
            let stage = Stage::InProduction {
                number: format!("{} (a hotfix of {})", released.number, hotfix.from),
                environment: released.environment.clone(),
            };
            out.push((original.appended, stage));
        }
    }
    Ok(notes::keep_gone_out(desk, &out))
}

/// A version of hotfixes is withdrawn: the merge requests that it was picked from stand again where their own log has them.
pub(super) fn take_back(desk: &Desk<'_>, yard: &Yard, withdrawn: &Released) -> Answer<Vec<String>> {
    let picked = yard.versions.picked_for(withdrawn);
    let ids: Vec<MergeRequestId> = picked.map(|(_, pick)| pick.merge_request.clone()).collect();
    let main = desk.config.environment_of(&desk.ci.default_branch);
    let (true, false, Some(main)) = (desk.config.is_for_hotfixes(), ids.is_empty(), main) else {
        return Ok(Vec::new());
    };
    let there = desk.logs.yard_of(&main.serves.environment)?;
    Ok(notes::keep_as(desk, &there, &ids))
}

/// The last version of hotfixes, while the merge request that brings it into the main branch is open.
pub(super) fn still_open(
    desk: &Desk<'_>,
    versions: &Versions,
) -> Answer<Option<(Number, MergeRequestId)>> {
    let Some(last) = versions.in_production(None) else {
        return Ok(None);
    };
    let source = branch_name(&forward_branch(&last.number))?;
    let found = newest(desk.proposals.of_branch(&source)?);
    let open = found.filter(|one| one.state == MergeRequestState::Open);
    Ok(open.map(|one| (last.number.clone(), one.id)))
}

/// Whether the last version of hotfixes is in the main branch, in words; nothing in an environment that is not for hotfixes.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn standing(desk: &Desk<'_>, versions: &Versions) -> Answer<Option<String>> {
    let last = versions
        .in_production(None)
        .filter(|_| desk.config.is_for_hotfixes());
    let Some(last) = last else {
        return Ok(None);
    };
    let main = &desk.ci.default_branch;
    let source = branch_name(&forward_branch(&last.number))?;
    let forward = match newest(desk.proposals.of_branch(&source)?) {
        Some(there) => Forward::By(Box::new(there)),
        None if last.announced => Forward::NotNeeded,
        None => Forward::NotYet,
    };
    Ok(Some(report::forwarded(&last.number, &forward, main)))
}
