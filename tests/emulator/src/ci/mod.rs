//! From the text of a `.gitlab-ci.yml` to a pipeline that can be created.
//!
//! `definition` is the meeting point: `compile` produces it and knows nothing of the store; the pipeline engine consumes it
//! and knows nothing of YAML. No clock and no I/O here: files come through the trait `Files`.
//!
//! The way of a configuration: `yaml` reads text, `interpolate` puts inputs in, `include` brings other files in, `extends`
//! and `reference` finish the tree; `entry` reads and checks the keywords; `normalize` multiplies parallel jobs, `logic`
//! checks that jobs fit together; `seed` evaluates rules for one pipeline.

mod child;
mod compile;
mod config;
pub mod definition;
pub(crate) mod duration;
mod entry;
mod errors;
mod expand;
pub mod expression;
mod extends;
mod functions;
mod glob;
mod include;
mod inputs;
mod interpolate;
mod job_inputs;
mod kept;
mod lint;
mod logic;
mod normalize;
mod pattern;
mod reference;
mod report;
mod rules;
mod seed;
mod source;
mod spec;
pub mod support;
mod tree;
mod yaml;
mod yaml11;

pub use child::child_text;
pub use compile::{Compiled, Filtered, Outcome, compile};
pub use errors::ConfigErrors;
pub use job_inputs::{job_input_values, with_inputs};
pub use lint::{Included, Lint, LintJob, lint};
pub use source::{
    Assigned, Component, ComponentError, Files, NO_PARENT, Origin, OutOfReach, Source,
};
