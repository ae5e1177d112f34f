//! Faults that tests switch on: rules that every request passes, and named points inside handlers.
//!
//! A rule counts the requests (or arrivals at its point) it matches: the first `after` pass untouched, the next `times` get
//! the effect; with `percent`, every later one is drawn from the rule's `seed`, the same way in every run.

mod rule;

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

pub use self::rule::{Effect, Rule};
use crate::request_log::{JobName, Who};

/// The point between the uniqueness check and the insertion of a CI variable.
pub const BEFORE_VARIABLE_INSERT: &str = "variables.before_insert";
/// The point between a failed creation of a CI variable and the second look that chooses the status.
pub const BEFORE_VARIABLE_RECHECK: &str = "variables.before_recheck";

/// The point between the checks of a merge and the merge itself.
pub const BEFORE_MERGE: &str = "merge_requests.before_merge";

/// How long a rendezvous waits for company before it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request as the rules see it.
pub(crate) struct Arrival<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: Option<&'a str>,
    pub(crate) who: &'a Who,
    pub(crate) job: Option<&'a JobName>,
}

/// A rule and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Its number, for taking it back.
    pub id: u64,
    #[serde(flatten)]
    pub rule: Rule,
    /// Requests that matched so far.
    pub seen: u32,
    /// Requests that got the effect.
    pub hit: u32,
}

type KillHook = Box<dyn Fn(&Who, Option<&JobName>) + Send + Sync>;

/// The fault table.
#[derive(Default)]
pub struct Faults {
    table: Mutex<Table>,
    arrivals: Condvar,
    kill_hook: Mutex<Option<KillHook>>,
}

#[derive(Default)]
struct Table {
    rules: Vec<Standing>,
    added: u64,
}

impl Faults {
    /// Adds a rule and gives its number; of several that apply to a request the oldest wins.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut table = self.lock();
        table.added += 1;
        let id = table.added;
        table.rules.push(Standing {
            id,
            rule,
            seen: 0,
            hit: 0,
        });
        id
    }

    /// Takes a rule back; false when there is none of this number.
    pub fn remove(&self, id: u64) -> bool {
        let mut table = self.lock();
        let before = table.rules.len();
        table.rules.retain(|standing| standing.id != id);
        self.arrivals.notify_all();
        table.rules.len() < before
    }

    /// Forgets all rules.
    pub fn clear(&self) {
        self.lock().rules.clear();
        self.arrivals.notify_all();
    }

    /// The rules with what came of them, spent ones too.
    pub fn rules(&self) -> Vec<Standing> {
        self.lock().rules.clone()
    }

    /// What happens to a caller that `Kill` hits; a runner ends the job's processes here.
    pub fn on_kill(&self, hook: impl Fn(&Who, Option<&JobName>) + Send + Sync + 'static) {
        *self
            .kill_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    pub(crate) fn kill(&self, who: &Who, job: Option<&JobName>) {
        if let Some(hook) = self
            .kill_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            hook(who, job);
        }
    }

    /// The effect for a request that just arrived; waiting effects have already waited.
    pub(crate) fn on_request(&self, arrival: &Arrival<'_>) -> Option<Effect> {
        self.take(|rule| rule.matches(arrival))
    }

    /// The effect at a point of a handler; waiting effects have already waited.
    pub fn at_point(&self, point: &str) -> Option<Effect> {
        self.take(|rule| rule.point.as_deref() == Some(point))
    }

    fn take(&self, matches: impl Fn(&Rule) -> bool) -> Option<Effect> {
        let mut table = self.lock();
        let mut hit = None;
        for standing in table
            .rules
            .iter_mut()
            .filter(|standing| matches(&standing.rule))
        {
            standing.seen += 1;
            if hit.is_none() && standing.rule.is_due(standing.seen) {
                standing.hit += 1;
                hit = Some((standing.id, standing.rule.effect.clone()));
            }
        }
        let (id, effect) = hit?;
        match effect {
            Effect::Delay { milliseconds } => {
                let nobody = Mutex::new(());
                drop(table);
                let guard = nobody.lock().unwrap_or_else(PoisonError::into_inner);
                drop(Condvar::new().wait_timeout_while(
                    guard,
                    Duration::from_millis(milliseconds),
                    |()| true,
                ));
            }
            Effect::Rendezvous { parties } => {
                self.arrivals.notify_all();
                let missing = |table: &mut Table| {
                    let standing = table.rules.iter().find(|standing| standing.id == id);
                    standing.is_some_and(|standing| standing.seen - standing.rule.after < parties)
                };
                drop(self.arrivals.wait_timeout_while(table, PATIENCE, missing));
            }
            Effect::Answer { .. }
            | Effect::ResetBefore
            | Effect::ResetAfter
            | Effect::CutShort
            | Effect::Html { .. }
            | Effect::TooManyRequests { .. }
            | Effect::Kill
            | Effect::Phantom => {}
        }
        Some(effect)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
