//! The settings of a project as parameters: what creation and editing have in common.

use serde_json::{Map, Value, json};

use crate::errors::ApiError;
use crate::router::{Param, boolean, hash, integer, list, one_of, string};
use crate::store::projects::Settings;

const LEVELS: &[&str] = &["disabled", "private", "enabled"];

/// What creation and editing have in common; each name is a field of `Settings`.
pub(super) const SETTINGS: &[Param] = &[
    string("description"),
    list("topics"),
    list("tag_list"),
    boolean("resolve_outdated_diff_discussions"),
    boolean("issues_enabled"),
    boolean("merge_requests_enabled"),
    boolean("wiki_enabled"),
    boolean("jobs_enabled"),
    boolean("snippets_enabled"),
    boolean("packages_enabled"),
    boolean("lfs_enabled"),
    boolean("container_registry_enabled"),
    boolean("shared_runners_enabled"),
    boolean("group_runners_enabled"),
    boolean("request_access_enabled"),
    boolean("emails_enabled"),
    integer("ci_default_git_depth"),
    integer("ci_delete_pipelines_in_seconds"),
    boolean("ci_forward_deployment_enabled"),
    boolean("ci_forward_deployment_rollback_allowed"),
    boolean("ci_allow_fork_pipelines_to_run_in_parent_project"),
    boolean("ci_separated_caches"),
    boolean("ci_push_repository_for_job_token_allowed"),
    one_of(
        "ci_pipeline_variables_minimum_override_role",
        &["no_one_allowed", "developer", "maintainer", "owner"],
    ),
    boolean("restrict_user_defined_variables"),
    boolean("protect_merge_request_pipelines"),
    one_of(
        "resource_group_default_process_mode",
        &[
            "unordered",
            "oldest_first",
            "newest_first",
            "newest_ready_first",
        ],
    ),
    boolean("keep_latest_artifact"),
    one_of("build_git_strategy", &["fetch", "clone"]),
    integer("build_timeout"),
    one_of("auto_cancel_pending_pipelines", &["disabled", "enabled"]),
    boolean("auto_devops_enabled"),
    string("ci_config_path"),
    boolean("public_jobs"),
    boolean("public_builds"),
    boolean("only_allow_merge_if_pipeline_succeeds"),
    boolean("allow_merge_on_skipped_pipeline"),
    boolean("only_allow_merge_if_all_discussions_are_resolved"),
    boolean("remove_source_branch_after_merge"),
    boolean("printing_merge_request_link_enabled"),
    one_of("merge_method", &["ff", "rebase_merge", "merge"]),
    one_of(
        "squash_option",
        &["never", "always", "default_on", "default_off"],
    ),
    string("suggestion_commit_message"),
    string("merge_commit_template"),
    string("squash_commit_template"),
    string("issue_branch_template"),
    boolean("autoclose_referenced_issues"),
    one_of("issues_access_level", LEVELS),
    one_of("repository_access_level", LEVELS),
    one_of("merge_requests_access_level", LEVELS),
    one_of("forking_access_level", LEVELS),
    one_of("wiki_access_level", LEVELS),
    one_of("builds_access_level", LEVELS),
    one_of("snippets_access_level", LEVELS),
    one_of(
        "pages_access_level",
        &["disabled", "private", "enabled", "public"],
    ),
    one_of("analytics_access_level", LEVELS),
    one_of("container_registry_access_level", LEVELS),
    one_of("releases_access_level", LEVELS),
    one_of("environments_access_level", LEVELS),
    one_of("feature_flags_access_level", LEVELS),
    one_of("infrastructure_access_level", LEVELS),
    one_of("monitor_access_level", LEVELS),
    one_of("model_experiments_access_level", LEVELS),
    one_of("model_registry_access_level", LEVELS),
    one_of("security_and_compliance_access_level", LEVELS),
    one_of(
        "auto_devops_deploy_strategy",
        &["continuous", "manual", "timed_incremental"],
    ),
    list("ci_id_token_sub_claim_components"),
    one_of(
        "ci_restrict_pipeline_cancellation_role",
        &["developer", "maintainer", "no_one"],
    ),
    hash(
        "container_expiration_policy_attributes",
        &[
            "cadence",
            "keep_n",
            "older_than",
            "name_regex",
            "name_regex_delete",
            "name_regex_keep",
            "enabled",
        ],
    ),
    boolean("emails_disabled"),
    boolean("enforce_auth_checks_on_uploads"),
    integer("max_artifacts_size"),
    boolean("mr_default_target_self"),
    boolean("service_desk_enabled"),
    boolean("show_default_award_emojis"),
    boolean("show_diff_preview_in_email"),
    boolean("warn_about_potentially_unwanted_characters"),
];

/// The settings with the parameters of a request laid over them.
pub(super) fn with_changes(
    settings: &Settings,
    values: &Map<String, Value>,
) -> Result<Settings, ApiError> {
    let mut object = json!(settings);
    for param in SETTINGS {
        let Some(value) = values.get(param.name) else {
            continue;
        };
        let field = match param.name {
            "tag_list" => "topics",
            "public_builds" => "public_jobs",
            name => name,
        };
        if field == "emails_disabled" {
            if let Some(disabled) = value.as_bool() {
                object["emails_enabled"] = json!(!disabled);
            }
            continue;
        }
        object[field] = value.clone();
    }
    if values.contains_key("ci_pipeline_variables_minimum_override_role") {
        object["restrict_user_defined_variables"] =
            json!(object["ci_pipeline_variables_minimum_override_role"] != "developer");
    }
    serde_json::from_value(object)
        .map_err(|_error| ApiError::bad_request("a setting that has a value cannot be null"))
}
