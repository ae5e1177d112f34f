//! Links: what is in order, and what would be accepted instead.

mod refusals;

use std::collections::BTreeMap;

use crate::domain::ids::{FeatureId, MergeRequestId, ProjectPath, RoleName};
use crate::domain::linking::grammar::{Near, Place, Remark};
use crate::domain::linking::{Exempted, Link, LinkKind, Linking, Sight};
use crate::outcome::Outcome;

use super::{bullets, plain};
pub(super) use refusals::link_refusal;
pub use refusals::link_refusals;

/// Untrusted text as code: on one line, no sign of it read by GitLab, easy to copy.
fn quoted(text: &str) -> String {
    let clean = plain(text).replace('`', "'");
    format!("`{}`", if clean.is_empty() { "..." } else { &clean })
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

/// What the job says when the links are refused.
pub fn links_refused(
    iid: u64,
    reasons: Vec<String>,
    linking: &Linking,
    home: &ProjectPath,
) -> Outcome {
    let outcome = Outcome::refused(format!("the links of !{iid} are not in order"), reasons);
    with_hints(outcome, linking, home)
}

/// What the job says when the links are in order.
pub fn links_in_order(
    merge_request: &MergeRequestId,
    linking: &Linking,
    sights: &BTreeMap<FeatureId, Sight>,
    home: &ProjectPath,
    roles: &[RoleName],
) -> Outcome {
    let iid = merge_request.iid;
    if linking.links.is_empty() {
        let mut outcome = Outcome::open(format!("!{iid} names no feature, and need not"));
        if let Some(exempted) = &linking.exempted {
            outcome = outcome.with(exemption(exempted));
        }
        return with_hints(outcome, linking, home);
    }
    let mut outcome = Outcome::open(format!("the links of !{iid} are in order"));
    for link in &linking.links {
        let title = match sights.get(&link.feature).and_then(Sight::seen) {
            Some(feature) => match feature.title_for_readers_of(&merge_request.project) {
                Some(title) => format!(" \"{}\"", plain(title)),
                None => " (its title is shown to its own readers only)".to_owned(),
            },
            None => " (not looked up)".to_owned(),
        };
        let name = link.feature.seen_from(home);
        outcome = outcome.with(format!("{} feature {name}{title}", link.kind));
    }
    let closes = linking
        .links
        .iter()
        .any(|link| link.kind == LinkKind::Closes);
    if !roles.is_empty() && closes {
        let jobs: Vec<String> = roles
            .iter()
            .map(|role| format!("`validate:{role}`"))
            .collect();
        outcome = outcome.next(format!(
            "because it closes a feature, people must validate it: {}",
            jobs.join(", ")
        ));
    }
    with_hints(outcome, linking, home)
}

/// Adds what could not be checked for want of `TRAINYARD_TOKEN`, one line for all features.
/// `label` and `issue_type` are what the project asks of a feature.
pub fn not_checked(
    outcome: Outcome,
    linking: &Linking,
    label: Option<&str>,
    issue_type: Option<&str>,
) -> Outcome {
    if linking.unchecked.is_empty() {
        return outcome;
    }
    let mut unknown = vec![
        "whether it exists".to_owned(),
        "is open".to_owned(),
        "was moved".to_owned(),
    ];
    unknown.extend(
        label
            .iter()
            .map(|label| format!("carries the label {}", quoted(label))),
    );
    unknown.extend(
        issue_type
            .iter()
            .map(|wanted| format!("is of type {}", quoted(wanted))),
    );
    let (last, first) = (unknown.pop().unwrap_or_default(), unknown.join(", "));
    let features: Vec<String> = linking.unchecked.iter().map(ToString::to_string).collect();
    outcome.with(format!(
        "not checked, because that needs `TRAINYARD_TOKEN`: of {}, {first} or {last}; nor is there a note on the merge request. The gate checks all of it",
        features.join(", ")
    ))
}

/// Adds that the merge request itself could not be read.
pub fn read_from_variables(outcome: Outcome, status: u16, cut: bool) -> Outcome {
    let outcome = outcome.with(format!(
        "GitLab does not show the merge request to `CI_JOB_TOKEN` ({status}), so this is its description as it was when the pipeline was created (`CI_MERGE_REQUEST_DESCRIPTION`), and other merge requests that close the same feature were not looked for. Store `TRAINYARD_TOKEN` to have both checked here; the gate checks them in any case"
    ));
    if cut {
        outcome.with("only the first 2,700 characters of the description could be read: GitLab cuts the variable there. Links belong at the beginning")
    } else {
        outcome
    }
}

/// Adds what is worth saying beside the ruling.
fn with_hints(outcome: Outcome, linking: &Linking, home: &ProjectPath) -> Outcome {
    let warnings = linking
        .warnings
        .iter()
        .map(|warning| link_refusal(warning, home));
    let followed = linking.followed.iter().map(|followed| {
        let (from, to) = (followed.from.seen_from(home), followed.to.seen_from(home));
        let line = refusals::corrected(&followed.at, None, &to);
        format!(
            "the feature {from} was moved and is {to} now; the link counts for {to}. Edit the description: {}",
            line.map_or_else(|| format!("write {}", quoted(&to)), |line| format!("write {}", quoted(&line)))
        )
    });
    let remarks = linking.remarks.iter().map(remark);
    warnings
        .chain(followed)
        .chain(remarks)
        .fold(outcome, Outcome::warning)
}

/// Words that come near a link, and what would have been one.
fn remark(remark: &Remark) -> String {
    let at = format!(
        "line {} says {}",
        remark.line.number,
        quoted(&remark.line.text)
    );
    let link = quoted(&format!("{} feature {}", remark.kind, remark.reference));
    match remark.why {
        Near::OtherWords => format!("{at}, which is no link. If it is meant as one, write {link}"),
        Near::NoFeatureWord => {
            format!("{at}, which lacks the word `feature`. If it is meant as a link, write {link}")
        }
        Near::Denied => format!("{at}, which says that it does not, so it is no link"),
        Near::Aside(place) => {
            let place = match place {
                Place::Code => "in code",
                Place::Comment => "in an HTML comment, where templates keep their examples",
                Place::Quote => "in a quotation, which is somebody else's word",
                Place::Struck => "in struck-out text",
            };
            format!(
                "{at} {place}: it does not count there. If it is meant as a link, write {link} as plain text"
            )
        }
    }
}

/// Why no link was required.
fn exemption(exempted: &Exempted) -> String {
    let label = exempted
        .label
        .iter()
        .map(|label| format!("its label {}", quoted(label)));
    let author = exempted
        .author
        .iter()
        .map(|(name, pattern)| format!("its author `{name}` ({})", quoted(pattern)));
    let branch = exempted.branch.iter().map(|(name, pattern)| {
        format!(
            "its source branch {} ({})",
            quoted(name.as_str()),
            quoted(pattern)
        )
    });
    let conditions: Vec<String> = label.chain(author).chain(branch).collect();
    format!(
        "exempt by `features.exempt.{}`: {}",
        plain(&exempted.name),
        conditions.join(" and ")
    )
}
