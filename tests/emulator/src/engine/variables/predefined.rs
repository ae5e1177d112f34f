//! Predefined variables of server, project, pipeline and commit, known when a pipeline is created.

use super::{JobVariable, Server, merge_request, slug, var};
use crate::clock;
use crate::store::State;
use crate::store::merge_requests::MergeRequestState;
use crate::store::pipelines::Pipeline;
use crate::store::projects::Project;
use crate::versions;

/// More than this many bytes of a commit's message are cut off.
const MAX_COMMIT_MESSAGE: usize = 100_000;

/// Everything that is known before there are jobs.
pub(super) fn of_pipeline(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
) -> Vec<JobVariable> {
    let mut all = of_server(server);
    if let Some(project) = state.projects.get(pipeline.project_id) {
        all.extend(of_project(server, state, project));
    }
    all.extend(own(state, pipeline));
    all.extend(commit(state, pipeline));
    let merge_request = pipeline
        .merge_request_id
        .and_then(|id| state.merge_requests.get(id))
        .filter(|merge_request| {
            matches!(
                merge_request.state,
                MergeRequestState::Opened | MergeRequestState::Locked
            )
        });
    if let Some(merge_request) = merge_request {
        all.extend(merge_request::variables(server, state, merge_request));
    }
    if state.is_frozen(pipeline.project_id, pipeline.created_at) {
        all.push(var("CI_DEPLOY_FREEZE", "true"));
    }
    let open = open_merge_requests(state, pipeline);
    if !open.is_empty() {
        all.push(JobVariable::new("CI_OPEN_MERGE_REQUESTS", open));
    }
    all.retain(|variable| versions::has_variable(server.version, &variable.key));
    all
}

fn of_server(server: Server<'_>) -> Vec<JobVariable> {
    let address = server.url.trim_start_matches("http://");
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    let [major, minor, patch] = server.version.parts();
    vec![
        var("CI", "true"),
        var("GITLAB_CI", "true"),
        var("CI_SERVER_FQDN", address),
        var("CI_SERVER_URL", server.url),
        var("CI_SERVER_HOST", host),
        var("CI_SERVER_PORT", port),
        var("CI_SERVER_PROTOCOL", "http"),
        var("CI_SERVER_SHELL_SSH_HOST", host),
        var("CI_SERVER_SHELL_SSH_PORT", "22"),
        var("CI_SERVER_NAME", "GitLab"),
        var("CI_SERVER_VERSION", server.version.to_string()),
        var("CI_SERVER_VERSION_MAJOR", major.to_string()),
        var("CI_SERVER_VERSION_MINOR", minor.to_string()),
        var("CI_SERVER_VERSION_PATCH", patch.to_string()),
        var("CI_SERVER_REVISION", "e5a1b0c9d3f"),
        var("CI_API_V4_URL", format!("{}/api/v4", server.url)),
        var("CI_API_GRAPHQL_URL", format!("{}/api/graphql", server.url)),
        var("CI_TEMPLATE_REGISTRY_HOST", "registry.gitlab.com"),
    ]
}

fn of_project(server: Server<'_>, state: &State, project: &Project) -> Vec<JobVariable> {
    let path = state.project_path(project);
    let namespace = state.namespace_path(project.namespace_id);
    let root = namespace.split('/').next().unwrap_or_default().to_owned();
    let config = project.settings.ci_config_path.clone();
    let mut all = vec![
        var("CI_PROJECT_ID", project.id.to_string()),
        var("CI_PROJECT_NAME", project.path.as_str()),
        JobVariable::literal("CI_PROJECT_TITLE", project.name.as_str()),
        JobVariable::literal(
            "CI_PROJECT_DESCRIPTION",
            project.settings.description.clone().unwrap_or_default(),
        ),
        var("CI_PROJECT_PATH", path.as_str()),
        var("CI_PROJECT_PATH_SLUG", slug(&path)),
        var("CI_PROJECT_NAMESPACE", namespace.as_str()),
        var("CI_PROJECT_NAMESPACE_ID", project.namespace_id.to_string()),
        var("CI_PROJECT_NAMESPACE_SLUG", slug(&namespace)),
        var("CI_PROJECT_ROOT_NAMESPACE", root),
        var("CI_PROJECT_URL", format!("{}/{path}", server.url)),
        var("CI_PROJECT_VISIBILITY", project.visibility.as_str()),
        var("CI_PROJECT_REPOSITORY_LANGUAGES", ""),
        var("CI_PROJECT_CLASSIFICATION_LABEL", ""),
        var("CI_PROJECT_TOPICS", project.settings.topics.join(",")),
        var(
            "CI_CONFIG_PATH",
            config
                .filter(|path| !path.is_empty())
                .unwrap_or_else(|| ".gitlab-ci.yml".to_owned()),
        ),
    ];
    if let Some(branch) = &project.default_branch {
        all.push(var("CI_DEFAULT_BRANCH", branch.as_str()));
        all.push(var("CI_DEFAULT_BRANCH_SLUG", slug(branch)));
    }
    all
}

