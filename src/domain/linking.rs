//! A feature and its merge requests: who contributes to it, who closes it, and when such a link is refused.
//!
//! How a description is read is in `grammar`; what is done with the claims found there is here.

pub mod grammar;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::Fact;
use super::ids::{FeatureId, MergeRequestId, ProjectPath, UserName};
use super::ruling::Ruling;
use grammar::{Claim, Reading, Target};

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
    /// Who wrote it.
    pub author: UserName,
    /// Where a person reads it.
    pub url: String,
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

/// Whether a merge request must name a feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkPolicy {
    /// Refused without one.
    #[default]
    Required,
    /// Let through with a warning.
    Warned,
    /// Not looked at.
    Off,
}

/// Another open merge request and the features that it says it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherCloser {
    /// Which one.
    pub merge_request: MergeRequestId,
    /// Who wrote it.
    pub author: UserName,
    /// The features of its closing claims.
    pub closes: Vec<FeatureId>,
}

/// Why a link is refused. Each names the line that was read, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRefusal {
    /// The description names no feature although one is required.
    NoLink,
    /// A line looks like a link but cannot be read as one.
    Unreadable {
        line: usize,
        text: String,
        problem: grammar::Problem,
    },
    /// No such feature, or none that the job may see.
    UnknownFeature {
        feature: FeatureId,
        line: usize,
        text: String,
    },
    /// The feature is closed.
    ClosedFeature {
        feature: FeatureId,
        url: String,
        line: usize,
        text: String,
    },
    /// The issue lacks the label that makes it a feature.
    NotAFeature {
        feature: FeatureId,
        url: String,
        label: String,
        line: usize,
        text: String,
    },
    /// An older open merge request already closes the feature.
    AlreadyClaimed {
        feature: FeatureId,
        by: MergeRequestId,
        author: UserName,
        line: usize,
        text: String,
    },
}

/// What a merge request's description amounts to once every fact is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linking {
    /// The links that hold, one per feature, in the order they were written.
    pub links: Vec<Link>,
    /// Features that could not be looked up for want of a token.
    pub unchecked: Vec<FeatureId>,
    /// Worth saying, not worth refusing: a missing link under `warned`, a near miss.
    pub warnings: Vec<LinkRefusal>,
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
    /// What could be seen of each feature named.
    pub sights: &'a BTreeMap<FeatureId, Sight>,
    /// Other open merge requests that claim to close something.
    pub others: &'a [OtherCloser],
    /// Whether a link is required.
    pub policy: LinkPolicy,
    /// The label that an issue must carry to be a feature, if the project asks for one.
    pub label: Option<&'a str>,
}

/// The features that a description names, closing claims winning over contributing ones for the same feature.
pub fn named_features(reading: &Reading, features_project: &ProjectPath) -> Vec<(Link, Claim)> {
    let mut named: Vec<(Link, Claim)> = Vec::new();
    for claim in &reading.claims {
        let feature = feature_of(&claim.target, features_project);
        match named.iter_mut().find(|(link, _)| link.feature == feature) {
            Some((link, source)) if claim.kind > link.kind => {
                link.kind = claim.kind;
                *source = claim.clone();
            }
            Some(_) => {}
            None => named.push((
                Link {
                    feature,
                    kind: claim.kind,
                },
                claim.clone(),
            )),
        }
    }
    named
}

/// Decides whether the links of a merge request are in order, and what they are.
///
/// Second closer (design, "Linking"): the open merge request with the lowest number that closes a feature keeps it.
pub fn check_links(facts: &LinkFacts<'_>) -> (Ruling<(), LinkRefusal>, Linking) {
    let mut reasons: Vec<LinkRefusal> = facts
        .reading
        .problems
        .iter()
        .map(|p| LinkRefusal::Unreadable {
            line: p.line,
            text: p.text.clone(),
            problem: p.problem.clone(),
        })
        .collect();
    let mut linking = Linking {
        links: Vec::new(),
        unchecked: Vec::new(),
        warnings: Vec::new(),
    };
    let named = named_features(facts.reading, facts.features_project);
    if named.is_empty() && reasons.is_empty() {
        match facts.policy {
            LinkPolicy::Required => reasons.push(LinkRefusal::NoLink),
            LinkPolicy::Warned => linking.warnings.push(LinkRefusal::NoLink),
            LinkPolicy::Off => {}
        }
    }
    for (link, claim) in named {
        let (line, text) = (claim.line, claim.text);
        match facts.sights.get(&link.feature) {
            Some(Sight::Seen(feature)) => {
                reasons.extend(refusal_of_seen(feature, facts, line, &text));
            }
            Some(Sight::NotFound) => {
                reasons.push(LinkRefusal::UnknownFeature {
                    feature: link.feature.clone(),
                    line,
                    text: text.clone(),
                });
            }
            Some(Sight::NotLookedUp) | None => linking.unchecked.push(link.feature.clone()),
        }
        if link.kind == LinkKind::Closes
            && let Some(other) = holder_of(&link.feature, facts)
        {
            reasons.push(LinkRefusal::AlreadyClaimed {
                feature: link.feature.clone(),
                by: other.merge_request.clone(),
                author: other.author.clone(),
                line,
                text,
            });
        }
        linking.links.push(link);
    }
    (Ruling::from_reasons(reasons), linking)
}

