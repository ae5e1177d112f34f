//! The time of the machine. The only place that knows it, or waits.

use std::time::Duration;

use jiff::Timestamp;

use crate::ports::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock adapter")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock adapter")]
    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
