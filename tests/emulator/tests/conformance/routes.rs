//! The table of routes against GitLab's own description of its API, `openapi.yaml`: every route exists there with its method or
//! is listed below with its source, and every parameter described there is either understood or refused by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_yaml::Value;
use trainyard_emulator::{RouteInfo, routes};

use crate::absent_routes::ABSENT;

/// Parameters of GitLab's paid tiers, which a Community Edition does not know.
const PAID: &[&str] = &[
    "allow_pipeline_trigger_approve_deployment",
    "allowed_email_domains_list",
    "allowed_to_create",
    "allowed_to_merge",
    "allowed_to_push",
    "allowed_to_unprotect",
    "approval_password",
    "approvals_before_merge",
    "approved",
    "approved_by_ids",
    "approved_by_usernames",
    "approver_ids",
    "auditor",
    "auditors",
    "auto_ban_user_on_excessive_projects_download",
    "code_owner_approval_required",
    "duo_availability",
    "duo_features_enabled",
    "experiment_features_enabled",
    "external_authorization_classification_label",
    "extra_shared_runners_minutes_limit",
    "fallback_approvals_required",
    "file_template_project_id",
    "group_id_for_saml",
    "group_with_project_templates_id",
    "include_hidden",
    "ip_restriction_ranges",
    "issues_template",
    "ldap_access",
    "ldap_cn",
    "legacy_catalog_publish",
    "lock_duo_features_enabled",
    "marked_for_deletion_on",
    "member_role_id",
    "membership_lock",
    "merge_pipelines_enabled",
    "merge_requests_template",
    "merge_trains_enabled",
    "merge_trains_skip_train_allowed",
    "mirror",
    "mirror_branch_regex",
    "mirror_overwrites_diverged_branches",
    "mirror_trigger_builds",
    "mirror_user_id",
    "only_allow_merge_if_all_status_checks_passed",
    "only_mirror_protected_branches",
    "prevent_forking_outside_group",
    "prevent_merge_without_jira_issue",
    "repository_checksum_failed",
    "requested_hosted_plan",
    "requirements_access_level",
    "saml_provider_id",
    "service_access_tokens_expiration_enforced",
    "shared_runners_minutes_limit",
    "show_seat_info",
    "skip_ldap",
    "skip_merge_train",
    "unique_project_download_limit",
    "unique_project_download_limit_alertlist",
    "unique_project_download_limit_allowlist",
    "unique_project_download_limit_interval_in_seconds",
    "unprotect_access_level",
    "use_custom_template",
    "wiki_access_level",
    "wiki_checksum_failed",
    "with_saml_identity",
    "with_security_reports",
];

#[test]
fn every_route_is_gitlabs() {
    let Some(described) = described() else {
        return;
    };
    let strangers: Vec<String> = routes()
        .iter()
        .map(line)
        .filter(|line| !described.contains_key(line) && !is_listed_as_absent(line))
        .collect();
    assert!(
        strangers.is_empty(),
        "neither described nor listed as absent: {strangers:#?}"
    );
}

#[test]
fn no_route_stands_twice() {
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = routes()
        .iter()
        .map(line)
        .filter(|line| !seen.insert(line.clone()))
        .collect();
    assert!(
        twice.is_empty(),
        "only the first of each answers: {twice:#?}"
    );
}

#[test]
fn a_route_listed_as_absent_exists_here_and_is_absent_there() {
    let Some(described) = described() else {
        return;
    };
    let ours: BTreeSet<String> = routes().iter().map(line).collect();
    for absent in ABSENT.iter().flat_map(|(_, lines)| *lines) {
        assert!(
            !described.contains_key(*absent),
            "{absent} is described after all"
        );
        let served = ours.iter().any(|line| line == absent);
        assert!(served, "{absent} is not served");
    }
}

