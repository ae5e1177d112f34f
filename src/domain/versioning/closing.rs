//! Closing the open version: whether it may be, and what becomes of what it holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::comparison::{Around, Comparison};
use super::manifest::Manifest;
use super::numbers::Chosen;
use super::packages::Kept;
use super::{Appended, Closing, Number, Versions};
use crate::domain::digest::sha256;
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, MergeRequestId, ProjectPath, UserName, VersionId};

/// Why a version cannot be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseRefusal {
    /// Nothing has landed since the last one.
    NothingToRelease,
    /// Nothing has landed since this pre-release, which is of the same commit.
    NothingNew { number: Number },
    /// Another version is on its way.
    AlreadyClosing {
        number: Number,
        by: Option<UserName>,
        since: Timestamp,
    },
    /// The number asked for is not above the last one.
    NumberNotAbove { asked: Number, last: Number },
    /// The number has a tag.
    NumberTaken { asked: Number, commit: CommitSha },
    /// The commit to release lacks a change set that landed before others it holds.
    NotOnBranch {
        commit: CommitSha,
        lacks: MergeRequestId,
    },
    /// The player may not release.
    NotAReleaseManager { player: UserName },
    /// No release may start now.
    Frozen(Frozen),
    /// The player may not release during a freeze.
    NotThroughFreezes { player: UserName, frozen: Frozen },
}

/// What the open version would be if it were closed at a commit.
#[derive(Debug, Clone)]
pub struct Coming {
    /// Its number.
    pub chosen: Chosen,
    /// What of the open version is to be released, whether the commit holds it or not: all of it, or what belongs to a package.
    pub share: Vec<Appended>,
    /// The change sets of it that the commit holds, in their order, with what their commits say about breaking.
    pub content: Vec<Appended>,
    /// How the commits compare with them.
    pub comparison: Option<Comparison>,
}

/// Why no release may start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// Which freeze, and why; the project's own words.
    pub why: String,
    /// When it ends, where that is known.
    pub until: Option<Timestamp>,
}

/// A release during a freeze all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThroughFreeze {
    /// Which freeze, and why.
    pub freeze: String,
    /// Why all the same; untrusted.
    pub reason: String,
}

/// How the open version is to be closed.
#[derive(Debug, Clone, Copy)]
pub struct Closure<'a> {
    /// Where.
    pub project: &'a ProjectPath,
    /// The commit to deploy and tag.
    pub commit: &'a CommitSha,
    /// Its number.
    pub number: &'a Number,
    /// The last final number.
    pub last: Option<&'a Number>,
    /// Every tag there is, and its commit.
    pub tagged: &'a [(Number, CommitSha)],
    /// What came around the gate.
    pub around: &'a [Around],
    /// Who closes it.
    pub by: Option<&'a UserName>,
    /// The freeze that it goes through.
    pub through_freeze: Option<&'a ThroughFreeze>,
}

