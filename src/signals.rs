//! How GitLab ends a job: SIGTERM first, and a few seconds later SIGKILL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGTERM;
use signal_hook::flag;

use crate::outcome::Problem;
use crate::ports::{Answer, Stop};

/// Remembers that the job was asked to end; a second SIGTERM ends it at once.
#[derive(Debug)]
pub struct Terminated(Arc<AtomicBool>);

impl Terminated {
    /// From now on the first SIGTERM no longer kills this process.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn listen() -> Answer<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let listen = flag::register_conditional_default(SIGTERM, Arc::clone(&asked))
            .and_then(|_| flag::register(SIGTERM, Arc::clone(&asked)));
        listen.map_err(|error| {
            Problem::bug("the signal SIGTERM cannot be listened to").caused_by(error)
        })?;
        Ok(Self(asked))
    }
}

impl Stop for Terminated {
    fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
