//! What goes with a release after its tag: milestones, features, notes, labels, the changelog.
//!
//! Nothing here can fail a release any more: what cannot be done now is told, and gone on with later. Every step finds out
//! whether it was done.

use std::collections::BTreeMap;

use super::publish::PATIENCE;
use super::taking::{self, Took};
use super::{changelog, forward, merge_requests, telling};
use crate::config::publishing::Notices;
use crate::domain::event::Fact;
use crate::domain::ids::FeatureId;
use crate::domain::labelling::Stage;
use crate::domain::linking::Sight;
use crate::domain::versioning::{Appended, Number, Released};
use crate::domain::yard::Yard;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, labels, notes};
use crate::outcome::Outcome;
use crate::ports::{Answer, Milestone};
use crate::report;

/// How many change sets are told at once, and counted as one when that does not work.
const AT_ONCE: usize = 20;

/// What a job knows of a release already; the rest is looked up.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) sights: Option<BTreeMap<FeatureId, Sight>>,
    pub(super) milestones: Option<Vec<Milestone>>,
}

/// What was done after the tag.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// How many features are closed.
    pub(super) closed: usize,
    /// What was done, for the job's log.
    pub(super) lines: Vec<String>,
    /// What could not be done.
    pub(super) warnings: Vec<String>,
    /// How much is left for later.
    pub(super) pending: usize,
}

/// The notes that were kept, or not.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What could not be kept, in words.
    pub(super) warnings: Vec<String>,
    /// Of how many change sets.
    pub(super) pending: usize,
}

/// Records that a version is out, and does what goes with it. Where no notes are kept, so little is left that both are one entry: a
/// job that dies before it is run again, and finds each step done.
///
/// # Errors
/// When the log cannot be written.
pub(super) fn publish(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    out: &[Fact],
    found: Found,
) -> Answer<Finished> {
    match desk.config.versions.publishing.notices {
        Notices::All | Notices::Features => {
            ledger.record(out)?;
            Ok(finish(desk, ledger, found))
        }
        Notices::Nowhere => {
            let yard = ledger.with(out)?;
            let Some(released) = yard.versions.unannounced() else {
                return Ok(Finished::default());
            };
            let finished = all_but_the_entry(desk, &yard, released, found);
            let announced = (finished.pending == 0).then(|| announced(released));
            let facts: Vec<Fact> = out.iter().cloned().chain(announced).collect();
            ledger.record(&facts)?;
            Ok(finished)
        }
    }
}

/// Does what is left of the last release, as far as it can be done now.
pub(super) fn finish(desk: &Desk<'_>, ledger: &Ledger<'_>, found: Found) -> Finished {
    let yard = match ledger.yard() {
        Ok(yard) => yard,
        Err(problem) => {
            let mut finished = Finished::default();
            finished.left(1, &problem.full_text());
            return finished;
        }
    };
    let Some(released) = yard.versions.unannounced() else {
        return Finished::default();
    };
    let mut finished = all_but_the_entry(desk, &yard, released, found);
    if finished.pending == 0
        && let Err(problem) = ledger.record(&[announced(released)])
    {
        finished.left(1, &problem.full_text());
    }
    finished
}

fn announced(released: &Released) -> Fact {
    Fact::VersionAnnounced {
        version: released.id,
        number: released.number.clone(),
    }
}

fn all_but_the_entry(desk: &Desk<'_>, yard: &Yard, released: &Released, found: Found) -> Finished {
    let mut finished = Finished::default();
    // Whoever goes on with it need not be a job of its package.
    let config = desk.config.of_package(released.number.package.as_ref());
    let desk = &Desk {
        config: &config,
        ..*desk
    };
    close_milestones(desk, released, found.milestones, &mut finished);
    close_features(desk, released, found.sights, &mut finished);
    let released_for_good = released.content.iter();
    for appended in released_for_good.filter(|_| !released.number.is_pre_release()) {
        labels::show_change_set(desk, &appended.change_set, Stage::Released);
    }
    let kept = keep(desk, yard, &released.content);
    finished.pending += kept.pending;
    finished.warnings.extend(kept.warnings);
    forward::finish(desk, yard, released, &mut finished);
    changelog::write(desk, yard, released, &mut finished);
    finished
}

impl Finished {
    /// Something could not be done now.
    pub(super) fn left(&mut self, how_much: usize, why: &str) {
        self.pending += how_much;
        self.warnings.push(why.to_owned());
    }
}

/// The milestones of a version; a pre-release has none.
pub(super) fn milestones(desk: &Desk<'_>, number: &Number) -> Answer<Vec<Milestone>> {
    desk.milestones.milestones(&titles(desk, number))
}

