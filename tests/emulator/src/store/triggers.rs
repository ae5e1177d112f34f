//! Trigger tokens and pipeline schedules: standing orders to start pipelines as their owner.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::pipelines::GivenVariable;
use crate::cron::Cron;

/// A trigger token.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub id: u64,
    pub project_id: u64,
    pub owner_id: u64,
    pub token: String,
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_used: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A pipeline schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub id: u64,
    pub project_id: u64,
    pub owner_id: u64,
    pub description: String,
    /// In full: `refs/heads/main`.
    pub git_ref: String,
    pub cron: String,
    pub cron_timezone: String,
    pub active: bool,
    pub variables: Vec<GivenVariable>,
    pub inputs: Map<String, Value>,
    pub last_pipeline_id: Option<u64>,
    /// When it is due; nothing for a line that never comes.
    pub next_run_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Schedule {
    /// When it is due after an instant.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        Cron::parse(&self.cron, &self.cron_timezone)?.next(at)
    }
}
