//! How many, how long, how sure: the few statistics that the insights are made of. No mean anywhere.

use jiff::Timestamp;
use serde::Serialize;

/// The time looked at: after `from`, up to and including `to`, so that periods in a row count nothing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Its start; none for everything that is known.
    pub from: Option<Timestamp>,
    /// Its end.
    pub to: Timestamp,
}

impl Period {
    /// Whether an instant lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from < at) && at <= self.to
    }
}

/// How durations are spread, in seconds.
///
/// Percentiles are by nearest rank: the smallest value that at least p % of the values do not exceed. Each is a duration
/// that was really observed, at any n; with n below 20 the 95th percentile is the longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// How many durations.
    pub n: usize,
    /// Half of them were no longer.
    pub p50: u64,
    /// 85 % of them were no longer.
    pub p85: u64,
    /// 95 % of them were no longer.
    pub p95: u64,
    /// The longest.
    pub max: u64,
}

impl Distribution {
    /// Of these durations; none of no durations.
    pub fn of(seconds: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = seconds.into_iter().collect();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        let n = sorted.len();
        let rank = |percent: usize| sorted[(n * percent).div_ceil(100) - 1];
        Some(Self {
            n,
            p50: rank(50),
            p85: rank(85),
            p95: rank(95),
            max,
        })
    }
}

/// A part of a whole, with the 95 % interval of Wilson's score: with few cases it is wide, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many of them.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The lower end of the interval, from 0 to 1.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Share {
    /// None of a whole that is empty.
    pub fn of(count: usize, of: usize) -> Option<Self> {
        const Z: f64 = 1.96;
        if of == 0 {
            return None;
        }
        let (n, p) = (of as f64, count as f64 / of as f64);
        let centre = p + Z * Z / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some(Self {
            count,
            of,
            low: ((centre - spread) / scale).clamp(0.0, 1.0),
            high: ((centre + spread) / scale).clamp(0.0, 1.0),
        })
    }
}

/// A duration that came out negative, because clocks of two runners disagree: left out of every figure, and listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Excluded {
    /// What it would have counted for.
    pub measure: &'static str,
    /// Of what.
    pub about: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, earlier.
    pub to: Timestamp,
    /// The negative duration.
    pub seconds: i64,
}

/// Measures durations and remembers those that cannot be true.
#[derive(Debug, Default)]
pub(super) struct Ruler {
    pub(super) excluded: Vec<Excluded>,
}

impl Ruler {
    /// Whole seconds from one instant to another.
    pub(super) fn seconds(
        &mut self,
        measure: &'static str,
        about: impl ToString,
        from: Timestamp,
        to: Timestamp,
    ) -> Option<u64> {
        if let Some(seconds) = seconds_between(from, to) {
            return Some(seconds);
        }
        self.excluded.push(Excluded {
            measure,
            about: about.to_string(),
            from,
            to,
            seconds: to.duration_since(from).as_secs(),
        });
        None
    }
}

/// Whole seconds from one instant to a later one.
pub(super) fn seconds_between(from: Timestamp, to: Timestamp) -> Option<u64> {
    if to < from {
        return None;
    }
    u64::try_from(to.duration_since(from).as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn percentiles_are_values_that_were_observed() {
        let cases: &[(&[u64], Option<[u64; 4]>)] = &[
            (&[], None),
            (&[7], Some([7, 7, 7, 7])),
            (&[2, 1], Some([1, 2, 2, 2])),
            (&[3, 1, 2], Some([2, 3, 3, 3])),
            (
                &[10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
                Some([50, 90, 100, 100]),
            ),
        ];
        for (values, expected) in cases {
            let spread = Distribution::of(values.iter().copied());
            assert_eq!(spread.map(|d| [d.p50, d.p85, d.p95, d.max]), *expected);
        }
        let hundred = Distribution::of(1..=100).unwrap();
        assert_eq!(
            (hundred.n, hundred.p50, hundred.p85, hundred.p95),
            (100, 50, 85, 95)
        );
    }

    #[test]
    fn a_share_of_few_is_known_to_be_unsure() {
        assert_eq!(Share::of(0, 0), None);
        let few = Share::of(1, 4).unwrap();
        assert!((few.low - 0.046).abs() < 0.001 && (few.high - 0.699).abs() < 0.001);
        let many = Share::of(250, 1_000).unwrap();
        assert!((many.low - 0.224).abs() < 0.001 && (many.high - 0.278).abs() < 0.001);
        assert!(Share::of(0, 10).unwrap().low.abs() < 1e-9);
    }

    #[test]
    fn periods_in_a_row_count_an_instant_once() {
        let first = Period {
            from: None,
            to: at(10),
        };
        let second = Period {
            from: Some(at(10)),
            to: at(20),
        };
        for (second_of_day, expected) in
            [(0, (true, false)), (10, (true, false)), (11, (false, true))]
        {
            let at = at(second_of_day);
            assert_eq!((first.holds(at), second.holds(at)), expected);
        }
        assert!(!second.holds(at(21)));
    }

    #[test]
    fn a_negative_duration_is_listed_and_never_counted() {
        let mut ruler = Ruler::default();
        assert_eq!(ruler.seconds("trial", "trial 1", at(5), at(9)), Some(4));
        assert_eq!(ruler.seconds("trial", "trial 2", at(9), at(5)), None);
        assert_eq!(ruler.excluded.len(), 1);
        assert_eq!(
            (ruler.excluded[0].about.as_str(), ruler.excluded[0].seconds),
            ("trial 2", -4)
        );
    }

    proptest! {
        #[test]
        fn percentiles_are_ordered_and_hold_their_share(values in prop::collection::vec(any::<u64>(), 1..60)) {
            let spread = Distribution::of(values.iter().copied()).unwrap();
            prop_assert!(spread.p50 <= spread.p85 && spread.p85 <= spread.p95 && spread.p95 <= spread.max);
            for (percent, value) in [(50, spread.p50), (85, spread.p85), (95, spread.p95)] {
                prop_assert!(values.iter().filter(|v| **v <= value).count() * 100 >= percent * values.len());
            }
        }
    }
}
