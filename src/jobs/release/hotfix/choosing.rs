//! What a hotfix is made of: the version that it is put on, and what landed of that which is named.

use std::collections::BTreeSet;

use semver::Version;

use crate::domain::ids::{BranchName, CommitSha, MergeRequestId};
use crate::domain::integration::MergeRequestState;
use crate::domain::versioning::hotfix::{HotfixRefusal, Landed, in_production};
use crate::domain::versioning::{Number, Versions};
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::ports::{Answer, MergeRequest};

/// A released version that a hotfix is put on.
pub(super) struct Base {
    pub(super) number: Number,
    pub(super) commit: CommitSha,
}

/// The lines that a hotfix goes between.
pub(super) struct Lines<'a> {
    /// The branch whose change sets are picked.
    pub(super) main: &'a BranchName,
    /// What is known of it.
    pub(super) landed: Versions,
    /// What is known of the branch of hotfixes.
    pub(super) own: Yard,
    /// Every number that is tagged, highest first.
    pub(super) tagged: Vec<(Number, CommitSha)>,
}

/// The version that the hotfix is put on.
pub(super) fn base(lines: &Lines<'_>, asked: Option<&Version>) -> Result<Base, HotfixRefusal> {
    let own = &lines.own.versions;
    let running =
        in_production(&lines.landed, own).ok_or_else(|| HotfixRefusal::NothingReleased {
            branch: lines.main.clone(),
        })?;
    let Some(asked) = asked else {
        return Ok(Base {
            number: running.number.clone(),
            commit: running.commit.clone(),
        });
    };
    let mut tagged = lines.tagged.iter();
    let found = tagged.find(|(number, _)| number.version == *asked && !number.is_pre_release());
    let (number, commit) = found.cloned().ok_or_else(|| HotfixRefusal::NoSuchVersion {
        asked: asked.clone(),
        last: running.number.version.clone(),
    })?;
    if lines.landed.is_withdrawn(&number) || own.is_withdrawn(&number) {
        return Err(HotfixRefusal::Withdrawn { number });
    }
    Ok(Base { number, commit })
}

/// What landed of that which is named, in the order it did; or every reason why some of it cannot go out.
pub(super) fn chosen(
    desk: &Desk<'_>,
    lines: &Lines<'_>,
    base: &Base,
    named: &BTreeSet<u64>,
) -> Answer<Result<Vec<Landed>, Vec<HotfixRefusal>>> {
    let iids: Vec<u64> = named.iter().copied().collect();
    let seen = desk.merge_requests.merge_requests(&iids)?;
    let (mut chosen, mut refusals) = (Vec::new(), Vec::new());
    for iid in named {
        let id = MergeRequestId {
            project: desk.ci.project.clone(),
            iid: *iid,
        };
        let seen = seen.iter().find(|one| one.id == id);
        match look(desk, lines, base, id, seen)? {
            Ok(mut landed) => {
                // The log keeps no title of what a repair found.
                if let Some(seen) = seen {
                    landed.appended.change_set.title.clone_from(&seen.title);
                }
                chosen.push(landed);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    chosen.sort_by_key(|one| lines.landed.place(&id_of(one)));
    Ok(Ok(chosen))
}

fn look(
    desk: &Desk<'_>,
    lines: &Lines<'_>,
    base: &Base,
    id: MergeRequestId,
    seen: Option<&MergeRequest>,
) -> Answer<Result<Landed, HotfixRefusal>> {
    let number = base.number.clone();
    let own = &lines.own.versions;
    for (_, number) in own.went_out().filter(|(picked, _)| **picked == id) {
        let mut tagged = lines.tagged.iter();
        if let Some((_, commit)) = tagged.find(|(other, _)| other == number)
            && desk.commits.is_ancestor(commit, &base.commit)?
        {
            let number = number.clone();
            return Ok(Err(HotfixRefusal::AlreadyOut { id, number }));
        }
    }
    if let Some(landed) = lines.landed.landed(&id) {
        let out = desk
            .commits
            .is_ancestor(&landed.appended.landed, &base.commit)?;
        return Ok(if out {
            Err(HotfixRefusal::AlreadyOut { id, number })
        } else {
            Ok(landed)
        });
    }
    let Some(seen) = seen else {
        return Ok(Err(HotfixRefusal::Unknown { id }));
    };
    Ok(Err(match (seen.state, &seen.landed) {
        (MergeRequestState::Open, _) => HotfixRefusal::NotLanded { id, state: "open" },
        (MergeRequestState::Closed, _) => HotfixRefusal::NotLanded {
            id,
            state: "closed",
        },
        (MergeRequestState::Merged, _) if seen.target != *lines.main => HotfixRefusal::Elsewhere {
            id,
            branch: seen.target.clone(),
        },
        (MergeRequestState::Merged, Some(landed))
            if desk.commits.is_ancestor(landed, &base.commit)? =>
        {
            HotfixRefusal::AlreadyOut { id, number }
        }
        (MergeRequestState::Merged, _) => HotfixRefusal::AroundTheGate { id },
    }))
}

/// Its merge request.
pub(super) fn id_of(landed: &Landed) -> MergeRequestId {
    landed.appended.change_set.merge_request.clone()
}
