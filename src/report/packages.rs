//! The open version of a repository whose packages have versions of their own: what is in it, and what a release of each would bring.

use serde_json::{Value, json};

use super::release::counted;
use super::versions::{
    around_markdown, because, being_released, being_released_markdown, change_set_lines,
    change_set_rows, closing_json, commit_checks, commits_json, last_released, released_json,
};
use crate::domain::ids::{PackageName, ProjectPath};
use crate::domain::versioning::{Appended, Coming, Number, Released, Versions};

/// The open version, what of it each package would bring, and what is on its way, for a terminal.
pub fn packages_now(versions: &Versions, packages: &[Coming], home: &ProjectPath) -> String {
    let mut text = being_released(versions);
    text.push_str(&format!(
        "Open: version #{} ({})\n",
        versions.open,
        counted(versions.content.len(), "change set")
    ));
    for appended in &versions.content {
        text.push_str(&change_set_lines(appended, home));
        if let Some(out) = out_with(versions, appended) {
            text.push_str(&format!("         {out}\n"));
        }
    }
    for coming in packages {
        let number = &coming.chosen.number;
        if coming.share.is_empty() {
            text.push_str(&format!("{}: nothing to release\n", named(number)));
            continue;
        }
        text.push_str(&format!(
            "{}: would be {}, {} ({}: {})\n",
            named(number),
            number.version,
            because(&coming.chosen),
            counted(coming.share.len(), "change set"),
            list(&coming.share, home)
        ));
        for line in package_checks(coming) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    for last in newest(versions, packages) {
        text.push_str(&last_released(last));
    }
    text
}

/// The same as Markdown: nothing in it is a command, a mention or markup of others.
pub fn packages_markdown(versions: &Versions, packages: &[Coming], home: &ProjectPath) -> String {
    let mut text = being_released_markdown(versions);
    for coming in packages {
        let around = around_markdown(coming);
        if coming.share.is_empty() && around.is_empty() {
            continue;
        }
        let number = &coming.chosen.number;
        text.push_str(&format!("## {}\n\n", named(number)));
        if !coming.share.is_empty() {
            text.push_str(&format!(
                "It would be **{}**: {}.\n\n{}",
                number.version,
                because(&coming.chosen),
                change_set_rows(&coming.share, home)
            ));
        }
        text.push_str(&format!("{around}\n"));
    }
    if text.is_empty() {
        text.push_str("Nothing has landed in the open version yet.\n");
    }
    text
}

/// The same for programs: as for a repository without packages, but that `open.packages` has what each would be.
pub fn packages_json(versions: &Versions, packages: &[Coming]) -> String {
    let of = |coming: &Coming| {
        let number = &coming.chosen.number;
        let share = coming.share.iter();
        let named: Vec<_> = share.map(|one| &one.change_set.merge_request).collect();
        json!({
            "package": number.package,
            "next_number": number.version,
            "next_tag": number.tag(),
            "because": because(&coming.chosen),
            "change_sets": named,
            "held_by_this_commit": coming.content.len(),
            "commits": commits_json(coming),
        })
    };
    let packages: Vec<Value> = packages.iter().map(of).collect();
    format!(
        "{:#}",
        json!({
            "open": {"id": versions.open, "change_sets": versions.content, "packages": packages},
            "closing": closing_json(versions),
            "released": released_json(versions),
        })
    )
}

/// Whether the commits agree with the log, and what waits for a later commit or for other packages, line by line.
pub fn package_checks(coming: &Coming) -> Vec<String> {
    let mut lines = Vec::new();
    let shared = coming.content.iter();
    let shared = shared.filter(|one| !one.spread.awaits.is_empty()).count();
    if shared > 0 {
        lines.push(format!(
            "of other packages too, so that they stay in the open version for them: {}",
            counted(shared, "change set")
        ));
    }
    lines.extend(commit_checks(coming));
    lines
}

fn named(number: &Number) -> String {
    let package = number.package.as_ref();
    package.map_or_else(String::new, PackageName::to_string)
}

fn list(share: &[Appended], home: &ProjectPath) -> String {
    let names = share
        .iter()
        .map(|one| one.change_set.merge_request.seen_from(home));
    names.collect::<Vec<_>>().join(", ")
}

/// `out with api 1.4.0, still to come with web`.
fn out_with(versions: &Versions, appended: &Appended) -> Option<String> {
    if appended.spread.out.is_empty() {
        return None;
    }
    let out = versions.out_with(&appended.change_set.merge_request);
    let mut out: Vec<String> = out.map(|released| released.number.to_string()).collect();
    if out.is_empty() {
        out = appended
            .spread
            .out
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    let awaits: Vec<String> = appended
        .spread
        .awaits
        .iter()
        .map(ToString::to_string)
        .collect();
    let awaits = match awaits.is_empty() {
        true => String::new(),
        false => format!(", still to come with {}", awaits.join(", ")),
    };
    Some(format!("out with {}{awaits}", out.join(", ")))
}

/// The last version of each package.
fn newest<'a>(
    versions: &'a Versions,
    packages: &'a [Coming],
) -> impl Iterator<Item = &'a Released> {
    packages.iter().filter_map(|coming| {
        let package = coming.chosen.number.package.as_ref();
        versions.released_of(package).next_back()
    })
}
