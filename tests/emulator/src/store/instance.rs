//! What there is once in a GitLab: its settings, appearance, announcements and topics.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Table;
use super::avatars::Avatar;

/// Everything of the instance as a whole.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    /// The settings that were changed; the others have their defaults.
    pub settings: Map<String, Value>,
    pub appearance: Appearance,
    pub broadcast_messages: Table<BroadcastMessage>,
    pub topics: Table<Topic>,
    pub applications: Table<Application>,
    /// Feature flags of GitLab itself by name, with the gates that were set.
    pub features: BTreeMap<String, Vec<Value>>,
}

/// How the pages look, named as in the API.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    pub title: String,
    pub description: String,
    pub pwa_name: String,
    pub pwa_short_name: String,
    pub pwa_description: String,
    pub member_guidelines: String,
    pub new_project_guidelines: String,
    pub profile_image_guidelines: String,
    pub header_message: String,
    pub footer_message: String,
    pub message_background_color: Option<String>,
    pub message_font_color: Option<String>,
    pub email_header_and_footer_enabled: bool,
}

/// An announcement on every page.
#[derive(Debug, Clone)]
pub struct BroadcastMessage {
    pub id: u64,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub content: BroadcastContent,
}

/// What can be set without being an instant, named as in the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct BroadcastContent {
    pub message: String,
    pub color: Option<String>,
    pub font: Option<String>,
    pub target_access_levels: Vec<i64>,
    pub target_path: Option<String>,
    pub broadcast_type: String,
    pub dismissable: bool,
    pub theme: String,
}

impl Default for BroadcastContent {
    fn default() -> Self {
        Self {
            message: String::new(),
            color: None,
            font: None,
            target_access_levels: Vec::new(),
            target_path: None,
            broadcast_type: "banner".to_owned(),
            dismissable: false,
            theme: "indigo".to_owned(),
        }
    }
}

/// A topic that projects can have.
#[derive(Debug, Clone)]
pub struct Topic {
    pub id: u64,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub avatar: Option<Avatar>,
}

/// An OAuth application.
#[derive(Debug, Clone)]
pub struct Application {
    pub id: u64,
    pub uid: String,
    pub secret: String,
    pub name: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub confidential: bool,
}
