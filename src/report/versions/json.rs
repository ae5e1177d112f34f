//! The open version for programs.

use serde_json::{Value, json};

use super::because;
use crate::domain::versioning::{Coming, Number, Versions};
use crate::report::hotfix::{Forward, forward_json};

/// The same for programs: `open`, `closing` and `released`, oldest first.
pub fn version_json(
    versions: &Versions,
    coming: &Coming,
    forward: Option<&(Number, Forward)>,
) -> String {
    let open = json!({
        "id": versions.open,
        "next_number": coming.chosen.number.version,
        "next_tag": coming.chosen.number.tag(),
        "because": because(&coming.chosen),
        "change_sets": versions.content,
        "held_by_this_commit": coming.content.len(),
        "commits": commits_json(coming),
    });
    format!(
        "{:#}",
        json!({
            "open": open, "closing": closing_json(versions), "released": released_json(versions),
            "forward": forward.map(|(number, forward)| forward_json(number, forward)),
        })
    )
}

/// The version on its way; null where there is none.
pub(in crate::report) fn closing_json(versions: &Versions) -> Value {
    versions.closing.as_ref().map_or(Value::Null, |closing| {
        json!({
            "id": closing.id,
            "package": closing.number.package,
            "number": closing.number.version,
            "tag": closing.number.tag(),
            "commit": closing.commit,
            "since": closing.at,
            "by": closing.by,
            "manifest_sha256": closing.manifest,
            "change_sets": closing.content,
            "around_the_gate": closing.around,
        })
    })
}

/// Released versions, oldest first.
pub(in crate::report) fn released_json(versions: &Versions) -> Value {
    let released = versions.released.iter().map(|released| {
        json!({
            "id": released.id,
            "package": released.number.package,
            "number": released.number.version,
            "tag": released.number.tag(),
            "commit": released.commit,
            "at": released.at,
            "change_sets": released.content,
        })
    });
    released.collect()
}

/// How the commits compare; null where they could not be read.
pub(in crate::report) fn commits_json(coming: &Coming) -> Value {
    coming.comparison.as_ref().map_or(Value::Null, |found| {
        json!({
            "around_the_gate": found.around,
            "not_in_the_log": found.unknown,
            "not_in_the_commits": found.absent,
        })
    })
}
