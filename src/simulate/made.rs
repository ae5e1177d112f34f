//! A yard that never was, for tests: change sets arrive, the product's own functions choose and conclude, and its log tells of it.

use std::collections::BTreeMap;

use crate::domain::event::Fact;
use crate::domain::freezes::Freezes;
use crate::domain::ids::{Epoch, TrialId};
use crate::domain::trials::{Policy, Verdict};
use crate::domain::yard::Yard;
use crate::insights::story::{Story, minute, mr};

/// Under which it is played.
pub(crate) const POLICY: Policy = Policy {
    batch_max: 8,
    strikes: 1,
};

/// How many change sets arrive.
const ARRIVALS: usize = 300;

/// The yard so far; times in minutes of its story.
#[derive(Default)]
pub(crate) struct Made {
    /// Its log.
    pub(crate) story: Story,
    /// When each merge request landed.
    pub(crate) landed: BTreeMap<u64, i64>,
    yard: Yard,
    read: usize,
    bad: Vec<bool>,
    chance: fastrand::Rng,
}

impl Made {
    /// Plays one: `load` change sets arrive in the time of a trial, of which a share is bad. `joined` sees each when it joins.
    pub(crate) fn play(
        seed: u64,
        load: f64,
        share: f64,
        mut joined: impl FnMut(&Yard, u64, i64),
    ) -> Self {
        let mut made = Self {
            chance: fastrand::Rng::with_seed(seed),
            ..Self::default()
        };
        let (mut next, mut free, mut trial) = (0i64, 0i64, 0u64);
        loop {
            let waits = made.yard().queue.waiting().next().is_some();
            if made.bad.len() < ARRIVALS && (!waits || next <= free) {
                free = free.max(next + 1);
                next = made.joins(next, load, share, &mut joined);
                continue;
            }
            if !waits {
                return made;
            }
            trial += 1;
            let yard = made.yard().clone();
            let tried = yard.next_trial(&POLICY, &Freezes::default(), minute(free));
            let iids = tried.iter().map(|t| t.change_set.merge_request.iid);
            let iids: Vec<u64> = iids.collect();
            made.story.tried(free, trial, &iids);
            let spread = (0..6).map(|_| made.chance.f64()).sum::<f64>();
            let end = free + 20 + (spread * 8.0) as i64;
            while next < end && made.bad.len() < ARRIVALS {
                next = made.joins(next, load, share, &mut joined);
            }
            made.ends(end, trial, &iids, &yard);
            free = end + 2;
        }
    }

    fn yard(&mut self) -> &Yard {
        for event in &self.story.events[self.read..] {
            self.yard.apply(event);
        }
        self.read = self.story.events.len();
        &self.yard
    }

    /// One more joins; returns when the next one comes.
    fn joins(
        &mut self,
        at: i64,
        load: f64,
        share: f64,
        joined: &mut impl FnMut(&Yard, u64, i64),
    ) -> i64 {
        let iid = self.bad.len() as u64;
        self.story.queued(at, iid, &[]);
        let is_bad = self.chance.f64() < share;
        self.bad.push(is_bad);
        joined(self.yard(), iid, at);
        at + 1 + (-(1.0 - self.chance.f64()).ln() * 44.0 / load) as i64
    }

    fn ends(&mut self, end: i64, trial: u64, iids: &[u64], yard: &Yard) {
        let is_bad = |iid: &u64| usize::try_from(*iid).is_ok_and(|index| self.bad[index]);
        let fails = iids.iter().any(is_bad);
        let rejected = Verdict::Rejected { named: Vec::new() };
        let verdict = if fails { rejected } else { Verdict::Validated };
        let ids: Vec<_> = iids.iter().map(|iid| mr(*iid)).collect();
        let (conclusion, _) = yard.search.conclude(&ids, &verdict, &POLICY);
        let id = TrialId(trial);
        let out: Vec<_> = conclusion.reject.into_iter().map(|(id, _)| id).collect();
        if fails {
            let fact = Fact::TrialRejected {
                trial: id,
                culprits: out.clone(),
                evidence: String::new(),
            };
            self.story.add(end, fact);
        }
        for merge_request in out {
            let fact = Fact::ChangeSetRejected {
                merge_request,
                head: "a".repeat(40).parse().unwrap(),
                trial: id,
                reason: String::new(),
                evidence: None,
                failures: Vec::new(),
            };
            self.story.add(end, fact);
        }
        if fails {
            let epoch = Epoch(trial);
            self.story.add(end, Fact::LeaseReleased { epoch });
        } else {
            let lands: Vec<(u64, &[_])> =
                conclusion.land.iter().map(|id| (id.iid, &[][..])).collect();
            self.story.passed(end, trial, 1, &lands);
            self.landed.extend(lands.iter().map(|(iid, _)| (*iid, end)));
        }
    }
}
