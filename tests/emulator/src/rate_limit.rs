//! The limit on requests per caller and period, off until somebody sets it, as on a self-managed server.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::message::Response;
use crate::request_log::Who;

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) requests: u32,
    pub(crate) seconds: u32,
}

/// Counts the API requests of every caller in periods of the emulator's clock.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    signed_in: Option<Rate>,
    anonymous: Option<Rate>,
    /// By caller, the period and the requests in it.
    requests: BTreeMap<String, (i64, u32)>,
}

/// Where a caller stands after a request.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    name: &'static str,
    limit: u32,
    observed: u32,
    /// When counting starts again, in seconds since 1970.
    reset: i64,
    retry_after: i64,
}

impl RateLimit {
    /// Allows so many requests a minute; `None` allows all.
    pub(crate) fn set(&self, per_minute: Option<u32>) {
        let rate = per_minute.map(|requests| Rate {
            requests,
            seconds: 60,
        });
        self.configure(rate, rate);
    }

    /// Allows so much to callers who are signed in, and to all others together; `None` allows all.
    pub(crate) fn configure(&self, signed_in: Option<Rate>, anonymous: Option<Rate>) {
        let mut counted = self.lock();
        (counted.signed_in, counted.anonymous) = (signed_in, anonymous);
        counted.requests.clear();
    }

    /// Counts a request; nothing while there is no limit.
    pub(crate) fn count(&self, who: &Who, now: Timestamp) -> Option<Standing> {
        let mut counted = self.lock();
        let caller = who.username().unwrap_or_default().to_owned();
        let (name, rate) = if caller.is_empty() {
            ("throttle_unauthenticated_api", counted.anonymous?)
        } else {
            ("throttle_authenticated_api", counted.signed_in?)
        };
        let seconds = i64::from(rate.seconds);
        let period = now.as_second().div_euclid(seconds);
        let (last, observed) = counted.requests.entry(caller).or_insert((period, 0));
        if *last != period {
            (*last, *observed) = (period, 0);
        }
        *observed = observed.saturating_add(1);
        let reset = (period + 1) * seconds;
        Some(Standing {
            name,
            limit: rate.requests,
            observed: *observed,
            reset,
            retry_after: reset - now.as_second(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    /// `429` in plain text, once the limit is passed.
    pub(crate) fn refusal(&self) -> Option<Response> {
        (self.observed > self.limit).then(|| {
            Response::bytes(429, "text/plain", "Retry later\n")
                .with("retry-after", self.retry_after.to_string())
        })
    }

    /// The answer with the headers that tell the caller about the limit.
    pub(crate) fn told(&self, response: Response) -> Response {
        let reset = Timestamp::from_second(self.reset).unwrap_or_default();
        response
            .with("ratelimit-name", self.name)
            .with("ratelimit-limit", self.limit.to_string())
            .with("ratelimit-observed", self.observed.to_string())
            .with(
                "ratelimit-remaining",
                self.limit.saturating_sub(self.observed).to_string(),
            )
            .with("ratelimit-reset", self.reset.to_string())
            .with(
                "ratelimit-resettime",
                reset.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_counted_apart_and_anew_every_minute() {
        let limit = RateLimit::default();
        let now: Timestamp = "2026-01-05T10:00:50Z".parse().unwrap();
        let ana = Who::User {
            username: "ana".to_owned(),
        };
        assert!(limit.count(&ana, now).is_none());
        limit.set(Some(1));
        assert!(limit.count(&ana, now).unwrap().refusal().is_none());
        assert!(
            limit
                .count(&Who::Anonymous, now)
                .unwrap()
                .refusal()
                .is_none()
        );
        let refused = limit.count(&ana, now).unwrap().refusal().unwrap();
        assert!(refused.headers.contains(&("retry-after", "10".to_owned())));
        let later: Timestamp = "2026-01-05T10:01:00Z".parse().unwrap();
        assert!(limit.count(&ana, later).unwrap().refusal().is_none());
    }
}
