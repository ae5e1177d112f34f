//! Short settings of a job: retry, timeout, tags, coverage, who may fail, what is inherited.

use serde_json::Value;

use crate::ci::definition::{AllowFailure, Inherit, Retry};
use crate::ci::pattern::Pattern;
use crate::ci::report::{At, Report, is_list_of_strings};
use crate::ci::tree::{get, mapping, strings};

/// GitLab's longest job timeout, a month.
const MAX_TIMEOUT: u64 = 2_629_745;
const MAX_TAGS: usize = 50;

const RETRY_REASONS: &[&str] = &[
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "forward_deployment_failure",
    "user_blocked",
    "project_deleted",
    "ci_quota_exceeded",
    "pipeline_loop_detected",
    "no_matching_runner",
    "trace_size_exceeded",
    "builds_disabled",
    "environment_creation_failure",
    "deployment_rejected",
    "failed_outdated_deployment_job",
    "job_execution_server_timeout",
    "protected_environment_failure",
    "insufficient_bridge_permissions",
    "downstream_bridge_project_not_found",
    "invalid_bridge_trigger",
    "upstream_bridge_project_not_found",
    "insufficient_upstream_permissions",
    "bridge_pipeline_is_child_pipeline",
    "downstream_pipeline_creation_failed",
    "secrets_provider_not_found",
    "reached_max_descendant_pipelines_depth",
    "ip_restriction_failure",
    "reached_max_pipeline_hierarchy_size",
    "reached_downstream_pipeline_trigger_rate_limit",
    "stuck_pending_with_matching_runners",
    "stuck_pending_no_matching_runners",
    "no_updates_running",
    "no_updates_canceling",
    "runner_configuration_error",
    "runner_external_dependency_failure",
    "runner_interrupted",
    "server_timeout_running",
    "server_timeout_canceling",
    "duo_workflow_not_allowed",
    "job_router_failure",
    "job_token_expired",
    "always",
];

/// `retry:` as a number or a hash.
pub(super) fn retry(report: &mut Report, value: &Value) -> Retry {
    // GitLab does not name the job here.
    let at = &At::section("retry");
    let mut retry = Retry::default();
    if let Some(max) = value.as_i64() {
        retry.max = times(report, at, "config", max);
    } else if let Some(map) = mapping(value) {
        report.allowed_keys(at, map, &["max", "when", "exit_codes"]);
        if let Some(max) = get(map, "max") {
            match max.as_i64() {
                Some(max) => retry.max = times(report, at, "max", max),
                None if max.is_number() => report.attribute(at, "max", "must be an integer"),
                None => report.attribute(at, "max", "is not a number"),
            }
        }
        if let Some(when) = get(map, "when") {
            retry.when = report.strings_or_string(at, "when", when);
            if let Some(list) = when.as_array() {
                report.known_values(at, "when", list, RETRY_REASONS);
            } else if when
                .as_str()
                .is_some_and(|reason| !RETRY_REASONS.contains(&reason))
            {
                report.attribute(at, "when", "is not included in the list");
            }
            retry.when.retain(|reason| reason != "always");
        }
        if let Some(codes) = get(map, "exit_codes") {
            retry.exit_codes = report.integers(at, "exit_codes", codes);
        }
    } else {
        report.verbatim("retry config has to be either an integer or a hash".to_owned());
    }
    retry
}

fn times(report: &mut Report, at: &At, attribute: &str, max: i64) -> u8 {
    if max < 0 {
        report.attribute(at, attribute, "must be greater than or equal to 0");
    } else if max > 2 {
        report.attribute(at, attribute, "must be less than or equal to 2");
    }
    u8::try_from(max).unwrap_or(0)
}

/// `timeout:` in seconds.
pub(super) fn timeout(report: &mut Report, at: &At, value: &Value) -> Option<u64> {
    report.duration(at, "config", value, Some(MAX_TIMEOUT))
}

/// `tags:` of a job.
pub(super) fn tags(report: &mut Report, at: &At, value: &Value) -> Vec<String> {
    let tags = report.strings(at, "config", value);
    if tags.len() >= MAX_TAGS {
        report.config(
            at,
            &format!("must be less than the limit of {MAX_TAGS} tags"),
        );
    }
    tags
}

/// `coverage:`, the regular expression without its slashes.
pub(super) fn coverage(report: &mut Report, at: &At, value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .filter(|text| Pattern::looks_like_one(text) && Pattern::parse(text).is_some());
    if text.is_none() {
        report.config(at, "must be a regular expression with re2 syntax");
    }
    text.map(|text| {
        text[1..]
            .rsplit_once('/')
            .map_or("", |(inner, _)| inner)
            .to_owned()
    })
}

/// `interruptible:` of a job or of the defaults.
pub(super) fn interruptible(report: &mut Report, at: &At, value: &Value) -> Option<bool> {
    if !value.is_boolean() {
        report.config(at, "should be a boolean value");
    }
    value.as_bool()
}

/// `allow_failure:` of a job that has a script.
pub(super) fn allow_failure(report: &mut Report, at: &At, value: &Value) -> AllowFailure {
    let Some(map) = mapping(value) else {
        return if value.as_bool() == Some(true) {
            AllowFailure::Yes
        } else {
            AllowFailure::No
        };
    };
    report.allowed_keys(at, map, &["exit_codes"]);
    match get(map, "exit_codes") {
        Some(codes) => AllowFailure::ExitCodes(report.integers(at, "exit_codes", codes)),
        None => AllowFailure::No,
    }
}

/// `inherit:`, what a job takes from `default:` and from the global variables.
#[derive(Debug, Clone)]
pub(super) struct Inheritance {
    pub(super) default: Inherit,
    pub(super) variables: Inherit,
}

impl Inheritance {
    /// Whether the keyword is taken over from `default:`.
    pub(super) fn takes(&self, keyword: &str) -> bool {
        match &self.default {
            Inherit::All => true,
            Inherit::None => false,
            Inherit::Only(keywords) => keywords.iter().any(|known| known == keyword),
        }
    }
}

/// Reads `inherit:`; absent means everything.
pub(super) fn inherit(report: &mut Report, at: &At, value: Option<&Value>) -> Inheritance {
    let mut inheritance = Inheritance {
        default: Inherit::All,
        variables: Inherit::All,
    };
    let Some(value) = value else {
        return inheritance;
    };
    let Some(map) = report.hash(at, value) else {
        return inheritance;
    };
    report.allowed_keys(at, map, &["default", "variables"]);
    if let Some(value) = get(map, "default") {
        inheritance.default = inherited(report, &at.key("default"), value, super::defaults::KEYS);
    }
    if let Some(value) = get(map, "variables") {
        inheritance.variables = inherited(report, &at.key("variables"), value, &[]);
    }
    inheritance
}

fn inherited(report: &mut Report, at: &At, value: &Value, allowed: &[&str]) -> Inherit {
    match value {
        Value::Bool(true) => Inherit::All,
        Value::Bool(false) => Inherit::None,
        Value::Array(list) => {
            if !is_list_of_strings(value) {
                report.config(at, "should be an array of strings");
            }
            if !allowed.is_empty() {
                report.known_values(at, "config", list, allowed);
            }
            Inherit::Only(strings(value))
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            report.verbatim(format!("{at} should be a bool or array of strings"));
            Inherit::All
        }
    }
}
