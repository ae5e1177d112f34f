//! Where a feature stands: its merge requests, what each of them waits for, and what a product owner reads first.
//!
//! Two sources agree here. The log of the yard is the truth for what queues, is tried, landed or is released. For everything
//! before that the mark counts that was left on the merge request with its head; a mark of another head tells nothing.

mod stage;
mod upkeep;

pub use stage::{Asked, Mark, Past, Stage};
pub use upkeep::{Edit, Own, Wanted, edits};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{FeatureId, MergeRequestId, PackageName, ProjectPath, UserName};
use super::integration::{MergeRequestState, Place};
use super::linking::LinkKind;
use super::validation::Criterion;
use super::versioning::Released;
use super::yard::Yard;

/// The most merge requests that one feature's progress tells by name; the rest is counted.
pub const MOST_ROWS: usize = 40;

/// What GitLab says of a merge request that names the feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub id: MergeRequestId,
    /// Who wrote it.
    pub author: UserName,
    /// What it does for the feature.
    pub kind: LinkKind,
    /// Open, closed or merged.
    pub state: MergeRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// What was marked on it, for the head that it has now.
    pub mark: Option<Mark>,
}

/// Where a merge request stands for somebody who reads the feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whereabouts {
    /// Its author says that it is not ready.
    Draft,
    /// Open, and nothing more is known.
    InReview,
    /// Closed without being merged.
    Closed,
    /// Merged, and not by the gate.
    MergedAround,
    /// At a stage.
    At(Stage),
}

/// One merge request of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its project, where it is not the feature's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectPath>,
    /// Its number.
    pub iid: u64,
    /// Who wrote it.
    pub author: UserName,
    /// What it does for the feature.
    pub kind: LinkKind,
    /// Where it stands.
    pub stands: Whereabouts,
    /// Since when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Everything that a feature's progress tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The feature.
    pub feature: FeatureId,
    /// Whether it can still be worked on.
    pub open: bool,
    /// Its acceptance criteria.
    pub criteria: Vec<Criterion>,
    /// Its merge requests by number.
    pub rows: Vec<Row>,
}

/// What the progress of a feature is put together from.
#[derive(Debug, Clone)]
pub struct ProgressFacts<'a> {
    /// The feature.
    pub feature: &'a FeatureId,
    /// The project of the merge requests that were looked at. Those of others are told by their own jobs, which know who may see them.
    pub home: &'a ProjectPath,
    /// Whether it can still be worked on.
    pub open: bool,
    /// Its acceptance criteria.
    pub criteria: Vec<Criterion>,
    /// The merge requests that were looked at, those included that do not name the feature (any more).
    pub looked_at: &'a [(MergeRequestId, Option<Member>)],
    /// Rows that were told before, for merge requests that were not looked at now.
    pub told: &'a [Row],
    /// The log, where the job has one.
    pub yard: Option<&'a Yard>,
}

/// Puts the progress of a feature together.
pub fn progress(facts: &ProgressFacts<'_>) -> Progress {
    let mut rows: Vec<Row> = Vec::new();
    for (_, member) in facts.looked_at {
        if let Some(member) = member {
            let mut own = facts.told.iter();
            let before = own.find(|row| row.id(facts.feature) == member.id);
            rows.push(row(facts.feature, member, before, facts.yard));
        }
    }
    let looked_at = |id: &MergeRequestId| facts.looked_at.iter().any(|(seen, _)| seen == id);
    for told in facts.told {
        let id = told.id(facts.feature);
        if looked_at(&id) {
            continue;
        }
        let now = facts
            .yard
            .and_then(|yard| in_yard(yard, &id, facts.feature));
        rows.push(match now {
            Some((_, _, stage, since)) => settled(told.clone(), stage, since),
            None => told.clone(),
        });
    }
    if let Some(yard) = facts.yard {
        let members = members_of(yard, facts.feature).into_iter();
        for id in members.filter(|id| id.project == *facts.home) {
            if rows.iter().all(|row| row.id(facts.feature) != id)
                && let Some((author, kind, stage, since)) = in_yard(yard, &id, facts.feature)
            {
                rows.push(Row {
                    project: away(facts.feature, &id),
                    iid: id.iid,
                    author,
                    kind,
                    stands: Whereabouts::At(stage),
                    since: Some(since),
                });
            }
        }
    }
    rows.sort_by_key(|row| (row.iid, row.project.clone()));
    rows.dedup_by_key(|row| (row.iid, row.project.clone()));
    Progress {
        feature: facts.feature.clone(),
        open: facts.open,
        criteria: facts.criteria.clone(),
        rows,
    }
}

