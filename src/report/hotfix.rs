//! Hotfixes: why none is made and what to do about it, the merge requests that carry them, and their way back to the main branch.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::ids::{BranchName, FeatureId, MergeRequestId, UserName};
use crate::domain::integration::{ChangeSet, MergeRequestState};
use crate::domain::versioning::hotfix::{HotfixRefusal, MOST_PICKED};
use crate::domain::versioning::{Frozen, Number};
use crate::outcome::Outcome;
use crate::ports::MergeRequest;

use super::release::counted;
use super::versions::frozen_now;
use super::{code, plain};

/// How many files of a conflict are named.
const FILES_NAMED: usize = 10;

/// How a version of hotfixes gets into the main branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forward {
    /// By this merge request.
    By(Box<MergeRequest>),
    /// Everything is there already.
    NotNeeded,
    /// Nobody has looked yet.
    NotYet,
}

/// Why no hotfix is made, and what to do.
pub fn hotfix_refusal(refusal: &HotfixRefusal, main: &BranchName) -> String {
    match refusal {
        HotfixRefusal::NotAReleaseManager { player } => format!(
            "`{player}` may not release, and so makes no hotfixes: `versions.released_by` names the roles that may"
        ),
        HotfixRefusal::Nothing => {
            "no merge request is named; name those that landed and are to go out, such as `!34 !36`"
                .to_owned()
        }
        HotfixRefusal::TooMany { named } => format!(
            "{named} merge requests are named, and a hotfix holds at most {MOST_PICKED}; release `{main}` instead"
        ),
        HotfixRefusal::NothingReleased { branch } => format!(
            "no version is released yet, so there is none to put a hotfix on; release `{branch}`"
        ),
        HotfixRefusal::NoSuchVersion { asked, last } => format!(
            "there is no version {asked}; the one in production is {last}, and without `--from` the hotfix is put on that"
        ),
        HotfixRefusal::Withdrawn { number } => format!(
            "version {number} was withdrawn; without `--from` the hotfix is put on the one in production"
        ),
        HotfixRefusal::Unknown { id } => {
            format!("{id}: there is no such merge request; check the number")
        }
        HotfixRefusal::NotLanded { id, state } => format!(
            "{id} has not landed, it is {state}; a hotfix takes over what was tried and landed on `{main}`. What is for production alone goes into a merge request to the branch of hotfixes"
        ),
        HotfixRefusal::Elsewhere { id, branch } => {
            format!("{id} landed on `{branch}`; a hotfix takes over what landed on `{main}`")
        }
        HotfixRefusal::AroundTheGate { id } => format!(
            "{id} was merged, and the gate knows nothing of it: it came around the queue, or went out long ago. Pick it by hand (`git cherry-pick -x`), in a merge request to the branch of hotfixes"
        ),
        HotfixRefusal::AlreadyOut { id, number } => {
            format!("{id} is out already: version {number} has it; leave it out")
        }
        HotfixRefusal::AlreadyThere { id, branch } => {
            format!("{id} would change nothing: `{branch}` has all of it already; leave it out")
        }
        HotfixRefusal::Unclear { id } => format!(
            "{id} cannot be picked by itself: there are merges among its commits, or the log does not know where they begin. Pick it by hand (`git cherry-pick -x`), in a merge request to the branch of hotfixes"
        ),
        HotfixRefusal::Backwards {
            from,
            stands,
            branch,
        } => format!(
            "`{branch}` stands at {stands} and does not go back to {from}; without `--from` the hotfix is put on what is in production. An old version that is to be kept alive has an environment and a branch of its own"
        ),
        HotfixRefusal::Unreleased {
            branch,
            stands,
            holds,
        } => format!(
            "`{branch}` stands at {stands} and holds what no version has: {}; release it first (`release-prepare` in a pipeline of `{branch}`)",
            listed(holds)
        ),
        HotfixRefusal::Waiting {
            branch,
            stands,
            waits,
        } => format!(
            "`{branch}` stands at {stands}, and {} to land there; let it land and release it, or take it out (`trainyard queue withdraw`)",
            match waits.as_slice() {
                [one] => format!("{one} waits"),
                more => format!("{} wait", listed(more)),
            }
        ),
        HotfixRefusal::NotMergedForward {
            number,
            merge_request,
            main,
        } => format!(
            "version {number} is not merged forward: {merge_request} is still open, and a new hotfix would go out without it. Let it land on `{main}`, or close it if `{main}` is not to have it"
        ),
        HotfixRefusal::Conflict {
            id,
            commit,
            files,
            branch,
        } => {
            let named: Vec<String> = files
                .iter()
                .take(FILES_NAMED)
                .map(|file| code(file))
                .collect();
            let more = files.len().saturating_sub(FILES_NAMED);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!(
                "{id} does not apply to `{branch}`: commit `{commit}` conflicts in {}{more}; none of its commits was pushed. It needs what landed before it (name that too), or a hand:\n    git fetch origin\n    git switch --create hotfix-of-{iid} origin/{branch}\n    git cherry-pick -x {commit}   # `-m 1` for a merge commit; mend the files, then `git cherry-pick --continue`\n    git push origin hotfix-of-{iid}\n  and open a merge request from there to `{branch}` that says what it contributes to",
                named.join(", "),
                iid = id.iid
            )
        }
        HotfixRefusal::BranchTaken { branch } => format!(
            "the branch `{branch}` is there, with other commits than these: somebody worked on it after an earlier hotfix. Delete it if it is not needed, then ask again"
        ),
    }
}

