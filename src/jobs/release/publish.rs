//! `trainyard release publish`: the version whose deployment succeeded gets its tag and its release, and people are told.
//!
//! The tag is the commit point. Everything before it can be given up, everything after it is gone on with: by a retry of the
//! job, by `tick`, or between two trials.

use jiff::SignedDuration;

use super::members;
use super::notices::{self, Finished};
use super::taking::{self, Took};
use super::telling::{self, Told, Version};
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, FeatureId};
use crate::domain::releasing::Prepared;
use crate::domain::versioning::{Closing, Released, Versions, by_feature};
use crate::jobs::archive;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done};
use crate::outcome::{Outcome, Pointer, SeeAlso};
use crate::ports::{
    Answer, Deployed, Deployment, DeploymentState, Draft, ExistingRelease, Milestone, Newest,
    Outset, Prospect,
};
use crate::report;

/// For how long what is left to do is gone on with.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Tags and publishes the version whose deployment succeeded.
///
/// # Errors
/// When GitLab cannot be asked before the tag is made, or the log cannot be written; a retry goes on where this stopped.
pub fn publish(desk: &Desk<'_>, prepared: &Prepared) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let versions = ledger.yard()?.versions;
    if let Some(refused) = of_another_pipeline(desk, prepared, &versions) {
        return Ok(Done::saying(refused));
    }
    let Some(closing) = versions.closing.clone() else {
        return after(desk, ledger, &versions);
    };
    let tag = closing.number.tag();
    let outset = outset(desk, &closing);
    let other = match &outset {
        Some(outset) => outset.tag.clone(),
        None => desk.releases.tag(&tag)?,
    };
    if let Some(other) = other.filter(|commit| *commit != closing.commit) {
        return Ok(Done::saying(tag_is_elsewhere(&tag, &other, &closing)));
    }
    if let Some(refused) = members::tagged_otherwise(desk, &closing)? {
        return Ok(Done::saying(refused));
    }
    let (mut known, mut milestones, mut newest) = (telling::Known::default(), None, None);
    if let Some(outset) = outset {
        known.sights = Some(outset.sights);
        known.open = outset.open;
        milestones = Some(outset.milestones);
        newest = Some(outset.deployment);
    }
    let told = telling::look(
        desk,
        Version {
            number: &closing.number,
            previous: versions
                .released_of(closing.number.package.as_ref())
                .next_back()
                .map(|last| &last.number),
            commit: &closing.commit,
            content: &closing.content,
            around: &closing.around,
        },
        known,
    )?;
    let milestones = match milestones {
        Some(milestones) => milestones,
        None => notices::milestones(desk, &closing.number)?,
    };
    match taking::take(desk, &ledger, closing.id, &closing.number)? {
        Took::Ours { inherited: false } => {}
        Took::Ours { inherited: true } => newest = None,
        Took::Theirs(taken) => {
            return Ok(Done::saying(taking::refused(desk, &closing.number, &taken)));
        }
        Took::Over => {
            let versions = ledger.yard()?.versions;
            return after(desk, ledger, &versions);
        }
    }
    let seen = Seen {
        told,
        milestones,
        deployment: newest,
    };
    release(desk, ledger, &closing, seen)
}

/// What was seen before it began.
struct Seen {
    told: Told,
    milestones: Vec<Milestone>,
    /// The newest deployment, if any, of the environment; none where nobody looked.
    deployment: Option<Option<Deployment>>,
}

/// All of it at once, where the version is of this project alone.
fn outset(desk: &Desk<'_>, closing: &Closing) -> Option<Outset> {
    let (features, _) = by_feature(&closing.content);
    let features: Vec<FeatureId> = features.into_iter().map(|(id, _)| id).collect();
    let home = &desk.ci.project;
    let changes = closing.content.iter().map(|one| &one.change_set);
    let own = changes
        .into_iter()
        .all(|one| one.merge_request.project == *home)
        && features.iter().all(|id| id.project == *home)
        && features.len() <= 100;
    let milestones = notices::titles(desk, &closing.number);
    let prospect = Prospect {
        tag: &closing.number.tag(),
        environment: &desk.config.versions.environment,
        features: &features,
        word: telling::LINK_WORD,
        milestones: &milestones,
    };
    own.then(|| desk.releases.outset(&prospect)).flatten()
}

