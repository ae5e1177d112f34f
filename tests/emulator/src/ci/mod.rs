//! From the text of a `.gitlab-ci.yml` to a pipeline that can be created.
//!
//! `definition` is the meeting point: `compile` produces it and knows nothing of the store; the pipeline engine consumes it
//! and knows nothing of YAML.

pub mod definition;
