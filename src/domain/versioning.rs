//! The version being assembled: what is in it, what number it gets, and how it is closed, released or given back.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::event::Fact;
use super::ids::{CommitSha, FeatureId, MergeRequestId, ProjectPath, TrialId, UserName, VersionId};
use super::integration::ChangeSet;
use super::linking::LinkKind;

/// A change set that is in a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// What landed.
    pub change_set: ChangeSet,
    /// The commit of the target branch that brought it.
    pub landed: CommitSha,
    /// The trial that validated it.
    pub trial: TrialId,
    /// When.
    pub at: Timestamp,
}

/// The number and the tag of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The semantic version.
    pub version: Version,
    /// What stands before it in the tag, for example `v`.
    pub prefix: String,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.version)
    }
}

impl Number {
    /// The tag's name.
    pub fn tag(&self) -> String {
        format!("{}{}", self.prefix, self.version)
    }

    /// The number of a tag, if it is one of ours.
    pub fn of_tag(tag: &str, prefix: &str) -> Option<Self> {
        let version = Version::from_str(tag.strip_prefix(prefix)?).ok()?;
        Some(Self {
            version,
            prefix: prefix.to_owned(),
        })
    }

    /// The same, or the first patch above it that nobody has: another branch may count in the same numbers.
    #[must_use]
    pub fn beside<'a>(mut self, taken: impl Iterator<Item = &'a Self> + Clone) -> Self {
        while taken.clone().any(|other| *other == self) {
            self.version.patch += 1;
        }
        self
    }
}

/// A version whose content is frozen and that is on its way to production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Which one.
    pub id: VersionId,
    /// Its number.
    pub number: Number,
    /// The commit to deploy and tag.
    pub commit: CommitSha,
    /// Its content, in the order it landed.
    pub content: Vec<Appended>,
    /// Who closed it.
    pub by: Option<UserName>,
    /// Since when.
    pub at: Timestamp,
    /// Whether the deployment is known to have succeeded.
    pub deployed: bool,
}

/// A version in production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Which one.
    pub id: VersionId,
    /// Its number.
    pub number: Number,
    /// The commit tagged.
    pub commit: CommitSha,
    /// Its content.
    pub content: Vec<Appended>,
    /// When.
    pub at: Timestamp,
}

/// All versions that the journal still holds, folded from events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Versions {
    /// The number in history of the open version.
    pub open: VersionId,
    /// What it holds, in the order it landed.
    pub content: Vec<Appended>,
    /// The version being released.
    pub closing: Option<Closing>,
    /// Released versions, oldest first.
    pub released: Vec<Released>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            open: VersionId(1),
            content: Vec::new(),
            closing: None,
            released: Vec::new(),
        }
    }
}

/// How many released versions are remembered when the log is archived.
const RELEASES_KEPT: usize = 20;

/// How large a step a content asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Only contributions.
    Patch,
    /// A feature was completed.
    Minor,
    /// Something that users rely on breaks.
    Major,
}

/// How numbers are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// The first number ever.
    pub initial: Version,
    /// What stands before the number in the tag.
    pub prefix: String,
}

/// Why a version cannot be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseRefusal {
    /// Nothing has landed since the last one.
    NothingToRelease,
    /// Another version is on its way.
    AlreadyClosing {
        number: Number,
        by: Option<UserName>,
        since: Timestamp,
    },
    /// The number asked for is not above the last one.
    NumberNotAbove { asked: Number, last: Number },
    /// The commit to release does not hold every change set that landed before the newest one it holds.
    NotOnBranch { commit: CommitSha },
    /// The player may not release.
    NotAReleaseManager { player: UserName },
    /// No release may start now.
    Frozen { reason: String },
}

/// The step that a content asks for: breaking -> major, a closed feature -> minor, else patch (design, "Versions").
pub fn step(content: &[Appended]) -> Step {
    content
        .iter()
        .map(|appended| {
            if appended.change_set.breaking {
                Step::Major
            } else if appended
                .change_set
                .links
                .iter()
                .any(|link| link.kind == LinkKind::Closes)
            {
                Step::Minor
            } else {
                Step::Patch
            }
        })
        .max()
        .unwrap_or(Step::Patch)
}

/// The number after `last` for this content. Below 1.0.0 a breaking change is a minor step (semver.org, item 4).
pub fn next_number(last: Option<&Number>, content: &[Appended], numbering: &Numbering) -> Number {
    let version = match last {
        None => numbering.initial.clone(),
        Some(last) => {
            let v = &last.version;
            match (step(content), v.major) {
                (Step::Major, 1..) => Version::new(v.major + 1, 0, 0),
                (Step::Major | Step::Minor, _) => Version::new(v.major, v.minor + 1, 0),
                (Step::Patch, _) => Version::new(v.major, v.minor, v.patch + 1),
            }
        }
    };
    Number {
        version,
        prefix: numbering.prefix.clone(),
    }
}

