//! A feature and its merge requests: who contributes to it, who closes it, and when such a link is refused.
//!
//! How a description is read is in `grammar`; what is done with the claims found there is here.

pub mod grammar;
mod holding;
mod memory;
mod place;
mod policy;
mod refusal;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{FeatureId, MergeRequestId, ProjectPath, UserName};
use super::ruling::Ruling;
use grammar::{Claim, Line, MOST_FEATURES, Problem, Reading, Remark, Target};
pub use holding::{OtherCloser, claims_taken};
pub use memory::{Remembered, events_of_check};
pub use place::{MOST_MOVES, moved_on};
pub use policy::{Exempted, Exemptible, Exemption, LinkPolicy, Pattern, exempted};
pub use refusal::{Holding, LinkRefusal};

/// How a merge request serves a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// One of several merge requests that bring the feature.
    Contributes,
    /// The one that completes it; people validate the feature before it may land.
    Closes,
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contributes => "contributes to",
            Self::Closes => "closes",
        })
    }
}

/// A link between a merge request and a feature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The feature.
    pub feature: FeatureId,
    /// Contributes or closes.
    pub kind: LinkKind,
}

/// Where an issue was moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// It is this one now.
    To(FeatureId),
    /// Its new place is gone, or hidden from the token that asked.
    OutOfSight,
}

/// The part of an issue that the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Which one.
    pub id: FeatureId,
    /// Its title, untrusted text.
    pub title: String,
    /// Its description, untrusted text.
    pub description: String,
    /// Whether it can still be worked on.
    pub open: bool,
    /// Never to be named where people without access could read it.
    pub confidential: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// The type of issue, in GitLab's word and lower case: `issue`, `incident`, `task`...
    pub issue_type: String,
    /// Where it went, if it was moved: its life goes on there.
    pub moved: Option<Moved>,
    /// Who wrote it.
    pub author: UserName,
    /// Where a person reads it.
    pub url: String,
}

impl Feature {
    /// The title, where readers of a merge request in `project` may all know it: not of a confidential feature, and not of
    /// another project, whose readers may be others.
    pub fn title_for_readers_of(&self, project: &ProjectPath) -> Option<&str> {
        (!self.confidential && self.id.project == *project).then_some(self.title.as_str())
    }
}

/// What could be seen of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It is there.
    Seen(Box<Feature>),
    /// There is none of that number, or it is hidden from the token that asked: GitLab does not tell the two apart.
    NotFound,
    /// The job has no token that may read issues; the gate will look again with its own.
    NotLookedUp,
}

impl Sight {
    /// The feature, if it was seen.
    pub fn seen(&self) -> Option<&Feature> {
        match self {
            Self::Seen(feature) => Some(feature),
            Self::NotFound | Self::NotLookedUp => None,
        }
    }
}

/// A link whose issue was moved: it counts for the new place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// As it is written.
    pub from: FeatureId,
    /// Where it is.
    pub to: FeatureId,
    /// Where it is written.
    pub at: Line,
}

/// What a merge request's description amounts to once every fact is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linking {
    /// The links, one per feature, in the order they were written; moved features at their new place.
    pub links: Vec<Link>,
    /// Features that could not be looked up for want of a token.
    pub unchecked: Vec<FeatureId>,
    /// Worth saying, not worth refusing: a missing link under `warned`, a line of a template left unfilled.
    pub warnings: Vec<LinkRefusal>,
    /// Words that come near a link.
    pub remarks: Vec<Remark>,
    /// Links that count for another place than the one written.
    pub followed: Vec<Followed>,
    /// Why no link was required, where an exemption says so.
    pub exempted: Option<Exempted>,
}

/// Everything the linking rule needs to know.
#[derive(Debug, Clone)]
pub struct LinkFacts<'a> {
    /// The merge request under question.
    pub merge_request: &'a MergeRequestId,
    /// What its description says.
    pub reading: &'a Reading,
    /// Where a bare `#34` points.
    pub features_project: &'a ProjectPath,
    /// Projects whose issues may be named beside those of the merge request's and the features' project; `None`: any.
    pub projects: Option<&'a [ProjectPath]>,
    /// What could be seen of each feature named, and of those that they were moved to.
    pub sights: &'a BTreeMap<FeatureId, Sight>,
    /// Other open merge requests that claim to close something.
    pub others: &'a [OtherCloser],
    /// Whether a link is required.
    pub policy: LinkPolicy,
    /// The exemption that applies, if any.
    pub exempted: Option<Exempted>,
    /// The label that an issue must carry to be a feature, if the project asks for one.
    pub label: Option<&'a str>,
    /// The type that an issue must have to be a feature, if the project asks for one.
    pub issue_type: Option<&'a str>,
}

