//! What a fault is: which requests it strikes, how often, and what it does to them.

use serde::{Deserialize, Serialize};

use super::Arrival;

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Only requests of running jobs of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// A point inside a handler instead of the start of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// How many matches pass first.
    #[serde(default)]
    pub after: u32,
    /// How many matches are struck then: one, or with `percent` all, unless it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many of a hundred matches get the effect, drawn one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Which of them: another seed, other draws.
    #[serde(default)]
    pub seed: u64,
    pub effect: Effect,
}

impl Rule {
    /// A rule that hits the next request of any kind once.
    pub fn new(effect: Effect) -> Self {
        Self {
            method: None,
            route: None,
            who: None,
            job: None,
            point: None,
            after: 0,
            times: None,
            percent: None,
            seed: 0,
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

    /// Only requests that running jobs of this name make.
    pub fn of_job(mut self, name: &str) -> Self {
        self.job = Some(name.to_owned());
        self
    }

    /// So many of a hundred matches, drawn from this seed.
    pub fn percent(mut self, percent: u8, seed: u64) -> Self {
        (self.percent, self.seed) = (Some(percent), seed);
        self
    }

    /// After this many matches.
    pub fn after(mut self, matches: u32) -> Self {
        self.after = matches;
        self
    }

    /// This many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Does the rule speak of this request?
    pub(super) fn matches(&self, arrival: &Arrival<'_>) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        self.point.is_none()
            && is(&self.method, Some(arrival.method))
            && is(&self.route, arrival.route)
            && is(&self.who, arrival.who.username())
            && is(&self.job, arrival.job.map(|job| job.name.as_str()))
    }

    /// Is the match of this number (from 1) struck?
    pub(super) fn is_due(&self, seen: u32) -> bool {
        let times = match (self.times, self.percent) {
            (Some(times), _) => times,
            (None, Some(_)) => u32::MAX,
            (None, None) => 1,
        };
        let due = seen > self.after && seen - self.after <= times;
        due && self
            .percent
            .is_none_or(|percent| draw(self.seed, seen) < u64::from(percent))
    }
}

/// A number below 100 that only the seed and the turn decide (the SplitMix64 generator).
fn draw(seed: u64, turn: u32) -> u64 {
    let mut mixed = seed.wrapping_add(u64::from(turn).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % 100
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Effect {
    /// Answers without doing anything.
    Answer {
        status: u16,
        #[serde(default)]
        body: serde_json::Value,
    },
    /// Does the work later.
    Delay { milliseconds: u64 },
    /// Closes the connection, nothing was done.
    ResetBefore,
    /// Does the work, then closes the connection without an answer.
    ResetAfter,
    /// Does the work, then sends the first half of the answer and closes the connection.
    CutShort,
    /// An HTML page as a proxy sends it, such as a 502.
    Html { status: u16 },
    /// 429, with or without `Retry-After`.
    TooManyRequests {
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Does the work, closes the connection and kills the job that asked: it dies right after its request.
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
            Self::CutShort => "cut_short",
            Self::Html { .. } => "html",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Kill => "kill",
            Self::Rendezvous { .. } => "rendezvous",
            Self::Phantom => "phantom",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_drawn_alike_from_the_same_seed_and_otherwise_from_another() {
        let struck = |seed: u64| {
            let rule = Rule::new(Effect::ResetBefore).percent(30, seed);
            (1..=1000)
                .filter(|turn| rule.is_due(*turn))
                .collect::<Vec<u32>>()
        };
        assert_eq!(struck(7), struck(7));
        assert_ne!(struck(7), struck(8));
        assert!((250..350).contains(&struck(7).len()), "{}", struck(7).len());
    }
}
