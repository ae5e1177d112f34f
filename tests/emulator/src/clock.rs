//! The emulator's own time: real unless a test sets it, and the text forms GitLab gives to instants.

use std::sync::{Mutex, PoisonError};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Where the emulator reads the time.
#[derive(Debug, Default)]
pub struct Clock {
    source: Mutex<Source>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Real { ahead: SignedDuration },
    Fixed(Timestamp),
}

impl Default for Source {
    fn default() -> Self {
        Self::Real {
            ahead: SignedDuration::ZERO,
        }
    }
}

impl Clock {
    /// The current time, cut to milliseconds as GitLab stores it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the emulator reads the time"
    )]
    pub fn now(&self) -> Timestamp {
        let now = match *self.source.lock().unwrap_or_else(PoisonError::into_inner) {
            Source::Real { ahead } => Timestamp::now()
                .saturating_add(ahead)
                .unwrap_or(Timestamp::MAX),
            Source::Fixed(at) => at,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Stops the clock at `at`; only `advance` and `set` move it from then on.
    pub fn set(&self, at: Timestamp) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = Source::Fixed(at);
    }

    /// Moves the clock forward, running or stopped.
    pub fn advance(&self, by: SignedDuration) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        *source = match *source {
            Source::Real { ahead } => Source::Real {
                ahead: ahead.saturating_add(by),
            },
            Source::Fixed(at) => Source::Fixed(at.saturating_add(by).unwrap_or(Timestamp::MAX)),
        };
    }
}

/// `2026-01-05T10:00:00.000Z`, the form of nearly all instants of the API.
pub fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2026-01-05T10:00:00.000+00:00`, the form of the dates of commits.
pub fn iso_with_offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}

/// An instant as clients write it: ISO 8601 with or without a zone or a time of day, UTC by default.
pub fn parse(text: &str) -> Option<Timestamp> {
    let local = || text.parse::<DateTime>().ok();
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok();
    text.parse()
        .ok()
        .or_else(|| Some(utc(local()?)?.timestamp()))
}

/// The UTC calendar day of an instant.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_three_decimals_and_z() {
        let at: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
        assert_eq!(iso(at), "2026-01-05T10:00:00.000Z");
        assert_eq!(iso_with_offset(at), "2026-01-05T10:00:00.000+00:00");
    }

    #[test]
    fn instants_are_read_in_the_forms_that_clients_send() {
        for text in [
            "2026-01-05T10:00:00Z",
            "2026-01-05T11:00:00+01:00",
            "2026-01-05T10:00:00",
            "2026-01-05 10:00:00",
        ] {
            assert_eq!(
                parse(text).map(iso).as_deref(),
                Some("2026-01-05T10:00:00.000Z"),
                "{text}"
            );
        }
        assert_eq!(
            parse("2026-01-05").map(iso).as_deref(),
            Some("2026-01-05T00:00:00.000Z")
        );
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn a_set_clock_moves_only_when_advanced() {
        let clock = Clock::default();
        clock.set("2026-01-05T10:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(iso(clock.now()), "2026-01-05T10:01:30.000Z");
    }
}
