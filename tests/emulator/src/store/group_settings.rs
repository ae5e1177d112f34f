//! The settings of a group.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be set, named as in the API, so that editing is a merge of JSON objects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupSettings {
    pub share_with_group_lock: bool,
    pub require_two_factor_authentication: bool,
    pub two_factor_grace_period: i64,
    pub project_creation_level: String,
    pub auto_devops_enabled: Option<bool>,
    pub subgroup_creation_level: String,
    pub emails_enabled: bool,
    pub show_diff_preview_in_email: bool,
    pub mentions_disabled: Option<bool>,
    pub lfs_enabled: bool,
    pub request_access_enabled: bool,
    /// The name that the first branch of new projects gets.
    pub default_branch: Option<String>,
    pub default_branch_protection: i64,
    pub default_branch_protection_defaults: Value,
    pub shared_runners_setting: String,
    pub enabled_git_access_protocol: Option<String>,
    pub prevent_sharing_groups_outside_hierarchy: bool,
    pub lock_math_rendering_limits_enabled: bool,
    pub math_rendering_limits_enabled: bool,
    pub max_artifacts_size: Option<i64>,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            share_with_group_lock: false,
            require_two_factor_authentication: false,
            two_factor_grace_period: 48,
            project_creation_level: "developer".to_owned(),
            auto_devops_enabled: None,
            subgroup_creation_level: "maintainer".to_owned(),
            emails_enabled: true,
            show_diff_preview_in_email: true,
            mentions_disabled: None,
            lfs_enabled: true,
            request_access_enabled: true,
            default_branch: None,
            default_branch_protection: 2,
            default_branch_protection_defaults: json!({
                "allowed_to_push": [{ "access_level": 40 }],
                "allow_force_push": false,
                "allowed_to_merge": [{ "access_level": 40 }],
                "developer_can_initial_push": false,
            }),
            shared_runners_setting: "enabled".to_owned(),
            enabled_git_access_protocol: None,
            prevent_sharing_groups_outside_hierarchy: false,
            lock_math_rendering_limits_enabled: false,
            math_rendering_limits_enabled: true,
            max_artifacts_size: None,
        }
    }
}
