//! The list `integration.freezes`: when nothing is tried and nothing lands.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::integration::LANES;
use super::notification::{DAYS, zone};
use super::reading::Section;
use crate::domain::freezes::{Freeze, Span, UnderTrial, WeekMoment};
use crate::domain::integration::Priority;

/// A freeze whose zone may be the one of the whole file.
pub(super) struct Read {
    freeze: Freeze,
    zone: Option<TimeZone>,
}

impl Read {
    /// The freeze, by the file's own clock where it names none.
    pub(super) fn by(self, clock: &TimeZone) -> Freeze {
        Freeze {
            zone: self.zone.unwrap_or_else(|| clock.clone()),
            ..self.freeze
        }
    }
}

/// One edge of a freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Weekly(WeekMoment),
    Once(DateTime),
}

/// What a freeze stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stops {
    /// Trials and landings, lane by lane.
    Lanes,
    /// Releases.
    Releases,
}

/// Reads the list.
pub(super) fn read(s: &mut Section, stops: Stops) -> Vec<Read> {
    let read = s.items("freezes", |s| freeze(s, stops));
    read.into_iter().flatten().collect()
}

fn freeze(s: &mut Section, stops: Stops) -> Option<Read> {
    let (name, reason) = (s.text("name"), s.text("reason"));
    if name.is_none() && !s.holds("name") {
        s.refuse("has no `name`: people read it when they wait");
    }
    let (from, to) = (s.checked("from", edge), s.checked("to", edge));
    if !s.holds("from") || !s.holds("to") {
        s.refuse("needs `from` and `to`, such as `fri 16:00` and `mon 07:00`, or `2026-12-23 18:00` and `2027-01-04`");
    }
    let zone = s.checked("zone", zone);
    let (except, under_trial) = match stops {
        Stops::Releases => (Vec::new(), None),
        Stops::Lanes => lanes(s),
    };
    let span = match (from?, to?) {
        (Edge::Weekly(from), Edge::Weekly(to)) if from != to => Span::Weekly { from, to },
        (Edge::Once(from), Edge::Once(to)) if from < to => Span::Once { from, to },
        (Edge::Once(_), Edge::Once(_)) => {
            s.refuse("ends before it begins");
            return None;
        }
        (Edge::Weekly(_), Edge::Weekly(_)) => {
            s.refuse("has the same `from` and `to`: it would never hold; to stop the queue for good, `trainyard queue pause`");
            return None;
        }
        (Edge::Weekly(_), Edge::Once(_)) | (Edge::Once(_), Edge::Weekly(_)) => {
            s.refuse("mixes a day of the week with a date: `from` and `to` must be of one kind");
            return None;
        }
    };
    Some(Read {
        freeze: Freeze {
            name: name?,
            reason,
            zone: TimeZone::UTC,
            span,
            except,
            under_trial: under_trial.unwrap_or_default(),
        },
        zone,
    })
}

fn lanes(s: &mut Section) -> (Vec<Priority>, Option<UnderTrial>) {
    let except = if s.holds("except") {
        s.choices("except", &LANES)
    } else {
        vec![Priority::Hotfix]
    };
    let under_trial = s.choice(
        "under_trial",
        &[("waits", UnderTrial::Waits), ("lands", UnderTrial::Lands)],
    );
    (except, under_trial)
}

/// `fri 16:00`, `2026-12-23 18:00` or `2026-12-23`, which is its first instant.
fn edge(text: &str) -> Result<Edge, String> {
    let wrong = || {
        format!(
            "is `{text}`; it looks like `fri 16:00`, `2026-12-23 18:00` or `2026-12-23` (quoted)"
        )
    };
    let (day, time) = match text.trim().split_once(' ') {
        Some((day, time)) => (day, Some(clock(time.trim()).ok_or_else(wrong)?)),
        None => (text.trim(), None),
    };
    let weekday = DAYS
        .iter()
        .find(|(name, _)| *name == day)
        .map(|(_, day)| *day);
    match (weekday, day.parse::<Date>(), time) {
        (Some(day), _, Some(time)) => Ok(Edge::Weekly(WeekMoment { day, time })),
        (None, Ok(date), time) => {
            let time = time.unwrap_or(Time::midnight());
            Ok(Edge::Once(date.to_datetime(time)))
        }
        (Some(_), _, None) | (None, Err(_), _) => Err(wrong()),
    }
}

/// A time of day such as `08:30`.
pub(super) fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn freezes_are_read_with_the_clock_of_the_file_or_their_own() {
        let config = Config::parse(
            "notification: {zone: Europe/Paris}\nintegration:\n  freezes:\n  - {name: weekend, from: 'fri 16:00', to: 'mon 07:00'}\n  \
             - {name: year's end, from: '2026-12-23', to: '2027-01-04 06:00', zone: UTC, except: [], under_trial: lands, reason: holidays}\n",
        )
        .unwrap();
        let freezes = &config.integration.freezes;
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let weekend = freezes
            .of_lane(Priority::Normal, at("2026-01-10T00:00:00Z"))
            .unwrap();
        assert_eq!(weekend.until, at("2026-01-12T06:00:00Z"));
        let end = freezes
            .of_lane(Priority::Hotfix, at("2026-12-23T00:00:00Z"))
            .unwrap();
        assert_eq!(
            (end.name.as_str(), end.until),
            ("year's end", at("2027-01-04T06:00:00Z"))
        );
        assert_eq!(freezes.0[1].under_trial, UnderTrial::Lands);
    }

    #[test]
    fn what_is_wrong_with_a_freeze_is_named_with_its_path() {
        let problem = Config::parse(
            "integration:\n  freezes:\n  - {from: 'fri 16:00', to: 'mon 7'}\n  - {name: a, from: 'fri 16:00', to: '2026-12-24'}\n  \
             - {name: b, from: '2026-12-24', to: '2026-12-23'}\n  - {name: c, from: 'fri 16:00', to: 'fri 16:00', zone: Atlantis}\n  \
             - {name: d, to: 'mon 07:00', except: [urgent], when: never}\n  - friday\n",
        )
        .unwrap_err();
        for expected in [
            "`integration.freezes[0]` has no `name`",
            "`integration.freezes[0].to` is `mon 7`",
            "`integration.freezes[1]` mixes",
            "`integration.freezes[2]` ends before it begins",
            "`integration.freezes[3]` has the same",
            "`integration.freezes[3].zone` is `Atlantis`",
            "`integration.freezes[4]` needs `from` and `to`",
            "`integration.freezes[4].except[0]` is `urgent`",
            "`integration.freezes[4].when` is not a key",
            "`integration.freezes[5]` is not a mapping",
        ] {
            assert!(
                problem.what.contains(expected),
                "{expected}\n---\n{}",
                problem.what
            );
        }
    }
}
