//! When each change set of the queue may land: the queue played on a thousand times, through the very functions that choose and
//! conclude trials, with trials as long as those that were, and as many bad change sets.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, Unit};

use super::course::{Change, Course, Surroundings, Trial, URGENT, lane};
use crate::domain::freezes::Freezes;
use crate::domain::ids::MergeRequestId;
use crate::domain::integration::{Place, Priority, Ticket};
use crate::domain::pace::{Came, Landing, Pace, Turn};
use crate::domain::trials::{Policy, Search, Verdict};
use crate::domain::yard::Yard;

/// With fewer trials than this nothing is foretold.
pub const FEWEST: usize = 11;
/// How often the queue is played on.
const RUNS: usize = 1_000;
/// How many change sets are played in all runs together, so that a long queue takes no longer.
const MOST_PLAYED: usize = 60_000;

/// What can be said of the future.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forecast {
    /// Of each change set that waits or is tried.
    Of {
        /// How many past trials it is made of.
        trials: usize,
        /// When each lands.
        landings: BTreeMap<MergeRequestId, Landing>,
    },
    /// There is too little to go by.
    TooFew {
        /// How many past trials are known.
        trials: usize,
    },
    /// Somebody paused the queue.
    Paused {
        /// How many past trials are known.
        trials: usize,
    },
    /// The trial goes on for longer than any of those before it.
    Overdue {
        /// How many past trials are known.
        trials: usize,
    },
}

impl Forecast {
    /// When a change set lands.
    pub fn landing(&self, id: &MergeRequestId) -> Option<Landing> {
        match self {
            Self::Of { landings, .. } => landings.get(id).copied(),
            Self::TooFew { .. } | Self::Paused { .. } | Self::Overdue { .. } => None,
        }
    }
}

/// Foretells the queue as it is served from now on: what somebody holds lands at no time that could be told. The same state and
/// instant make the same forecast.
pub fn forecast(yard: &Yard, policy: &Policy, freezes: &Freezes, now: Timestamp) -> Forecast {
    let trials = yard.pace.verdicts();
    if trials < FEWEST {
        return Forecast::TooFew { trials };
    }
    if yard.queue.paused.is_some() {
        return Forecast::Paused { trials };
    }
    let is_held = |ticket: &Ticket| {
        let hold = yard.queue.holds.get(&ticket.change_set.merge_request);
        hold.is_some_and(|hold| hold.holds(now))
    };
    let takes_part = |ticket: &&Ticket| match ticket.place {
        Place::Waiting => !is_held(ticket),
        Place::InTrial(_) => true,
        Place::Merged { .. } => false,
    };
    let tickets: Vec<&Ticket> = yard.queue.tickets.iter().filter(takes_part).collect();
    let under_test: Vec<usize> = (0..tickets.len())
        .filter(|index| matches!(tickets[*index].place, Place::InTrial(_)))
        .collect();
    let elapsed = yard.pace.running.map(|running| since(running.since, now));
    if let Some(elapsed) = elapsed
        && yard
            .pace
            .turns
            .iter()
            .all(|turn| turn.seconds as f64 <= elapsed)
    {
        return Forecast::Overdue { trials };
    }
    let place = |ticket: &&Ticket| {
        let project = &ticket.change_set.merge_request.project;
        let same = |other: &&Ticket| other.change_set.merge_request.project == *project;
        tickets.iter().position(same).unwrap_or_default()
    };
    let now_waits = Now {
        yard,
        policy,
        freezes,
        instant: now,
        tickets: &tickets,
        places: tickets.iter().map(place).collect(),
        under_test: &under_test,
        elapsed,
        join_rate: rate(&yard.pace.joined, now),
        search: yard.search.renamed(|id| {
            let known = tickets
                .iter()
                .position(|t| t.change_set.merge_request == *id);
            known.unwrap_or(usize::MAX)
        }),
    };
    let runs = (MOST_PLAYED / tickets.len().max(1)).clamp(100, RUNS);
    let mut landed: Vec<Vec<f64>> = vec![Vec::new(); tickets.len()];
    let seed = yard.last.as_second().unsigned_abs();
    let mut chance = fastrand::Rng::with_seed(seed);
    for _ in 0..runs {
        now_waits.play_on(&mut chance, &mut landed);
    }
    let of = |(ticket, times): (&&Ticket, Vec<f64>)| {
        let landing = quantiles(times, now)?;
        Some((ticket.change_set.merge_request.clone(), landing))
    };
    Forecast::Of {
        trials,
        landings: tickets.iter().zip(landed).filter_map(of).collect(),
    }
}

