//! The drawing: a lane for each change set, how long it has waited or been tried, and when it may land.

use jiff::{SignedDuration, Timestamp};

use super::{Sheet, SheetLine};
use crate::insights::numbers::seconds_between;
use crate::insights::page::charts::{Axis, BAR, LANE, TOP, WIDTH};
use crate::insights::page::sections::{section, soft};
use crate::insights::page::text::{brief, count, duration, instant};

/// How many lanes a drawing holds before nobody reads it.
const LANES: usize = 40;

/// The lanes of the drawing: what is under test, then who waits.
fn lanes(sheet: &Sheet) -> Vec<(&SheetLine, Option<Timestamp>)> {
    let tested = sheet.trial.iter().flat_map(|trial| {
        let since = trial.since;
        trial.lines.iter().map(move |line| (line, Some(since)))
    });
    let waiting = sheet.lines.iter().map(|line| (line, None));
    tested.chain(waiting).take(LANES).collect()
}

/// As much of the past as of the future, so that the forecast has room.
fn axis(lanes: &[(&SheetLine, Option<Timestamp>)], now: Timestamp) -> Axis {
    const LEAST: SignedDuration = SignedDuration::from_mins(30);
    let ends = lanes.iter().filter_map(|(line, _)| line.landing);
    let to = ends.map(|(_, p85)| p85).max().unwrap_or(now).max(now);
    let room = to.duration_since(now).max(LEAST);
    let first = lanes.iter().map(|(line, _)| line.since).min();
    let earliest = now.checked_sub(room).unwrap_or(now);
    Axis {
        from: first.unwrap_or(now).min(now).max(earliest),
        to: to.max(now.checked_add(SignedDuration::from_mins(5)).unwrap_or(to)),
    }
}

pub(super) fn drawing(sheet: &Sheet) -> String {
    let lanes = lanes(sheet);
    if lanes.is_empty() {
        return section(
            "now",
            "Now",
            false,
            &[soft("Nothing is tried, and nothing waits.")],
        );
    }
    let axis = axis(&lanes, sheet.now);
    let bottom = TOP + LANE * lanes.len() as f64;
    let now = axis.x(sheet.now);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"One lane per change set: how long it has waited or been tried, and when it may land; the tables below hold the same\">{}\
         <path d=\"M{now:.1} {TOP}V{bottom}\" class=\"now\"/><text x=\"{now:.1}\" y=\"{:.0}\" class=\"axis\" text-anchor=\"middle\">now, {} UTC</text>",
        bottom + 22.0,
        axis.grid(bottom),
        bottom + 15.0,
        instant(sheet.now)
    );
    let mut middle = TOP + LANE / 2.0;
    for (line, tried_since) in &lanes {
        svg.push_str(&lane(line, *tried_since, &axis, sheet.now, middle));
        middle += LANE;
    }
    svg.push_str("</svg>");
    let all = sheet.lines.len() + sheet.trial.as_ref().map_or(0, |trial| trial.lines.len());
    let left_out = all - lanes.len();
    let more = match left_out {
        0 => String::new(),
        n => soft(&format!(
            "And {}, in the table.",
            count(n, "more change set")
        )),
    };
    section(
        "now",
        "Now",
        false,
        &[
            format!(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The queue as a drawing\">{svg}</div>"
            ),
            legend(),
            more,
        ],
    )
}

fn legend() -> String {
    let bar = |class: &str, letter: &str, meaning: &str| {
        format!(
            "<li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\"><rect width=\"26\" height=\"16\" class=\"{class}\"/>\
             <text x=\"13\" y=\"12\" class=\"letter\">{letter}</text></svg>{meaning}</li>"
        )
    };
    format!(
        "<ul class=\"legend\">{}{}<li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\">{}</svg>lands: as likely before as after</li>\
         <li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\">{}</svg>lands by then at 85 %</li></ul>",
        bar("s3", "Q", "waits (striped)"),
        bar("s4", "T", "under test"),
        dot(13.0, 8.0),
        wedge(13.0, 8.0)
    )
}

fn lane(
    line: &SheetLine,
    tried_since: Option<Timestamp>,
    axis: &Axis,
    now: Timestamp,
    middle: f64,
) -> String {
    const LABEL: usize = 36;
    let place = line.rank.map_or(String::new(), |rank| format!("{rank}. "));
    let name = format!("{place}{}", line.name);
    let room = LABEL.saturating_sub(name.chars().count() + 1).max(8);
    let mut svg = format!(
        "<text x=\"0\" y=\"{:.0}\"><tspan font-weight=\"600\">{}</tspan> {}</text>",
        middle + 4.0,
        brief(&name, 30),
        brief(&line.title, room)
    );
    let waited_until = tried_since.unwrap_or(now);
    svg.push_str(&bar(axis, line.since, waited_until, "s3", 'Q', middle));
    if let Some(since) = tried_since {
        svg.push_str(&bar(axis, since, now, "s4", 'T', middle));
    }
    if let Some((p50, p85)) = line.landing {
        let (from, half, most) = (axis.x(now), axis.x(p50), axis.x(p85));
        svg.push_str(&format!(
            "<path d=\"M{from:.1} {middle}H{most:.1}\" class=\"link\"/><g><title>lands {}, by {} at 85 %</title>{}{}</g>",
            instant(p50),
            instant(p85),
            wedge(most, middle),
            dot(half, middle)
        ));
    }
    svg
}

fn bar(
    axis: &Axis,
    from: Timestamp,
    to: Timestamp,
    class: &str,
    letter: char,
    middle: f64,
) -> String {
    let (start, end) = (axis.x(from), axis.x(to));
    if to <= from || end - start < 0.5 {
        return String::new();
    }
    let lasted = seconds_between(from, to).map_or(String::new(), duration);
    let what = if letter == 'Q' {
        "waited"
    } else {
        "under test for"
    };
    let mut svg = format!(
        "<rect x=\"{start:.1}\" y=\"{:.0}\" width=\"{:.1}\" height=\"{BAR}\" class=\"{class}\"><title>{what} {lasted}</title></rect>",
        middle - BAR / 2.0,
        end - start
    );
    if end - start > 16.0 {
        svg.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.0}\" class=\"letter\">{letter}</text>",
            f64::midpoint(start, end),
            middle + 4.0
        ));
    }
    svg
}

fn dot(x: f64, y: f64) -> String {
    format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\" class=\"p50\"/>")
}

fn wedge(x: f64, y: f64) -> String {
    format!(
        "<path d=\"M{x:.1} {:.1}l6 11h-12z\" class=\"p85\"/>",
        y - 6.0
    )
}