impl Progress {
    /// The merge request that decides what a product owner reads first: the open one that closes the feature, lowest number
    /// first, else the last one that closed it.
    pub fn closing(&self) -> Option<&Row> {
        let closers = || {
            self.rows
                .iter()
                .filter(|row| row.kind == LinkKind::Closes && row.stands != Whereabouts::Closed)
        };
        closers()
            .find(|row| !row.is_done())
            .or(closers().next_back())
    }
}

/// The project of a merge request, where it is not the feature's own.
fn away(feature: &FeatureId, id: &MergeRequestId) -> Option<ProjectPath> {
    (id.project != feature.project).then(|| id.project.clone())
}

impl Row {
    /// The merge request, as one of this feature's.
    pub fn id(&self, feature: &FeatureId) -> MergeRequestId {
        let project = self.project.as_ref().unwrap_or(&feature.project);
        MergeRequestId {
            project: project.clone(),
            iid: self.iid,
        }
    }

    /// Whether nothing more happens to it before a release.
    pub fn is_done(&self) -> bool {
        match &self.stands {
            Whereabouts::Closed | Whereabouts::MergedAround => true,
            Whereabouts::Draft | Whereabouts::InReview => false,
            Whereabouts::At(stage) => stage.is_landed(),
        }
    }
}

/// The merge requests of a feature that the log knows of, newest first, no more than are told.
pub fn members_of(yard: &Yard, feature: &FeatureId) -> Vec<MergeRequestId> {
    let queued = yard.queue.tickets.iter().map(|ticket| &ticket.change_set);
    let landed = yard
        .versions
        .released
        .iter()
        .flat_map(|version| &version.content)
        .chain(yard.versions.closing.iter().flat_map(|v| &v.content))
        .chain(&yard.versions.content)
        .map(|appended| &appended.change_set)
        .rev();
    queued
        .chain(landed)
        .filter(|set| set.links.iter().any(|link| link.feature == *feature))
        .map(|set| set.merge_request.clone())
        .take(MOST_ROWS)
        .collect()
}

/// What the log says of a merge request that queues, is tried, or landed: whose it is, what it does, its stage, since when.
fn in_yard(
    yard: &Yard,
    id: &MergeRequestId,
    feature: &FeatureId,
) -> Option<(UserName, LinkKind, Stage, Timestamp)> {
    let (stage, since) = stage_in_yard(yard, id)?;
    let set = match yard.queue.ticket(id) {
        Some(ticket) => &ticket.change_set,
        None => &yard.versions.holding(id)?.1.change_set,
    };
    let link = set.links.iter().find(|link| link.feature == *feature)?;
    Some((set.author.clone(), link.kind, stage, since))
}

