//! The notes of a version as people read them: on GitLab's page of the release, in the tag's message, in the changelog.

mod template;

use jiff::Timestamp;
use minijinja::Value;

use crate::domain::ids::{ProjectPath, UserName};
use crate::domain::linking::LinkKind;
use crate::domain::release_notes::{Brought, Change, ReleaseNotes, Shown, StillOpen};
use crate::domain::versioning::comparison::Around;
use crate::outcome::Problem;

use super::release::counted;
use super::{inert, plain};

/// The notes of a project that has no template of its own; itself an example of one.
const DEFAULT: &str = include_str!("release_notes/default.md.jinja");
/// The most characters that GitLab keeps of a release's description (`Gitlab::Database::MAX_TEXT_SIZE_LIMIT`).
const MOST_NOTES: usize = 1_000_000;
/// The most characters of a tag's message; git has no limit, but whoever lists tags reads them all.
const MOST_MESSAGE: usize = 30_000;

/// A template of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where it is.
    pub path: String,
    /// Its text.
    pub source: String,
}

/// The notes as text, as GitLab can keep them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Markdown.
    pub text: String,
    /// How many characters had to be left out, if any.
    pub cut: Option<usize>,
}

/// Writes the notes by the project's template, or by ours. `all` is where everything can be seen that had to be left out.
///
/// # Errors
/// When the template cannot be used: its line, and what is wrong with it.
pub fn release_notes(
    notes: &ReleaseNotes,
    own: Option<&Template>,
    home: &ProjectPath,
    all: &str,
) -> Result<Written, Problem> {
    let (path, source) = own.map_or(("default", DEFAULT), |own| (&own.path, &own.source));
    if source.len() > template::MOST_SOURCE {
        return Err(Problem::misconfigured(
            format!(
                "the template `{path}` of the release notes has {} bytes, and at most {} are read",
                source.len(),
                template::MOST_SOURCE
            ),
            "make it shorter on the target branch",
        ));
    }
    let text = template::fill(source, values(notes, home))
        .map_err(|error| template::broken(path, source, &error))?;
    Ok(bounded(text.trim(), MOST_NOTES, all))
}

/// The message of the tag: the notes as plain text, and what identifies the content: the checksum of the manifest, where there is one.
pub fn tag_message(notes: &ReleaseNotes, manifest: Option<&str>, home: &ProjectPath) -> String {
    let mut lines = vec![format!("Version {}", notes.number), String::new()];
    for (heading, completed) in [("Features:", true), ("Work on features to come:", false)] {
        let of = notes
            .features
            .iter()
            .filter(|one| one.completed == completed);
        let of: Vec<&Brought> = of.filter(|one| one.shown != Shown::Confidential).collect();
        if !of.is_empty() {
            lines.push(heading.to_owned());
            for feature in of {
                let title = match &feature.shown {
                    Shown::Whole { title, .. } => {
                        format!("{} ({})", plain(title), feature.id.seen_from(home))
                    }
                    Shown::Number | Shown::Confidential => feature.id.seen_from(home),
                };
                let by: Vec<String> = feature
                    .changes
                    .iter()
                    .map(|change| change.merge_request.seen_from(home))
                    .collect();
                lines.push(format!("- {title}: {}", by.join(", ")));
            }
            lines.push(String::new());
        }
    }
    if !notes.others.is_empty() {
        lines.push("Other changes:".to_owned());
        for change in &notes.others {
            lines.push(format!(
                "- {}: {}",
                plain(&change.title),
                change.merge_request.seen_from(home)
            ));
        }
        lines.push(String::new());
    }
    let mut end = format!("Trainyard-Version: {}", notes.number);
    if let Some(checksum) = manifest {
        end.push_str(&format!("\nTrainyard-Manifest: sha256:{checksum}"));
    }
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if text.len() + line.len() > MOST_MESSAGE {
            text.push_str(&format!("... and {} more lines\n\n", lines.len() - index));
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text + &end
}

/// What a version is called in a changelog, to be found again.
fn changelog_heading(notes: &ReleaseNotes) -> String {
    format!("## [{}]", notes.number)
}

/// A changelog with this version at its top, below what introduces it; nothing when it is there already.
pub fn changelog(
    before: &str,
    notes: &ReleaseNotes,
    home: &ProjectPath,
    url: &str,
) -> Option<String> {
    let heading = changelog_heading(notes);
    if before.lines().any(|line| line.starts_with(&heading)) {
        return None;
    }
    let mut section = format!("{heading}({url}) - {}\n\n", day(notes.at));
    for feature in notes.features.iter().filter(|feature| feature.completed) {
        section.push_str(&format!(
            "- {}{}\n",
            name_of(feature, home),
            by(&feature.changes, home)
        ));
    }
    for feature in notes.features.iter().filter(|feature| !feature.completed) {
        section.push_str(&format!(
            "- Work on {}{}\n",
            name_of(feature, home),
            by(&feature.changes, home)
        ));
    }
    for change in &notes.others {
        section.push_str(&format!(
            "- {}{}\n",
            inert(&change.title),
            by(std::slice::from_ref(change), home)
        ));
    }
    let before = if before.trim().is_empty() {
        "# Changelog\n"
    } else {
        before
    };
    let at = first_section(before);
    let (top, rest) = before.split_at(at);
    let top = top.trim_end();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("\n{rest}")
    };
    Some(format!("{top}\n\n{section}{rest}"))
}

