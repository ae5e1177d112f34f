//! The orders below `queue`: hold, unhold, force, withdraw, pause, resume.

use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::domain::ids::ProjectPath;

/// An order of a person to the queue.
#[derive(Debug, Subcommand)]
pub enum QueueOrder {
    /// Do not try a merge request until it is free again; it keeps its rank.
    ///
    /// For its author and for whoever steers the queue (`integration.controlled_by`). A trial that goes on is not stopped by it: what it
    /// validates lands. `withdraw` stops that.
    Hold {
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened flags document themselves")]
        on: On,
        /// When the hold ends by itself: `2026-12-24T08:00:00Z`, `2026-12-24 08:00` by the project's clock, or `2d` from now.
        #[arg(
            long,
            value_name = "WHEN",
            default_value = "",
            hide_default_value = true
        )]
        until: OptionalUntil,
    },
    /// Let a held merge request be tried again. Authors take back only what they held themselves.
    Unhold(On),
    /// Try a merge request before all others.
    ///
    /// For whoever steers the queue. It changes the order and nothing else: links, validations and its trial are as for everybody.
    Force {
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened flags document themselves")]
        on: On,
        /// Try and land it during a freeze too.
        #[arg(long)]
        through_freeze: bool,
    },
    /// Take a merge request out of the queue, out of a trial that goes on too.
    ///
    /// For its author and for whoever steers the queue. The trial does not land then; the others of it wait again at their places.
    Withdraw(On),
    /// Take nothing new for a trial until the queue is resumed. What is under trial still lands.
    Pause(Why),
    /// Serve the queue again.
    Resume(Why),
}

/// Which merge request, and why.
#[derive(Debug, Args)]
pub struct On {
    /// The merge request, such as `!34` or `34`.
    #[arg(value_name = "MERGE REQUEST", value_parser = number)]
    pub merge_request: u64,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub why: Why,
}

/// Why.
#[derive(Debug, Args)]
pub struct Why {
    /// Why; people read it on the merge request. In a job it may come from the variable `TRAINYARD_REASON` instead. Needed for
    /// everything but `unhold` and `resume`.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// In a yard, the member that the merge request is of; pauses are of the whole yard.
    #[arg(long, value_name = "PROJECT", value_parser = super::yard::project)]
    pub member: Option<super::yard::OptionalProject>,
    /// The project, outside of a job of it; takes the address of GitLab from `--server`.
    #[arg(long, value_name = "PATH")]
    pub project: Option<ProjectPath>,
}

impl QueueOrder {
    /// Why, and in which project.
    pub fn why(&self) -> &Why {
        match self {
            Self::Hold { on, .. }
            | Self::Unhold(on)
            | Self::Force { on, .. }
            | Self::Withdraw(on) => &on.why,
            Self::Pause(why) | Self::Resume(why) => why,
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.trim();
    let digits = digits.strip_prefix('!').unwrap_or(digits);
    match digits.parse() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err("the number of a merge request looks like `!34` or `34`".to_owned()),
    }
}

/// An instant to come, as a person writes it, or none: pipeline inputs that nobody gave are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalUntil(pub Option<Until>);

/// An instant to come, as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// An instant.
    Instant(Timestamp),
    /// What a clock on the wall shows.
    Wall(DateTime),
    /// So much later than now; a day has 24 hours.
    After(SignedDuration),
}

impl Until {
    /// The instant, by the clock of a zone; none when there is no such instant.
    pub fn instant(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(at),
            Self::Wall(wall) => Some(wall.to_zoned(zone.clone()).ok()?.timestamp()),
            Self::After(time) => now.checked_add(time).ok(),
        }
    }
}

impl FromStr for OptionalUntil {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self(None));
        }
        let instant = || text.parse().ok().map(Until::Instant);
        let wall = || text.parse().ok().map(Until::Wall);
        let day = || {
            let date: Date = text.parse().ok()?;
            Some(Until::Wall(date.to_datetime(jiff::civil::Time::midnight())))
        };
        let later = || {
            let span: Span = text.parse().ok()?;
            let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
            (time > SignedDuration::ZERO).then_some(Until::After(time))
        };
        instant().or_else(wall).or_else(day).or_else(later).map(|until| Self(Some(until))).ok_or_else(|| {
            "an instant looks like `2026-12-24T08:00:00Z`, `2026-12-24 08:00`, `2026-12-24` or `2d`".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_people_write_them() {
        let now: Timestamp = "2026-12-20T10:00:00Z".parse().unwrap();
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (text, instant) in [
            ("2026-12-24T08:00:00Z", "2026-12-24T08:00:00Z"),
            ("2026-12-24 08:00", "2026-12-24T07:00:00Z"),
            ("2026-12-24", "2026-12-23T23:00:00Z"),
            ("2d", "2026-12-22T10:00:00Z"),
        ] {
            let OptionalUntil(Some(until)) = text.parse().unwrap() else {
                panic!("{text}")
            };
            assert_eq!(
                until.instant(now, &paris),
                Some(instant.parse().unwrap()),
                "{text}"
            );
        }
        assert_eq!("".parse(), Ok(OptionalUntil(None)));
        for text in ["soon", "-2d", "25:00"] {
            assert!(text.parse::<OptionalUntil>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_merge_request_is_named_by_its_number() {
        assert_eq!((number("!34"), number("34")), (Ok(34), Ok(34)));
        for text in ["", "!", "0", "34; id", "shop!34"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
