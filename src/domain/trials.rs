//! Which change sets are tried together, and what a verdict says about each of them. Pure, and generic over what a change is,
//! so that `trainyard simulate` measures these very functions.
//!
//! One environment decides at most 1/H2(p) changes in the time of one trial (H2: binary entropy, p: the share of bad changes),
//! because a verdict is one bit. Batches that are halved on a rejection, with inference, come within a few percent of that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pairs;

/// The share of bad changes that is assumed before anything is known.
const ASSUMED_FAILURE_RATE: f64 = 0.1;
/// How many decided changes the assumption weighs as much as.
const WEIGHT_OF_THE_ASSUMPTION: f64 = 10.0;
/// How many of the last verdicts are looked at.
const REMEMBERED: usize = 100;

/// What a project decides about its trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The most changes in one trial; 1 switches batches off.
    pub batch_max: usize,
    /// How many rejected trials must have held a change before it is rejected, the last one of it alone; 1 or 2.
    pub strikes: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            batch_max: 32,
            strikes: 1,
        }
    }
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<C> {
    /// Which one.
    pub change: C,
    /// Whether it goes before all others, search or not, and is never tried together with them.
    pub urgent: bool,
}

/// What a trial said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<C> {
    /// The candidate may land.
    Validated,
    /// It may not; these are to blame, if anybody could tell.
    Rejected { named: Vec<C> },
    /// It may not, and at least one of these is to blame.
    Suspected { among: Vec<C> },
}

/// Why a change is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blame<C> {
    /// The verdict names it.
    Named,
    /// It was tried alone.
    Alone,
    /// The very tree that its landing would produce was rejected when it was tried together with these, which have landed.
    Inferred { with: Vec<C> },
}

/// What follows from a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion<C> {
    /// Lands now, in this order.
    pub land: Vec<C>,
    /// Leaves the queue; everything else of the trial waits again in its old place.
    pub reject: Vec<(C, Blame<C>)>,
}

/// What earlier trials taught: folded from the log, so that any worker goes on where another one stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: Deserialize<'de> + Ord"))]
pub struct Search<C> {
    /// Rejected together, nobody named: at least one of them is bad. In queue order; empty when nothing is searched.
    suspects: Vec<C>,
    /// Whether landing the suspects would produce the very tree that was rejected; a landing from outside of the search ends that.
    exact: bool,
    /// What the rejected tree held beside the suspects and has landed since.
    landed_since: Vec<C>,
    /// How many were left of a trial when others were named: they are tried again together, whatever the size of a batch.
    left_together: usize,
    /// How many rejected trials held a change that is not decided yet.
    #[serde(with = "pairs")]
    strikes: BTreeMap<C, u32>,
    /// What the last verdicts decided, oldest first: how many changes landed, and how many were rejected.
    decided: Vec<(usize, usize)>,
}

