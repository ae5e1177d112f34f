//! The progress of a feature as a product owner reads it, and the words of every stage, which the note on a merge request shares.
//!
//! A hidden comment opens each of these notes: it makes the note ours, and tells the next job what this one knew.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::ids::MergeRequestId;
use crate::domain::linking::LinkKind;
use crate::domain::progress::{Asked, MOST_ROWS, Mark, Past, Progress, Row, Stage, Whereabouts};

use super::{code, inert};

/// The note on a merge request that tells where it stands.
pub const STATE: &str = "state";
/// The note on a feature that tells how far it is.
pub const PROGRESS: &str = "progress";

/// How merge requests may be named where a feature is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `!7`: the feature lives in the project of its merge requests.
    Short,
    /// `group/project!7`: it lives elsewhere.
    Full,
    /// Not at all: people can read the feature who cannot see the project of its merge requests.
    Hidden,
}

/// What the hidden comment of a progress note holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Hidden {
    rows: Vec<Row>,
}

/// An instant in a note.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The note on a merge request: its mark, then what its people read.
pub fn state_note(mark: &Mark, body: &str) -> String {
    if mark.history.is_empty() {
        return with_hidden(STATE, mark, body);
    }
    let past: String = mark.history.iter().rev().map(past).collect();
    let body = format!("{body}\n\n<details><summary>Before</summary>\n\n{past}\n</details>");
    with_hidden(STATE, mark, &body)
}

fn past(past: &Past) -> String {
    format!(
        "- {}: {} (`{}`)\n",
        moment(past.since),
        stage_words(&past.stage),
        past.head.short()
    )
}

/// The mark of a note on a merge request, if it has one that can be read.
pub fn mark_of(note: &str) -> Option<Mark> {
    hidden(STATE, note)
}

/// The rows that a progress note tells.
pub fn rows_of(note: &str) -> Vec<Row> {
    hidden::<Hidden>(PROGRESS, note).unwrap_or_default().rows
}

/// The note on a feature.
pub fn progress_note(progress: &Progress, naming: Naming, home: &MergeRequestId) -> String {
    let name = |row: &Row| match &row.project {
        None => format!("!{}", row.iid),
        Some(_) if is_hidden(row, naming, home) => "a merge request".to_owned(),
        Some(project) => format!("{project}!{}", row.iid),
    };
    let mut body = format!("{}\n", headline(progress, &name));
    let listed = progress.rows.iter();
    let listed = listed.filter(|row| !is_hidden(row, naming, home));
    let (past, shown): (Vec<&Row>, Vec<&Row>) = listed.partition(|row| is_past(row));
    if naming == Naming::Hidden {
        body.push_str("\nIts merge requests are in a project that not everybody here can see, so they are not listed.\n");
    }
    body.push_str(&table(&shown, &name));
    body.push_str(&criteria(progress));
    if !past.is_empty() {
        body.push_str(&format!(
            "\n<details><summary>Earlier ({})</summary>\n{}\n</details>\n",
            past.len(),
            table(&past, &name)
        ));
    }
    with_hidden(
        PROGRESS,
        &Hidden {
            rows: kept(progress, naming, home),
        },
        body.trim_end(),
    )
}

/// Where a merge request stands, in words that start with its state.
pub fn whereabouts(stands: &Whereabouts) -> String {
    match stands {
        Whereabouts::Draft => "Draft".to_owned(),
        Whereabouts::InReview => "In review".to_owned(),
        Whereabouts::Closed => "Closed without being merged".to_owned(),
        Whereabouts::MergedAround => "Merged outside of the queue".to_owned(),
        Whereabouts::At(stage) => stage_words(stage),
    }
}

