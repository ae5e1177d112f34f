//! `CI_MERGE_REQUEST_*`: what merge request pipelines know while their merge request is open.

use super::{JobVariable, Server};
use crate::store::State;
use crate::store::merge_requests::MergeRequest;

/// Longer descriptions are cut.
const MAX_DESCRIPTION: usize = 2700;

/// The variables of a merge request, with the values of this moment.
pub(super) fn variables(
    server: Server<'_>,
    state: &State,
    merge_request: &MergeRequest,
) -> Vec<JobVariable> {
    let project = |id: u64| {
        let project = state.projects.get(id);
        let path = project.map(|project| state.project_path(project));
        let path = path.unwrap_or_default();
        (id.to_string(), format!("{}/{path}", server.url), path)
    };
    let (target_id, target_url, target_path) = project(merge_request.project_id);
    let (source_id, source_url, source_path) = project(merge_request.source_project_id);
    let description = merge_request.description.clone().unwrap_or_default();
    let cut: String = description.chars().take(MAX_DESCRIPTION).collect();
    let is_cut = cut.len() < description.len();
    let source_protected = state.is_protected_branch(
        merge_request.source_project_id,
        &merge_request.source_branch,
    );
    let target_protected =
        state.is_protected_branch(merge_request.project_id, &merge_request.target_branch);
    let var =
        |name: &str, value: &str| JobVariable::literal(&format!("CI_MERGE_REQUEST_{name}"), value);
    let flag = |name: &str, value: bool| var(name, if value { "true" } else { "false" });
    let mut all = vec![
        var("EVENT_TYPE", "detached"),
        // Only merged results pipelines know these two.
        var("SOURCE_BRANCH_SHA", ""),
        var("TARGET_BRANCH_SHA", ""),
        var("ID", &merge_request.id.to_string()),
        var("IID", &merge_request.iid.to_string()),
        var(
            "REF_PATH",
            &format!("refs/merge-requests/{}/head", merge_request.iid),
        ),
        var("PROJECT_ID", &target_id),
        var("PROJECT_PATH", &target_path),
        var("PROJECT_URL", &target_url),
        var("TARGET_BRANCH_NAME", &merge_request.target_branch),
        flag("TARGET_BRANCH_PROTECTED", target_protected),
        var("TITLE", &merge_request.title),
        var("DESCRIPTION", &cut),
        flag("DESCRIPTION_IS_TRUNCATED", is_cut),
        var("SOURCE_PROJECT_ID", &source_id),
        var("SOURCE_PROJECT_PATH", &source_path),
        var("SOURCE_PROJECT_URL", &source_url),
        var("SOURCE_BRANCH_NAME", &merge_request.source_branch),
        flag("SOURCE_BRANCH_PROTECTED", source_protected),
        flag("SQUASH_ON_MERGE", merge_request.squash),
    ];
    if let Some(diff) = merge_request.diff() {
        all.push(var("DIFF_ID", &diff.id.to_string()));
        all.push(var("DIFF_BASE_SHA", &diff.base));
    }
    let assignees: Vec<&str> = merge_request
        .assignee_ids
        .iter()
        .filter_map(|id| state.users.get(*id))
        .map(|user| user.username.as_str())
        .collect();
    if !assignees.is_empty() {
        all.push(var("ASSIGNEES", &sentence(&assignees)));
    }
    let milestone = merge_request
        .milestone_id
        .and_then(|id| state.milestones.get(id));
    if let Some(milestone) = milestone {
        all.push(var("MILESTONE", &milestone.title));
    }
    let labels = state.label_names(&merge_request.label_ids);
    if !labels.is_empty() {
        all.push(var("LABELS", &labels.join(",")));
    }
    if merge_request.is_draft() {
        all.push(flag("DRAFT", true));
    }
    if !merge_request.approvals.is_empty() {
        all.push(flag("APPROVED", true));
    }
    all
}

/// `ana`, `ana and bob`, `ana, bob, and cleo`.
fn sentence(names: &[&str]) -> String {
    match names {
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] if most.len() > 1 => format!("{}, and {last}", most.join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn several_names_make_a_sentence() {
        assert_eq!(sentence(&["ana"]), "ana");
        assert_eq!(sentence(&["ana", "bob"]), "ana and bob");
        assert_eq!(sentence(&["ana", "bob", "cleo"]), "ana, bob, and cleo");
    }
}
