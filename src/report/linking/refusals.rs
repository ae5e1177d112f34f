//! Each refusal: the line that was read, the reason, and the exact text that would be accepted.

use crate::domain::ids::{FeatureId, ProjectPath};
use crate::domain::linking::grammar::{Line, Problem};
use crate::domain::linking::{Holding, LinkKind, LinkRefusal};

use super::quoted;

/// The number of an example: no number that a reader could take for their own.
const EXAMPLE: &str = "#34";
/// As long a range is written out.
const LONGEST_RANGE: u64 = 10;

/// Each refusal with the line that was read, the reason, and what would be accepted.
pub fn link_refusals(reasons: &[LinkRefusal], home: &ProjectPath) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| link_refusal(reason, home))
        .collect()
}

/// One of them.
pub(in crate::report) fn link_refusal(reason: &LinkRefusal, home: &ProjectPath) -> String {
    let name = |feature: &FeatureId| feature.seen_from(home);
    let with_example = |at: &Line| instead(at, LinkKind::Closes, EXAMPLE);
    match reason {
        LinkRefusal::NoLink => "the description names no feature. Write `contributes to feature #34`, or `closes feature #34` when this merge request completes it, with the number of the feature".to_owned(),
        LinkRefusal::Unreadable { at, kind, problem } => {
            format!("{}: {}", read(at), unreadable(at, *kind, problem))
        }
        LinkRefusal::TooManyFeatures { most } => format!(
            "the description names more than {most} features. Name those that this merge request serves, for example `contributes to features #34, #35`"
        ),
        LinkRefusal::UnknownFeature { feature, at } => format!(
            "{}: there is no issue {}, or the bot may not see it. Give the bot's user access to the project, or write the right number: {}",
            read(at),
            name(feature),
            with_example(at)
        ),
        LinkRefusal::ClosedFeature { feature, url, at } => format!(
            "{}: the feature {} is closed. Reopen it ({url}), or name an open one: {}",
            read(at),
            name(feature),
            with_example(at)
        ),
        LinkRefusal::NotAFeature { feature, url, label, at } => format!(
            "{}: the issue {} is not a feature, because it lacks the label {}. Add the label ({url}), or name a feature: {}",
            read(at),
            name(feature),
            quoted(label),
            with_example(at)
        ),
        LinkRefusal::WrongType { feature, url, is, wanted, at } => format!(
            "{}: the issue {} is not a feature, because its type is {} and features are of type {}. Change its type ({url}), or name a feature: {}",
            read(at),
            name(feature),
            quoted(is),
            quoted(wanted),
            with_example(at)
        ),
        LinkRefusal::OtherProject { feature, allowed, at } => {
            let example = allowed.first().map_or_else(
                || EXAMPLE.to_owned(),
                |project| if project == home { EXAMPLE.to_owned() } else { format!("{project}{EXAMPLE}") },
            );
            let allowed: Vec<String> = allowed.iter().map(|project| format!("`{project}`")).collect();
            format!(
                "{}: features of `{}` may not be named here (`features.projects`), only those of {}. Write {}",
                read(at),
                feature.project,
                allowed.join(", "),
                instead(at, LinkKind::Closes, &example)
            )
        }
        LinkRefusal::MovedAway { feature, at } => format!(
            "{}: the issue {} was moved, and where to cannot be told here. Open it, and write its new reference: {}",
            read(at),
            name(feature),
            instead(at, LinkKind::Closes, "group/project#34")
        ),
        LinkRefusal::Undisclosed { feature, at } => format!(
            "{}: the issue {} is not an open feature; why is only told to those who may see it. Look at it, and mend it or name another one: {}",
            read(at),
            name(feature),
            with_example(at)
        ),
        LinkRefusal::AlreadyClaimed { feature, by, author, holding, at } => {
            already_claimed(&name(feature), &by.to_string(), author.as_str(), *holding, at)
        }
    }
}

