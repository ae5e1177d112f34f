//! Feature flags of projects, their strategies, and the lists of users that strategies can name.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::State;

/// A feature flag.
#[derive(Debug, Clone)]
pub struct FeatureFlag {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    pub strategies: Vec<Strategy>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// For whom a flag is on, and in which environments.
#[derive(Debug, Clone)]
pub struct Strategy {
    pub id: u64,
    pub name: String,
    /// What the name asks for, such as `userIds`.
    pub parameters: Map<String, Value>,
    pub scopes: Vec<Scope>,
    /// The id of the list that `gitlabUserList` goes by.
    pub user_list: Option<u64>,
}

/// Environments by name, with `*` for any text.
#[derive(Debug, Clone)]
pub struct Scope {
    pub id: u64,
    pub environment_scope: String,
}

/// A named list of users by ids that mean something outside of GitLab.
#[derive(Debug, Clone)]
pub struct UserList {
    pub id: u64,
    pub iid: u64,
    pub project_id: u64,
    pub name: String,
    /// Separated by commas.
    pub user_xids: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    /// The feature flags of a project in the order of their names.
    pub fn feature_flags_of(&self, project: u64) -> Vec<&FeatureFlag> {
        let own = self.feature_flags.iter();
        let mut own: Vec<_> = own.filter(|flag| flag.project_id == project).collect();
        own.sort_by(|one, other| one.name.cmp(&other.name));
        own
    }

    /// The user lists of a project, oldest first.
    pub fn user_lists_of(&self, project: u64) -> impl Iterator<Item = &UserList> {
        self.user_lists
            .iter()
            .filter(move |list| list.project_id == project)
    }

    /// The next id of a strategy or of a scope; no project has the number 0, so the count is the server's.
    pub(crate) fn next_strategy_part(&mut self) -> u64 {
        self.next_iid(0, "feature_flag_strategies")
    }
}
