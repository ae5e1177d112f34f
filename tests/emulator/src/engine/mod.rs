//! The pipeline engine: creates pipelines and moves their jobs.
//!
//! `status` and `decide` are pure. What changes jobs (`transition`, `process`, `cancel`, `retry`, `play`, `resources`) works on
//! the locked state and runs no git. Whoever changed something ends with `settle`, which goes on until nothing moves and makes
//! downstream pipelines in between, without the lock.

pub(crate) mod addresses;
mod artifacts;
pub(crate) mod block;
mod bridges;
pub(crate) mod caches;
pub(crate) mod cancel;
mod component_versions;
mod configuration;
mod create;
mod cross_dependencies;
mod decide;
pub(crate) mod deployments;
mod dotenv;
pub(crate) mod environments;
pub(crate) mod external;
pub(crate) mod finish;
mod hook;
pub(crate) mod job_inputs;
pub(crate) mod merge_requests;
pub(crate) mod permissions;
pub(crate) mod play;
mod process;
mod project_files;
pub(crate) mod queue;
pub(crate) mod resources;
pub(crate) mod retry;
mod settle;
pub(crate) mod status;
pub(crate) mod test_reports;
pub(crate) mod tick;
mod transition;
pub(crate) mod uploads;
pub(crate) mod variables;

pub(crate) use self::configuration::{lint, project_configuration};
pub(crate) use self::create::{Order, Refusal, TRIGGER_PAYLOAD, Target, target_of};
pub(crate) use self::hook::{Engine, order_for};
pub(crate) use self::job_inputs::build_with_inputs;
pub(crate) use self::process::is_action;
pub(crate) use self::settle::{run_pipeline, settle};
pub(crate) use self::transition::move_job;
