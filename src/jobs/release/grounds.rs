//! What a release is decided on: the tags, the commits since the last one, and which change sets the commit to release holds.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::members;
use crate::domain::ids::CommitSha;
use crate::domain::versioning::comparison::{Merged, compare};
use crate::domain::versioning::numbers::{Asked, Numbering, choose};
use crate::domain::versioning::{Appended, Coming, Number, Versions};
use crate::jobs::Desk;
use crate::ports::Answer;

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
    numbering: Numbering,
    today: Date,
}

impl Grounds {
    /// Asks GitLab for the tags and git for the commits.
    ///
    /// # Errors
    /// When either cannot be asked.
    pub fn gather(desk: &Desk<'_>, versions: &Versions, wanted: Wanted) -> Answer<Self> {
        let numbering = desk.config.versions.numbering.clone();
        let tagged = desk.releases.numbers(&numbering.prefix)?;
        let mut line = of_this_branch(desk, &tagged)?;
        // What was withdrawn is not what the next one comes after: its content is not in production.
        line.retain(|(number, _)| !versions.is_withdrawn(number));
        let merged = if desk.config.is_yard() {
            None
        } else {
            let last = line.iter().find(|(number, _)| !number.is_pre_release());
            let first = versions.content.first();
            let after = match last {
                Some((_, commit)) => Some(commit),
                None => first.and_then(|first| first.base.as_ref()),
            };
            let up_to = &desk.ci.commit;
            after
                .map(|after| desk.commits.merged_since(after, up_to))
                .transpose()?
                .flatten()
        };
        let held = match (&merged, wanted) {
            (Some(merged), _) => Some(merged.iter().map(|one| one.commit.clone()).collect()),
            (None, Wanted::Certainty) => Some(members::held(desk, versions)?.into_iter().collect()),
            (None, Wanted::View) => None,
        };
        let zone = desk.config.notification.rules.calendar.zone.clone();
        Ok(Self {
            tagged,
            line: line.into_iter().map(|(number, _)| number).collect(),
            merged,
            held,
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
        let held = versions.content.iter().take_while(|one| self.holds(one));
        let held: Vec<Appended> = held.cloned().collect();
        let comparison = self
            .merged
            .as_ref()
            .map(|merged| compare(merged, &versions.content));
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
            content,
            comparison,
        }
    }
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
