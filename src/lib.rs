//! Trainyard takes a feature from its GitLab issue to production.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod files;
pub mod folder;
pub mod git;
pub mod gitlab;
pub mod jobs;
pub mod outcome;
pub mod ports;
pub mod report;
