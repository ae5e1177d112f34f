//! Mutations of issues, work items and labels.

use serde_json::{Value, json};

use super::changes::{Change, id, input, made, params, payload, project, text};
use super::entity::numbers;
use super::merge_request_changes::{LABELS, label_names};
use super::work_items::type_of;
use crate::graphql::objects::{Call, NOTHING, Object, Problem, number_of};
use crate::graphql::schema::{Family, Line, field};

const FIELDS: &[(&str, &str)] = &[
    ("title", "title"),
    ("description", "description"),
    ("confidential", "confidential"),
    ("dueDate", "due_date"),
    ("locked", "discussion_locked"),
];

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "createIssue(input: CreateIssueInput!): CreateIssuePayload",
        |c| {
            let project = project(c, "projectPath")?;
            let mut params = params(
                c,
                &[FIELDS, &[("labels", "labels"), ("createdAt", "created_at")]].concat(),
            );
            drop_key(&mut params, "discussion_locked");
            details(c, &mut params)?;
            let done = c
                .rest()
                .call("POST", &format!("projects/{project}/issues"), params);
            payload(c, "CreateIssuePayload", done, |row| {
                vec![("issue", made(row, Object::Issue))]
            })
        },
    ),
    field(
        "updateIssue(input: UpdateIssueInput!): UpdateIssuePayload",
        |c| {
            let object = found(c)?;
            let mut params = params(c, FIELDS);
            match text(c, "stateEvent") {
                "CLOSE" => params["state_event"] = json!("close"),
                "REOPEN" => params["state_event"] = json!("reopen"),
                _unchanged => {}
            }
            details(c, &mut params)?;
            Change::put("UpdateIssuePayload", "issue").make(c, object, params)
        },
    ),
    field(
        "issueSetConfidential(input: IssueSetConfidentialInput!): IssueSetConfidentialPayload",
        |c| {
            Change::put("IssueSetConfidentialPayload", "issue").make(
                c,
                found(c)?,
                params(c, FIELDS),
            )
        },
    ),
    field(
        "issueSetLocked(input: IssueSetLockedInput!): IssueSetLockedPayload",
        |c| Change::put("IssueSetLockedPayload", "issue").make(c, found(c)?, params(c, FIELDS)),
    ),
    field(
        "issueSetDueDate(input: IssueSetDueDateInput!): IssueSetDueDatePayload",
        |c| {
            let day = text(c, "dueDate")
                .split('T')
                .next()
                .unwrap_or_default()
                .to_owned();
            Change::put("IssueSetDueDatePayload", "issue").make(
                c,
                found(c)?,
                json!({ "due_date": day }),
            )
        },
    ),
    field(
        "issueSetAssignees(input: IssueSetAssigneesInput!): IssueSetAssigneesPayload",
        |c| {
            let object = found(c)?;
            let names = input(c)
                .get("assigneeUsernames")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let ids: Vec<u64> = {
                let state = c.state();
                let named = names
                    .iter()
                    .filter_map(Value::as_str)
                    .filter_map(|name| state.user_named(name));
                named.map(|row| row.id).collect()
            };
            Change::put("IssueSetAssigneesPayload", "issue").make(
                c,
                object,
                json!({ "assignee_ids": ids }),
            )
        },
    ),
    field(
        "labelCreate(input: LabelCreateInput!): LabelCreatePayload",
        |c| {
            if !text(c, "groupPath").is_empty() {
                return Err(Problem::lacking("labels of groups"));
            }
            let project = project(c, "projectPath")?;
            let params = params(
                c,
                &[
                    ("title", "name"),
                    ("color", "color"),
                    ("description", "description"),
                ],
            );
            let done = c
                .rest()
                .call("POST", &format!("projects/{project}/labels"), params);
            payload(c, "LabelCreatePayload", done, |row| {
                vec![("label", made(row, Object::Label))]
            })
        },
    ),
    field(
        "workItemCreate(input: WorkItemCreateInput!): WorkItemCreatePayload",
        |c| {
            let place = if text(c, "namespacePath").is_empty() {
                "projectPath"
            } else {
                "namespacePath"
            };
            let project = project(c, place)?;
            let mut params = params(c, FIELDS);
            let kind = id(c, "workItemTypeId", &["WorkItems::Type"])?;
            params["issue_type"] = json!(type_of(kind));
            widgets(c, &mut params)?;
            let done = c
                .rest()
                .call("POST", &format!("projects/{project}/issues"), params);
            payload(c, "WorkItemCreatePayload", done, |row| {
                vec![("workItem", made(row, Object::WorkItem))]
            })
        },
    ),
    field(
        "workItemUpdate(input: WorkItemUpdateInput!): WorkItemUpdatePayload",
        |c| {
            let object = work_item(c)?;
            let mut params = params(c, FIELDS);
            match text(c, "stateEvent") {
                "CLOSE" => params["state_event"] = json!("close"),
                "REOPEN" => params["state_event"] = json!("reopen"),
                _unchanged => {}
            }
            widgets(c, &mut params)?;
            Change::put("WorkItemUpdatePayload", "workItem").make(c, object, params)
        },
    ),
    field(
        "workItemDelete(input: WorkItemDeleteInput!): WorkItemDeletePayload",
        |c| {
            let object = work_item(c)?;
            let address =
                super::entity::path(&c.state(), &object).ok_or_else(Problem::no_access)?;
            let done = c.rest().call("DELETE", &address, json!({}));
            payload(c, "WorkItemDeletePayload", done, |_| {
                vec![("namespace", NOTHING)]
            })
        },
    ),
];

