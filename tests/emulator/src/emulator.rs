//! The handle a program or test holds on a running emulator.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;

use crate::background::Background;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::fingerprint;
use crate::git::{GitError, Repository};
use crate::object_storage::ObjectStorage;
use crate::report::Report;
use crate::request_log::RequestEntry;
use crate::runner::Settings;
use crate::secret;
use crate::server::{self, Server};
use crate::shared::Shared;
use crate::store::State;
use crate::store::tokens::Token;
use crate::versions::Version;

/// How to start.
pub struct Options {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Where repositories and files go; `None`: a temporary directory that is removed at the end.
    pub data_dir: Option<PathBuf>,
    /// Which GitLab it is: what is newer is not there.
    pub version: Version,
    /// The token of the administrator `root`; `None`: a fresh one.
    pub root_token: Option<String>,
    /// Where unknown requests and failures are reported.
    pub report: Box<dyn Write + Send>,
    /// Directories put before the rest of `PATH` in jobs.
    pub job_path: Vec<PathBuf>,
    /// How long the script of a canceled job may take to end before it is killed.
    pub cancel_grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data_dir: None,
            version: Version::default(),
            root_token: None,
            report: Box::new(io::stderr()),
            job_path: Vec::new(),
            cancel_grace: Duration::from_secs(10),
        }
    }
}

/// Why an emulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory cannot be made")]
    DataDir(#[source] io::Error),
    #[error("port {port} of 127.0.0.1 cannot be opened")]
    Port { port: u16, source: io::Error },
    #[error("the git program does not work")]
    Git(#[source] GitError),
}

/// A running emulator; dropping it stops the server.
pub struct Emulator {
    server: Option<Server>,
    worker: Option<JoinHandle<()>>,
    pub(crate) shared: Arc<Shared>,
    runners: Mutex<Vec<JoinHandle<()>>>,
    root_token: String,
    temporary: Option<PathBuf>,
}

impl Emulator {
    /// Starts an empty GitLab with one user, the administrator `root`.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let temporary = options.data_dir.is_none().then(temporary_dir);
        let data_dir = options
            .data_dir
            .or_else(|| temporary.clone())
            .unwrap_or_default();
        std::fs::create_dir_all(data_dir.join("repositories")).map_err(StartError::DataDir)?;
        // Jobs see paths below it, and their working directory is another.
        let data_dir = data_dir.canonicalize().map_err(StartError::DataDir)?;
        Repository::install_hooks(&data_dir).map_err(StartError::Git)?;
        let bound = server::bind(options.port).map_err(|source| StartError::Port {
            port: options.port,
            source,
        })?;
        let url = format!("http://{}", bound.address);
        let root_token = options
            .root_token
            .unwrap_or_else(|| secret::fresh("glpat-"));
        let clock = Clock::default();
        let state = State::with_root(&root_token, clock.now());
        let shared = Arc::new(Shared::new(
            url,
            options.version,
            Report::new(options.report),
            data_dir,
            clock,
            state,
            Settings {
                path: job_path(options.job_path),
                grace: options.cancel_grace,
            },
        ));
        kill_jobs_on_fault(&shared);
        let worker = Background::start(Arc::clone(&shared));
        let server = bound.serve(Arc::clone(&shared));
        Ok(Self {
            server: Some(server),
            worker: Some(worker),
            shared,
            runners: Mutex::default(),
            root_token,
            temporary,
        })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Which GitLab it is.
    pub fn version(&self) -> Version {
        self.shared.version
    }

    /// The token of `root`.
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Every API and git request answered since the start or the last `clear_requests`.
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.shared.log.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    /// How many requests of a kind were answered.
    pub fn count_requests(&self, is_wanted: impl Fn(&RequestEntry) -> bool) -> usize {
        self.shared.log.count(is_wanted)
    }

    /// The requests that asked for something the emulator does not have.
    pub fn unknown_requests(&self) -> Vec<RequestEntry> {
        self.requests()
            .into_iter()
            .filter(|entry| entry.unknown.is_some())
            .collect()
    }

    /// The emulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Waits until the work in the background is done: mergeability checks and rebases. Not while it is paused.
    pub fn settle(&self) {
        self.shared.background.settle();
    }

    /// Lets work in the background wait until `resume_background`.
    pub fn pause_background(&self) {
        self.shared.background.pause();
    }

    /// Goes on with the work in the background.
    pub fn resume_background(&self) {
        self.shared.background.resume();
    }

    /// The fault table.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Allows every caller so many API requests a minute; `None`, the default, allows all.
    pub fn limit_requests(&self, per_minute: Option<u32>) {
        self.shared.rate_limit.set(per_minute);
    }

    /// Lets others read for so long, by the emulator's clock, what was there before a write of the API, as servers with
    /// lagging database replicas do; `None`, the default, shows everybody the newest.
    pub fn lag_reads(&self, lag: Option<SignedDuration>) {
        self.shared.replica.set_lag(lag);
    }

    /// Sends downloads of packages and artifacts to an object storage from now on, as GitLab does unless it passes them through.
    ///
    /// # Errors
    /// When no port of the loopback can be opened.
    pub fn store_objects_elsewhere(&self) -> io::Result<&ObjectStorage> {
        if let Some(storage) = self.shared.object_storage.get() {
            return Ok(storage);
        }
        let storage = ObjectStorage::start()?;
        Ok(self.shared.object_storage.get_or_init(|| storage))
    }

    /// Looks at or changes the state directly, for what no API offers.
    pub fn with_state<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.shared.state())
    }

    /// A digest of everything that requests can change; not of what each of them leaves behind, such as when a token was used.
    ///
    /// # Errors
    /// When a repository cannot be read.
    pub fn fingerprint(&self) -> io::Result<[u8; 32]> {
        self.settle();
        fingerprint::of(&self.shared)
    }

    /// The bare repository of a project.
    pub fn repository(&self, project: u64) -> Repository {
        self.shared.repository(project)
    }
}

