//! One look at the board: the texts that should stand there, compared with those that do, until nothing differs.

use std::collections::{BTreeMap, BTreeSet};

use super::told::queued;
use super::{RANKS_TOLD, Told, note_of, targets};
use crate::domain::ids::{FeatureId, MergeRequestId};
use crate::domain::linking::{Link, named_features};
use crate::domain::progress::{
    Edit, Mark, Member, Own, ProgressFacts, Row, Wanted, edits, progress,
};
use crate::domain::validation::acceptance_criteria;
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::jobs::observe;
use crate::ports::{
    Answer, Board, FeatureOnBoard, MergeRequest, MergeRequestOnBoard, Place, Visibility,
};
use crate::report;

/// How often what stands is compared with what should.
const ROUNDS: usize = 4;

/// What is told, and of what.
pub(super) struct Keeper<'a> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) yard: Option<&'a Yard>,
    pub(super) features: BTreeSet<FeatureId>,
    pub(super) told: &'a [Told<'a>],
}

impl Keeper<'_> {
    pub(super) fn keep(&self, board: Option<Board>, warnings: &mut Vec<String>) -> Answer<Board> {
        let told = self.told.iter().map(|told| told.iid).collect();
        let mut targets = targets(self.desk, self.yard, &self.features, &told);
        let mut board = match board {
            Some(board) => board,
            None => self.desk.boards.board(&targets)?,
        };
        let mut given_up: BTreeMap<Place, u32> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let mut edits = self.edits(&board)?;
            edits.retain(|(place, _)| given_up.get(place).is_none_or(|times| *times < 2));
            if edits.is_empty() {
                return Ok(board);
            }
            targets.merge_requests.extend(board.merge_requests.keys());
            for id in &self.features {
                let told = told_rows(&board, id);
                let told = told.iter().map(|row| row.id(id));
                let here = told.filter(|id| id.project == self.desk.ci.project);
                targets.merge_requests.extend(here.map(|id| id.iid));
            }
            let posted = self.desk.boards.post(&edits, &targets)?;
            for (place, words) in posted.refused {
                let times = given_up.entry(place.clone()).or_default();
                *times += 1;
                // A note that somebody deleted meanwhile is written anew in the next round.
                if *times == 2 {
                    warnings.push(format!(
                        "warning: the note on {} cannot be kept: {}",
                        self.place(&place, &board),
                        report::plain(&words)
                    ));
                }
            }
            board = match posted.board {
                Some(board) => board,
                None => self.desk.boards.board(&targets)?,
            };
        }
        Ok(board)
    }

    fn edits(&self, board: &Board) -> Answer<Vec<(Place, Edit<String>)>> {
        let mut marks: BTreeMap<u64, Mark> = BTreeMap::new();
        let mut wanted = Vec::new();
        for told in self.told {
            let Some(on_board) = board.merge_requests.get(&told.iid) else {
                continue;
            };
            let before = note_of(on_board).and_then(|own| report::mark_of(&own.text));
            let (mark, text) = self.text(told, on_board, before.as_ref());
            wanted.extend(of_merge_request(told.iid, on_board, text));
            marks.insert(told.iid, mark);
        }
        wanted.extend(self.ranks(board, &mut marks));
        let looked_at = self.looked_at(board, &marks)?;
        for id in &self.features {
            if let Some(on_board) = board.features.get(id) {
                wanted.extend(self.of_feature(board, on_board, &looked_at));
            }
        }
        Ok(wanted)
    }

    /// The mark and the text of a merge request. Nothing is written because of an instant alone: an old one stands for as long
    /// as everything else that is told with it.
    fn text(
        &self,
        told: &Told<'_>,
        on_board: &MergeRequestOnBoard,
        before: Option<&Mark>,
    ) -> (Mark, String) {
        let now = Mark {
            stage: told.stage.clone(),
            head: told.head.clone(),
            links: told.links.clone(),
            since: self.desk.clock.now(),
            history: Vec::new(),
            links_since: told.links_since,
        };
        let mark = now.after(before);
        let text = report::state_note(&mark, &(told.body)(&mark));
        if note_of(on_board).is_some_and(|own| own.text.trim_end() == text.trim_end()) {
            return (mark, text);
        }
        let mark = Mark {
            stage: told.stage.clone(),
            ..mark
        };
        let text = report::state_note(&mark, &(told.body)(&mark));
        (mark, text)
    }

    /// Waiting change sets whose rank is another one now than their note tells.
    fn ranks(&self, board: &Board, marks: &mut BTreeMap<u64, Mark>) -> Vec<(Place, Edit<String>)> {
        let mut wanted = Vec::new();
        let Some(yard) = self.yard.filter(|_| !self.told.is_empty()) else {
            return wanted;
        };
        for ticket in yard.queue.waiting().take(RANKS_TOLD) {
            let set = &ticket.change_set;
            let iid = set.merge_request.iid;
            if set.merge_request.project != self.desk.ci.project {
                continue;
            }
            let on_board = board.merge_requests.get(&iid);
            let Some(on_board) = on_board.filter(|_| !marks.contains_key(&iid)) else {
                continue;
            };
            let Some(own) = note_of(on_board) else {
                continue;
            };
            // Whatever else was told since, for example of new commits, is newer than the queue.
            let before = report::mark_of(&own.text).filter(|mark| mark.stage.is_of_the_gate());
            let (Some(before), Some(told)) = (before, queued(self.desk, yard, &set.merge_request))
            else {
                continue;
            };
            let (mark, text) = self.text(&told, on_board, Some(&before));
            wanted.extend(of_merge_request(iid, on_board, text));
            marks.insert(iid, mark);
        }
        wanted
    }

    /// Every merge request of the board, with what it does for each feature that it names.
    fn looked_at(&self, board: &Board, marks: &BTreeMap<u64, Mark>) -> Answer<Vec<LookedAt>> {
        let mut looked_at = Vec::new();
        for (iid, on_board) in &board.merge_requests {
            let found = &on_board.merge_request;
            let mut links = links_of(self.desk, found)?;
            // A job that followed a feature to its new place knows of links that the text does not name.
            for told in self.told.iter().filter(|told| told.iid == *iid) {
                links.extend(told.links.iter().cloned());
            }
            let mark = match marks.get(iid) {
                Some(mark) => Some(mark.clone()),
                None => note_of(on_board).and_then(|own| report::mark_of(&own.text)),
            };
            let of_head = |mark: &Mark| mark.head == found.head || mark.stage.is_landed();
            looked_at.push(LookedAt {
                merge_request: found.clone(),
                links,
                mark: mark.filter(of_head),
            });
        }
        Ok(looked_at)
    }

    fn of_feature(
        &self,
        board: &Board,
        on_board: &FeatureOnBoard,
        looked_at: &[LookedAt],
    ) -> Vec<(Place, Edit<String>)> {
        let feature = &on_board.feature;
        let members: Vec<(MergeRequestId, Option<Member>)> = looked_at
            .iter()
            .map(|one| (one.merge_request.id.clone(), one.member_of(&feature.id)))
            .collect();
        let stands = notes_on(on_board);
        let told = told_rows(board, &feature.id);
        let progress = progress(&ProgressFacts {
            feature: &feature.id,
            home: &self.desk.ci.project,
            open: feature.open,
            criteria: acceptance_criteria(
                &feature.description,
                &self.desk.config.validation.criteria_headings,
            ),
            looked_at: &members,
            told: &told,
            yard: self.yard,
        });
        if progress.rows.is_empty() && stands.is_empty() {
            return Vec::new();
        }
        let home = MergeRequestId {
            project: self.desk.ci.project.clone(),
            iid: 0,
        };
        let naming = naming(&feature.id, on_board.visibility, board.visibility, &home);
        let text = report::progress_note(&progress, naming, &home);
        let place = Place::Feature(feature.id.clone());
        let wanted = Wanted {
            place: on_board.address.clone(),
            text,
        };
        edits(stands, wanted)
            .into_iter()
            .map(|edit| (place.clone(), edit))
            .collect()
    }

    /// The name of a place in the job's log, which more people may read than a confidential feature.
    fn place(&self, place: &Place, board: &Board) -> String {
        match place {
            Place::MergeRequest(iid) => format!("!{iid}"),
            Place::Feature(id) => match board.features.get(id) {
                Some(on_board) if on_board.feature.confidential => {
                    "a confidential feature".to_owned()
                }
                Some(_) | None => id.seen_from(&self.desk.ci.project),
            },
        }
    }
}

