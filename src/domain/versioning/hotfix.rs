//! A hotfix: landed change sets that go to production before the next version, picked onto the one that runs there.

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Appended, Number, Released, Versions};
use crate::domain::ids::{BranchName, CommitSha, MergeRequestId, UserName};

/// The most change sets of one hotfix: more is a release.
pub const MOST_PICKED: usize = 20;

/// A change set that was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// The commit that brought it into its own branch.
    pub landed: CommitSha,
}

/// A hotfix that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hotfix {
    /// The merge request that brings it to the branch of hotfixes.
    pub merge_request: MergeRequestId,
    /// The version that it is put on.
    pub from: Number,
    /// What was picked, in the order it landed.
    pub picks: Vec<Pick>,
    /// Why; untrusted.
    pub reason: String,
    /// Who asked for it.
    pub by: UserName,
}

/// A landed change set, and what its commits come after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// It.
    pub appended: Appended,
    /// The commit right before its own, where the log knows; a merge commit tells it itself.
    pub after: Option<CommitSha>,
}

/// Why no hotfix is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HotfixRefusal {
    /// The player may not release.
    NotAReleaseManager { player: UserName },
    /// No change set is named.
    Nothing,
    /// More are named than make a hotfix.
    TooMany { named: usize },
    /// No version is in production.
    NothingReleased { branch: BranchName },
    /// There is no such version.
    NoSuchVersion { asked: Version, last: Version },
    /// It was withdrawn.
    Withdrawn { number: Number },
    /// GitLab knows no such merge request.
    Unknown { id: MergeRequestId },
    /// It is open, or was closed.
    NotLanded {
        id: MergeRequestId,
        state: &'static str,
    },
    /// It landed on another branch.
    Elsewhere {
        id: MergeRequestId,
        branch: BranchName,
    },
    /// It was merged, and not by the gate.
    AroundTheGate { id: MergeRequestId },
    /// The version that the hotfix is put on has it.
    AlreadyOut { id: MergeRequestId, number: Number },
    /// What it adds is there already, byte for byte.
    AlreadyThere {
        id: MergeRequestId,
        branch: BranchName,
    },
    /// The log does not know where its commits begin.
    Unclear { id: MergeRequestId },
    /// The branch stands at a later version.
    Backwards {
        from: Version,
        stands: Version,
        branch: BranchName,
    },
    /// The branch holds what no version has.
    Unreleased {
        branch: BranchName,
        stands: Version,
        holds: Vec<MergeRequestId>,
    },
    /// Somebody waits to land on it.
    Waiting {
        branch: BranchName,
        stands: Version,
        waits: Vec<MergeRequestId>,
    },
    /// What the branch brought last is not in the main branch.
    NotMergedForward {
        number: Version,
        merge_request: MergeRequestId,
        main: BranchName,
    },
    /// It does not apply.
    Conflict {
        id: MergeRequestId,
        commit: CommitSha,
        files: Vec<String>,
        branch: BranchName,
    },
    /// The branch that it would get is there, with other commits.
    BranchTaken { branch: BranchName },
}

/// What becomes of the branch of hotfixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It is made.
    New,
    /// It stands at this version already, perhaps with more on top.
    Stays,
    /// It goes on to this version.
    Moves,
}

/// What is known of the branch of hotfixes.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    /// Its name.
    pub name: &'a BranchName,
    /// Whether there is one.
    pub exists: bool,
    /// The last final version in its history.
    pub stands: Option<&'a Number>,
    /// Its own versions.
    pub versions: &'a Versions,
    /// Who waits to land on it.
    pub waits: &'a [MergeRequestId],
    /// The merge request that brings its last version into the main branch, while that is open.
    pub forward: Option<&'a (Number, MergeRequestId)>,
}

/// What is to become of the branch of hotfixes for one that is put on a version.
///
/// # Errors
/// Why it may not go there.
pub fn stand(
    branch: &Branch<'_>,
    from: &Number,
    main: &BranchName,
) -> Result<Stand, HotfixRefusal> {
    if !branch.exists {
        return Ok(Stand::New);
    }
    let name = branch.name.clone();
    if let Some(stands) = branch.stands {
        if stands == from {
            return Ok(Stand::Stays);
        }
        if stands.version > from.version {
            let (from, stands) = (from.version.clone(), stands.version.clone());
            return Err(HotfixRefusal::Backwards {
                from,
                stands,
                branch: name,
            });
        }
    }
    let stands = branch.stands.unwrap_or(from).version.clone();
    let holds: Vec<MergeRequestId> = branch
        .versions
        .unreleased()
        .map(|one| one.change_set.merge_request.clone())
        .collect();
    if !holds.is_empty() {
        return Err(HotfixRefusal::Unreleased {
            branch: name,
            stands,
            holds,
        });
    }
    if !branch.waits.is_empty() {
        let waits = branch.waits.to_vec();
        return Err(HotfixRefusal::Waiting {
            branch: name,
            stands,
            waits,
        });
    }
    match branch.forward {
        Some((number, merge_request)) => Err(HotfixRefusal::NotMergedForward {
            number: number.version.clone(),
            merge_request: merge_request.clone(),
            main: main.clone(),
        }),
        None => Ok(Stand::Moves),
    }
}

