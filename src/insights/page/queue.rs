//! The page of the queue now: what is tried, who waits, and when each may land, as one drawing with a table under it.

use jiff::{SignedDuration, Timestamp};

use super::charts::{Axis, BAR, LANE, TOP, WIDTH, patterns};
use super::document;
use super::sections::{section, soft};
use super::tables::{and_more, row, table, within};
use super::text::{brief, count, duration, escape, instant, link};
use crate::insights::numbers::seconds_between;

const ROWS: usize = 300_000;
const TITLE: usize = 80;
const WHY: usize = 600;
/// How many lanes a drawing holds before nobody reads it.
const LANES: usize = 40;

/// Everything that the page shows, in words. All of it may be untrusted text.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The name of the environment.
    pub environment: String,
    /// Who has it, and whether somebody serves it.
    pub holder: String,
    /// Where its pipeline is seen.
    pub holder_url: Option<String>,
    /// Since when it is taken.
    pub taken_since: Option<Timestamp>,
    /// What is tried, or landing.
    pub trial: Option<SheetTrial>,
    /// Who waits, best first.
    pub lines: Vec<SheetLine>,
    /// What the times are made of, or why there are none.
    pub basis: String,
    /// The instant of the page.
    pub now: Timestamp,
    /// The last event of the log.
    pub newest: Timestamp,
    /// The version of this program.
    pub tool_version: String,
}

/// The trial going on.
#[derive(Debug, Clone)]
pub struct SheetTrial {
    /// Its number.
    pub number: String,
    /// The commit under trial.
    pub commit: String,
    /// Since when.
    pub since: Timestamp,
    /// `running`, or `validated, landing`.
    pub state: &'static str,
    /// Its change sets.
    pub lines: Vec<SheetLine>,
}

/// A change set.
#[derive(Debug, Clone)]
pub struct SheetLine {
    /// Its place in the queue; none of one under trial.
    pub rank: Option<usize>,
    /// How it is called.
    pub name: String,
    /// Where a person reads it.
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// Its lane.
    pub lane: String,
    /// Since when it is in the queue.
    pub since: Timestamp,
    /// When it lands: as likely before as after, and with 85 %.
    pub landing: Option<(Timestamp, Timestamp)>,
    /// Why it waits.
    pub why: String,
}

/// The page. It is one file that needs nothing else, reads without colours and without the drawing, and prints.
pub fn queue_page(sheet: &Sheet) -> String {
    let title = format!("The queue of {}", brief(&sheet.environment, 60));
    let body = [
        header(sheet, &title),
        format!("<main id=\"main\">{}", patterns()),
        tiles(sheet),
        drawing(sheet),
        under_test(sheet),
        waiting(sheet),
        "</main>".to_owned(),
        format!(
            "<footer><p>Made by Trainyard {} from the log alone. Times of landing are forecasts, not promises.</p></footer>",
            brief(&sheet.tool_version, 40)
        ),
    ];
    document(&title, &body.join("\n"))
}

fn header(sheet: &Sheet, title: &str) -> String {
    let age = seconds_between(sheet.newest, sheet.now).map_or(String::new(), |seconds| {
        format!(", {} before this page", duration(seconds))
    });
    format!(
        "<header><a class=\"skip\" href=\"#main\">Skip to the queue</a><h1>{title}</h1>\
         <p class=\"soft\">One trial at a time has the environment. All times are UTC.</p>\
         <dl class=\"facts\"><div><dt>As of</dt><dd>{}</dd></div>\
         <div><dt>Newest event</dt><dd>{}{age}</dd></div>\
         <div class=\"wide\"><dt>Environment</dt><dd>{}</dd></div>\
         <div class=\"wide\"><dt>Forecast</dt><dd>{}</dd></div></dl></header>",
        instant(sheet.now),
        instant(sheet.newest),
        link(sheet.holder_url.as_ref(), &brief(&sheet.holder, 300)),
        brief(&sheet.basis, 300),
    )
}

