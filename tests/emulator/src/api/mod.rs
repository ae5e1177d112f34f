//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod artifacts;
mod branches;
mod ci_access;
mod ci_params;
mod commit_create;
pub(crate) mod commit_entity;
mod commits;
mod discussions;
mod files;
mod groups;
mod instants;
mod issuable_filter;
mod issue_entity;
pub(crate) mod job_entity;
mod jobs;
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
mod noteable;
mod notes;
mod personal_access_tokens;
pub(crate) mod pipeline_entity;
mod pipelines;
mod project_access_tokens;
mod project_entity;
mod project_settings;
mod projects;
mod protected_branches;
mod protected_tags;
mod repository;
mod tags;
mod users;
mod variables;

use crate::router::Route;

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    branches::ROUTES,
    commit_create::ROUTES,
    commits::ROUTES,
    discussions::ROUTES,
    files::ROUTES,
    groups::ROUTES,
    labels::ROUTES,
    members::ROUTES,
    merge_request_diffs::ROUTES,
    merge_request_merge::ROUTES,
    merge_request_people::ROUTES,
    merge_request_write::ROUTES,
    merge_requests::ROUTES,
    metadata::ROUTES,
    milestones::ROUTES,
    notes::ROUTES,
    personal_access_tokens::ROUTES,
    project_access_tokens::ROUTES,
    projects::ROUTES,
    protected_branches::ROUTES,
    protected_tags::ROUTES,
    repository::ROUTES,
    tags::ROUTES,
    users::ROUTES,
    variables::ROUTES,
    artifacts::ROUTES,
    jobs::ROUTES,
    pipelines::ROUTES,
];
