//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod award_emoji;
mod branches;
mod commit_create;
pub(crate) mod commit_entity;
mod commit_pick;
mod commits;
mod discussions;
mod files;
mod groups;
mod instants;
mod issuable_fields;
mod issuable_filter;
mod issue_entity;
mod issue_links;
mod issue_write;
mod issues;
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
mod project_access_tokens;
mod project_entity;
mod project_settings;
mod projects;
mod protected_branches;
mod protected_tags;
mod repository;
mod resource_events;
mod tags;
mod users;
mod variables;

use crate::router::Route;

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    award_emoji::ROUTES,
    branches::ROUTES,
    commit_create::ROUTES,
    commit_pick::ROUTES,
    commits::ROUTES,
    discussions::ROUTES,
    files::ROUTES,
    groups::ROUTES,
    issue_links::ROUTES,
    issue_write::ROUTES,
    issues::ROUTES,
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
    resource_events::ROUTES,
    tags::ROUTES,
    users::ROUTES,
    variables::ROUTES,
];
