//! `trainyard release prepare`: the content that the job's commit holds is frozen, and the next version is open.

use std::collections::BTreeSet;
use std::path::Path;

use super::by_tag::{self, ByTag};
use super::grounds::{Grounds, Wanted};
use super::permission::{Freezing, allowed};
use super::{hand_on, hand_on_nothing, members, notices, telling};
use crate::domain::digest::sha256;
use crate::domain::event::Fact;
use crate::domain::ids::CommitSha;
use crate::domain::repair;
use crate::domain::versioning::comparison::Comparison;
use crate::domain::versioning::numbers::Asked;
use crate::domain::versioning::{CloseRefusal, Closing, Closure, Coming, close};
use crate::files;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done};
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;
use crate::report;
use crate::signing::sign;

/// Where the jobs after this one find what they need.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    /// Number, tag and commit, for the deployment job.
    pub dotenv: &'a Path,
    /// What is frozen, for people and for ever.
    pub manifest: &'a Path,
    /// What is to be made of a version that holds nothing.
    pub nothing: Nothing,
}

/// What is made of a version that holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nothing {
    /// Whoever asked for a release should have looked.
    IsRefused,
    /// A schedule or a program asked; the jobs after this one are told that there is nothing for them to do.
    IsFine,
}

/// Freezes the content that the job's commit holds, and opens the next version.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub fn run(
    desk: &Desk<'_>,
    asked: &Asked,
    freezing: Freezing<'_>,
    files: Handover<'_>,
) -> Answer<Done> {
    // The deployment job cannot do without them: found out before anything is frozen.
    files::check_writable(files.dotenv)?;
    files::check_writable(files.manifest)?;
    if let Some(key) = &desk.ci.signing_key {
        sign(key, &[])?;
    }
    let ledger = Ledger::new(*desk);
    let player = desk.records.player()?;
    let by_tag = match by_tag::read(desk, &ledger.yard()?.versions, &player.name)? {
        ByTag::NoTag => None,
        ByTag::Of(number) => Some(number),
        ByTag::NothingToDo(words) => {
            hand_on_nothing(files.dotenv)?;
            return Ok(Done::saying(Outcome::open(words)));
        }
        ByTag::Refused(outcome) => return Ok(Done::saying(outcome)),
    };
    let of_the_tag = by_tag.as_ref().map(|number| Asked {
        version: Some(number.version.clone()),
        pre_release: None,
    });
    let asked = of_the_tag.as_ref().unwrap_or(asked);
    let through_freeze = match allowed(desk, &player.name, freezing)? {
        Ok(through_freeze) => through_freeze,
        Err(refusal) => return Ok(refused(&[refusal])),
    };
    let versions = ledger.yard()?.versions;
    if let Some(closing) = versions
        .closing
        .as_ref()
        .filter(|closing| closing.commit == desk.ci.commit)
        .filter(|closing| closing.number.package == desk.config.versions.numbering.package)
    {
        let outcome = Outcome::open(format!(
            "version {} is prepared at this commit already; nothing changed",
            closing.number
        ));
        return handed_over(desk, &ledger, closing, files, outcome);
    }
    let mut grounds = Grounds::gather_for(desk, &versions, Wanted::Certainty, by_tag.as_ref())?;
    let mended = mend(desk, &ledger, &grounds)?;
    if !mended.is_empty() {
        let versions = ledger.yard()?.versions;
        grounds = Grounds::gather_for(desk, &versions, Wanted::Certainty, by_tag.as_ref())?;
    }
    // A template of the notes that cannot be used is mended before anything is frozen.
    let now = grounds.coming(&ledger.yard()?.versions, asked);
    telling::look(
        desk,
        telling::Version::coming(&now, &desk.ci.commit),
        telling::Known::default(),
    )?;
    let mut coming = None;
    let closed = ledger.decide(|yard| {
        let now = grounds.coming(&yard.versions, asked);
        let around = now.comparison.as_ref().map(Comparison::all_around);
        let around = around.unwrap_or_default();
        let closure = Closure {
            project: &desk.ci.project,
            commit: &desk.ci.commit,
            number: &now.chosen.number,
            last: now.chosen.last.as_ref(),
            tagged: &grounds.tagged,
            around: &around,
            by: Some(&player.name),
            through_freeze: through_freeze.as_ref(),
        };
        let decision = match close(
            &yard.versions,
            &now.share,
            |one| grounds.holds(one),
            &closure,
        ) {
            Ok(facts) => Decision {
                facts,
                then: Ok(()),
            },
            Err(reasons) => Decision {
                facts: Vec::new(),
                then: Err(reasons),
            },
        };
        coming = Some(now);
        Ok(decision)
    })?;
    if let Err(reasons) = closed {
        let nothing = [CloseRefusal::NothingToRelease];
        if reasons == nothing && files.nothing == Nothing::IsFine {
            hand_on_nothing(files.dotenv)?;
            let words = report::close_refusals(&nothing).concat();
            return Ok(Done {
                outcome: Outcome::open(words),
                events: ledger.written(),
            });
        }
        return Ok(refused(&reasons));
    }
    let versions = ledger.yard()?.versions;
    let (Some(closing), Some(Coming { chosen, .. })) = (versions.closing, coming) else {
        return Err(Problem::bug("a version that was closed is not there"));
    };
    let outcome = report::prepared(&closing, &chosen, versions.content.len());
    let outcome = mended.into_iter().fold(outcome, Outcome::with);
    let outcome = match &through_freeze {
        Some(through) => outcome.with(report::through_freeze(through)),
        None => outcome,
    };
    handed_over(desk, &ledger, &closing, files, outcome)
}

