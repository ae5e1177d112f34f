//! What came to GitLab when: routes, parameters, fields, variables of jobs, and ways to behave.
//!
//! Taken from the history notes of GitLab's documentation and from its migrations. A field is named together with another
//! one that always stands beside it, because the same name means other things in other objects.

use super::Version;

type Since = (u32, u32);

/// Routes by method and pattern.
const ROUTES: &[(&str, &str, Since)] = &[(
    "GET",
    "projects/:id/resource_groups/:key/current_job",
    (18, 6),
)];

/// Parameters by pattern of their routes (`*`: of any route).
const PARAMETERS: &[(&str, &str, Since)] = &[
    ("*", "ci_pipeline_variables_minimum_override_role", (17, 1)),
    ("*", "ci_push_repository_for_job_token_allowed", (17, 2)),
    ("*", "masked_and_hidden", (17, 4)),
    ("*", "auto_stop_setting", (17, 8)),
    ("*", "merge_after", (17, 8)),
    ("*", "ci_delete_pipelines_in_seconds", (17, 9)),
    ("projects/:id/jobs/:job_id/cancel", "force", (17, 10)),
    ("projects/:id/pipeline", "inputs", (17, 11)),
    ("projects/:id/trigger/pipeline", "inputs", (17, 11)),
    ("projects/:id/ref/:ref/trigger/pipeline", "inputs", (17, 11)),
    ("projects/:id/pipeline_schedules", "inputs", (17, 11)),
    (
        "projects/:id/pipeline_schedules/:schedule_id",
        "inputs",
        (17, 11),
    ),
    ("*", "resource_group_default_process_mode", (18, 0)),
    (
        "projects/:id/merge_requests/:merge_request_iid/pipelines",
        "async",
        (18, 0),
    ),
    ("*", "protect_merge_request_pipelines", (18, 1)),
];

/// Fields of answers: the name, a field that stands beside it, and when it came.
const FIELDS: &[(&str, &str, Since)] = &[
    (
        "ci_pipeline_variables_minimum_override_role",
        "default_branch",
        (17, 1),
    ),
    (
        "ci_push_repository_for_job_token_allowed",
        "default_branch",
        (17, 2),
    ),
    ("imported", "iid", (17, 2)),
    ("imported_from", "iid", (17, 2)),
    ("imported", "noteable_id", (17, 2)),
    ("imported_from", "noteable_id", (17, 2)),
    ("hidden", "variable_type", (17, 4)),
    ("merge_after", "target_branch", (17, 5)),
    ("auto_stop_setting", "tier", (17, 8)),
    ("ci_delete_pipelines_in_seconds", "default_branch", (17, 9)),
    ("inputs", "cron", (17, 11)),
    (
        "resource_group_default_process_mode",
        "default_branch",
        (18, 0),
    ),
    ("protect_merge_request_pipelines", "default_branch", (18, 1)),
];

/// Predefined variables.
const VARIABLES: &[(&str, Since)] = &[
    ("CI_PIPELINE_SCHEDULE_DESCRIPTION", (17, 8)),
    ("CI_JOB_GROUP_NAME", (17, 10)),
    ("CI_MERGE_REQUEST_DRAFT", (17, 10)),
    ("CI_PROJECT_TOPICS", (18, 3)),
    ("CI_COMMIT_MESSAGE_IS_TRUNCATED", (18, 6)),
    ("CI_UPSTREAM_JOB_ID", (18, 9)),
    ("CI_UPSTREAM_PIPELINE_ID", (18, 9)),
    ("CI_UPSTREAM_PROJECT_ID", (18, 9)),
];

/// A way to behave that older servers do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// An automatic merge waits for every check instead of the pipeline alone.
    AutoMergeWaitsForChecks,
    /// Pipelines of merge requests between protected branches may use protected variables.
    ProtectedMergeRequestPipelines,
    /// `trigger:strategy: mirror`.
    MirrorStrategy,
}

impl Feature {
    fn since(self) -> Since {
        match self {
            Self::AutoMergeWaitsForChecks => (17, 7),
            Self::ProtectedMergeRequestPipelines => (18, 1),
            Self::MirrorStrategy => (18, 2),
        }
    }
}

fn reached(version: Version, (major, minor): Since) -> bool {
    version.is_at_least(major, minor)
}

/// Does a server of this version behave so?
pub(crate) fn has(version: Version, feature: Feature) -> bool {
    reached(version, feature.since())
}

/// Does a server of this version know the route?
pub(crate) fn has_route(version: Version, method: &str, pattern: &str) -> bool {
    let row = ROUTES
        .iter()
        .find(|(verb, route, _)| *verb == method && *route == pattern);
    row.is_none_or(|(_, _, since)| reached(version, *since))
}

/// Does a server of this version know the parameter of the route?
pub(crate) fn has_parameter(version: Version, pattern: &str, name: &str) -> bool {
    let row = PARAMETERS
        .iter()
        .find(|(route, known, _)| *known == name && (*route == "*" || *route == pattern));
    row.is_none_or(|(_, _, since)| reached(version, *since))
}

/// Does a server of this version give jobs the variable?
pub(crate) fn has_variable(version: Version, name: &str) -> bool {
    let row = VARIABLES.iter().find(|(known, _)| *known == name);
    row.is_none_or(|(_, since)| reached(version, *since))
}

/// The fields that a server of this version does not have, each with the one beside it.
pub(super) fn missing_fields(version: Version) -> Vec<(&'static str, &'static str)> {
    FIELDS
        .iter()
        .filter(|(_, _, since)| !reached(version, *since))
        .map(|(name, beside, _)| (*name, *beside))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    #[test]
    fn everything_in_the_table_exists_here() {
        let routes = api::routes();
        for (method, pattern, _) in ROUTES {
            let known =
                |route: &&api::RouteInfo| route.method == *method && route.pattern == *pattern;
            assert!(
                routes.iter().any(|route| known(&route)),
                "{method} {pattern}"
            );
        }
        for (pattern, name, _) in PARAMETERS {
            let known = routes.iter().any(|route| {
                (*pattern == "*" || route.pattern == *pattern)
                    && (route.parameters.contains(name) || route.refused.contains(name))
            });
            assert!(known, "{name} of {pattern}");
        }
    }
}
