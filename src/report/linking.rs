//! Links: what is in order, and what would be accepted instead.

use std::collections::BTreeMap;

use crate::domain::ids::{FeatureId, ProjectPath, RoleName};
use crate::domain::linking::grammar::Problem;
use crate::domain::linking::{Link, LinkKind, LinkRefusal, Linking, Sight};
use crate::outcome::Outcome;

use super::{bullets, inert, plain};

/// Each refusal with the line that was read, the reason, and what would be accepted.
pub fn link_refusals(reasons: &[LinkRefusal], home: &ProjectPath) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| link_refusal(reason, home))
        .collect()
}

pub(super) fn link_refusal(reason: &LinkRefusal, home: &ProjectPath) -> String {
    let read =
        |line: &usize, text: &str| format!("line {line} of the description (\"{}\")", inert(text));
    let name = |feature: &FeatureId| feature.seen_from(home);
    match reason {
        LinkRefusal::NoLink => "the description names no feature. Write `contributes to feature #34`, or `closes feature #34` when this merge request completes it".to_owned(),
        LinkRefusal::Unreadable { line, text, problem } => format!("{}: {}", read(line, text), unreadable(problem)),
        LinkRefusal::UnknownFeature { feature, line, text } => format!(
            "{}: there is no issue {}, or the bot may not see it. Check the number, or give the bot's user access to the project",
            read(line, text),
            name(feature)
        ),
        LinkRefusal::ClosedFeature { feature, url, line, text } => {
            format!("{}: the feature {} is closed. Reopen it ({url}), or name an open one", read(line, text), name(feature))
        }
        LinkRefusal::NotAFeature { feature, url, label, line, text } => format!(
            "{}: the issue {} is not a feature, because it lacks the label `{}`. Add the label ({url}), or name a feature",
            read(line, text),
            name(feature),
            label.replace('`', "'")
        ),
        LinkRefusal::AlreadyClaimed { feature, by, author, line, text } => format!(
            "{}: {by} by `{author}` closes the feature {} already. Write `contributes to feature {}` here, or take `closes` out of {by} and start a new pipeline here",
            read(line, text),
            name(feature),
            name(feature)
        ),
    }
}

fn unreadable(problem: &Problem) -> String {
    match problem {
        Problem::NoHash { iid } => format!("`{iid}` lacks its sign. Write `#{iid}`"),
        Problem::MergeRequest { iid } => {
            format!("`!{iid}` is a merge request. Name the issue, for example `#{iid}`")
        }
        Problem::NoNumber => "the number is missing. Write `#34`, or take the line out".to_owned(),
        Problem::BadNumber { digits } => {
            format!("`{digits}` is not the number of an issue. Write `#34`")
        }
        Problem::NotAnIssueHere { url } => format!(
            "`{}` is not an issue of this GitLab. Write `#34`, `group/project#34`, or the address of an issue here",
            url.replace('`', "'")
        ),
    }
}

/// The note of a merge request whose links are refused.
pub fn note_links_refused(reasons: &[String]) -> String {
    format!(
        "**Links to features are not in order.** Edit the description, then start a new pipeline.\n\n{}",
        bullets(reasons)
    )
}

/// The note of a merge request whose links are in order, and which nobody has to validate.
pub fn note_linked(links: &[Link], home: &ProjectPath) -> String {
    let asked = "**In review.** Press `integrate` in its newest pipeline when it is ready: it then queues for the non-regression tests.";
    if links.is_empty() {
        return format!("{asked}\n\nIt names no feature, and need not.");
    }
    format!(
        "{asked}\n\nThis merge request {}.",
        listed_links(links, home)
    )
}

/// What a merge request does for each of its features, in one sentence.
pub(super) fn listed_links(links: &[Link], home: &ProjectPath) -> String {
    let links: Vec<String> = links
        .iter()
        .map(|link| format!("{} {}", link.kind, link.feature.seen_from(home)))
        .collect();
    links.join(", ")
}

/// What the job says when the links are in order.
pub fn links_in_order(
    iid: u64,
    linking: &Linking,
    sights: &BTreeMap<FeatureId, Sight>,
    home: &ProjectPath,
    roles: &[RoleName],
) -> Outcome {
    if linking.links.is_empty() {
        let outcome = Outcome::open(format!("!{iid} names no feature, and need not"));
        return link_refusals(&linking.warnings, home)
            .into_iter()
            .fold(outcome, |outcome, warning| {
                outcome.with(format!("warning: {warning}"))
            });
    }
    let mut outcome = Outcome::open(format!("the links of !{iid} are in order"));
    for link in &linking.links {
        let title = match sights.get(&link.feature).and_then(Sight::seen) {
            Some(feature) if feature.confidential => " (confidential)".to_owned(),
            Some(feature) => format!(" \"{}\"", plain(&feature.title)),
            None => " (not looked up: that needs `TRAINYARD_TOKEN`; the gate will look)".to_owned(),
        };
        outcome = outcome.with(format!(
            "{} feature {}{title}",
            link.kind,
            link.feature.seen_from(home)
        ));
    }
    if !roles.is_empty()
        && linking
            .links
            .iter()
            .any(|link| link.kind == LinkKind::Closes)
    {
        let jobs: Vec<String> = roles
            .iter()
            .map(|role| format!("`validate:{role}`"))
            .collect();
        outcome = outcome.with(format!(
            "because it closes a feature, people must validate it: {}",
            jobs.join(", ")
        ));
    }
    outcome
}
