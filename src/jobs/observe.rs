//! What several jobs look at in the same way: a merge request's links and its validations.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId, ProjectPath, RoleName, UserName};
use crate::domain::linking::grammar::{Claim, Grammar, Line, MOST_FEATURES, Reading};
use crate::domain::linking::{
    Exemptible, Link, LinkFacts, LinkKind, LinkRefusal, Linking, MOST_MOVES, OtherCloser, Sight,
    check_links, exempted, moved_on, named_features,
};
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Judgement, ValidationFacts, judge};
use crate::outcome::Problem;
use crate::ports::{Answer, Evidence, MergeRequest};

/// The word that every link contains.
const LINK_WORD: &str = "feature";

/// A merge request with what its description amounts to.
pub(super) struct Linked {
    pub(super) merge_request: MergeRequest,
    pub(super) reading: Reading,
    pub(super) ruling: Ruling<(), LinkRefusal>,
    pub(super) linking: Linking,
    pub(super) sights: BTreeMap<FeatureId, Sight>,
    /// Where each feature is named in the description.
    pub(super) lines: BTreeMap<FeatureId, Line>,
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

/// The project's grammar; made once, however many descriptions are read.
pub(super) fn grammar(desk: &Desk<'_>) -> Answer<Grammar> {
    let words = &desk.config.features;
    let grammar = Grammar::new(
        &desk.ci.server,
        &desk.ci.project,
        &words.closing_words,
        &words.contributing_words,
    );
    grammar.map_err(|error| {
        Problem::misconfigured(
            "`features.closing_words` and `features.contributing_words` are too long to be used",
            "shorten them",
        )
        .caused_by(error)
    })
}

/// Reads the description with the project's grammar.
pub(super) fn read_description(desk: &Desk<'_>, description: &str) -> Answer<Reading> {
    Ok(grammar(desk)?.read(description))
}

/// The merge request and its links. The list of those that mention a feature holds it and its rivals in one request.
pub(super) fn links(desk: &Desk<'_>, iid: u64) -> Answer<Linked> {
    let mentioning = desk.merge_requests.open_mentioning(LINK_WORD)?;
    let found = match mentioning.iter().find(|mr| mr.id.iid == iid) {
        Some(found) => found.clone(),
        None => merge_request(desk, iid)?,
    };
    let grammar = grammar(desk)?;
    let reading = grammar.read(&found.description);
    let home = features_project(desk);
    let sights = sights(desk, &reading)?;
    let others: Vec<OtherCloser> = mentioning
        .iter()
        .filter(|mr| mr.id.iid != iid)
        .map(|other| OtherCloser {
            merge_request: other.id.clone(),
            author: other.author.clone(),
            closes: closing(&named_features(&grammar.read(&other.description), home)),
        })
        .collect();
    let of = Exemptible {
        labels: &found.labels,
        author: Some(&found.author),
        branch: Some(&found.source),
    };
    let (ruling, linking) = judge_links(desk, &found.id, &reading, &sights, &others, of);
    Ok(Linked {
        lines: lines(&reading, home),
        merge_request: found,
        reading,
        ruling,
        linking,
        sights,
    })
}

/// What can be seen of the features that a description names, and of those that they were moved to.
pub(super) fn sights(desk: &Desk<'_>, reading: &Reading) -> Answer<BTreeMap<FeatureId, Sight>> {
    let mut sights = BTreeMap::new();
    if reading.too_many {
        return Ok(sights);
    }
    let config = &desk.config.features;
    let home = features_project(desk);
    let ours = |project: &ProjectPath| {
        project == home
            || *project == desk.ci.project
            || config
                .projects
                .as_ref()
                .is_none_or(|list| list.contains(project))
    };
    let mut wanted: Vec<FeatureId> = named_features(reading, home)
        .into_iter()
        .map(|(link, _)| link.feature)
        .take(MOST_FEATURES)
        .collect();
    for _ in 0..=MOST_MOVES {
        // What may not be named is not looked up either: the answer would tell whether it is there.
        wanted.retain(|feature| ours(&feature.project));
        if wanted.is_empty() {
            break;
        }
        sights.extend(desk.features.sights(&wanted)?);
        wanted = moved_on(&sights);
    }
    Ok(sights)
}

/// Judges what a description says.
pub(super) fn judge_links(
    desk: &Desk<'_>,
    merge_request: &MergeRequestId,
    reading: &Reading,
    sights: &BTreeMap<FeatureId, Sight>,
    others: &[OtherCloser],
    of: Exemptible<'_>,
) -> (Ruling<(), LinkRefusal>, Linking) {
    let config = &desk.config.features;
    check_links(&LinkFacts {
        merge_request,
        reading,
        features_project: features_project(desk),
        projects: config.projects.as_deref(),
        sights,
        others,
        policy: config.links,
        exempted: exempted(&config.exempt, of),
        label: config.label.as_deref(),
        issue_type: config.issue_type.as_deref(),
    })
}

/// Where each feature is named.
fn lines(reading: &Reading, home: &ProjectPath) -> BTreeMap<FeatureId, Line> {
    named_features(reading, home)
        .into_iter()
        .map(|(link, claim)| (link.feature, claim.line))
        .collect()
}

fn closing(named: &[(Link, Claim)]) -> Vec<FeatureId> {
    named
        .iter()
        .filter(|(link, _)| link.kind == LinkKind::Closes)
        .map(|(link, _)| link.feature.clone())
        .collect()
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
    let mut holders = BTreeMap::new();
    for role in &desk.config.roles {
        if roles.contains(&role.name) {
            holders.insert(role.name.clone(), desk.people.holders(&role.members)?);
        }
    }
    Ok(holders)
}

/// Commits with the content of the merge request: its head, and earlier heads with the same patch id.
pub(super) fn content(
    desk: &Desk<'_>,
    merge_request: &MergeRequest,
    evidence: &Evidence,
) -> Answer<BTreeSet<CommitSha>> {
    let mut content = BTreeSet::from([merge_request.head.clone()]);
    let elsewhere = evidence
        .runs
        .iter()
        .any(|run| run.commit != merge_request.head)
        || evidence
            .pipelines
            .iter()
            .any(|p| p.request.is_some() && p.commit != merge_request.head);
    if elsewhere {
        let patches = desk.merge_requests.patches(merge_request.id.iid)?;
        if let Some(patch) = patches.get(&merge_request.head) {
            content.extend(
                patches
                    .iter()
                    .filter(|(_, other)| *other == patch)
                    .map(|(commit, _)| commit.clone()),
            );
        }
    }
    Ok(content)
}

/// Where every required role stands on this content, and who holds it.
pub(super) fn judgement(
    desk: &Desk<'_>,
    merge_request: &MergeRequest,
    evidence: &Evidence,
    content: &BTreeSet<CommitSha>,
) -> Answer<(Judgement, BTreeMap<RoleName, BTreeSet<UserName>>)> {
    let required = &desk.config.validation.roles;
    let holders = holders(desk, required)?;
    let judgement = judge(&ValidationFacts {
        required,
        holders: &holders,
        author: &merge_request.author,
        author_may_validate: desk.config.validation.author_may_validate,
        content,
        runs: &evidence.runs,
    });
    Ok((judgement, holders))
}
