//! Work items: issues in their newer form, with widgets.

use serde_json::json;

use super::entity::{below, many, reference, shown, web_path};
use super::work_item_widgets as widgets;
use crate::access::{self, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::issues::Issue;

/// The filters of a list of work items.
macro_rules! work_item_filters {
    () => {
        "ids: [WorkItemID!], iid: String, iids: [String!], state: IssuableState, labelName: [String!], authorUsername: String, assigneeUsernames: [String!], assigneeWildcardId: AssigneeWildcardId, milestoneTitle: [String!], milestoneWildcardId: MilestoneWildcardId, search: String, in: [IssuableSearchableField!], confidential: Boolean, types: [IssueType!], myReactionEmoji: String, createdAfter: Time, createdBefore: Time, updatedAfter: Time, updatedBefore: Time, closedAfter: Time, closedBefore: Time, dueAfter: Time, dueBefore: Time, crmContactId: String, crmOrganizationId: String, healthStatusFilter: HealthStatusFilter, iterationCadenceId: [IterationsCadenceID!], iterationId: [ID], iterationWildcardId: IterationWildcardId, parentIds: [WorkItemID!], releaseTag: [String!], releaseTagWildcardId: ReleaseTagWildcardId, subscribed: SubscriptionStatus, weight: String, weightWildcardId: WeightWildcardId, includeAncestors: Boolean = false, includeDescendants: Boolean, sort: WorkItemSort = CREATED_DESC"
    };
}

/// The types with their ids.
const TYPES: &[(&str, &str, u64)] = &[
    ("issue", "Issue", 1),
    ("incident", "Incident", 2),
    ("test_case", "Test Case", 3),
    ("task", "Task", 5),
];

const FIELDS: &[Line] = &[
    field("id: WorkItemID!", |c| {
        row(c, |row, _| gid("WorkItem", row.id))
    }),
    field("iid: String!", |c| {
        row(c, |row, _| value(row.iid.to_string()))
    }),
    field("title: String!", |c| {
        row(c, |row, _| value(row.title.clone()))
    }),
    field("titleHtml: String", |c| {
        row(c, |row, _| value(row.title.clone()))
    }),
    field("name: String", |c| {
        row(c, |row, _| value(row.title.clone()))
    }),
    field("description: String", |c| {
        row(c, |row, _| Found::Value(json!(row.description)))
    }),
    field("descriptionHtml: String", |c| {
        row(c, |row, _| Found::Value(json!(row.description)))
    }),
    field("state: WorkItemState!", |c| {
        row(c, |row, _| value(if row.open { "OPEN" } else { "CLOSED" }))
    }),
    field("confidential: Boolean!", |c| {
        row(c, |row, _| value(row.confidential))
    }),
    field("archived: Boolean!", |c| {
        row(c, |row, state| {
            value(
                state
                    .projects
                    .get(row.project_id)
                    .is_some_and(|row| row.settings.archived),
            )
        })
    }),
    field("lockVersion: Int!", |_| Ok(value(0))),
    field("author: UserCore", |c| {
        row(c, |row, _| Found::One(user(row.author_id)))
    }),
    field("createdAt: Time!", |c| {
        row(c, |row, _| time(row.created_at))
    }),
    field("updatedAt: Time!", |c| {
        row(c, |row, _| time(row.updated_at))
    }),
    field("closedAt: Time", |c| row(c, |row, _| time(row.closed_at))),
    field("webUrl: String", |c| shown(c, "/web_url")),
    field("webPath: String", web_path),
    field("reference(full: Boolean = false): String!", reference),
    field("userDiscussionsCount: Int!", |c| {
        shown(c, "/user_notes_count")
    }),
    field("project: Project", |c| {
        row(c, |row, _| Found::One(Object::Project(row.project_id)))
    }),
    field("namespace: Namespace", |c| {
        row(c, |row, state| {
            one(state
                .projects
                .get(row.project_id)
                .map(|row| Object::Namespace(row.namespace_id)))
        })
    }),
    field("workItemType: WorkItemType!", |c| {
        row(c, |row, _| Found::One(kind(&row.issue_type)))
    }),
    field("userPermissions: WorkItemPermissions!", |c| {
        let acting = c.user();
        let Object::WorkItem(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let Some(row) = state.issues.get(*id) else {
            return Ok(NOTHING);
        };
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
    field(
        "widgets(onlyTypes: [WorkItemWidgetType!], exceptTypes: [WorkItemWidgetType!]): [WorkItemWidget!]",
        widgets::listed,
    ),
    field("features: WorkItemFeatures", widgets::features),
];

/// The fields of a project, group or namespace.
pub(super) const OF_CONTAINER: &[Line] = &[
    field(
        concat!("workItems(", work_item_filters!(), "): WorkItemConnection"),
        |c| {
            if matches!(c.object, Object::Namespace(id) if c.state().groups.get(*id).is_none()) {
                return Ok(Found::Many(Vec::new()));
            }
            let path = below(c, "issues")?;
            Ok(many(super::issues::filtered(c, &path)?, Object::WorkItem))
        },
    ),
    field("workItem(iid: String!): WorkItem", |c| {
        let path = below(c, "issues")?;
        let ids = super::issues::filtered(c, &path)?;
        Ok(one(ids.first().map(|id| Object::WorkItem(*id))))
    }),
    field(
        "workItemTypes(name: IssueType): WorkItemTypeConnection",
        |c| {
            let wanted = c.text("name").map(str::to_lowercase);
            let fits =
                |of: &&(&str, &str, u64)| wanted.as_ref().is_none_or(|wanted| wanted == of.0);
            Ok(Found::Many(
                TYPES.iter().filter(fits).map(|of| kind(of.0)).collect(),
            ))
        },
    ),
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
        enum AssigneeWildcardId { ANY NONE }
        enum MilestoneWildcardId { ANY NONE STARTED UPCOMING }
        enum IssuableSearchableField { DESCRIPTION TITLE }
        enum HealthStatusFilter { ANY NONE atRisk needsAttention onTrack }
        enum IterationWildcardId { ANY CURRENT NONE }
        enum ReleaseTagWildcardId { ANY NONE }
        enum SubscriptionStatus { EXPLICITLY_SUBSCRIBED EXPLICITLY_UNSUBSCRIBED }
        enum WeightWildcardId { ANY NONE }
        type WorkItemType { iconName: String id: WorkItemsTypeID! name: String! }
        type WorkItemPermissions {
            adminParentLink: Boolean! adminWorkItem: Boolean! adminWorkItemLink: Boolean! createNote: Boolean! deleteWorkItem: Boolean!
            markNoteAsInternal: Boolean! moveWorkItem: Boolean! readWorkItem: Boolean! setWorkItemMetadata: Boolean! updateWorkItem: Boolean!
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

/// The types by which the mutations name them.
pub(super) fn type_of(id: u64) -> &'static str {
    TYPES
        .iter()
        .find(|of| of.2 == id)
        .map_or("issue", |of| of.0)
}
