//! The sections that go feature by feature and change set by change set.

use super::Frame;
use super::charts;
use super::sections::{section, soft};
use super::tables::{and_more, row, table, within};
use super::text::{Names, brief, count, duration, instant, link};
use crate::insights::numbers::seconds_between;
use crate::insights::{FeatureFlow, Insights, Stage, Turn};

// Together with the bounds of the other files they keep a page of any content under 500 KB.
const FEATURE_ROWS: usize = 120_000;
const TIMELINES: usize = 130_000;
const CHANGE_SET_ROWS: usize = 50_000;
const TITLE: usize = 80;
const EVENT: usize = 160;
const STEPS: usize = 60;

pub(super) fn features(
    insights: &Insights,
    frame: &Frame,
    names: &Names,
    features: &[&FeatureFlow],
    drawn: &[&FeatureFlow],
    told: usize,
) -> String {
    if features.is_empty() {
        return section(
            "features",
            "Features",
            false,
            &[soft("No feature was on its way in the period.")],
        );
    }
    let to = insights.period.to.min(insights.now);
    let rows = features.iter().enumerate().map(|(at, feature)| {
        let title = frame
            .titles
            .get(&feature.feature)
            .map_or(String::new(), |title| brief(title, TITLE));
        let of_stage = |stage| {
            let time = feature.stages.iter().find(|time| time.stage == stage);
            match time {
                Some(time) if time.visits > 1 => {
                    format!("{} ×{}", duration(time.seconds), time.visits)
                }
                Some(time) => duration(time.seconds),
                None => "–".to_owned(),
            }
        };
        let mut cells: Vec<String> = Stage::ON_THE_WAY.into_iter().map(of_stage).collect();
        cells.push(feature.lead_seconds.map_or("–".to_owned(), duration));
        let stage = match (&feature.released, feature.stage) {
            (Some(release), Stage::Released) => {
                format!(
                    "released {}",
                    brief(release.number.as_deref().unwrap_or_default(), 20)
                )
            }
            (Some(_) | None, stage) => {
                let age = seconds_between(feature.since, insights.now);
                format!("{stage} for {}", age.map_or("–".to_owned(), duration))
            }
        };
        let name = link(
            frame.urls.get(&feature.feature),
            &names.feature(&feature.feature),
        );
        let stage = if at < told {
            format!(
                "<a href=\"#{}\">{stage}</a>",
                names.anchor(&feature.feature)
            )
        } else {
            stage
        };
        row(&format!("{name} <bdi>{title}</bdi>"), &cells, &[stage])
    });
    let (rows, more) = within(FEATURE_ROWS, rows);
    let undrawn = features.len() - drawn.len();
    let note = match undrawn {
        0 => String::new(),
        n => format!(
            " The drawing holds the first {}; {n} more are in the table.",
            drawn.len()
        ),
    };
    let mut headers = vec!["feature"];
    let stages = Stage::ON_THE_WAY.map(|stage| stage.to_string());
    headers.extend(stages.iter().map(String::as_str));
    headers.extend(["lead time", "now*"]);
    section(
        "features",
        "Features",
        true,
        &[
            soft(&format!(
                "On their way, oldest first, then those in production, latest first: {}.{note}",
                count(features.len(), "feature")
            )),
            charts::legend(),
            format!(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Lanes\">{}</div>",
                charts::lanes(drawn, frame, names, insights.period.from, to)
            ),
            format!(
                "<details{}><summary>The same in figures, {}</summary>",
                if undrawn == 0 { " open" } else { "" },
                count(features.len(), "feature")
            ),
            table(
                "Time of each feature by stage; ×2 means entered twice, both visits together; the current visit is in the last column",
                &headers,
                &rows,
            ),
            and_more(more),
            "</details>".to_owned(),
        ],
    )
}

/// The section, and how many of the features it holds.
pub(super) fn timelines(
    frame: &Frame,
    names: &Names,
    features: &[&FeatureFlow],
) -> (String, usize) {
    let timelines = features.iter().map(|feature| {
        let title = frame.titles.get(&feature.feature).map_or(String::new(), |title| brief(title, TITLE));
        let skipped = feature.timeline.len().saturating_sub(STEPS);
        let earlier = match skipped {
            0 => String::new(),
            n => soft(&format!("{} earlier not shown.", count(n, "event"))),
        };
        let steps: String = feature.timeline[skipped..]
            .iter()
            .map(|step| {
                let mark = match step.turn {
                    Turn::On => "<span></span>",
                    Turn::Back => "<span class=\"back\" title=\"sent back\">✕</span>",
                };
                let through = step.merge_request.as_ref();
                let through = through.map_or(String::new(), |id| format!("{} ", names.merge_request(id)));
                let by = step.by.as_ref().map_or(String::new(), |by| format!(", by {}", brief(by.as_str(), 40)));
                format!(
                    "<li><time datetime=\"{}\">{}</time>{mark}<span>{through}<bdi>{}</bdi>{by}</span></li>",
                    step.at,
                    instant(step.at),
                    brief(&step.text, EVENT)
                )
            })
            .collect();
        format!(
            "<details><summary><strong>{}</strong> <bdi>{title}</bdi> – {}, {}</summary>{earlier}<ol class=\"steps\" id=\"{}\">{steps}</ol></details>\n",
            names.feature(&feature.feature),
            feature.stage,
            count(feature.timeline.len(), "event"),
            names.anchor(&feature.feature)
        )
    });
    let (timelines, more) = within(TIMELINES, timelines);
    let none = if features.is_empty() {
        soft("No feature, no timeline.")
    } else {
        String::new()
    };
    let intro = soft(
        "Every event that concerns a feature, also through its merge requests. Open one to read it.",
    );
    let content = [none, intro, timelines, and_more(more)];
    let section = section("timelines", "Timelines", true, &content);
    (section, features.len() - more)
}

pub(super) fn change_sets(insights: &Insights, names: &Names) -> String {
    let rows = insights.change_sets.iter().rev().map(|set| {
        let title = brief(set.title.as_deref().unwrap_or_default(), TITLE);
        let waits = match set.waits.as_slice() {
            [] => "–".to_owned(),
            [first, ..] => duration(*first),
        };
        row(
            &names.merge_request(&set.merge_request),
            &[
                waits,
                duration(set.waited_seconds),
                set.waits.len().to_string(),
                set.trials.to_string(),
                set.landed.map_or("–".to_owned(), instant),
                set.lead_seconds.map_or("–".to_owned(), duration),
            ],
            &[set.stage.to_string(), format!("<bdi>{title}</bdi>")],
        )
    });
    let (rows, more) = within(CHANGE_SET_ROWS, rows);
    let table = table(
        "Change sets, latest first: how long each waited in the queue",
        &[
            "change set",
            "first wait",
            "waited in total",
            "stays",
            "trials",
            "landed",
            "lead time",
            "now*",
            "title*",
        ],
        &rows,
    );
    let heading = format!(
        "<details><summary>{}</summary>",
        count(insights.change_sets.len(), "change set")
    );
    section(
        "change-sets",
        "Change sets",
        true,
        &[heading, table, and_more(more), "</details>".to_owned()],
    )
}
