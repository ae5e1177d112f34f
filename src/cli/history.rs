//! Flags of commands that read what happened, from the archive and the log.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Flags of `events`.
#[derive(Debug, Clone, Args)]
pub struct Events {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub span: Span,
}

/// How far back.
#[derive(Debug, Clone, Default, Args)]
pub struct Span {
    /// Leave out what happened before this day (UTC); packages of the archive that were made before it are not even read.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub since: Option<Timestamp>,
}

impl Span {
    /// Its beginning.
    pub fn begins(&self) -> Timestamp {
        self.since.unwrap_or(Timestamp::MIN)
    }
}

fn day(text: &str) -> Result<Timestamp, String> {
    let day: Option<Date> = text.parse().ok();
    let midnight = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    midnight
        .map(|midnight| midnight.timestamp())
        .ok_or_else(|| "it is no day such as `2026-01-31`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_day_begins_at_midnight_of_utc() {
        assert_eq!(
            day("2026-01-31").unwrap().to_string(),
            "2026-01-31T00:00:00Z"
        );
        for bad in ["", "yesterday", "2026-02-30"] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }
}

/// Flags of `report`.
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub span: Span,
    /// More events, from the artifacts of jobs (`trainyard-events.ndjson`).
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Read only the files of `--events`, not the state.
    #[arg(long, requires = "events")]
    pub offline: bool,
    /// Where the page is written.
    #[arg(long, value_name = "FILE", default_value = "trainyard-report.html")]
    pub output: PathBuf,
    /// Print the numbers as JSON instead of writing a page.
    #[arg(long)]
    pub json: bool,
}
