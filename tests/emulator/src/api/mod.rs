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
mod namespaces;
mod packages;
mod personal_access_tokens;
mod project_entity;
mod project_lists;
mod project_settings;
mod project_stars;
mod projects;
mod release_entity;
mod release_links;
mod releases;
mod resource_access_tokens;
mod token_lists;
mod user_administration;
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
    namespaces::ROUTES,
    packages::ROUTES,
    personal_access_tokens::ROUTES,
    project_lists::ROUTES,
    project_stars::ROUTES,
    projects::ROUTES,
    release_links::ROUTES,
    releases::ROUTES,
    resource_access_tokens::ROUTES,
    user_administration::ROUTES,
    users::ROUTES,
    variables::ROUTES,
];
