//! Versions and releases: numbers, notes, and what each step did.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{FeatureId, ProjectPath, UserName};
use crate::domain::linking::Sight;
use crate::domain::validation::Decision;
use crate::domain::versioning::{Appended, Number, by_feature};

use super::inert;

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

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
