//! Closing a version: why it cannot be, and what it did.

use std::path::Path;

use super::{around_lines, because};
use crate::domain::versioning::numbers::Chosen;
use crate::domain::versioning::{CloseRefusal, Closing, Frozen, ThroughFreeze};
use crate::outcome::Outcome;
use crate::report::plain;
use crate::report::release::counted;

/// Why a version cannot be closed.
pub fn close_refusals(reasons: &[CloseRefusal]) -> Vec<String> {
    let told = reasons.iter().map(|reason| match reason {
        CloseRefusal::NothingToRelease => "nothing has landed since the last release; there is nothing to release".to_owned(),
        CloseRefusal::NothingNew { number } => format!("nothing has landed since {number}, which is of this very commit; release it without `--pre` to make it final"),
        CloseRefusal::AlreadyClosing { number, by, since } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(" by `{by}`"));
            format!("version {number} is being released since {since}{by}; let its pipeline finish, or abort it with `trainyard release abort`")
        }
        CloseRefusal::NumberNotAbove { asked, last } => format!("the number {asked} is not above the last one, {last}; choose a higher one"),
        CloseRefusal::NumberTaken { asked, commit } => {
            format!("the tag `{}` exists already, at `{}`; choose another number with `--version`", asked.tag(), commit.short())
        }
        CloseRefusal::NotOnBranch { commit, lacks } => {
            format!("the commit `{}` lacks {lacks}, which landed before others it holds; release a newer commit of the branch. If somebody took it off the branch by force, `trainyard repair` tells what is missing", commit.short())
        }
        CloseRefusal::NotAReleaseManager { player } => {
            format!("`{player}` may not release: `versions.released_by` names the roles that may")
        }
        CloseRefusal::Frozen(frozen) => format!(
            "releases are frozen{}; what must go out all the same does with `--through-freeze` and a reason",
            freeze_in_words(frozen)
        ),
        CloseRefusal::NotThroughFreezes { player, frozen } => format!(
            "releases are frozen{}, and `{player}` may not release all the same: `versions.through_freezes_by` names the roles that may",
            freeze_in_words(frozen)
        ),
    });
    told.collect()
}

fn freeze_in_words(frozen: &Frozen) -> String {
    let until = frozen
        .until
        .map_or(String::new(), |until| format!(" until {until}"));
    format!("{until}: {}", plain(&frozen.why))
}

/// A freeze that is in force.
pub fn frozen_now(frozen: &Frozen) -> String {
    format!("releases are frozen{}", freeze_in_words(frozen))
}

/// A release in spite of a freeze.
pub fn through_freeze(through: &ThroughFreeze) -> String {
    format!(
        "it goes through a freeze ({}), because: {}",
        plain(&through.freeze),
        plain(&through.reason)
    )
}

/// A version that is prepared.
pub fn prepared(closing: &Closing, chosen: &Chosen, open: usize) -> Outcome {
    let content = counted(closing.content.len(), "change set");
    let outcome = Outcome::open(format!(
        "version {} is closed at `{}` with {content}",
        closing.number,
        closing.commit.short()
    ))
    .with(format!("its number: {}", because(chosen)));
    let outcome = if closing.around.is_empty() {
        outcome
    } else {
        let count = counted(closing.around.len(), "commit");
        let told = format!("{count} came around the gate, untested by it; the notes say so");
        let lines = around_lines(&closing.around).into_iter();
        lines.fold(outcome.with(told), Outcome::with)
    };
    let holds = match open {
        0 => String::new(),
        n => format!(" and holds {} already", counted(n, "change set")),
    };
    outcome
        .with(format!("the next version is open{holds}"))
        .with("deploy it now; `trainyard release publish` follows a deployment that succeeded, `trainyard release abort` one that failed")
}

/// What was put right before a version was closed.
pub fn version_mended(added: usize, unknown: usize, unsure: Vec<String>) -> Vec<String> {
    let told = format!(
        "the log did not know {} that the gate landed: {} added from what GitLab knows",
        counted(unknown, "commit"),
        counted(added, "change set")
    );
    [told].into_iter().chain(unsure).collect()
}

/// Where the manifest is.
pub fn manifest_left(path: &Path, sum: &str, signature: Option<&Path>) -> String {
    let signed = signature.map_or_else(
        || "not signed: `TRAINYARD_SIGNING_KEY` is not set".to_owned(),
        |path| format!("signed by `{}`", path.display()),
    );
    format!("manifest `{}`, SHA-256 {sum}, {signed}", path.display())
}

/// A manifest that is not the one the log knows.
pub fn manifest_otherwise(known: &str) -> String {
    format!(
        "the log knows this version's manifest by another checksum, {known}: it was closed by another release of trainyard"
    )
}