/// Where the first section of a changelog begins: its first heading of the second level that is no "Unreleased".
fn first_section(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let title = line.strip_prefix("## ").map(|title| title.to_lowercase());
        if title.is_some_and(|title| !title.contains("unreleased")) {
            return at;
        }
        at += line.len();
    }
    text.len()
}

fn by(changes: &[Change], home: &ProjectPath) -> String {
    let ids: Vec<String> = changes
        .iter()
        .map(|change| change.merge_request.seen_from(home))
        .collect();
    let breaking = if changes.iter().any(|change| change.breaking) {
        ", breaking"
    } else {
        ""
    };
    format!(" ({}{breaking})", ids.join(", "))
}

fn name_of(feature: &Brought, home: &ProjectPath) -> String {
    match &feature.shown {
        Shown::Whole { title, .. } => format!("{} ({})", inert(title), feature.id.seen_from(home)),
        Shown::Number => feature.id.seen_from(home),
        Shown::Confidential => "a confidential feature".to_owned(),
    }
}

/// A text that is not longer than GitLab keeps, cut at the end of a line, which it says then.
fn bounded(text: &str, most: usize, all: &str) -> Written {
    let length = text.chars().count();
    if length <= most {
        return Written {
            text: text.to_owned(),
            cut: None,
        };
    }
    let end = format!(
        "\n\nThese notes are longer than GitLab keeps; the rest is left out. [Everything that changed]({all})"
    );
    let kept: String = text.chars().take(most - end.chars().count()).collect();
    let kept = kept
        .rsplit_once('\n')
        .map_or(kept.as_str(), |(whole, _)| whole);
    Written {
        text: format!("{kept}{end}"),
        cut: Some(length - kept.chars().count()),
    }
}