/// A stage in words.
pub fn stage_words(stage: &Stage) -> String {
    match stage {
        Stage::LinksRefused => "Links not in order".to_owned(),
        Stage::Linked => "In review".to_owned(),
        Stage::AwaitingValidation { roles } => {
            format!("Awaiting validation by {}", asked(roles))
        }
        Stage::Validated => "Validated, not queued yet".to_owned(),
        Stage::Rejected { role, by } => format!("Rejected by `{by}` as `{role}`"),
        Stage::NotQueued => "Not queued: something must be mended first".to_owned(),
        Stage::Queued { rank, at, .. } => format!("Queued, rank {rank} (as of {})", moment(*at)),
        Stage::InTrial { trial } => format!("Under test (trial {trial})"),
        Stage::Landing => "Tests passed, being merged".to_owned(),
        Stage::FailedTests { trial } => {
            format!("Rejected by the non-regression tests (trial {trial})")
        }
        Stage::Conflicted => "Conflict with its target branch".to_owned(),
        Stage::LeftQueue => "Left the queue".to_owned(),
        Stage::Landed { version } => format!("Landed: in version #{version}, not released yet"),
        Stage::Releasing { number } => format!("Being released with version {number}"),
        Stage::InProduction {
            number,
            environment,
        } => {
            let place = environment.as_ref().map_or(String::new(), |name| {
                format!(" (environment {})", code(name))
            });
            format!("In production with version {number}{place}")
        }
    }
}

/// The roles that are asked, with their people in code: a list must not notify anybody.
fn asked(roles: &[Asked]) -> String {
    let one = |asked: &Asked| {
        let people: Vec<String> = asked
            .people
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        if people.is_empty() {
            format!("`{}` (nobody holds it)", asked.role)
        } else {
            format!("`{}` ({})", asked.role, people.join(", "))
        }
    };
    roles.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// The state word, and what the reader must do.
fn headline(progress: &Progress, name: &dyn Fn(&Row) -> String) -> String {
    let landed = progress
        .rows
        .iter()
        .filter(|row| matches!(&row.stands, Whereabouts::At(stage) if stage.is_landed()))
        .count();
    let live = progress
        .rows
        .iter()
        .filter(|row| row.stands != Whereabouts::Closed)
        .count();
    let Some(closing) = progress.closing() else {
        let begun = match (live, landed) {
            (0, _) => "**Not begun.** No merge request names this feature.".to_owned(),
            (1, 0) => "**In work.** One merge request contributes.".to_owned(),
            (n, 0) => format!("**In work.** {n} merge requests contribute."),
            (n, landed) => {
                format!("**In work.** {n} merge requests contribute, {landed} of them landed.")
            }
        };
        let end = if progress.open {
            format!(
                " None closes it yet; the one that completes it says `closes feature #{}`.",
                progress.feature.iid
            )
        } else {
            String::new()
        };
        return format!("{begun}{end}");
    };
    let by = name(closing);
    let since = closing
        .since
        .map_or(String::new(), |since| format!(" since {}", moment(since)));
    match &closing.stands {
        Whereabouts::Draft => format!("**In work.** {by} will close it, and is a draft."),
        Whereabouts::InReview | Whereabouts::At(Stage::Linked) => {
            format!("**In review.** {by} closes it.")
        }
        Whereabouts::Closed => format!("**In work.** {by} was closed."),
        Whereabouts::MergedAround => {
            format!("**Merged outside of the queue** by {by}: no version of Trainyard's holds it.")
        }
        Whereabouts::At(stage) => match stage {
            Stage::LinksRefused | Stage::NotQueued | Stage::Conflicted | Stage::LeftQueue => {
                format!(
                    "**{}**{since}. The author of {by} has to act.",
                    stage_words(stage)
                )
            }
            Stage::AwaitingValidation { roles } => format!(
                "**Awaiting validation** by {}{since}. They play `validate:<role>` or `reject:<role>` in the newest pipeline of {by}.",
                asked(roles)
            ),
            Stage::Validated => format!(
                "**Validated**{since}. The author of {by} presses `integrate` to queue it for the non-regression tests."
            ),
            Stage::Rejected { role, by: who } => format!(
                "**Rejected** by `{who}` as `{role}`{since}. The author of {by} has to act; the roles are asked again afterwards."
            ),
            Stage::FailedTests { .. } => format!(
                "**Rejected by the non-regression tests**{since}. The author of {by} has to act."
            ),
            Stage::Queued { .. } | Stage::InTrial { .. } | Stage::Landing => {
                format!("**{}**: {by}. Nothing to do for you.", stage_words(stage))
            }
            Stage::Landed { .. } => {
                format!(
                    "**{}.** It goes to production with the next release.",
                    stage_words(stage)
                )
            }
            Stage::Releasing { .. } => format!("**{}**{since}.", stage_words(stage)),
            Stage::InProduction { .. } => {
                let again = if progress.open {
                    " It is open again."
                } else {
                    ""
                };
                format!("**{}**{since}.{again}", stage_words(stage))
            }
            Stage::Linked => format!("**In review.** {by} closes it."),
        },
    }
}

fn table(rows: &[&Row], name: &dyn Fn(&Row) -> String) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text =
        "\n| merge request | | by | where it stands | since |\n|---|---|---|---|---|\n".to_owned();
    for row in rows.iter().take(MOST_ROWS) {
        let does = match row.kind {
            LinkKind::Contributes => "contributes",
            LinkKind::Closes => "closes",
        };
        text.push_str(&format!(
            "| {}+ | {does} | `{}` | {} | {} |\n",
            name(row),
            row.author,
            whereabouts(&row.stands),
            row.since.map_or(String::new(), moment)
        ));
    }
    if rows.len() > MOST_ROWS {
        text.push_str(&format!("\nAnd {} more.\n", rows.len() - MOST_ROWS));
    }
    text
}

