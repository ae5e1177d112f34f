//! Draws the insights as one self-contained HTML page: no script, no network, readable on paper, in the dark and aloud.
//!
//! The sections are in `sections`, `features` and `gates`, the drawings in `charts`; all untrusted text goes through `text::escape`.

mod charts;
mod features;
mod gates;
pub mod queue;
mod sections;
mod tables;
#[cfg(test)]
mod tests;
mod text;
pub mod what_if;

use std::collections::BTreeMap;

use super::{ExitKind, FeatureFlow, Insights, Share, Stage};
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::insights::numbers::seconds_between;
use text::{Names, brief, count, duration, instant, percent};

/// What the page shows besides the figures. Give no title and no address of a feature that readers of the page may not see.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Titles of features, untrusted.
    pub titles: BTreeMap<FeatureId, String>,
    /// Where a person reads a feature.
    pub urls: BTreeMap<FeatureId, String>,
    /// Lines of the event files that could not be read: number and what is wrong.
    pub unreadable: Vec<(usize, String)>,
    /// Parts of the history that are not there, in words.
    pub missing: Vec<String>,
    /// How many events of somebody else were there.
    pub foreign: usize,
    /// The version of this program.
    pub tool_version: String,
    /// The command that makes this page again.
    pub rebuild: String,
    /// Where the events themselves are, for example a job artifact beside the page.
    pub data_url: Option<String>,
}

/// How many lanes a drawing holds before nobody reads it.
const LANES: usize = 40;

const STYLE: &str = include_str!("page/page.css");

/// The page. Its size is bounded, whatever the events hold: what does not fit is counted and left to `--json`.
pub fn page(insights: &Insights, frame: &Frame) -> String {
    let names = Names {
        home: home(insights),
    };
    let title = match &names.home {
        Some(home) => format!("{} to production", brief(home.as_str(), 80)),
        None => "From issue to production".to_owned(),
    };
    let ordered = in_reading_order(insights);
    let drawn = &ordered[..ordered.len().min(LANES)];
    let (timelines, told) = features::timelines(frame, &names, &ordered);
    let body = [
        header(insights, frame, &title),
        format!("<main id=\"main\">{}", charts::patterns()),
        tiles(insights),
        sections::now(insights, &names),
        features::features(insights, frame, &names, &ordered, drawn, told),
        sections::stages(insights),
        sections::durations(insights),
        gates::gates(insights),
        gates::versions(insights, frame, &names),
        timelines,
        features::change_sets(insights, &names),
        gates::quality(insights, frame),
        sections::definitions(),
        "</main>".to_owned(),
    ];
    let body = format!("{}\n{}", body.join("\n"), footer(frame));
    document(&title, &body)
}

/// A whole file. The policy is a second lock: even if markup got through, a browser would run and load nothing.
fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <title>{title}</title><style>\n{STYLE}</style></head><body>\n{body}</body></html>\n"
    )
}

/// The project that most of it is about.
fn home(insights: &Insights) -> Option<ProjectPath> {
    let features = insights.features.iter().map(|f| &f.feature.project);
    let change_sets = insights.change_sets.iter();
    let mut counts: BTreeMap<&ProjectPath, usize> = BTreeMap::new();
    for project in features.chain(change_sets.map(|c| &c.merge_request.project)) {
        *counts.entry(project).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(project, _)| project.clone())
}

/// What is on its way, oldest first, then what reached production, latest first.
fn in_reading_order(insights: &Insights) -> Vec<&FeatureFlow> {
    let (out, mut ordered): (Vec<&FeatureFlow>, Vec<&FeatureFlow>) = insights
        .features
        .iter()
        .partition(|feature| feature.stage == Stage::Released);
    let mut out = out;
    out.sort_by_key(|feature| std::cmp::Reverse(feature.since));
    ordered.extend(out);
    ordered
}

