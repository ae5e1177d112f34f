//! The notes that are kept in place through the whole life of a merge request and of a feature.
//!
//! What is true is looked up, the texts that follow from it are compared with those that stand, and only what differs is
//! written. Then the board is looked at again: two jobs may have written at once, and whoever wrote last sees what is missing.
//! Notes are for people to read: a note that cannot be kept is a warning, never a failure.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use super::observe::{self, Holders};
use super::{Desk, leaving};
use crate::domain::ids::{
    CommitSha, FeatureId, JobId, MergeRequestId, NoteId, ProjectPath, RoleName, UserName,
};
use crate::domain::integration::{ChangeSet, Left};
use crate::domain::linking::{Link, named_features};
use crate::domain::pace::Landing;
use crate::domain::progress::{
    Asked, Edit, Mark, Member, Own, ProgressFacts, Row, Stage, Wanted, edits, members_of, progress,
    stage_in_yard,
};
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Judgement, acceptance_criteria};
use crate::domain::versioning::Appended;
use crate::domain::yard::Yard;
use crate::ports::{
    Answer, Board, FeatureOnBoard, MergeRequest, MergeRequestOnBoard, Place, Targets, Visibility,
};
use crate::report;
use crate::simulate::forecast::forecast;

/// How often what stands is compared with what should.
const ROUNDS: usize = 4;
/// How many waiting change sets learn their new rank at once.
const RANKS_TOLD: usize = 10;
/// How many change sets that left the queue are looked at again.
const LEFT_MENDED: usize = 5;
/// How many merge requests one look covers.
const TOLD_AT_ONCE: usize = 20;
/// How many people of a role are named.
const PEOPLE_NAMED: usize = 8;
/// How many features one look covers.
const FEATURES_AT_ONCE: usize = 10;

/// What a job tells the people of one merge request.
pub(super) struct Told<'a> {
    /// Which one.
    pub(super) iid: u64,
    /// The head that it is true of.
    pub(super) head: CommitSha,
    /// Where it is now.
    pub(super) stage: Stage,
    /// The links that it has.
    pub(super) links: Vec<Link>,
    /// The job that told their last change, where this one knows.
    pub(super) links_since: Option<JobId>,
    /// What its people read.
    pub(super) body: Box<dyn Fn(&Mark) -> String + 'a>,
}

/// What a job knows when it tells.
#[derive(Default)]
pub(super) struct Keeping<'a> {
    /// The log, where there is one.
    pub(super) yard: Option<Yard>,
    /// The features that the telling is about.
    pub(super) features: BTreeSet<FeatureId>,
    /// Merge requests to tell.
    pub(super) told: Vec<Told<'a>>,
    /// The board, where it was looked at already and nothing was written since.
    pub(super) board: Option<Board>,
}

/// Keeps all notes that follow from what a job knows; returns what could not be kept, for the job's log.
pub(super) fn keep(desk: &Desk<'_>, keeping: Keeping<'_>) -> Vec<String> {
    kept(desk, keeping).warnings
}

/// The same, and the number of the note on one of the merge requests.
pub(super) fn keep_seeing(
    desk: &Desk<'_>,
    keeping: Keeping<'_>,
    iid: u64,
) -> (Vec<String>, Option<NoteId>) {
    let kept = kept(desk, keeping);
    let seen = kept.board.as_ref();
    let seen = seen.and_then(|board| board.merge_requests.get(&iid));
    (kept.warnings, seen.and_then(note_of).map(|own| own.id))
}

/// What became of keeping notes.
#[derive(Default)]
pub(super) struct Kept {
    /// What could not be kept.
    pub(super) warnings: Vec<String>,
    /// The merge requests that were told as they stand since, where they were looked at.
    pub(super) board: Option<Board>,
}

fn kept(desk: &Desk<'_>, keeping: Keeping<'_>) -> Kept {
    let mut kept = Kept::default();
    if !desk.may_look_up {
        return kept;
    }
    let Keeping {
        yard,
        features,
        told,
        mut board,
    } = keeping;
    let features: Vec<FeatureId> = features.into_iter().collect();
    let mut first = true;
    // A look covers some features; nearly always that is all of them.
    let mut rest = features.as_slice();
    while first || !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(FEATURES_AT_ONCE));
        let keeper = Keeper {
            desk,
            yard: yard.as_ref(),
            features: now.iter().cloned().collect(),
            told: if first { &told } else { &[] },
        };
        match keeper.keep(board.take(), &mut kept.warnings) {
            Ok(board) if first => kept.board = Some(board),
            Ok(_) => {}
            Err(problem) => {
                kept.warnings.push(format!(
                    "warning: the notes could not be kept: {}",
                    problem.full_text()
                ));
                break;
            }
        }
        rest = later;
        first = false;
    }
    kept
}

