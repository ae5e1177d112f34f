//! The frame of every section, and the sections on the whole: now, where the time goes, how long things take, definitions.

use super::charts;
use super::tables::{and_more, row, spread, table, within};
use super::text::{Names, brief, count, duration, instant, percent};
use crate::insights::numbers::seconds_between;
use crate::insights::{Insights, Stage};

/// The sections that can be jumped to.
pub(super) const CONTENTS: [(&str, &str); 9] = [
    ("now", "Now"),
    ("features", "Features"),
    ("stages", "Where the time goes"),
    ("durations", "How long things take"),
    ("gates", "Queue, trials, rejections"),
    ("versions", "Versions"),
    ("timelines", "Timelines"),
    ("quality", "Data quality"),
    ("definitions", "Definitions"),
];

const WAITING_ROWS: usize = 12_000;
const TITLE: usize = 80;

/// A section with its heading; a long one may be broken over pages of paper.
pub(super) fn section(id: &str, heading: &str, long: bool, content: &[String]) -> String {
    let class = if long { " class=\"long\"" } else { "" };
    format!(
        "<section id=\"{id}\"{class} aria-labelledby=\"{id}-h\"><h2 id=\"{id}-h\">{heading}</h2>{}</section>",
        content.concat()
    )
}

/// A remark.
pub(super) fn soft(text: &str) -> String {
    format!("<p class=\"soft\">{text}</p>")
}

pub(super) fn now(insights: &Insights, names: &Names) -> String {
    let rows: String = Stage::ON_THE_WAY
        .iter()
        .map(|stage| {
            let here = || insights.features.iter().filter(|f| f.stage == *stage);
            let oldest = here().min_by_key(|feature| feature.since);
            let (age, who) = match oldest {
                Some(f) => (
                    seconds_between(f.since, insights.now).map_or("–".to_owned(), duration),
                    names.feature(&f.feature),
                ),
                None => ("–".to_owned(), String::new()),
            };
            let kind = if stage.waits() { "waiting" } else { "work" };
            row(
                &stage.to_string(),
                &[here().count().to_string(), age],
                &[who, kind.to_owned()],
            )
        })
        .collect();
    let environment = match &insights.trials.running {
        Some(trial) => {
            let since = seconds_between(trial.since, insights.now)
                .map_or(String::new(), |s| format!(" for {}", duration(s)));
            let sets = trial.change_sets.iter().take(20);
            let sets: Vec<String> = sets.map(|id| names.merge_request(id)).collect();
            format!(
                "Trial {} has been running{since}, with {}.",
                trial.trial,
                sets.join(", ")
            )
        }
        None => "No trial is running.".to_owned(),
    };
    let waiting = insights.queue.waiting.iter().map(|waiting| {
        let late = insights.queue.wait.is_some_and(|d| waiting.seconds > d.p85);
        let age = duration(waiting.seconds);
        let age = if late {
            format!("<span class=\"late\">{age}, over p85</span>")
        } else {
            age
        };
        let title = brief(waiting.title.as_deref().unwrap_or_default(), TITLE);
        row(
            &names.merge_request(&waiting.merge_request),
            &[instant(waiting.since), age],
            &[format!("<bdi>{title}</bdi>")],
        )
    });
    let (waiting, more) = within(WAITING_ROWS, waiting);
    let queue = if waiting.is_empty() {
        soft("Nothing waits for the NRT environment.")
    } else {
        table(
            "Waiting for the NRT environment, longest first",
            &["change set", "since", "for", "title*"],
            &waiting,
        )
    };
    section(
        "now",
        "Now",
        false,
        &[
            format!("<p>{environment}</p>"),
            queue,
            and_more(more),
            table(
                "Features on their way, by stage",
                &["stage", "features", "oldest for", "oldest*", "kind*"],
                &rows,
            ),
        ],
    )
}

