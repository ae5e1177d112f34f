//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod application_settings;
mod artifacts;
pub(crate) mod avatars;
mod award_emoji;
mod badges;
mod boards;
mod branches;
mod broadcast_messages;
mod changelog;
mod changelog_file;
mod ci_access;
mod ci_lint;
mod ci_params;
mod comment_entity;
mod comments;
mod commit_create;
pub(crate) mod commit_entity;
mod commit_pick;
mod commit_statuses;
mod commits;
mod custom_attributes;
mod deploy_keys;
mod deploy_tokens;
mod deployments;
mod discussions;
mod draft_notes;
mod environments;
mod events;
mod exports;
mod feature_flag_strategies;
mod feature_flag_user_lists;
mod feature_flags;
mod features;
mod files;
mod forks;
mod freeze_periods;
mod generic_packages;
mod gpg_keys;
mod group_entity;
mod group_params;
mod groups;
mod impersonation_tokens;
mod instance;
mod instants;
mod integrations;
mod issuable_fields;
mod issuable_filter;
mod issue_entity;
mod issue_links;
mod issue_write;
mod issues;
pub(crate) mod job_entity;
mod job_payload;
mod job_release;
mod job_token_scope;
mod jobs;
mod label_actions;
mod label_entity;
mod labels;
mod markdown;
mod members;
mod merge_request_context;
mod merge_request_diffs;
mod merge_request_entity;
mod merge_request_merge;
mod merge_request_people;
mod merge_request_pipelines;
mod merge_request_write;
mod merge_requests;
mod metadata;
mod milestones;
mod namespaces;
mod noteable;
mod notes;
mod notification_settings;
mod overlay;
mod package_rules;
mod packages;
mod pages;
mod personal_access_tokens;
pub(crate) mod pipeline_entity;
mod pipeline_schedules;
mod pipelines;
mod project_care;
mod project_entity;
mod project_lists;
mod project_settings;
mod project_stars;
mod projects;
mod protected_branches;
mod protected_tags;
mod release_addresses;
mod release_entity;
mod release_evidence;
mod release_links;
mod releases;
mod remote_mirrors;
mod repository;
mod repository_archive;
mod repository_blobs;
mod resource_access_tokens;
mod resource_events;
mod resource_groups;
mod review_apps;
mod runner_artifacts;
mod runner_assignment;
mod runner_auth;
mod runner_entity;
mod runner_jobs;
mod runner_registration;
mod runner_settings;
mod runners;
mod search;
mod search_code;
mod sharing;
mod snippet_files;
mod snippets;
mod ssh_keys;
mod submodules;
mod subscriptions;
mod suggestions;
mod tags;
mod templates;
mod test_reports;
mod text_search;
mod time_tracking;
mod todos;
mod token_lists;
mod topics;
mod transfers;
mod triggers;
mod uploads;
mod user_administration;
mod user_emails;
mod user_entity;
mod user_params;
mod user_states;
mod user_status;
mod users;
mod variables;
mod webhooks;
mod wikis;

use crate::router::Route;

pub(crate) use self::job_payload::{report_file, report_format};

/// One route as a list shows it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RouteInfo {
    pub method: &'static str,
    /// Below `/api/v4/`, such as `projects/:id/variables/:key`.
    pub pattern: &'static str,
    /// Whether a job token may call it.
    pub job_token: bool,
    /// The parameters it understands.
    pub parameters: Vec<&'static str>,
    /// Parameters of GitLab's that it refuses with `501`.
    pub refused: &'static [&'static str],
}

