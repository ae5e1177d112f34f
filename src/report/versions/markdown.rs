//! The open version as Markdown.

use super::{LISTED, because};
use crate::domain::ids::ProjectPath;
use crate::domain::linking::LinkKind;
use crate::domain::validation::Decision;
use crate::domain::versioning::{Appended, Coming, Versions};
use crate::report::inert;
use crate::report::release::counted;

/// The open version as Markdown, for a page, a milestone or a wiki: nothing in it is a command, a mention or markup of others.
pub fn version_markdown(versions: &Versions, coming: &Coming, home: &ProjectPath) -> String {
    let mut text = being_released_markdown(versions);
    if versions.content.is_empty() {
        text.push_str("Nothing has landed in the open version yet.\n");
        return text;
    }
    text.push_str(&format!(
        "The open version would be **{}**: {}.\n\n",
        coming.chosen.number,
        because(&coming.chosen)
    ));
    text.push_str(&change_set_rows(&versions.content, home));
    text.push_str(&around_markdown(coming));
    text
}

/// The same as a paragraph of Markdown.
pub(in crate::report) fn being_released_markdown(versions: &Versions) -> String {
    versions
        .closing
        .as_ref()
        .map_or_else(String::new, |closing| {
            format!(
                "**{}** is being released at `{}` ({}).\n\n",
                closing.number,
                closing.commit.short(),
                counted(closing.content.len(), "change set")
            )
        })
}

/// What came around the gate, as a list of Markdown; nothing where nothing did, or nobody looked.
pub(in crate::report) fn around_markdown(coming: &Coming) -> String {
    let Some(found) = coming.comparison.as_ref().filter(|c| !c.around.is_empty()) else {
        return String::new();
    };
    let mut text = "\nCame around the gate, untested by it:\n\n".to_owned();
    for one in found.around.iter().take(LISTED) {
        text.push_str(&format!(
            "- `{}` {} by {}\n",
            one.commit.short(),
            inert(&one.subject),
            inert(&one.author)
        ));
    }
    if found.around.len() > LISTED {
        text.push_str(&format!("- and {} more\n", found.around.len() - LISTED));
    }
    text
}

/// A table of change sets.
pub(in crate::report) fn change_set_rows(content: &[Appended], home: &ProjectPath) -> String {
    let mut text = String::from(
        "| change set | title | by | features | validated by | trial | commit |\n|---|---|---|---|---|---|---|\n",
    );
    for appended in content {
        let set = &appended.change_set;
        let features: Vec<String> = set
            .links
            .iter()
            .map(|link| match link.kind {
                LinkKind::Closes => format!("closes {}", link.feature.seen_from(home)),
                LinkKind::Contributes => link.feature.seen_from(home),
            })
            .collect();
        let verdicts = set.verdicts.iter();
        let validators: Vec<String> = verdicts
            .filter(|verdict| verdict.decision == Decision::Validate)
            .map(|verdict| format!("`{}` ({})", verdict.by, verdict.role))
            .collect();
        text.push_str(&format!(
            "| {} | {} | `{}` | {} | {} | {} | `{}` |\n",
            set.merge_request.seen_from(home),
            inert(&set.title).replace('|', "\\|"),
            set.author,
            features.join(", "),
            validators.join(", "),
            appended.trial,
            appended.landed.short()
        ));
    }
    text
}
