//! The keywords of the configuration after merging: each file reads one group of them, checks it as GitLab does and gives
//! plain values. Nothing here depends on the pipeline being created.

mod artifacts;
mod bridge;
mod child;
mod defaults;
mod environment;
mod inputs;
mod job;
mod needs;
mod parallel;
mod policy;
mod processable;
mod release;
mod root;
mod rule;
mod runner;
mod settings;
mod variables;
mod workflow;

pub(super) use needs::NeedEntry;
pub(super) use parallel::{Instance, Parallel, matrix_instances};
pub(super) use policy::Policy;
pub(super) use processable::JobEntry;
pub(super) use root::{Root, read};
pub(super) use rule::{Changes, Clauses, Decision, Exists, Rule, include_rules};
pub(super) use workflow::AutoCancelEntry;