/// The titles that they would have.
pub(super) fn titles(desk: &Desk<'_>, number: &Number) -> Vec<String> {
    if number.is_pre_release() {
        return Vec::new();
    }
    desk.config.versions.publishing.milestones(number)
}

fn close_milestones(
    desk: &Desk<'_>,
    released: &Released,
    found: Option<Vec<Milestone>>,
    finished: &mut Finished,
) {
    let look = || milestones(desk, &released.number);
    let milestones = match found.map_or_else(look, Ok) {
        Ok(milestones) => milestones,
        Err(problem) => return finished.left(1, &problem.full_text()),
    };
    for milestone in milestones.iter().filter(|one| one.open) {
        let title = report::plain(&milestone.title);
        match desk.milestones.close_milestone(milestone) {
            Ok(()) => finished.lines.push(format!("milestone `{title}` closed")),
            Err(problem) => finished.left(
                1,
                &format!(
                    "the milestone `{title}` is not closed: {}",
                    problem.full_text()
                ),
            ),
        }
    }
}

fn close_features(
    desk: &Desk<'_>,
    released: &Released,
    found: Option<BTreeMap<FeatureId, Sight>>,
    finished: &mut Finished,
) {
    let completed = telling::completed(&released.number, &released.content);
    let sights = match found.map_or_else(|| desk.features.sights(&completed), Ok) {
        Ok(sights) => sights,
        Err(problem) => return finished.left(completed.len(), &problem.full_text()),
    };
    let is_open = |id: &&FeatureId| {
        let seen = sights.get(*id).and_then(Sight::seen);
        seen.is_some_and(|feature| feature.open)
    };
    let open: Vec<FeatureId> = completed.iter().filter(is_open).cloned().collect();
    match desk.features.close(&open) {
        Ok(refused) => {
            finished.closed = completed.len() - refused.len();
            for (id, words) in refused {
                let seen = sights.get(&id).and_then(Sight::seen);
                let confidential = seen.is_some_and(|feature| feature.confidential);
                let name = if confidential {
                    "a confidential feature".to_owned()
                } else {
                    id.to_string()
                };
                finished.left(
                    1,
                    &format!("{name} is not closed: {}", report::plain(&words)),
                );
            }
        }
        Err(problem) => {
            finished.closed = completed.len() - open.len();
            finished.left(
                open.len(),
                &format!("features are not closed: {}", problem.full_text()),
            );
        }
    }
}

/// Keeps the notes of change sets and of their features as a state has them, as far as the project wants them.
pub(super) fn keep(desk: &Desk<'_>, yard: &Yard, content: &[Appended]) -> Kept {
    let mut kept = Kept::default();
    for some in content.chunks(AT_ONCE) {
        let warnings = match desk.config.versions.publishing.notices {
            Notices::All => notes::keep_as(desk, yard, &merge_requests(some)),
            Notices::Features => notes::keep_features(desk, yard, some),
            Notices::Nowhere => Vec::new(),
        };
        if !warnings.is_empty() {
            kept.pending += some.len();
            kept.warnings.extend(warnings);
        }
    }
    kept
}

/// Goes on with a release of which something is left to be done; costs nothing when there is none.
///
/// # Errors
/// When the log can be neither read nor written.
pub(in crate::jobs) fn go_on(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Option<Outcome>> {
    let yard = ledger.yard()?;
    let Some(released) = yard.versions.unannounced() else {
        return Ok(None);
    };
    let age = desk.clock.now().duration_since(released.at);
    if age >= PATIENCE || changelog::waits(desk, &yard, released) {
        return Ok(None);
    }
    match taking::take(desk, ledger, released.id, &released.number)? {
        Took::Ours { .. } => {}
        // It goes on with it itself.
        Took::Theirs(_) | Took::Over => return Ok(None),
    }
    let finished = finish(desk, ledger, Found::default());
    let outcome = Outcome::open(report::released_before(
        &released.number,
        released.at,
        finished.pending,
    ));
    let outcome = finished.lines.into_iter().fold(outcome, Outcome::with);
    Ok(Some(
        finished
            .warnings
            .into_iter()
            .fold(outcome, Outcome::warning),
    ))
}

/// The same before a trial is chosen: the one moment at which the target may move and nobody's trial is in vain.
pub(in crate::jobs) fn between_trials(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let outcome = go_on(desk, ledger)?;
    Ok(outcome.map_or(Vec::new(), |outcome| {
        let mut lines = vec![outcome.headline];
        lines.extend(outcome.details);
        lines
    }))
}
