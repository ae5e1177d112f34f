//! Faults that tests switch on: rules that every request passes, and named points inside handlers.
//!
//! A rule counts the requests (or arrivals at its point) it matches: the first `after` pass untouched, the next `times` get
//! the effect.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::request_log::Who;

/// The point between the uniqueness check and the insertion of a CI variable.
pub const BEFORE_VARIABLE_INSERT: &str = "variables.before_insert";
/// The point between a failed creation of a CI variable and the second look that chooses the status.
pub const BEFORE_VARIABLE_RECHECK: &str = "variables.before_recheck";

/// The point between the checks of a merge and the merge itself.
pub const BEFORE_MERGE: &str = "merge_requests.before_merge";

/// How long a rendezvous waits for company before it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Only this HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only this route pattern, such as `projects/:id/variables/:key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Only this user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// A point inside a handler instead of the start of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// How many matches pass first.
    #[serde(default)]
    pub after: u32,
    /// How many matches get the effect then.
    #[serde(default = "once")]
    pub times: u32,
    pub effect: Effect,
}

fn once() -> u32 {
    1
}

impl Rule {
    /// A rule that hits the next request of any kind once.
    pub fn new(effect: Effect) -> Self {
        Self {
            method: None,
            route: None,
            who: None,
            point: None,
            after: 0,
            times: 1,
            effect,
        }
    }

    /// Only this method and route pattern.
    pub fn on(mut self, method: &str, route: &str) -> Self {
        (self.method, self.route) = (Some(method.to_owned()), Some(route.to_owned()));
        self
    }

    /// At this point of a handler.
    pub fn at(mut self, point: &str) -> Self {
        self.point = Some(point.to_owned());
        self
    }

    /// Only requests of this user.
    pub fn by(mut self, username: &str) -> Self {
        self.who = Some(username.to_owned());
        self
    }

    /// After this many matches.
    pub fn after(mut self, matches: u32) -> Self {
        self.after = matches;
        self
    }

    /// This many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Effect {
    /// Answers without doing anything.
    Answer {
        status: u16,
        body: serde_json::Value,
    },
    /// Does the work later.
    Delay { milliseconds: u64 },
    /// Closes the connection, nothing was done.
    ResetBefore,
    /// Does the work, then closes the connection without an answer.
    ResetAfter,
    /// An HTML 502 as a proxy sends it.
    BadGateway,
    /// 429, with or without `Retry-After`.
    TooManyRequests { retry_after: Option<u64> },
    /// Does the work, closes the connection and calls the `on_kill` hook: the caller dies right after its request.
    Kill,
    /// Waits until this many requests are at the same point, then lets them all go on.
    Rendezvous { parties: u32 },
    /// At `BEFORE_VARIABLE_RECHECK`: the creation that failed is answered as if it had succeeded.
    Phantom,
}

impl Effect {
    /// The name of the effect, for the request log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::Delay { .. } => "delay",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::BadGateway => "bad_gateway",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Kill => "kill",
            Self::Rendezvous { .. } => "rendezvous",
            Self::Phantom => "phantom",
        }
    }
}

type KillHook = Box<dyn Fn(&Who) + Send + Sync>;

/// The fault table.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Active>>,
    arrivals: Condvar,
    kill_hook: Mutex<Option<KillHook>>,
}

struct Active {
    rule: Rule,
    seen: u32,
}

impl Faults {
    /// Adds a rule; the first rule that applies to a request wins.
    pub fn add(&self, rule: Rule) {
        self.lock().push(Active { rule, seen: 0 });
    }

    /// Forgets all rules.
    pub fn clear(&self) {
        self.lock().clear();
        self.arrivals.notify_all();
    }

    /// The rules, spent ones too.
    pub fn rules(&self) -> Vec<Rule> {
        self.lock()
            .iter()
            .map(|active| active.rule.clone())
            .collect()
    }

    /// What happens to a caller that `Kill` hits; a runner ends the job's processes here.
    pub fn on_kill(&self, hook: impl Fn(&Who) + Send + Sync + 'static) {
        *self
            .kill_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    pub(crate) fn kill(&self, who: &Who) {
        if let Some(hook) = self
            .kill_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            hook(who);
        }
    }

    /// The effect for a request that just arrived; waiting effects have already waited.
    pub(crate) fn on_request(
        &self,
        method: &str,
        route: Option<&str>,
        who: &Who,
    ) -> Option<Effect> {
        self.take(|rule| {
            rule.point.is_none()
                && rule.method.as_deref().is_none_or(|wanted| wanted == method)
                && rule
                    .route
                    .as_deref()
                    .is_none_or(|wanted| Some(wanted) == route)
                && rule
                    .who
                    .as_deref()
                    .is_none_or(|wanted| Some(wanted) == who.username())
        })
    }

    /// The effect at a point of a handler; waiting effects have already waited.
    pub fn at_point(&self, point: &str) -> Option<Effect> {
        self.take(|rule| rule.point.as_deref() == Some(point))
    }

    fn take(&self, matches: impl Fn(&Rule) -> bool) -> Option<Effect> {
        let mut rules = self.lock();
        let mut hit = None;
        for (index, active) in rules
            .iter_mut()
            .enumerate()
            .filter(|(_, active)| matches(&active.rule))
        {
            active.seen += 1;
            let due = active.seen > active.rule.after
                && active.seen - active.rule.after <= active.rule.times;
            if due && hit.is_none() {
                hit = Some((index, active.rule.effect.clone()));
            }
        }
        let (index, effect) = hit?;
        match effect {
            Effect::Delay { milliseconds } => {
                let nobody = Mutex::new(());
                drop(rules);
                let guard = nobody.lock().unwrap_or_else(PoisonError::into_inner);
                drop(Condvar::new().wait_timeout_while(
                    guard,
                    Duration::from_millis(milliseconds),
                    |()| true,
                ));
            }
            Effect::Rendezvous { parties } => {
                self.arrivals.notify_all();
                let missing = |rules: &mut Vec<Active>| {
                    rules
                        .get(index)
                        .is_some_and(|active| active.seen - active.rule.after < parties)
                };
                drop(self.arrivals.wait_timeout_while(rules, PATIENCE, missing));
            }
            Effect::Answer { .. }
            | Effect::ResetBefore
            | Effect::ResetAfter
            | Effect::BadGateway
            | Effect::TooManyRequests { .. }
            | Effect::Kill
            | Effect::Phantom => {}
        }
        Some(effect)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Active>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
