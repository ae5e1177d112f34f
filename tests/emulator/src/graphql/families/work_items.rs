//! Work items: issues in their newer form, with widgets.

use serde_json::json;

use super::entity::{below, many, shown};
use super::issues::sorted_labels;
use super::notes;
use crate::access::{self, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Record, gid, one, record, time, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::notes::Noteable;

/// The types with their ids.
const TYPES: &[(&str, &str, u64)] = &[
    ("issue", "Issue", 1),
    ("incident", "Incident", 2),
    ("test_case", "Test Case", 3),
    ("task", "Task", 5),
];

const FIELDS: &[Line] = &[
    field("id: WorkItemID!", |c| row(c, |row, _| gid("WorkItem", row.id))),
    field("iid: String!", |c| row(c, |row, _| value(row.iid.to_string()))),
    field("title: String!", |c| row(c, |row, _| value(row.title.clone()))),
    field("titleHtml: String", |c| row(c, |row, _| value(row.title.clone()))),
    field("name: String", |c| row(c, |row, _| value(row.title.clone()))),
    field("description: String", |c| row(c, |row, _| Found::Value(json!(row.description)))),
    field("descriptionHtml: String", |c| row(c, |row, _| Found::Value(json!(row.description)))),
    field("state: WorkItemState!", |c| row(c, |row, _| value(if row.open { "OPEN" } else { "CLOSED" }))),
    field("confidential: Boolean!", |c| row(c, |row, _| value(row.confidential))),
    field("archived: Boolean!", |c| {
        row(c, |row, state| value(state.projects.get(row.project_id).is_some_and(|row| row.settings.archived)))
    }),
    field("lockVersion: Int!", |_| Ok(value(0))),
    field("author: UserCore", |c| row(c, |row, _| Found::One(user(row.author_id)))),
    field("createdAt: Time!", |c| row(c, |row, _| time(row.created_at))),
    field("updatedAt: Time!", |c| row(c, |row, _| time(row.updated_at))),
    field("closedAt: Time", |c| row(c, |row, _| time(row.closed_at))),
    field("webUrl: String", |c| shown(c, "/web_url")),
    field("webPath: String", |c| {
        let url = c.url();
        shown(c, "/web_url").map(|found| match found {
            Found::Value(serde_json::Value::String(text)) => value(text.trim_start_matches(url)),
            other => other,
        })
    }),
    field("reference(full: Boolean = false): String!", |c| {
        let full = c.flag("full") == Some(true);
        shown(c, if full { "/references/full" } else { "/references/short" })
    }),
    field("userDiscussionsCount: Int!", |c| shown(c, "/user_notes_count")),
    field("project: Project", |c| row(c, |row, _| Found::One(Object::Project(row.project_id)))),
    field("namespace: Namespace", |c| {
        row(c, |row, state| one(state.projects.get(row.project_id).map(|row| Object::Namespace(row.namespace_id))))
    }),
    field("workItemType: WorkItemType!", |c| row(c, |row, _| Found::One(kind(&row.issue_type)))),
    field("userPermissions: WorkItemPermissions!", |c| {
        let acting = c.user();
        let Object::WorkItem(id) = c.object else { return Ok(NOTHING) };
        let state = c.state();
        let Some(row) = state.issues.get(*id) else { return Ok(NOTHING) };
        let own = access::in_project(&state, acting, row.project_id);
        let admin = own.at_least(Role::Planner);
        let update = admin || acting == Some(row.author_id);
        let data = json!({
            "adminParentLink": admin, "adminWorkItem": admin, "adminWorkItemLink": admin, "createNote": acting.is_some(),
            "deleteWorkItem": own.at_least(Role::Owner), "markNoteAsInternal": admin, "moveWorkItem": admin, "readWorkItem": true,
            "setWorkItemMetadata": admin, "updateWorkItem": update,
        });
        Ok(record("WorkItemPermissions", data).found())
    }),
    field("widgets(onlyTypes: [WorkItemWidgetType!], exceptTypes: [WorkItemWidgetType!]): [WorkItemWidget!]", widgets),
];

/// The fields of a project, group or namespace.
pub(super) const OF_CONTAINER: &[Line] = &[
    field("workItems(ids: [WorkItemID!], iid: String, iids: [String!], state: IssuableState, labelName: [String!], authorUsername: String, assigneeUsernames: [String!], milestoneTitle: [String!], search: String, confidential: Boolean, types: [IssueType!], createdAfter: Time, createdBefore: Time, updatedAfter: Time, updatedBefore: Time, closedAfter: Time, closedBefore: Time, sort: WorkItemSort = CREATED_DESC, includeDescendants: Boolean): WorkItemConnection", |c| {
        let path = below(c, "issues")?;
        Ok(many(super::issues::filtered(c, &path)?, Object::WorkItem))
    }),
    field("workItem(iid: String!): WorkItem", |c| {
        let path = below(c, "issues")?;
        let ids = super::issues::filtered(c, &path)?;
        Ok(one(ids.first().map(|id| Object::WorkItem(*id))))
    }),
    field("workItemTypes(name: IssueType): WorkItemTypeConnection", |c| {
        let wanted = c.text("name").map(str::to_lowercase);
        let fits = |of: &&(&str, &str, u64)| wanted.as_ref().is_none_or(|wanted| wanted == of.0);
        Ok(Found::Many(TYPES.iter().filter(fits).map(|of| kind(of.0)).collect()))
    }),
];

/// Where work items are found by their ids.
pub(super) const OF_QUERY: &[Line] = &[field("workItem(id: WorkItemID!): WorkItem", |c| {
    let id = c.gid("id", &["WorkItem", "Issue"])?.unwrap_or_default();
    Ok(one(super::root::readable_issue(c, id).map(Object::WorkItem)))
})];

/// The family of work items.
pub(super) const FAMILY: Family = Family {
    tables: &[object("WorkItem", &[FIELDS])],
    sdl: "
        enum WorkItemState { CLOSED OPEN }
        enum WorkItemSort { CREATED_ASC CREATED_DESC DUE_DATE_ASC DUE_DATE_DESC TITLE_ASC TITLE_DESC UPDATED_ASC UPDATED_DESC created_asc created_desc updated_asc updated_desc }
        type WorkItemType { iconName: String id: WorkItemsTypeID! name: String! }
        type WorkItemPermissions {
            adminParentLink: Boolean! adminWorkItem: Boolean! adminWorkItemLink: Boolean! createNote: Boolean! deleteWorkItem: Boolean!
            markNoteAsInternal: Boolean! moveWorkItem: Boolean! readWorkItem: Boolean! setWorkItemMetadata: Boolean! updateWorkItem: Boolean!
        }
        enum WorkItemWidgetType {
            ASSIGNEES AWARD_EMOJI CRM_CONTACTS CURRENT_USER_TODOS DESCRIPTION DESIGNS DEVELOPMENT EMAIL_PARTICIPANTS ERROR_TRACKING HIERARCHY
            LABELS LINKED_ITEMS LINKED_RESOURCES MILESTONE NOTES NOTIFICATIONS PARTICIPANTS START_AND_DUE_DATE TIME_TRACKING
        }
        interface WorkItemWidget { type: WorkItemWidgetType }
        type WorkItemWidgetAssignees implements WorkItemWidget {
            allowsMultipleAssignees: Boolean assignees: UserCoreConnection canInviteMembers: Boolean! type: WorkItemWidgetType
        }
        type WorkItemWidgetDescription implements WorkItemWidget {
            description: String descriptionHtml: String edited: Boolean! lastEditedAt: Time lastEditedBy: UserCore type: WorkItemWidgetType
        }
        type WorkItemWidgetLabels implements WorkItemWidget { allowsScopedLabels: Boolean labels: LabelConnection type: WorkItemWidgetType }
        type WorkItemWidgetMilestone implements WorkItemWidget { milestone: Milestone type: WorkItemWidgetType }
        type WorkItemWidgetNotes implements WorkItemWidget {
            discussionLocked: Boolean discussions(filter: NotesFilterType = ALL_NOTES): DiscussionConnection type: WorkItemWidgetType
        }
        type WorkItemWidgetStartAndDueDate implements WorkItemWidget {
            dueDate: Date isFixed: Boolean! rollUp: Boolean! startDate: Date type: WorkItemWidgetType
        }
        type WorkItemWidgetAwardEmoji implements WorkItemWidget {
            awardEmoji: AwardEmojiConnection downvotes: Int! type: WorkItemWidgetType upvotes: Int!
        }
        type WorkItemWidgetHierarchy implements WorkItemWidget {
            children: WorkItemConnection hasChildren: Boolean! hasParent: Boolean! parent: WorkItem type: WorkItemWidgetType
        }
    ",
};

fn row(call: &Call<'_>, read: fn(&Issue, &State) -> Found) -> Outcome {
    let Object::WorkItem(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .issues
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state)))
}

