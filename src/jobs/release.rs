//! `trainyard release prepare | publish | abort | preview`: the open version goes to production.
//!
//! `prepare` freezes content and commit and opens the next version at once; the project deploys; `publish` tags, which is the
//! commit point, and everything after it can be done again by a plain retry; `abort` gives the content back.

pub mod grounds;
pub mod members;
pub mod permission;
pub mod prepare;
pub mod preview;

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::{Desk, Done, notes, observe};
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId, UserName};
use crate::domain::labelling::Stage;
use crate::domain::versioning::{Appended, Closing, Number, Versions, by_feature};
use crate::outcome::{Outcome, Pointer, SeeAlso};
use crate::ports::{Answer, DeploymentState};
use crate::report;

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