/// A merge request with what it says.
struct LookedAt {
    merge_request: MergeRequest,
    links: Vec<Link>,
    mark: Option<Mark>,
}

impl LookedAt {
    fn member_of(&self, feature: &FeatureId) -> Option<Member> {
        let link = self.links.iter().find(|link| link.feature == *feature)?;
        Some(Member {
            id: self.merge_request.id.clone(),
            author: self.merge_request.author.clone(),
            kind: link.kind,
            state: self.merge_request.state,
            draft: self.merge_request.draft,
            mark: self.mark.clone(),
        })
    }
}

/// Whether, and how, merge requests are named on a feature: never to readers who cannot see them.
fn naming(
    feature: &FeatureId,
    readers: Visibility,
    home: Option<Visibility>,
    of: &MergeRequestId,
) -> report::Naming {
    if feature.project == of.project {
        report::Naming::Short
    } else if home.is_some_and(|home| home >= readers) {
        report::Naming::Full
    } else {
        report::Naming::Hidden
    }
}

fn of_merge_request(
    iid: u64,
    on_board: &MergeRequestOnBoard,
    text: String,
) -> Vec<(Place, Edit<String>)> {
    let stands = on_board
        .notes
        .get(report::STATE)
        .map_or(&[][..], Vec::as_slice);
    let wanted = Wanted {
        place: on_board.address.clone(),
        text,
    };
    edits(stands, wanted)
        .into_iter()
        .map(|edit| (Place::MergeRequest(iid), edit))
        .collect()
}

fn notes_on(on_board: &FeatureOnBoard) -> &[Own] {
    on_board
        .notes
        .get(report::PROGRESS)
        .map_or(&[][..], Vec::as_slice)
}

/// The rows that our notes on a feature tell; of two notes both, for each was written by a job that did not know the other.
fn told_rows(board: &Board, id: &FeatureId) -> Vec<Row> {
    let mut rows = Vec::new();
    for own in board.features.get(id).into_iter().flat_map(notes_on) {
        rows.extend(report::rows_of(&own.text));
    }
    rows
}

fn links_of(desk: &Desk<'_>, found: &MergeRequest) -> Answer<Vec<Link>> {
    let reading = observe::read_description(desk, &found.description)?;
    Ok(named_features(&reading, observe::features_project(desk))
        .into_iter()
        .map(|(link, _)| link)
        .collect())
}
