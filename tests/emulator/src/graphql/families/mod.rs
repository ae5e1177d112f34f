//! The types of the schema, one file per family.

mod entity;
mod ci;
mod users;
mod root;
mod projects;
mod merge_requests;
mod merge_request_lists;
mod notes;
mod labels;
mod pipelines;
mod pipeline_lists;
mod jobs;
mod repository;
mod issues;
mod work_items;
mod groups;

use super::introspection;
use super::schema::Family;

/// All families.
pub(super) const FAMILIES: &[&Family] = &[
    &introspection::FAMILY,
    &users::FAMILY,
    &root::FAMILY,
    &projects::FAMILY,
    &merge_requests::FAMILY,
    &merge_request_lists::FAMILY,
    &notes::FAMILY,
    &labels::FAMILY,
    &pipelines::FAMILY,
    &pipeline_lists::FAMILY,
    &jobs::FAMILY,
    &repository::FAMILY,
    &issues::FAMILY,
    &work_items::FAMILY,
    &groups::FAMILY,
    &ci::FAMILY,
];
