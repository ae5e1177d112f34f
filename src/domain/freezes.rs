//! Freezes: times at which nothing is taken for a trial and nothing lands, by the clock on a wall. The queue stays open.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::integration::Priority;

/// A moment of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekMoment {
    /// The day.
    pub day: Weekday,
    /// The time of that day.
    pub time: Time,
}

/// When a freeze is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Once, from one wall time up to another.
    Once { from: DateTime, to: DateTime },
    /// Every week, over the end of the week too.
    Weekly { from: WeekMoment, to: WeekMoment },
}

/// What becomes of a trial that is validated during a freeze.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnderTrial {
    /// It does not land; its change sets wait again.
    #[default]
    Waits,
    /// It lands, because it began before.
    Lands,
}

/// One freeze of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// What the project calls it.
    pub name: String,
    /// Why; shown to whoever waits.
    pub reason: Option<String>,
    /// The zone of its wall.
    pub zone: TimeZone,
    /// When.
    pub span: Span,
    /// Lanes that go on.
    pub except: Vec<Priority>,
    /// What becomes of what is under trial when it begins.
    pub under_trial: UnderTrial,
}

/// A freeze in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// Its name, or those of several.
    pub name: String,
    /// Why.
    pub reason: Option<String>,
    /// The first instant at which the lane is not frozen any more, other freezes included.
    pub until: Timestamp,
}

/// All freezes of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freezes(pub Vec<Freeze>);

/// How many freezes may follow each other without a gap before the end is given as it is known.
const MOST_IN_A_ROW: usize = 50;

impl Freezes {
    /// The freeze that a lane is in at an instant, if any: the first one of the file, with the end of all that follow it at once.
    pub fn of_lane(&self, lane: Priority, at: Timestamp) -> Option<Frozen> {
        self.in_force(at, |freeze| !freeze.except.contains(&lane))
    }

    /// The freeze that keeps a validated trial of a lane from landing, if any.
    pub fn of_landing(&self, lane: Priority, at: Timestamp) -> Option<Frozen> {
        self.in_force(at, |freeze| {
            !freeze.except.contains(&lane) && freeze.under_trial == UnderTrial::Waits
        })
    }

    /// The freeze that keeps a version from being released, if any: lanes are none of its business.
    pub fn of_release(&self, at: Timestamp) -> Option<Frozen> {
        self.in_force(at, |_| true)
    }

    fn in_force(&self, at: Timestamp, counts: impl Fn(&Freeze) -> bool) -> Option<Frozen> {
        let ends = |at: Timestamp| {
            let counted = self.0.iter().filter(|freeze| counts(freeze));
            counted.filter_map(move |freeze| Some((freeze, freeze.end(at)?)))
        };
        let (first, _) = ends(at).next()?;
        let mut until = at;
        for _ in 0..MOST_IN_A_ROW {
            match ends(until).map(|(_, end)| end).max() {
                Some(end) if end > until => until = end,
                Some(_) | None => break,
            }
        }
        Some(Frozen {
            name: first.name.clone(),
            reason: first.reason.clone(),
            until,
        })
    }
}

impl Freeze {
    /// Whether the freeze is in force at an instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.end(at).is_some()
    }

    /// When the freeze that is in force at an instant ends; none when it is not in force. The beginning belongs to it, the end does
    /// not.
    ///
    /// Where clocks are put forward, a wall time that does not exist that day is as much later as they were put forward; where they
    /// are put back, the first of two counts.
    pub fn end(&self, at: Timestamp) -> Option<Timestamp> {
        let within = |from: DateTime, to: DateTime| {
            let (from, to) = (self.instant(from)?, self.instant(to)?);
            (from <= at && at < to).then_some(to)
        };
        match &self.span {
            Span::Once { from, to } => within(*from, *to),
            Span::Weekly { from, to } => {
                let today = at.to_zoned(self.zone.clone()).date();
                // It began on the last such day, today included; or a week before, when today's time has not come.
                [0, 7].into_iter().find_map(|weeks| {
                    let back = days_since(from.day, today) + weeks;
                    let began = today.checked_sub(back.days()).ok()?;
                    let mut lasts = days_between(from.day, to.day);
                    if lasts == 0 && to.time <= from.time {
                        lasts = 7;
                    }
                    let ended = began.checked_add(lasts.days()).ok()?;
                    within(began.to_datetime(from.time), ended.to_datetime(to.time))
                })
            }
        }
    }

    fn instant(&self, wall: DateTime) -> Option<Timestamp> {
        wall.to_zoned(self.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    }
}