fn tiles(sheet: &Sheet) -> String {
    let lasting = |since: Timestamp| seconds_between(since, sheet.now).map(duration);
    let taken = sheet.taken_since.and_then(lasting);
    let tested = sheet.trial.as_ref().map_or(0, |trial| trial.lines.len());
    let oldest = sheet.lines.iter().map(|line| line.since).min();
    let last = sheet.lines.last().and_then(|line| line.landing);
    let tiles = [
        (
            "Environment",
            taken.map_or("free".to_owned(), |taken| format!("taken {taken}")),
            sheet
                .trial
                .as_ref()
                .map_or("no trial".to_owned(), |trial| trial.state.to_owned()),
        ),
        (
            "Under test",
            tested.to_string(),
            "change sets in the trial".to_owned(),
        ),
        (
            "Waiting",
            sheet.lines.len().to_string(),
            oldest
                .and_then(lasting)
                .map_or("nobody".to_owned(), |age| format!("the oldest for {age}")),
        ),
        (
            "The last one lands",
            last.and_then(|(p50, _)| seconds_between(sheet.now, p50))
                .map_or("–".to_owned(), |seconds| {
                    format!("in {}", duration(seconds))
                }),
            last.map_or("no forecast".to_owned(), |(p50, p85)| {
                format!("{}, by {} at 85 %", instant(p50), instant(p85))
            }),
        ),
    ];
    let tiles = tiles.map(|(name, value, detail)| {
        format!("<li><span class=\"name\">{name}</span><b>{value}</b><span>{detail}</span></li>")
    });
    format!(
        "<ul class=\"tiles\" aria-label=\"Key figures\">{}</ul>",
        tiles.concat()
    )
}

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

fn drawing(sheet: &Sheet) -> String {
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

fn under_test(sheet: &Sheet) -> String {
    let Some(trial) = &sheet.trial else {
        return section(
            "trial",
            "Under test",
            false,
            &[soft("No trial is running.")],
        );
    };
    let rows: String = trial
        .lines
        .iter()
        .map(|line| cells(line, sheet.now))
        .collect();
    let since = seconds_between(trial.since, sheet.now).map_or(String::new(), duration);
    section(
        "trial",
        "Under test",
        false,
        &[
            format!(
                "<p>Trial {}, {} for {since}, at <code>{}</code>.</p>",
                brief(&trial.number, 20),
                trial.state,
                brief(&trial.commit, 64)
            ),
            table("The change sets of the trial", &HEADERS[..8], &rows),
        ],
    )
}

const HEADERS: [&str; 9] = [
    "change set",
    "place",
    "in the queue for",
    "lands",
    "by, at 85 %",
    "lane*",
    "author*",
    "title*",
    "waits because*",
];

fn waiting(sheet: &Sheet) -> String {
    let rows = sheet.lines.iter().map(|line| cells(line, sheet.now));
    let (rows, more) = within(ROWS, rows);
    let content = if rows.is_empty() {
        soft("Nothing waits.")
    } else {
        table("Who waits, in the order of service", &HEADERS, &rows)
    };
    section("waiting", "Waiting", true, &[content, and_more(more)])
}

fn cells(line: &SheetLine, now: Timestamp) -> String {
    let (p50, p85) = match line.landing {
        Some((p50, p85)) => (instant(p50), instant(p85)),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let mut texts = vec![
        escape(&line.lane),
        brief(&line.author, 60),
        format!("<bdi>{}</bdi>", brief(&line.title, TITLE)),
    ];
    if line.rank.is_some() {
        texts.push(brief(&line.why, WHY));
    }
    row(
        &link(line.url.as_ref(), &brief(&line.name, 80)),
        &[
            line.rank.map_or("–".to_owned(), |rank| rank.to_string()),
            seconds_between(line.since, now).map_or("–".to_owned(), duration),
            p50,
            p85,
        ],
        &texts,
    )
}
