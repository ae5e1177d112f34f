//! Lists of merge requests and the filters they have in common.

use serde_json::{Value, json};

use super::entity::{below, many, renamed};
use crate::graphql::objects::{Call, NOTHING, Object, Outcome};
use crate::graphql::schema::Family;

/// The filters of a list of merge requests.
macro_rules! filters {
    () => {
        "iids: [String!], state: MergeRequestState, labels: [String!], labelName: [String], sourceBranches: [String!], targetBranches: [String!], authorUsername: String, assigneeUsername: String, reviewerUsername: String, milestoneTitle: String, draft: Boolean, search: String, createdAfter: Time, createdBefore: Time, updatedAfter: Time, updatedBefore: Time, mergedAfter: Time, mergedBefore: Time, sort: MergeRequestSort = created_desc"
    };
}
pub(super) use filters;

/// The family of these lists.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum MergeRequestState { all closed locked merged opened }
        enum MergeRequestSort {
            CREATED_ASC CREATED_DESC MERGED_AT_ASC MERGED_AT_DESC TITLE_ASC TITLE_DESC UPDATED_ASC UPDATED_DESC
            created_asc created_desc updated_asc updated_desc
        }
    ",
};

const NAMES: &[(&str, &str)] = &[
    ("iids", "iids"),
    ("labels", "labels"),
    ("labelName", "labels"),
    ("authorUsername", "author_username"),
    ("assigneeUsername", "assignee_username"),
    ("reviewerUsername", "reviewer_username"),
    ("milestoneTitle", "milestone"),
    ("draft", "draft"),
    ("search", "search"),
    ("createdAfter", "created_after"),
    ("createdBefore", "created_before"),
    ("updatedAfter", "updated_after"),
    ("updatedBefore", "updated_before"),
];

/// The merge requests of the call's project or group.
pub(super) fn of_container(call: &Call<'_>) -> Outcome {
    let path = below(call, "merge_requests")?;
    list(call, &path, json!({}))
}

/// The merge requests in which the call's user has a part.
pub(super) fn of_user(call: &Call<'_>, part: &str) -> Outcome {
    let Object::User(id, _) = call.object else {
        return Ok(NOTHING);
    };
    let (name, project) = {
        let state = call.state();
        let name = state.users.get(*id).map(|row| row.username.clone());
        let project = match call.text("projectPath") {
            Some(path) => state.find_project(path).map(|row| row.id),
            None => call.gid("projectId", &["Project"])?,
        };
        (name, project)
    };
    let path = match project {
        Some(project) => format!("projects/{project}/merge_requests"),
        None => "merge_requests".to_owned(),
    };
    list(call, &path, json!({ part: name, "scope": "all" }))
}

fn list(call: &Call<'_>, path: &str, more: Value) -> Outcome {
    let mut filter = renamed(call.args, NAMES);
    let state = call.text("state").unwrap_or("all");
    filter["state"] = json!(state);
    order(
        call,
        &mut filter,
        &["created", "updated", "merged_at", "title"],
    );
    if let (Some(filter), Value::Object(more)) = (filter.as_object_mut(), more) {
        filter.extend(more);
    }
    let rows = call.rest().list(path, &filter)?;
    let (sources, targets) = (call.texts("sourceBranches"), call.texts("targetBranches"));
    let among = |wanted: &Option<Vec<&str>>, own: &Value| {
        let own = own.as_str().unwrap_or_default();
        wanted.as_ref().is_none_or(|wanted| wanted.contains(&own))
    };
    let found = rows.iter().filter(|row| {
        among(&sources, &row["source_branch"])
            && among(&targets, &row["target_branch"])
            && within(call, "mergedAfter", "mergedBefore", &row["merged_at"])
    });
    let ids: Vec<u64> = found.filter_map(|row| row["id"].as_u64()).collect();
    Ok(many(ids, Object::MergeRequest))
}

/// Is an instant of a row between two arguments?
pub(super) fn within(call: &Call<'_>, after: &str, before: &str, at: &Value) -> bool {
    let bound = |name: &str| call.text(name).and_then(crate::clock::parse);
    let at = at.as_str().and_then(crate::clock::parse);
    let (after, before) = (bound(after), bound(before));
    after.is_none_or(|after| at.is_some_and(|at| at >= after))
        && before.is_none_or(|before| at.is_some_and(|at| at <= before))
}

/// `CREATED_ASC` as the two parameters of the REST API.
pub(super) fn order(call: &Call<'_>, filter: &mut Value, keys: &[&str]) {
    let wanted = call.text("sort").unwrap_or("created_desc").to_lowercase();
    let Some((key, direction)) = wanted.rsplit_once('_') else {
        return;
    };
    if keys.contains(&key) {
        let name = match key {
            "created" | "updated" => format!("{key}_at"),
            other => other.to_owned(),
        };
        filter["order_by"] = json!(name);
        filter["sort"] = json!(direction);
    }
}

/// The merge request of a number in a project.
pub(super) fn of_number(call: &Call<'_>) -> Outcome {
    let Object::Project(project) = call.object else {
        return Ok(NOTHING);
    };
    let iid = call.text("iid").and_then(|iid| iid.parse().ok());
    let state = call.state();
    let row = iid.and_then(|iid| state.merge_request(*project, iid));
    Ok(super::super::objects::one(
        row.map(|row| Object::MergeRequest(row.id)),
    ))
}
