//! The types of the schema, one file per family.

mod changes;
mod ci;
mod entity;
mod groups;
mod issue_changes;
mod issues;
mod job_status;
mod jobs;
mod labels;
mod merge_request_changes;
mod merge_request_content;
mod merge_request_lists;
mod merge_requests;
mod mutations;
mod note_changes;
mod notes;
mod pipeline_changes;
mod pipeline_lists;
mod pipelines;
mod project_changes;
mod project_lists;
mod projects;
mod release_changes;
mod releases;
mod repository;
mod root;
mod runners;
mod stages;
mod todos;
mod users;
mod work_item_widgets;
mod work_items;

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
    &job_status::FAMILY,
    &stages::FAMILY,
    &merge_request_content::FAMILY,
    &repository::FAMILY,
    &issues::FAMILY,
    &work_items::FAMILY,
    &work_item_widgets::FAMILY,
    &groups::FAMILY,
    &ci::FAMILY,
    &releases::FAMILY,
    &runners::FAMILY,
    &todos::FAMILY,
    &mutations::FAMILY,
    &merge_request_changes::FAMILY,
    &issue_changes::FAMILY,
    &note_changes::FAMILY,
    &pipeline_changes::FAMILY,
    &project_changes::FAMILY,
    &release_changes::FAMILY,
];