/// The roles that are asked, with some of their people.
pub(super) fn asked(holders: &Holders) -> Vec<Asked> {
    let one = |(role, people): (&RoleName, &BTreeSet<UserName>)| Asked {
        role: role.clone(),
        people: people.iter().take(PEOPLE_NAMED).cloned().collect(),
    };
    holders.iter().map(one).collect()
}

/// The stage that the verdicts on a merge request amount to.
pub(super) fn stage_of(judgement: &Judgement, holders: &Holders) -> Stage {
    match judgement.ruling() {
        Ruling::Pass => Stage::Validated,
        Ruling::Wait(roles) => Stage::AwaitingValidation {
            roles: asked(holders)
                .into_iter()
                .filter(|asked| roles.contains(&asked.role))
                .collect(),
        },
        Ruling::Refuse(verdicts) => {
            verdicts
                .into_iter()
                .next()
                .map_or(Stage::Validated, |v| Stage::Rejected {
                    role: v.role,
                    by: v.by,
                })
        }
    }
}

/// The note on a merge request that tells where it stands; the oldest one, should there be two.
pub(super) fn note_of(on_board: &MergeRequestOnBoard) -> Option<&Own> {
    on_board
        .notes
        .get(report::STATE)
        .and_then(|notes| notes.first())
}

/// What is looked at: features, the merge requests that are told, those of the features that the log knows, and those whose rank
/// may have changed.
pub(super) fn targets(
    desk: &Desk<'_>,
    yard: Option<&Yard>,
    features: &BTreeSet<FeatureId>,
    told: &BTreeSet<u64>,
) -> Targets {
    let mut merge_requests = told.clone();
    if let Some(yard) = yard {
        let members = features.iter().flat_map(|id| members_of(yard, id));
        let waiting = yard.queue.waiting().take(RANKS_TOLD);
        let waiting = waiting.map(|ticket| ticket.change_set.merge_request.clone());
        let here = members
            .chain(waiting.filter(|_| !told.is_empty()))
            .filter(|id| id.project == desk.ci.project);
        merge_requests.extend(here.map(|id| id.iid));
    }
    Targets {
        features: features.clone(),
        merge_requests,
        ..Targets::default()
    }
}

struct Keeper<'a> {
    desk: &'a Desk<'a>,
    yard: Option<&'a Yard>,
    features: BTreeSet<FeatureId>,
    told: &'a [Told<'a>],
}

impl Keeper<'_> {
    fn keep(&self, board: Option<Board>, warnings: &mut Vec<String>) -> Answer<Board> {
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

/// What the people of a merge request in the queue are told.
pub(super) fn queued<'a>(
    desk: &'a Desk<'_>,
    yard: &'a Yard,
    id: &'a MergeRequestId,
) -> Option<Told<'a>> {
    let ticket = yard.queue.ticket(id)?;
    let rank = yard.queue.rank(id)?;
    let set = &ticket.change_set;
    Some(Told {
        iid: id.iid,
        head: set.head.clone(),
        stage: Stage::Queued {
            rank,
            at: yard.last,
            landing: foretold(desk, yard, id),
        },
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |mark| {
            let home = observe::features_project(desk);
            let freezes = &desk.config.integration.freezes;
            let steered = report::note_steered(yard, set, freezes, desk.clock.now());
            report::note_queued(&mark.stage, &yard.queue, set, home) + &steered
        }),
    })
}

/// When it may land, where the queue goes on by itself and enough is known.
fn foretold(desk: &Desk<'_>, yard: &Yard, id: &MergeRequestId) -> Option<Landing> {
    if !yard.nrt.worth_another_worker() {
        return None;
    }
    let (policy, freezes) = (&desk.config.nrt.trials, &desk.config.integration.freezes);
    forecast(yard, policy, freezes, desk.clock.now()).landing(id)
}

/// What the people of a merge request are told that the log knows: it queues, is tried, or is in a version.
fn known<'a>(desk: &'a Desk<'_>, yard: &'a Yard, id: &'a MergeRequestId) -> Option<Told<'a>> {
    if let Some(told) = queued(desk, yard, id) {
        return Some(told);
    }
    let (stage, _) = stage_in_yard(yard, id)?;
    let home = observe::features_project(desk);
    let (set, body) = match (yard.queue.ticket(id), yard.versions.holding(id)) {
        (Some(ticket), _) => {
            let set = &ticket.change_set;
            (
                set,
                report::note_under_test(
                    &stage,
                    set,
                    &gate_url(desk, yard),
                    home,
                    desk.config.nrt.decided_by,
                ),
            )
        }
        (None, Some((_, appended))) => (
            &appended.change_set,
            report::note_landed(&stage, appended, home),
        ),
        (None, None) => return None,
    };
    Some(Told {
        iid: id.iid,
        head: set.head.clone(),
        stage,
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |_| body.clone()),
    })
}

