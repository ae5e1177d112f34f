//! Projects and their settings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;
use super::avatars::Avatar;
use super::events::{EventAction, EventTarget};
use crate::application_settings;

/// Who may see something without being a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    Private,
    Internal,
    Public,
}

impl Visibility {
    /// From the text of the API; anything else is private.
    pub fn parse(text: &str) -> Self {
        match text {
            "public" => Self::Public,
            "internal" => Self::Internal,
            _ => Self::Private,
        }
    }

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    pub id: u64,
    pub name: String,
    pub path: String,
    pub namespace_id: u64,
    pub creator_id: u64,
    pub visibility: Visibility,
    /// Absent until the first commit.
    pub default_branch: Option<String>,
    /// The name the first branch should have, if its creator chose one.
    pub wished_default_branch: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_activity_at: Timestamp,
    /// Only allowlisted projects' job tokens may call this one; off: those of every project.
    pub job_token_scope_enabled: bool,
    /// Projects whose job tokens may call this one.
    pub job_token_allowlist: Vec<u64>,
    /// Groups whose projects' job tokens may call this one.
    pub job_token_group_allowlist: Vec<u64>,
    /// The users who starred it, and since when.
    pub starred_by: BTreeMap<u64, Timestamp>,
    pub avatar: Option<Avatar>,
    /// The project it was forked from.
    pub forked_from: Option<u64>,
    /// `none`, `scheduled`, `finished` or `failed`: how far the copy of a fork has come.
    pub import_status: &'static str,
    pub settings: Settings,
}

