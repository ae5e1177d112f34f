//! The open version in words: what number it would get and why, and whether the commits agree. What it holds is told by `terminal`,
//! `markdown` and `json`, what closing it did by `closing`.

mod closing;
mod json;
mod markdown;
mod terminal;

use super::plain;
use super::release::counted;
use crate::domain::ids::MergeRequestId;
use crate::domain::versioning::comparison::Around;
use crate::domain::versioning::numbers::{Because, Chosen, Step};
use crate::domain::versioning::{Coming, Number, by_feature};

pub use closing::*;
pub use json::version_json;
pub(super) use json::{closing_json, commits_json, released_json};
pub use markdown::version_markdown;
pub(super) use markdown::{around_markdown, being_released_markdown, change_set_rows};
pub use terminal::version_now;
pub(super) use terminal::{being_released, change_set_lines, last_released};

/// How many merge requests are named as the reason of a number.
const NAMED: usize = 3;

/// How many commits around the gate are listed.
const LISTED: usize = 20;

/// `the open version would be 1.4.0: a minor step after 1.3.2, because !34 completes a feature`.
pub fn would_be(chosen: &Chosen) -> String {
    format!(
        "the open version would be {}: {}",
        chosen.number,
        because(chosen)
    )
}

/// Why it is this number.
pub(super) fn because(chosen: &Chosen) -> String {
    let after = chosen
        .last
        .as_ref()
        .map_or(String::new(), |last| format!(" after {last}"));
    let why = |ids: &[MergeRequestId], one: &str, more: &str| {
        let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
        let rest = ids.len().saturating_sub(NAMED);
        let rest = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        let verb = if ids.len() == 1 { one } else { more };
        format!("{}{rest} {verb}", named.join(", "))
    };
    match &chosen.because {
        Because::First => "the first one, as `versions.initial` says".to_owned(),
        Because::Asked => format!("as asked for{after}"),
        Because::Day(day) => format!("the next one of its time on {day}{after}"),
        Because::Content(Step::Patch, _) => format!("a patch step{after}"),
        Because::Content(Step::Minor, ids) => format!(
            "a minor step{after}, because {}",
            why(ids, "completes a feature", "complete features")
        ),
        Because::Content(Step::Major, ids) => {
            let zero = chosen.last.as_ref().is_some_and(|l| l.version.major == 0);
            let step = if zero { "a minor step" } else { "a major step" };
            let before = if zero { " (below 1.0.0)" } else { "" };
            let why = why(ids, "breaks something", "break something");
            format!("{step}{after}{before}, because {why}")
        }
    }
}

/// Whether the commits agree with the log, line by line.
pub fn version_checks(coming: &Coming) -> Vec<String> {
    match coming.chosen.number.package {
        Some(_) => super::packages::package_checks(coming),
        None => commit_checks(coming),
    }
}

/// Whether the commits agree with what is to be released.
pub(super) fn commit_checks(coming: &Coming) -> Vec<String> {
    let mut lines = Vec::new();
    let later = coming.share.len() - coming.content.len();
    if later > 0 {
        lines.push(format!(
            "{} of the open version landed after this commit, and would be in the next one",
            counted(later, "change set")
        ));
    }
    let Some(found) = &coming.comparison else {
        lines.push("not compared with the commits: there is no clone here (`GIT_STRATEGY: none`), or this is a yard".to_owned());
        return lines;
    };
    if !found.unknown.is_empty() {
        lines.push(format!(
            "{} that the gate landed, by their trailers, are not in the log (first: `{}`): `release prepare` adds them, and so does `trainyard repair --write`",
            counted(found.unknown.len(), "commit"),
            found.unknown[0].commit.short()
        ));
    }
    if found.around.is_empty() {
        let since = chosen_last(&coming.chosen);
        lines.push(format!(
            "nothing is merged since {since} but what was tried"
        ));
    } else {
        lines.push(format!(
            "came around the gate, untested by it: {}",
            counted(found.around.len(), "commit")
        ));
        lines.extend(around_lines(&found.around));
    }
    lines
}

fn chosen_last(chosen: &Chosen) -> String {
    let last = chosen.last.as_ref();
    last.map_or_else(|| "the beginning".to_owned(), Number::tag)
}

/// A line for each commit that came around the gate, for a log.
fn around_lines(around: &[Around]) -> Vec<String> {
    let mut lines: Vec<String> = around
        .iter()
        .take(LISTED)
        .map(|one| {
            let by = plain(&one.author);
            let named = one
                .merge_request
                .map_or(String::new(), |iid| format!(" (!{iid})"));
            let more = match one.commits {
                0 | 1 => String::new(),
                n => format!(", with {} of its own", counted(n as usize - 1, "commit")),
            };
            format!(
                "  {} {} - {by}{named}{more}",
                one.commit.short(),
                plain(&one.subject)
            )
        })
        .collect();
    if around.len() > LISTED {
        lines.push(format!("  and {} more", around.len() - LISTED));
    }
    lines
}

/// What a release would write.
pub fn would_write(coming: &Coming, environment: &str) -> String {
    let (features, _) = by_feature(&coming.content);
    let done = features.iter().filter(|(_, brought)| brought.completed);
    let number = &coming.chosen.number;
    let closes = if number.is_pre_release() {
        "no feature is closed by a pre-release".to_owned()
    } else {
        format!("{} closed", counted(done.count(), "feature"))
    };
    format!(
        "a release would write: the tag `{}`, the GitLab release, the deployment of `{environment}`, {closes}, notes on {}",
        number.tag(),
        counted(coming.content.len(), "merge request")
    )
}