/// The family of these mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum IssueStateEvent { CLOSE REOPEN }
        enum WorkItemStateEvent { CLOSE REOPEN }
        input CreateIssueInput {
            assigneeIds: [UserID!] clientMutationId: String confidential: Boolean createdAt: Time description: String dueDate: ISO8601Date
            labelIds: [LabelID!] labels: [String!] locked: Boolean milestoneId: MilestoneID projectPath: ID! title: String! type: IssueType
        }
        type CreateIssuePayload { clientMutationId: String errors: [String!]! issue: Issue }
        input UpdateIssueInput {
            addLabelIds: [ID!] clientMutationId: String confidential: Boolean description: String dueDate: ISO8601Date iid: String!
            labelIds: [ID!] locked: Boolean milestoneId: ID projectPath: ID! removeLabelIds: [ID!] stateEvent: IssueStateEvent title: String
            type: IssueType
        }
        type UpdateIssuePayload { clientMutationId: String errors: [String!]! issue: Issue }
        input IssueSetConfidentialInput { clientMutationId: String confidential: Boolean! iid: String! projectPath: ID! }
        type IssueSetConfidentialPayload { clientMutationId: String errors: [String!]! issue: Issue }
        input IssueSetLockedInput { clientMutationId: String iid: String! locked: Boolean! projectPath: ID! }
        type IssueSetLockedPayload { clientMutationId: String errors: [String!]! issue: Issue }
        input IssueSetDueDateInput { clientMutationId: String dueDate: Time iid: String! projectPath: ID! }
        type IssueSetDueDatePayload { clientMutationId: String errors: [String!]! issue: Issue }
        input IssueSetAssigneesInput {
            assigneeUsernames: [String!]! clientMutationId: String iid: String! operationMode: MutationOperationMode = REPLACE projectPath: ID!
        }
        type IssueSetAssigneesPayload { clientMutationId: String errors: [String!]! issue: Issue }
        input LabelCreateInput {
            clientMutationId: String color: String = \"#6699cc\" description: String groupPath: ID projectPath: ID title: String!
        }
        type LabelCreatePayload { clientMutationId: String errors: [String!]! label: Label }
        input WorkItemWidgetDescriptionInput { description: String! }
        input WorkItemWidgetAssigneesInput { assigneeIds: [UserID!]! }
        input WorkItemWidgetLabelsCreateInput { labelIds: [LabelID!]! }
        input WorkItemWidgetLabelsUpdateInput { addLabelIds: [LabelID!] removeLabelIds: [LabelID!] }
        input WorkItemWidgetMilestoneInput { milestoneId: MilestoneID }
        input WorkItemWidgetStartAndDueDateUpdateInput { dueDate: Date isFixed: Boolean startDate: Date }
        input WorkItemCreateInput {
            assigneesWidget: WorkItemWidgetAssigneesInput clientMutationId: String confidential: Boolean description: String @deprecated
            descriptionWidget: WorkItemWidgetDescriptionInput labelsWidget: WorkItemWidgetLabelsCreateInput
            milestoneWidget: WorkItemWidgetMilestoneInput namespacePath: ID projectPath: ID
            startAndDueDateWidget: WorkItemWidgetStartAndDueDateUpdateInput title: String! workItemTypeId: WorkItemsTypeID!
        }
        type WorkItemCreatePayload { clientMutationId: String errors: [String!]! workItem: WorkItem }
        input WorkItemUpdateInput {
            assigneesWidget: WorkItemWidgetAssigneesInput clientMutationId: String confidential: Boolean
            descriptionWidget: WorkItemWidgetDescriptionInput id: WorkItemID! labelsWidget: WorkItemWidgetLabelsUpdateInput
            milestoneWidget: WorkItemWidgetMilestoneInput startAndDueDateWidget: WorkItemWidgetStartAndDueDateUpdateInput
            stateEvent: WorkItemStateEvent title: String
        }
        type WorkItemUpdatePayload { clientMutationId: String errors: [String!]! workItem: WorkItem }
        input WorkItemDeleteInput { clientMutationId: String id: WorkItemID! }
        type WorkItemDeletePayload { clientMutationId: String errors: [String!]! namespace: Namespace }
    ",
};

