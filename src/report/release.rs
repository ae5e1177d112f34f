//! Versions and releases: numbers, notes, and what each step did.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::ids::CommitSha;
use crate::domain::versioning::{Appended, CloseRefusal, Number, Versions};
use crate::outcome::Outcome;

use super::plain;

/// Why a version cannot be closed.
pub fn close_refusals(reasons: &[CloseRefusal]) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| match reason {
            CloseRefusal::NothingToRelease => "nothing has landed since the last release; there is nothing to release".to_owned(),
            CloseRefusal::AlreadyClosing { number, by, since } => {
                let by = by.as_ref().map_or(String::new(), |by| format!(" by `{by}`"));
                format!("version {number} is being released since {since}{by}; let its pipeline finish, or abort it with `trainyard release abort`")
            }
            CloseRefusal::NumberNotAbove { asked, last } => format!("the number {asked} is not above the last one, {last}; choose a higher one"),
            CloseRefusal::NotOnBranch { commit } => {
                format!("the commit `{}` lacks a change set that landed before others it holds; release a newer commit of the branch", commit.short())
            }
            CloseRefusal::NotAReleaseManager { player } => {
                format!("`{player}` may not release: `versions.released_by` names the roles that may")
            }
            CloseRefusal::Frozen { reason } => format!("releases are frozen: {}", plain(reason)),
        })
        .collect()
}

/// A version that is prepared.
pub fn prepared(number: &Number, commit: &CommitSha, content: &[Appended], open: usize) -> Outcome {
    Outcome::open(format!("version {number} is closed at `{}` with {}", commit.short(), counted(content.len(), "change set")))
        .with(format!("the next version is open{}", if open == 0 { String::new() } else { format!(" and holds {} already", counted(open, "change set")) }))
        .with("deploy it now; `trainyard release publish` follows a deployment that succeeded, `trainyard release abort` one that failed")
}

/// The open version, and the one on its way.
pub fn version_now(versions: &Versions, next: &Number) -> String {
    let mut text = String::new();
    if let Some(closing) = &versions.closing {
        text.push_str(&format!(
            "Being released: {} at {} ({})\n",
            closing.number,
            closing.commit.short(),
            counted(closing.content.len(), "change set")
        ));
    }
    text.push_str(&format!(
        "Open: version #{}, would be {next} ({})\n",
        versions.open,
        counted(versions.content.len(), "change set")
    ));
    for appended in &versions.content {
        let set = &appended.change_set;
        text.push_str(&format!(
            "  {:<6} {} {} {}\n",
            set.merge_request.to_string(),
            appended.landed.short(),
            set.author,
            plain(&set.title)
        ));
    }
    if let Some(last) = versions.released.last() {
        text.push_str(&format!(
            "Last released: {} at {} ({})\n",
            last.number,
            last.commit.short(),
            last.at
        ));
    }
    text
}

/// The same for programs: `open`, `closing` and `released`, oldest first.
pub fn version_json(versions: &Versions, next: &Number) -> String {
    let closing = versions.closing.as_ref().map(|closing| {
        json!({"id": closing.id, "number": closing.number.version, "tag": closing.number.tag(), "commit": closing.commit, "since": closing.at, "change_sets": closing.content})
    });
    let released: Vec<_> = versions
        .released
        .iter()
        .map(|released| {
            json!({"id": released.id, "number": released.number.version, "tag": released.number.tag(), "commit": released.commit, "at": released.at, "change_sets": released.content})
        })
        .collect();
    let open = json!({"id": versions.open, "next_number": next.version, "next_tag": next.tag(), "change_sets": versions.content});
    format!(
        "{:#}",
        json!({"open": open, "closing": closing, "released": released})
    )
}

/// A version that a job released, with what is left to be done.
pub fn released(number: &Number, url: &str, pending: usize) -> String {
    format!("version {number} is released: {url}{}", left_over(pending))
}

/// A version that was released before, with what is left to be done.
pub fn released_before(number: &Number, at: Timestamp, pending: usize) -> String {
    if pending == 0 {
        return format!(
            "version {number} is out since {at}; what was left to do after its release is done now"
        );
    }
    format!("version {number} is out since {at}{}", left_over(pending))
}

fn left_over(pending: usize) -> String {
    match pending {
        0 => String::new(),
        1 => "; 1 notice pending, which a later job or a retry of this one gives".to_owned(),
        n => format!("; {n} notices pending, which a later job or a retry of this one gives"),
    }
}

/// So many features, in words.
pub fn count_features(count: usize) -> String {
    match count {
        0 => "no feature".to_owned(),
        n => counted(n, "feature"),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
