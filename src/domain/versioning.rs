//! The version being assembled: what is in it, what number it gets, and how it is closed, released or given back.

pub mod by_tag;
pub mod closing;
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

use super::ids::{
    CommitSha, FeatureId, MergeRequestId, PackageName, ProjectPath, TrialId, UserName, VersionId,
};
use super::integration::ChangeSet;
use super::linking::LinkKind;
use super::releasing::{Failed, Taken};
pub use closing::{CloseRefusal, Closure, Coming, Frozen, ThroughFreeze, close};
use comparison::Around;
use hotfix::Hotfix;
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

    #[test]
    fn a_failed_release_gives_its_content_back_in_order() {
        let mut versions = Versions {
            content: vec![appended(1, &[], &[], false), appended(2, &[], &[], false)],
            ..Versions::default()
        };
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