impl Emulator {
    /// Keeps the thread of a runner, to wait for it at the end.
    pub(crate) fn keep_thread(&self, runner: JoinHandle<()>) {
        let mut runners = self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        runners.push(runner);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shared.runs.stop();
        let runners = self.runners.get_mut().map(std::mem::take);
        for runner in runners.unwrap_or_default() {
            let _panicked = runner.join();
        }
        // The server stops before its data directory disappears.
        drop(self.server.take());
        self.shared.background.stop();
        if let Some(worker) = self.worker.take() {
            // A panic of the worker has been reported already.
            let _ended = worker.join();
        }
        if let Some(dir) = &self.temporary {
            let _already_gone = std::fs::remove_dir_all(dir);
        }
    }
}

/// The directories asked for, before those of this process.
#[expect(
    clippy::disallowed_methods,
    reason = "jobs find git and the shell where the emulator finds them"
)]
fn job_path(first: Vec<PathBuf>) -> OsString {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let rest = std::env::split_paths(&own);
    // Only a directory with a colon in its name cannot be joined.
    std::env::join_paths(first.into_iter().chain(rest)).unwrap_or(own.clone())
}

/// The fault `kill` ends the job that made the request: by its job token, or by the token among its variables.
fn kill_jobs_on_fault(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    shared.faults.on_kill(move |who, job| {
        let Some(shared) = weak.upgrade() else {
            return;
        };
        if let Some(job) = job {
            shared.runs.kill(job.id);
            return;
        }
        let secrets: Vec<String> = {
            let state = shared.state();
            let user = who.username().and_then(|name| state.user_named(name));
            let own = |token: &&Token| user.is_some_and(|user| user.id == token.user_id);
            let tokens = state.tokens.iter().filter(own);
            tokens.map(|token| token.secret.clone()).collect()
        };
        shared.runs.kill_bearer_of(&secrets);
    });
}

fn temporary_dir() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    std::env::temp_dir().join(format!(
        "gitlab-emulator-{}-{number}-{}",
        std::process::id(),
        secret::fresh("")
    ))
}
