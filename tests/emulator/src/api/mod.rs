//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod artifacts;
mod ci_access;
mod ci_params;
pub(crate) mod commit_entity;
mod groups;
pub(crate) mod job_entity;
mod jobs;
mod members;
mod metadata;
mod personal_access_tokens;
pub(crate) mod pipeline_entity;
mod pipelines;
mod project_access_tokens;
mod project_entity;
mod project_settings;
mod projects;
mod users;
mod variables;

use crate::router::Route;

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    groups::ROUTES,
    members::ROUTES,
    metadata::ROUTES,
    personal_access_tokens::ROUTES,
    project_access_tokens::ROUTES,
    projects::ROUTES,
    users::ROUTES,
    variables::ROUTES,
    artifacts::ROUTES,
    jobs::ROUTES,
    pipelines::ROUTES,
];
