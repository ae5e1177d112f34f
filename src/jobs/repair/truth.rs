//! What GitLab knows of an environment: what landed on its branch since the newest tag, project by project.

use std::collections::BTreeMap;

use super::packages;
use crate::domain::ids::{CommitSha, ProjectPath, TrialId};
use crate::domain::repair::{Truth, in_order_of_landing};
use crate::domain::versioning::packages::Spread;
use crate::domain::versioning::{Appended, Number};
use crate::jobs::Desk;
use crate::jobs::nrt_lock::admit;
use crate::ports::{Answer, BroughtIn};
use crate::report;

/// A number, and the commit that it is the tag of.
type Tagged = (Number, CommitSha);

/// Numbers of versions come in pages of so many; where there are more, older ones are not listed.
const LISTED: usize = 100;

/// What landed since the newest tag, from merge requests, tags and the history of the target; and what could not be told.
///
/// # Errors
/// When the gate's own project cannot be asked. A member of a yard that cannot is left out, and named.
pub(in crate::jobs) fn truth(desk: &Desk<'_>) -> Answer<(Truth, Vec<String>)> {
    if !desk.config.versions.packages.is_empty() {
        return packages::truth(desk);
    }
    let tagged = desk
        .releases
        .numbers(&desk.config.versions.numbering.prefix)?;
    let line = of_this_branch(desk, &tagged)?;
    let mut truth = Truth {
        released: finals(&line).next().cloned(),
        releases: count(desk, &line)?,
        ..Truth::default()
    };
    let mut unsure = Vec::new();
    let mut landed = Vec::new();
    for (project, seen) in in_each(desk, |there| {
        Seen::of(there, desk, since_the_last_tag(there, desk, &line)?)
    })? {
        match seen {
            Ok(seen) => {
                truth.since.extend(seen.since);
                truth.has_landed |= seen.has_landed;
                landed.push(seen.landed);
                unsure.extend(seen.unsure);
            }
            Err(problem) => {
                unsure.push(report::member_unread(&project, &problem));
                truth.unread.insert(project);
            }
        }
    }
    truth.landed = in_order_of_landing(landed);
    Ok((truth, unsure))
}

/// Looks at each project that is served here. What goes wrong with the gate's own project is an error; what goes wrong with a member
/// hinders none of the others.
pub(super) fn in_each<T>(
    desk: &Desk<'_>,
    look: impl Fn(&Desk<'_>) -> Answer<T>,
) -> Answer<Vec<(ProjectPath, Answer<T>)>> {
    let Some(members) = desk.members else {
        return Ok(vec![(desk.ci.project.clone(), Ok(look(desk)?))]);
    };
    let look_there = |project: &ProjectPath| {
        let seen = members.desk(project).and_then(|there| look(&there));
        (project.clone(), seen)
    };
    Ok(members.projects().iter().map(look_there).collect())
}

/// The numbers of this branch's own past, highest first: another environment of the project may count in the same ones.
pub(super) fn of_this_branch(desk: &Desk<'_>, tagged: &[Tagged]) -> Answer<Vec<Tagged>> {
    // In a yard each environment has a prefix of its own.
    if desk.config.nrt.environments.is_empty() || desk.members.is_some() || tagged.is_empty() {
        return Ok(tagged.to_vec());
    }
    let past = desk.commits.brought_in(None, desk.branch())?;
    let holds = |commit: &CommitSha| past.iter().any(|one| one.commit == *commit);
    let of_past = tagged.iter().filter(|(_, commit)| holds(commit));
    Ok(of_past.cloned().collect())
}

pub(super) fn count(desk: &Desk<'_>, line: &[Tagged]) -> Answer<u64> {
    if line.len() < LISTED {
        return Ok(line.len() as u64);
    }
    let prefix = &desk.config.versions.numbering.prefix;
    desk.traces.numbered_tags(prefix)
}

pub(super) fn finals(line: &[Tagged]) -> impl Iterator<Item = &Tagged> {
    line.iter().filter(|(number, _)| !number.is_pre_release())
}

/// What one project tells.
pub(super) struct Seen {
    pub(super) since: Vec<CommitSha>,
    pub(super) landed: Vec<Appended>,
    pub(super) has_landed: bool,
    pub(super) unsure: Vec<String>,
}

impl Seen {
    /// What the gate landed among these commits.
    pub(super) fn of(desk: &Desk<'_>, gate: &Desk<'_>, history: Vec<BroughtIn>) -> Answer<Self> {
        let place: BTreeMap<_, _> = history
            .iter()
            .enumerate()
            .map(|(at, brought)| (&brought.commit, (at, brought.trial)))
            .collect();
        let merged = desk.traces.merged_by_gate(desk.branch())?;
        let mut unsure = Vec::new();
        if !merged.complete {
            unsure.push(report::too_many_merged(&desk.ci.project));
        }
        let has_landed = !merged.seen.is_empty();
        let mut landed = Vec::new();
        for merged in merged.seen {
            let Some((at, trial)) = place.get(&merged.landed) else {
                continue;
            };
            let id = &merged.merge_request.id;
            let change_set = admit::look(desk, id.iid)?.candidacy.change_set;
            if trial.is_none() {
                unsure.push(report::trial_unknown(id, &gate.ci.project));
            }
            let appended = Appended {
                change_set,
                landed: merged.landed.clone(),
                base: None,
                spread: Spread::default(),
                trial: trial.unwrap_or(TrialId(0)),
                at: merged.at,
            };
            landed.push((*at, appended));
        }
        landed.sort_by_key(|(at, _)| *at);
        Ok(Self {
            landed: landed.into_iter().map(|(_, appended)| appended).collect(),
            since: history.into_iter().map(|brought| brought.commit).collect(),
            has_landed,
            unsure,
        })
    }
}

/// The commits of the target since the newest final tag; `line` are the numbers of the gate's project, whose tags are the commit points of
/// releases. A member has a tag for each version that brought something of it; what else is
/// tagged there is no version of this gate.
fn since_the_last_tag(desk: &Desk<'_>, gate: &Desk<'_>, line: &[Tagged]) -> Answer<Vec<BroughtIn>> {
    let own;
    let here = if desk.ci.project == gate.ci.project {
        line
    } else {
        let prefix = &gate.config.versions.numbering.prefix;
        let released = |number: &Number| line.iter().any(|(other, _)| other == number);
        let mut tagged = desk.releases.numbers(prefix)?;
        tagged.retain(|(number, _)| released(number));
        own = tagged;
        &own
    };
    let last = finals(here).next().map(|(_, commit)| commit);
    desk.commits.brought_in(last, desk.branch())
}