/// Where the queue is played on from.
struct Now<'a> {
    yard: &'a Yard,
    policy: &'a Policy,
    freezes: &'a Freezes,
    instant: Timestamp,
    tickets: &'a [&'a Ticket],
    /// The ticket that stands for the project of each.
    places: Vec<usize>,
    under_test: &'a [usize],
    /// For how long the environment has been taken.
    elapsed: Option<f64>,
    /// Change sets that join, a second.
    join_rate: f64,
    search: Search<usize>,
}

impl Now<'_> {
    /// One future.
    fn play_on(&self, chance: &mut fastrand::Rng, landed: &mut [Vec<f64>]) {
        let changes = self.changes(chance);
        let mut future = Future {
            now: self,
            pace: &self.yard.pace,
            changes: &changes,
            open: self.tickets.len(),
            chance,
            landed,
        };
        let mut course = Course::new(&changes, *self.policy, self.search.clone());
        course.admit(0.0);
        let mut free = 0.0;
        if let Some(elapsed) = self.elapsed {
            let trial = self.running(elapsed, &mut future);
            free = trial.took - elapsed;
            course.conclude(self.under_test, &trial, -elapsed, &mut future);
        }
        course.run(free, &mut future);
    }

    /// The trial that goes on: as long as one of those that took longer than it has taken.
    fn running(&self, elapsed: f64, future: &mut Future<'_, '_>) -> Trial {
        let validated = self.yard.nrt.trial.as_ref().is_some_and(|t| t.validated);
        let fails = !validated && self.under_test.iter().any(|c| future.changes[*c].bad);
        let came = if fails { Came::Rejected } else { Came::Landed };
        let longer = |seconds: u64| seconds as f64 > elapsed;
        let (took, decided_after) = future
            .sample(|turn| turn.came == came && longer(turn.seconds))
            .or_else(|| future.sample(|turn| longer(turn.seconds)))
            .unwrap_or((elapsed, elapsed));
        let rejected = Verdict::Rejected { named: Vec::new() };
        let verdict = if fails { rejected } else { Verdict::Validated };
        Trial {
            verdict: (!self.under_test.is_empty()).then_some(verdict),
            took,
            decided_after: decided_after.max(elapsed),
        }
    }

    /// What is in the queue, and what joins it meanwhile.
    fn changes(&self, chance: &mut fastrand::Rng) -> Vec<Change> {
        let failure_rate = self.yard.search.failure_rate();
        let of_ticket = |(ticket, place): (&&Ticket, &usize)| Change {
            place: *place,
            at: 0.0,
            lane: if ticket.is_urgent() {
                URGENT
            } else {
                lane(ticket.change_set.priority)
            },
            bad: chance.f64() < failure_rate,
        };
        let mut changes: Vec<Change> = self
            .tickets
            .iter()
            .zip(&self.places)
            .map(of_ticket)
            .collect();
        let suspects: Vec<usize> = self
            .search
            .suspected()
            .iter()
            .copied()
            .filter(|suspect| *suspect < changes.len())
            .collect();
        // One of them at least is known to be bad.
        if !suspects.is_empty() && !suspects.iter().any(|suspect| changes[*suspect].bad) {
            changes[suspects[chance.usize(..suspects.len())]].bad = true;
        }
        let mut at = 0.0;
        while self.join_rate > 0.0
            && !changes.is_empty()
            && changes.len() < 2 * self.tickets.len() + 20
        {
            at -= (1.0 - chance.f64()).ln() / self.join_rate;
            changes.push(Change {
                at,
                // Newcomers are of the same projects as those who wait.
                place: self.places[chance.usize(..self.places.len())],
                lane: lane(Priority::Normal),
                bad: chance.f64() < failure_rate,
            });
        }
        changes
    }
}