/// Closes the open version at a commit: the change sets of the share that the commit holds are frozen, all others open the next version.
///
/// # Errors
/// Every reason at once.
pub fn close(
    versions: &Versions,
    share: &[Appended],
    holds: impl Fn(&Appended) -> bool,
    closure: &Closure<'_>,
) -> Result<Vec<Fact>, Vec<CloseRefusal>> {
    if let Some(closing) = &versions.closing {
        let (number, by, since) = (closing.number.clone(), closing.by.clone(), closing.at);
        return Err(vec![CloseRefusal::AlreadyClosing { number, by, since }]);
    }
    let Closure { commit, number, .. } = *closure;
    let mut reasons = Vec::new();
    let held = share.iter().take_while(|appended| holds(appended));
    let (content, later) = share.split_at(held.count());
    if let Some(lacks) = later.first().filter(|_| later.iter().any(&holds)) {
        reasons.push(CloseRefusal::NotOnBranch {
            commit: commit.clone(),
            lacks: lacks.change_set.merge_request.clone(),
        });
    } else if content.is_empty() {
        reasons.push(CloseRefusal::NothingToRelease);
    }
    if let Some(last) = versions.released_of(number.package.as_ref()).next_back()
        && last.number.is_pre_release()
        && number.is_pre_release()
        && last.commit == *commit
        && last.content == content
    {
        reasons.push(CloseRefusal::NothingNew {
            number: last.number.clone(),
        });
    }
    if let Some(last) = closure.last
        && number.version <= last.version
    {
        reasons.push(CloseRefusal::NumberNotAbove {
            asked: number.clone(),
            last: last.clone(),
        });
    } else if let Some((_, taken)) = closure.tagged.iter().find(|(other, _)| other == number)
        && taken != commit
    {
        reasons.push(CloseRefusal::NumberTaken {
            asked: number.clone(),
            commit: taken.clone(),
        });
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let manifest = Manifest::of(
        closure.project,
        number,
        commit,
        content,
        closure.around,
        closure.by,
    );
    let version = versions.open;
    Ok(vec![
        Fact::VersionClosed {
            version,
            number: number.clone(),
            commit: commit.clone(),
            content: content
                .iter()
                .map(|a| a.change_set.merge_request.clone())
                .collect(),
            kept: kept(content),
            closed_by: closure.by.cloned(),
            around: closure.around.to_vec(),
            manifest: manifest.text().ok().as_deref().map(sha256),
            through_freeze: closure.through_freeze.cloned(),
        },
        Fact::VersionOpened {
            version: VersionId(version.0 + 1),
        },
    ])
}

/// What other packages are still to bring.
fn kept(content: &[Appended]) -> Vec<Kept> {
    let kept = content.iter().filter(|one| !one.spread.awaits.is_empty());
    let kept = kept.map(|one| Kept {
        merge_request: one.change_set.merge_request.clone(),
        packages: one.spread.awaits.clone(),
    });
    kept.collect()
}

impl Closing {
    /// What it was frozen with.
    pub fn manifest_of(&self, project: &ProjectPath) -> Manifest {
        let (number, commit) = (&self.number, &self.commit);
        let by = self.by.as_ref();
        Manifest::of(project, number, commit, &self.content, &self.around, by)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;

    fn number(text: &str) -> Number {
        Number::of_tag(text, "v").unwrap()
    }

    fn open_with(content: Vec<Appended>) -> Versions {
        Versions {
            content,
            ..Versions::default()
        }
    }

    fn close_up_to(
        versions: &Versions,
        newest: u64,
        tag: &str,
        last: Option<&str>,
    ) -> Result<Vec<Fact>, Vec<CloseRefusal>> {
        let last = last.map(number);
        let commit = format!("{newest:040x}").parse().unwrap();
        let closure = Closure {
            project: &"shop/web".parse().unwrap(),
            commit: &commit,
            number: &number(tag),
            last: last.as_ref(),
            tagged: &[(number("v9.0.0-rc.1"), "f".repeat(40).parse().unwrap())],
            around: &[],
            by: None,
            through_freeze: None,
        };
        close(
            versions,
            &versions.content,
            |a| a.change_set.merge_request.iid <= newest,
            &closure,
        )
    }

    #[test]
    fn closing_freezes_what_the_commit_holds_and_opens_the_next_version() {
        let versions = open_with(vec![
            appended(1, &[], &[], false),
            appended(2, &[], &[], false),
        ]);
        let facts = close_up_to(&versions, 1, "v1.0.0", None).unwrap();
        assert!(matches!(&facts[0], Fact::VersionClosed { content, .. } if content.len() == 1));
        assert_eq!(
            facts[1],
            Fact::VersionOpened {
                version: VersionId(2)
            }
        );
    }

    #[test]
    fn what_cannot_be_closed_is_refused_with_the_reason() {
        assert_eq!(
            close_up_to(&open_with(vec![]), 1, "v1.0.0", None),
            Err(vec![CloseRefusal::NothingToRelease])
        );
        let one = open_with(vec![appended(1, &[], &[], false)]);
        assert!(matches!(
            &close_up_to(&one, 1, "v1.0.0", Some("v1.0.0")).unwrap_err()[..],
            [CloseRefusal::NumberNotAbove { .. }]
        ));
        assert!(matches!(
            &close_up_to(&one, 1, "v9.0.0-rc.1", None).unwrap_err()[..],
            [CloseRefusal::NumberTaken { .. }]
        ));
        let hole = open_with(vec![
            appended(9, &[], &[], false),
            appended(1, &[], &[], false),
        ]);
        assert!(matches!(
            &close_up_to(&hole, 1, "v1.0.0", None).unwrap_err()[..],
            [CloseRefusal::NotOnBranch { .. }]
        ));
    }

    #[test]
    fn a_pre_release_keeps_its_content_for_the_final_version() {
        let set = |iid| appended(iid, &[], &[], false);
        let mut versions = open_with(vec![set(1)]);
        let released = |versions: &mut Versions, tag: &str| {
            let closing = Closing {
                id: VersionId(1),
                number: number(tag),
                commit: set(1).landed,
                content: Vec::new(),
                by: None,
                at: Timestamp::UNIX_EPOCH,
                environment: None,
                around: Vec::new(),
                manifest: None,
            };
            versions.close(closing, &[set(1).change_set.merge_request], &[]);
            versions.content.push(set(2));
            versions.release(Timestamp::UNIX_EPOCH);
        };
        released(&mut versions, "v1.0.0-rc.1");
        assert_eq!(versions.content, [set(1), set(2)]);
        assert!(matches!(
            &close_up_to(&versions, 1, "v1.0.0-rc.2", None).unwrap_err()[..],
            [CloseRefusal::NothingNew { .. }]
        ));
        assert!(
            close_up_to(&versions, 1, "v1.0.0", None).is_ok(),
            "the same commit becomes final"
        );
        versions.content.pop();
        released(&mut versions, "v1.0.0");
        assert_eq!(versions.content, [set(2)]);
    }
}
