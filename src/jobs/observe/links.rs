//! A merge request's links: what its description amounts to, with its features and their other merge requests.

use std::collections::{BTreeMap, BTreeSet};

use super::{merge_request, whole};
use crate::domain::ids::{FeatureId, MergeRequestId, ProjectPath};
use crate::domain::integration::MergeRequestState;
use crate::domain::linking::grammar::{Claim, Grammar, Line, MOST_FEATURES, Reading};
use crate::domain::linking::{
    Exemptible, Link, LinkFacts, LinkKind, LinkRefusal, Linking, MOST_MOVES, OtherCloser,
    Remembered, Sight, check_links, exempted, moved_on, named_features,
};
use crate::domain::progress::Mark;
use crate::domain::ruling::Ruling;
use crate::jobs::{Desk, notes};
use crate::outcome::Problem;
use crate::ports::{Answer, Board, MergeRequest, MergeRequestOnBoard, Targets};
use crate::report;

/// The word that every link contains.
const LINK_WORD: &str = "feature";

/// How many other merge requests of a feature are looked at whole, newest first; the others are read as GitLab lists them.
const MOST_RELATED: usize = 50;

/// A merge request with what its description amounts to.
pub(in crate::jobs) struct Linked {
    pub(in crate::jobs) merge_request: MergeRequest,
    pub(in crate::jobs) reading: Reading,
    pub(in crate::jobs) ruling: Ruling<(), LinkRefusal>,
    pub(in crate::jobs) linking: Linking,
    pub(in crate::jobs) sights: BTreeMap<FeatureId, Sight>,
    /// What stands on the merge request, its features and their other merge requests, for a job that may look.
    pub(in crate::jobs) board: Option<Board>,
    /// Where each feature is named in the description.
    pub(in crate::jobs) lines: BTreeMap<FeatureId, Line>,
}

impl Linked {
    /// The features that it closes.
    pub(in crate::jobs) fn closes(&self) -> Vec<FeatureId> {
        self.linking
            .links
            .iter()
            .filter(|link| link.kind == LinkKind::Closes)
            .map(|link| link.feature.clone())
            .collect()
    }

    /// The links that were told before.
    pub(in crate::jobs) fn remembered(&self) -> Remembered {
        self.mark()
            .map_or_else(Remembered::default, |mark| Remembered {
                since: mark.links_since,
                links: mark.links,
            })
    }

    /// What was marked on the merge request before.
    pub(in crate::jobs) fn mark(&self) -> Option<Mark> {
        let board = self.board.as_ref()?;
        let on_board = board.merge_requests.get(&self.merge_request.id.iid)?;
        report::mark_of(&notes::note_of(on_board)?.text)
    }
}

/// Where a bare reference points.
pub(in crate::jobs) fn features_project<'a>(desk: &Desk<'a>) -> &'a ProjectPath {
    desk.config
        .features
        .project
        .as_ref()
        .unwrap_or(&desk.ci.project)
}

/// The project's grammar; made once, however many descriptions are read.
pub(in crate::jobs) fn grammar(desk: &Desk<'_>) -> Answer<Grammar> {
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
pub(in crate::jobs) fn read_description(desk: &Desk<'_>, description: &str) -> Answer<Reading> {
    Ok(grammar(desk)?.read(description))
}

/// The merge request and its links.
pub(in crate::jobs) fn links(desk: &Desk<'_>, iid: u64) -> Answer<Linked> {
    if !desk.may_look_up {
        return links_by_list(desk, iid);
    }
    let found = whole(desk, iid)?;
    links_of(desk, &found, Related::All)
}

/// Whose other merge requests are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs) enum Related {
    /// Those of every feature named: their places are told.
    All,
    /// Those of features that it closes: they decide whether it may.
    Rivals,
}

