//! The pipeline engine: creates pipelines and moves their jobs.
//!
//! `status` and `decide` are pure. What changes jobs (`transition`, `process`, `cancel`, `retry`, `play`, `resources`) works on
//! the locked state and runs no git. Whoever changed something ends with `settle`, which goes on until nothing moves and makes
//! downstream pipelines in between, without the lock.

mod cancel;
mod decide;
mod play;
mod process;
mod resources;
mod retry;
pub mod status;
mod transition;
pub(crate) mod variables;
