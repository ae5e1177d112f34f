//! How fast requests follow one another: as fast as they can, until GitLab says that few are left for the period. Then what is left is
//! spread over the rest of it, so that nothing is refused. Docs: "Rate limits", "Response headers".

use std::cell::Cell;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Few are left when it is this part of what is allowed, or less.
const FEW: u64 = 10;
/// The longest pause between two requests.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);

/// What GitLab says in an answer of the requests that it still takes from the token's user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// How many it takes in a period.
    pub(super) limit: u64,
    /// How many of them are left.
    pub(super) remaining: u64,
    /// When the next period begins, in seconds since 1970 by GitLab's clock.
    pub(super) reset: i64,
    /// When it answered by the same clock, if it said so; the clock of the runner may differ.
    pub(super) answered: Option<Timestamp>,
}

/// What the last answer said.
#[derive(Debug, Default)]
pub(super) struct Pace(Cell<Option<Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    limit: u64,
    remaining: u64,
    /// When the next period begins, by the runner's clock.
    until: Timestamp,
}

/// A pause before a request, and what is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// How long.
    pub(super) time: Duration,
    /// How many requests GitLab still takes.
    pub(super) remaining: u64,
}

impl Pace {
    /// Takes in what an answer said; an answer that says nothing changes nothing.
    pub(super) fn heard(&self, said: Option<Allowance>, now: Timestamp) {
        let Some(said) = said else {
            return;
        };
        let Ok(reset) = Timestamp::from_second(said.reset) else {
            return;
        };
        let left = reset.duration_since(said.answered.unwrap_or(now));
        self.0.set(Some(Known {
            limit: said.limit,
            remaining: said.remaining,
            until: now.saturating_add(left).unwrap_or(now),
        }));
    }

    /// How long the next request has to wait, if it has to.
    pub(super) fn pause(&self, now: Timestamp) -> Option<Pause> {
        let known = self.0.get()?;
        let left = known.until.duration_since(now);
        if known.remaining > known.limit / FEW || left <= SignedDuration::ZERO {
            return None;
        }
        // The request itself, and those that are left after it.
        let shares = i32::try_from(known.remaining + 1).unwrap_or(i32::MAX);
        let time = (left / shares).min(LONGEST);
        Some(Pause {
            time: Duration::try_from(time).ok()?,
            remaining: known.remaining,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pause(limit: u64, remaining: u64, left: i64) -> Option<Duration> {
        let pace = Pace::default();
        let said = Allowance {
            limit,
            remaining,
            reset: 1_000 + left,
            answered: Some(at(1_000)),
        };
        // The runner's clock is an hour late, and it does not matter.
        pace.heard(Some(said), at(1_000 - 3_600));
        pace.pause(at(1_000 - 3_600)).map(|pause| pause.time)
    }

    #[test]
    fn nothing_waits_while_much_is_left() {
        assert_eq!(pause(100, 11, 30), None);
        assert_eq!(Pace::default().pause(at(0)), None);
    }

    #[test]
    fn what_is_left_is_spread_over_the_rest_of_the_period() {
        assert_eq!(pause(100, 9, 30), Some(Duration::from_secs(3)));
        assert_eq!(pause(100, 0, 30), Some(Duration::from_secs(30)));
    }

    #[test]
    fn no_pause_is_longer_than_a_minute_and_none_outlasts_the_period() {
        assert_eq!(pause(100, 0, 3_600), Some(Duration::from_secs(60)));
        assert_eq!(pause(100, 0, 0), None);
        assert_eq!(pause(100, 0, -5), None);
    }

    #[test]
    fn an_answer_that_says_nothing_leaves_what_was_said_before() {
        let pace = Pace::default();
        let said = Allowance {
            limit: 10,
            remaining: 0,
            reset: 10,
            answered: None,
        };
        pace.heard(Some(said), at(0));
        pace.heard(None, at(1));
        assert_eq!(
            pace.pause(at(4)).map(|pause| pause.time),
            Some(Duration::from_secs(6))
        );
    }
}