/// The links of a merge request that was looked at: rivals are found by reference, so that the size of the project costs nothing.
pub(in crate::jobs) fn links_of(
    desk: &Desk<'_>,
    whole: &MergeRequestOnBoard,
    related_to: Related,
) -> Answer<Linked> {
    let found = &whole.merge_request;
    let home = features_project(desk);
    let reading = read_description(desk, &found.description)?;
    let links = named_features(&reading, home);
    let named: BTreeSet<FeatureId> = links
        .iter()
        .map(|(link, _)| link.feature.clone())
        .filter(|feature| !reading.too_many && is_ours(desk, &feature.project))
        .collect();
    let before = notes::note_of(whole).and_then(|own| report::mark_of(&own.text));
    let before = before.into_iter().flat_map(|mark| mark.links);
    let mut related: BTreeMap<u64, MergeRequest> = BTreeMap::new();
    let looked_for = links
        .iter()
        .filter(|(link, _)| named.contains(&link.feature))
        .filter(|(link, _)| link.kind == LinkKind::Closes || related_to == Related::All);
    for (link, _) in looked_for {
        for other in desk.merge_requests.related(&link.feature)? {
            related.insert(other.id.iid, other);
        }
        // `#34` of another project is a reference to this one's for GitLab: such rivals are found by their words.
        if link.kind == LinkKind::Closes && link.feature.project != desk.ci.project {
            let words = format!("{LINK_WORD} #{}", link.feature.iid);
            for other in desk.merge_requests.open_mentioning(&words)? {
                related.insert(other.id.iid, other);
            }
        }
    }
    // Our own note on the feature refers to its merge requests, so GitLab relates them even where it does not read their text as we do.
    let newest = related.keys().rev().filter(|iid| **iid != found.id.iid);
    let targets = Targets {
        features: named
            .iter()
            .cloned()
            .chain(before.map(|link| link.feature))
            .collect(),
        merge_requests: newest.take(MOST_RELATED).copied().collect(),
        ..Targets::default()
    };
    let mut board = desk.boards.board(&targets)?;
    board.merge_requests.insert(found.id.iid, whole.clone());
    for (iid, on_board) in &board.merge_requests {
        related.insert(*iid, on_board.merge_request.clone());
    }
    let mut sights = BTreeMap::new();
    let mut wanted: Vec<FeatureId> = named.into_iter().collect();
    for _ in 0..=MOST_MOVES {
        for id in &wanted {
            let seen = board.features.get(id).map(|seen| seen.feature.clone());
            let seen = seen.map_or(Sight::NotFound, |seen| Sight::Seen(Box::new(seen)));
            sights.insert(id.clone(), seen);
        }
        wanted = moved_on(&sights);
        wanted.retain(|feature| is_ours(desk, &feature.project));
        if wanted.is_empty() {
            break;
        }
        // Whoever names the feature by its new place is a rival too.
        for id in &wanted {
            for other in desk.merge_requests.related(id)? {
                related.insert(other.id.iid, other);
            }
        }
        let targets = Targets {
            features: wanted.iter().cloned().collect(),
            ..Targets::default()
        };
        board.features.extend(desk.boards.board(&targets)?.features);
    }
    related.remove(&found.id.iid);
    judged(
        desk,
        found.clone(),
        reading,
        sights,
        related.into_values(),
        Some(board),
    )
}

/// The same for a job whose token reads merge requests only: rivals are found in a list that has an end.
fn links_by_list(desk: &Desk<'_>, iid: u64) -> Answer<Linked> {
    let mentioning = desk.merge_requests.open_mentioning(LINK_WORD)?;
    let found = match mentioning.iter().find(|mr| mr.id.iid == iid) {
        Some(found) => found.clone(),
        None => merge_request(desk, iid)?,
    };
    let reading = read_description(desk, &found.description)?;
    let sights = sights(desk, &reading)?;
    let others = mentioning.into_iter().filter(|mr| mr.id.iid != iid);
    judged(desk, found, reading, sights, others, None)
}

fn judged(
    desk: &Desk<'_>,
    found: MergeRequest,
    reading: Reading,
    sights: BTreeMap<FeatureId, Sight>,
    others: impl Iterator<Item = MergeRequest>,
    board: Option<Board>,
) -> Answer<Linked> {
    let home = features_project(desk);
    let grammar = grammar(desk)?;
    let others: Vec<OtherCloser> = others
        .filter(|other| other.state == MergeRequestState::Open)
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
        board,
    })
}

/// Whether features of a project may be named here: what may not be named is not looked up either, for the answer would tell
/// whether it is there.
fn is_ours(desk: &Desk<'_>, project: &ProjectPath) -> bool {
    project == features_project(desk)
        || *project == desk.ci.project
        || desk
            .config
            .features
            .projects
            .as_ref()
            .is_none_or(|list| list.contains(project))
}

/// What can be seen of the features that a description names, and of those that they were moved to.
pub(in crate::jobs) fn sights(
    desk: &Desk<'_>,
    reading: &Reading,
) -> Answer<BTreeMap<FeatureId, Sight>> {
    let mut sights = BTreeMap::new();
    if reading.too_many {
        return Ok(sights);
    }
    let home = features_project(desk);
    let mut wanted: Vec<FeatureId> = named_features(reading, home)
        .into_iter()
        .map(|(link, _)| link.feature)
        .take(MOST_FEATURES)
        .collect();
    for _ in 0..=MOST_MOVES {
        wanted.retain(|feature| is_ours(desk, &feature.project));
        if wanted.is_empty() {
            break;
        }
        sights.extend(desk.features.sights(&wanted)?);
        wanted = moved_on(&sights);
    }
    Ok(sights)
}

/// Judges what a description says.
pub(in crate::jobs) fn judge_links(
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
