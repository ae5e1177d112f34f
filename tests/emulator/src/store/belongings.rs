//! What users, groups, projects and the instance have beside their main row.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Table;
use super::places::Place;
use super::webhooks::Webhook;
use crate::access::Role;

/// The tables of these small things.
#[derive(Debug, Clone, Default)]
pub struct Belongings {
    pub custom_attributes: BTreeMap<(Place, String), String>,
    /// By user and place; absent: the default.
    pub notification_settings: BTreeMap<(u64, Place), Notifications>,
    pub badges: Table<Badge>,
    pub webhooks: Table<Webhook>,
    pub deploy_tokens: Table<DeployToken>,
    pub deploy_keys: Table<DeployKey>,
    pub emails: Table<Email>,
    pub ssh_keys: Table<SshKey>,
    pub gpg_keys: Table<GpgKey>,
    pub group_links: Table<GroupLink>,
    /// The newest export of projects and groups.
    pub exports: BTreeMap<Place, Bytes>,
    last_key: u64,
}

impl Belongings {
    /// Users' SSH keys and deploy keys share their ids.
    pub(crate) fn next_key_id(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }
}

/// A badge of a project or group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Badge {
    pub id: u64,
    #[serde(skip, default = "nowhere")]
    pub place: Place,
    pub name: Option<String>,
    pub link_url: String,
    pub image_url: String,
}

fn nowhere() -> Place {
    Place::Instance
}

/// How much mail a user wants about a place.
#[derive(Debug, Clone, Default)]
pub struct Notifications {
    /// Such as `global` or `watch`.
    pub level: Option<String>,
    pub notification_email: Option<String>,
    /// The events that were switched, for level `custom`.
    pub events: BTreeMap<&'static str, bool>,
}

/// A token that reads or writes repositories and registries without being a user.
#[derive(Debug, Clone)]
pub struct DeployToken {
    pub id: u64,
    pub place: Place,
    pub name: String,
    pub username: String,
    pub secret: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}

/// An SSH key that reaches projects without being a user.
#[derive(Debug, Clone)]
pub struct DeployKey {
    pub id: u64,
    pub title: String,
    pub key: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// Made by an administrator for all projects.
    pub public: bool,
    /// The projects, and whether the key may push there.
    pub enabled_in: Vec<(u64, bool)>,
}

/// A further address of a user.
#[derive(Debug, Clone)]
pub struct Email {
    pub id: u64,
    pub user_id: u64,
    pub email: String,
    pub confirmed_at: Option<Timestamp>,
}

/// An SSH key of a user.
#[derive(Debug, Clone)]
pub struct SshKey {
    pub id: u64,
    pub user_id: u64,
    pub title: String,
    pub key: String,
    pub usage_type: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// A GPG key of a user.
#[derive(Debug, Clone)]
pub struct GpgKey {
    pub id: u64,
    pub user_id: u64,
    pub key: String,
    pub created_at: Timestamp,
}

/// A project or group that the members of another group share.
#[derive(Debug, Clone)]
pub struct GroupLink {
    pub id: u64,
    pub shared: Place,
    pub with_group: u64,
    /// The most that the members get.
    pub role: Role,
    pub expires_at: Option<Date>,
}
