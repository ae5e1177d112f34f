//! Work that a real server hands to its job queue: done a little later, in order, by one thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::shared::Shared;

type Work = Box<dyn FnOnce(&Shared) + Send>;

/// The queue.
#[derive(Default)]
pub(crate) struct Background {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// By the instant it is due and the order of arrival.
    waiting: BTreeMap<(Instant, u64), Work>,
    arrived: u64,
    busy: bool,
    paused: bool,
    stopped: bool,
}

impl Background {
    /// Does some work after a delay.
    pub(crate) fn after(&self, delay: Duration, work: impl FnOnce(&Shared) + Send + 'static) {
        let mut queue = self.lock();
        queue.arrived += 1;
        let place = (now() + delay, queue.arrived);
        queue.waiting.insert(place, Box::new(work));
        self.changed.notify_all();
    }

    /// How much work was ever handed over.
    pub(crate) fn arrived(&self) -> u64 {
        self.lock().arrived
    }

    /// Starts nothing new until `resume`.
    pub(crate) fn pause(&self) {
        self.lock().paused = true;
    }

    /// Goes on after `pause`.
    pub(crate) fn resume(&self) {
        self.lock().paused = false;
        self.changed.notify_all();
    }

    /// Waits until nothing is left to do.
    pub(crate) fn settle(&self) {
        let unfinished =
            |queue: &mut Queue| !queue.stopped && (queue.busy || !queue.waiting.is_empty());
        drop(self.changed.wait_while(self.lock(), unfinished));
    }

    /// Starts the thread that does the work.
    pub(crate) fn start(shared: Arc<Shared>) -> JoinHandle<()> {
        thread::spawn(move || while shared.background.step(&shared) {})
    }

    /// Lets the thread end, leaving what is still waiting.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits for the next piece of work and does it; false once stopped.
    fn step(&self, shared: &Shared) -> bool {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                return false;
            }
            let next = queue.waiting.keys().next().copied();
            let wait = match next {
                Some((due, _)) if !queue.paused => due.saturating_duration_since(now()),
                Some(_) | None => Duration::from_secs(3600),
            };
            if wait.is_zero() {
                break;
            }
            queue = self
                .changed
                .wait_timeout(queue, wait)
                .map_or_else(|error| error.into_inner().0, |woken| woken.0);
        }
        let Some((_, work)) = queue.waiting.pop_first() else {
            return true;
        };
        queue.busy = true;
        drop(queue);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(shared)));
        if done.is_err() {
            shared.report.say("work in the background panicked");
        }
        self.lock().busy = false;
        self.changed.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine's time: delays pass even while the emulator's clock stands still.
#[expect(
    clippy::disallowed_methods,
    reason = "the delays of background work are real time"
)]
fn now() -> Instant {
    Instant::now()
}
