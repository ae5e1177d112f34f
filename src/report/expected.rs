//! When something is expected, in words: two instants, never one, and said so when there is too little to go by.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::pace::Landing;
use crate::simulate::forecast::{FEWEST, Forecast};

/// An instant as near as a reader needs it: `14:10`, `Tue 14:10` within a week, else with its date.
pub fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = now
        .date()
        .until(at.date())
        .map_or(i32::MAX, |span| span.get_days());
    let format = match days {
        0 => "%H:%M",
        -6..=6 => "%a %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    at.strftime(format).to_string()
}

/// `14:10, by Wed 09:30 at 85 %`.
pub fn expected(landing: Landing, now: Timestamp, zone: &TimeZone) -> String {
    format!(
        "{}, by {} at 85 %",
        clock(landing.p50, now, zone),
        clock(landing.p85, now, zone)
    )
}

/// Why nothing is foretold, or what the forecast is made of.
pub fn forecast_basis(forecast: &Forecast) -> String {
    match forecast {
        Forecast::Of { trials, .. } => {
            format!("times are of landing if it passes, from the last {trials} trials")
        }
        Forecast::TooFew { trials } => format!(
            "no times yet: there is too little to go by (n = {trials} trials; from {FEWEST} on times are told)"
        ),
        Forecast::Paused { .. } => "no times now: the queue is paused".to_owned(),
        Forecast::Overdue { trials } => {
            format!("no times now: the trial has taken longer than each of the {trials} before it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_as_near_as_a_reader_needs_it() {
        let now: Timestamp = "2026-03-10T13:00:00Z".parse().unwrap();
        let told = |at: &str| clock(at.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(told("2026-03-10T14:10:00Z"), "14:10");
        assert_eq!(told("2026-03-11T00:10:00Z"), "Wed 00:10");
        assert_eq!(told("2026-03-16T09:00:00Z"), "Mon 09:00");
        assert_eq!(told("2026-03-17T09:00:00Z"), "2026-03-17 09:00");
        assert_eq!(told("2026-03-03T09:00:00Z"), "2026-03-03 09:00");
        let landing = Landing {
            p50: "2026-03-10T14:10:00Z".parse().unwrap(),
            p85: "2026-03-11T09:30:00Z".parse().unwrap(),
        };
        assert_eq!(
            expected(landing, now, &TimeZone::UTC),
            "14:10, by Wed 09:30 at 85 %"
        );
        let few = forecast_basis(&Forecast::TooFew { trials: 4 });
        assert!(few.contains("n = 4"), "{few}");
    }
}
