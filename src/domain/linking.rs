//! A feature and its merge requests: who contributes to it, who closes it, and when such a link is refused.
//!
//! How a description is read is in `grammar`; what is done with the claims found there is here.

pub mod grammar;
mod holding;
mod memory;
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

/// Features that are still to be looked up: those that the ones seen were moved to.
pub fn moved_on(sights: &BTreeMap<FeatureId, Sight>) -> Vec<FeatureId> {
    let targets = sights.values().filter_map(|sight| match sight {
        Sight::Seen(feature) => match &feature.moved {
            Some(Moved::To(target)) => Some(target),
            Some(Moved::OutOfSight) | None => None,
        },
        Sight::NotFound | Sight::NotLookedUp => None,
    });
    targets
        .filter(|target| !sights.contains_key(target))
        .cloned()
        .collect()
}

/// How often a feature may have been moved before nobody follows any more.
pub const MOST_MOVES: usize = 5;

/// Where a feature is now, moves followed; itself when they cannot be followed to an end.
fn present_place<'a>(
    feature: &'a FeatureId,
    sights: &'a BTreeMap<FeatureId, Sight>,
) -> &'a FeatureId {
    let mut now = feature;
    for _ in 0..=MOST_MOVES {
        match sights
            .get(now)
            .and_then(Sight::seen)
            .map(|seen| &seen.moved)
        {
            Some(Some(Moved::To(target))) => now = target,
            Some(Some(Moved::OutOfSight) | None) | None => return now,
        }
    }
    feature
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
        match place_of(&link, &claim, facts, &mut linking) {
            Ok(feature) => add_link(&mut present, feature, claim),
            Err(reason) => reasons.push(reason),
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

/// The feature that a link counts for, or why it counts for none.
fn place_of(
    link: &Link,
    claim: &Claim,
    facts: &LinkFacts<'_>,
    linking: &mut Linking,
) -> Result<FeatureId, LinkRefusal> {
    let named = &link.feature;
    let at = || claim.line.clone();
    if !facts.may_be_named(&named.project) {
        let mut allowed = vec![facts.features_project.clone()];
        allowed.extend(facts.projects.unwrap_or_default().iter().cloned());
        return Err(LinkRefusal::OtherProject {
            feature: named.clone(),
            allowed,
            at: at(),
        });
    }
    let place = present_place(named, facts.sights);
    let sight = facts.sights.get(place).unwrap_or(&Sight::NotLookedUp);
    match sight {
        Sight::NotLookedUp => {
            linking.unchecked.push(named.clone());
            Ok(named.clone())
        }
        Sight::NotFound if place != named => Err(LinkRefusal::MovedAway {
            feature: named.clone(),
            at: at(),
        }),
        Sight::NotFound => Err(LinkRefusal::UnknownFeature {
            feature: named.clone(),
            at: at(),
        }),
        Sight::Seen(feature) => {
            let told = facts.may_be_told(feature) && facts.may_be_named(&place.project);
            if feature.moved.is_some() || (place != named && !told) {
                return Err(LinkRefusal::MovedAway {
                    feature: named.clone(),
                    at: at(),
                });
            }
            refusal_of_seen(feature, facts, claim)?;
            if place != named {
                linking.followed.push(Followed {
                    from: named.clone(),
                    to: place.clone(),
                    at: at(),
                });
            }
            Ok(place.clone())
        }
    }
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

fn refusal_of_seen(
    feature: &Feature,
    facts: &LinkFacts<'_>,
    claim: &Claim,
) -> Result<(), LinkRefusal> {
    let (id, url, at) = (feature.id.clone(), feature.url.clone(), claim.line.clone());
    let lacking = facts
        .label
        .filter(|label| !feature.labels.iter().any(|own| own == label));
    let other_type = facts
        .issue_type
        .filter(|wanted| *wanted != feature.issue_type);
    let refusal = if !feature.open {
        LinkRefusal::ClosedFeature {
            feature: id,
            url,
            at,
        }
    } else if let Some(label) = lacking {
        let label = label.to_owned();
        LinkRefusal::NotAFeature {
            feature: id,
            url,
            label,
            at,
        }
    } else if let Some(wanted) = other_type {
        let (is, wanted) = (feature.issue_type.clone(), wanted.to_owned());
        LinkRefusal::WrongType {
            feature: id,
            url,
            is,
            wanted,
            at,
        }
    } else {
        return Ok(());
    };
    Err(if facts.may_be_told(feature) {
        refusal
    } else {
        LinkRefusal::Undisclosed {
            feature: feature.id.clone(),
            at: claim.line.clone(),
        }
    })
}

#[cfg(test)]
mod tests;
