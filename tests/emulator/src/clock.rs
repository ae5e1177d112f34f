//! The emulator's own time: real unless a test sets it, and the text forms GitLab gives to instants.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

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
    fn a_set_clock_moves_only_when_advanced() {
        let clock = Clock::default();
        clock.set("2026-01-05T10:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(iso(clock.now()), "2026-01-05T10:01:30.000Z");
    }
}
