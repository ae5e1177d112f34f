//! Mutations of merge requests.

use serde_json::{Value, json};

use super::changes::{Change, finished, input, made, params, payload, project, text};
use super::entity::path;
use crate::graphql::internal::{refusal, sentences};
use crate::graphql::objects::{Call, Found, Object, Outcome, Problem, number_of};
use crate::graphql::schema::{Family, Line, field};
use crate::store::State;
use crate::store::merge_requests::{MergeRequest, without_draft_prefix};

/// The classes in the global ids of labels.
pub(super) const LABELS: &[&str] = &["ProjectLabel", "GroupLabel", "Label"];

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "mergeRequestCreate(input: MergeRequestCreateInput!): MergeRequestCreatePayload",
        |c| {
            let id = project(c, "projectPath")?;
            let params = params(
                c,
                &[
                    ("title", "title"),
                    ("sourceBranch", "source_branch"),
                    ("targetBranch", "target_branch"),
                    ("description", "description"),
                    ("labels", "labels"),
                    ("mergeAfter", "merge_after"),
                    ("removeSourceBranch", "remove_source_branch"),
                ],
            );
            let done = c
                .rest()
                .call("POST", &format!("projects/{id}/merge_requests"), params);
            payload(c, "MergeRequestCreatePayload", done, |row| {
                vec![("mergeRequest", made(row, Object::MergeRequest))]
            })
        },
    ),
    field(
        "mergeRequestUpdate(input: MergeRequestUpdateInput!): MergeRequestUpdatePayload",
        |c| {
            let mut params = params(
                c,
                &[
                    ("title", "title"),
                    ("description", "description"),
                    ("targetBranch", "target_branch"),
                    ("mergeAfter", "merge_after"),
                    ("removeSourceBranch", "remove_source_branch"),
                ],
            );
            match text(c, "state") {
                "CLOSED" => params["state_event"] = json!("close"),
                "OPEN" => params["state_event"] = json!("reopen"),
                _unchanged => {}
            }
            PUT_UPDATE.make(c, found(c)?, params)
        },
    ),
    field(
        "mergeRequestSetDraft(input: MergeRequestSetDraftInput!): MergeRequestSetDraftPayload",
        |c| {
            let object = found(c)?;
            let draft = input(c).get("draft").and_then(Value::as_bool) == Some(true);
            let title = row(c, &object, |row, _| row.title.clone())?;
            let plain = without_draft_prefix(&title);
            let title = if draft {
                format!("Draft: {plain}")
            } else {
                plain.to_owned()
            };
            Change::put("MergeRequestSetDraftPayload", "mergeRequest").make(
                c,
                object,
                json!({ "title": title }),
            )
        },
    ),
    field(
        "mergeRequestSetLocked(input: MergeRequestSetLockedInput!): MergeRequestSetLockedPayload",
        |c| {
            let params = params(c, &[("locked", "discussion_locked")]);
            Change::put("MergeRequestSetLockedPayload", "mergeRequest").make(c, found(c)?, params)
        },
    ),
    field(
        "mergeRequestSetLabels(input: MergeRequestSetLabelsInput!): MergeRequestSetLabelsPayload",
        |c| {
            let object = found(c)?;
            let params = labels(c)?;
            Change::put("MergeRequestSetLabelsPayload", "mergeRequest").make(c, object, params)
        },
    ),
    field(
        "mergeRequestSetAssignees(input: MergeRequestSetAssigneesInput!): MergeRequestSetAssigneesPayload",
        |c| {
            let object = found(c)?;
            let now = row(c, &object, |row, _| row.assignee_ids.clone())?;
            let ids = people(c, "assigneeUsernames", now);
            Change::put("MergeRequestSetAssigneesPayload", "mergeRequest").make(
                c,
                object,
                json!({ "assignee_ids": ids }),
            )
        },
    ),
    field(
        "mergeRequestSetReviewers(input: MergeRequestSetReviewersInput!): MergeRequestSetReviewersPayload",
        |c| {
            let object = found(c)?;
            let now = row(c, &object, |row, _| row.reviewer_ids.clone())?;
            let ids = people(c, "reviewerUsernames", now);
            Change::put("MergeRequestSetReviewersPayload", "mergeRequest").make(
                c,
                object,
                json!({ "reviewer_ids": ids }),
            )
        },
    ),
    field(
        "mergeRequestSetMilestone(input: MergeRequestSetMilestoneInput!): MergeRequestSetMilestonePayload",
        |c| {
            let object = found(c)?;
            let id = match input(c).get("milestoneId").and_then(Value::as_str) {
                Some(text) => number_of(text, &["Milestone"])?,
                None => 0,
            };
            Change::put("MergeRequestSetMilestonePayload", "mergeRequest").make(
                c,
                object,
                json!({ "milestone_id": id }),
            )
        },
    ),
    field(
        "mergeRequestAccept(input: MergeRequestAcceptInput!): MergeRequestAcceptPayload",
        accept,
    ),
];

const PUT_UPDATE: Change = Change::put("MergeRequestUpdatePayload", "mergeRequest");