/// Change sets that the gate landed, by the trailers of the commits, and that the log does not know: they are added from what GitLab
/// knows, before anything is frozen without them. A line for what was done.
fn mend(desk: &Desk<'_>, ledger: &Ledger<'_>, grounds: &Grounds) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let comparison = grounds
        .coming(&yard.versions, &Asked::default())
        .comparison
        .unwrap_or_default();
    if comparison.unknown.is_empty() {
        return Ok(Vec::new());
    }
    let (mut truth, unsure) = crate::jobs::repair::truth(desk)?;
    if desk.config.versions.package().is_some() {
        // What belongs to other packages alone may be out with them since long.
        let unknown = comparison.unknown.iter();
        let unknown: BTreeSet<&CommitSha> = unknown.map(|one| &one.commit).collect();
        truth.released = None;
        truth.landed.retain(|one| unknown.contains(&one.landed));
    }
    let facts: Vec<Fact> = repair::missing(&yard, &truth);
    ledger.record(&facts)?;
    let added = facts
        .iter()
        .filter(|fact| matches!(fact, Fact::ChangeSetAppended { .. }));
    Ok(report::version_mended(
        added.count(),
        comparison.unknown.len(),
        unsure,
    ))
}

/// Writes what the next jobs need, and tells the authors.
fn handed_over(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    closing: &Closing,
    files: Handover<'_>,
    outcome: Outcome,
) -> Answer<Done> {
    let outcome = leave_manifest(desk, closing, files.manifest, outcome)?;
    hand_on(files.dotenv, &closing.number, &closing.commit)?;
    members::leave_heads(desk, closing)?;
    let kept = notices::keep(desk, &ledger.yard()?, &closing.content);
    let outcome = kept.warnings.into_iter().fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: ledger.written(),
    })
}

fn leave_manifest(
    desk: &Desk<'_>,
    closing: &Closing,
    path: &Path,
    outcome: Outcome,
) -> Answer<Outcome> {
    let text = closing
        .manifest_of(&desk.ci.project)
        .text()
        .map_err(|error| Problem::bug("the manifest cannot be written").caused_by(error))?;
    let sum = sha256(&text);
    files::write_whole(path, &text)?;
    let mut signature = path.as_os_str().to_owned();
    signature.push(".sig");
    let signature = Path::new(&signature);
    let signed = match &desk.ci.signing_key {
        Some(key) => {
            files::write_whole(signature, &sign(key, text.as_bytes())?)?;
            Some(signature)
        }
        None => None,
    };
    let known = closing.manifest.as_ref();
    let outcome = outcome.with(report::manifest_left(path, &sum, signed));
    // Another release of the program may write the same content in other words.
    Ok(match known.filter(|known| **known != sum) {
        Some(known) => outcome.with(report::manifest_otherwise(known)),
        None => outcome,
    })
}

fn refused(reasons: &[CloseRefusal]) -> Done {
    let reasons = report::close_refusals(reasons);
    Done::saying(Outcome::refused("no version is closed", reasons))
}
