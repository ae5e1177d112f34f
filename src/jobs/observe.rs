//! What several jobs look at in the same way: a merge request's links, and who holds a role.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use crate::domain::ids::{FeatureId, ProjectPath, RoleName, UserName};
use crate::domain::linking::grammar::{Grammar, Reading};
use crate::domain::linking::{
    LinkFacts, LinkKind, LinkRefusal, Linking, OtherCloser, Sight, check_links, named_features,
};
use crate::domain::ruling::Ruling;
use crate::domain::validation::Members;
use crate::outcome::Problem;
use crate::ports::{Answer, MergeRequest};

/// The word that every link contains.
const LINK_WORD: &str = "feature";

/// A merge request with what its description amounts to.
pub(super) struct Linked {
    pub(super) merge_request: MergeRequest,
    pub(super) reading: Reading,
    pub(super) ruling: Ruling<(), LinkRefusal>,
    pub(super) linking: Linking,
    pub(super) sights: BTreeMap<FeatureId, Sight>,
}

impl Linked {
    /// The features that it closes.
    pub(super) fn closes(&self) -> Vec<FeatureId> {
        self.linking
            .links
            .iter()
            .filter(|link| link.kind == LinkKind::Closes)
            .map(|link| link.feature.clone())
            .collect()
    }
}

/// Where a bare reference points.
pub(super) fn features_project<'a>(desk: &Desk<'a>) -> &'a ProjectPath {
    desk.config
        .features
        .project
        .as_ref()
        .unwrap_or(&desk.ci.project)
}

/// Reads the description with the project's grammar.
pub(super) fn read_description(desk: &Desk<'_>, description: &str) -> Answer<Reading> {
    let words = &desk.config.features;
    let grammar = Grammar::new(
        &desk.ci.server,
        &desk.ci.project,
        &words.closing_words,
        &words.contributing_words,
    );
    let grammar = grammar.map_err(|error| {
        Problem::misconfigured(
            "`features.closing_words` and `features.contributing_words` are too long to be used",
            "shorten them",
        )
        .caused_by(error)
    })?;
    Ok(grammar.read(description))
}

/// The merge request and its links. The list of those that mention a feature holds it and its rivals in one request.
pub(super) fn links(desk: &Desk<'_>, iid: u64) -> Answer<Linked> {
    let mentioning = desk.merge_requests.open_mentioning(LINK_WORD)?;
    let found = match mentioning.iter().find(|mr| mr.id.iid == iid) {
        Some(found) => found.clone(),
        None => merge_request(desk, iid)?,
    };
    let reading = read_description(desk, &found.description)?;
    let home = features_project(desk);
    let named: Vec<FeatureId> = named_features(&reading, home)
        .into_iter()
        .map(|(link, _)| link.feature)
        .collect();
    let sights = if named.is_empty() {
        BTreeMap::new()
    } else {
        desk.features.sights(&named)?
    };
    let mut others = Vec::new();
    for other in mentioning.iter().filter(|mr| mr.id.iid != iid) {
        let closes = named_features(&read_description(desk, &other.description)?, home);
        let closes = closes
            .into_iter()
            .filter(|(link, _)| link.kind == LinkKind::Closes)
            .map(|(link, _)| link.feature)
            .collect();
        others.push(OtherCloser {
            merge_request: other.id.clone(),
            author: other.author.clone(),
            closes,
        });
    }
    let (ruling, linking) = check_links(&LinkFacts {
        merge_request: &found.id,
        reading: &reading,
        features_project: home,
        sights: &sights,
        others: &others,
        policy: desk.config.features.links,
        label: desk.config.features.label.as_deref(),
    });
    Ok(Linked {
        merge_request: found,
        reading,
        ruling,
        linking,
        sights,
    })
}

/// A merge request that must be there.
pub(super) fn merge_request(desk: &Desk<'_>, iid: u64) -> Answer<MergeRequest> {
    desk.merge_requests.merge_request(iid)?.ok_or_else(|| {
        Problem::refused(
            format!("there is no merge request !{iid} in `{}`", desk.ci.project),
            "check the number; a deleted merge request needs nothing more",
        )
    })
}

/// Who holds each role.
pub(super) fn holders(
    desk: &Desk<'_>,
    roles: &[RoleName],
) -> Answer<BTreeMap<RoleName, BTreeSet<UserName>>> {
    let wanted: Vec<(RoleName, &Members)> = desk
        .config
        .roles
        .iter()
        .filter(|role| roles.contains(&role.name))
        .map(|role| (role.name.clone(), &role.members))
        .collect();
    desk.people.holders(&wanted)
}
