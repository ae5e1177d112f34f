//! The sections on what a change set meets on its way: queue, trials, rejections, versions, and what was left out.

use super::Frame;
use super::sections::{section, soft};
use super::tables::{and_more, row, spread, table, within};
use super::text::{Names, brief, count, instant, link};
use crate::insights::{ExitKind, Insights, RejectionKind, VersionFigures, VersionState};

const VERSION_ROWS: usize = 40_000;
const REASON_ROWS: usize = 12_000;
const REASON: usize = 160;

pub(super) fn gates(insights: &Insights) -> String {
    let exits = [
        (ExitKind::Landed, "landed"),
        (ExitKind::Rejected, "rejected by a trial"),
        (ExitKind::Conflicted, "did not apply on the target"),
        (ExitKind::Withdrawn, "withdrawn"),
    ];
    let exits: String = exits
        .iter()
        .map(|(kind, name)| {
            let n = insights.queue.exits.iter().find(|(other, _)| other == kind);
            row(name, &[n.map_or(0, |(_, n)| *n).to_string()], &[])
        })
        .collect();
    let trials = &insights.trials;
    let outcomes = [
        ("validated", trials.validated),
        ("rejected", trials.rejected),
        ("abandoned without a verdict", trials.abandoned),
    ];
    let outcomes: String = outcomes
        .iter()
        .map(|(name, n)| row(name, &[n.to_string()], &[]))
        .collect();
    let awaited: String = insights
        .validation
        .iter()
        .map(|role| {
            let given = role.wait.map_or(0, |wait| wait.n);
            row(
                role.role.as_str(),
                &[given.to_string(), role.awaited.to_string()],
                &[],
            )
        })
        .collect();
    let reasons = insights.rejections.iter().map(|rejection| {
        let gate = match rejection.kind {
            RejectionKind::Links => "links",
            RejectionKind::Validation => "validation",
            RejectionKind::Conflict => "conflict",
            RejectionKind::Trial => "trial",
        };
        let reason = brief(&rejection.reason, REASON);
        row(
            gate,
            &[rejection.count.to_string()],
            &[format!("<bdi>{reason}</bdi>")],
        )
    });
    let (reasons, more) = within(REASON_ROWS, reasons);
    let reasons = if reasons.is_empty() {
        soft("Nothing was rejected in the period.")
    } else {
        table(
            "Rejections by reason, the most frequent first",
            &["gate", "times", "reason*"],
            &reasons,
        )
    };
    let joined = count(insights.queue.joined, "change set");
    section(
        "gates",
        "Queue, trials, rejections",
        false,
        &[
            "<div class=\"side\">".to_owned(),
            table(
                &format!("How change sets left the queue for good ({joined} joined it)"),
                &["exit", "change sets"],
                &exits,
            ),
            table("Trials by outcome", &["outcome", "trials"], &outcomes),
            table(
                "Verdicts by role",
                &["role", "given", "awaited now"],
                &awaited,
            ),
            "</div>".to_owned(),
            reasons,
            and_more(more),
        ],
    )
}

pub(super) fn versions(insights: &Insights, frame: &Frame, names: &Names) -> String {
    let rows = insights
        .versions
        .iter()
        .map(|version| version_row(version, frame, names));
    let (rows, more) = within(VERSION_ROWS, rows);
    let content = if insights.versions.is_empty() {
        soft("No version was filled or released in the period.")
    } else {
        table(
            "Versions and what they bring; lead time is per change set",
            &[
                "version",
                "when",
                "change sets",
                "n",
                "p50",
                "p85",
                "state*",
                "features*",
            ],
            &rows,
        )
    };
    section("versions", "Versions", true, &[content, and_more(more)])
}

