//! The widgets of work items, as a list and as features by their names.

use serde_json::{Value, json};

use super::entity::many;
use super::issues::sorted_labels;
use super::notes;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, Record, one, record, user,
};
use crate::graphql::schema::Family;
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::notes::Noteable;

/// The family of widgets.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum WorkItemWidgetType {
            ASSIGNEES AWARD_EMOJI COLOR CRM_CONTACTS CURRENT_USER_TODOS DESCRIPTION DESIGNS DEVELOPMENT EMAIL_PARTICIPANTS ERROR_TRACKING
            HEALTH_STATUS HIERARCHY ITERATION LABELS LINKED_ITEMS LINKED_RESOURCES MILESTONE NOTES NOTIFICATIONS PARTICIPANTS
            START_AND_DUE_DATE STATUS TIME_TRACKING WEIGHT
        }
        interface WorkItemWidget { type: WorkItemWidgetType }
        type WorkItemWidgetAssignees implements WorkItemWidget {
            allowsMultipleAssignees: Boolean assignees: UserCoreConnection canInviteMembers: Boolean! type: WorkItemWidgetType
        }
        type WorkItemWidgetAwardEmoji implements WorkItemWidget {
            awardEmoji: AwardEmojiConnection downvotes: Int! type: WorkItemWidgetType upvotes: Int!
        }
        type WorkItemWidgetColor implements WorkItemWidget { color: String textColor: String type: WorkItemWidgetType }
        type WorkItemWidgetDescription implements WorkItemWidget {
            description: String descriptionHtml: String edited: Boolean! lastEditedAt: Time lastEditedBy: UserCore type: WorkItemWidgetType
        }
        enum HealthStatus { atRisk needsAttention onTrack }
        type WorkItemWidgetHealthStatus implements WorkItemWidget { healthStatus: HealthStatus type: WorkItemWidgetType }
        type WorkItemWidgetHierarchy implements WorkItemWidget {
            children: WorkItemConnection hasChildren: Boolean! hasParent: Boolean! parent: WorkItem type: WorkItemWidgetType
        }
        type Iteration { id: ID! title: String }
        type WorkItemWidgetIteration implements WorkItemWidget { iteration: Iteration type: WorkItemWidgetType }
        type WorkItemWidgetLabels implements WorkItemWidget { allowsScopedLabels: Boolean labels: LabelConnection type: WorkItemWidgetType }
        type LinkedWorkItemType { linkCreatedAt: Time linkId: WorkItemsRelatedWorkItemLinkID linkType: String workItem: WorkItem }
        type WorkItemWidgetLinkedItems implements WorkItemWidget {
            blocked: Boolean blockedByCount: Int blockingCount: Int linkedItems: LinkedWorkItemTypeConnection type: WorkItemWidgetType
        }
        type WorkItemWidgetMilestone implements WorkItemWidget { milestone: Milestone type: WorkItemWidgetType }
        type WorkItemWidgetNotes implements WorkItemWidget {
            discussionLocked: Boolean discussions(filter: NotesFilterType = ALL_NOTES): DiscussionConnection type: WorkItemWidgetType
        }
        type WorkItemWidgetStartAndDueDate implements WorkItemWidget {
            dueDate: Date isFixed: Boolean! rollUp: Boolean! startDate: Date type: WorkItemWidgetType
        }
        type WorkItemStatus { color: String id: WorkItemsStatusesStatusID name: String }
        type WorkItemWidgetStatus implements WorkItemWidget { status: WorkItemStatus type: WorkItemWidgetType }
        type WorkItemWidgetTimeTracking implements WorkItemWidget {
            humanReadableAttributes: WorkItemWidgetTimeTrackingHumanReadableAttributes timeEstimate: Int totalTimeSpent: Int
            type: WorkItemWidgetType
        }
        type WorkItemWidgetTimeTrackingHumanReadableAttributes { timeEstimate: String totalTimeSpent: String }
        type WorkItemWidgetWeight implements WorkItemWidget { type: WorkItemWidgetType weight: Int }
        type WorkItemFeatures {
            assignees: WorkItemWidgetAssignees awardEmoji: WorkItemWidgetAwardEmoji color: WorkItemWidgetColor
            description: WorkItemWidgetDescription healthStatus: WorkItemWidgetHealthStatus hierarchy: WorkItemWidgetHierarchy
            iteration: WorkItemWidgetIteration labels: WorkItemWidgetLabels linkedItems: WorkItemWidgetLinkedItems
            milestone: WorkItemWidgetMilestone notes: WorkItemWidgetNotes startAndDueDate: WorkItemWidgetStartAndDueDate
            status: WorkItemWidgetStatus timeTracking: WorkItemWidgetTimeTracking weight: WorkItemWidgetWeight
        }
    ",
};

