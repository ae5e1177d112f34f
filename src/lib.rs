//! Trainyard takes a feature from its GitLab issue to production.

pub mod channels;
pub mod checkpoint;
pub mod ci_reports;
pub mod cli;
pub mod clock;
pub mod config;
#[cfg(feature = "sandbox")]
pub mod demo;
pub mod domain;
pub mod files;
pub mod folder;
pub mod git;
pub mod gitlab;
pub mod insights;
pub mod jobs;
pub mod model;
pub mod outcome;
pub mod ports;
pub mod report;
pub mod run;
pub mod signals;
pub mod signing;
pub mod simulate;
pub mod sinks;
pub mod transport;