fn listed(ids: &[MergeRequestId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

/// What the job says of the hotfix that it made; no count of commits when the merge request was there already.
pub fn hotfix_made(
    from: &Number,
    merge_request: &MergeRequest,
    commits: Option<usize>,
    branch: &BranchName,
) -> Outcome {
    let iid = merge_request.id.iid;
    let headline = match commits {
        Some(commits) => format!(
            "!{iid} is the hotfix of version {from}: {} picked onto `{branch}`",
            counted(commits, "commit")
        ),
        None => format!(
            "!{iid} is the hotfix of version {from}, and is open already; nothing was pushed"
        ),
    };
    Outcome::open(headline)
        .with(&merge_request.url)
        .next(format!(
            "press `integrate` in its pipeline; it is tried and lands on `{branch}`, and `release-prepare` in a pipeline of `{branch}` releases it"
        ))
}

/// That the branch gives its jobs no token.
pub fn hotfix_unprotected(branch: &BranchName) -> String {
    format!(
        "`{branch}` is not protected, so GitLab withholds `TRAINYARD_GATE_TOKEN` from its pipelines and everybody may push to it: protect it in Settings > Repository > Protected branches"
    )
}

/// That the version was made before the environment was set up.
pub fn hotfix_rules_missing(branch: &BranchName, environment: &str) -> String {
    format!(
        "the `.trainyard.yml` on `{branch}` does not have `{environment}` with `hotfixes: true`: this version was made before that was set up, and `release-prepare` will refuse there. Bring `.trainyard.yml` and `.gitlab-ci.yml` to `{branch}` with a merge request, or set it up and release the main branch first"
    )
}

/// That a release would be refused now.
pub fn hotfix_frozen(frozen: &Frozen) -> String {
    format!(
        "{}; a hotfix goes out all the same with `--through-freeze` and a reason (input `trainyard_through_freeze` in a pipeline of its branch)",
        frozen_now(frozen)
    )
}

/// The title and the description of the merge request that carries a hotfix. What people wrote is code there, in which no link is read.
pub fn hotfix_proposal(
    from: &Number,
    sets: &[&ChangeSet],
    by: &UserName,
    reason: &str,
    main: &BranchName,
) -> (String, String) {
    let ids: Vec<String> = sets
        .iter()
        .map(|set| format!("!{}", set.merge_request.iid))
        .collect();
    let title = format!("Hotfix of {from}: {}", ids.join(", "));
    let description = format!(
        "Asked for by `{by}`: {}\n\nIt takes over what landed on `{main}`:\n\n{}\n{}Each commit says where it was picked from (`cherry picked from commit ...`). Commits that are added here are tried, released and merged forward with the others.\n",
        code(reason),
        rows(sets),
        links(sets),
    );
    (title, description)
}

/// Who asked for a hotfix and why, as its merge request says it; nothing where somebody wrote another description.
pub fn read_hotfix_proposal(description: &str) -> Option<(UserName, String)> {
    let line = description.lines().next()?.strip_prefix("Asked for by `")?;
    let (by, reason) = line.split_once("`: `")?;
    let reason = reason.strip_suffix('`')?;
    Some((by.parse().ok()?, reason.to_owned()))
}

/// The title and the description of the merge request that brings a version of hotfixes into the main branch.
pub fn forward_proposal(
    number: &Number,
    sets: &[&ChangeSet],
    main: &BranchName,
) -> (String, String) {
    let title = format!("Merge version {number} forward into {main}");
    let description = format!(
        "Version {number} is in production, and `{main}` lacks some of it:\n\n{}\n{}Where it conflicts, mend it on this branch; where `{main}` is not to have it, close this merge request. Until one of the two is done, no hotfix is put on a later version.\n",
        rows(sets),
        links(sets),
    );
    (title, description)
}

fn rows(sets: &[&ChangeSet]) -> String {
    let row = |set: &&ChangeSet| {
        format!(
            "- !{} {}, by @{}\n",
            set.merge_request.iid,
            code(&set.title),
            set.author
        )
    };
    sets.iter().map(row).collect()
}

/// The features that all of it is for: only their own closing merge request closes them.
fn links(sets: &[&ChangeSet]) -> String {
    let Some(home) = sets.first().map(|set| &set.merge_request.project) else {
        return String::new();
    };
    let links = sets.iter().flat_map(|set| &set.links);
    let features: BTreeSet<&FeatureId> = links.map(|link| &link.feature).collect();
    let lines = features
        .into_iter()
        .map(|id| format!("contributes to feature {}\n", id.seen_from(home)));
    let lines: String = lines.collect();
    if lines.is_empty() {
        return lines;
    }
    format!("{lines}\n")
}

/// How a version of hotfixes gets, or got, into the main branch.
pub fn forwarded(number: &Number, forward: &Forward, main: &BranchName) -> String {
    match forward {
        Forward::NotNeeded => format!(
            "`{main}` holds everything of version {number}: nothing is to be merged forward"
        ),
        Forward::NotYet => format!(
            "whether `{main}` lacks anything of version {number} is looked at by the next job"
        ),
        Forward::By(by) => {
            let (iid, url) = (by.id.iid, plain(&by.url));
            match by.state {
                MergeRequestState::Open => format!(
                    "version {number} is not merged forward yet: !{iid} brings it into `{main}` ({url})"
                ),
                MergeRequestState::Merged => {
                    format!("version {number} is merged forward into `{main}` by !{iid}")
                }
                MergeRequestState::Closed => format!(
                    "version {number} is not merged forward into `{main}`: somebody closed !{iid}"
                ),
            }
        }
    }
}

/// The same for programs.
pub(super) fn forward_json(number: &Number, forward: &Forward) -> Value {
    let (state, merge_request) = match forward {
        Forward::NotNeeded => ("not_needed", None),
        Forward::NotYet => ("not_yet", None),
        Forward::By(by) => {
            let state = match by.state {
                MergeRequestState::Open => "open",
                MergeRequestState::Merged => "merged",
                MergeRequestState::Closed => "closed",
            };
            (state, Some(by.id.iid))
        }
    };
    json!({"version": number.version, "state": state, "merge_request": merge_request})
}

#[cfg(test)]
mod tests;
