//! The feature that a link counts for: the one named, or the one that it was moved to, if it is an open feature of a project that
//! may be named.

use std::collections::BTreeMap;

use crate::domain::ids::FeatureId;

use super::grammar::Claim;
use super::{Feature, Followed, Link, LinkFacts, LinkRefusal, Linking, Moved, Sight};

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
pub(super) fn present_place<'a>(
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

/// The feature that a link counts for, or why it counts for none.
pub(super) fn place_of(
    link: &Link,
    claim: &Claim,
    facts: &LinkFacts<'_>,
    linking: &mut Linking,
) -> Result<FeatureId, Box<LinkRefusal>> {
    let named = &link.feature;
    let at = || claim.line.clone();
    let refuse = |refusal: LinkRefusal| Err(Box::new(refusal));
    if !facts.may_be_named(&named.project) {
        let mut allowed = vec![facts.features_project.clone()];
        allowed.extend(facts.projects.unwrap_or_default().iter().cloned());
        return refuse(LinkRefusal::OtherProject {
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
        Sight::NotFound if place != named => refuse(LinkRefusal::MovedAway {
            feature: named.clone(),
            at: at(),
        }),
        Sight::NotFound => refuse(LinkRefusal::UnknownFeature {
            feature: named.clone(),
            at: at(),
        }),
        Sight::Seen(feature) => {
            let told = facts.may_be_told(feature) && facts.may_be_named(&place.project);
            if feature.moved.is_some() || (place != named && !told) {
                return refuse(LinkRefusal::MovedAway {
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

fn refusal_of_seen(
    feature: &Feature,
    facts: &LinkFacts<'_>,
    claim: &Claim,
) -> Result<(), Box<LinkRefusal>> {
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
    Err(Box::new(if facts.may_be_told(feature) {
        refusal
    } else {
        LinkRefusal::Undisclosed {
            feature: feature.id.clone(),
            at: claim.line.clone(),
        }
    }))
}
