//! What GitLab knows where packages have versions of their own: with which of them a change set is out, by the newest tag of each.

use std::collections::{BTreeMap, BTreeSet};

use super::truth::{Seen, count, finals, of_this_branch};
use crate::domain::ids::{CommitSha, PackageName};
use crate::domain::repair::Truth;
use crate::domain::versioning::packages::Belonging;
use crate::jobs::Desk;
use crate::ports::{Answer, BroughtIn, CommitFiles};

/// What landed and is not out with every package that it belongs to.
///
/// The versions themselves are in their tags; which of them a log has lost cannot be told from there, so `released` is left open.
///
/// # Errors
/// When GitLab or git cannot be asked.
pub(super) fn truth(desk: &Desk<'_>) -> Answer<(Truth, Vec<String>)> {
    let mut releases = 0;
    let mut since: BTreeMap<PackageName, BTreeSet<CommitSha>> = BTreeMap::new();
    for package in desk.config.versions.all_packages() {
        let config = desk.config.of_package(Some(&package.name));
        let of = Desk {
            config: &config,
            ..*desk
        };
        let tagged = desk.releases.numbers(&config.versions.numbering.prefix)?;
        let line = of_this_branch(&of, &tagged)?;
        releases += count(&of, &line)?;
        let last = finals(&line).next().map(|(_, commit)| commit);
        let commits = desk.commits.brought_in(last, desk.branch())?.into_iter();
        since.insert(package.name, commits.map(|one| one.commit).collect());
    }
    let mut history = desk.commits.brought_in(None, desk.branch())?;
    history.retain(|one: &BroughtIn| since.values().any(|since| since.contains(&one.commit)));
    let mut seen = Seen::of(desk, desk, history)?;
    for appended in &mut seen.landed {
        let out = since.iter();
        let out = out.filter(|(_, since)| !since.contains(&appended.landed));
        appended.spread.out = out.map(|(package, _)| package.clone()).collect();
    }
    let merged = desk
        .commits
        .merged_since(None, &desk.ci.commit, CommitFiles::Named)?;
    if let Some(merged) = merged {
        let packages = desk.config.versions.all_packages();
        let belonging = Belonging::of(&packages, &merged, &seen.landed);
        seen.landed.retain(|one| belonging.is_left(one));
    }
    let truth = Truth {
        releases,
        since: seen.since.into_iter().collect(),
        has_landed: seen.has_landed,
        landed: seen.landed,
        ..Truth::default()
    };
    Ok((truth, seen.unsure))
}
