//! The page of the queue now: what is tried, who waits, and when each may land, as one drawing with a table under it.

mod drawing;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::charts::patterns;
use super::document;
use super::sections::{section, soft};
use super::tables::{and_more, row, table, within};
use super::text::{brief, duration, escape, instant, link};
use crate::insights::numbers::seconds_between;

const ROWS: usize = 300_000;
const TITLE: usize = 80;
const WHY: usize = 600;

/// Everything that the page shows, in words. All of it may be untrusted text.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The name of the environment.
    pub environment: String,
    /// Who has it, and whether somebody serves it.
    pub holder: String,
    /// Where its pipeline is seen.
    pub holder_url: Option<String>,
    /// Whose verdict the trial waits for, if it waits for one.
    pub verdict: Option<String>,
    /// Who paused the queue, if somebody did.
    pub paused: Option<String>,
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
    /// `running`, `waits for a verdict`, or `validated, landing`.
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
        drawing::drawing(sheet),
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
    let newest = if sheet.newest == Timestamp::UNIX_EPOCH {
        "none yet".to_owned()
    } else {
        let age = seconds_between(sheet.newest, sheet.now);
        let age = age.map_or(String::new(), |seconds| {
            format!(", {} before this page", duration(seconds))
        });
        instant(sheet.newest) + &age
    };
    format!(
        "<header><a class=\"skip\" href=\"#main\">Skip to the queue</a><h1>{title}</h1>\
         <p class=\"soft\">One trial at a time has the environment. All times are UTC.</p>\
         <dl class=\"facts\"><div><dt>As of</dt><dd>{}</dd></div>\
         <div><dt>Newest event</dt><dd>{newest}</dd></div>\
         <div class=\"wide\"><dt>Environment</dt><dd>{}</dd></div>\
         {}{}<div class=\"wide\"><dt>Forecast</dt><dd>{}</dd></div></dl></header>",
        instant(sheet.now),
        link(sheet.holder_url.as_ref(), &brief(&sheet.holder, 300)),
        fact("Verdict", sheet.verdict.as_deref()),
        fact("Paused", sheet.paused.as_deref()),
        brief(&sheet.basis, 300),
    )
}

/// A line of the header, where there is something to say.
fn fact(name: &str, words: Option<&str>) -> String {
    words.map_or_else(String::new, |words| {
        let words = brief(words, WHY);
        format!("<div class=\"wide\"><dt>{name}</dt><dd>{words}</dd></div>")
    })
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
