//! Issues.

use serde_json::{Value, json};

use super::entity::{below, flag, many, numbers, reference, renamed, shown, web_path};
use super::labels::midnight;
use super::merge_request_lists::{order, within};
use super::notes;
use crate::access::{self, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, gid, one, record, time, upper, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::issues::Issue;

/// The filters of a list of issues.
macro_rules! issue_filters {
    () => {
        "iid: String, iids: [String!], state: IssuableState, labelName: [String], authorUsername: String, assigneeUsername: String, assigneeUsernames: [String!], assigneeId: String, milestoneTitle: [String], search: String, confidential: Boolean, types: [IssueType!], createdAfter: Time, createdBefore: Time, updatedAfter: Time, updatedBefore: Time, closedAfter: Time, closedBefore: Time, sort: IssueSort = created_desc"
    };
}

const FIELDS: &[Line] = &[
    field("id: ID!", |c| row(c, |row, _| gid("Issue", row.id))),
    field("iid: ID!", |c| row(c, |row, _| value(row.iid.to_string()))),
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
    field("state: IssueState!", |c| {
        row(c, |row, _| value(row.state()))
    }),
    field("type: IssueType", |c| {
        row(c, |row, _| value(upper(&row.issue_type)))
    }),
    field("confidential: Boolean!", |c| {
        row(c, |row, _| value(row.confidential))
    }),
    field("discussionLocked: Boolean!", |c| {
        row(c, |row, _| value(row.discussion_locked == Some(true)))
    }),
    field("hidden: Boolean", |_| Ok(value(false))),
    field("severity: IssuableSeverity", |c| {
        row(c, |row, _| value(upper(&row.severity)))
    }),
    field("dueDate: Time", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.due_date.map(|day| day.to_string())))
        })
        .map(midnight)
    }),
    field("createdAt: Time!", |c| {
        row(c, |row, _| time(row.created_at))
    }),
    field("updatedAt: Time!", |c| {
        row(c, |row, _| time(row.updated_at))
    }),
    field("closedAt: Time", |c| row(c, |row, _| time(row.closed_at))),
    field("webUrl: String!", |c| shown(c, "/web_url")),
    field("webPath: String!", web_path),
    field("reference(full: Boolean = false): String!", reference),
    field("projectId: Int!", |c| {
        row(c, |row, _| value(row.project_id))
    }),
    field("author: UserCore!", |c| {
        row(c, |row, _| Found::One(user(row.author_id)))
    }),
    field("updatedBy: UserCore", |_| Ok(NOTHING)),
    field("closedAsDuplicateOf: Issue", |c| {
        row(c, |row, _| one(row.duplicate_of.map(Object::Issue))).map(|found| readable(c, found))
    }),
    field("movedTo: Issue", |c| {
        row(c, |row, _| one(row.moved_to_id.map(Object::Issue))).map(|found| readable(c, found))
    }),
    field("moved: Boolean", |c| {
        row(c, |row, _| value(row.moved_to_id.is_some()))
    }),
    field("assignees: UserCoreConnection", |c| {
        row(c, |row, _| many(row.assignee_ids.iter().copied(), user))
    }),
    field("participants: UserCoreConnection", |c| {
        row(c, |row, _| {
            many(
                [row.author_id].into_iter().chain(
                    row.assignee_ids
                        .iter()
                        .copied()
                        .filter(|id| *id != row.author_id),
                ),
                user,
            )
        })
    }),
    field("labels: LabelConnection", |c| {
        row(c, |row, state| {
            many(sorted_labels(state, &row.label_ids), Object::Label)
        })
    }),
    field("milestone: Milestone", |c| {
        row(c, |row, _| one(row.milestone_id.map(Object::Milestone)))
    }),
    field("upvotes: Int!", |c| shown(c, "/upvotes")),
    field("downvotes: Int!", |c| shown(c, "/downvotes")),
    field("mergeRequestsCount: Int!", |c| {
        row(c, |row, state| {
            value(
                state
                    .merge_requests
                    .iter()
                    .filter(|other| other.closes.contains(&row.id))
                    .count(),
            )
        })
    }),
    field("userNotesCount: Int!", |c| shown(c, "/user_notes_count")),
    field("subscribed: Boolean!", |c| flag(c, "/subscribed")),
    field("timeEstimate: Int!", |c| {
        shown(c, "/time_stats/time_estimate")
    }),
    field("totalTimeSpent: Int!", |c| {
        shown(c, "/time_stats/total_time_spent")
    }),
    field("humanTimeEstimate: String", |c| {
        shown(c, "/time_stats/human_time_estimate")
    }),
    field("humanTotalTimeSpent: String", |c| {
        shown(c, "/time_stats/human_total_time_spent")
    }),
    field("taskCompletionStatus: TaskCompletionStatus!", |c| {
        row(c, |row, _| {
            let (tasks, done) =
                crate::markdown::tasks(row.description.as_deref().unwrap_or_default());
            record(
                "TaskCompletionStatus",
                json!({ "count": tasks, "completedCount": done }),
            )
            .found()
        })
    }),
    field("userPermissions: IssuePermissions!", |c| {
        let acting = c.user();
        let Object::Issue(id) = c.object else {
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
            "adminIssue": admin, "createDesign": false, "createNote": acting.is_some(), "destroyDesign": false, "readDesign": false,
            "readIssue": true, "reopenIssue": update, "updateDesign": false, "updateIssue": update,
        });
        Ok(record("IssuePermissions", data).found())
    }),
    field(
        "notes(filter: NotesFilterType = ALL_NOTES): NoteConnection!",
        notes::of_noteable,
    ),
    field("discussions: DiscussionConnection!", notes::discussions),
    field("awardEmoji: AwardEmojiConnection", notes::awards),
    field("relatedMergeRequests: MergeRequestConnection", |c| {
        let path = below(c, "related_merge_requests")?;
        Ok(many(c.rest().ids(&path, &json!({}))?, Object::MergeRequest))
    }),
];