/// Where the pipelines of trials are seen: the project that holds the environment.
fn gate_url(desk: &Desk<'_>, yard: &Yard) -> String {
    match &yard.nrt.lease {
        Some(lease) if lease.holder.project != desk.ci.project => {
            format!("{}/{}", desk.ci.server, lease.holder.project)
        }
        Some(_) | None => desk.ci.project_url.clone(),
    }
}

/// Keeps the notes of merge requests as the log has them now, and those of their features.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn keep_all(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
) -> Answer<Vec<String>> {
    Ok(keep_as(desk, &ledger.yard()?, ids))
}

/// The same for those who are served first: more of them read their note when their turn comes nearer.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn keep_first(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let waiting = yard.queue.waiting().take(RANKS_TOLD);
    let ids: Vec<MergeRequestId> = waiting
        .map(|ticket| ticket.change_set.merge_request.clone())
        .collect();
    Ok(keep_as(desk, &yard, &ids))
}

/// The same for one merge request, with the board that was looked at before it was decided on.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn keep_one(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    id: &MergeRequestId,
    board: Board,
) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let desk = &desk.of(&id.project)?;
    let Some(told) = known(desk, &yard, id) else {
        return Ok(Vec::new());
    };
    let told = vec![told];
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(yard.clone()),
            told,
            board: Some(board),
        },
    ))
}

/// What a look at change sets is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// To see how they stand, and to keep their notes.
    Notes,
    /// To make a candidate: also how the project merges, and which branches go with the push of it.
    Candidate,
}

/// The merge requests of change sets with their features and the notes on all of them, in one look.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be read.
pub(super) fn look(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
    how: Look,
) -> Answer<Board> {
    let yard = ledger.yard()?;
    let sets = ids.iter().filter_map(|id| yard.queue.ticket(id));
    let links = sets.flat_map(|ticket| &ticket.change_set.links);
    let features = links.map(|link| link.feature.clone()).collect();
    let told = ids.iter().map(|id| id.iid).collect();
    let targets = targets(desk, Some(&yard), &features, &told);
    desk.boards.board(&match how {
        Look::Notes => targets,
        Look::Candidate => Targets {
            standing: ids.iter().take(TOLD_AT_ONCE).map(|id| id.iid).collect(),
            leaving: leaving::asked(&yard.leaving_in(&desk.ci.project)),
            ..targets
        },
    })
}

/// The same as `keep_all`, with the board that was looked at before, where one look covers them all.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn keep_several(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ids: &[MergeRequestId],
    board: Option<Board>,
) -> Answer<Vec<String>> {
    Ok(keep_seen(desk, &ledger.yard()?, ids, board).warnings)
}

/// The same for a state that is about to be recorded, and what stands since.
pub(super) fn keep_seen(
    desk: &Desk<'_>,
    yard: &Yard,
    ids: &[MergeRequestId],
    board: Option<Board>,
) -> Kept {
    let told: Vec<Told<'_>> = ids.iter().filter_map(|id| known(desk, yard, id)).collect();
    let features = features_of(&told);
    if ids.len() > TOLD_AT_ONCE || features.len() > FEATURES_AT_ONCE || board.is_none() {
        return Kept {
            warnings: keep_as(desk, yard, ids),
            board: None,
        };
    }
    kept(
        desk,
        Keeping {
            features,
            yard: Some(yard.clone()),
            told,
            board,
        },
    )
}

/// The same for a state that is about to be recorded: a job that dies in between does both again.
pub(super) fn keep_as(desk: &Desk<'_>, yard: &Yard, ids: &[MergeRequestId]) -> Vec<String> {
    let mut warnings = Vec::new();
    let projects: BTreeSet<&ProjectPath> = ids.iter().map(|id| &id.project).collect();
    for project in projects {
        let of_project = ids.iter().filter(|id| id.project == *project);
        let of_project: Vec<MergeRequestId> = of_project.cloned().collect();
        match desk.of(project) {
            Ok(there) => warnings.extend(keep_there(&there, yard, &of_project)),
            Err(problem) => warnings.push(format!(
                "warning: the notes of `{project}` could not be kept: {}",
                problem.full_text()
            )),
        }
    }
    warnings
}

