//! Lists of projects and the filters they have in common.

use serde_json::{Value, json};

use super::entity::{many, numbers, renamed};
use crate::graphql::objects::{Call, Object, Outcome};

/// The filters that lists of projects have in common.
macro_rules! list_filters {
    () => {
        "search: String, sort: String, archived: ProjectArchived, visibilityLevel: VisibilityLevelsEnum, topics: [String!], withIssuesEnabled: Boolean, withMergeRequestsEnabled: Boolean, minAccessLevel: AccessLevelEnum"
    };
}
pub(super) use list_filters;

const NAMES: &[(&str, &str)] = &[
    ("search", "search"),
    ("visibilityLevel", "visibility"),
    ("withIssuesEnabled", "with_issues_enabled"),
    ("withMergeRequestsEnabled", "with_merge_requests_enabled"),
    ("membership", "membership"),
];

/// All projects the caller may see.
pub(super) fn all(call: &Call<'_>) -> Outcome {
    list(call, "projects", json!({}))
}

/// A list of projects of the REST API with the filters of the call.
pub(super) fn list(call: &Call<'_>, path: &str, more: Value) -> Outcome {
    let mut filter = renamed(call.args, NAMES);
    if let (Some(filter), Value::Object(more)) = (filter.as_object_mut(), more) {
        filter.extend(more);
    }
    if let Some(level) = call.text("minAccessLevel") {
        let level = match level {
            "OWNER" => 50,
            "MAINTAINER" => 40,
            "DEVELOPER" => 30,
            "REPORTER" => 20,
            "PLANNER" => 15,
            _least => 10,
        };
        filter["min_access_level"] = json!(level);
    }
    if let Some(topics) = call.texts("topics") {
        filter["topic"] = json!(topics.join(","));
    }
    match call.text("archived") {
        Some("ONLY") => filter["archived"] = json!(true),
        Some("EXCLUDE") => filter["archived"] = json!(false),
        Some(_) | None => {}
    }
    if let Some((key, direction)) = call.text("sort").and_then(|sort| sort.rsplit_once('_')) {
        let key = match key {
            "latest_activity" => "last_activity_at",
            "created" => "created_at",
            "updated" => "updated_at",
            other => other,
        };
        filter["order_by"] = json!(key);
        filter["sort"] = json!(direction.to_lowercase());
    }
    let (ids, paths) = (
        numbers(call.args, "ids", &["Project"])?,
        call.texts("fullPaths"),
    );
    let rows = call.rest().list(path, &filter)?;
    let fits = |row: &&Value| {
        let (id, path) = (row["id"].as_u64(), row["path_with_namespace"].as_str());
        ids.as_ref()
            .is_none_or(|ids| id.is_some_and(|id| ids.contains(&id)))
            && paths
                .as_ref()
                .is_none_or(|paths| path.is_some_and(|path| paths.contains(&path)))
    };
    let found: Vec<u64> = rows
        .iter()
        .filter(fits)
        .filter_map(|row| row["id"].as_u64())
        .collect();
    Ok(many(found, Object::Project))
}