/// The fields of a project or group.
pub(super) const OF_CONTAINER: &[Line] = &[
    field(concat!("issue(", issue_filters!(), "): Issue"), |c| {
        let found = list(c)?;
        Ok(match found {
            Found::Many(mut rows) if !rows.is_empty() => Found::One(rows.swap_remove(0)),
            Found::Many(_) | Found::One(_) | Found::Value(_) => NOTHING,
        })
    }),
    field(
        concat!("issues(", issue_filters!(), "): IssueConnection"),
        list,
    ),
];

/// The family of issues.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Issue", &[FIELDS]).implements(&["NoteableInterface"])],
    sdl: "
        enum IssueState { closed locked opened }
        enum IssuableState { all closed locked opened }
        enum IssueType { EPIC INCIDENT ISSUE KEY_RESULT OBJECTIVE REQUIREMENT TASK TEST_CASE TICKET }
        enum IssuableSeverity { CRITICAL HIGH LOW MEDIUM UNKNOWN }
        enum IssueSort {
            CREATED_ASC CREATED_DESC DUE_DATE_ASC DUE_DATE_DESC TITLE_ASC TITLE_DESC UPDATED_ASC UPDATED_DESC
            created_asc created_desc updated_asc updated_desc
        }
        type IssuePermissions {
            adminIssue: Boolean! createDesign: Boolean! createNote: Boolean! destroyDesign: Boolean! readDesign: Boolean! readIssue: Boolean!
            reopenIssue: Boolean! updateDesign: Boolean! updateIssue: Boolean!
        }
    ",
};

const NAMES: &[(&str, &str)] = &[
    ("iids", "iids"),
    ("labelName", "labels"),
    ("authorUsername", "author_username"),
    ("search", "search"),
    ("myReactionEmoji", "my_reaction_emoji"),
    ("confidential", "confidential"),
    ("createdAfter", "created_after"),
    ("createdBefore", "created_before"),
    ("updatedAfter", "updated_after"),
    ("updatedBefore", "updated_before"),
];