fn already_claimed(feature: &str, by: &str, author: &str, holding: Holding, at: &Line) -> String {
    let line = if at.number == 0 {
        String::new()
    } else {
        format!("{}: ", read(at))
    };
    let contributes = match corrected(at, Some("contributes to"), feature) {
        Some(text) if at.alone => format!("Write {} here", quoted(&text)),
        _ => format!("Write `contributes to feature {feature}` for it here"),
    };
    let (state, hand_over) = match holding {
        Holding::Open => (
            "closes it already",
            format!(
                "or have `{author}` hand it over: {by} then says `contributes to feature {feature}`, and a new pipeline is started here"
            ),
        ),
        Holding::Queued => (
            "closes it and is in the queue",
            format!(
                "or have `{author}` take {by} back: close it, or push to it, so that it loses its place; then press `integrate` here again"
            ),
        ),
        Holding::Landed => (
            "closes it and has landed in a version that is not released yet",
            format!("or wait until that version is released and reopen the feature {feature}"),
        ),
    };
    format!(
        "{line}one merge request closes a feature, and {by} by `{author}` {state}. {contributes}, {hand_over}"
    )
}

fn unreadable(at: &Line, kind: LinkKind, problem: &Problem) -> String {
    let write = |reference: &str| instead(at, kind, reference);
    match problem {
        Problem::NoHash { iid } => format!(
            "`{iid}` lacks its sign. Write {}",
            write(&format!("#{iid}"))
        ),
        Problem::MergeRequest { iid } => format!(
            "`!{iid}` is a merge request. Name the issue: {}",
            write(EXAMPLE)
        ),
        Problem::Epic { iid } => format!("`&{iid}` is an epic. Name the issue: {}", write(EXAMPLE)),
        Problem::NoNumber => format!(
            "the number is missing. Write {}, or take the line out",
            write(EXAMPLE)
        ),
        Problem::BadNumber { digits } => format!(
            "{} is not the number of an issue. Write {}",
            quoted(digits),
            write(EXAMPLE)
        ),
        Problem::NotANumber { text } => {
            format!("{} is not a number. Write {}", quoted(text), write(EXAMPLE))
        }
        Problem::AnyOf { first, last } => {
            let short = last
                .checked_sub(*first)
                .is_some_and(|length| length < LONGEST_RANGE);
            let list: Vec<String> = if short {
                (*first..=*last).map(|iid| format!("#{iid}")).collect()
            } else {
                vec![format!("#{first}"), format!("#{last}")]
            };
            format!(
                "a range names no feature. Name each by itself: {}",
                write(&list.join(", "))
            )
        }
        Problem::InCode { iid } => format!(
            "code is not read. Write it as plain text: {}",
            write(&format!("#{iid}"))
        ),
        Problem::TwoNumbers { shown, leads_to } => format!(
            "the link shows #{shown} and leads to #{leads_to}. Write the one that is meant: {}",
            write(&format!("#{shown}"))
        ),
        Problem::NotAnIssueHere { url } => format!(
            "{} is not an issue of this GitLab. Write {}, `group/project#34`, or the address of an issue here",
            quoted(url),
            write(EXAMPLE)
        ),
    }
}

fn read(at: &Line) -> String {
    format!(
        "line {} of the description ({})",
        at.number,
        quoted(&at.text)
    )
}

/// The author's own line with the right reference; a line of ours where it cannot be mended in place.
fn instead(at: &Line, kind: LinkKind, reference: &str) -> String {
    let line = corrected(at, None, reference);
    quoted(&line.unwrap_or_else(|| format!("{kind} feature {reference}")))
}

/// The author's own line with another reference, and another verb if one is given.
pub(super) fn corrected(at: &Line, verb: Option<&str>, reference: &str) -> Option<String> {
    let place = at.reference.as_ref()?;
    let space = if place.is_empty() { " " } else { "" };
    let capital = at
        .verb
        .as_ref()
        .and_then(|range| at.text.get(range.clone()))
        .is_some_and(|old| old.starts_with(char::is_uppercase));
    let verb = verb.map(|verb| match (capital, verb.chars().next()) {
        (true, Some(first)) => first.to_uppercase().chain(verb.chars().skip(1)).collect(),
        _ => verb.to_owned(),
    });
    at.corrected(verb.as_deref(), &format!("{space}{reference}"))
}
