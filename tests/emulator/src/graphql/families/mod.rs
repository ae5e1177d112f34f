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
mod releases;
mod todos;
mod changes;
mod mutations;
mod merge_request_changes;
mod issue_changes;
mod note_changes;
mod pipeline_changes;
mod project_changes;

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
    &releases::FAMILY,
    &todos::FAMILY,
    &mutations::FAMILY,
    &merge_request_changes::FAMILY,
    &issue_changes::FAMILY,
    &note_changes::FAMILY,
    &pipeline_changes::FAMILY,
    &project_changes::FAMILY,
];
