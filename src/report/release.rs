//! Versions and releases: numbers, notes, and what each step did.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::domain::ids::{CommitSha, FeatureId, ProjectPath, UserName};
use crate::domain::linking::Sight;
use crate::domain::validation::Decision;
use crate::domain::versioning::{Appended, CloseRefusal, Number, Versions, by_feature};
use crate::outcome::Outcome;

use super::{inert, plain};

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

/// The notes of a version, by feature: what it brings, by which merge requests, by whom, and who validated it.
pub fn release_notes(
    number: &Number,
    content: &[Appended],
    sights: &BTreeMap<FeatureId, Sight>,
    home: &ProjectPath,
) -> String {
    let (features, without) = by_feature(content);
    let mut text = String::new();
    let section = |heading: &str, completed: bool, text: &mut String| {
        let chosen: Vec<_> = features
            .iter()
            .filter(|(_, brought)| brought.completed == completed)
            .collect();
        if chosen.is_empty() {
            return;
        }
        text.push_str(&format!("## {heading}\n\n"));
        for (id, brought) in chosen {
            let title = match sights.get(id).and_then(Sight::seen) {
                Some(feature) if feature.confidential => "a confidential feature".to_owned(),
                Some(feature) => format!("{} ({})", inert(&feature.title), id.seen_from(home)),
                None => id.seen_from(home),
            };
            text.push_str(&format!("- **{title}**\n"));
            for appended in &brought.change_sets {
                let set = &appended.change_set;
                text.push_str(&format!(
                    "  - {} {} by `{}`\n",
                    set.merge_request.seen_from(home),
                    inert(&set.title),
                    set.author
                ));
            }
            let verdicts: BTreeSet<(String, String)> = brought
                .change_sets
                .iter()
                .flat_map(|appended| &appended.change_set.verdicts)
                .filter(|verdict| verdict.decision == Decision::Validate)
                .map(|verdict| (verdict.role.to_string(), verdict.by.to_string()))
                .collect();
            if completed && !verdicts.is_empty() {
                let list: Vec<String> = verdicts
                    .iter()
                    .map(|(role, by)| format!("`{by}` ({role})"))
                    .collect();
                text.push_str(&format!("  - validated by {}\n", list.join(", ")));
            }
        }
        text.push('\n');
    };
    section("Features", true, &mut text);
    section("Work on features to come", false, &mut text);
    if !without.is_empty() {
        text.push_str("## Other changes\n\n");
        for appended in without {
            let set = &appended.change_set;
            text.push_str(&format!(
                "- {} {} by `{}`\n",
                set.merge_request.seen_from(home),
                inert(&set.title),
                set.author
            ));
        }
        text.push('\n');
    }
    let people: BTreeSet<&UserName> = content
        .iter()
        .map(|appended| &appended.change_set.author)
        .collect();
    let people: Vec<String> = people.into_iter().map(|name| format!("`{name}`")).collect();
    let trials: BTreeSet<u64> = content.iter().map(|appended| appended.trial.0).collect();
    text.push_str(&format!(
        "Version {number}: {} by {}, each validated in the non-regression environment ({}).\n",
        counted(content.len(), "change set"),
        people.join(", "),
        counted(trials.len(), "trial")
    ));
    text
}

/// The message of the tag.
pub fn tag_message(number: &Number, content: &[Appended], home: &ProjectPath) -> String {
    let (features, _) = by_feature(content);
    let done: Vec<String> = features
        .iter()
        .filter(|(_, b)| b.completed)
        .map(|(id, _)| id.seen_from(home))
        .collect();
    let brings = if done.is_empty() {
        String::new()
    } else {
        format!("\n\nFeatures: {}", done.join(", "))
    };
    format!(
        "Version {number}: {}{brings}",
        counted(content.len(), "change set")
    )
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

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
