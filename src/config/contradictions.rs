//! What is fine alone and wrong together: roles that nobody defines, roles without people, labels that come and go.

use super::{Config, labels, packages, yard};
use crate::domain::ids::RoleName;
use crate::domain::validation::Members;

/// Parts that are fine alone and wrong together.
pub(super) fn contradictions(config: &Config) -> Vec<String> {
    let unknown = |list: &[RoleName], path: &str| -> Vec<String> {
        list.iter()
            .filter(|role| !config.roles.iter().any(|known| known.name == **role))
            .map(|role| format!("`{path}` names the role `{role}`, which `roles` does not define"))
            .collect()
    };
    let mut problems = unknown(&config.validation.roles, "validation.roles");
    for (index, rule) in config.validation.rules.iter().enumerate() {
        let path = format!("validation.rules[{index}].roles");
        problems.extend(unknown(&rule.roles, &path));
    }
    problems.extend(unknown(
        &config.versions.released_by,
        "versions.released_by",
    ));
    problems.extend(unknown(
        &config.versions.through_freezes_by,
        "versions.through_freezes_by",
    ));
    problems.extend(unknown(&config.nrt.deciders, "nrt.roles"));
    problems.extend(unknown(
        &config.integration.controlled_by,
        "integration.controlled_by",
    ));
    problems.extend(unknown(
        &config.integration.hotfix_by,
        "integration.hotfix_by",
    ));
    problems.extend(unknown(&config.nrt.broken_by, "nrt.broken_by"));
    let roles = config.roles.iter().map(|role| &role.name).collect();
    problems.extend(config.notification.contradictions(&roles));
    for role in &config.roles {
        if role.members == Members::default() {
            problems.push(format!(
                "`roles.{}` has nobody: give it `users`, `groups` or `access`",
                role.name
            ));
        }
    }
    problems.extend(labels::misused(config));
    problems.extend(yard::contradictions(
        &config.gate,
        &config.nrt,
        &config.versions.numbering.prefix,
    ));
    problems.extend(packages::contradictions(&config.versions, config.is_yard()));
    problems
}