fn version_row(version: &VersionFigures, frame: &Frame, names: &Names) -> String {
    const NAMED: usize = 30;
    let all = version.completes.len() + version.contributes_to.len();
    let completes = version.completes.iter().map(|id| (id, ""));
    let contributes = version.contributes_to.iter().map(|id| (id, " (a part)"));
    let named = completes.chain(contributes).take(NAMED).map(|(id, part)| {
        let title = frame.titles.get(id).map_or(String::new(), |title| {
            format!(" <bdi>{}</bdi>", brief(title, 50))
        });
        format!(
            "{}{title}{part}",
            link(frame.urls.get(id), &names.feature(id))
        )
    });
    let mut features = named.collect::<Vec<_>>().join(", ");
    if all > NAMED {
        features.push_str(&format!(" and {} more", all - NAMED));
    }
    let state = match version.state {
        VersionState::Open => "open".to_owned(),
        VersionState::Closing => "on its way".to_owned(),
        VersionState::Released => "released".to_owned(),
        VersionState::Withdrawn => {
            let why = version.failure.as_deref().unwrap_or_default();
            format!("withdrawn: <bdi>{}</bdi>", brief(why, REASON))
        }
        VersionState::Failed => {
            let why = version.failure.as_deref().unwrap_or_default();
            format!("failed: <bdi>{}</bdi>", brief(why, REASON))
        }
    };
    let number = version
        .number
        .as_deref()
        .map_or("next".to_owned(), |number| brief(number, 40));
    let mut cells = vec![
        version.at.map_or("–".to_owned(), instant),
        version.change_sets.to_string(),
    ];
    cells.extend(spread(version.lead_time).into_iter().take(3));
    row(&number, &cells, &[state, features])
}

pub(super) fn quality(insights: &Insights, frame: &Frame) -> String {
    let events = insights.events;
    let counts = [
        ("events read, each once", events.read),
        ("events that were there again", events.duplicates),
        (
            "events from after the end of the period, left out",
            events.later,
        ),
        ("events of others, kept apart", frame.foreign),
        ("lines that could not be read", frame.unreadable.len()),
        ("parts of the history that are missing", frame.missing.len()),
        (
            "durations left out because they came out negative",
            insights.excluded.len(),
        ),
        (
            "ended trials without a recorded start: counted, not measured",
            insights.trials.without_start,
        ),
    ];
    let counts: String = counts
        .iter()
        .map(|(name, n)| row(name, &[n.to_string()], &[]))
        .collect();
    let excluded = insights.excluded.iter().map(|excluded| {
        row(
            &brief(&excluded.about, REASON),
            &[
                format!("{} s", excluded.seconds),
                instant(excluded.from),
                instant(excluded.to),
            ],
            &[excluded.measure.to_owned()],
        )
    });
    let (excluded, more_excluded) = within(REASON_ROWS, excluded);
    let lines = frame.unreadable.iter().map(|(number, what)| {
        row(
            &number.to_string(),
            &[],
            &[format!("<bdi>{}</bdi>", brief(what, REASON))],
        )
    });
    let (lines, more_lines) = within(REASON_ROWS, lines);
    let missing = frame.missing.iter().map(|what| {
        row(
            "archive",
            &[],
            &[format!("<bdi>{}</bdi>", brief(what, REASON))],
        )
    });
    let (missing, more_missing) = within(REASON_ROWS, missing);
    let only_if = |rows: &str, table: String| {
        if rows.is_empty() {
            String::new()
        } else {
            table
        }
    };
    section(
        "quality",
        "Data quality",
        true,
        &[
            table(
                "What these figures are made of, and what was left out",
                &["what", "how many"],
                &counts,
            ),
            only_if(
                &excluded,
                table(
                    "Left out: clocks of two runners disagree",
                    &["of", "duration", "began", "ended", "measure*"],
                    &excluded,
                ),
            ),
            and_more(more_excluded),
            only_if(
                &lines,
                table(
                    "Lines that could not be read",
                    &["line", "what is wrong*"],
                    &lines,
                ),
            ),
            and_more(more_lines),
            only_if(
                &missing,
                table(
                    "Parts of the history that are missing",
                    &["where", "what is missing*"],
                    &missing,
                ),
            ),
            and_more(more_missing),
        ],
    )
}
