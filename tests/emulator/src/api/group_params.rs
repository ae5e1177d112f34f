//! The parameters that creating and editing a group have in common.

use crate::router::{Param, any, boolean, integer, one_of, string};

use super::avatars;

const CREATION: &[&str] = &["noone", "owner", "maintainer", "developer", "administrator"];

/// Fields of `GroupSettings`.
pub(super) const SETTINGS: &[Param] = &[
    boolean("share_with_group_lock"),
    boolean("require_two_factor_authentication"),
    integer("two_factor_grace_period"),
    one_of("project_creation_level", CREATION),
    boolean("auto_devops_enabled"),
    one_of("subgroup_creation_level", &["owner", "maintainer"]),
    boolean("emails_enabled"),
    boolean("show_diff_preview_in_email"),
    boolean("mentions_disabled"),
    boolean("lfs_enabled"),
    boolean("request_access_enabled"),
    string("default_branch"),
    integer("default_branch_protection"),
    any("default_branch_protection_defaults"),
    one_of(
        "shared_runners_setting",
        &[
            "disabled_and_unoverridable",
            "disabled_and_overridable",
            "disabled_with_override",
            "enabled",
        ],
    ),
    one_of("enabled_git_access_protocol", &["ssh", "http", "all"]),
];
/// Fields of `GroupSettings` that only exist when editing.
pub(super) const LATER: &[Param] = &[
    boolean("prevent_sharing_groups_outside_hierarchy"),
    boolean("lock_math_rendering_limits_enabled"),
    boolean("math_rendering_limits_enabled"),
    integer("max_artifacts_size"),
];
/// What is no field of `GroupSettings`.
pub(super) const OTHERS: &[Param] = &[
    string("description"),
    super::groups::VISIBILITY,
    boolean("emails_disabled"),
    avatars::AVATAR,
];