/// The events of a check: what is linked now, or that it was refused.
pub fn events_of_check(
    merge_request: &MergeRequestId,
    before: &[Link],
    ruling: &Ruling<(), LinkRefusal>,
    linking: &Linking,
    reasons: Vec<String>,
) -> Vec<Fact> {
    match ruling {
        Ruling::Refuse(_) => vec![Fact::LinkRefused {
            merge_request: merge_request.clone(),
            reasons,
        }],
        Ruling::Pass | Ruling::Wait(()) => {
            let gone = before
                .iter()
                .filter(|old| !linking.links.iter().any(|new| new.feature == old.feature));
            gone.map(|old| Fact::FeatureUnlinked {
                merge_request: merge_request.clone(),
                feature: old.feature.clone(),
            })
            .chain(linking.links.iter().map(|link| Fact::FeatureLinked {
                merge_request: merge_request.clone(),
                feature: link.feature.clone(),
                kind: link.kind,
            }))
            .collect()
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
    line: usize,
    text: &str,
) -> Option<LinkRefusal> {
    let (id, url, text) = (feature.id.clone(), feature.url.clone(), text.to_owned());
    if !feature.open {
        return Some(LinkRefusal::ClosedFeature {
            feature: id,
            url,
            line,
            text,
        });
    }
    let label = facts.label?;
    if feature.labels.iter().any(|l| l == label) {
        return None;
    }
    Some(LinkRefusal::NotAFeature {
        feature: id,
        url,
        label: label.to_owned(),
        line,
        text,
    })
}

fn holder_of<'a>(feature: &FeatureId, facts: &LinkFacts<'a>) -> Option<&'a OtherCloser> {
    facts
        .others
        .iter()
        .filter(|other| {
            other.merge_request.iid < facts.merge_request.iid && other.closes.contains(feature)
        })
        .min_by_key(|other| other.merge_request.iid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    fn mr(iid: u64) -> MergeRequestId {
        MergeRequestId {
            project: home(),
            iid,
        }
    }

    fn feature(iid: u64) -> FeatureId {
        FeatureId {
            project: home(),
            iid,
        }
    }

    fn seen(iid: u64, open: bool, labels: &[&str]) -> Sight {
        Sight::Seen(Box::new(Feature {
            id: feature(iid),
            title: "Pay by card".into(),
            description: String::new(),
            open,
            confidential: false,
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
            author: "olga".parse().unwrap(),
            url: format!("https://gitlab.example/shop/web/-/issues/{iid}"),
        }))
    }

    fn check(
        description: &str,
        sights: &[(u64, Sight)],
        others: &[OtherCloser],
        label: Option<&str>,
    ) -> (Ruling<(), LinkRefusal>, Linking) {
        let reading = grammar::Grammar::new("https://gitlab.example", &home(), &[], &[])
            .unwrap()
            .read(description);
        let sights = sights
            .iter()
            .map(|(iid, sight)| (feature(*iid), sight.clone()))
            .collect();
        check_links(&LinkFacts {
            merge_request: &mr(7),
            reading: &reading,
            features_project: &home(),
            sights: &sights,
            others,
            policy: LinkPolicy::Required,
            label,
        })
    }

    #[test]
    fn an_open_feature_is_linked_and_closing_wins_over_contributing() {
        let (ruling, linking) = check(
            "contributes to feature #34, closes feature #34",
            &[(34, seen(34, true, &[]))],
            &[],
            None,
        );
        assert_eq!(ruling, Ruling::Pass);
        assert_eq!(
            linking.links,
            [Link {
                feature: feature(34),
                kind: LinkKind::Closes
            }]
        );
    }

    #[test]
    fn every_refusal_is_given_at_once() {
        let (ruling, _) = check(
            "closes features #1, #2 and #3",
            &[
                (1, Sight::NotFound),
                (2, seen(2, false, &[])),
                (3, seen(3, true, &["bug"])),
            ],
            &[],
            Some("feature"),
        );
        let Ruling::Refuse(reasons) = ruling else {
            panic!("refused")
        };
        assert!(matches!(reasons[0], LinkRefusal::UnknownFeature { .. }));
        assert!(matches!(reasons[1], LinkRefusal::ClosedFeature { .. }));
        assert!(
            matches!(&reasons[2], LinkRefusal::NotAFeature { label, .. } if label == "feature")
        );
    }

    #[test]
    fn the_lowest_open_closer_keeps_the_feature() {
        let other = |iid| OtherCloser {
            merge_request: mr(iid),
            author: "dan".parse().unwrap(),
            closes: vec![feature(34)],
        };
        let sights = [(34, seen(34, true, &[]))];
        let (ruling, _) = check("closes feature #34", &sights, &[other(9)], None);
        assert_eq!(ruling, Ruling::Pass, "a younger one does not take it away");
        let (ruling, _) = check("closes feature #34", &sights, &[other(6), other(5)], None);
        assert!(
            matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::AlreadyClaimed { by, .. }] if by.iid == 5))
        );
        let (ruling, _) = check("contributes to feature #34", &sights, &[other(5)], None);
        assert_eq!(ruling, Ruling::Pass, "any number may contribute");
    }

    #[test]
    fn without_a_link_the_policy_decides() {
        let (ruling, _) = check("nothing here", &[], &[], None);
        assert_eq!(ruling, Ruling::Refuse(vec![LinkRefusal::NoLink]));
    }

    #[test]
    fn a_feature_that_could_not_be_looked_up_is_named_as_unchecked() {
        let (ruling, linking) = check("closes feature #34", &[(34, Sight::NotLookedUp)], &[], None);
        assert_eq!(ruling, Ruling::Pass);
        assert_eq!(linking.unchecked, [feature(34)]);
    }
}
