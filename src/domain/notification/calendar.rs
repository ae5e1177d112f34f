//! When people want to be left alone, and when they want their digest: by the clock on their wall.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Hours and days without messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// From this time of day on; with `to` equal, no hours are quiet.
    pub from: Time,
    /// Up to this one, on the next day when it is earlier.
    pub to: Time,
    /// Whole days.
    pub days: Vec<Weekday>,
}

/// A project's clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its time zone.
    pub zone: TimeZone,
    /// When it is quiet, if ever.
    pub quiet: Option<Quiet>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            quiet: None,
        }
    }
}

/// No quiet time is longer than this many changes between quiet and loud, or between days.
const MOST_STEPS: usize = 40;

impl Calendar {
    /// Whether it is quiet at an instant.
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        let Some(quiet) = &self.quiet else {
            return false;
        };
        let wall = at.to_zoned(self.zone.clone()).datetime();
        quiet.days.contains(&wall.date().weekday()) || quiet.holds(wall.time())
    }

    /// The first instant from `at` on at which it is not quiet: `at` itself when it is not.
    ///
    /// Where clocks are put forward, a quiet end that does not exist that day is the instant of the change.
    pub fn loud_from(&self, at: Timestamp) -> Timestamp {
        let mut instant = at;
        for _ in 0..MOST_STEPS {
            if !self.is_quiet(instant) {
                return instant;
            }
            instant = self.next_boundary(instant);
        }
        instant
    }

    /// The first instant after `at` at which the wall shows this time of day.
    ///
    /// A time that a change of clocks skips is taken as much later as the clocks were put forward.
    pub fn next(&self, time: Time, after: Timestamp) -> Timestamp {
        let today = after.to_zoned(self.zone.clone()).date();
        (0..3)
            .filter_map(|days| {
                self.instant(
                    today
                        .checked_add(i64::from(days).days())
                        .ok()?
                        .to_datetime(time),
                )
            })
            .find(|instant| *instant > after)
            .unwrap_or(after)
    }

    /// The next instant after a quiet one at which that can change.
    fn next_boundary(&self, at: Timestamp) -> Timestamp {
        let mut instants = vec![self.next(Time::midnight(), at)];
        if let Some(quiet) = &self.quiet {
            instants.push(self.next(quiet.to, at));
        }
        if let Some(change) = self.zone.following(at).next() {
            instants.push(change.timestamp());
        }
        let next = instants.into_iter().filter(|instant| *instant > at).min();
        next.unwrap_or_else(|| {
            at.saturating_add(SignedDuration::from_hours(1))
                .unwrap_or(Timestamp::MAX)
        })
    }

    fn instant(&self, wall: DateTime) -> Option<Timestamp> {
        wall.to_zoned(self.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    }
}

impl Quiet {
    fn holds(&self, time: Time) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;
    use proptest::prelude::*;

    fn paris() -> Calendar {
        Calendar {
            zone: TimeZone::get("Europe/Paris").unwrap(),
            quiet: Some(Quiet {
                from: time(19, 0, 0, 0),
                to: time(8, 0, 0, 0),
                days: vec![Weekday::Saturday, Weekday::Sunday],
            }),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nights_and_days_are_quiet_until_the_morning_after() {
        for (instant, loud) in [
            ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("2026-01-05T17:59:59Z", "2026-01-05T17:59:59Z"),
            ("2026-01-05T18:00:00Z", "2026-01-06T07:00:00Z"),
            ("2026-01-06T06:59:59Z", "2026-01-06T07:00:00Z"),
            // Friday evening: the weekend is quiet as a whole.
            ("2026-01-09T18:30:00Z", "2026-01-12T07:00:00Z"),
            ("2026-01-10T11:00:00Z", "2026-01-12T07:00:00Z"),
            // In summer Paris is two hours ahead.
            ("2026-07-06T17:30:00Z", "2026-07-07T06:00:00Z"),
        ] {
            assert_eq!(paris().loud_from(at(instant)), at(loud), "{instant}");
        }
    }

    #[test]
    fn a_change_of_clocks_moves_the_morning() {
        let mut calendar = paris();
        if let Some(quiet) = &mut calendar.quiet {
            quiet.days.clear();
            quiet.to = time(2, 30, 0, 0);
        }
        // 2026-03-29, 02:00 becomes 03:00: 02:30 does not exist, and it is loud from 03:00 on.
        assert_eq!(
            calendar.loud_from(at("2026-03-29T00:15:00Z")),
            at("2026-03-29T01:00:00Z")
        );
        // 2026-10-25, 03:00 becomes 02:00: 02:30 comes twice, and the first one counts.
        assert_eq!(
            calendar.loud_from(at("2026-10-25T00:00:00Z")),
            at("2026-10-25T00:30:00Z")
        );
    }

    #[test]
    fn a_digest_comes_at_its_time_of_the_wall() {
        let calendar = paris();
        let eight_thirty = time(8, 30, 0, 0);
        for (after, next) in [
            ("2026-01-05T07:29:59Z", "2026-01-05T07:30:00Z"),
            ("2026-01-05T07:30:00Z", "2026-01-06T07:30:00Z"),
            ("2026-03-28T12:00:00Z", "2026-03-29T06:30:00Z"),
        ] {
            assert_eq!(calendar.next(eight_thirty, at(after)), at(next));
        }
        // 02:15 is skipped on the day of the change.
        assert_eq!(
            calendar.next(time(2, 15, 0, 0), at("2026-03-28T12:00:00Z")),
            at("2026-03-29T01:15:00Z")
        );
    }

    proptest! {
        /// Whatever the hours, days and zone: what is loud is not quiet, comes no earlier, and comes within eight days.
        #[test]
        fn the_end_of_quiet_is_loud_and_not_before(
            second in 1_700_000_000i64..1_900_000_000,
            from in 0i8..24, to in 0i8..24,
            days in prop::sample::subsequence(vec![Weekday::Monday, Weekday::Tuesday, Weekday::Thursday, Weekday::Saturday, Weekday::Sunday], 0..=5),
            zone in prop::sample::select(vec!["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            let quiet = Quiet { from: time(from, 0, 0, 0), to: time(to, 0, 0, 0), days };
            let calendar = Calendar { zone: TimeZone::get(zone).unwrap(), quiet: Some(quiet) };
            let instant = Timestamp::from_second(second).unwrap();
            let loud = calendar.loud_from(instant);
            prop_assert!(!calendar.is_quiet(loud));
            prop_assert!(loud >= instant && loud.as_second() - second <= 8 * 86_400);
            if loud > instant {
                prop_assert!(calendar.is_quiet(instant));
                let before = Timestamp::from_second(loud.as_second() - 1).unwrap();
                prop_assert!(calendar.is_quiet(before));
            }
        }
    }
}
