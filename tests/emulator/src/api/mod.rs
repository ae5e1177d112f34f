//! The families of the API below `/api/v4`, one file each: a table of routes and the functions that answer them.

mod commit_entity;
mod deployments;
mod environments;
mod freeze_periods;
mod generic_packages;
mod groups;
mod job_token_scope;
mod members;
mod metadata;
mod packages;
mod personal_access_tokens;
mod project_access_tokens;
mod project_entity;
mod project_settings;
mod projects;
mod release_entity;
mod release_links;
mod releases;
mod users;
mod variables;

use crate::router::Route;

/// Every route there is.
pub(crate) const ROUTES: &[&[Route]] = &[
    deployments::ROUTES,
    environments::ROUTES,
    freeze_periods::ROUTES,
    generic_packages::ROUTES,
    groups::ROUTES,
    job_token_scope::ROUTES,
    members::ROUTES,
    metadata::ROUTES,
    packages::ROUTES,
    personal_access_tokens::ROUTES,
    project_access_tokens::ROUTES,
    projects::ROUTES,
    release_links::ROUTES,
    releases::ROUTES,
    users::ROUTES,
    variables::ROUTES,
];
