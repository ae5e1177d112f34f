//! GitLab's own deploy freezes of a project (Settings > CI/CD > Deploy freezes): two cron expressions in a time zone.

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A deploy freeze as GitLab keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// When it begins, again and again.
    pub start: String,
    /// When it ends.
    pub end: String,
    /// The zone of both.
    pub zone: String,
}

impl Period {
    /// When the freeze that is in force ends; none when it is not in force. It is in force from its last beginning up to the first end
    /// after that, both included (GitLab, `Ci::FreezePeriod#within_freeze_period?`).
    ///
    /// # Errors
    /// What cannot be read.
    pub fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let zone = TimeZone::get(&self.zone)
            .map_err(|error| format!("its zone `{}` is not known here: {error}", self.zone))?;
        let (start, end) = (cron(&self.start)?, cron(&self.end)?);
        let now = now.to_zoned(zone);
        // A date that never comes, such as 30 February: the freeze is never in force.
        let Ok(began) = start.find_previous_occurrence(&now, true) else {
            return Ok(None);
        };
        let Ok(ends) = end.find_next_occurrence(&began, false) else {
            return Ok(None);
        };
        Ok((now <= ends).then(|| ends.timestamp()))
    }
}

fn cron(text: &str) -> Result<Cron, String> {
    text.parse()
        .map_err(|error| format!("`{text}` is no cron expression that is understood here: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn period(start: &str, end: &str, zone: &str) -> Period {
        Period {
            start: start.to_owned(),
            end: end.to_owned(),
            zone: zone.to_owned(),
        }
    }

    #[test]
    fn a_weekend_is_frozen_from_its_beginning_up_to_its_end() {
        let weekend = period("0 23 * * 5", "0 7 * * 1", "UTC");
        let end = Ok(Some(at("2026-11-23T07:00:00Z")));
        for (now, expected) in [
            ("2026-11-20T22:59:59Z", Ok(None)),
            ("2026-11-20T23:00:00Z", end.clone()),
            ("2026-11-22T12:00:00Z", end.clone()),
            ("2026-11-23T07:00:00Z", end),
            ("2026-11-23T07:00:01Z", Ok(None)),
        ] {
            assert_eq!(weekend.end(at(now)), expected, "{now}");
        }
    }

    #[test]
    fn the_wall_clock_of_the_zone_counts() {
        let night = period("0 22 * * *", "0 6 * * *", "Europe/Paris");
        assert_eq!(
            night.end(at("2026-07-01T20:30:00Z")),
            Ok(Some(at("2026-07-02T04:00:00Z")))
        );
        assert_eq!(night.end(at("2026-12-01T20:30:00Z")), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let wrong = period("0 23 * *", "0 7 * * 1", "UTC").end(at("2026-11-20T22:59:59Z"));
        assert!(wrong.unwrap_err().contains("`0 23 * *`"));
        let wrong = period("0 23 * * 5", "0 7 * * 1", "Nowhere").end(at("2026-11-20T22:59:59Z"));
        assert!(wrong.unwrap_err().contains("`Nowhere`"));
        let never = period("0 0 30 2 *", "0 7 * * 1", "UTC").end(at("2026-11-20T22:59:59Z"));
        assert_eq!(never, Ok(None));
    }
}