pub(super) fn stages(insights: &Insights) -> String {
    let n = insights.feature_lead_time.map_or(0, |lead| lead.n);
    if n == 0 {
        let text = "No feature was released in the period, so there is nothing to add up.";
        return section("stages", "Where the time goes", false, &[soft(text)]);
    }
    let total: u64 = insights.stages.iter().map(|stage| stage.seconds).sum();
    let waiting: u64 = insights
        .stages
        .iter()
        .filter(|s| s.waits)
        .map(|s| s.seconds)
        .sum();
    let rows: String = insights
        .stages
        .iter()
        .map(|figures| {
            let mut cells = vec![
                percent(charts::share(figures.seconds, total)),
                duration(figures.seconds),
                figures.visits.to_string(),
            ];
            cells.extend(spread(figures.per_feature));
            let kind = if figures.waits { "waiting" } else { "work" };
            row(&figures.stage.to_string(), &cells, &[kind.to_owned()])
        })
        .collect();
    section(
        "stages",
        "Where the time goes",
        false,
        &[
            soft(&format!(
                "Of {} released in the period, from the first that is known of them to production: {} of their time was waiting.",
                count(n, "feature"),
                percent(charts::share(waiting, total))
            )),
            format!(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Shares\">{}</div>",
                charts::shares(&insights.stages)
            ),
            table(
                "Time by stage; percentiles are per feature that was ever in the stage, repeated visits together",
                &[
                    "stage", "share", "in total", "visits", "n", "p50", "p85", "p95", "longest",
                    "kind*",
                ],
                &rows,
            ),
        ],
    )
}

pub(super) fn durations(insights: &Insights) -> String {
    let mut measures = vec![
        ("feature lead time".to_owned(), insights.feature_lead_time),
        (
            "change set lead time".to_owned(),
            insights.change_set_lead_time,
        ),
        ("queue wait, one stay".to_owned(), insights.queue.wait),
        (
            "queue wait in total, landed".to_owned(),
            insights.queue.wait_in_total,
        ),
        ("trial".to_owned(), insights.trials.duration),
    ];
    let roles = insights.validation.iter();
    measures.extend(roles.map(|role| (format!("verdict of {}", role.role), role.wait)));
    let known: Vec<_> = measures
        .iter()
        .filter_map(|(name, d)| d.map(|d| (name.clone(), d)))
        .collect();
    let rows: String = measures
        .iter()
        .map(|(name, d)| row(name, &spread(*d), &[]))
        .collect();
    section(
        "durations",
        "How long things take",
        false,
        &[
            format!(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Percentiles\">{}</div>",
                charts::percentiles(&known)
            ),
            table(
                "What ended in the period, percentiles by nearest rank",
                &["measure", "n", "p50", "p85", "p95", "longest"],
                &rows,
            ),
        ],
    )
}

pub(super) fn definitions() -> String {
    const WORDS: [(&str, &str); 10] = [
        (
            "p50, p85, p95",
            "Half, 85 %, 95 % of the durations were no longer than this. By nearest rank, so each was really observed; below 20 durations p95 is the longest. No mean is shown anywhere.",
        ),
        (
            "Period",
            "What ended in the period counts in it; what still lasts is shown as of the moment the page was made.",
        ),
        (
            "Feature lead time",
            "From the first event that names the feature to the release of the version with the merge request that closes it.",
        ),
        (
            "Change set lead time",
            "From the first event of its merge request to the release of the version that holds it.",
        ),
        (
            "Queue wait",
            "One stay: from joining the queue, or coming back after a trial without a verdict on it, to the next trial. In total: all stays of a change set that landed.",
        ),
        (
            "Verdict of a role",
            "From the request for the verdict to the verdict; per role, never per person.",
        ),
        (
            "Trial",
            "From the candidate going to the NRT environment to its verdict; abandoned ones are counted, not measured.",
        ),
        (
            "Stage of a feature",
            "That of its closing merge request; while it has none, that of the least advanced contributing one, and in development once those have landed.",
        ),
        (
            "Waiting and work",
            "In validation, validated, queued and landed count as waiting; in development and in NRT as work.",
        ),
        (
            "95 % interval",
            "Wilson's interval for a share: with few trials it is wide, and a change within it means nothing.",
        ),
    ];
    let words: String = WORDS
        .iter()
        .map(|(word, meaning)| format!("<dt><b>{word}</b></dt><dd>{meaning}</dd>"))
        .collect();
    section(
        "definitions",
        "Definitions",
        false,
        &[format!("<dl class=\"words\">{words}</dl>")],
    )
}
