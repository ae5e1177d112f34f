//! Cron lines as GitLab reads them: five fields with lists, ranges, steps and names, in a time zone.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A date such as 30 February never comes: a search gives up after this many days (a leap day may be eight years away).
const HORIZON_DAYS: i32 = 366 * 9;

/// When something happens again and again.
#[derive(Debug, Clone)]
pub struct Cron {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    /// 0 is Sunday.
    weekdays: Vec<i8>,
    /// With both days and weekdays given, either is enough.
    either_day: bool,
    zone: TimeZone,
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Reads a line; nothing if the line or the zone is not valid.
    pub fn parse(line: &str, zone: &str) -> Option<Self> {
        // UTC must work on machines without a database of zones.
        let zone = match zone {
            "UTC" => TimeZone::UTC,
            named => TimeZone::get(named).ok()?,
        };
        let line = match line.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return None;
        };
        let mut weekdays = field(weekday, 0, 7, WEEKDAYS, 0)?;
        for day in &mut weekdays {
            *day %= 7;
        }
        weekdays.sort_unstable();
        weekdays.dedup();
        Some(Self {
            minutes: field(minute, 0, 59, &[], 0)?,
            hours: field(hour, 0, 23, &[], 0)?,
            days: field(day, 1, 31, &[], 0)?,
            months: field(month, 1, 12, MONTHS, 1)?,
            weekdays,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
            zone,
        })
    }

    /// The first time after an instant.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let first = after.to_zoned(self.zone.clone()).date();
        self.days_from(first, 1)
            .flat_map(|day| self.times(day))
            .find(|at| *at > after)
    }

    /// The last time that is not after an instant.
    pub fn previous(&self, until: Timestamp) -> Option<Timestamp> {
        let first = until.to_zoned(self.zone.clone()).date();
        self.days_from(first, -1)
            .flat_map(|day| self.times(day).into_iter().rev())
            .find(|at| *at <= until)
    }

    fn days_from(&self, first: Date, step: i32) -> impl Iterator<Item = Date> {
        (0..HORIZON_DAYS)
            .map(move |count| first.saturating_add(Span::new().days(count * step)))
            .filter(|day| self.has_day(*day))
    }

    fn has_day(&self, day: Date) -> bool {
        let of_month = self.days.contains(&day.day());
        let of_week = self
            .weekdays
            .contains(&day.weekday().to_sunday_zero_offset());
        let fits = if self.either_day {
            of_month || of_week
        } else {
            of_month && of_week
        };
        fits && self.months.contains(&day.month())
    }

    fn times(&self, day: Date) -> Vec<Timestamp> {
        let at = |hour: i8, minute: i8| {
            let local = DateTime::from_parts(day, Time::new(hour, minute, 0, 0).ok()?);
            Some(local.to_zoned(self.zone.clone()).ok()?.timestamp())
        };
        self.hours
            .iter()
            .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)))
            .filter_map(|(hour, minute)| at(hour, minute))
            .collect()
    }
}

/// The numbers of a field such as `1-5/2,mon`; names count from `base`.
fn field(text: &str, least: i8, most: i8, names: &[&str], base: i8) -> Option<Vec<i8>> {
    let number = |text: &str| {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text))
            .and_then(|index| i8::try_from(index).ok());
        let number = named.map(|index| index + base).or_else(|| {
            text.chars()
                .all(|char| char.is_ascii_digit())
                .then(|| text.parse().ok())?
        })?;
        (least..=most).contains(&number).then_some(number)
    };
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(step.parse::<usize>().ok().filter(|step| *step > 0)?),
            ),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None if range == "*" => (least, most),
            None => {
                let first = number(range)?;
                (first, if step.is_some() { most } else { first })
            }
        };
        if first > last {
            return None;
        }
        numbers.extend((first..=last).step_by(step.unwrap_or(1)));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(line: &str, from: &str) -> String {
        let cron = Cron::parse(line, "UTC").unwrap();
        cron.next(from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn lists_ranges_steps_and_names_are_understood() {
        let from = "2026-01-09T22:30:00Z";
        assert_eq!(next("0 23 * * 5", from), "2026-01-09T23:00:00Z");
        assert_eq!(next("*/20 * * * *", from), "2026-01-09T22:40:00Z");
        assert_eq!(next("0 7 * * mon-fri", from), "2026-01-12T07:00:00Z");
        assert_eq!(next("0 0 1,15 feb *", from), "2026-02-01T00:00:00Z");
        assert_eq!(next("0 0 29 2 *", from), "2028-02-29T00:00:00Z");
        assert_eq!(next("0 0 * * 7", from), "2026-01-11T00:00:00Z");
        assert_eq!(next("0 0 20 * sun", from), "2026-01-11T00:00:00Z");
        assert_eq!(next("@monthly", from), "2026-02-01T00:00:00Z");
    }

    #[test]
    fn the_last_time_may_be_now() {
        let cron = Cron::parse("0 23 * * *", "UTC").unwrap();
        let at: Timestamp = "2026-01-09T23:00:00Z".parse().unwrap();
        assert_eq!(cron.previous(at), Some(at));
        assert_eq!(cron.next(at).unwrap().to_string(), "2026-01-10T23:00:00Z");
    }

    #[test]
    fn wrong_lines_and_zones_are_nothing() {
        for line in [
            "",
            "* * * *",
            "60 * * * *",
            "a b c d e",
            "0 0 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
        ] {
            assert!(Cron::parse(line, "UTC").is_none(), "{line}");
        }
        assert!(Cron::parse("0 0 * * *", "Mars/Olympus").is_none());
        assert!(
            Cron::parse("0 0 30 2 *", "UTC")
                .unwrap()
                .next(Timestamp::UNIX_EPOCH)
                .is_none()
        );
    }
}
