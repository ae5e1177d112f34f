//! The page of a replayed history: how long change sets took, and how many waited, as it was and as it would have been.

use jiff::{SignedDuration, Timestamp};

use super::charts::{Axis, LABELS, TOP, WIDTH, percentiles};
use super::document;
use super::sections::{section, soft};
use super::tables::{row, table};
use super::text::{brief, instant};
use crate::simulate::past::Past;
use crate::simulate::replay::Column;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    /// The history.
    pub past: &'a Past,
    /// As it was first, then its replays.
    pub columns: &'a [Column],
    /// What was replayed, and what was left out.
    pub about: Vec<String>,
    /// The figures of every column, each row with its name first.
    pub rows: Vec<Vec<String>>,
    /// The instant of the page.
    pub now: Timestamp,
    /// The version of this program.
    pub tool_version: &'a str,
}

/// The height of a strip, and of the drawing in it.
const STRIP: f64 = 64.0;
const DRAWN: f64 = 48.0;
/// How many points a strip has.
const POINTS: usize = 280;

/// The page: one file that needs nothing else.
pub fn what_if_page(picture: &Picture<'_>) -> String {
    let title = "What if: the queue's history, played again";
    let about: String = picture
        .about
        .iter()
        .map(|line| soft(&brief(line, 400)))
        .collect();
    let body = [
        format!(
            "<header><a class=\"skip\" href=\"#main\">Skip to the figures</a><h1>{title}</h1>{about}<p class=\"soft\">Made {} UTC by Trainyard {}.</p></header><main id=\"main\">",
            instant(picture.now),
            brief(picture.tool_version, 40)
        ),
        turnaround(picture.columns),
        waiting(picture),
        figures(picture),
        "</main><footer><p>A replay knows which change sets were bad and how long trials took; it does not know what people would have done \
         otherwise.</p></footer>"
            .to_owned(),
    ];
    document(title, &body.join("\n"))
}

fn turnaround(columns: &[Column]) -> String {
    let measures: Vec<_> = columns
        .iter()
        .filter_map(|column| Some((brief_name(&column.name), column.turnaround?)))
        .collect();
    let drawing = percentiles(&measures);
    section(
        "turnaround",
        "From joining the queue to landing",
        false,
        &[format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Turnaround\">{drawing}</div>"
        )],
    )
}

/// `percentiles` escapes; a name only must not be long.
fn brief_name(name: &str) -> String {
    name.chars().take(36).collect()
}

/// How many were in the queue, over time: one strip each, all on the same scale.
fn waiting(picture: &Picture<'_>) -> String {
    let columns = picture.columns;
    let ends = columns.iter().flat_map(|column| &column.stays);
    let length = ends.map(|(_, to)| *to).fold(1.0, f64::max);
    let levels: Vec<Vec<usize>> = columns
        .iter()
        .map(|column| levels(column, length))
        .collect();
    let highest = levels.iter().flatten().copied().max().unwrap_or(0).max(1);
    let to = SignedDuration::try_from_secs_f64(length).ok();
    let to = to.and_then(|length| picture.past.from.checked_add(length).ok());
    let axis = Axis {
        from: picture.past.from,
        to: to.unwrap_or(picture.past.to),
    };
    let bottom = TOP + STRIP * columns.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"How many change sets were in the queue over time, one strip per column of the table below; at most {highest}\">{}",
        bottom + 10.0,
        axis.grid(bottom)
    );
    for (n, (column, levels)) in columns.iter().zip(&levels).enumerate() {
        let base = TOP + STRIP * (n as f64 + 1.0) - 6.0;
        let most = levels.iter().copied().max().unwrap_or(0);
        svg.push_str(&format!(
            "<text x=\"0\" y=\"{:.0}\"><tspan font-weight=\"600\">{}</tspan></text><text x=\"0\" y=\"{:.0}\" class=\"axis\">at most {most}</text>{}",
            base - DRAWN / 2.0,
            brief(&column.name, 36),
            base - DRAWN / 2.0 + 16.0,
            area(levels, highest, base, if n == 0 { "s4" } else { "s0" })
        ));
    }
    svg.push_str("</svg>");
    section(
        "waiting",
        "How many were in the queue",
        false,
        &[format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Length of the queue over time\">{svg}</div>"
        )],
    )
}

/// The most that were in the queue at once in each slice of the time.
fn levels(column: &Column, length: f64) -> Vec<usize> {
    let slice = |at: f64| ((at / length * POINTS as f64) as usize).min(POINTS - 1);
    let mut steps: Vec<(f64, i64)> = column
        .stays
        .iter()
        .flat_map(|(from, to)| [(*from, 1), (*to, -1)])
        .collect();
    // At one instant whoever leaves goes first.
    steps.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let (mut levels, mut level, mut at) = (vec![0usize; POINTS], 0i64, 0usize);
    for (when, step) in steps {
        let now = usize::try_from(level).unwrap_or(0);
        let next = slice(when);
        for passed in &mut levels[at..=next] {
            *passed = (*passed).max(now);
        }
        level += step;
        at = next;
        levels[at] = levels[at].max(usize::try_from(level).unwrap_or(0));
    }
    levels
}

fn area(levels: &[usize], highest: usize, base: f64, class: &str) -> String {
    // The margin of the axis, on which the strips lie.
    let step = (WIDTH - LABELS - 70.0) / POINTS as f64;
    let mut path = format!("M{LABELS:.1} {base:.1}");
    for (n, level) in levels.iter().enumerate() {
        let x = LABELS + step * n as f64;
        let y = base - DRAWN * *level as f64 / highest as f64;
        path.push_str(&format!("L{x:.1} {y:.1}H{:.1}", x + step));
    }
    format!(
        "<path d=\"{path}V{base:.1}Z\" class=\"{class}\"/><path d=\"M{LABELS} {base:.1}H{:.1}\" class=\"grid\"/>",
        WIDTH - 70.0
    )
}

fn figures(picture: &Picture<'_>) -> String {
    let columns = picture.columns.iter();
    let names: Vec<String> = columns.map(|column| brief(&column.name, 60)).collect();
    let mut headers = vec!["figure"];
    headers.extend(names.iter().map(String::as_str));
    let rows: String = picture
        .rows
        .iter()
        .map(|cells| row(&cells[0], &cells[1..], &[]))
        .collect();
    section(
        "figures",
        "Figures",
        false,
        &[table("As it was, replayed, and what if", &headers, &rows)],
    )
}
