//! `trainyard release preview` and `trainyard version`: what the open version holds and would be. Neither writes anything.

use super::grounds::{Grounds, Wanted};
use super::{forward, permission, telling};
use crate::domain::versioning::numbers::Asked;
use crate::domain::versioning::{CloseRefusal, Coming, Versions};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done};
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report;

/// Shows number, checks and notes of what would be released now.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>, asked: &Asked) -> Answer<Done> {
    let versions = Ledger::new(*desk).yard()?.versions;
    let coming = coming(desk, &versions, asked)?;
    if coming.content.is_empty() {
        return Ok(Done::saying(Outcome::refused(
            "there is nothing to release",
            report::close_refusals(&[CloseRefusal::NothingToRelease]),
        )));
    }
    let told = telling::look(
        desk,
        telling::Version::coming(&coming, &desk.ci.commit),
        telling::Known::default(),
    )?;
    let outcome = Outcome::open(report::would_be(&coming.chosen));
    let checks = report::version_checks(&coming);
    let outcome = checks.into_iter().fold(outcome, Outcome::with);
    let outcome = match permission::frozen(desk)? {
        Some(frozen) => outcome.with(report::frozen_now(&frozen)),
        None => outcome.with("releases are not frozen"),
    };
    let forward = forward::standing(desk, &versions)?;
    let outcome = forward.into_iter().fold(outcome, Outcome::with);
    let outcome = outcome.with(report::would_write(
        &coming,
        &desk.config.versions.environment,
    ));
    Ok(Done::saying(outcome.with(told.written.text)))
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
