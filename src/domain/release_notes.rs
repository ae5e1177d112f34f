//! What people are told about a version: what it brings, by whom, who validated it, and what is left over.

mod benefit;

pub use benefit::benefit;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ids::{CommitSha, FeatureId, MergeRequestId, RoleName, UserName};
use super::linking::{Feature, Link, LinkKind, Sight};
use super::validation::{Decision, acceptance_criteria};
use super::versioning::comparison::Around;
use super::versioning::{Appended, Number, by_feature};

/// Everything that the notes of a version tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNotes {
    /// Its number.
    pub number: Number,
    /// The number before it.
    pub previous: Option<Number>,
    /// The commit that is released.
    pub commit: CommitSha,
    /// When the notes were written.
    pub at: Timestamp,
    /// Features, completed or worked on, in the order they first landed.
    pub features: Vec<Brought>,
    /// Change sets that name no feature.
    pub others: Vec<Change>,
    /// Everybody who wrote a change set.
    pub contributors: Vec<UserName>,
    /// How many trials validated it.
    pub trials: usize,
    /// Commits that reached the target without the gate.
    pub around: Vec<Around>,
}

/// What a version brings of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Which one.
    pub id: FeatureId,
    /// What may be told of it.
    pub shown: Shown,
    /// Whether this version completes it.
    pub completed: bool,
    /// Its change sets, in the order they landed.
    pub changes: Vec<Change>,
    /// Who validated it.
    pub validations: Vec<Validation>,
    /// Acceptance criteria that are not ticked although it is completed.
    pub open_criteria: Vec<String>,
    /// Open merge requests that still name it although it is completed.
    pub open_merge_requests: Vec<StillOpen>,
}

/// What readers of the notes may know of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Its title, and what it is good for where it says that; untrusted.
    Whole {
        title: String,
        benefit: Option<String>,
    },
    /// Its number: others read the project that it lives in, or it was not found.
    Number,
    /// Nothing.
    Confidential,
}

/// A change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// Who wrote it.
    pub author: UserName,
    /// What it does for the feature that it is told with.
    pub kind: Option<LinkKind>,
    /// Whether it breaks what users rely on.
    pub breaking: bool,
    /// The version that it went out with before, as a hotfix.
    pub out_before: Option<Number>,
}

/// A validation of a feature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Validation {
    /// The role.
    pub role: RoleName,
    /// Who gave it.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
}

/// An open merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillOpen {
    /// Which one.
    pub id: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// Who wrote it.
    pub author: UserName,
    /// The features that it names.
    pub links: Vec<Link>,
}

/// What the notes are put together from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The number of the version.
    pub number: &'a Number,
    /// The number before it.
    pub previous: Option<&'a Number>,
    /// The commit that is released.
    pub commit: &'a CommitSha,
    /// Now.
    pub at: Timestamp,
    /// What landed.
    pub content: &'a [Appended],
    /// What could be seen of its features.
    pub sights: &'a BTreeMap<FeatureId, Sight>,
    /// Open merge requests that name features.
    pub open: &'a [StillOpen],
    /// Commits that reached the target without the gate.
    pub around: &'a [Around],
    /// Headings of the acceptance criteria, beside the usual one.
    pub headings: &'a [String],
    /// What went out before as a hotfix, and with which version.
    pub out_before: &'a BTreeMap<MergeRequestId, Number>,
}

/// Puts the notes together. `readable` tells whether whoever reads the notes may read a feature's project.
pub fn compose(sources: &Sources<'_>, readable: impl Fn(&Feature) -> bool) -> ReleaseNotes {
    let (features, without) = by_feature(sources.content);
    let change = |appended: &Appended, kind| {
        let set = &appended.change_set;
        Change {
            merge_request: set.merge_request.clone(),
            title: set.title.clone(),
            author: set.author.clone(),
            kind,
            breaking: set.breaking,
            out_before: sources.out_before.get(&set.merge_request).cloned(),
        }
    };
    let brought = features.into_iter().map(|(id, brought)| {
        let seen = sources.sights.get(&id).and_then(Sight::seen);
        let shown = match seen {
            Some(feature) if feature.confidential => Shown::Confidential,
            Some(feature) if readable(feature) => Shown::Whole {
                title: feature.title.clone(),
                benefit: benefit(&feature.description),
            },
            Some(_) | None => Shown::Number,
        };
        let whole = seen.filter(|_| brought.completed && matches!(shown, Shown::Whole { .. }));
        let open_criteria = whole.map_or(Vec::new(), |feature| {
            let criteria = acceptance_criteria(&feature.description, sources.headings);
            let open = criteria.into_iter().filter(|one| one.is_open());
            open.map(|one| one.text).collect()
        });
        let names = |open: &&StillOpen| open.links.iter().any(|link| link.feature == id);
        let open_merge_requests = sources
            .open
            .iter()
            .filter(|_| brought.completed && shown != Shown::Confidential)
            .filter(names)
            .cloned()
            .collect();
        let changes = brought.change_sets.iter().map(|appended| {
            let links = &appended.change_set.links;
            let link = links.iter().find(|link| link.feature == id);
            change(appended, link.map(|link| link.kind))
        });
        let changes = changes.collect();
        let closing = brought.change_sets.iter().filter(|appended| {
            let closes = |link: &Link| link.feature == id && link.kind == LinkKind::Closes;
            appended.change_set.links.iter().any(closes)
        });
        let verdicts = closing.flat_map(|appended| &appended.change_set.verdicts);
        let validations: BTreeSet<Validation> = verdicts
            .filter(|verdict| verdict.decision == Decision::Validate)
            .map(|verdict| Validation {
                role: verdict.role.clone(),
                by: verdict.by.clone(),
                at: verdict.at,
            })
            .collect();
        Brought {
            shown,
            completed: brought.completed,
            changes,
            validations: validations.into_iter().collect(),
            open_criteria,
            open_merge_requests,
            id,
        }
    });
    let brought = brought.collect();
    let authors = sources.content.iter().map(|a| a.change_set.author.clone());
    let contributors: BTreeSet<UserName> = authors.collect();
    let trials: BTreeSet<u64> = sources.content.iter().map(|a| a.trial.0).collect();
    ReleaseNotes {
        number: sources.number.clone(),
        previous: sources.previous.cloned(),
        commit: sources.commit.clone(),
        at: sources.at,
        features: brought,
        others: without
            .into_iter()
            .map(|appended| change(appended, None))
            .collect(),
        contributors: contributors.into_iter().collect(),
        trials: trials.len(),
        around: sources.around.to_vec(),
    }
}

impl ReleaseNotes {
    /// How many change sets it holds; one may serve several features.
    pub fn change_sets(&self) -> usize {
        let of_features = self.features.iter().flat_map(|feature| &feature.changes);
        let all = of_features.chain(&self.others);
        all.map(|change| &change.merge_request)
            .collect::<BTreeSet<_>>()
            .len()
    }
}

#[cfg(test)]
mod tests;