/// The version that runs in production: of those of the main branch and of hotfixes the one that came out last.
pub fn in_production<'a>(main: &'a Versions, hotfixes: &'a Versions) -> Option<&'a Released> {
    let both = main
        .in_production(None)
        .into_iter()
        .chain(hotfixes.in_production(None));
    both.max_by_key(|one| one.at)
}

impl Versions {
    /// A change set that landed here, as far as the log still holds it, with the commit that its own come after.
    pub fn landed(&self, id: &MergeRequestId) -> Option<Landed> {
        let all = self.in_order();
        let at = all
            .iter()
            .position(|one| one.change_set.merge_request == *id)?;
        let own = all[at];
        // What landed before it by the same trial stands between it and the head that the trial began on.
        let project = &own.change_set.merge_request.project;
        let neighbour = all[..at].iter().rev().find(|other| {
            other.trial == own.trial
                && own.trial.0 > 0
                && other.change_set.merge_request.project == *project
        });
        let after = neighbour.map(|other| &other.landed).or(own.base.as_ref());
        Some(Landed {
            appended: own.clone(),
            after: after.cloned(),
        })
    }

    /// Everything that landed and that the log still holds, in its order.
    fn in_order(&self) -> Vec<&Appended> {
        let released = self.released.iter().flat_map(|one| &one.content);
        released.chain(self.unreleased()).collect()
    }

    /// Where in that order something stands; what is not there comes last.
    pub fn place(&self, id: &MergeRequestId) -> usize {
        let all = self.in_order();
        let place = all
            .iter()
            .position(|one| one.change_set.merge_request == *id);
        place.unwrap_or(usize::MAX)
    }

    /// The hotfix that a merge request brought.
    pub fn hotfix_of(&self, merge_request: &MergeRequestId) -> Option<&Hotfix> {
        self.hotfixes
            .iter()
            .rev()
            .find(|one| one.merge_request == *merge_request)
    }

    /// The change sets that went out with a version as a hotfix, with the version that it was put on.
    pub fn picked_for<'a>(
        &'a self,
        released: &'a Released,
    ) -> impl Iterator<Item = (&'a Hotfix, &'a Pick)> {
        let brought = released.content.iter();
        let hotfixes = brought.filter_map(|one| self.hotfix_of(&one.change_set.merge_request));
        hotfixes.flat_map(|hotfix| hotfix.picks.iter().map(move |pick| (hotfix, pick)))
    }

    /// The version by which each change set went out as a hotfix, unless that was withdrawn.
    pub fn went_out(&self) -> impl Iterator<Item = (&MergeRequestId, &Number)> {
        let good = self.released.iter().filter(|one| one.withdrawn.is_none());
        good.flat_map(|one| {
            self.picked_for(one)
                .map(|(_, pick)| (&pick.merge_request, &one.number))
        })
    }
}

/// The numbers of merge requests that a person names: `!34 !36`, `34, 36`.
///
/// # Errors
/// The first word that is none.
pub fn named(text: &str) -> Result<Vec<u64>, String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let mut numbers = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        let digits = word.strip_prefix('!').unwrap_or(word);
        let number = digits.parse().ok().filter(|number| *number > 0);
        let number = number
            .ok_or_else(|| format!("`{word}` is no merge request; name them as `!34 !36`"))?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// The branch that the commits of a hotfix are on.
pub fn branch_of(from: &Number, picked: &[MergeRequestId]) -> String {
    let numbers: Vec<String> = picked.iter().map(|id| id.iid.to_string()).collect();
    format!("trainyard-hotfix/{}/{}", from.tag(), numbers.join("-"))
}

/// What a branch of that name was made for: the version, and the numbers of the merge requests that were picked.
pub fn of_branch(name: &BranchName, prefix: &str) -> Option<(Number, Vec<u64>)> {
    let (tag, picked) = name
        .as_str()
        .strip_prefix("trainyard-hotfix/")?
        .rsplit_once('/')?;
    let number = |digits: &str| digits.parse().ok();
    let picked: Vec<u64> = picked.split('-').map(number).collect::<Option<_>>()?;
    Some((Number::of_tag(tag, prefix)?, picked))
}

/// The branch that brings a version of hotfixes into the main branch.
pub fn forward_branch(number: &Number) -> String {
    format!("trainyard-forward/{}", number.tag())
}

/// The message of a picked commit: the words of the original without what the gate said of its landing, where it is from, and the change
/// set that it goes out for.
pub fn picked_message(original: &str, commit: &CommitSha, of: Option<&MergeRequestId>) -> String {
    let ours = |line: &&str| {
        let keys = ["Trainyard-", "Feature: ", "Closes-Feature: "];
        !keys.iter().any(|key| line.starts_with(key))
    };
    let kept: Vec<&str> = original.lines().filter(ours).collect();
    let text = kept.join("\n");
    let of = of.map_or(String::new(), |of| {
        format!("\nTrainyard-Hotfix-Of: {}!{}", of.project, of.iid)
    });
    format!(
        "{}\n\n(cherry picked from commit {commit}){of}",
        text.trim()
    )
}

#[cfg(test)]
mod tests;
