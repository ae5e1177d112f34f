//! Where the emulator says what its user must see: unknown requests and its own failures.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// A line writer shared by all threads.
pub(crate) struct Report {
    sink: Mutex<Box<dyn Write + Send>>,
}

impl Report {
    /// Writes to `sink`.
    pub(crate) fn new(sink: Box<dyn Write + Send>) -> Self {
        Self {
            sink: Mutex::new(sink),
        }
    }

    /// Writes one line; a closed sink is nobody's problem.
    pub(crate) fn say(&self, line: &str) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let _closed = writeln!(sink, "emulator: {line}").and_then(|()| sink.flush());
    }
}