impl<C> Default for Search<C> {
    fn default() -> Self {
        Self {
            suspects: Vec::new(),
            exact: false,
            landed_since: Vec::new(),
            left_together: 0,
            strikes: BTreeMap::new(),
            decided: Vec::new(),
        }
    }
}

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

    /// The same knowledge, of changes by other names.
    pub fn renamed<D: Clone + Ord>(&self, name: impl Fn(&C) -> D) -> Search<D> {
        let all = |changes: &[C]| changes.iter().map(&name).collect();
        Search {
            suspects: all(&self.suspects),
            exact: self.exact,
            landed_since: all(&self.landed_since),
            left_together: self.left_together,
            strikes: self.strikes.iter().map(|(c, n)| (name(c), *n)).collect(),
            decided: self.decided.clone(),
        }
    }

    /// Those that were rejected together and are searched, waiting or under trial.
    pub fn suspected(&self) -> &[C] {
        &self.suspects
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

    /// What follows from the verdict on a trial of these changes, and what is known once that is done.
    pub fn conclude(
        &self,
        tried: &[C],
        verdict: &Verdict<C>,
        policy: &Policy,
    ) -> (Conclusion<C>, Self) {
        let mut after = self.clone();
        let conclusion = match verdict {
            Verdict::Validated => {
                after.landed(tried);
                Conclusion {
                    land: tried.to_vec(),
                    reject: after.inferred(policy).into_iter().collect(),
                }
            }
            Verdict::Rejected { named } => {
                after.rejected(tried, named);
                Conclusion {
                    land: Vec::new(),
                    reject: after.blamed(tried, named, policy),
                }
            }
            Verdict::Suspected { among } => {
                after.rejected(tried, among);
                Conclusion {
                    land: Vec::new(),
                    reject: after.blamed(tried, &[], policy),
                }
            }
        };
        for (change, _) in &conclusion.reject {
            after.left(change, true);
        }
        (conclusion, after)
    }

    /// A trial of these changes was validated, and they landed.
    pub fn landed(&mut self, tried: &[C]) {
        self.left_together = 0;
        for change in tried {
            self.strikes.remove(change);
        }
        self.remember((tried.len(), 0));
        if tried.iter().any(|change| self.suspects.contains(change)) {
            // With anything fresh beside them the target is not the rejected tree without its last suspects any more.
            self.exact &= tried.iter().all(|change| self.suspects.contains(change));
            self.suspects.retain(|suspect| !tried.contains(suspect));
            self.landed_since.extend(tried.iter().cloned());
        } else {
            // The target is another one now: the rejected tree can no longer come about.
            self.exact = false;
        }
        if self.suspects.is_empty() {
            self.forget();
        }
    }

    /// A trial of these changes was rejected, and some of them were named, or none.
    pub fn rejected(&mut self, tried: &[C], named: &[C]) {
        self.forget();
        for change in tried {
            *self.strikes.entry(change.clone()).or_default() += 1;
        }
        let named: Vec<C> = of(tried, named);
        self.exact = named.is_empty();
        (self.left_together, self.suspects) = if named.is_empty() {
            (0, tried.to_vec())
        } else {
            (tried.len() - named.len(), named)
        };
    }

    /// A change left the queue without landing.
    pub fn left(&mut self, change: &C, rejected: bool) {
        self.strikes.remove(change);
        if self.suspects.contains(change) {
            // It may have been the bad one: of the others nothing is known.
            self.forget();
        }
        if rejected {
            self.remember((0, 1));
        }
    }

    /// The target moved without the queue.
    pub fn target_moved(&mut self) {
        self.exact = false;
    }

    /// The last suspect, once all others have landed: its landing would produce the very tree that was rejected.
    fn inferred(&self, policy: &Policy) -> Option<(C, Blame<C>)> {
        let with = self.landed_since.clone();
        match &self.suspects[..] {
            [last] if self.exact && policy.strikes <= 1 => {
                Some((last.clone(), Blame::Inferred { with }))
            }
            _ => None,
        }
    }

    /// Whom a rejected trial costs the place in the queue.
    fn blamed(&self, tried: &[C], named: &[C], policy: &Policy) -> Vec<(C, Blame<C>)> {
        let enough = |change: &C| self.strikes.get(change).copied() >= Some(policy.strikes);
        let named: Vec<C> = of(tried, named);
        match (&named[..], tried) {
            ([], [alone]) if enough(alone) => vec![(alone.clone(), Blame::Alone)],
            (named, _) => {
                let guilty = named.iter().filter(|change| enough(change));
                guilty
                    .map(|change| (change.clone(), Blame::Named))
                    .collect()
            }
        }
    }

    fn remember(&mut self, decided: (usize, usize)) {
        self.decided.push(decided);
        let surplus = self.decided.len().saturating_sub(REMEMBERED);
        self.decided.drain(..surplus);
    }

    fn forget(&mut self) {
        self.suspects.clear();
        self.landed_since.clear();
        self.exact = false;
    }
}