impl LinkFacts<'_> {
    fn may_be_named(&self, project: &ProjectPath) -> bool {
        self.is_ours(project) || self.projects.is_none_or(|list| list.contains(project))
    }

    fn is_ours(&self, project: &ProjectPath) -> bool {
        *project == self.merge_request.project || project == self.features_project
    }

    /// Whether every reader of the merge request may know how it stands with a feature: it is not confidential, and in a project
    /// that belongs to this one or that the maintainers named.
    fn may_be_told(&self, feature: &Feature) -> bool {
        let project = &feature.id.project;
        !feature.confidential
            && (self.is_ours(project) || self.projects.is_some_and(|list| list.contains(project)))
    }
}

/// The features that a description names, closing claims winning over contributing ones for the same feature.
pub fn named_features(reading: &Reading, features_project: &ProjectPath) -> Vec<(Link, Claim)> {
    let mut named: Vec<(Link, Claim)> = Vec::new();
    for claim in &reading.claims {
        let feature = feature_of(&claim.target, features_project);
        add_link(&mut named, feature, claim.clone());
    }
    named
}

fn add_link(named: &mut Vec<(Link, Claim)>, feature: FeatureId, claim: Claim) {
    match named.iter_mut().find(|(link, _)| link.feature == feature) {
        Some((link, source)) if claim.kind > link.kind => {
            link.kind = claim.kind;
            *source = claim;
        }
        Some(_) => {}
        None => {
            let kind = claim.kind;
            named.push((Link { feature, kind }, claim));
        }
    }
}

/// Decides whether the links of a merge request are in order, and what they are.
///
/// Second closer (design, "Linking"): the open merge request with the lowest number that closes a feature keeps it.
pub fn check_links(facts: &LinkFacts<'_>) -> (Ruling<(), LinkRefusal>, Linking) {
    let mut linking = Linking {
        exempted: facts.exempted.clone(),
        ..Linking::default()
    };
    let named = named_features(facts.reading, facts.features_project);
    if facts.reading.too_many || named.len() > MOST_FEATURES {
        let most = MOST_FEATURES;
        return (
            Ruling::Refuse(vec![LinkRefusal::TooManyFeatures { most }]),
            linking,
        );
    }
    let mut reasons = Vec::new();
    for unreadable in &facts.reading.problems {
        let refusal = LinkRefusal::Unreadable {
            at: unreadable.line.clone(),
            kind: unreadable.kind,
            problem: unreadable.problem.clone(),
        };
        // A template offers both words: the line that was not needed stays unfilled.
        let spare = unreadable.problem == Problem::NoNumber && !named.is_empty();
        if spare || facts.policy == LinkPolicy::Off {
            linking.warnings.push(refusal);
        } else {
            reasons.push(refusal);
        }
    }
    if named.is_empty() && reasons.is_empty() && facts.exempted.is_none() {
        match facts.policy {
            LinkPolicy::Required => reasons.push(LinkRefusal::NoLink),
            LinkPolicy::Warned => linking.warnings.push(LinkRefusal::NoLink),
            LinkPolicy::Off => {}
        }
    }
    let remarks = facts.reading.remarks.iter();
    linking.remarks = remarks
        .filter(|remark| named.is_empty() || remark.why.is_worth_saying())
        .cloned()
        .collect();
    let mut present: Vec<(Link, Claim)> = Vec::new();
    for (link, claim) in named {
        match place::place_of(&link, &claim, facts, &mut linking) {
            Ok(feature) => add_link(&mut present, feature, claim),
            Err(reason) => reasons.push(*reason),
        }
    }
    for (link, claim) in present {
        if link.kind == LinkKind::Closes {
            reasons.extend(holding::taken_by_an_older_one(
                &link.feature,
                &claim.line,
                facts,
            ));
        }
        linking.links.push(link);
    }
    (Ruling::from_reasons(reasons), linking)
}

fn feature_of(target: &Target, features_project: &ProjectPath) -> FeatureId {
    match target {
        Target::Here { iid } => FeatureId {
            project: features_project.clone(),
            iid: *iid,
        },
        Target::There(feature) => feature.clone(),
    }
}

#[cfg(test)]
mod tests;
