//! What follows from a verdict, and what it teaches.

use super::{Blame, Conclusion, Policy, Search, Verdict};

/// How many of the last verdicts are looked at.
const REMEMBERED: usize = 100;

impl<C: Clone + Ord> Search<C> {
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