/// The stage that the log gives a merge request: it queues, is tried, or is in a version.
pub fn stage_in_yard(yard: &Yard, id: &MergeRequestId) -> Option<(Stage, Timestamp)> {
    if let Some(ticket) = yard.queue.ticket(id) {
        let started = |trial| {
            let current = yard.nrt.trial.as_ref().filter(|t| t.id == trial);
            current.map_or(ticket.queued_at, |trial| trial.started_at)
        };
        return Some(match &ticket.place {
            Place::Waiting => {
                let rank = yard.queue.rank(id).unwrap_or(1);
                let at = yard.last;
                (
                    Stage::Queued {
                        rank,
                        at,
                        landing: None,
                    },
                    ticket.queued_at,
                )
            }
            Place::InTrial(trial) => (Stage::InTrial { trial: *trial }, started(*trial)),
            Place::Merged { .. } => (Stage::Landing, ticket.queued_at),
        });
    }
    let (version, appended) = yard.versions.holding(id)?;
    if let Some(closing) = yard.versions.closing.as_ref().filter(|c| c.id == version) {
        let number = closing.number.to_string();
        return Some((Stage::Releasing { number }, closing.at));
    }
    // Of several packages, it may be out with some and in the open version for others.
    let of_packages = yard.versions.out_with(id).last();
    let released = yard.versions.released.iter().find(|r| r.id == version);
    if let Some(released) = released.or(of_packages) {
        let stage = Stage::InProduction {
            number: numbers_of(yard, id, released),
            environment: released.environment.clone(),
        };
        return Some((stage, released.at));
    }
    Some((Stage::Landed { version }, appended.at))
}

/// The versions that brought a change set: one, or one of each of its packages.
fn numbers_of(yard: &Yard, id: &MergeRequestId, last: &Released) -> String {
    let out = yard.versions.out_with(id);
    let mut numbers: Vec<String> = out.map(|released| released.number.to_string()).collect();
    if numbers.is_empty() {
        numbers.push(last.number.to_string());
    }
    let mut waits = yard.versions.content.iter();
    let waits = waits.find(|one| one.change_set.merge_request == *id);
    let awaited = waits.iter().flat_map(|one| &one.spread.awaits);
    let awaited: Vec<&str> = awaited.map(PackageName::as_str).collect();
    match awaited.is_empty() {
        true => numbers.join(", "),
        false => format!(
            "{}, to come with {}",
            numbers.join(", "),
            awaited.join(", ")
        ),
    }
}

fn row(feature: &FeatureId, member: &Member, before: Option<&Row>, yard: Option<&Yard>) -> Row {
    let mut row = Row {
        project: away(feature, &member.id),
        iid: member.id.iid,
        author: member.author.clone(),
        kind: member.kind,
        stands: Whereabouts::InReview,
        since: None,
    };
    if let Some((stage, since)) = yard.and_then(|yard| stage_in_yard(yard, &member.id)) {
        if let Some(before) = before {
            row.stands = before.stands.clone();
        }
        return settled(row, stage, since);
    }
    let mark = member.mark.as_ref();
    row.stands = match (member.state, mark) {
        (MergeRequestState::Closed, _) => Whereabouts::Closed,
        (MergeRequestState::Merged, Some(mark)) if mark.stage.is_landed() => {
            Whereabouts::At(mark.stage.clone())
        }
        // The job that merged it died before it could say so.
        (MergeRequestState::Merged, Some(mark)) if mark.stage.is_of_the_gate() => {
            Whereabouts::At(Stage::Landing)
        }
        (MergeRequestState::Merged, _) => Whereabouts::MergedAround,
        (MergeRequestState::Open, Some(mark)) if mark.stage.is_of_the_gate() => match yard {
            // The job that took it out of the queue died before it could say so.
            Some(_) => Whereabouts::At(Stage::LeftQueue),
            None => Whereabouts::At(mark.stage.clone()),
        },
        (MergeRequestState::Open, _) if member.draft => Whereabouts::Draft,
        (MergeRequestState::Open, Some(mark)) => Whereabouts::At(mark.stage.clone()),
        (MergeRequestState::Open, None) => Whereabouts::InReview,
    };
    if let (Whereabouts::At(_), Some(mark)) = (&row.stands, mark) {
        row.since = Some(mark.since);
    }
    row
}

/// The row at a stage of the log. A rank that has not changed keeps the instant at which it was told.
fn settled(mut row: Row, stage: Stage, since: Timestamp) -> Row {
    let stage = match &row.stands {
        Whereabouts::At(before) => stage.keeping_rank_of(before),
        Whereabouts::Draft
        | Whereabouts::InReview
        | Whereabouts::Closed
        | Whereabouts::MergedAround => stage,
    };
    row.stands = Whereabouts::At(stage);
    row.since = Some(since);
    row
}

#[cfg(test)]
mod tests;
