//! What is set for the pages of projects, which are not served, and for their remote mirrors, to which nothing is pushed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The settings of the pages of a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct PagesSettings {
    pub pages_unique_domain_enabled: bool,
    pub pages_https_only: bool,
    pub pages_primary_domain: Option<String>,
}

impl Default for PagesSettings {
    fn default() -> Self {
        Self {
            pages_unique_domain_enabled: true,
            pages_https_only: false,
            pages_primary_domain: None,
        }
    }
}

/// A domain of one's own for the pages of a project.
#[derive(Debug, Clone)]
pub struct PagesDomain {
    pub id: u64,
    pub project_id: u64,
    pub domain: String,
    pub verification_code: String,
    pub auto_ssl_enabled: bool,
    pub certificate: Option<String>,
    pub created_at: Timestamp,
}

/// A repository elsewhere that should get what a project gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoteMirror {
    pub id: u64,
    #[serde(skip)]
    pub project_id: u64,
    pub url: String,
    pub enabled: bool,
    pub auth_method: String,
    pub keep_divergent_refs: Option<bool>,
    pub only_protected_branches: bool,
}
