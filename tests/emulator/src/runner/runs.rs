//! The jobs that are being executed, so that they can be killed from outside, and the bell that wakes idle runners.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// One execution.
#[derive(Debug, Default)]
pub(crate) struct Run {
    killed: AtomicBool,
    /// The process group of the script that runs now.
    group: Mutex<Option<Pid>>,
    /// Values of the job's variables: tells whose token is whose.
    secrets: Mutex<Vec<String>>,
}

impl Run {
    /// Did somebody pull the plug?
    pub(super) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Notes the values of the job's variables.
    pub(super) fn remember(&self, secrets: Vec<String>) {
        *lock(&self.secrets) = secrets;
    }

    /// Notes the processes of the job; `None` once they have ended.
    pub(super) fn set_group(&self, group: Option<Pid>) {
        let mut own = lock(&self.group);
        *own = group;
        if let Some(group) = group.filter(|_| self.is_killed()) {
            signal(group, Signal::SIGKILL);
        }
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        if let Some(group) = *lock(&self.group) {
            signal(group, Signal::SIGKILL);
        }
    }
}

/// Sends a signal to a whole process group.
pub(super) fn signal(group: Pid, signal: Signal) {
    // The group may have ended by itself meanwhile.
    let _gone = killpg(group, signal);
}

/// All executions.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    running: Mutex<BTreeMap<u64, Arc<Run>>>,
    stopped: AtomicBool,
    bell: Condvar,
}

impl Runs {
    /// Begins the execution of a job.
    pub(super) fn begin(&self, job: u64) -> Arc<Run> {
        let run = Arc::new(Run::default());
        lock(&self.running).insert(job, Arc::clone(&run));
        run
    }

    /// Ends it.
    pub(super) fn end(&self, job: u64) {
        lock(&self.running).remove(&job);
        self.bell.notify_all();
    }

    /// The jobs that are being executed.
    pub(crate) fn jobs(&self) -> Vec<u64> {
        lock(&self.running).keys().copied().collect()
    }

    /// Kills a job's processes as a machine does that loses its power.
    pub(crate) fn kill(&self, job: u64) {
        if let Some(run) = lock(&self.running).get(&job) {
            run.kill();
        }
    }

    /// The job that was given this secret, if it is the only one.
    pub(crate) fn only_bearer_of(&self, secret: &str) -> Option<u64> {
        let running = lock(&self.running);
        let mut bearers = running.iter().filter(|(_, run)| {
            let secrets = lock(&run.secrets);
            secrets.iter().any(|own| own == secret)
        });
        let (job, _) = bearers.next()?;
        bearers.next().is_none().then_some(*job)
    }

    /// Kills the newest job that was given one of these secrets.
    pub(crate) fn kill_bearer_of(&self, secrets: &[String]) {
        let running = lock(&self.running);
        let bears = |run: &&Arc<Run>| {
            lock(&run.secrets)
                .iter()
                .any(|secret| secrets.contains(secret))
        };
        if let Some(run) = running.values().rev().find(bears) {
            run.kill();
        }
    }

    /// Ends all runners and kills what they run.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        for run in lock(&self.running).values() {
            run.kill();
        }
        self.bell.notify_all();
    }

    /// Must runners end?
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// There may be news.
    pub(super) fn ring(&self) {
        self.bell.notify_all();
    }

    /// Waits a moment for news.
    pub(super) fn wait(&self, most: Duration) {
        drop(self.bell.wait_timeout(lock(&self.running), most));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
