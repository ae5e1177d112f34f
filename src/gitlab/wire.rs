//! GitLab's answers as we read them: only the fields we use, and those we need are required.

use serde::Deserialize;

use crate::domain::ids::BranchName;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) username: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DiffRefs {
    pub(super) base_sha: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct MergeRequest {
    pub(super) iid: u64,
    #[serde(default)]
    pub(super) project_id: Option<u64>,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: String,
    pub(super) draft: bool,
    pub(super) author: User,
    pub(super) source_branch: String,
    pub(super) target_branch: String,
    pub(super) sha: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) web_url: String,
    #[serde(default)]
    pub(super) detailed_merge_status: String,
    #[serde(default)]
    pub(super) blocking_discussions_resolved: Option<bool>,
    /// GraphQL tells it; the REST API does not.
    #[serde(skip)]
    pub(super) has_open_threads: bool,
    #[serde(default)]
    pub(super) merge_commit_sha: Option<String>,
    #[serde(default)]
    pub(super) squash_commit_sha: Option<String>,
    #[serde(default)]
    pub(super) merge_error: Option<String>,
    #[serde(default)]
    pub(super) rebase_in_progress: Option<bool>,
    #[serde(default)]
    pub(super) diverged_commits_count: Option<u64>,
    #[serde(default)]
    pub(super) diff_refs: Option<DiffRefs>,
    #[serde(default)]
    pub(super) squash_on_merge: Option<bool>,
    #[serde(default)]
    pub(super) should_remove_source_branch: Option<bool>,
    #[serde(default)]
    pub(super) force_remove_source_branch: Option<bool>,
    #[serde(default)]
    pub(super) squash: bool,
    #[serde(default)]
    pub(super) source_project_id: Option<u64>,
    #[serde(default)]
    pub(super) target_project_id: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) merge_method: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProjectPlace {
    pub(super) id: u64,
    pub(super) default_branch: Option<BranchName>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DiffVersion {
    pub(super) head_commit_sha: String,
    #[serde(default)]
    pub(super) patch_id_sha: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Issue {
    pub(super) iid: u64,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) confidential: bool,
    pub(super) labels: Vec<String>,
    pub(super) author: User,
    pub(super) web_url: String,
    /// Servers before 13.12 know one type only.
    #[serde(default = "issue_type")]
    pub(super) issue_type: String,
    /// The number, over all projects, of the issue that this one became.
    #[serde(default)]
    pub(super) moved_to_id: Option<u64>,
}

fn issue_type() -> String {
    "issue".to_owned()
}

/// The answer to: which issue has this number over all projects?
#[derive(Debug, Clone, Deserialize)]
pub(super) struct IssueData {
    pub(super) issue: Option<IssuePlace>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct IssuePlace {
    /// `group/project#7`.
    pub(super) reference: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct CurrentJob {
    pub(super) user: JobUser,
}

/// A label that came or went. A label that was deleted since has none, and neither has a deleted account.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LabelEvent {
    pub(super) action: String,
    pub(super) label: Option<NamedLabel>,
    pub(super) user: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct NamedLabel {
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct JobUser {
    pub(super) username: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) bot: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) user: Option<JobUser>,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) allow_failure: bool,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) started_at: Option<String>,
    /// Seconds.
    #[serde(default)]
    pub(super) queued_duration: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Bridge {
    pub(super) downstream_pipeline: Option<Created>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TestReport {
    pub(super) test_suites: Vec<TestSuite>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TestSuite {
    pub(super) name: String,
    #[serde(default)]
    pub(super) suite_error: Option<String>,
    #[serde(default)]
    pub(super) test_cases: Vec<TestCase>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TestCase {
    pub(super) status: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) classname: Option<String>,
    #[serde(default)]
    pub(super) file: Option<String>,
    /// A text, or the attributes of an element that has none.
    #[serde(default)]
    pub(super) system_output: serde_json::Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pipeline {
    pub(super) status: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) author: User,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Variable {
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) environment_scope: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct FileDiff {
    pub(super) old_path: String,
    pub(super) new_path: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ComparedCommit {
    pub(super) title: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comparison {
    pub(super) commits: Vec<ComparedCommit>,
    pub(super) diffs: Vec<FileDiff>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DeployedTo {
    pub(super) name: String,
    #[serde(default)]
    pub(super) external_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Deployment {
    pub(super) sha: String,
    pub(super) environment: DeployedTo,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) commit: Commit,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ReleaseLinks {
    #[serde(rename = "self")]
    pub(super) own: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Release {
    pub(super) tag_name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default, rename = "_links")]
    pub(super) links: Option<ReleaseLinks>,
}

/// An answer of GraphQL: the data, or why there is none.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Graph<T> {
    pub(super) data: Option<T>,
    #[serde(default)]
    pub(super) errors: Vec<GraphError>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct GraphError {
    pub(super) message: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Nodes<T> {
    pub(super) nodes: Vec<T>,
    #[serde(default)]
    pub(super) page_info: PageInfo,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    #[serde(default)]
    pub(super) end_cursor: Option<String>,
}

/// A deploy freeze.
#[derive(Debug, Deserialize)]
pub(super) struct FreezePeriod {
    pub(super) freeze_start: String,
    pub(super) freeze_end: String,
    pub(super) cron_timezone: String,
}