fn keep_there(desk: &Desk<'_>, yard: &Yard, ids: &[MergeRequestId]) -> Vec<String> {
    let mut warnings = Vec::new();
    for some in ids.chunks(TOLD_AT_ONCE) {
        let told: Vec<Told<'_>> = some.iter().filter_map(|id| known(desk, yard, id)).collect();
        if !told.is_empty() {
            warnings.extend(keep(
                desk,
                Keeping {
                    features: features_of(&told),
                    yard: Some(yard.clone()),
                    told,
                    board: None,
                },
            ));
        }
    }
    warnings
}

/// Keeps the notes of the features of change sets, and not those of their merge requests.
pub(super) fn keep_features(desk: &Desk<'_>, yard: &Yard, content: &[Appended]) -> Vec<String> {
    let links = content.iter().flat_map(|one| &one.change_set.links);
    let features = links.map(|link| link.feature.clone()).collect();
    keep(
        desk,
        Keeping {
            features,
            yard: Some(yard.clone()),
            ..Keeping::default()
        },
    )
}

/// Keeps the notes of change sets that went out as a hotfix, before their own version, and those of their features.
pub(super) fn keep_gone_out(desk: &Desk<'_>, out: &[(Appended, Stage)]) -> Vec<String> {
    let home = observe::features_project(desk);
    let told = out.iter().map(|(appended, stage)| {
        let body = report::note_landed(stage, appended, home);
        Told {
            iid: appended.change_set.merge_request.iid,
            head: appended.change_set.head.clone(),
            stage: stage.clone(),
            links: appended.change_set.links.clone(),
            links_since: None,
            body: Box::new(move |_: &Mark| body.clone()),
        }
    });
    let told: Vec<Told<'_>> = told.collect();
    if told.is_empty() {
        return Vec::new();
    }
    keep(
        desk,
        Keeping {
            features: features_of(&told),
            told,
            ..Keeping::default()
        },
    )
}

/// Keeps the notes of a change set that left the queue.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn keep_left(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    set: &ChangeSet,
    stage: Stage,
    body: String,
) -> Answer<Vec<String>> {
    let desk = &desk.of(&set.merge_request.project)?;
    let told = vec![Told {
        iid: set.merge_request.iid,
        head: set.head.clone(),
        stage,
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |_| body.clone()),
    }];
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(ledger.yard()?),
            told,
            board: None,
        },
    ))
}

/// Tells of change sets that left the queue when the job that took them out died before it could: their notes say still that
/// they wait or are tried.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn mend_left(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let mut gone: BTreeMap<&ProjectPath, BTreeMap<u64, &Left>> = BTreeMap::new();
    for (id, _, _, how) in yard.queue.left.iter().rev().take(LEFT_MENDED) {
        let newer = yard.queue.ticket(id).is_some() || yard.versions.holding(id).is_some();
        if !newer && *how != Left::Landed {
            gone.entry(&id.project)
                .or_default()
                .entry(id.iid)
                .or_insert(how);
        }
    }
    let mut warnings = Vec::new();
    for (project, gone) in gone {
        warnings.extend(mend_there(&desk.of(project)?, &yard, &gone)?);
    }
    Ok(warnings)
}

fn mend_there(desk: &Desk<'_>, yard: &Yard, gone: &BTreeMap<u64, &Left>) -> Answer<Vec<String>> {
    let targets = Targets {
        merge_requests: gone.keys().copied().collect(),
        ..Targets::default()
    };
    let board = desk.boards.board(&targets)?;
    let mut told: Vec<Told<'_>> = Vec::new();
    for (iid, on_board) in &board.merge_requests {
        let mark = note_of(on_board).and_then(|own| report::mark_of(&own.text));
        let mark = mark.filter(|mark| mark.stage.is_of_the_gate());
        let (Some(mark), Some(how)) = (mark, gone.get(iid)) else {
            continue;
        };
        let (stage, body) = match how {
            Left::Landed => continue,
            Left::Rejected { reason } => (mark.stage.rejected(), report::note_rejection(reason)),
            Left::Conflicted => (Stage::Conflicted, report::note_conflict()),
            Left::Withdrawn { reason } => (Stage::LeftQueue, report::note_withdrawn(reason)),
        };
        told.push(Told {
            iid: *iid,
            head: mark.head,
            stage,
            links: mark.links,
            links_since: None,
            body: Box::new(move |_| body.clone()),
        });
    }
    if told.is_empty() {
        return Ok(Vec::new());
    }
    Ok(keep(
        desk,
        Keeping {
            features: features_of(&told),
            yard: Some(yard.clone()),
            told,
            board: None,
        },
    ))
}

fn features_of(told: &[Told<'_>]) -> BTreeSet<FeatureId> {
    let links = told.iter().flat_map(|told| &told.links);
    links.map(|link| link.feature.clone()).collect()
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
