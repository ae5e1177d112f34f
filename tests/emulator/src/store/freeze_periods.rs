//! Freeze periods: spans of time, given by two cron lines, in which jobs see `CI_DEPLOY_FREEZE`.

use jiff::Timestamp;

use super::State;
use crate::cron::Cron;

/// A freeze period.
#[derive(Debug, Clone)]
pub struct FreezePeriod {
    pub id: u64,
    pub project_id: u64,
    pub freeze_start: String,
    pub freeze_end: String,
    pub cron_timezone: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl FreezePeriod {
    /// Is the instant after a start and before the end that follows it?
    pub fn covers(&self, now: Timestamp) -> bool {
        let parse = |text: &str| Cron::parse(text, &self.cron_timezone);
        let (Some(start), Some(end)) = (parse(&self.freeze_start), parse(&self.freeze_end)) else {
            return false;
        };
        let (Some(last_start), Some(next_end)) = (start.previous(now), end.next(now)) else {
            return false;
        };
        end.previous(now)
            .is_none_or(|last_end| last_end < last_start)
            && start
                .next(now)
                .is_none_or(|next_start| next_end < next_start)
    }
}

impl State {
    /// Does a freeze period of the project cover the instant? Then its new pipelines have `CI_DEPLOY_FREEZE=true`.
    pub fn is_frozen(&self, project: u64, now: Timestamp) -> bool {
        self.freeze_periods
            .iter()
            .any(|period| period.project_id == project && period.covers(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekend(zone: &str) -> FreezePeriod {
        FreezePeriod {
            id: 1,
            project_id: 1,
            freeze_start: "0 23 * * 5".to_owned(),
            freeze_end: "0 7 * * 1".to_owned(),
            cron_timezone: zone.to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_weekend_is_frozen_from_friday_night_to_monday_morning() {
        let at = |text: &str| weekend("UTC").covers(text.parse().unwrap());
        // 2026-01-09 is a Friday.
        assert!(!at("2026-01-09T22:59:59Z"));
        assert!(at("2026-01-09T23:00:00Z"));
        assert!(at("2026-01-11T12:00:00Z"));
        assert!(at("2026-01-12T06:59:59Z"));
        assert!(!at("2026-01-12T07:00:00Z"));
    }

    #[test]
    fn the_zone_of_the_period_counts() {
        let winter: Timestamp = "2026-01-09T22:30:00Z".parse().unwrap();
        assert!(weekend("Etc/GMT-1").covers(winter));
        assert!(!weekend("UTC").covers(winter));
    }
}
