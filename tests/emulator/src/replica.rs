//! A database replica that lags: for a while, others still read what was there before somebody's write.
//!
//! Off until a test switches it on. Whoever has just written reads their own writes, as GitLab keeps them on the primary
//! database for a time. Only what the API stores lags; repositories do not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::store::State;

thread_local! {
    static READ_INSTEAD: RefCell<Option<Box<State>>> = const { RefCell::new(None) };
}

/// The past of the state, as far as somebody may still see it.
#[derive(Default)]
pub(crate) struct Replica {
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    lag: Option<SignedDuration>,
    /// The state as it was until an instant.
    until: Vec<(Timestamp, State)>,
    writers: BTreeMap<Option<u64>, Timestamp>,
}

impl Replica {
    /// Lets reads lag by so much of the emulator's time; `None` switches it off.
    pub(crate) fn set_lag(&self, lag: Option<SignedDuration>) {
        *self.lock() = Past {
            lag,
            ..Past::default()
        };
    }

    /// Keeps the state as it is before a user writes.
    pub(crate) fn before_write(&self, user: Option<u64>, now: Timestamp, state: &State) {
        let mut past = self.lock();
        let Some(lag) = past.lag else {
            return;
        };
        past.until
            .retain(|(until, _)| now.duration_since(*until) < lag);
        past.until.push((now, state.clone()));
        past.writers.insert(user, now);
    }

    /// What a user reads at an instant instead of the newest state.
    pub(crate) fn seen_by(&self, user: Option<u64>, now: Timestamp) -> Option<State> {
        let past = self.lock();
        let lag = past.lag?;
        let lately = |at: &Timestamp| now.duration_since(*at) < lag;
        if past.writers.get(&user).is_some_and(lately) {
            return None;
        }
        let oldest = past.until.iter().find(|(until, _)| lately(until));
        oldest.map(|(_, state)| state.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does some work in this thread with an old state in place of the current one.
pub(crate) fn reading<R>(old: State, work: impl FnOnce() -> R) -> R {
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            let _old = take();
        }
    }
    let _forget = Forget;
    put_back(Box::new(old));
    work()
}

/// Does this thread read an old state, and not hold it at the moment?
pub(crate) fn is_read() -> bool {
    READ_INSTEAD.with_borrow(Option::is_some)
}

/// The old state that this thread reads, if it does.
pub(crate) fn take() -> Option<Box<State>> {
    READ_INSTEAD.with_borrow_mut(Option::take)
}

/// The counterpart of `take`.
pub(crate) fn put_back(state: Box<State>) {
    READ_INSTEAD.with_borrow_mut(|slot| *slot = Some(state));
}