/// Filters that GitLab has, mostly for its paid editions.
const UNSUPPORTED: &[&str] = &[
    "crmContactId",
    "crmOrganizationId",
    "dueAfter",
    "dueBefore",
    "healthStatusFilter",
    "iterationCadenceId",
    "iterationId",
    "iterationWildcardId",
    "parentIds",
    "releaseTag",
    "releaseTagWildcardId",
    "subscribed",
    "weight",
    "weightWildcardId",
];

/// Is an argument given, and no empty list?
fn is_asked(call: &Call<'_>, name: &str) -> bool {
    call.arg(name)
        .is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()))
}

fn row(call: &Call<'_>, read: fn(&Issue, &State) -> Found) -> Outcome {
    let Object::Issue(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .issues
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state)))
}

fn readable(call: &Call<'_>, found: Found) -> Found {
    let Found::One(Object::Issue(id)) = found else {
        return found;
    };
    one(super::root::readable_issue(call, id).map(Object::Issue))
}

/// The labels of something by their names.
pub(super) fn sorted_labels(state: &State, ids: &[u64]) -> Vec<u64> {
    let mut rows: Vec<_> = ids.iter().filter_map(|id| state.labels.get(*id)).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    rows.into_iter().map(|row| row.id).collect()
}

fn list(call: &Call<'_>) -> Outcome {
    let path = below(call, "issues")?;
    let ids = filtered(call, &path)?;
    Ok(many(ids, Object::Issue))
}

/// The ids of the issues that the call's arguments want.
pub(super) fn filtered(call: &Call<'_>, path: &str) -> Result<Vec<u64>, Problem> {
    let mut filter = renamed(call.args, NAMES);
    filter["scope"] = json!("all");
    if let Some(state) = call.text("state") {
        filter["state"] = json!(state);
    }
    if let Some(iid) = call.text("iid") {
        filter["iids"] = json!([iid]);
    }
    if let Some(titles) = call.texts("milestoneTitle") {
        filter["milestone"] = json!(titles.first());
    }
    let names = call.texts("assigneeUsernames").unwrap_or_default();
    let names: Vec<&str> = names
        .into_iter()
        .chain(call.text("assigneeUsername"))
        .collect();
    if !names.is_empty() {
        filter["assignee_username"] = json!(names);
    }
    if let Some(id) = call.text("assigneeId") {
        filter["assignee_id"] = json!(id);
    }
    match call.text("assigneeWildcardId") {
        Some("NONE") => filter["assignee_id"] = json!("None"),
        Some(_any) => filter["assignee_id"] = json!("Any"),
        None => {}
    }
    match call.text("milestoneWildcardId") {
        Some("NONE") => filter["milestone"] = json!("None"),
        Some("ANY") => filter["milestone"] = json!("Any"),
        Some(other) => return Err(Problem::lacking(format!("milestoneWildcardId: {other}"))),
        None => {}
    }
    if let Some(places) = call.texts("in") {
        filter["in"] = json!(places.join(",").to_lowercase());
    }
    if let Some(name) = UNSUPPORTED.iter().find(|name| is_asked(call, name)) {
        return Err(Problem::lacking(format!(
            "argument `{name}` of `{}`",
            call.field
        )));
    }
    order(
        call,
        &mut filter,
        &["created", "updated", "title", "due_date"],
    );
    let wanted = numbers(call.args, "ids", &["WorkItem", "Issue"])?;
    let types = call.texts("types");
    let rows = call.rest().list(path, &filter)?;
    let fits = |row: &&Value| {
        let kind = row["issue_type"].as_str().unwrap_or("issue").to_uppercase();
        types
            .as_ref()
            .is_none_or(|types| types.contains(&kind.as_str()))
            && within(call, "closedAfter", "closedBefore", &row["closed_at"])
            && wanted
                .as_ref()
                .is_none_or(|wanted| row["id"].as_u64().is_some_and(|id| wanted.contains(&id)))
    };
    Ok(rows
        .iter()
        .filter(fits)
        .filter_map(|row| row["id"].as_u64())
        .collect())
}