fn header(insights: &Insights, frame: &Frame, title: &str) -> String {
    let events = insights.events;
    let period = match insights.period.from {
        Some(from) => format!("{} to {}", instant(from), instant(insights.period.to)),
        None => format!("everything up to {}", instant(insights.period.to)),
    };
    let newest = events.last.map_or("no event at all".to_owned(), |last| {
        let age = seconds_between(last, insights.now).map(duration);
        let age = age.map_or("after this page".to_owned(), |age| {
            format!("{age} before this page")
        });
        format!("newest event {}, {age}", instant(last))
    });
    let data = frame.data_url.as_ref().map(|_| {
        let data = text::link(frame.data_url.as_ref(), "the events themselves");
        format!("<div><dt>Data</dt><dd>{data}</dd></div>")
    });
    format!(
        "<header><a class=\"skip\" href=\"#main\">Skip to the figures</a><h1>{title}</h1>\
         <p class=\"soft\">How features went from issue to production, from the events that Trainyard recorded. All times are UTC, \
         durations are elapsed time.</p>\
         <dl class=\"facts\">\
         <div><dt>Period</dt><dd>{period}</dd></div>\
         <div><dt>Made</dt><dd>{} by Trainyard {}</dd></div>\
         <div><dt>Freshness</dt><dd>{newest}</dd></div>\
         <div><dt>Events</dt><dd>{} read, {} unreadable, {} of others</dd></div>{}\
         <div class=\"wide\"><dt>Make it again</dt><dd><code>{}</code></dd></div></dl>\
         <nav aria-label=\"Sections\"><ul>{}</ul></nav></header>",
        instant(insights.now),
        brief(&frame.tool_version, 40),
        events.read,
        count(frame.unreadable.len(), "line"),
        frame.foreign,
        data.unwrap_or_default(),
        brief(&frame.rebuild, 400),
        sections::CONTENTS
            .iter()
            .map(|(id, name)| format!("<li><a href=\"#{id}\">{name}</a></li>"))
            .collect::<String>(),
    )
}

fn tiles(insights: &Insights) -> String {
    let spread = |spread: Option<super::Distribution>, noun: &str| match spread {
        Some(d) => (
            format!("{} <small>p50</small>", duration(d.p50)),
            format!("p85 {}, n = {}{}", duration(d.p85), d.n, tables::few(d.n)),
        ),
        None => ("–".to_owned(), format!("no {noun} in the period")),
    };
    let released = insights.features.iter().filter(|feature| {
        let release = feature.released.as_ref();
        release.is_some_and(|release| insights.period.holds(release.at))
    });
    let landed = insights.queue.exits.iter();
    let landed = landed
        .filter(|(kind, _)| *kind == ExitKind::Landed)
        .map(|(_, n)| n);
    let trials = &insights.trials;
    let rejected = match trials.rejected_share {
        Some(share) => (
            percent(part(share)),
            format!(
                "{} of {} with a verdict; 95 % interval {} to {}",
                share.count,
                share.of,
                percent(share.low),
                percent(share.high)
            ),
        ),
        None => (
            "–".to_owned(),
            "no trial with a verdict in the period".to_owned(),
        ),
    };
    let tiles = [
        (
            "In production",
            (
                released.count().to_string(),
                "features released in the period".to_owned(),
            ),
        ),
        (
            "Landed",
            (
                landed.sum::<usize>().to_string(),
                format!("change sets, {} joined the queue", insights.queue.joined),
            ),
        ),
        (
            "Trials",
            (
                (trials.validated + trials.rejected + trials.abandoned).to_string(),
                format!(
                    "{} validated, {} rejected, {} abandoned",
                    trials.validated, trials.rejected, trials.abandoned
                ),
            ),
        ),
        ("Trials rejected", rejected),
        ("Queue wait", spread(insights.queue.wait, "trial began")),
        (
            "Feature lead time",
            spread(insights.feature_lead_time, "feature was released"),
        ),
    ];
    let tiles = tiles.map(|(name, (value, detail))| {
        format!("<li><span class=\"name\">{name}</span><b>{value}</b><span>{detail}</span></li>")
    });
    format!(
        "<ul class=\"tiles\" aria-label=\"Key figures\">{}</ul>",
        tiles.concat()
    )
}

fn part(share: Share) -> f64 {
    share.count as f64 / share.of as f64
}

fn footer(frame: &Frame) -> String {
    format!(
        "<footer><p>Trainyard {}. These figures are of one service and are no target; they say nothing about any one person, and services \
         are not comparable by them.</p></footer>",
        brief(&frame.tool_version, 40)
    )
}
