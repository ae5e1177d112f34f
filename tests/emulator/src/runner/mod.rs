//! A runner with a shell executor: takes pending jobs, fetches their commit over HTTP with the job token, runs their scripts
//! in a clean environment, and brings trace, artifacts and reports back.
//!
//! The way of a job: `claim` -> `execute` (`workspace`, `checkout`, `script`, `process`, `collect`) -> `engine::finish`.
//! `driving` is what programs and tests call.

mod cache;
mod checkout;
mod claim;
mod collect;
mod driving;
mod embedded;
mod execute;
mod masking;
mod paths;
mod process;
mod release;
mod runs;
mod script;
mod sources;
mod telling;
mod workspace;

use std::ffi::OsString;
use std::time::Duration;

pub use self::driving::{FinishedJob, JobInfo, PipelineInfo};
pub(crate) use self::runs::Runs;

/// How jobs are executed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `PATH` of every job.
    pub(crate) path: OsString,
    /// How long a canceled or timed out script may take to end before it is killed.
    pub(crate) grace: Duration,
}