#[test]
fn every_described_parameter_is_understood_or_refused_by_name() {
    let Some(described) = described() else {
        return;
    };
    let mut ignored = Vec::new();
    for route in routes() {
        let Some(names) = described.get(&line(&route)) else {
            continue;
        };
        let lacking: Vec<&String> = names
            .iter()
            .filter(|name| {
                !route.parameters.contains(&name.as_str())
                    && !route.refused.contains(&name.as_str())
                    && name.as_str() != "job_token"
                    && !PAID.contains(&name.as_str())
            })
            .collect();
        if !lacking.is_empty() {
            ignored.push(format!("{} {} {lacking:?}", route.method, route.pattern));
        }
    }
    assert!(ignored.is_empty(), "silently ignored: {ignored:#?}");
}

fn is_listed_as_absent(line: &str) -> bool {
    ABSENT.iter().any(|(_, lines)| lines.contains(&line))
}

/// `GET projects/{}/variables/{}`.
fn line(route: &RouteInfo) -> String {
    let parts: Vec<&str> = route
        .pattern
        .split('/')
        .map(|part| {
            if part.starts_with([':', '*']) {
                "{}"
            } else {
                part
            }
        })
        .collect();
    format!("{} {}", route.method, parts.join("/"))
}

/// The parameters of every described operation, outside the path, by `METHOD path`.
#[expect(clippy::print_stdout, reason = "a check that is left out must be seen")]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder is a property of the machine, not of a job"
)]
fn described() -> Option<BTreeMap<String, BTreeSet<String>>> {
    let Some(root) = std::env::var_os("TRAINYARD_GITLAB_SPECS").map(PathBuf::from) else {
        println!("left out: TRAINYARD_GITLAB_SPECS is not set, so no route was compared");
        return None;
    };
    let text = std::fs::read_to_string(root.join("openapi.yaml")).expect("the description");
    let whole: Value = serde_yaml::from_str(&text).expect("the description is YAML");
    let mut operations = BTreeMap::new();
    for (path, methods) in whole["paths"].as_mapping().expect("paths") {
        let Some(path) = path.as_str().and_then(|path| path.strip_prefix("/api/v4/")) else {
            continue;
        };
        for (method, operation) in methods.as_mapping().expect("methods") {
            let method = method.as_str().unwrap_or_default().to_uppercase();
            // Some that stand in the path are described as if they came with the query.
            let mut names = parameters(&whole, operation);
            names.retain(|name| {
                !path.contains(&format!("*{name}")) && !path.contains(&format!("{{{name}}}"))
            });
            for spelling in spellings(path) {
                operations.insert(format!("{method} {spelling}"), names.clone());
            }
        }
    }
    Some(operations)
}

/// The spellings of a described path, placeholders blanked: `(ref/{ref}/)trigger` may be written with and without its bracket.
fn spellings(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('(') else {
        return vec![blanked(path)];
    };
    let (optional, after) = rest.split_once(')').expect("a closed bracket");
    [
        format!("{before}{after}"),
        format!("{before}{optional}{after}"),
    ]
    .iter()
    .flat_map(|path| spellings(path))
    .collect()
}

fn blanked(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| match part.chars().next() {
            Some('*') => "{}",
            Some('{') if part.ends_with('}') => "{}",
            Some(_) | None => part,
        })
        .collect();
    parts.join("/")
}

fn parameters(whole: &Value, operation: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let listed = operation["parameters"].as_sequence();
    for parameter in listed.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        match parameter["in"].as_str() {
            Some("body") => {
                let reference = parameter["schema"]["$ref"].as_str().unwrap_or_default();
                let definition = reference.trim_start_matches("#/definitions/");
                let properties = whole["definitions"][definition]["properties"].as_mapping();
                names.extend(
                    properties
                        .into_iter()
                        .flatten()
                        .filter_map(|(name, _)| name.as_str())
                        .map(outermost),
                );
            }
            Some("query" | "formData") => {
                names.insert(outermost(name));
            }
            Some(_) | None => {}
        }
    }
    names
}

/// `filter` of `filter[environment_scope]`.
fn outermost(name: &str) -> String {
    name.split('[').next().unwrap_or(name).to_owned()
}
