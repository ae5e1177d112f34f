//! What a release is decided on: the tags, the commits since the last one, and which change sets the commit to release holds.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::members;
use crate::domain::ids::CommitSha;
use crate::domain::versioning::comparison::{Merged, compare};
use crate::domain::versioning::numbers::{Asked, Numbering, choose};
use crate::domain::versioning::packages::{Belonging, Package};
use crate::domain::versioning::{Appended, Coming, Number, Versions};
use crate::jobs::Desk;
use crate::outcome::Problem;
use crate::ports::{Answer, CommitFiles};

/// How exactly it must be known what the commit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// For people to look at: without a clone, all that landed counts.
    View,
    /// To be frozen.
    Certainty,
}

/// What was found out.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// Every number that is tagged, and its commit, highest first.
    pub tagged: Vec<(Number, CommitSha)>,
    /// Those that this branch counts on from.
    line: Vec<Number>,
    /// The commits since the last final version; not known without a clone, nor in a yard, whose commits are its members'.
    merged: Option<Vec<Merged>>,
    held: Option<BTreeSet<CommitSha>>,
    /// The package to release, and which packages the change sets belong to.
    package: Option<(Package, Belonging)>,
    numbering: Numbering,
    today: Date,
}

impl Grounds {
    /// Asks GitLab for the tags and git for the commits.
    ///
    /// # Errors
    /// When either cannot be asked, or a package is to be released where there is no clone.
    pub fn gather(desk: &Desk<'_>, versions: &Versions, wanted: Wanted) -> Answer<Self> {
        Self::gather_for(desk, versions, wanted, None)
    }

    /// The same for a number whose tag was there first: it is not what the number comes after.
    ///
    /// # Errors
    /// As `gather`.
    pub fn gather_for(
        desk: &Desk<'_>,
        versions: &Versions,
        wanted: Wanted,
        own: Option<&Number>,
    ) -> Answer<Self> {
        let numbering = desk.config.versions.numbering.clone();
        let tagged = desk.releases.numbers(&numbering.prefix)?.into_iter();
        let tagged =
            tagged.map(|(number, commit)| (number.of_package(numbering.package.as_ref()), commit));
        let tagged: Vec<(Number, CommitSha)> = tagged.collect();
        let mut line = of_this_branch(desk, &tagged)?;
        // What was withdrawn is not what the next one comes after: its content is not in production.
        line.retain(|(number, _)| !versions.is_withdrawn(number) && Some(number) != own);
        let last = line.iter().find(|(number, _)| !number.is_pre_release());
        let last = last.map(|(_, commit)| commit);
        let merged = match last.or(beginning(versions)) {
            Some(after) if !desk.config.is_yard() => {
                let files = match desk.config.versions.package() {
                    Some(_) => CommitFiles::Named,
                    None => CommitFiles::LeftOut,
                };
                let up_to = &desk.ci.commit;
                desk.commits.merged_since(Some(after), up_to, files)?
            }
            Some(_) | None => None,
        };
        let commits = |merged: &[Merged]| merged.iter().map(|one| one.commit.clone()).collect();
        let (package, held) = match (desk.config.versions.package(), &merged, wanted) {
            (Some(package), ..) => {
                let (landed, belonging) = belonging(desk, versions)?.ok_or_else(no_clone)?;
                (Some((package.clone(), belonging)), Some(commits(&landed)))
            }
            (None, Some(merged), _) => (None, Some(commits(merged))),
            (None, None, Wanted::Certainty) => {
                let held = members::held(desk, versions)?;
                (None, Some(held.into_iter().collect()))
            }
            (None, None, Wanted::View) => (None, None),
        };
        let zone = desk.config.notification.rules.calendar.zone.clone();
        Ok(Self {
            tagged,
            line: line.into_iter().map(|(number, _)| number).collect(),
            merged,
            held,
            package,
            numbering,
            today: desk.clock.now().to_zoned(zone).date(),
        })
    }

    /// Whether the commit holds what landed.
    pub fn holds(&self, appended: &Appended) -> bool {
        let held = self.held.as_ref();
        held.is_none_or(|held| held.contains(&appended.landed))
    }

    /// What the open version would be.
    pub fn coming(&self, versions: &Versions, asked: &Asked) -> Coming {
        let share = match &self.package {
            Some((package, belonging)) => belonging.share(&package.name, &versions.content),
            None => versions.content.clone(),
        };
        let held = share.iter().take_while(|one| self.holds(one));
        let held: Vec<Appended> = held.cloned().collect();
        let concerns = |commit: &Merged| {
            let package = self.package.as_ref();
            package.is_none_or(|(package, _)| package.concerns(commit))
        };
        let merged = self.merged.as_ref();
        let comparison = merged.map(|merged| compare(merged, &share, concerns));
        let content = comparison
            .as_ref()
            .map_or_else(|| held.clone(), |comparison| comparison.read_into(&held));
        let mut chosen = choose(&self.line, &content, &self.numbering, asked, self.today);
        if asked.version.is_none() {
            let taken = self.tagged.iter().map(|(number, _)| number);
            chosen.number = chosen.number.beside(taken);
        }
        Coming {
            chosen,
            share,
            content,
            comparison,
        }
    }
}

/// The head of the target that the first change set of the open version was put on.
fn beginning(versions: &Versions) -> Option<&CommitSha> {
    versions.content.first()?.base.as_ref()
}

/// The commits that brought the open version, and which packages its change sets belong to; nothing where there is no clone. What has no
/// known beginning is looked for in the whole history.
fn belonging(desk: &Desk<'_>, versions: &Versions) -> Answer<Option<(Vec<Merged>, Belonging)>> {
    let after = beginning(versions);
    let landed = desk
        .commits
        .merged_since(after, &desk.ci.commit, CommitFiles::Named)?;
    Ok(landed.map(|landed| {
        let packages = desk.config.versions.all_packages();
        let belonging = Belonging::of(&packages, &landed, &versions.content);
        (landed, belonging)
    }))
}

fn no_clone() -> Problem {
    Problem::misconfigured(
        "which package a change set belongs to is told by the files of its commits, and there is no clone here",
        "let the job clone the whole history (`GIT_STRATEGY: clone`, `GIT_DEPTH: 0`), or run the command in a clone",
    )
}

/// The numbers that this branch counts on from: with an environment for each of several branches, each counts by itself. No more of
/// them than up to the last final one.
fn of_this_branch(
    desk: &Desk<'_>,
    tagged: &[(Number, CommitSha)],
) -> Answer<Vec<(Number, CommitSha)>> {
    let one_branch = desk.config.nrt.environments.is_empty() || desk.config.is_yard();
    if one_branch {
        return Ok(tagged.to_vec());
    }
    let mut line = Vec::new();
    for (number, commit) in tagged {
        if desk.commits.is_ancestor(commit, &desk.ci.commit)? {
            line.push((number.clone(), commit.clone()));
            if !number.is_pre_release() {
                break;
            }
        }
    }
    Ok(line)
}