/// Closes the open version at a commit: the change sets that the commit holds are frozen, the others open the next version.
///
/// # Errors
/// Every reason at once.
pub fn close(
    versions: &Versions,
    holds: impl Fn(&Appended) -> bool,
    commit: &CommitSha,
    number: Number,
    last: Option<&Number>,
    by: Option<UserName>,
) -> Result<Vec<Fact>, Vec<CloseRefusal>> {
    if let Some(closing) = &versions.closing {
        let (number, by, since) = (closing.number.clone(), closing.by.clone(), closing.at);
        return Err(vec![CloseRefusal::AlreadyClosing { number, by, since }]);
    }
    let mut reasons = Vec::new();
    let included = versions
        .content
        .iter()
        .take_while(|appended| holds(appended))
        .count();
    if versions.content[included..].iter().any(&holds) {
        reasons.push(CloseRefusal::NotOnBranch {
            commit: commit.clone(),
        });
    } else if included == 0 {
        reasons.push(CloseRefusal::NothingToRelease);
    }
    if let Some(last) = last
        && number.version <= last.version
    {
        reasons.push(CloseRefusal::NumberNotAbove {
            asked: number.clone(),
            last: last.clone(),
        });
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let content = versions.content[..included]
        .iter()
        .map(|a| a.change_set.merge_request.clone())
        .collect();
    let version = versions.open;
    Ok(vec![
        Fact::VersionClosed {
            version,
            number,
            commit: commit.clone(),
            content,
            closed_by: by,
        },
        Fact::VersionOpened {
            version: VersionId(version.0 + 1),
        },
    ])
}

/// What a version brings, feature by feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought<'a> {
    /// Whether it is completed by this version.
    pub completed: bool,
    /// Its change sets, in the order they landed.
    pub change_sets: Vec<&'a Appended>,
}

