//! A withdrawn version in words.

use jiff::SignedDuration;

use super::{inert, plain};
use crate::domain::versioning::withdrawal::{WithdrawRefusal, Withdrawn};
use crate::domain::versioning::{Number, Released};

/// Why a version cannot be withdrawn.
pub fn withdraw_refusal(refusal: &WithdrawRefusal) -> String {
    match refusal {
        WithdrawRefusal::NothingReleased => "no version is out".to_owned(),
        WithdrawRefusal::NotInProduction { asked, last } => {
            format!("{asked} is not the version in production, which is {last}")
        }
        WithdrawRefusal::NothingBefore { number } => format!(
            "there is no version before {number} that could run again; release a mended one"
        ),
        WithdrawRefusal::Forgotten { number } => format!(
            "what {number} held is not remembered any more, because versions after it were withdrawn; release a mended one"
        ),
        WithdrawRefusal::Releasing { number } => format!(
            "version {number} is being released; let its pipeline finish, or abort it with `trainyard release abort`"
        ),
        WithdrawRefusal::NotAReleaseManager { player } => {
            format!("`{player}` may not: `versions.released_by` names the roles that may")
        }
    }
}

/// What withdrawing came to.
pub fn withdrawn(version: &Released, before: &Released, again: bool) -> String {
    let done = if again {
        "is withdrawn already"
    } else {
        "is withdrawn; its change sets are in the open version again"
    };
    format!(
        "version {} {done}; deploy {} of `{}` now",
        version.number,
        before.number,
        before.commit.short()
    )
}

/// The name of a withdrawn release, and what its notes begin with.
pub fn withdrawn_release(number: &Number, withdrawn: &Withdrawn) -> (String, String) {
    (
        format!("Version {number} (withdrawn)"),
        format!(
            "**Withdrawn** by `{}` on {}: {}",
            withdrawn.by,
            withdrawn.at.strftime("%Y-%m-%d"),
            inert(&withdrawn.reason)
        ),
    )
}

/// Production is well again.
pub fn recovered(running: &Released, environment: &str, after: SignedDuration) -> String {
    format!(
        "version {} runs in {} again, {} after the withdrawal",
        running.number,
        plain(environment),
        in_words(after)
    )
}

fn in_words(time: SignedDuration) -> String {
    match time.as_mins() {
        0 => "less than a minute".to_owned(),
        1 => "a minute".to_owned(),
        minutes @ ..=119 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}
