//! `trainyard release prepare | publish | abort | preview`: the open version goes to production.
//!
//! `prepare` freezes content and commit and opens the next version at once; the project deploys; `publish` tags, which is the
//! commit point, and everything after it can be done again by a plain retry; `abort` gives the content back.

mod abort;
mod changelog;
pub mod members;
mod notices;
mod publish;
mod taking;
mod telling;

pub use abort::abort;
pub(super) use notices::{between_trials, go_on};
pub use publish::publish;

use std::collections::BTreeSet;
use std::path::Path;

use super::ledger::{Decision, Ledger};
use super::{Desk, Done, observe};
use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::ids::{CommitSha, MergeRequestId, UserName};
use crate::domain::versioning::{
    Appended, CloseRefusal, Closing, Number, Versions, close, next_number,
};
use crate::files;
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;
use crate::report;

/// The number that the open version would get.
///
/// # Errors
/// When the tags cannot be read.
pub fn next(
    desk: &Desk<'_>,
    versions: &Versions,
    asked: Option<semver::Version>,
) -> Answer<(Number, Option<Number>)> {
    let numbering = &desk.config.versions.numbering;
    let tagged = desk.releases.numbers(&numbering.prefix)?;
    let last = last_of_this_branch(desk, &tagged)?;
    let number = match asked {
        Some(version) => Number {
            version,
            prefix: numbering.prefix.clone(),
        },
        None => {
            let next = next_number(last.as_ref(), &versions.content, numbering);
            next.beside(tagged.iter().map(|(number, _)| number))
        }
    };
    Ok((number, last))
}

/// The last number. With an environment for each of several branches, each branch counts on from its own.
fn last_of_this_branch(desk: &Desk<'_>, tagged: &[(Number, CommitSha)]) -> Answer<Option<Number>> {
    let one_branch = desk.config.nrt.environments.is_empty() || desk.config.is_yard();
    for (number, commit) in tagged {
        if one_branch || desk.commits.is_ancestor(commit, &desk.ci.commit)? {
            return Ok(Some(number.clone()));
        }
    }
    Ok(None)
}

/// Shows number and notes of what would be released now. Writes nothing.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn preview(desk: &Desk<'_>, asked: Option<semver::Version>) -> Answer<Done> {
    let versions = Ledger::new(*desk).yard()?.versions;
    if versions.content.is_empty() {
        return Ok(Done::saying(Outcome::refused(
            "there is nothing to release",
            report::close_refusals(&[CloseRefusal::NothingToRelease]),
        )));
    }
    let (number, last) = next(desk, &versions, asked)?;
    let told = telling::look(
        desk,
        telling::Version {
            number: &number,
            previous: last.as_ref(),
            commit: &desk.ci.commit,
            content: &versions.content,
        },
    )?;
    Ok(Done::saying(
        Outcome::open(format!("the open version would be {number}")).with(told.written.text),
    ))
}

/// Freezes the content that the job's commit holds, and opens the next version.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub fn prepare(desk: &Desk<'_>, asked: Option<semver::Version>, dotenv: &Path) -> Answer<Done> {
    // The deployment job cannot do without it: found out before anything is frozen.
    files::check_writable(dotenv)?;
    let ledger = Ledger::new(*desk);
    let player = desk.records.player()?;
    let frozen = desk
        .config
        .versions
        .frozen
        .clone()
        .map(|reason| CloseRefusal::Frozen { reason });
    if let Some(refusal) = not_a_manager(desk, &player.name)?.or(frozen) {
        return Ok(Done::saying(Outcome::refused(
            "no version is closed",
            report::close_refusals(&[refusal]),
        )));
    }
    let versions = ledger.yard()?.versions;
    let commit = &desk.ci.commit;
    if let Some(closing) = versions
        .closing
        .as_ref()
        .filter(|closing| closing.commit == *commit)
    {
        write_dotenv(dotenv, closing)?;
        members::leave_heads(desk, closing)?;
        let outcome = Outcome::open(format!(
            "version {} is prepared at this commit already; nothing changed",
            closing.number
        ));
        let warnings = notices::keep(desk, &ledger.yard()?, &closing.content).warnings;
        return Ok(Done::saying(
            warnings.into_iter().fold(outcome, Outcome::with),
        ));
    }
    let (number, last) = next(desk, &versions, asked)?;
    // A template that cannot be used is mended before anything is frozen.
    telling::look(
        desk,
        telling::Version {
            number: &number,
            previous: last.as_ref(),
            commit,
            content: &versions.content,
        },
    )?;
    let held = members::held(desk, &versions)?;
    let closed = ledger.decide(|yard| {
        let holds = |appended: &Appended| held.contains(&appended.landed);
        Ok(
            match close(
                &yard.versions,
                holds,
                commit,
                number.clone(),
                last.as_ref(),
                Some(player.name.clone()),
            ) {
                Ok(facts) => Decision {
                    facts,
                    then: Ok(()),
                },
                Err(reasons) => Decision {
                    facts: Vec::new(),
                    then: Err(reasons),
                },
            },
        )
    })?;
    if let Err(reasons) = closed {
        return Ok(Done::saying(Outcome::refused(
            "no version is closed",
            report::close_refusals(&reasons),
        )));
    }
    let versions = ledger.yard()?.versions;
    let closing = versions
        .closing
        .ok_or_else(|| Problem::bug("a version that was closed is not there"))?;
    write_dotenv(dotenv, &closing)?;
    members::leave_heads(desk, &closing)?;
    let outcome = report::prepared(
        &closing.number,
        &closing.commit,
        &closing.content,
        versions.content.len(),
    );
    let warnings = notices::keep(desk, &ledger.yard()?, &closing.content).warnings;
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

fn merge_requests(content: &[Appended]) -> Vec<MergeRequestId> {
    content
        .iter()
        .map(|appended| appended.change_set.merge_request.clone())
        .collect()
}

/// Who looks after a release: whoever closed the version, or else the people who may release.
pub(super) fn people(desk: &Desk<'_>, closed_by: Option<&UserName>) -> Answer<BTreeSet<UserName>> {
    match closed_by {
        Some(person) => Ok(BTreeSet::from([person.clone()])),
        None => Ok(observe::holders(desk, &desk.config.versions.released_by)?
            .into_values()
            .flatten()
            .collect()),
    }
}

/// Who may release is the project's decision; GitLab's protection of the branch comes on top.
fn not_a_manager(desk: &Desk<'_>, player: &UserName) -> Answer<Option<CloseRefusal>> {
    let roles = &desk.config.versions.released_by;
    if roles.is_empty() {
        return Ok(None);
    }
    let holders = observe::holders(desk, roles)?;
    let may = holders.values().any(|people| people.contains(player));
    Ok((!may).then(|| CloseRefusal::NotAReleaseManager {
        player: player.clone(),
    }))
}

/// Values for the project's deployment job; only characters that a dotenv report can carry.
fn write_dotenv(path: &Path, closing: &Closing) -> Answer<()> {
    let values = Dotenv::default()
        .with(Name::Version, &closing.number)?
        .with(Name::Tag, closing.number.tag())?
        .with(Name::Commit, &closing.commit)?;
    files::write_whole(path, &values.to_string())
}
