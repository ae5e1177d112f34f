//! Webhooks of projects, groups and the instance.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::places::Place;

/// A webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: u64,
    pub place: Place,
    pub created_at: Timestamp,
    pub settings: WebhookSettings,
    /// Secrets by name, put into the address in place of `{name}`.
    pub url_variables: BTreeMap<String, String>,
    /// Headers sent with every delivery.
    pub custom_headers: BTreeMap<String, String>,
}

/// What can be set, named as in the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookSettings {
    pub url: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub token: Option<String>,
    pub push_events: bool,
    pub tag_push_events: bool,
    pub merge_requests_events: bool,
    pub repository_update_events: bool,
    pub issues_events: bool,
    pub confidential_issues_events: bool,
    pub note_events: bool,
    pub confidential_note_events: bool,
    pub job_events: bool,
    pub pipeline_events: bool,
    pub wiki_page_events: bool,
    pub deployment_events: bool,
    pub feature_flag_events: bool,
    pub releases_events: bool,
    pub milestone_events: bool,
    pub emoji_events: bool,
    pub resource_access_token_events: bool,
    pub member_events: bool,
    pub project_events: bool,
    pub subgroup_events: bool,
    pub enable_ssl_verification: bool,
    pub push_events_branch_filter: Option<String>,
    pub branch_filter_strategy: String,
    pub custom_webhook_template: Option<String>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: None,
            description: None,
            token: None,
            push_events: true,
            tag_push_events: false,
            merge_requests_events: false,
            repository_update_events: false,
            issues_events: false,
            confidential_issues_events: false,
            note_events: false,
            confidential_note_events: false,
            job_events: false,
            pipeline_events: false,
            wiki_page_events: false,
            deployment_events: false,
            feature_flag_events: false,
            releases_events: false,
            milestone_events: false,
            emoji_events: false,
            resource_access_token_events: false,
            member_events: false,
            project_events: false,
            subgroup_events: false,
            enable_ssl_verification: true,
            push_events_branch_filter: None,
            branch_filter_strategy: "wildcard".to_owned(),
            custom_webhook_template: None,
        }
    }
}
