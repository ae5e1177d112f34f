//! A runner with a shell executor: takes pending jobs, fetches their commit over HTTP with the job token, runs their scripts
//! in a clean environment, and brings trace, artifacts and reports back.
//!
//! The way of a job: `claim` -> `execute` (`workspace`, `checkout`, `script`, `process`, `collect`) -> `engine::finish`.
//! `driving` is what programs and tests call.

mod archive;
mod checkout;
mod claim;
mod collect;
mod dotenv;
mod driving;
mod execute;
mod masking;
mod paths;
mod process;
mod release;
mod runs;
mod script;
mod workspace;

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;

pub use self::driving::{FinishedJob, JobInfo, PipelineInfo};
pub(crate) use self::runs::Runs;

const VERSION: &str = "18.5.0";

/// How jobs are executed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `PATH` of every job.
    pub(crate) path: OsString,
    /// How long a canceled or timed out script may take to end before it is killed.
    pub(crate) grace: Duration,
}

/// The runner as the API shows it inside jobs.
pub(crate) fn entity() -> Value {
    json!({
        "id": 1,
        "description": "emulator",
        "ip_address": "127.0.0.1",
        "active": true,
        "paused": false,
        "is_shared": true,
        "runner_type": "instance_type",
        "name": "gitlab-runner",
        "online": true,
        "created_at": clock::iso(Timestamp::UNIX_EPOCH),
        "status": "online",
    })
}

/// The machine behind the runner.
pub(crate) fn manager_entity(contacted_at: Timestamp) -> Value {
    json!({
        "id": 1,
        "system_id": "s_emulator",
        "version": VERSION,
        "revision": "emulator",
        "platform": "linux",
        "architecture": "amd64",
        "created_at": clock::iso(Timestamp::UNIX_EPOCH),
        "contacted_at": clock::iso(contacted_at),
        "ip_address": "127.0.0.1",
        "status": "online",
        "job_execution_status": "active",
    })
}