/// Every route of the API, in the order of the table.
pub fn routes() -> Vec<RouteInfo> {
    ROUTES
        .iter()
        .copied()
        .flatten()
        .map(|route| RouteInfo {
            method: route.method,
            pattern: route.pattern,
            job_token: route.job_token,
            parameters: route.understood(),
            refused: route.refused(),
        })
        .collect()
}

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    artifacts::ROUTES,
    avatars::ROUTES,
    award_emoji::ROUTES,
    boards::ROUTES,
    branches::ROUTES,
    changelog::ROUTES,
    ci_lint::ROUTES,
    comments::ROUTES,
    commit_create::ROUTES,
    commit_statuses::ROUTES,
    commit_pick::ROUTES,
    commits::ROUTES,
    custom_attributes::ROUTES,
    deployments::ROUTES,
    discussions::ROUTES,
    draft_notes::ROUTES,
    environments::ROUTES,
    events::ROUTES,
    features::ROUTES,
    files::ROUTES,
    forks::ROUTES,
    feature_flag_user_lists::ROUTES,
    feature_flags::ROUTES,
    freeze_periods::ROUTES,
    generic_packages::ROUTES,
    groups::ROUTES,
    job_token_scope::ROUTES,
    issue_links::ROUTES,
    issue_write::ROUTES,
    issues::ROUTES,
    jobs::ROUTES,
    label_actions::ROUTES,
    labels::ROUTES,
    members::ROUTES,
    merge_request_context::ROUTES,
    merge_request_diffs::ROUTES,
    merge_request_merge::ROUTES,
    merge_request_people::ROUTES,
    merge_request_pipelines::ROUTES,
    merge_request_write::ROUTES,
    merge_requests::ROUTES,
    metadata::ROUTES,
    milestones::ROUTES,
    namespaces::ROUTES,
    notes::ROUTES,
    package_rules::ROUTES,
    packages::ROUTES,
    personal_access_tokens::ROUTES,
    pipeline_schedules::ROUTES,
    pipelines::ROUTES,
    project_lists::ROUTES,
    project_stars::ROUTES,
    projects::ROUTES,
    protected_branches::ROUTES,
    protected_tags::ROUTES,
    release_evidence::ROUTES,
    release_links::ROUTES,
    releases::ROUTES,
    repository::ROUTES,
    repository_archive::ROUTES,
    repository_blobs::ROUTES,
    resource_access_tokens::ROUTES,
    resource_events::ROUTES,
    resource_groups::ROUTES,
    search::ROUTES,
    review_apps::ROUTES,
    snippets::ROUTES,
    submodules::ROUTES,
    subscriptions::ROUTES,
    suggestions::ROUTES,
    runner_artifacts::ROUTES,
    runner_assignment::ROUTES,
    runner_jobs::ROUTES,
    runner_registration::ROUTES,
    runners::ROUTES,
    tags::ROUTES,
    test_reports::ROUTES,
    time_tracking::ROUTES,
    todos::ROUTES,
    triggers::ROUTES,
    uploads::ROUTES,
    user_administration::ROUTES,
    user_states::ROUTES,
    users::ROUTES,
    variables::ROUTES,
    exports::ROUTES,
    markdown::ROUTES,
    templates::ROUTES,
    remote_mirrors::ROUTES,
    pages::ROUTES,
    project_care::ROUTES,
    integrations::ROUTES,
    transfers::ROUTES,
    sharing::ROUTES,
    application_settings::ROUTES,
    wikis::ROUTES,
    instance::ROUTES,
    broadcast_messages::ROUTES,
    webhooks::ROUTES,
    notification_settings::ROUTES,
    topics::ROUTES,
    badges::ROUTES,
    deploy_tokens::ROUTES,
    deploy_keys::ROUTES,
    impersonation_tokens::ROUTES,
    user_status::ROUTES,
    ssh_keys::ROUTES,
    gpg_keys::ROUTES,
    user_emails::ROUTES,
];

/// What a project's own pages send, below `/-/`; uploads stand without it.
pub(crate) const PAGES: &[&[Route]] = &[
    artifacts::PAGES,
    files::PAGES,
    jobs::PAGES,
    release_evidence::PAGES,
    release_addresses::PAGES,
    repository_archive::PAGES,
    snippets::PAGES,
    uploads::PAGES,
];
