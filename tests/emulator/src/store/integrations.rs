//! Integrations of projects with other services.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// An integration that was set up once; it may have been switched off since.
#[derive(Debug, Clone)]
pub struct Integration {
    pub id: u64,
    pub project_id: u64,
    pub slug: &'static str,
    pub title: &'static str,
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What it listens to.
    pub events: BTreeMap<&'static str, bool>,
    /// Addresses, names and secrets of the other service.
    pub properties: Map<String, Value>,
}