/// The settings of a project, named as in the API, so that editing is a merge of JSON objects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub description: Option<String>,
    pub topics: Vec<String>,
    pub archived: bool,
    pub resolve_outdated_diff_discussions: bool,
    pub issues_enabled: bool,
    pub merge_requests_enabled: bool,
    pub wiki_enabled: bool,
    pub jobs_enabled: bool,
    pub snippets_enabled: bool,
    pub packages_enabled: bool,
    pub lfs_enabled: bool,
    pub container_registry_enabled: bool,
    pub shared_runners_enabled: bool,
    pub group_runners_enabled: bool,
    pub request_access_enabled: bool,
    pub emails_enabled: bool,
    pub ci_default_git_depth: Option<i64>,
    pub ci_delete_pipelines_in_seconds: Option<i64>,
    pub ci_forward_deployment_enabled: bool,
    pub ci_forward_deployment_rollback_allowed: bool,
    pub ci_allow_fork_pipelines_to_run_in_parent_project: bool,
    pub ci_separated_caches: bool,
    pub ci_job_token_scope_enabled: bool,
    pub ci_push_repository_for_job_token_allowed: bool,
    pub ci_pipeline_variables_minimum_override_role: String,
    pub restrict_user_defined_variables: bool,
    pub protect_merge_request_pipelines: bool,
    pub resource_group_default_process_mode: String,
    pub keep_latest_artifact: bool,
    pub build_git_strategy: String,
    pub build_timeout: i64,
    pub auto_cancel_pending_pipelines: String,
    pub auto_devops_enabled: bool,
    pub ci_config_path: Option<String>,
    pub public_jobs: bool,
    pub only_allow_merge_if_pipeline_succeeds: bool,
    pub allow_merge_on_skipped_pipeline: Option<bool>,
    pub only_allow_merge_if_all_discussions_are_resolved: bool,
    pub remove_source_branch_after_merge: bool,
    pub printing_merge_request_link_enabled: bool,
    pub merge_method: String,
    pub squash_option: String,
    pub suggestion_commit_message: Option<String>,
    pub merge_commit_template: Option<String>,
    pub squash_commit_template: Option<String>,
    pub issue_branch_template: Option<String>,
    pub autoclose_referenced_issues: bool,
    pub issues_access_level: String,
    pub repository_access_level: String,
    pub merge_requests_access_level: String,
    pub forking_access_level: String,
    pub wiki_access_level: String,
    pub builds_access_level: String,
    pub snippets_access_level: String,
    pub pages_access_level: String,
    pub analytics_access_level: String,
    pub container_registry_access_level: String,
    pub releases_access_level: String,
    pub environments_access_level: String,
    pub feature_flags_access_level: String,
    pub infrastructure_access_level: String,
    pub monitor_access_level: String,
    pub model_experiments_access_level: String,
    pub model_registry_access_level: String,
    pub security_and_compliance_access_level: String,
    pub auto_devops_deploy_strategy: String,
    pub ci_id_token_sub_claim_components: Vec<String>,
    pub ci_restrict_pipeline_cancellation_role: String,
    pub container_expiration_policy_attributes: Option<Value>,
    pub enforce_auth_checks_on_uploads: bool,
    pub max_artifacts_size: Option<i64>,
    pub mr_default_target_self: Option<bool>,
    pub service_desk_enabled: bool,
    pub show_default_award_emojis: bool,
    pub show_diff_preview_in_email: bool,
    pub warn_about_potentially_unwanted_characters: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let enabled = || "enabled".to_owned();
        Self {
            description: None,
            topics: Vec::new(),
            archived: false,
            resolve_outdated_diff_discussions: false,
            issues_enabled: true,
            merge_requests_enabled: true,
            wiki_enabled: true,
            jobs_enabled: true,
            snippets_enabled: true,
            packages_enabled: true,
            lfs_enabled: true,
            container_registry_enabled: true,
            shared_runners_enabled: true,
            group_runners_enabled: true,
            request_access_enabled: true,
            emails_enabled: true,
            ci_default_git_depth: Some(20),
            ci_delete_pipelines_in_seconds: None,
            ci_forward_deployment_enabled: true,
            ci_forward_deployment_rollback_allowed: true,
            ci_allow_fork_pipelines_to_run_in_parent_project: true,
            ci_separated_caches: true,
            ci_job_token_scope_enabled: false,
            ci_push_repository_for_job_token_allowed: false,
            ci_pipeline_variables_minimum_override_role: "maintainer".to_owned(),
            restrict_user_defined_variables: true,
            protect_merge_request_pipelines: true,
            resource_group_default_process_mode: "unordered".to_owned(),
            keep_latest_artifact: true,
            build_git_strategy: "fetch".to_owned(),
            build_timeout: 3600,
            auto_cancel_pending_pipelines: enabled(),
            auto_devops_enabled: false,
            ci_config_path: None,
            public_jobs: true,
            only_allow_merge_if_pipeline_succeeds: false,
            allow_merge_on_skipped_pipeline: None,
            only_allow_merge_if_all_discussions_are_resolved: false,
            remove_source_branch_after_merge: true,
            printing_merge_request_link_enabled: true,
            merge_method: "merge".to_owned(),
            squash_option: "default_off".to_owned(),
            suggestion_commit_message: None,
            merge_commit_template: None,
            squash_commit_template: None,
            issue_branch_template: None,
            autoclose_referenced_issues: true,
            issues_access_level: enabled(),
            repository_access_level: enabled(),
            merge_requests_access_level: enabled(),
            forking_access_level: enabled(),
            wiki_access_level: enabled(),
            builds_access_level: enabled(),
            snippets_access_level: enabled(),
            pages_access_level: "private".to_owned(),
            analytics_access_level: enabled(),
            container_registry_access_level: enabled(),
            releases_access_level: enabled(),
            environments_access_level: enabled(),
            feature_flags_access_level: enabled(),
            infrastructure_access_level: enabled(),
            monitor_access_level: enabled(),
            model_experiments_access_level: enabled(),
            model_registry_access_level: enabled(),
            security_and_compliance_access_level: "private".to_owned(),
            auto_devops_deploy_strategy: "continuous".to_owned(),
            ci_id_token_sub_claim_components: ["project_path", "ref_type", "ref"]
                .map(str::to_owned)
                .to_vec(),
            ci_restrict_pipeline_cancellation_role: "developer".to_owned(),
            container_expiration_policy_attributes: None,
            enforce_auth_checks_on_uploads: true,
            max_artifacts_size: None,
            mr_default_target_self: None,
            service_desk_enabled: false,
            show_default_award_emojis: true,
            show_diff_preview_in_email: true,
            warn_about_potentially_unwanted_characters: true,
        }
    }
}