/// Does it, once it is this job's to do.
fn release(desk: &Desk<'_>, ledger: Ledger<'_>, closing: &Closing, seen: Seen) -> Answer<Done> {
    let Seen {
        told,
        milestones,
        deployment,
    } = seen;
    let environment = &desk.config.versions.environment;
    let deployment = desk.releases.deployment(&Deployed {
        environment,
        commit: &closing.commit,
        branch: desk.branch_of_versions(),
        state: DeploymentState::Succeeded,
        since: closing.at,
        newest: match &deployment {
            Some(newest) => Newest::Seen(newest.as_ref()),
            None => Newest::NotLookedAt,
        },
    })?;
    let Told {
        notes,
        written,
        sights,
    } = told;
    let manifest = closing.manifest.as_deref();
    let message = report::tag_message(&notes, manifest, &desk.ci.project);
    let tag = closing.number.tag();
    let links = desk.config.versions.publishing.links.iter();
    let draft = Draft {
        tag: tag.clone(),
        commit: closing.commit.clone(),
        message: message.clone(),
        name: format!("Version {}", closing.number),
        notes: written.text,
        links: links
            .map(|link| (link.name.of(&closing.number), link.url.of(&closing.number)))
            .collect(),
        milestones: milestones.iter().map(|one| one.title.clone()).collect(),
    };
    let release = desk.releases.publish(&draft)?;
    let tagged = members::tag(desk, closing, &message)?;
    let completed = telling::completed(&closing.number, &closing.content);
    let facts = [
        Fact::VersionDeployed {
            version: closing.id,
            number: closing.number.clone(),
            environment: environment.clone(),
            deployment: Some(deployment),
        },
        Fact::VersionReleased {
            version: closing.id,
            number: closing.number.clone(),
            commit: closing.commit.clone(),
            features: completed.clone(),
        },
    ];
    tracing::info!(
        "`{tag}` is tagged and published; telling {} and {} merge requests",
        report::count_features(completed.len()),
        closing.content.len()
    );
    let found = notices::Found {
        sights: Some(sights),
        milestones: Some(milestones),
    };
    let finished = notices::publish(desk, &ledger, &facts, found)?;
    let archived = archive::after_release(desk, &ledger);
    let outcome = Outcome::open(report::released(
        &closing.number,
        &release.url,
        finished.pending,
    ))
    .with(format!("tag `{tag}` at `{}`", closing.commit.short()));
    let outcome = tagged
        .into_iter()
        .fold(outcome, Outcome::with)
        .with(format!(
            "{} completed and closed",
            report::count_features(finished.closed)
        ));
    let outcome = of_notes(outcome, &release, written.cut);
    let outcome = archived.into_iter().fold(outcome, Outcome::with);
    let outcome = said(outcome, finished)
        .more(draft.notes)
        .seeing([Pointer::new(
            SeeAlso::Releases,
            format!("Version {}", closing.number),
            &release.url,
        )]);
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// What is to be said of the notes, where they are not as they were written.
fn of_notes(outcome: Outcome, release: &ExistingRelease, cut: Option<usize>) -> Outcome {
    if release.notes_of_others {
        return outcome.with(
            "the release was there already, with other notes: they stay as they are, and ours are below",
        );
    }
    match cut {
        Some(characters) => outcome.warning(format!(
            "the notes are longer than GitLab keeps: {characters} characters were left out, with a link to everything that changed"
        )),
        None => outcome,
    }
}

fn said(outcome: Outcome, finished: Finished) -> Outcome {
    let outcome = finished.lines.into_iter().fold(outcome, Outcome::with);
    finished
        .warnings
        .into_iter()
        .fold(outcome, Outcome::warning)
}

/// No version is on its way: the last one may have something left to be done.
fn after(desk: &Desk<'_>, ledger: Ledger<'_>, versions: &Versions) -> Answer<Done> {
    let young = |released: &&Released| desk.clock.now().duration_since(released.at) < PATIENCE;
    let Some(released) = versions.unannounced().filter(young) else {
        return Ok(Done::saying(nothing_closing(versions, &desk.ci.commit)));
    };
    match taking::take(desk, &ledger, released.id, &released.number)? {
        Took::Ours { .. } => {}
        Took::Theirs(taken) => {
            return Ok(Done::saying(taking::refused(
                desk,
                &released.number,
                &taken,
            )));
        }
        Took::Over => {
            return Ok(Done::saying(nothing_closing(
                &ledger.yard()?.versions,
                &desk.ci.commit,
            )));
        }
    }
    let finished = notices::finish(desk, &ledger, notices::Found::default());
    let outcome = Outcome::open(report::released_before(
        &released.number,
        released.at,
        finished.pending,
    ));
    Ok(Done {
        outcome: said(outcome, finished),
        events: ledger.into_events(),
    })
}

/// That a pipeline has nothing to do with the version that is on its way.
pub(super) fn of_another_pipeline(
    desk: &Desk<'_>,
    prepared: &Prepared,
    versions: &Versions,
) -> Option<Outcome> {
    if *prepared == Prepared::NothingNew {
        return Some(Outcome::open(
            "there was nothing to release; nothing was changed",
        ));
    }
    let package = desk.config.versions.numbering.package.as_ref();
    let on_its_way = versions.closing.as_ref().map(|closing| &closing.number);
    let why = match (prepared, on_its_way) {
        (Prepared::Nothing, _) => {
            "this pipeline prepared no version; nothing was changed".to_owned()
        }
        (_, Some(other)) if other.package.as_ref() != package => format!(
            "this is a job of the package `{}`, and {other} is the version that is being released; nothing was changed",
            package.map_or("", |name| name.as_str())
        ),
        (Prepared::Version(own), Some(other)) if !prepared.is(other) => format!(
            "this pipeline prepared version {own}, and {other} is the one that is being released; nothing was changed"
        ),
        (Prepared::Version(_) | Prepared::NotTold | Prepared::NothingNew, _) => return None,
    };
    let next = "the job `release-prepare` of this pipeline says why; the pipeline that prepared the version goes on with it";
    Some(Outcome::refused(why, vec![next.to_owned()]))
}

fn tag_is_elsewhere(tag: &str, other: &CommitSha, closing: &Closing) -> Outcome {
    Outcome::refused(
        format!(
            "the tag `{tag}` exists at `{other}`, but the version is closed at `{}`",
            closing.commit
        ),
        vec![
            "delete the tag if it is wrong, or abort and prepare with another number (`--version`)"
                .to_owned(),
        ],
    )
}

/// What a step of a release says when no version is on its way.
pub(super) fn nothing_closing(versions: &Versions, commit: &CommitSha) -> Outcome {
    let failed = versions.failed.as_ref();
    if let Some(failed) = failed.filter(|failed| {
        failed.commit == *commit
            && versions
                .released
                .last()
                .is_none_or(|last| last.at < failed.at)
    }) {
        return Outcome::open(format!(
            "the release of version {} was given up at {}; nothing changed",
            failed.number, failed.at
        ));
    }
    let mut newest_first = versions.released.iter().rev();
    let of_commit = newest_first.find(|released| released.commit == *commit);
    match of_commit.or(versions.released.last()) {
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