fn days_since(day: Weekday, date: Date) -> i64 {
    days_between(day, date.weekday())
}

fn days_between(from: Weekday, to: Weekday) -> i64 {
    i64::from((to.to_monday_zero_offset() - from.to_monday_zero_offset()).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn moment(day: Weekday, hour: i8, minute: i8) -> WeekMoment {
        WeekMoment {
            day,
            time: time(hour, minute, 0, 0),
        }
    }

    fn freeze(span: Span) -> Freeze {
        Freeze {
            name: "weekend".into(),
            reason: None,
            zone: TimeZone::get("Europe/Paris").unwrap(),
            span,
            except: vec![Priority::Hotfix],
            under_trial: UnderTrial::Waits,
        }
    }

    fn weekend() -> Freeze {
        freeze(Span::Weekly {
            from: moment(Weekday::Friday, 16, 0),
            to: moment(Weekday::Monday, 7, 0),
        })
    }

    #[test]
    fn a_weekly_freeze_goes_over_the_end_of_the_week() {
        for (instant, end) in [
            ("2026-01-09T14:59:59Z", None),
            ("2026-01-09T15:00:00Z", Some("2026-01-12T06:00:00Z")),
            ("2026-01-11T12:00:00Z", Some("2026-01-12T06:00:00Z")),
            ("2026-01-12T05:59:59Z", Some("2026-01-12T06:00:00Z")),
            ("2026-01-12T06:00:00Z", None),
            // In summer Paris is two hours ahead.
            ("2026-07-10T14:00:00Z", Some("2026-07-13T05:00:00Z")),
        ] {
            assert_eq!(weekend().end(at(instant)), end.map(at), "{instant}");
        }
    }

    #[test]
    fn a_weekly_freeze_within_one_day_and_one_of_nearly_a_week() {
        let noon = freeze(Span::Weekly {
            from: moment(Weekday::Friday, 12, 0),
            to: moment(Weekday::Friday, 13, 0),
        });
        assert_eq!(
            noon.end(at("2026-01-09T11:30:00Z")),
            Some(at("2026-01-09T12:00:00Z"))
        );
        assert!(!noon.holds(at("2026-01-10T11:30:00Z")));
        let open_for_an_hour = freeze(Span::Weekly {
            from: moment(Weekday::Friday, 13, 0),
            to: moment(Weekday::Friday, 12, 0),
        });
        assert!(!open_for_an_hour.holds(at("2026-01-09T11:30:00Z")));
        assert_eq!(
            open_for_an_hour.end(at("2026-01-09T12:00:00Z")),
            Some(at("2026-01-16T11:00:00Z"))
        );
        assert!(open_for_an_hour.holds(at("2026-01-08T12:00:00Z")));
    }

    #[test]
    fn a_freeze_of_its_own_date_holds_once() {
        let holiday = freeze(Span::Once {
            from: date(2026, 12, 23).at(18, 0, 0, 0),
            to: date(2027, 1, 4).at(0, 0, 0, 0),
        });
        assert!(!holiday.holds(at("2026-12-23T16:59:59Z")));
        assert_eq!(
            holiday.end(at("2026-12-23T17:00:00Z")),
            Some(at("2027-01-03T23:00:00Z"))
        );
        assert!(!holiday.holds(at("2027-12-24T12:00:00Z")));
    }

    #[test]
    fn changes_of_clocks_move_both_edges_with_the_wall() {
        let night = |hour| {
            freeze(Span::Weekly {
                from: moment(Weekday::Saturday, 22, 0),
                to: moment(Weekday::Sunday, hour, 30),
            })
        };
        // 2026-03-29, 02:00 becomes 03:00: 02:30 does not exist, and it ends at 03:30.
        assert_eq!(
            night(2).end(at("2026-03-29T00:15:00Z")),
            Some(at("2026-03-29T01:30:00Z"))
        );
        // 2026-10-25, 03:00 becomes 02:00: 02:30 comes twice, and the first one counts.
        assert_eq!(
            night(2).end(at("2026-10-25T00:00:00Z")),
            Some(at("2026-10-25T00:30:00Z"))
        );
        assert!(!night(2).holds(at("2026-10-25T00:45:00Z")));
        // One hour less, and one more, on the two nights.
        let lasts = |instant: &str| {
            let begin = at(instant);
            night(8).end(begin).unwrap().duration_since(begin)
        };
        assert_eq!(
            lasts("2026-03-28T21:00:00Z"),
            SignedDuration::from_mins(9 * 60 + 30)
        );
        assert_eq!(
            lasts("2026-10-24T20:00:00Z"),
            SignedDuration::from_mins(11 * 60 + 30)
        );
    }

    #[test]
    fn lanes_can_be_excepted_and_freezes_in_a_row_end_together() {
        let mut maintenance = freeze(Span::Once {
            from: date(2026, 1, 12).at(6, 0, 0, 0),
            to: date(2026, 1, 12).at(12, 0, 0, 0),
        });
        maintenance.name = "maintenance".into();
        maintenance.except = Vec::new();
        maintenance.under_trial = UnderTrial::Lands;
        let freezes = Freezes(vec![weekend(), maintenance]);
        let sunday = at("2026-01-11T12:00:00Z");
        let frozen = freezes.of_lane(Priority::Normal, sunday).unwrap();
        assert_eq!(
            (frozen.name.as_str(), frozen.until),
            ("weekend", at("2026-01-12T11:00:00Z"))
        );
        assert_eq!(freezes.of_lane(Priority::Hotfix, sunday), None);
        let monday = at("2026-01-12T06:30:00Z");
        let frozen = freezes.of_lane(Priority::Hotfix, monday).unwrap();
        assert_eq!(frozen.name, "maintenance");
        assert_eq!(freezes.of_landing(Priority::Normal, monday), None);
        assert!(freezes.of_landing(Priority::Normal, sunday).is_some());
    }

    proptest! {
        /// Whatever the moments and the zone: a freeze that holds ends later, within a week and the hours of a change of clocks;
        /// at its end it holds no more, and just before it did.
        #[test]
        fn a_freeze_ends_after_it_holds(
            second in 1_700_000_000i64..1_900_000_000,
            from in (0i8..7, 0i8..24, 0i8..60), to in (0i8..7, 0i8..24, 0i8..60),
            zone in prop::sample::select(vec!["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            prop_assume!(from != to);
            let of = |(day, hour, minute): (i8, i8, i8)| moment(Weekday::from_monday_zero_offset(day).unwrap(), hour, minute);
            let freeze = Freeze { zone: TimeZone::get(zone).unwrap(), ..freeze(Span::Weekly { from: of(from), to: of(to) }) };
            let instant = Timestamp::from_second(second).unwrap();
            if let Some(end) = freeze.end(instant) {
                prop_assert!(end > instant && end.as_second() - second <= 7 * 86_400 + 7_200);
                prop_assert!(!freeze.holds(end) || freeze.end(end) > Some(end));
                prop_assert!(freeze.holds(Timestamp::from_second(end.as_second() - 1).unwrap()));
            }
        }
    }
}
