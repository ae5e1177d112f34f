//! `trainyard release preview` and `trainyard version`: what the open version holds and would be. Neither writes anything.

use super::grounds::{Grounds, Wanted};
use super::{forward, notices, permission, telling};
use crate::domain::versioning::numbers::Asked;
use crate::domain::versioning::{CloseRefusal, Closure, Coming, Versions, close};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done};
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report::{self, Preview, Writes};

/// Shows number, checks and notes of what would be released now.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>, asked: &Asked) -> Answer<Done> {
    let preview = look(desk, asked)?;
    let Some(writes) = preview.writes else {
        return Ok(Done::saying(Outcome::refused(
            "there is nothing to release",
            report::close_refusals(&[CloseRefusal::NothingToRelease]),
        )));
    };
    let outcome = Outcome::open(report::would_be(&preview.coming.chosen));
    let checks = report::version_checks(&preview.coming);
    let refusals = report::close_refusals(&preview.refusals);
    let refusals = refusals
        .iter()
        .map(|why| format!("it would be refused now: {why}"));
    let outcome = checks
        .into_iter()
        .chain(refusals)
        .fold(outcome, Outcome::with);
    let outcome = match &preview.frozen {
        Some(frozen) => outcome.with(report::frozen_now(frozen)),
        None => outcome.with("releases are not frozen"),
    };
    let main = &desk.ci.default_branch;
    let forward = forward::standing(desk, &preview.versions)?;
    let forward = forward.map(|(number, forward)| report::forwarded(&number, &forward, main));
    let outcome = forward.into_iter().fold(outcome, Outcome::with);
    let outcome = outcome.with(report::would_write(
        &preview.coming,
        &desk.config.versions.environment,
    ));
    Ok(Done::saying(outcome.with(writes.written.text)))
}

/// The same for programs; whether a release would start.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn json(desk: &Desk<'_>, asked: &Asked) -> Answer<(String, bool)> {
    let preview = look(desk, asked)?;
    let environment = &desk.config.versions.environment;
    let text = report::preview_json(&preview, &desk.ci.commit, environment);
    Ok((text, preview.is_possible()))
}

/// Looks at everything that a release would look at.
fn look(desk: &Desk<'_>, asked: &Asked) -> Answer<Preview> {
    let versions = Ledger::new(*desk).yard()?.versions;
    let grounds = Grounds::gather(desk, &versions, Wanted::View)?;
    let coming = grounds.coming(&versions, asked);
    let number = &coming.chosen.number;
    let closure = Closure {
        project: &desk.ci.project,
        commit: &desk.ci.commit,
        number,
        last: coming.chosen.last.as_ref(),
        tagged: &grounds.tagged,
        around: &[],
        by: None,
        through_freeze: None,
    };
    // What would be refused if no other one were on its way is told too.
    let alone = Versions {
        closing: None,
        ..versions.clone()
    };
    let mut refusals: Vec<CloseRefusal> = Vec::new();
    for view in [&versions, &alone] {
        let reasons = close(view, &coming.share, |one| grounds.holds(one), &closure).err();
        for reason in reasons.into_iter().flatten() {
            if !refusals.contains(&reason) {
                refusals.push(reason);
            }
        }
    }
    let frozen = permission::frozen(desk)?;
    let mut writes = None;
    if !coming.content.is_empty() {
        let version = telling::Version::coming(&coming, &desk.ci.commit);
        let told = telling::look(desk, version, telling::Known::default())?;
        let publishing = &desk.config.versions.publishing;
        writes = Some(Writes {
            notes: told.notes,
            written: told.written,
            milestones: notices::milestones(desk, number)?,
            notices: publishing.notices,
            changelog: publishing.changelog.clone(),
        });
    }
    Ok(Preview {
        versions,
        coming,
        refusals,
        frozen,
        writes,
    })
}

/// What the open version would be if it were closed at the job's commit.
///
/// # Errors
/// When GitLab or git cannot be asked.
pub fn coming(desk: &Desk<'_>, versions: &Versions, asked: &Asked) -> Answer<Coming> {
    Ok(Grounds::gather(desk, versions, Wanted::View)?.coming(versions, asked))
}

/// What a release of each package would bring at the job's commit.
///
/// # Errors
/// When GitLab or git cannot be asked, or there is no clone.
pub fn by_package(desk: &Desk<'_>, versions: &Versions) -> Answer<Vec<Coming>> {
    let packages = desk.config.versions.all_packages().into_iter();
    let coming = packages.map(|package| {
        let config = desk.config.of_package(Some(&package.name));
        let desk = Desk {
            config: &config,
            ..*desk
        };
        coming(&desk, versions, &Asked::default())
    });
    coming.collect()
}
