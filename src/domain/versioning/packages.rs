//! Packages: parts of a repository that have versions of their own. Which change sets a release of one brings, and what becomes of
//! those that belong to others too.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::comparison::{Merged, brought};
use super::{Appended, Released, Versions};
use crate::domain::ids::{MergeRequestId, PackageName};
use crate::domain::paths::PathPattern;

/// A part of the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// What it is called.
    pub name: PackageName,
    /// Its files.
    pub paths: Vec<PathPattern>,
}

impl Package {
    /// Whether a file is of it.
    pub fn holds(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether a commit changes it.
    pub fn concerns(&self, commit: &Merged) -> bool {
        commit.paths.iter().any(|path| self.holds(path))
    }
}

/// A change set among several packages: with which it is out, and which are still to bring it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// Packages with whose versions it went out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub out: BTreeSet<PackageName>,
    /// Packages that it belongs to as well, as they were found when one of them was last closed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub awaits: BTreeSet<PackageName>,
}

impl Spread {
    /// Whether it is of no consequence: there are no packages, or it was in none of their versions.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A change set that stays in the open version when a package that it belongs to is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Whose it is.
    pub merge_request: MergeRequestId,
    /// Which packages are still to bring it.
    pub packages: BTreeSet<PackageName>,
}

/// Which packages the change sets of a version belong to, by the files that their commits change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Belonging(HashMap<MergeRequestId, BTreeSet<PackageName>>);

impl Belonging {
    /// Finds it out. The commits are in an order in which each stands behind those it is on, and the last one holds all others.
    pub fn of(packages: &[Package], merged: &[Merged], content: &[Appended]) -> Self {
        let touched = |commits: Vec<usize>| {
            let touches = |package: &&Package| {
                let mut commits = commits.iter();
                commits.any(|at| package.concerns(&merged[*at]))
            };
            let touched = packages.iter().filter(touches);
            touched.map(|package| package.name.clone()).collect()
        };
        let (found, _) = brought(merged, content);
        let of = |(appended, commits): (&Appended, Option<Vec<usize>>)| {
            let id = appended.change_set.merge_request.clone();
            commits.map(|commits| (id, touched(commits)))
        };
        Self(content.iter().zip(found).filter_map(of).collect())
    }

    /// What a release of a package brings of the open version, in its order: what belongs to it and did not go out with it before, and
    /// what no other package is to bring, because it belongs to none. Each with the packages that are still to bring it.
    ///
    /// What cannot be told, because its commits are not there, stays where it is.
    pub fn share(&self, package: &PackageName, content: &[Appended]) -> Vec<Appended> {
        let share = content.iter().filter_map(|appended| {
            let belongs = self.0.get(&appended.change_set.merge_request)?;
            let mut left: BTreeSet<PackageName> =
                belongs.difference(&appended.spread.out).cloned().collect();
            let brings = left.remove(package) || left.is_empty();
            brings.then(|| {
                let mut appended = appended.clone();
                appended.spread.awaits = left;
                appended
            })
        });
        share.collect()
    }
}

impl Belonging {
    /// Whether a package is still to bring what is out with others, as far as that can be told.
    pub fn is_left(&self, appended: &Appended) -> bool {
        let out = &appended.spread.out;
        match self.0.get(&appended.change_set.merge_request) {
            None => true,
            Some(belongs) if belongs.is_empty() => out.is_empty(),
            Some(belongs) => !belongs.is_subset(out),
        }
    }
}