/// The content of a version by feature, completed ones and contributed ones together, in the order they first landed.
pub fn by_feature(content: &[Appended]) -> (Vec<(FeatureId, Brought<'_>)>, Vec<&Appended>) {
    let mut order: Vec<FeatureId> = Vec::new();
    let mut brought: BTreeMap<FeatureId, Brought<'_>> = BTreeMap::new();
    let mut without = Vec::new();
    for appended in content {
        if appended.change_set.links.is_empty() {
            without.push(appended);
        }
        for link in &appended.change_set.links {
            let entry = brought.entry(link.feature.clone()).or_insert_with(|| {
                order.push(link.feature.clone());
                Brought {
                    completed: false,
                    change_sets: Vec::new(),
                }
            });
            entry.completed |= link.kind == LinkKind::Closes;
            entry.change_sets.push(appended);
        }
    }
    let features = order
        .into_iter()
        .filter_map(|id| brought.remove(&id).map(|b| (id, b)))
        .collect();
    (features, without)
}

/// The commit that each project is at with this content: the last one that landed there.
pub fn heads(content: &[Appended]) -> BTreeMap<ProjectPath, CommitSha> {
    let of = |appended: &Appended| {
        let project = appended.change_set.merge_request.project.clone();
        (project, appended.landed.clone())
    };
    content.iter().map(of).collect()
}

impl Versions {
    /// The version that holds a merge request's change set, and its commit there.
    pub fn holding(&self, merge_request: &MergeRequestId) -> Option<(VersionId, &Appended)> {
        let of = |content: &'_ [Appended]| {
            content
                .iter()
                .position(|a| a.change_set.merge_request == *merge_request)
        };
        if let Some(at) = of(&self.content) {
            return Some((self.open, &self.content[at]));
        }
        if let Some(closing) = &self.closing
            && let Some(at) = of(&closing.content)
        {
            return Some((closing.id, &closing.content[at]));
        }
        self.released
            .iter()
            .rev()
            .find_map(|r| of(&r.content).map(|at| (r.id, &r.content[at])))
    }

    /// Everything that is not released yet.
    pub fn unreleased(&self) -> impl Iterator<Item = &Appended> {
        let closing = self.closing.iter().flat_map(|closing| &closing.content);
        closing.chain(&self.content)
    }

    /// Keeps the last released version whole, and of those before it who they were.
    pub(super) fn forget(&mut self) {
        let surplus = self.released.len().saturating_sub(RELEASES_KEPT);
        self.released.drain(..surplus);
        if let Some((_, before)) = self.released.split_last_mut() {
            for released in before {
                released.content.clear();
            }
        }
    }

    /// Puts a change set where it landed: trials land in the order of their numbers, and a repair may tell of one late. It lands
    /// once.
    pub(super) fn append(&mut self, appended: Appended) {
        let same = |other: &Appended| {
            other.landed == appended.landed
                && other.change_set.merge_request == appended.change_set.merge_request
        };
        if self.unreleased().any(same) {
            return;
        }
        let later = |other: &Appended| other.trial > appended.trial;
        let known = appended.trial.0 > 0;
        let at = self
            .content
            .iter()
            .position(|other| known && later(other))
            .unwrap_or(self.content.len());
        self.content.insert(at, appended);
    }

    pub(super) fn close(&mut self, closed: Closing, merge_requests: &[MergeRequestId]) {
        let (content, rest) = std::mem::take(&mut self.content)
            .into_iter()
            .partition(|a| merge_requests.contains(&a.change_set.merge_request));
        self.content = rest;
        self.closing = Some(Closing { content, ..closed });
    }

    pub(super) fn fail(&mut self) {
        if let Some(closing) = self.closing.take() {
            let later = std::mem::replace(&mut self.content, closing.content);
            self.content.extend(later);
        }
    }

    pub(super) fn release(&mut self, at: Timestamp) {
        if let Some(closing) = self.closing.take() {
            let Closing {
                id,
                number,
                commit,
                content,
                ..
            } = closing;
            self.released.push(Released {
                id,
                number,
                commit,
                content,
                at,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::JobId;
    use crate::domain::integration::Priority;
    use crate::domain::linking::Link;

    fn appended(iid: u64, closes: &[u64], contributes: &[u64], breaking: bool) -> Appended {
        let project: crate::domain::ids::ProjectPath = "shop/web".parse().unwrap();
        let link = |kind| {
            let project = project.clone();
            move |iid: &u64| Link {
                feature: FeatureId {
                    project: project.clone(),
                    iid: *iid,
                },
                kind,
            }
        };
        let links = closes
            .iter()
            .map(link(LinkKind::Closes))
            .chain(contributes.iter().map(link(LinkKind::Contributes)))
            .collect();
        let sha: CommitSha = format!("{iid:040x}").parse().unwrap();
        Appended {
            change_set: ChangeSet {
                merge_request: MergeRequestId {
                    project: project.clone(),
                    iid,
                },
                head: sha.clone(),
                target: "main".parse().unwrap(),
                title: String::new(),
                author: "ana".parse().unwrap(),
                links,
                verdicts: Vec::new(),
                breaking,
                priority: Priority::Normal,
                requested_at: Timestamp::UNIX_EPOCH,
                requested_by: JobId(iid),
                note: None,
            },
            landed: sha,
            trial: TrialId(iid),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn number(text: &str) -> Number {
        Number::of_tag(text, "v").unwrap()
    }

    #[test]
    fn the_content_decides_the_next_number() {
        let numbering = Numbering {
            initial: Version::new(0, 1, 0),
            prefix: "v".into(),
        };
        let patch = [appended(1, &[], &[34], false)];
        let minor = [
            appended(1, &[], &[34], false),
            appended(2, &[34], &[], false),
        ];
        let major = [appended(1, &[34], &[], false), appended(2, &[], &[], true)];
        let table: &[(Option<&str>, &[Appended], &str)] = &[
            (None, &patch, "v0.1.0"),
            (Some("v1.2.3"), &patch, "v1.2.4"),
            (Some("v1.2.3"), &minor, "v1.3.0"),
            (Some("v1.2.3"), &major, "v2.0.0"),
            (Some("v0.2.3"), &major, "v0.3.0"),
        ];
        for (last, content, expected) in table {
            let last = last.map(number);
            assert_eq!(
                next_number(last.as_ref(), content, &numbering).tag(),
                *expected
            );
        }
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
        close(
            versions,
            |a| a.change_set.merge_request.iid <= newest,
            &commit,
            number(tag),
            last.as_ref(),
            None,
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
    fn a_failed_release_gives_its_content_back_in_order() {
        let mut versions = open_with(vec![
            appended(1, &[], &[], false),
            appended(2, &[], &[], false),
        ]);
        let closing = Closing {
            id: VersionId(1),
            number: number("v1.0.0"),
            commit: appended(1, &[], &[], false).landed,
            content: Vec::new(),
            by: None,
            at: Timestamp::UNIX_EPOCH,
            deployed: false,
        };
        versions.close(
            closing,
            &[versions.content[0].change_set.merge_request.clone()],
        );
        versions.content.push(appended(3, &[], &[], false));
        assert_eq!(versions.closing.as_ref().unwrap().content.len(), 1);
        versions.fail();
        let order: Vec<u64> = versions
            .content
            .iter()
            .map(|a| a.change_set.merge_request.iid)
            .collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn content_is_told_by_feature() {
        let content = [
            appended(1, &[], &[34], false),
            appended(2, &[42], &[34], false),
            appended(3, &[34], &[], false),
            appended(4, &[], &[], false),
        ];
        let (features, without) = by_feature(&content);
        let told: Vec<(u64, bool, usize)> = features
            .iter()
            .map(|(id, b)| (id.iid, b.completed, b.change_sets.len()))
            .collect();
        assert_eq!(told, [(34, true, 3), (42, true, 1)]);
        assert_eq!(without.len(), 1);
    }
}
