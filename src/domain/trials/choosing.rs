//! Which of those that wait are tried next.

use super::{Policy, Search, Waiting};

/// The share of bad changes that is assumed before anything is known.
const ASSUMED_FAILURE_RATE: f64 = 0.1;
/// How many decided changes the assumption weighs as much as.
const WEIGHT_OF_THE_ASSUMPTION: f64 = 10.0;

impl<C: Clone + Ord> Search<C> {
    /// The share of bad changes, from the last decided ones and what was assumed before them.
    pub fn failure_rate(&self) -> f64 {
        let (landed, rejected) = self
            .decided
            .iter()
            .fold((0, 0), |(l, r), (landed, rejected)| {
                (l + landed, r + rejected)
            });
        (rejected as f64 + WEIGHT_OF_THE_ASSUMPTION * ASSUMED_FAILURE_RATE)
            / ((landed + rejected) as f64 + WEIGHT_OF_THE_ASSUMPTION)
    }

    /// How many changes a fresh trial holds at most: about as many as make its verdict a toss-up.
    pub fn batch(&self, policy: &Policy) -> usize {
        // (1 - p)^n = 1/2, rounded down: one change too few costs less than one too many.
        let even = (0.5f64.ln() / (1.0 - self.failure_rate()).ln()).floor() as usize;
        even.max(2).min(policy.batch_max.max(1))
    }

    /// The suspects that are still searched; none once any of them has left, for it may have been the bad one.
    pub fn suspects(&self, waiting: &[Waiting<C>]) -> &[C] {
        let all_wait = self
            .suspects
            .iter()
            .all(|suspect| waiting.iter().any(|w| w.change == *suspect));
        if all_wait { &self.suspects } else { &[] }
    }

    /// The changes of the next trial, in queue order; none when nothing waits. `waiting` is in the order of service.
    ///
    /// Urgent ones first; then the smaller half of what is searched, with nothing fresh beside it, because that would lose the
    /// inference; else the first of the queue. It never waits for a batch to fill.
    pub fn choose(&self, waiting: &[Waiting<C>], policy: &Policy) -> Vec<C> {
        let first = |urgent: bool, most: usize| -> Vec<C> {
            let of_kind = waiting.iter().filter(|w| w.urgent == urgent);
            of_kind.take(most).map(|w| w.change.clone()).collect()
        };
        let suspects = self.suspects(waiting);
        let urgent_suspects = suspects
            .iter()
            .any(|s| waiting.iter().any(|w| w.urgent && w.change == *s));
        let urgent = first(true, self.batch(policy));
        if !urgent.is_empty() && !urgent_suspects {
            return urgent;
        }
        match suspects {
            [] => first(false, self.batch(policy).max(self.left_together)),
            [one] => vec![one.clone()],
            several => several[..first_part(several.len())].to_vec(),
        }
    }

    /// The same where changes come from several places, and one trial can hold those of one place only: the place of whoever goes
    /// first, so that everybody's turn comes as early as if there were one place.
    pub fn choose_of_one_place<P: PartialEq>(
        &self,
        waiting: &[Waiting<C>],
        policy: &Policy,
        place: impl Fn(&C) -> P,
    ) -> Vec<C> {
        let chosen = self.choose(waiting, policy);
        let Some(first) = chosen.first().map(&place) else {
            return chosen;
        };
        let beside = waiting.iter().filter(|w| place(&w.change) == first);
        self.choose(&beside.cloned().collect::<Vec<_>>(), policy)
    }
}

/// How many of so many suspects are tried first: at most half, and so that no change of the search needs more than one trial
/// more than another one.
fn first_part(suspects: usize) -> usize {
    let below = suspects.next_power_of_two() / 2;
    (suspects - below).max(below / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_about_a_toss_up_and_never_larger_than_allowed() {
        let mut search: Search<u32> = Search::default();
        let of = |batch_max| Policy {
            batch_max,
            strikes: 1,
        };
        let wide = of(64);
        assert_eq!(search.batch(&wide), 6, "one in ten is assumed at first");
        search.decided = vec![(49, 1); 20];
        assert!(
            (30..=34).contains(&search.batch(&wide)),
            "{}",
            search.batch(&wide)
        );
        assert_eq!(search.batch(&of(16)), 16);
        search.decided = vec![(8, 2); 20];
        assert_eq!(search.batch(&wide), 3);
        search.decided = vec![(0, 5); 20];
        assert_eq!(search.batch(&wide), 2, "a pair is never worse than one");
        assert_eq!(search.batch(&of(1)), 1, "batches are off");
    }
}
