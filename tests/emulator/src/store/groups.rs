//! Groups and their subgroups, and the namespaces that groups and users have in common.

use std::iter;

use jiff::Timestamp;

use super::State;
use super::avatars::Avatar;
use super::group_settings::GroupSettings;
use super::projects::Visibility;

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Also its id as a namespace.
    pub id: u64,
    pub name: String,
    pub path: String,
    pub parent_id: Option<u64>,
    pub description: String,
    pub visibility: Visibility,
    pub created_at: Timestamp,
    pub avatar: Option<Avatar>,
    pub settings: GroupSettings,
}

impl State {
    /// The group of a number or full path.
    pub fn find_group(&self, id_or_path: &str) -> Option<&Group> {
        if let Ok(id) = id_or_path.parse() {
            return self.groups.get(id);
        }
        self.groups.iter().find(|group| {
            self.namespace_path(group.id)
                .eq_ignore_ascii_case(id_or_path)
        })
    }

    /// A group and all groups above it; nothing for a user's namespace.
    pub fn with_ancestors(&self, group: u64) -> impl Iterator<Item = u64> {
        iter::successors(self.groups.get(group), |group| {
            self.groups.get(group.parent_id?)
        })
        .map(|group| group.id)
    }

    /// `group/subgroup`, or the user name for a user's namespace.
    pub fn namespace_path(&self, namespace: u64) -> String {
        match self.groups.get(namespace) {
            Some(Group {
                parent_id: Some(parent),
                path,
                ..
            }) => format!("{}/{path}", self.namespace_path(*parent)),
            Some(group) => group.path.clone(),
            None => self
                .users
                .iter()
                .find(|user| user.namespace_id == namespace)
                .map(|user| user.username.clone())
                .unwrap_or_default(),
        }
    }

    /// `Group / Subgroup`, or the name of the user.
    pub fn namespace_name(&self, namespace: u64) -> String {
        match self.groups.get(namespace) {
            Some(Group {
                parent_id: Some(parent),
                name,
                ..
            }) => format!("{} / {name}", self.namespace_name(*parent)),
            Some(group) => group.name.clone(),
            None => self
                .users
                .iter()
                .find(|user| user.namespace_id == namespace)
                .map(|user| user.name.clone())
                .unwrap_or_default(),
        }
    }
}
