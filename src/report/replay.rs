//! A history and its replays, as a person reads them, and as JSON.

use serde_json::json;

use crate::domain::trials::Policy;
use crate::simulate::past::Past;
use crate::simulate::replay::Column;

use super::progress::moment;

/// What was replayed, and what of it was left out.
pub fn replay_about(past: &Past, policy: Policy) -> Vec<String> {
    let left = past.left_out;
    let hours = |seconds: f64| format!("{:.1} h", seconds / 3_600.0);
    let still = past.still_seconds();
    let mut about = vec![
        format!(
            "{} change sets and {} trials from {} to {}",
            past.changes.len(),
            past.trials.len(),
            moment(past.from),
            moment(past.to)
        ),
        format!(
            "left out: {} withdrawn, {} that did not apply, {} not decided by the end",
            left.withdrawn, left.conflicted, left.open
        ),
        format!(
            "replayed with batches up to {}, strikes {}",
            policy.batch_max, policy.strikes
        ),
    ];
    if !past.still.is_empty() {
        about.push(format!(
            "stood still {} times, {} in all, by {} trials that came to nothing and by long pauses; so it does in every replay",
            past.still.len(),
            hours(still),
            past.without_effect
        ));
    }
    if past.largest > policy.batch_max {
        about.push(format!(
            "the largest trial held {} change sets: give the `--batch-max` that was in force, or the replay is not of what was",
            past.largest
        ));
    }
    about
}

/// The table: a row a figure, a column a replay.
pub fn replay_table(past: &Past, columns: &[Column], policy: Policy) -> String {
    let mut table = vec![head(columns)];
    table.extend(replay_rows(columns));
    let widths: Vec<usize> = (0..=columns.len())
        .map(|n| table.iter().map(|row| row[n].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(n, (cell, width))| match n {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = replay_about(past, policy);
    lines.push(String::new());
    lines.extend(table.iter().map(line));
    lines.join("\n")
}

fn head(columns: &[Column]) -> Vec<String> {
    let names = columns.iter().map(|column| column.name.clone());
    [String::new()].into_iter().chain(names).collect()
}

/// The figures of every column, each row with its name first.
pub fn replay_rows(columns: &[Column]) -> Vec<Vec<String>> {
    type Figure = (&'static str, fn(&Column) -> String);
    let figures: [Figure; 8] = [
        ("turnaround, mean", |c| time(c.mean)),
        ("turnaround, P50", |c| {
            c.turnaround.map_or("–".to_owned(), |d| time(d.p50 as f64))
        }),
        ("turnaround, P85", |c| {
            c.turnaround.map_or("–".to_owned(), |d| time(d.p85 as f64))
        }),
        ("turnaround, P95", |c| {
            c.turnaround.map_or("–".to_owned(), |d| time(d.p95 as f64))
        }),
        ("trials per landed", |c| {
            format!("{:.2}", c.trials_per_landed)
        }),
        ("trials", |c| c.trials.to_string()),
        ("landed, rejected", |c| {
            format!("{}, {}", c.landed, c.rejected)
        }),
        ("environment taken", |c| format!("{:.0} %", c.taken * 100.0)),
    ];
    let row = |(name, of): &Figure| {
        let cells = columns.iter().map(of);
        [(*name).to_owned()].into_iter().chain(cells).collect()
    };
    figures.iter().map(row).collect()
}

fn time(seconds: f64) -> String {
    match seconds {
        ..60.0 => format!("{seconds:.0} s"),
        60.0..36_000.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// The same for programs. Fields are only ever added; what they mean is in `docs/queue.md`.
pub fn replay_json(past: &Past, columns: &[Column]) -> String {
    format!(
        "{:#}",
        json!({
            "format": 1,
            "history": {
                "from": past.from, "to": past.to, "change_sets": past.changes.len(), "trials": past.trials.len(),
                "left_out": past.left_out, "trials_without_effect": past.without_effect,
                "stood_still_seconds": past.still_seconds().round(), "largest_trial": past.largest,
            },
            "columns": columns,
        })
    )
}
