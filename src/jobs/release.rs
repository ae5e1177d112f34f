//! `trainyard release prepare | publish | abort | preview`: the open version goes to production.
//!
//! `prepare` freezes content and commit and opens the next version at once; the project deploys; `publish` tags, which is the
//! commit point, and everything after it can be done again by a plain retry; `abort` gives the content back.

pub mod members;

use std::collections::BTreeSet;
use std::path::Path;

use super::ledger::{Decision, Ledger};
use super::{Desk, Done, archive, notes, observe};
use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId, UserName};
use crate::domain::labelling::Stage;
use crate::domain::versioning::{
    Appended, CloseRefusal, Closing, Number, Versions, by_feature, close, next_number,
};
use crate::files;
use crate::outcome::{Outcome, Pointer, Problem, SeeAlso};
use crate::ports::{Answer, DeploymentState};
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
    let (number, _) = next(desk, &versions, asked)?;
    let brings = release_notes(desk, &number, &versions.content)?;
    Ok(Done::saying(
        Outcome::open(format!("the open version would be {number}")).with(brings),
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
        let warnings = notes::keep_all(desk, &ledger, &merge_requests(&closing.content))?;
        return Ok(Done::saying(
            warnings.into_iter().fold(outcome, Outcome::with),
        ));
    }
    let (number, last) = next(desk, &versions, asked)?;
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
    let warnings = notes::keep_all(desk, &ledger, &merge_requests(&closing.content))?;
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// Tags and publishes the version whose deployment succeeded.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written; a retry goes on where this stopped.
pub fn publish(desk: &Desk<'_>) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let versions = ledger.yard()?.versions;
    let Some(closing) = versions.closing else {
        return Ok(Done::saying(nothing_closing(&versions, &desk.ci.commit)));
    };
    let branch = desk.branch();
    let tag = closing.number.tag();
    if let Some(other) = desk
        .releases
        .tag(&tag)?
        .filter(|commit| *commit != closing.commit)
    {
        return Ok(Done::saying(Outcome::refused(
            format!("the tag `{tag}` exists at `{other}`, but the version is closed at `{}`", closing.commit),
            vec!["delete the tag if it is wrong, or abort and prepare with another number (`--version`)".to_owned()],
        )));
    }
    if let Some(refused) = members::tagged_otherwise(desk, &closing)? {
        return Ok(Done::saying(refused));
    }
    let environment = &desk.config.versions.environment;
    if !closing.deployed {
        let deployment = desk.releases.record_deployment(
            environment,
            &closing.commit,
            branch,
            DeploymentState::Succeeded,
        )?;
        ledger.record(&[Fact::VersionDeployed {
            version: closing.id,
            number: closing.number.clone(),
            environment: environment.clone(),
            deployment: Some(deployment),
        }])?;
    }
    let brings = release_notes(desk, &closing.number, &closing.content)?;
    let message = report::tag_message(&closing.number, &closing.content, &desk.ci.project);
    desk.releases.create_tag(&tag, &closing.commit, &message)?;
    let tagged = members::tag(desk, &closing, &message)?;
    let release = desk
        .releases
        .publish(&tag, &format!("Version {}", closing.number), &brings)?;
    let completed = completed(&closing);
    tracing::info!(
        "`{tag}` is tagged and published; telling {} and {} merge requests",
        count_features(&completed),
        closing.content.len()
    );
    for feature in &completed {
        desk.features.close(feature)?;
    }
    for appended in &closing.content {
        super::labels::show_change_set(desk, &appended.change_set, Stage::Released);
    }
    let released = [Fact::VersionReleased {
        version: closing.id,
        number: closing.number.clone(),
        commit: closing.commit.clone(),
        features: completed.clone(),
    }];
    // People are told before it is recorded: a job that dies in between is run again, and does both.
    let warnings = notes::keep_as(
        desk,
        &ledger.with(&released)?,
        &merge_requests(&closing.content),
    );
    ledger.record(&released)?;
    let outcome = Outcome::open(format!(
        "version {} is released: {}",
        closing.number, release.url
    ))
    .with(format!("tag `{tag}` at `{}`", closing.commit.short()));
    let outcome = tagged
        .into_iter()
        .fold(outcome, Outcome::with)
        .with(format!(
            "{} completed and closed",
            count_features(&completed)
        ))
        .more(brings)
        .seeing([Pointer::new(
            SeeAlso::Releases,
            format!("Version {}", closing.number),
            &release.url,
        )]);
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    let outcome = archive::after_release(desk, &ledger)
        .into_iter()
        .fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// Gives the content of a version whose deployment failed back to the open one.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn abort(desk: &Desk<'_>, reason: &str) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let versions = ledger.yard()?.versions;
    let Some(closing) = versions.closing else {
        return Ok(Done::saying(nothing_closing(&versions, &desk.ci.commit)));
    };
    let tag = closing.number.tag();
    if desk.releases.tag(&tag)?.is_some() {
        return Ok(Done::saying(Outcome::refused(
            format!(
                "version {} is tagged (`{tag}`), so it cannot be aborted any more",
                closing.number
            ),
            vec!["run `trainyard release publish` to finish it".to_owned()],
        )));
    }
    let failed = [Fact::ReleaseFailed {
        version: closing.id,
        number: closing.number.clone(),
        reason: reason.chars().take(500).collect(),
    }];
    let warnings = notes::keep_as(
        desk,
        &ledger.with(&failed)?,
        &merge_requests(&closing.content),
    );
    ledger.record(&failed)?;
    let branch = desk.branch();
    desk.releases.record_deployment(
        &desk.config.versions.environment,
        &closing.commit,
        branch,
        DeploymentState::Failed,
    )?;
    super::tell::alert_all(desk, &ledger)?;
    let outcome = Outcome::open(format!(
        "the release of version {} is aborted: {}",
        closing.number,
        report::plain(reason)
    ))
    .with("its change sets are in the open version again, in their order");
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

/// What a version brings to its end.
fn completed(closing: &Closing) -> Vec<FeatureId> {
    let (features, _) = by_feature(&closing.content);
    features
        .into_iter()
        .filter(|(_, brought)| brought.completed)
        .map(|(id, _)| id)
        .collect()
}

fn release_notes(desk: &Desk<'_>, number: &Number, content: &[Appended]) -> Answer<String> {
    let (features, _) = by_feature(content);
    let ids: Vec<FeatureId> = features.into_iter().map(|(id, _)| id).collect();
    let sights = desk.features.sights(&ids)?;
    Ok(report::release_notes(
        number,
        content,
        &sights,
        &desk.ci.project,
    ))
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

fn nothing_closing(versions: &Versions, commit: &CommitSha) -> Outcome {
    match versions
        .released
        .iter()
        .rev()
        .find(|released| released.commit == *commit)
        .or(versions.released.last())
    {
        Some(last) => Outcome::open(format!(
            "no version is being released; the last one, {}, is out since {}; nothing changed",
            last.number, last.at
        )),
        None => Outcome::refused(
            "no version is being released",
            vec!["run `trainyard release prepare` first".to_owned()],
        ),
    }
}

fn count_features(features: &[FeatureId]) -> String {
    match features.len() {
        0 => "no feature".to_owned(),
        1 => "1 feature".to_owned(),
        n => format!("{n} features"),
    }
}

/// Values for the project's deployment job; only characters that a dotenv report can carry.
fn write_dotenv(path: &Path, closing: &Closing) -> Answer<()> {
    let values = Dotenv::default()
        .with(Name::Version, &closing.number)?
        .with(Name::Tag, closing.number.tag())?
        .with(Name::Commit, &closing.commit)?;
    files::write_whole(path, &values.to_string())
}