impl Versions {
    /// The released versions of a package, or of the whole repository where there are none; oldest first.
    pub fn released_of<'a>(
        &'a self,
        package: Option<&'a PackageName>,
    ) -> impl DoubleEndedIterator<Item = &'a Released> + Clone {
        let of = move |one: &&Released| one.number.package.as_ref() == package;
        self.released.iter().filter(of)
    }

    /// The versions of packages that a merge request's change set is out with, oldest first.
    pub fn out_with<'a>(
        &'a self,
        merge_request: &'a MergeRequestId,
    ) -> impl Iterator<Item = &'a Released> {
        let holds = |one: &Released| {
            let mut content = one.content.iter();
            content.any(|appended| appended.change_set.merge_request == *merge_request)
        };
        self.released.iter().filter(move |one| {
            let good = one.withdrawn.is_none() && !one.number.is_pre_release();
            good && one.number.package.is_some() && holds(one)
        })
    }

    /// The packages that a merge request's change set is out with.
    pub(super) fn packages_out_with(&self, id: &MergeRequestId) -> BTreeSet<PackageName> {
        let mut landed = self.content.iter();
        let waits = landed.find(|one| one.change_set.merge_request == *id);
        let out = self.out_with(id);
        let known = out.filter_map(|released| released.number.package.clone());
        let before = waits.map(|one| one.spread.out.clone()).unwrap_or_default();
        known.chain(before).collect()
    }

    /// Puts what was closed back into the open version, where it landed: before what landed since, and among what was left to other
    /// packages, in the order of their trials.
    pub(super) fn give_back(&mut self, content: Vec<Appended>) {
        let later = std::mem::replace(&mut self.content, content);
        let of_packages = self.content.iter().any(|back| {
            let before = |other: &Appended| other.trial < back.trial;
            later.iter().any(before)
        });
        self.content.extend(later);
        if of_packages {
            self.content.sort_by_key(|appended| appended.trial);
        }
    }

    /// What other packages are still to bring stays in the open version when one is released.
    pub(super) fn keep_for_others(&mut self, content: &[Appended], package: &PackageName) {
        let kept = content.iter().filter(|one| !one.spread.awaits.is_empty());
        let kept = kept.cloned().map(|mut one| {
            one.spread.out.insert(package.clone());
            one
        });
        self.give_back(kept.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;
    use crate::domain::ids::CommitSha;

    fn sha(n: u64) -> CommitSha {
        format!("{n:040x}").parse().unwrap()
    }

    fn commit(n: u64, parents: &[u64], paths: &[&str]) -> Merged {
        Merged {
            commit: sha(n),
            parents: parents.iter().map(|n| sha(*n)).collect(),
            author: "Ana".to_owned(),
            message: String::new(),
            by_gate: true,
            by_release: false,
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
        }
    }

    fn name(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    fn packages() -> Vec<Package> {
        let package = |name: &str, paths: &[&str]| Package {
            name: name.parse().unwrap(),
            paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        };
        vec![
            package("api", &["api/**", "proto/**"]),
            package("web", &["web/**", "proto/**"]),
        ]
    }

    /// 11 is of api, 12 of both, 13 of neither; each landed with a merge commit of its own.
    fn landed() -> (Vec<Merged>, Vec<Appended>) {
        let merged = vec![
            commit(1, &[9], &["api/a.rs"]),
            commit(11, &[9, 1], &[]),
            commit(2, &[9], &["proto/p"]),
            commit(12, &[11, 2], &[]),
            commit(3, &[9], &["README.md"]),
            commit(13, &[12, 3], &[]),
        ];
        let content = [11, 12, 13].map(|n| appended(n, &[], &[], false));
        (merged, content.to_vec())
    }

    fn iids(content: &[Appended]) -> Vec<u64> {
        let iids = content.iter().map(|one| one.change_set.merge_request.iid);
        iids.collect()
    }

    #[test]
    fn a_package_brings_what_changes_its_files_and_what_belongs_to_none() {
        let (merged, mut content) = landed();
        let belonging = Belonging::of(&packages(), &merged, &content);
        let api = belonging.share(&name("api"), &content);
        assert_eq!(iids(&api), [11, 12, 13]);
        assert_eq!(api[1].spread.awaits, BTreeSet::from([name("web")]));
        assert!(api[0].spread.is_nothing() && api[2].spread.is_nothing());
        let web = belonging.share(&name("web"), &content);
        assert_eq!(iids(&web), [12, 13]);
        content[1].spread.out.insert(name("api"));
        let api = belonging.share(&name("api"), &content);
        assert_eq!(iids(&api), [11, 13], "once with each package");
        let web = belonging.share(&name("web"), &content);
        assert!(
            web[0].spread.awaits.is_empty(),
            "the last one takes it along"
        );
    }

    #[test]
    fn what_cannot_be_told_stays_where_it_is() {
        let (merged, mut content) = landed();
        content.push(appended(77, &[], &[], false));
        let belonging = Belonging::of(&packages(), &merged, &content);
        assert_eq!(iids(&belonging.share(&name("web"), &content)), [12, 13]);
    }
}