fn kind(name: &str) -> Object {
    let known = TYPES.iter().find(|of| of.0 == name);
    let (word, title, id) = known.copied().unwrap_or(("issue", "Issue", 1));
    let data = json!({
        "id": format!("gid://gitlab/WorkItems::Type/{id}"), "name": title, "iconName": format!("work-item-{}", word.replace('_', "-")),
    });
    record("WorkItemType", data).object()
}

fn widgets(call: &Call<'_>) -> Outcome {
    let Object::WorkItem(id) = call.object else {
        return Ok(NOTHING);
    };
    let awards = notes::awards(call)?;
    let threads = notes::discussions(call)?;
    let (only, except) = (call.texts("onlyTypes"), call.texts("exceptTypes"));
    let state = call.state();
    let Some(row) = state.issues.get(*id) else {
        return Ok(NOTHING);
    };
    let noteable = Noteable::Issue(row.id);
    let made = [
        record("WorkItemWidgetAssignees", json!({ "type": "ASSIGNEES", "allowsMultipleAssignees": false, "canInviteMembers": false }))
            .with("assignees", many(row.assignee_ids.iter().copied(), user)),
        record("WorkItemWidgetDescription", json!({
            "type": "DESCRIPTION", "description": row.description, "descriptionHtml": row.description, "edited": false,
            "lastEditedAt": null, "lastEditedBy": null,
        })),
        record("WorkItemWidgetHierarchy", json!({ "type": "HIERARCHY", "hasChildren": false, "hasParent": false, "parent": null }))
            .with("children", Found::Many(Vec::new())),
        record("WorkItemWidgetLabels", json!({ "type": "LABELS", "allowsScopedLabels": false }))
            .with("labels", many(sorted_labels(&state, &row.label_ids), Object::Label)),
        record("WorkItemWidgetMilestone", json!({ "type": "MILESTONE" }))
            .with("milestone", one(row.milestone_id.map(Object::Milestone))),
        record("WorkItemWidgetNotes", json!({ "type": "NOTES", "discussionLocked": row.discussion_locked == Some(true) }))
            .with("discussions", threads),
        record("WorkItemWidgetStartAndDueDate", json!({
            "type": "START_AND_DUE_DATE", "startDate": null, "dueDate": row.due_date.map(|day| day.to_string()), "isFixed": true,
            "rollUp": false,
        })),
        record("WorkItemWidgetAwardEmoji", json!({
            "type": "AWARD_EMOJI", "upvotes": state.award_count(noteable, "thumbsup"), "downvotes": state.award_count(noteable, "thumbsdown"),
        }))
        .with("awardEmoji", awards),
    ];
    let wanted = |object: &Object| {
        let Object::Record(_, fields) = object else {
            return false;
        };
        let Some(Found::Value(serde_json::Value::String(kind))) = fields.get("type") else {
            return false;
        };
        only.as_ref().is_none_or(|only| only.contains(&kind.as_str()))
            && !except.as_ref().is_some_and(|except| except.contains(&kind.as_str()))
    };
    Ok(Found::Many(made.into_iter().map(Record::object).filter(wanted).collect()))
}

/// The types by which the mutations name them.
pub(super) fn type_of(id: u64) -> &'static str {
    TYPES.iter().find(|of| of.2 == id).map_or("issue", |of| of.0)
}
