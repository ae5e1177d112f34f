//! The open version in a place where people look: the description of its milestone, or of an issue. Off unless the project wants it; it
//! never fails a job.

use std::collections::BTreeSet;

use super::preview;
use crate::config::publishing::Board;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::FeatureId;
use crate::domain::linking::Sight;
use crate::domain::versioning::numbers::Asked;
use crate::domain::versioning::{Appended, Versions};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done};
use crate::ports::{Answer, Pinned};
use crate::report::{self, BrokenMarks};

/// After a job that changed what a version holds.
pub fn after(desk: &Desk<'_>, done: Done) -> Done {
    if done.events.iter().any(changes_a_version) {
        at_tick(desk, done)
    } else {
        done
    }
}

/// At every tick: whatever an earlier job could not do.
pub fn at_tick(desk: &Desk<'_>, mut done: Done) -> Done {
    let Some(board) = desk.config.versions.publishing.board else {
        return done;
    };
    match keep(desk, board) {
        Ok(kept) => {
            done.outcome = kept
                .lines
                .into_iter()
                .fold(done.outcome, crate::outcome::Outcome::with);
            let warnings = kept.warnings.into_iter();
            done.outcome = warnings.fold(done.outcome, crate::outcome::Outcome::warning);
        }
        Err(problem) => {
            let words = format!(
                "the open version is not shown where `versions.board` says: {}",
                problem.full_text()
            );
            done.outcome = done.outcome.warning(words);
        }
    }
    done
}

fn changes_a_version(event: &Event) -> bool {
    matches!(
        event.fact,
        Fact::ChangeSetAppended { .. }
            | Fact::VersionOpened { .. }
            | Fact::VersionClosed { .. }
            | Fact::VersionReleased { .. }
            | Fact::VersionWithdrawn { .. }
            | Fact::ReleaseFailed { .. }
            | Fact::StateRepaired { .. }
    )
}

#[derive(Default)]
struct Kept {
    lines: Vec<String>,
    warnings: Vec<String>,
}

fn keep(desk: &Desk<'_>, board: Board) -> Answer<Kept> {
    let mut versions = Ledger::new(*desk).yard()?.versions;
    if !desk.config.versions.packages.is_empty() {
        return of_packages(desk, board, &versions);
    }
    let mut coming = preview::coming(desk, &versions, &Asked::default())?;
    // Most jobs have no clone: what only one of them sees would come and go.
    coming.comparison = None;
    hide_confidential(desk, &mut [&mut versions.content])?;
    let text = report::version_markdown(&versions, &coming, &desk.ci.project);
    let mut kept = Kept::default();
    // Read last of all, so that whatever people wrote a moment ago is in it.
    match board {
        Board::Issue(iid) => put_on_issue(desk, iid, &text, &mut kept)?,
        Board::Milestone => {
            let closing = versions.closing.as_ref().map(|closing| &closing.number);
            let number = closing.unwrap_or(&coming.chosen.number);
            let titles = desk.config.versions.publishing.milestones(number);
            let found = desk.pins.milestones_with(report::MARK, &titles)?;
            let is_wanted = |one: &&Pinned| one.open && titles.contains(&one.title);
            let wanted = found.iter().find(is_wanted);
            for other in &found {
                if wanted.is_none_or(|wanted| wanted.place != other.place) {
                    take_away(desk, other, &mut kept)?;
                }
            }
            match wanted {
                Some(wanted) => put(desk, wanted, &text, &mut kept)?,
                None if versions.content.is_empty() && versions.closing.is_none() => {}
                None => kept.warnings.push(format!(
                    "the open version is not shown: no open milestone of the project is called {}; make one (Plan > Milestones), and the next job shows it there",
                    titles.iter().map(|title| format!("`{}`", report::plain(title))).collect::<Vec<_>>().join(" or ")
                )),
            }
        }
    }
    Ok(kept)
}

/// Each package has a version of its own. Which of them a change set belongs to takes a clone: a job without one leaves it to the next.
fn of_packages(desk: &Desk<'_>, board: Board, versions: &Versions) -> Answer<Kept> {
    let mut kept = Kept::default();
    let Board::Issue(iid) = board else {
        kept.warnings.push("`versions.board: milestone` shows one version, and packages have several: name an issue instead, such as `'#12'`".to_owned());
        return Ok(kept);
    };
    let mut packages = match preview::by_package(desk, versions) {
        Ok(packages) => packages,
        Err(problem) => {
            tracing::info!("packages are not shown now: {}", problem.full_text());
            return Ok(kept);
        }
    };
    let mut shares: Vec<_> = packages.iter_mut().map(|one| &mut one.share).collect();
    hide_confidential(desk, &mut shares)?;
    let text = report::packages_markdown(versions, &packages, &desk.ci.project);
    put_on_issue(desk, iid, &text, &mut kept)?;
    Ok(kept)
}

fn put_on_issue(desk: &Desk<'_>, iid: u64, text: &str, kept: &mut Kept) -> Answer<()> {
    match desk.pins.issue(iid)? {
        Some(pinned) => put(desk, &pinned, text, kept),
        None => {
            kept.warnings.push(format!(
                "`versions.board` names the issue #{iid}, and there is none that the gate's user may see"
            ));
            Ok(())
        }
    }
}

/// Whoever reads a milestone need not be allowed to read every feature.
fn hide_confidential(desk: &Desk<'_>, lists: &mut [&mut Vec<Appended>]) -> Answer<()> {
    let all = lists.iter().flat_map(|list| list.iter());
    let features: BTreeSet<FeatureId> = all
        .flat_map(|appended| &appended.change_set.links)
        .map(|link| link.feature.clone())
        .collect();
    if features.is_empty() {
        return Ok(());
    }
    let features: Vec<FeatureId> = features.into_iter().collect();
    let sights = desk.features.sights(&features)?;
    // What cannot be seen at all may be confidential too.
    let may_be_told = |id: &FeatureId| {
        let seen = sights.get(id).and_then(Sight::seen);
        seen.is_some_and(|feature| !feature.confidential)
    };
    for appended in lists.iter_mut().flat_map(|list| list.iter_mut()) {
        let links = &mut appended.change_set.links;
        links.retain(|link| may_be_told(&link.feature));
    }
    Ok(())
}

fn put(desk: &Desk<'_>, pinned: &Pinned, text: &str, kept: &mut Kept) -> Answer<()> {
    let changed = report::pin(&pinned.text, &desk.config.nrt.environment, text);
    write(desk, pinned, changed, "shows the open version", kept)
}

fn take_away(desk: &Desk<'_>, pinned: &Pinned, kept: &mut Kept) -> Answer<()> {
    let changed = report::unpin(&pinned.text, &desk.config.nrt.environment);
    let what = "shows the open version no longer";
    write(desk, pinned, changed, what, kept)
}

fn write(
    desk: &Desk<'_>,
    pinned: &Pinned,
    changed: Result<Option<String>, BrokenMarks>,
    what: &str,
    kept: &mut Kept,
) -> Answer<()> {
    let place = report::plain(&pinned.name());
    match changed {
        Ok(None) => {}
        Ok(Some(text)) => {
            desk.pins.describe(pinned, &text)?;
            kept.lines.push(format!("{place} {what}"));
        }
        Err(BrokenMarks::NotAPair) => {
            let environment = &desk.config.nrt.environment;
            kept.warnings
                .push(report::marks_are_broken(&place, environment));
        }
    }
    Ok(())
}
