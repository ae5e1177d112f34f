//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod branches;
mod changelog;
mod commit_create;
pub(crate) mod commit_entity;
mod commits;
mod deployments;
mod discussions;
mod environments;
mod files;
mod freeze_periods;
mod generic_packages;
mod groups;
mod instants;
mod issuable_filter;
mod issue_entity;
mod job_token_scope;
mod labels;
mod members;
mod merge_request_diffs;
mod merge_request_entity;
mod merge_request_merge;
mod merge_request_people;
mod merge_request_write;
mod merge_requests;
mod metadata;
mod milestones;
mod namespaces;
mod noteable;
mod notes;
mod packages;
mod personal_access_tokens;
mod project_entity;
mod project_lists;
mod project_settings;
mod project_stars;
mod projects;
mod protected_branches;
mod protected_tags;
mod release_entity;
mod release_links;
mod releases;
mod repository;
mod resource_access_tokens;
mod tags;
mod token_lists;
mod user_administration;
mod users;
mod variables;

use crate::router::Route;

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    branches::ROUTES,
    changelog::ROUTES,
    commit_create::ROUTES,
    commits::ROUTES,
    deployments::ROUTES,
    discussions::ROUTES,
    environments::ROUTES,
    files::ROUTES,
    freeze_periods::ROUTES,
    generic_packages::ROUTES,
    groups::ROUTES,
    job_token_scope::ROUTES,
    labels::ROUTES,
    members::ROUTES,
    merge_request_diffs::ROUTES,
    merge_request_merge::ROUTES,
    merge_request_people::ROUTES,
    merge_request_write::ROUTES,
    merge_requests::ROUTES,
    metadata::ROUTES,
    milestones::ROUTES,
    namespaces::ROUTES,
    notes::ROUTES,
    packages::ROUTES,
    personal_access_tokens::ROUTES,
    project_lists::ROUTES,
    project_stars::ROUTES,
    projects::ROUTES,
    protected_branches::ROUTES,
    protected_tags::ROUTES,
    release_links::ROUTES,
    releases::ROUTES,
    repository::ROUTES,
    resource_access_tokens::ROUTES,
    tags::ROUTES,
    user_administration::ROUTES,
    users::ROUTES,
    variables::ROUTES,
];
