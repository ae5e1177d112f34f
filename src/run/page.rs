//! The `report` command: what happened, drawn as one page.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Printed;
use super::desk::with_desk;
use crate::cli::{Global, Report};
use crate::clock::SystemClock;
use crate::domain::event::Event;
use crate::domain::ids::FeatureId;
use crate::files;
use crate::gitlab::Trust;
use crate::insights::page::{Frame, page};
use crate::insights::{self, Insights, Period};
use crate::jobs::{Desk, archive};
use crate::outcome::Problem;
use crate::ports::{Answer, Clock};
use crate::sinks::cloud_event;

/// Draws what happened, from the log and from the events that jobs left as artifacts.
pub(super) fn draw(global: &Global, flags: &Report) -> Answer<Printed> {
    let mut events = Vec::new();
    let mut frame = Frame {
        rebuild: rebuild_command(flags),
        ..own_frame()
    };
    if !flags.offline {
        let (history, titles, urls) = with_desk(global, Trust::Gate, |desk| {
            let history = archive::history(desk.journal, flags.span.begins())?;
            let (titles, urls) = titles(desk, &history.events)?;
            Ok((history, titles, urls))
        })?;
        for missing in &history.missing {
            tracing::warn!("the report is not whole: {missing}");
        }
        (events, frame.missing) = (history.events, history.missing);
        (frame.titles, frame.urls) = (titles, urls);
    }
    for path in &flags.events {
        let reading = cloud_event::read_lines(&files::read(path)?);
        for bad in &reading.bad {
            tracing::warn!(file = %path.display(), line = bad.number, problem = %bad.error, "not an event; left out");
        }
        frame.unreadable.extend(
            reading
                .bad
                .iter()
                .map(|bad| (bad.number, bad.error.to_string())),
        );
        frame.foreign += reading.foreign.len();
        events.extend(reading.events);
    }
    let insights = all_of(&events, SystemClock.now());
    if flags.json {
        let text = serde_json::to_string_pretty(&insights)
            .map_err(|error| Problem::bug("the insights cannot be written").caused_by(error))?;
        return Ok(Printed::text(text));
    }
    let rejected = frame.unreadable.len();
    files::write_whole(&flags.output, &page(&insights, &frame))?;
    let note = if rejected > 0 {
        format!("; {rejected} lines were no events and are named on the page")
    } else {
        String::new()
    };
    Ok(Printed::text(format!(
        "wrote `{}` from {} events{note}",
        flags.output.display(),
        insights.events.read
    )))
}

/// The page of these events, for features whose titles are known.
pub fn page_of(events: &[Event], titles: BTreeMap<FeatureId, String>, now: Timestamp) -> String {
    page(
        &all_of(events, now),
        &Frame {
            titles,
            rebuild: "trainyard demo --keep DIR".to_owned(),
            ..own_frame()
        },
    )
}

fn all_of(events: &[Event], now: Timestamp) -> Insights {
    insights::insights(
        events,
        now,
        Period {
            from: None,
            to: now,
        },
    )
}

fn own_frame() -> Frame {
    Frame {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Frame::default()
    }
}

/// Titles and addresses of the features that everybody who reads the page may know.
fn titles(
    desk: &Desk<'_>,
    events: &[Event],
) -> Answer<(BTreeMap<FeatureId, String>, BTreeMap<FeatureId, String>)> {
    let ids: BTreeSet<FeatureId> = events
        .iter()
        .flat_map(|event| event.fact.features())
        .collect();
    let sights = desk.features.sights(&ids.into_iter().collect::<Vec<_>>())?;
    let open = || {
        sights
            .values()
            .filter_map(|sight| sight.seen())
            .filter(|feature| !feature.confidential)
    };
    let titles = open()
        .map(|feature| (feature.id.clone(), feature.title.clone()))
        .collect();
    Ok((
        titles,
        open()
            .map(|feature| (feature.id.clone(), feature.url.clone()))
            .collect(),
    ))
}

fn rebuild_command(flags: &Report) -> String {
    let files: Vec<String> = flags
        .events
        .iter()
        .map(|path| format!(" --events {}", path.display()))
        .collect();
    format!(
        "trainyard report{}{}",
        if flags.offline { " --offline" } else { "" },
        files.concat()
    )
}