fn own(state: &State, pipeline: &Pipeline) -> Vec<JobVariable> {
    let created = pipeline.created_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut all = vec![
        JobVariable::new("CI_PIPELINE_IID", pipeline.iid.to_string()),
        JobVariable::new("CI_PIPELINE_SOURCE", pipeline.source.as_str()),
        JobVariable::new("CI_PIPELINE_CREATED_AT", created.to_string()),
    ];
    if let Some(name) = &pipeline.name {
        all.push(JobVariable::literal("CI_PIPELINE_NAME", name.as_str()));
    }
    if let Some(bridge) = pipeline.source_job_id.and_then(|id| state.jobs.get(id)) {
        all.extend([
            var("CI_UPSTREAM_JOB_ID", bridge.id.to_string()),
            var("CI_UPSTREAM_PIPELINE_ID", bridge.pipeline_id.to_string()),
            var("CI_UPSTREAM_PROJECT_ID", bridge.project_id.to_string()),
        ]);
    }
    if let Some(schedule) = pipeline.schedule_id.and_then(|id| state.schedules.get(id)) {
        all.push(JobVariable::literal(
            "CI_PIPELINE_SCHEDULE_DESCRIPTION",
            schedule.description.as_str(),
        ));
    }
    all
}

fn commit(state: &State, pipeline: &Pipeline) -> Vec<JobVariable> {
    let name = source_ref(state, pipeline);
    let is_branch = !pipeline.tag && pipeline.merge_request_id.is_none();
    let mut all = vec![
        var("CI_COMMIT_SHA", pipeline.sha.as_str()),
        var(
            "CI_COMMIT_SHORT_SHA",
            pipeline.sha.get(..8).unwrap_or(&pipeline.sha),
        ),
        var("CI_COMMIT_BEFORE_SHA", pipeline.before_sha.as_str()),
        var("CI_COMMIT_REF_NAME", name.as_str()),
        var("CI_COMMIT_REF_SLUG", slug(&name)),
        var("CI_COMMIT_REF_PROTECTED", pipeline.protected.to_string()),
    ];
    if is_branch {
        all.push(var("CI_COMMIT_BRANCH", pipeline.git_ref.as_str()));
    }
    if pipeline.tag {
        all.push(var("CI_COMMIT_TAG", pipeline.git_ref.as_str()));
        all.push(JobVariable::literal(
            "CI_COMMIT_TAG_MESSAGE",
            pipeline.tag_message.as_str(),
        ));
    }
    if let Some(commit) = &pipeline.commit {
        let whole = commit.message.trim_end();
        let cut = clipped(whole, MAX_COMMIT_MESSAGE);
        let (_, rest) = cut.split_once('\n').unwrap_or((cut, ""));
        let at = clock::iso_with_offset(commit.committer.at).replace(".000", "");
        let author = format!("{} <{}>", commit.author.name, commit.author.email);
        all.extend([
            JobVariable::literal("CI_COMMIT_MESSAGE", cut),
            var(
                "CI_COMMIT_MESSAGE_IS_TRUNCATED",
                (cut.len() < whole.len()).to_string(),
            ),
            JobVariable::literal("CI_COMMIT_TITLE", commit.title()),
            JobVariable::literal("CI_COMMIT_DESCRIPTION", rest.trim_start_matches('\n')),
            var("CI_COMMIT_TIMESTAMP", at),
            JobVariable::literal("CI_COMMIT_AUTHOR", author),
        ]);
    }
    all
}

/// The first bytes of a text, cut between characters.
fn clipped(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    &text[..end]
}

/// The branch or tag; for merge request pipelines the source branch.
pub(super) fn source_ref(state: &State, pipeline: &Pipeline) -> String {
    pipeline
        .merge_request_id
        .and_then(|id| state.merge_requests.get(id))
        .map_or_else(
            || pipeline.git_ref.clone(),
            |merge_request| merge_request.source_branch.clone(),
        )
}

/// Up to four open merge requests from the branch, as `group/project!7`.
fn open_merge_requests(state: &State, pipeline: &Pipeline) -> String {
    if pipeline.tag {
        return String::new();
    }
    let branch = source_ref(state, pipeline);
    let references: Vec<String> = state
        .open_merge_requests_from(pipeline.project_id, &branch)
        .filter_map(|merge_request| {
            let project = state.projects.get(merge_request.project_id)?;
            Some(format!(
                "{}!{}",
                state.project_path(project),
                merge_request.iid
            ))
        })
        .take(4)
        .collect();
    references.join(",")
}

#[cfg(test)]
mod tests {
    use super::clipped;

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert_eq!(clipped("aéb", 2), "a");
        assert_eq!(clipped("aéb", 3), "aé");
        assert_eq!(clipped("ab", 9), "ab");
    }
}
