//! The open version for a terminal.

use super::{because, version_checks};
use crate::domain::ids::ProjectPath;
use crate::domain::linking::{Link, LinkKind};
use crate::domain::validation::Decision;
use crate::domain::versioning::{Appended, Coming, Released, Versions};
use crate::report::plain;
use crate::report::release::counted;

/// The open version, and the one on its way, for a terminal.
pub fn version_now(versions: &Versions, coming: &Coming, home: &ProjectPath) -> String {
    let mut text = being_released(versions);
    let what = if versions.content.is_empty() {
        "nothing has landed in it yet".to_owned()
    } else {
        format!(
            "would be {}, {}",
            coming.chosen.number,
            because(&coming.chosen)
        )
    };
    text.push_str(&format!(
        "Open: version #{}, {what} ({})\n",
        versions.open,
        counted(versions.content.len(), "change set")
    ));
    for appended in &versions.content {
        text.push_str(&change_set_lines(appended, home));
    }
    if !versions.content.is_empty() {
        for line in version_checks(coming) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(last) = versions.released.last() {
        text.push_str(&last_released(last));
    }
    text
}

/// A change set in two lines.
pub(in crate::report) fn change_set_lines(appended: &Appended, home: &ProjectPath) -> String {
    let set = &appended.change_set;
    format!(
        "  {:<6} {} {} {}\n         {}\n",
        set.merge_request.seen_from(home),
        appended.landed.short(),
        set.author,
        plain(&set.title),
        circumstances(appended, home)
    )
}

/// `closes #42; validated by paul (po), quentin (qa); trial 17; landed 2026-11-20T14:02:00Z`.
fn circumstances(appended: &Appended, home: &ProjectPath) -> String {
    let set = &appended.change_set;
    let named = |kind: LinkKind, verb: &str| {
        let of = |link: &&Link| link.kind == kind;
        let features = set.links.iter().filter(of);
        let names: Vec<String> = features.map(|l| l.feature.seen_from(home)).collect();
        (!names.is_empty()).then(|| format!("{verb} {}", names.join(", ")))
    };
    let validators: Vec<String> = set
        .verdicts
        .iter()
        .filter(|verdict| verdict.decision == Decision::Validate)
        .map(|verdict| format!("{} ({})", verdict.by, verdict.role))
        .collect();
    let validated =
        (!validators.is_empty()).then(|| format!("validated by {}", validators.join(", ")));
    let parts = [
        set.breaking.then(|| "breaks something".to_owned()),
        named(LinkKind::Closes, "closes"),
        named(LinkKind::Contributes, "contributes to"),
        validated,
        Some(format!("trial {}", appended.trial)),
        Some(format!("landed {}", appended.at)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

/// The version on its way, in a line for a terminal; nothing where there is none.
pub(in crate::report) fn being_released(versions: &Versions) -> String {
    versions
        .closing
        .as_ref()
        .map_or_else(String::new, |closing| {
            format!(
                "Being released: {} at {} ({})\n",
                closing.number,
                closing.commit.short(),
                counted(closing.content.len(), "change set")
            )
        })
}

/// A version that is out, in a line for a terminal.
pub(in crate::report) fn last_released(last: &Released) -> String {
    format!(
        "Last released: {} at {} ({})\n",
        last.number,
        last.commit.short(),
        last.at
    )
}
