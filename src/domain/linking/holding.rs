//! One closing merge request per feature, under any race.
//!
//! Among open merge requests the one with the lowest number keeps the feature: a rule that every pipeline can apply by itself and
//! that gives the same answer to all. What is in the queue or in an unreleased version stands above it: whoever got that far was
//! validated as the closing one, and an older merge request that starts to close the feature by an edited description comes too
//! late.

use std::collections::BTreeMap;

use crate::domain::ids::{FeatureId, MergeRequestId, UserName};
use crate::domain::integration::ChangeSet;
use crate::domain::yard::Yard;

use super::grammar::Line;
use super::place::present_place;
use super::{Holding, Link, LinkFacts, LinkKind, LinkRefusal};

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

/// The older open merge request that closes the feature, as the reason that it is.
pub(super) fn taken_by_an_older_one(
    feature: &FeatureId,
    at: &Line,
    facts: &LinkFacts<'_>,
) -> Option<LinkRefusal> {
    let closes = |other: &&OtherCloser| {
        let mut places = other
            .closes
            .iter()
            .map(|id| present_place(id, facts.sights));
        other.merge_request.iid < facts.merge_request.iid && places.any(|place| place == feature)
    };
    let holder = facts
        .others
        .iter()
        .filter(closes)
        .min_by_key(|other| other.merge_request.iid)?;
    Some(LinkRefusal::AlreadyClaimed {
        feature: feature.clone(),
        by: holder.merge_request.clone(),
        author: holder.author.clone(),
        holding: Holding::Open,
        at: at.clone(),
    })
}

/// The features of a merge request's closing links that another one holds by its ticket, or by having landed in a version that is
/// not released. `lines` tell where each link was read.
pub fn claims_taken(
    merge_request: &MergeRequestId,
    links: &[Link],
    lines: &BTreeMap<FeatureId, Line>,
    yard: &Yard,
) -> Vec<LinkRefusal> {
    let queued = yard
        .queue
        .tickets
        .iter()
        .map(|ticket| (Holding::Queued, &ticket.change_set));
    let closing = yard.versions.closing.iter();
    let landed = closing
        .flat_map(|version| &version.content)
        .chain(&yard.versions.content)
        .map(|appended| (Holding::Landed, &appended.change_set));
    let holders: Vec<(Holding, &ChangeSet)> = landed
        .chain(queued)
        .filter(|(_, held)| held.merge_request != *merge_request)
        .collect();
    let closes = |held: &ChangeSet, feature: &FeatureId| {
        held.links
            .iter()
            .any(|link| link.kind == LinkKind::Closes && link.feature == *feature)
    };
    links
        .iter()
        .filter(|link| link.kind == LinkKind::Closes)
        .filter_map(|link| {
            let (holding, held) = holders
                .iter()
                .find(|(_, held)| closes(held, &link.feature))?;
            Some(LinkRefusal::AlreadyClaimed {
                feature: link.feature.clone(),
                by: held.merge_request.clone(),
                author: held.author.clone(),
                holding: *holding,
                at: lines.get(&link.feature).cloned().unwrap_or_default(),
            })
        })
        .collect()
}