impl Project {
    /// The default branch, or the one that an empty repository is going to have.
    pub fn default_branch_or_main(&self) -> &str {
        let wished = self.wished_default_branch.as_deref();
        self.default_branch.as_deref().or(wished).unwrap_or("main")
    }
}

impl State {
    /// Adds a private project with default settings to a namespace of its creator's choice. The repository is made apart.
    pub fn add_project(
        &mut self,
        name: &str,
        path: &str,
        namespace_id: u64,
        creator_id: u64,
        now: Timestamp,
    ) -> u64 {
        let id = self.projects.insert(|id| Project {
            id,
            name: name.to_owned(),
            path: path.to_owned(),
            namespace_id,
            creator_id,
            visibility: Visibility::Private,
            default_branch: None,
            wished_default_branch: None,
            created_at: now,
            updated_at: now,
            last_activity_at: now,
            job_token_scope_enabled: true,
            job_token_allowlist: Vec::new(),
            job_token_group_allowlist: Vec::new(),
            starred_by: BTreeMap::new(),
            avatar: None,
            forked_from: None,
            import_status: "none",
            settings: Settings::default(),
        });
        self.registration_token(super::runners::Registration::Project(id));
        self.record(
            id,
            creator_id,
            EventAction::Created,
            EventTarget::Project,
            now,
        );
        id
    }

    /// The project of a number or full path.
    pub fn find_project(&self, id_or_path: &str) -> Option<&Project> {
        if let Ok(id) = id_or_path.parse() {
            return self.projects.get(id);
        }
        self.projects
            .iter()
            .find(|project| self.project_path(project).eq_ignore_ascii_case(id_or_path))
    }

    /// The project that once had this full path, and has another one now.
    pub fn moved_project(&self, path: &str) -> Option<&Project> {
        let id = self.former_paths.get(&path.to_lowercase())?;
        self.projects.get(*id)
    }

    /// The full paths of all projects.
    pub(crate) fn project_paths(&self) -> BTreeMap<u64, String> {
        let projects = self.projects.iter();
        projects
            .map(|project| (project.id, self.project_path(project)))
            .collect()
    }

    /// Remembers the paths that projects had, where they have others now.
    pub(crate) fn remember_former_paths(&mut self, before: BTreeMap<u64, String>) {
        let now = self.project_paths();
        for (id, path) in before {
            if now.get(&id).is_some_and(|new| *new != path) {
                self.former_paths.insert(path.to_lowercase(), id);
            }
        }
    }

    /// `group/subgroup/project`.
    pub fn project_path(&self, project: &Project) -> String {
        format!(
            "{}/{}",
            self.namespace_path(project.namespace_id),
            project.path
        )
    }

    /// The ids of the projects of a group and the groups below it.
    pub fn projects_below(&self, group: u64) -> Vec<u64> {
        let inside = self.projects.iter().filter(|project| {
            let mut above = self.with_ancestors(project.namespace_id);
            above.any(|other| other == group)
        });
        inside.map(|project| project.id).collect()
    }

    /// The address of a project's page.
    pub fn project_url(&self, url: &str, project: u64) -> String {
        let path = self
            .projects
            .get(project)
            .map(|project| self.project_path(project));
        format!("{url}/{}", path.unwrap_or_default())
    }

    /// Is the allowlist of a project heeded? The instance may leave projects no choice.
    pub fn limits_job_tokens(&self, project: &Project) -> bool {
        project.job_token_scope_enabled
            || application_settings::switch(self, "enforce_ci_inbound_job_token_scope_enabled")
    }

    /// May a job token of project `from` call this project? Its own always may.
    pub fn admits_job_tokens_of(&self, project: &Project, from: u64) -> bool {
        let listed_group = || {
            self.projects.get(from).is_some_and(|from| {
                self.with_ancestors(from.namespace_id)
                    .any(|group| project.job_token_group_allowlist.contains(&group))
            })
        };
        project.id == from
            || !self.limits_job_tokens(project)
            || project.job_token_allowlist.contains(&from)
            || listed_group()
    }
}
