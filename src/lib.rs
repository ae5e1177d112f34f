//! Trainyard takes a feature from its GitLab issue to production.

pub mod domain;
pub mod insights;
pub mod model;
pub mod sinks;
