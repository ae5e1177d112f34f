//! Which change sets are tried together, and what a verdict says about each of them. Pure, and generic over what a change is,
//! so that `trainyard simulate` measures these very functions.
//!
//! One environment decides at most 1/H2(p) changes in the time of one trial (H2: binary entropy, p: the share of bad changes),
//! because a verdict is one bit. Batches that are halved on a rejection, with inference, come within a few percent of that.

mod choosing;
mod concluding;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pairs;

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