/// Everything that a template may use; `docs/releases.md` lists it.
fn values(notes: &ReleaseNotes, home: &ProjectPath) -> Value {
    let features = |completed: bool| -> Value {
        let chosen = notes
            .features
            .iter()
            .filter(|one| one.completed == completed);
        chosen.map(|feature| feature_value(feature, home)).collect()
    };
    let contributors: Value = notes.contributors.iter().map(user).collect();
    let others: Value = notes
        .others
        .iter()
        .map(|one| change_value(one, home))
        .collect();
    let around: Value = notes.around.iter().map(around_value).collect();
    Value::from_pairs([
        ("version", safe(notes.number.version.to_string())),
        (
            "package",
            optional(
                notes
                    .number
                    .package
                    .as_ref()
                    .map(|name| safe(name.to_string())),
            ),
        ),
        ("tag", safe(notes.number.tag())),
        (
            "previous",
            optional(notes.previous.as_ref().map(|number| safe(number.tag()))),
        ),
        ("commit", safe(notes.commit.short().to_owned())),
        ("date", safe(day(notes.at))),
        ("completed", features(true)),
        ("begun", features(false)),
        ("others", others),
        ("around", around),
        ("contributors", contributors),
        ("change_sets", Value::from(notes.change_sets())),
        ("trials", Value::from(notes.trials)),
        ("counted", safe(counted(notes.change_sets(), "change set"))),
        ("counted_trials", safe(counted(notes.trials, "trial"))),
    ])
}

fn feature_value(feature: &Brought, home: &ProjectPath) -> Value {
    let (title, benefit) = match &feature.shown {
        Shown::Whole { title, benefit } => (Some(title.clone()), benefit.clone()),
        Shown::Number | Shown::Confidential => (None, None),
    };
    let reference = match &feature.shown {
        Shown::Whole { .. } | Shown::Number => Some(safe(feature.id.seen_from(home))),
        Shown::Confidential => None,
    };
    let validations: Value = feature
        .validations
        .iter()
        .map(|one| {
            Value::from_pairs([
                ("by", user(&one.by)),
                ("role", safe(one.role.to_string())),
                ("date", safe(day(one.at))),
            ])
        })
        .collect();
    let criteria = feature
        .open_criteria
        .iter()
        .map(|text| Value::from(text.as_str()));
    let open: Value = feature
        .open_merge_requests
        .iter()
        .map(|one| open_value(one, home))
        .collect();
    let changes: Value = feature
        .changes
        .iter()
        .map(|change| change_value(change, home))
        .collect();
    Value::from_pairs([
        ("name", safe(name_of(feature, home))),
        ("reference", optional(reference)),
        ("title", optional(title.map(Value::from))),
        ("benefit", optional(benefit.map(Value::from))),
        (
            "confidential",
            Value::from(feature.shown == Shown::Confidential),
        ),
        ("changes", changes),
        ("validations", validations),
        ("open_criteria", criteria.collect()),
        ("open_merge_requests", open),
    ])
}

fn change_value(change: &Change, home: &ProjectPath) -> Value {
    Value::from_pairs([
        ("reference", safe(change.merge_request.seen_from(home))),
        ("title", Value::from(change.title.as_str())),
        ("author", user(&change.author)),
        ("closes", Value::from(change.kind == Some(LinkKind::Closes))),
        ("breaking", Value::from(change.breaking)),
        (
            "out_before",
            optional(
                change
                    .out_before
                    .as_ref()
                    .map(|number| safe(number.to_string())),
            ),
        ),
    ])
}

fn open_value(open: &StillOpen, home: &ProjectPath) -> Value {
    Value::from_pairs([
        ("reference", safe(open.id.seen_from(home))),
        ("title", Value::from(open.title.as_str())),
        ("author", user(&open.author)),
    ])
}

fn around_value(around: &Around) -> Value {
    Value::from_pairs([
        ("commit", safe(around.commit.short().to_owned())),
        ("title", Value::from(around.subject.as_str())),
        ("author", Value::from(around.author.as_str())),
        ("commits", Value::from(around.commits)),
    ])
}

/// A name in code: a list must not notify anybody.
fn user(name: &UserName) -> Value {
    safe(format!("`{name}`"))
}

/// Text of ours, or whose form was checked: it is printed as it is.
fn safe(text: String) -> Value {
    Value::from_safe_string(text)
}

fn optional(value: Option<Value>) -> Value {
    value.unwrap_or(Value::from(()))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