/// A future of this environment, drawn from its past.
struct Future<'a, 'b> {
    now: &'a Now<'a>,
    pace: &'a Pace,
    changes: &'a [Change],
    /// How many of those that are asked about are not decided yet.
    open: usize,
    chance: &'b mut fastrand::Rng,
    landed: &'b mut [Vec<f64>],
}

impl Future<'_, '_> {
    /// The length of one of the trials like this, and when its change sets were decided.
    fn sample(&mut self, like: impl Fn(&Turn) -> bool) -> Option<(f64, f64)> {
        let turns: Vec<&Turn> = self.pace.turns.iter().filter(|turn| like(turn)).collect();
        let turn = turns.get(self.chance.usize(..turns.len().max(1)))?;
        Some((turn.seconds as f64, turn.decided_after as f64))
    }
}

impl Surroundings for Future<'_, '_> {
    fn trial(&mut self, tried: &[usize], _now: f64) -> Trial {
        let all = self.pace.turns.len();
        let lost = all - self.pace.verdicts();
        if self.chance.usize(..all) < lost {
            let (took, _) = self
                .sample(|turn| turn.came == Came::WithoutVerdict)
                .unwrap_or_default();
            return Trial {
                verdict: None,
                took,
                decided_after: took,
            };
        }
        let fails = tried.iter().any(|change| self.changes[*change].bad);
        let (came, verdict) = if fails {
            (Came::Rejected, Verdict::Rejected { named: Vec::new() })
        } else {
            (Came::Landed, Verdict::Validated)
        };
        let (took, decided_after) = self
            .sample(|turn| turn.came == came)
            .or_else(|| self.sample(|turn| turn.came != Came::WithoutVerdict))
            .unwrap_or_default();
        Trial {
            verdict: Some(verdict),
            took,
            decided_after,
        }
    }

    /// After the usual pause, and not in a freeze of whoever is first.
    fn begins(&mut self, now: f64, first: usize) -> f64 {
        let pauses = &self.pace.pauses;
        let pause = pauses.get(self.chance.usize(..pauses.len().max(1)));
        let begin = now + pause.copied().unwrap_or_default() as f64;
        let ticket = self.now.tickets.get(first);
        if ticket.is_some_and(|ticket| ticket.goes_through_freezes()) {
            return begin;
        }
        let priority = ticket.map_or(Priority::Normal, |ticket| ticket.change_set.priority);
        let later = SignedDuration::try_from_secs_f64(begin).ok();
        let at = later.and_then(|later| self.now.instant.checked_add(later).ok());
        match at.and_then(|at| self.now.freezes.of_lane(priority, at)) {
            Some(frozen) => since(self.now.instant, frozen.until).max(begin),
            None => begin,
        }
    }

    fn decided(&mut self, change: usize, at: f64, has_landed: bool) {
        if let Some(times) = self.landed.get_mut(change) {
            self.open -= 1;
            if has_landed {
                times.push(at);
            }
        }
    }

    fn is_answered(&self) -> bool {
        self.open == 0
    }
}

fn since(from: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(from).as_secs_f64().max(0.0)
}

/// Per second, as far as it is known.
fn rate(joined: &[Timestamp], now: Timestamp) -> f64 {
    let known = joined.first().map(|first| since(*first, now));
    match known {
        Some(seconds) if joined.len() > 1 && seconds > 0.0 => joined.len() as f64 / seconds,
        Some(_) | None => 0.0,
    }
}

/// By nearest rank, as everywhere in the insights.
fn quantiles(mut times: Vec<f64>, now: Timestamp) -> Option<Landing> {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let seconds = times.get((times.len() * percent).div_ceil(100).checked_sub(1)?)?;
        let seconds = SignedDuration::from_secs(seconds.round() as i64);
        now.round(Unit::Second).ok()?.checked_add(seconds).ok()
    };
    Some(Landing {
        p50: at(50)?,
        p85: at(85)?,
    })
}

#[cfg(test)]
mod tests;