/// The family of these mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum MergeRequestNewState { CLOSED OPEN }
        enum MutationOperationMode { APPEND REMOVE REPLACE }
        enum MergeStrategyEnum { ADD_TO_MERGE_TRAIN_WHEN_CHECKS_PASS MERGE_TRAIN MERGE_WHEN_CHECKS_PASS }
        input MergeRequestCreateInput {
            clientMutationId: String description: String labels: [String!] mergeAfter: Time projectPath: ID! removeSourceBranch: Boolean
            sourceBranch: String! targetBranch: String! title: String!
        }
        type MergeRequestCreatePayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestUpdateInput {
            clientMutationId: String description: String iid: String! mergeAfter: Time projectPath: ID! removeSourceBranch: Boolean
            state: MergeRequestNewState targetBranch: String title: String
        }
        type MergeRequestUpdatePayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetDraftInput { clientMutationId: String draft: Boolean! iid: String! projectPath: ID! }
        type MergeRequestSetDraftPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetLockedInput { clientMutationId: String iid: String! locked: Boolean! projectPath: ID! }
        type MergeRequestSetLockedPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetLabelsInput {
            clientMutationId: String iid: String! labelIds: [LabelID!]! operationMode: MutationOperationMode = REPLACE projectPath: ID!
        }
        type MergeRequestSetLabelsPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetAssigneesInput {
            assigneeUsernames: [String!]! clientMutationId: String iid: String! operationMode: MutationOperationMode = REPLACE projectPath: ID!
        }
        type MergeRequestSetAssigneesPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetReviewersInput {
            clientMutationId: String iid: String! operationMode: MutationOperationMode = REPLACE projectPath: ID! reviewerUsernames: [String!]!
        }
        type MergeRequestSetReviewersPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestSetMilestoneInput { clientMutationId: String iid: String! milestoneId: MilestoneID projectPath: ID! }
        type MergeRequestSetMilestonePayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
        input MergeRequestAcceptInput {
            clientMutationId: String commitMessage: String iid: String! projectPath: ID! sha: String! shouldRemoveSourceBranch: Boolean
            squash: Boolean = false squashCommitMessage: String strategy: MergeStrategyEnum
        }
        type MergeRequestAcceptPayload { clientMutationId: String errors: [String!]! mergeRequest: MergeRequest }
    ",
};

/// The merge request that the input names.
fn found(call: &Call<'_>) -> Result<Object, Problem> {
    let project = project(call, "projectPath")?;
    let iid = text(call, "iid").parse().unwrap_or_default();
    let state = call.state();
    let row = state.merge_request(project, iid);
    row.map(|row| Object::MergeRequest(row.id))
        .ok_or_else(Problem::no_access)
}

fn row<T>(
    call: &Call<'_>,
    object: &Object,
    read: fn(&MergeRequest, &State) -> T,
) -> Result<T, Problem> {
    let Object::MergeRequest(id) = object else {
        return Err(Problem::no_access());
    };
    let state = call.state();
    let row = state.merge_requests.get(*id);
    row.map(|row| read(row, &state))
        .ok_or_else(Problem::no_access)
}

fn mode(call: &Call<'_>) -> &'static str {
    match text(call, "operationMode") {
        "APPEND" => "APPEND",
        "REMOVE" => "REMOVE",
        _default => "REPLACE",
    }
}

/// The names of the labels of the input, as the parameter that the mode wants.
fn labels(call: &Call<'_>) -> Result<Value, Problem> {
    let names = label_names(call, "labelIds")?;
    let parameter = match mode(call) {
        "APPEND" => "add_labels",
        "REMOVE" => "remove_labels",
        _replace => "labels",
    };
    Ok(json!({ parameter: names }))
}

/// The names of the labels that the input lists by their global ids.
pub(super) fn label_names(call: &Call<'_>, name: &str) -> Result<Vec<String>, Problem> {
    let ids = super::entity::numbers(input(call), name, LABELS)?.unwrap_or_default();
    let state = call.state();
    let row = |id: &u64| state.labels.get(*id).map(|row| row.name.clone());
    Ok(ids.iter().filter_map(row).collect())
}

/// The people of the input, put together with those who are there.
fn people(call: &Call<'_>, name: &str, now: Vec<u64>) -> Vec<u64> {
    let names = input(call)
        .get(name)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let state = call.state();
    let given: Vec<u64> = names
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|name| state.user_named(name.trim_start_matches('@')))
        .map(|row| row.id)
        .collect();
    match mode(call) {
        "APPEND" => given.into_iter().chain(now).collect(),
        "REMOVE" => now.into_iter().filter(|id| !given.contains(id)).collect(),
        _replace => given,
    }
}

fn accept(call: &Call<'_>) -> Outcome {
    let object = found(call)?;
    let mut params = params(
        call,
        &[
            ("sha", "sha"),
            ("squash", "squash"),
            ("commitMessage", "merge_commit_message"),
            ("squashCommitMessage", "squash_commit_message"),
            ("shouldRemoveSourceBranch", "should_remove_source_branch"),
        ],
    );
    if !text(call, "strategy").is_empty() {
        params["auto_merge"] = json!(true);
    }
    let address = path(&call.state(), &object).ok_or_else(Problem::no_access)?;
    let done = call.rest().call("PUT", &format!("{address}/merge"), params);
    let errors = match done {
        Ok(_) => Vec::new(),
        Err(error) => match error.status {
            405 | 406 | 422 => vec!["This branch cannot be merged".to_owned()],
            409 => vec!["The merge-head is not at the anticipated SHA".to_owned()],
            400 => sentences(&error),
            _other => return Err(refusal(&error)),
        },
    };
    Ok(finished(
        call,
        "MergeRequestAcceptPayload",
        &errors,
        vec![("mergeRequest", Found::One(object))],
    ))
}
