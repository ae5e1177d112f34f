//! The version being assembled: what is in it, what number it gets, and how it is closed, released or given back.

pub mod comparison;
pub mod hotfix;
pub mod manifest;
pub mod numbers;
pub mod packages;
pub mod periods;
pub mod withdrawal;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Fact;
use super::ids::{
    CommitSha, FeatureId, MergeRequestId, PackageName, ProjectPath, TrialId, UserName, VersionId,
};
use super::integration::ChangeSet;
use super::linking::LinkKind;
use super::releasing::{Failed, Taken};
use comparison::{Around, Comparison};
use hotfix::Hotfix;
use manifest::{Manifest, checksum};
use numbers::Chosen;
pub use numbers::Number;
use packages::{Kept, Spread};
use withdrawal::Withdrawn;

/// A change set that is in a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// What landed.
    pub change_set: ChangeSet,
    /// The commit of the target branch that brought it.
    pub landed: CommitSha,
    /// The head of the target that its trial stood on; not known of what landed before this was kept, or what a repair found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitSha>,
    /// Where it is of several packages: with which it is out, and which are still to bring it.
    #[serde(default, skip_serializing_if = "Spread::is_nothing")]
    pub spread: Spread,
    /// The trial that validated it.
    pub trial: TrialId,
    /// When.
    pub at: Timestamp,
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
    /// The environment that it is known to run in.
    pub environment: Option<String>,
    /// What came around the gate since the last version.
    pub around: Vec<Around>,
    /// The checksum of its manifest; none for one that was closed before there were manifests.
    pub manifest: Option<String>,
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
    /// Where it runs, as far as that was recorded.
    pub environment: Option<String>,
    /// Whether everything that goes with its release is done.
    pub announced: bool,
    /// Why it is not good any more.
    pub withdrawn: Option<Withdrawn>,
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
    /// The job that publishes a version, or gives it up.
    pub taken: Option<Taken>,
    /// The last version that was given up.
    pub failed: Option<Failed>,
    /// Hotfixes that were asked for, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hotfixes: Vec<Hotfix>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            open: VersionId(1),
            content: Vec::new(),
            closing: None,
            released: Vec::new(),
            taken: None,
            failed: None,
            hotfixes: Vec::new(),
        }
    }
}

/// How many released versions are remembered when the log is archived.
const RELEASES_KEPT: usize = 20;

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
            manifest: manifest.text().ok().as_deref().map(checksum),
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
            // What another package is still to bring is not complete without it.
            let complete = appended.spread.awaits.is_empty();
            entry.completed |= link.kind == LinkKind::Closes && complete;
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

/// The commit that each project was at before this content: what its first change set was put on, where that is known.
pub fn heads_before(content: &[Appended]) -> BTreeMap<ProjectPath, CommitSha> {
    let mut before = BTreeMap::new();
    for appended in content.iter().rev() {
        if let Some(base) = &appended.base {
            let project = appended.change_set.merge_request.project.clone();
            before.insert(project, base.clone());
        }
    }
    before
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

    /// Keeps the last released versions whole, of which one may be withdrawn and the one before it too, and of those before them who
    /// they were.
    pub(super) fn forget(&mut self) {
        let surplus = self.released.len().saturating_sub(RELEASES_KEPT);
        self.released.drain(..surplus);
        let surplus = self.hotfixes.len().saturating_sub(RELEASES_KEPT);
        self.hotfixes.drain(..surplus);
        let packages = self.released.iter().map(|one| one.number.package.clone());
        let packages: BTreeSet<Option<PackageName>> = packages.collect();
        let mut whole = BTreeSet::new();
        for package in &packages {
            let mut newest = self.released_of(package.as_ref()).rev();
            let good = newest.clone();
            let good = good.filter(|one| !one.number.is_pre_release() && one.withdrawn.is_none());
            whole.extend(good.take(2).map(|one| one.id));
            whole.extend(newest.next().map(|one| one.id));
        }
        for released in &mut self.released {
            if !whole.contains(&released.id) {
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

    pub(super) fn close(
        &mut self,
        closed: Closing,
        merge_requests: &[MergeRequestId],
        kept: &[Kept],
    ) {
        let (mut content, rest): (Vec<Appended>, _) = std::mem::take(&mut self.content)
            .into_iter()
            .partition(|a| merge_requests.contains(&a.change_set.merge_request));
        self.content = rest;
        for appended in &mut content {
            let of = |one: &&Kept| one.merge_request == appended.change_set.merge_request;
            let awaits = kept.iter().find(of).map(|one| one.packages.clone());
            appended.spread.awaits = awaits.unwrap_or_default();
        }
        self.closing = Some(Closing { content, ..closed });
    }

    pub(super) fn fail(&mut self, at: Timestamp) {
        self.taken = None;
        if let Some(closing) = self.closing.take() {
            self.failed = Some(Failed {
                number: closing.number,
                commit: closing.commit,
                at,
            });
            self.give_back(closing.content);
        }
    }

    /// A final version takes its content with it; what was in a pre-release is in the next version still, for only a final one
    /// completes it.
    pub(super) fn release(&mut self, at: Timestamp) {
        if let Some(closing) = self.closing.take() {
            match &closing.number.package {
                _ if closing.number.is_pre_release() => self.give_back(closing.content.clone()),
                Some(package) => self.keep_for_others(&closing.content, package),
                None => {}
            }
            let Closing {
                id,
                number,
                commit,
                content,
                environment,
                ..
            } = closing;
            self.released.push(Released {
                id,
                number,
                commit,
                content,
                at,
                environment,
                announced: false,
                withdrawn: None,
            });
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::ids::JobId;
    use crate::domain::integration::Priority;
    use crate::domain::linking::Link;

    pub(super) fn appended(
        iid: u64,
        closes: &[u64],
        contributes: &[u64],
        breaking: bool,
    ) -> Appended {
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
            base: None,
            spread: Spread::default(),
            trial: TrialId(iid),
            at: Timestamp::UNIX_EPOCH,
        }
    }

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
            environment: None,
            around: Vec::new(),
            manifest: None,
        };
        versions.close(
            closing,
            &[versions.content[0].change_set.merge_request.clone()],
            &[],
        );
        versions.content.push(appended(3, &[], &[], false));
        assert_eq!(versions.closing.as_ref().unwrap().content.len(), 1);
        versions.fail(Timestamp::UNIX_EPOCH);
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