/// Those of the tried changes that are named, in the order of the trial.
fn of<C: Clone + Ord>(tried: &[C], named: &[C]) -> Vec<C> {
    let is_named = |change: &&C| named.contains(change);
    tried.iter().filter(is_named).cloned().collect()
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

    const ONE_STRIKE: Policy = Policy {
        batch_max: 16,
        strikes: 1,
    };
    const TWO_STRIKES: Policy = Policy {
        batch_max: 16,
        strikes: 2,
    };

    fn waiting(changes: &[u32]) -> Vec<Waiting<u32>> {
        let calm = |change: &u32| Waiting {
            change: *change,
            urgent: false,
        };
        changes.iter().map(calm).collect()
    }

    /// What landed, what was rejected, and the trials.
    type Played = (Vec<u32>, Vec<(u32, Blame<u32>)>, Vec<Vec<u32>>);

    /// Tries until nothing waits.
    fn play(
        changes: &[u32],
        policy: &Policy,
        verdict: impl Fn(&[u32], &[u32]) -> Verdict<u32>,
    ) -> Played {
        let mut search = Search::default();
        let mut queue = changes.to_vec();
        let (mut landed, mut rejected, mut trials) = (Vec::new(), Vec::new(), Vec::new());
        while !queue.is_empty() {
            let tried = search.choose(&waiting(&queue), policy);
            assert!(!tried.is_empty() && tried.iter().all(|c| queue.contains(c)));
            let (conclusion, after) = search.conclude(&tried, &verdict(&landed, &tried), policy);
            let out = conclusion.reject.iter().map(|(change, _)| change);
            queue.retain(|c| !conclusion.land.contains(c) && !out.clone().any(|o| o == c));
            landed.extend(conclusion.land);
            rejected.extend(conclusion.reject);
            trials.push(tried);
            search = after;
        }
        (landed, rejected, trials)
    }

    fn bad(bad: &'static [u32], named: bool) -> impl Fn(&[u32], &[u32]) -> Verdict<u32> {
        move |_, tried| {
            let found: Vec<u32> = tried.iter().copied().filter(|c| bad.contains(c)).collect();
            if found.is_empty() {
                Verdict::Validated
            } else {
                Verdict::Rejected {
                    named: if named { found } else { Vec::new() },
                }
            }
        }
    }

    #[test]
    fn six_changes_with_a_bad_fourth_take_five_trials_and_two_when_it_is_named() {
        let (landed, rejected, trials) = play(&[1, 2, 3, 4, 5, 6], &ONE_STRIKE, bad(&[4], false));
        assert_eq!(landed, [1, 2, 3, 5, 6]);
        assert!(matches!(&rejected[..], [(4, _)]), "{rejected:?}");
        assert!(trials.len() <= 5, "{trials:?}");
        let (landed, rejected, trials) = play(&[1, 2, 3, 4, 5, 6], &ONE_STRIKE, bad(&[4], true));
        assert_eq!(landed.len(), 5);
        assert_eq!(rejected, [(4, Blame::Named)]);
        assert_eq!(trials.len(), 2, "{trials:?}");
    }

    #[test]
    fn suspects_are_searched_among_themselves_and_the_others_are_tried_together() {
        let suspected = |_: &[u32], tried: &[u32]| {
            let among: Vec<u32> = tried
                .iter()
                .copied()
                .filter(|c| [2, 4].contains(c))
                .collect();
            if tried.contains(&4) {
                Verdict::Suspected { among }
            } else {
                Verdict::Validated
            }
        };
        let (landed, rejected, trials) = play(&[1, 2, 3, 4, 5, 6], &ONE_STRIKE, suspected);
        assert_eq!(rejected, [(4, Blame::Alone)], "never on suspicion");
        assert_eq!(landed, [2, 1, 3, 5, 6]);
        let expected: [&[u32]; 5] = [&[1, 2, 3, 4, 5, 6], &[2], &[4], &[1, 3, 5], &[6]];
        assert_eq!(trials, expected);
    }

    #[test]
    fn a_trial_holds_changes_of_one_place_and_the_oldest_one_is_always_in_it() {
        let search = Search::default();
        let place = |change: &u32| change % 2;
        let chosen = search.choose_of_one_place(&waiting(&[4, 5, 6, 7, 8]), &ONE_STRIKE, place);
        assert_eq!(chosen, [4, 6, 8]);
        // The 4 is searched to its end before the others' turn comes, and no longer than that.
        let mut queue = vec![4, 5, 6, 7, 8];
        let (mut search, mut trials) = (search, Vec::new());
        while !queue.is_empty() {
            let tried = search.choose_of_one_place(&waiting(&queue), &ONE_STRIKE, place);
            let verdict = bad(&[6], false)(&[], &tried);
            let (conclusion, after) = search.conclude(&tried, &verdict, &ONE_STRIKE);
            let out: Vec<u32> = conclusion
                .reject
                .iter()
                .map(|(change, _)| *change)
                .collect();
            queue.retain(|c| !conclusion.land.contains(c) && !out.contains(c));
            trials.push(tried);
            search = after;
        }
        assert_eq!(
            trials,
            [vec![4, 6, 8], vec![4], vec![6], vec![5, 7], vec![8]]
        );
    }

    #[test]
    fn the_last_suspect_is_inferred_and_those_it_failed_with_are_named() {
        let (landed, rejected, trials) = play(&[1, 2], &ONE_STRIKE, bad(&[2], false));
        assert_eq!(landed, [1]);
        assert_eq!(rejected, [(2, Blame::Inferred { with: vec![1] })]);
        assert_eq!(trials, [vec![1, 2], vec![1]]);
    }

    #[test]
    fn of_two_that_fail_only_together_the_older_lands() {
        let together = |landed: &[u32], tried: &[u32]| {
            let both = [1, 2]
                .iter()
                .all(|c| landed.contains(c) || tried.contains(c));
            if both {
                Verdict::Rejected { named: Vec::new() }
            } else {
                Verdict::Validated
            }
        };
        let (landed, rejected, _) = play(&[1, 2, 3], &ONE_STRIKE, together);
        assert_eq!(landed, [1, 3]);
        assert!(matches!(&rejected[..], [(2, _)]), "{rejected:?}");
    }

    #[test]
    fn with_two_strikes_a_change_is_rejected_alone_and_only_the_second_time() {
        let search = Search::default();
        let (first, search) =
            search.conclude(&[1], &Verdict::Rejected { named: Vec::new() }, &TWO_STRIKES);
        assert_eq!(first.reject, [], "once may be chance");
        assert_eq!(search.choose(&waiting(&[1, 2]), &TWO_STRIKES), [1]);
        let (second, _) =
            search.conclude(&[1], &Verdict::Rejected { named: Vec::new() }, &TWO_STRIKES);
        assert_eq!(second.reject, [(1, Blame::Alone)]);
        let (landed, rejected, _) = play(&[1, 2, 3, 4], &TWO_STRIKES, bad(&[3], false));
        assert_eq!(landed.len(), 3);
        assert_eq!(rejected, [(3, Blame::Alone)], "never by inference");
    }

    #[test]
    fn an_urgent_change_interrupts_a_search_and_ends_its_inference() {
        let policy = ONE_STRIKE;
        let search = Search::default();
        let (_, search) =
            search.conclude(&[1, 2], &Verdict::Rejected { named: Vec::new() }, &policy);
        let mut queue = waiting(&[1, 2, 3]);
        queue.insert(
            0,
            Waiting {
                change: 9,
                urgent: true,
            },
        );
        assert_eq!(
            search.choose(&queue, &policy),
            [9],
            "alone, before the search"
        );
        let (landed, search) = search.conclude(&[9], &Verdict::Validated, &policy);
        assert_eq!(landed.land, [9]);
        assert_eq!(search.choose(&waiting(&[1, 2, 3]), &policy), [1]);
        let (next, search) = search.conclude(&[1], &Verdict::Validated, &policy);
        assert_eq!(
            next.reject,
            [],
            "on the new target nobody has seen the second one fail"
        );
        assert_eq!(search.choose(&waiting(&[2, 3]), &policy), [2]);
    }

    #[test]
    fn a_suspect_that_leaves_takes_the_suspicion_with_it() {
        let (_, search) = Search::default().conclude(
            &[1, 2, 3, 4],
            &Verdict::Rejected { named: Vec::new() },
            &ONE_STRIKE,
        );
        assert_eq!(
            search.choose(&waiting(&[1, 2, 3, 4, 5]), &ONE_STRIKE),
            [1, 2]
        );
        assert_eq!(
            search.choose(&waiting(&[1, 2, 4, 5]), &ONE_STRIKE),
            [1, 2, 4, 5],
            "the third one may have been it"
        );
    }

    #[test]
    fn what_landed_with_something_fresh_leaves_nobody_to_blame() {
        let (_, search) = Search::default().conclude(
            &[1, 2],
            &Verdict::Rejected { named: Vec::new() },
            &ONE_STRIKE,
        );
        let without_two = waiting(&[1, 3]);
        assert_eq!(
            search.choose(&without_two, &ONE_STRIKE),
            [1, 3],
            "it is held"
        );
        let (landed, _) = search.conclude(&[1, 3], &Verdict::Validated, &ONE_STRIKE);
        assert_eq!(
            landed.reject,
            [],
            "nobody has seen 1, 3 and 2 together fail"
        );
    }

    #[test]
    fn a_batch_is_about_a_toss_up_and_never_larger_than_allowed() {
        let mut search: Search<u32> = Search::default();
        let wide = Policy {
            batch_max: 64,
            strikes: 1,
        };
        assert_eq!(search.batch(&wide), 6, "one in ten is assumed at first");
        search.decided = vec![(49, 1); 20];
        assert!(
            (30..=34).contains(&search.batch(&wide)),
            "{}",
            search.batch(&wide)
        );
        assert_eq!(search.batch(&ONE_STRIKE), 16);
        search.decided = vec![(8, 2); 20];
        assert_eq!(search.batch(&wide), 3);
        search.decided = vec![(0, 5); 20];
        assert_eq!(search.batch(&wide), 2, "a pair is never worse than one");
        let alone = Policy {
            batch_max: 1,
            strikes: 1,
        };
        assert_eq!(search.batch(&alone), 1, "batches are off");
    }

    mod properties {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn every_change_is_decided_once_and_rightly(n in 1u32..40, bad in prop::collection::btree_set(0u32..40, 0..12), strikes in 1u32..3, batch_max in 1usize..40, named in any::<bool>()) {
                let changes: Vec<u32> = (0..n).collect();
                let policy = Policy { batch_max, strikes };
                let verdict = |_: &[u32], tried: &[u32]| {
                    let found: Vec<u32> = tried.iter().copied().filter(|c| bad.contains(c)).collect();
                    if found.is_empty() { Verdict::Validated } else { Verdict::Rejected { named: if named { found } else { Vec::new() } } }
                };
                let (mut landed, rejected, trials) = play(&changes, &policy, verdict);
                prop_assert!(trials.iter().all(|t| t.len() <= batch_max));
                landed.sort_unstable();
                let mut out: Vec<u32> = rejected.into_iter().map(|(c, _)| c).collect();
                out.sort_unstable();
                let (right_out, right_in): (Vec<u32>, Vec<u32>) = changes.into_iter().partition(|c| bad.contains(c));
                prop_assert_eq!((landed, out), (right_in, right_out));
            }
        }
    }
}