/// The widgets of the free edition: their types, their names among the features, and what they hold.
fn all(call: &Call<'_>) -> Result<Vec<(&'static str, &'static str, Record)>, Problem> {
    let Object::WorkItem(id) = call.object else {
        return Ok(Vec::new());
    };
    let awards = notes::awards(call)?;
    let threads = notes::discussions(call)?;
    let entity = super::entity::entity(call)?;
    let times = &entity["time_stats"];
    let acting = call.user();
    let state = call.state();
    let Some(row) = state.issues.get(*id) else {
        return Ok(Vec::new());
    };
    let noteable = Noteable::Issue(row.id);
    let human = json!({ "timeEstimate": times["human_time_estimate"], "totalTimeSpent": times["human_total_time_spent"] });
    Ok(vec![
        (
            "ASSIGNEES",
            "assignees",
            record("WorkItemWidgetAssignees", json!({ "allowsMultipleAssignees": false, "canInviteMembers": false }))
                .with("assignees", many(row.assignee_ids.iter().copied(), user)),
        ),
        (
            "DESCRIPTION",
            "description",
            record("WorkItemWidgetDescription", json!({
                "description": row.description, "descriptionHtml": row.description, "edited": false, "lastEditedAt": null,
                "lastEditedBy": null,
            })),
        ),
        (
            "HIERARCHY",
            "hierarchy",
            record("WorkItemWidgetHierarchy", json!({ "hasChildren": false, "hasParent": false, "parent": null }))
                .with("children", Found::Many(Vec::new())),
        ),
        (
            "LABELS",
            "labels",
            record("WorkItemWidgetLabels", json!({ "allowsScopedLabels": false }))
                .with("labels", many(sorted_labels(&state, &row.label_ids), Object::Label)),
        ),
        (
            "LINKED_ITEMS",
            "linkedItems",
            record("WorkItemWidgetLinkedItems", json!({ "blocked": false, "blockedByCount": 0, "blockingCount": 0 }))
                .with("linkedItems", links(&state, row, acting)),
        ),
        (
            "MILESTONE",
            "milestone",
            record("WorkItemWidgetMilestone", json!({}))
                .with("milestone", one(row.milestone_id.map(Object::Milestone))),
        ),
        (
            "NOTES",
            "notes",
            record("WorkItemWidgetNotes", json!({ "discussionLocked": row.discussion_locked == Some(true) }))
                .with("discussions", threads),
        ),
        (
            "START_AND_DUE_DATE",
            "startAndDueDate",
            record("WorkItemWidgetStartAndDueDate", json!({
                "startDate": null, "dueDate": row.due_date.map(|day| day.to_string()), "isFixed": true, "rollUp": false,
            })),
        ),
        (
            "TIME_TRACKING",
            "timeTracking",
            record("WorkItemWidgetTimeTracking", json!({
                "timeEstimate": times["time_estimate"], "totalTimeSpent": times["total_time_spent"],
            }))
            .with(
                "humanReadableAttributes",
                record("WorkItemWidgetTimeTrackingHumanReadableAttributes", human).found(),
            ),
        ),
        (
            "AWARD_EMOJI",
            "awardEmoji",
            record("WorkItemWidgetAwardEmoji", json!({
                "upvotes": state.award_count(noteable, "thumbsup"), "downvotes": state.award_count(noteable, "thumbsdown"),
            }))
            .with("awardEmoji", awards),
        ),
    ])
}

fn links(state: &State, row: &Issue, acting: Option<u64>) -> Found {
    let other = |source: u64, target: u64| match row.id {
        id if id == source => Some(target),
        id if id == target => Some(source),
        _unrelated => None,
    };
    let made = state.issue_links.iter().filter_map(|link| {
        let other = other(link.source, link.target)?;
        crate::issuables::may_read(state, acting, Noteable::Issue(other)).then_some(())?;
        let data = json!({
            "linkId": format!("gid://gitlab/WorkItems::RelatedWorkItemLink/{}", link.id), "linkType": "relates_to",
        });
        let made = record("LinkedWorkItemType", data)
            .with("linkCreatedAt", crate::graphql::objects::time(link.created_at))
            .with("workItem", Found::One(Object::WorkItem(other)));
        Some(made.object())
    });
    Found::Many(made.collect())
}

/// The widgets as a list.
pub(super) fn listed(call: &Call<'_>) -> Outcome {
    let (only, except) = (call.texts("onlyTypes"), call.texts("exceptTypes"));
    let wanted = |kind: &str| {
        only.as_ref().is_none_or(|only| only.contains(&kind))
            && !except.as_ref().is_some_and(|except| except.contains(&kind))
    };
    let shown = all(call)?.into_iter().filter(|(kind, ..)| wanted(kind));
    let typed = shown.map(|(kind, _, made)| made.with("type", Found::Value(json!(kind))).object());
    Ok(Found::Many(typed.collect()))
}

/// The widgets by their names; those of the paid editions are not there.
pub(super) fn features(call: &Call<'_>) -> Outcome {
    let paid = ["color", "healthStatus", "iteration", "status", "weight"];
    let mut made = record("WorkItemFeatures", Value::Null);
    for name in paid {
        made = made.with(name, NOTHING);
    }
    for (kind, name, widget) in all(call)? {
        made = made.with(name, widget.with("type", Found::Value(json!(kind))).found());
    }
    Ok(made.found())
}
