//! What every request can reach: the state behind its lock, the clock, the faults, the log and the repositories.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::background::Background;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::faults::Faults;
use crate::git::{Memory, Repository};
use crate::hooks::Pipelines;
use crate::object_storage::ObjectStorage;
use crate::rate_limit::RateLimit;
use crate::replica::{self, Replica};
use crate::report::Report;
use crate::request_log::RequestLog;
use crate::runner::{Runs, Settings};
use crate::sandbox::Snapshots;
use crate::store::State;
use crate::versions::Version;

thread_local! {
    static HOLDS_STATE: Cell<bool> = const { Cell::new(false) };
}

/// The emulator's inside, shared by all threads.
pub(crate) struct Shared {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    pub(crate) version: Version,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) rate_limit: RateLimit,
    pub(crate) log: RequestLog,
    pub(crate) report: Report,
    pub(crate) data_dir: PathBuf,
    pub(crate) pipelines: Box<dyn Pipelines>,
    /// The jobs that runners execute at this moment.
    pub(crate) runs: Arc<Runs>,
    /// How jobs are executed.
    pub(crate) runner: Settings,
    pub(crate) background: Background,
    pub(crate) snapshots: Snapshots,
    /// What git has said once and for all about the objects of the repositories.
    pub(crate) memory: Arc<Memory>,
    pub(crate) replica: Replica,
    /// Where downloads are sent.
    pub(crate) object_storage: OnceLock<ObjectStorage>,
    /// Held while what follows a push is done, so that pushes are seen one after the other.
    pub(crate) after_push: Mutex<()>,
    /// The second of the clock at which what comes with time was last looked at.
    pub(crate) ticked: AtomicI64,
    state: Mutex<State>,
    requests: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        url: String,
        version: Version,
        report: Report,
        data_dir: PathBuf,
        clock: Clock,
        state: State,
        runner: Settings,
    ) -> Self {
        Self {
            pipelines: Box::new(Engine { url: url.clone() }),
            url,
            version,
            clock,
            faults: Faults::default(),
            rate_limit: RateLimit::default(),
            log: RequestLog::default(),
            report,
            data_dir,
            runs: Arc::default(),
            runner,
            background: Background::default(),
            snapshots: Snapshots::default(),
            memory: Arc::default(),
            replica: Replica::default(),
            object_storage: OnceLock::new(),
            after_push: Mutex::new(()),
            ticked: AtomicI64::new(i64::MIN),
            state: Mutex::new(state),
            requests: AtomicU64::new(0),
        }
    }

    /// Locks the state. Keep the guard short and run no git program meanwhile; asking again while holding it panics
    /// (which the client sees as a 500) instead of hanging.
    pub(crate) fn state(&self) -> StateGuard<'_> {
        assert!(
            !HOLDS_STATE.get(),
            "the state was locked twice by one thread: drop the first guard"
        );
        let held = match replica::take() {
            Some(old) => Held::Replica(Some(old)),
            None => Held::Primary(self.state.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        HOLDS_STATE.set(true);
        StateGuard(held)
    }

    /// True once a panic happened while the state was locked: it may be half changed from then on.
    pub(crate) fn is_damaged(&self) -> bool {
        self.state.is_poisoned()
    }

    /// The bare repository of a project.
    pub(crate) fn repository(&self, project: u64) -> Repository {
        let repositories = self.data_dir.join("repositories");
        Repository::remembering(
            repositories.join(format!("{project}.git")),
            self.memory.clone(),
        )
    }

    /// How many requests were answered or are being answered.
    pub(crate) fn requests_so_far(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The locked state.
pub(crate) struct StateGuard<'a>(Held<'a>);

enum Held<'a> {
    Primary(MutexGuard<'a, State>),
    /// What a replica that lags still has; empty only when it is dropped.
    Replica(Option<Box<State>>),
}

impl Deref for StateGuard<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        match &self.0 {
            Held::Primary(guard) => guard,
            Held::Replica(old) => old.as_deref().expect("it is taken out only by drop"),
        }
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        match &mut self.0 {
            Held::Primary(guard) => guard,
            Held::Replica(old) => old.as_deref_mut().expect("it is taken out only by drop"),
        }
    }
}

impl Drop for StateGuard<'_> {
    fn drop(&mut self) {
        HOLDS_STATE.set(false);
        if let Held::Replica(old) = &mut self.0
            && let Some(old) = old.take()
        {
            replica::put_back(old);
        }
    }
}