fn found(call: &Call<'_>) -> Result<Object, Problem> {
    let project = project(call, "projectPath")?;
    let iid = text(call, "iid").parse().unwrap_or_default();
    let id = call.state().issue(project, iid).map(|row| row.id);
    id.and_then(|id| super::root::readable_issue(call, id))
        .map(Object::Issue)
        .ok_or_else(Problem::no_access)
}

fn work_item(call: &Call<'_>) -> Result<Object, Problem> {
    let id = id(call, "id", &["WorkItem", "Issue"])?;
    super::root::readable_issue(call, id)
        .map(Object::WorkItem)
        .ok_or_else(Problem::no_access)
}

fn drop_key(params: &mut Value, key: &str) {
    if let Some(params) = params.as_object_mut() {
        params.remove(key);
    }
}

/// Labels, people, milestone and type of an issue's input.
fn details(call: &Call<'_>, params: &mut Value) -> Result<(), Problem> {
    let given = input(call);
    for (name, parameter) in [
        ("labelIds", "labels"),
        ("addLabelIds", "add_labels"),
        ("removeLabelIds", "remove_labels"),
    ] {
        if given.contains_key(name) {
            params[parameter] = json!(label_names(call, name)?);
        }
    }
    if let Some(ids) = numbers(given, "assigneeIds", &["User"])? {
        params["assignee_ids"] = json!(ids);
    }
    if let Some(milestone) = given.get("milestoneId") {
        params["milestone_id"] = json!(milestone_number(milestone)?);
    }
    if let Some(kind) = given.get("type").and_then(Value::as_str) {
        params["issue_type"] = json!(kind.to_lowercase());
    }
    Ok(())
}

fn milestone_number(value: &Value) -> Result<u64, Problem> {
    match value.as_str() {
        Some(text) => number_of(text, &["Milestone"]),
        None => Ok(0),
    }
}

/// The widgets of a work item's input.
fn widgets(call: &Call<'_>, params: &mut Value) -> Result<(), Problem> {
    let given = input(call);
    let widget = |name: &str| given.get(name).and_then(Value::as_object);
    if let Some(widget) = widget("descriptionWidget") {
        params["description"] = widget.get("description").cloned().unwrap_or_default();
    }
    if let Some(widget) = widget("assigneesWidget") {
        params["assignee_ids"] = json!(numbers(widget, "assigneeIds", &["User"])?);
    }
    if let Some(widget) = widget("labelsWidget") {
        for (name, parameter) in [
            ("labelIds", "labels"),
            ("addLabelIds", "add_labels"),
            ("removeLabelIds", "remove_labels"),
        ] {
            if let Some(ids) = numbers(widget, name, LABELS)? {
                let state = call.state();
                let named = ids.iter().filter_map(|id| state.labels.get(*id));
                let names: Vec<String> = named.map(|row| row.name.clone()).collect();
                params[parameter] = json!(names);
            }
        }
    }
    if let Some(milestone) = widget("milestoneWidget").and_then(|widget| widget.get("milestoneId"))
    {
        params["milestone_id"] = json!(milestone_number(milestone)?);
    }
    if let Some(day) = widget("startAndDueDateWidget").and_then(|widget| widget.get("dueDate")) {
        params["due_date"] = json!(day.as_str().unwrap_or_default());
    }
    Ok(())
}
