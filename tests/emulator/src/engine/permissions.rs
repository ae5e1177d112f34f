//! Who may run and change pipelines. Roles and protected branches come from `access`.

use crate::access::{self, Role};
use crate::store::State;
use crate::store::pipelines::Pipeline;
use crate::versions::{self, Feature, Version};

/// May the user run pipelines on a branch or tag? Refs of merge requests need no right of their own.
pub(crate) fn may_use_ref(
    state: &State,
    user: u64,
    project: u64,
    git_ref: &str,
    tag: bool,
) -> bool {
    if git_ref.starts_with("refs/merge-requests/") {
        return true;
    }
    if !tag {
        return !state.is_protected_branch(project, git_ref)
            || access::may_update(state, user, project, git_ref);
    }
    let own = access::in_project(state, Some(user), project)
        .role
        .map_or(0, Role::level);
    let mut rules = state.tag_protections(project, git_ref).peekable();
    rules.peek().is_none()
        || rules.any(|rule| {
            rule.create_access_levels
                .iter()
                .any(|level| *level > 0 && *level <= own)
        })
}

/// Why the user may not create a pipeline, in GitLab's words.
pub(super) fn refusal_to_create(
    state: &State,
    user: u64,
    project: u64,
    git_ref: &str,
    tag: bool,
) -> Option<String> {
    if !access::in_project(state, Some(user), project).at_least(Role::Developer) {
        return Some("Insufficient permissions to create a new pipeline".to_owned());
    }
    (!may_use_ref(state, user, project, git_ref, tag)).then(|| {
        format!(
            "You do not have sufficient permission to run a pipeline on '{git_ref}'. \
             Please select a different branch or contact your administrator for assistance."
        )
    })
}

/// May the user play, retry and cancel the jobs of a pipeline?
pub(crate) fn may_update(state: &State, user: u64, pipeline: &Pipeline) -> bool {
    access::in_project(state, Some(user), pipeline.project_id).at_least(Role::Developer)
        && may_use_ref(
            state,
            user,
            pipeline.project_id,
            &pipeline.git_ref,
            pipeline.tag,
        )
}

/// May the user give variables to pipelines and played jobs of the project?
pub(crate) fn may_set_variables(state: &State, user: u64, project: u64) -> bool {
    let Some(found) = state.projects.get(project) else {
        return false;
    };
    let access = access::in_project(state, Some(user), project);
    if !found.settings.restrict_user_defined_variables {
        return access.at_least(Role::Developer);
    }
    match found
        .settings
        .ci_pipeline_variables_minimum_override_role
        .as_str()
    {
        "developer" => access.at_least(Role::Developer),
        "owner" => access.at_least(Role::Owner),
        "no_one_allowed" => false,
        _ => access.at_least(Role::Maintainer),
    }
}

/// May a pipeline use protected variables? For merge requests both branches must be protected, in one project, and the user
/// must be allowed to update both.
pub(super) fn is_protected(version: Version, state: &State, pipeline: &Pipeline) -> bool {
    let project = pipeline.project_id;
    let merge_request = pipeline
        .merge_request_id
        .and_then(|id| state.merge_requests.get(id));
    let Some(merge_request) = merge_request else {
        return if pipeline.tag {
            state.is_protected_tag(project, &pipeline.git_ref)
        } else {
            state.is_protected_branch(project, &pipeline.git_ref)
        };
    };
    let allowed = state
        .projects
        .get(project)
        .is_some_and(|project| project.settings.protect_merge_request_pipelines);
    let branches = [&merge_request.source_branch, &merge_request.target_branch];
    allowed
        && versions::has(version, Feature::ProtectedMergeRequestPipelines)
        && merge_request.source_project_id == merge_request.project_id
        && branches.into_iter().all(|branch| {
            state.is_protected_branch(project, branch)
                && access::may_update(state, pipeline.user_id, project, branch)
        })
}