fn criteria(progress: &Progress) -> String {
    let of_those = progress.criteria.iter().filter(|one| one.applies);
    let all = of_those.clone().count();
    if all == 0 {
        return String::new();
    }
    let open: Vec<String> = of_those
        .filter(|criterion| criterion.is_open())
        .map(|criterion| inert(&criterion.text))
        .collect();
    let ticked = all - open.len();
    let mut text = format!("\nAcceptance criteria: {ticked} of {all} ticked.");
    if !open.is_empty() {
        text.push_str(" Open:\n\n");
        for criterion in open.iter().take(MOST_ROWS) {
            text.push_str(&format!("- {criterion}\n"));
        }
        return text;
    }
    text.push('\n');
    text
}

/// Whether readers of the feature cannot see the project of a merge request. The jobs of other projects have judged that of theirs.
fn is_hidden(row: &Row, naming: Naming, home: &MergeRequestId) -> bool {
    naming == Naming::Hidden && row.project.as_ref() == Some(&home.project)
}

/// What is over: closed without being merged, or in production beside something newer.
fn is_past(row: &Row) -> bool {
    row.stands == Whereabouts::Closed
}

/// The rows that the next job is told; the newest when there are too many.
fn kept(progress: &Progress, naming: Naming, home: &MergeRequestId) -> Vec<Row> {
    let rows = progress.rows.iter().rev();
    let rows = rows.filter(|row| !is_hidden(row, naming, home));
    let mut rows: Vec<Row> = rows.take(MOST_ROWS).cloned().collect();
    rows.reverse();
    rows
}

/// `>` and `<` are written as JSON escapes, so that no text of ours can end the comment.
fn with_hidden(kind: &str, value: &impl Serialize, body: &str) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    format!("<!-- trainyard:{kind} {json} -->\n{body}")
}

fn hidden<T: DeserializeOwned>(kind: &str, note: &str) -> Option<T> {
    let rest = note.strip_prefix("<!-- trainyard:")?.strip_prefix(kind)?;
    let (json, _) = rest.split_once("-->")?;
    serde_json::from_str(json.trim()).ok()
}

#[cfg(test)]
mod tests;
