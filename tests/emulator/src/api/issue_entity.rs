//! An issue as the API writes it.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::markdown;
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::notes::Noteable;
use crate::time_tracking;

use super::{label_entity, milestones, users};

/// The form of lists and of single issues.
pub(crate) fn entity(ctx: &Ctx<'_>, state: &State, issue: &Issue) -> Value {
    let url = ctx.url();
    let noteable = Noteable::Issue(issue.id);
    let user = |id: u64| users::basic_by_id(state, id, url);
    let assignees: Vec<Value> = issue.assignee_ids.iter().map(|id| user(*id)).collect();
    let page = state.project_url(url, issue.project_id);
    let path = page.trim_start_matches(url).trim_start_matches('/');
    let own = format!("{url}/api/v4/projects/{}", issue.project_id);
    let description = issue.description.as_deref().unwrap_or_default();
    let (tasks, done) = markdown::tasks(description);
    let notes = state.notes_on(noteable).filter(|note| !note.system).count();
    let closing = state.merge_requests.iter();
    let closing = closing.filter(|row| row.closes.contains(&issue.id)).count();
    let duplicate = issue.duplicate_of.and_then(|id| state.issues.get(id));
    let duplicate = duplicate.map(|other| {
        let (project, iid) = (other.project_id, other.iid);
        format!("{url}/api/v4/projects/{project}/issues/{iid}")
    });
    json!({
        "id": issue.id,
        "iid": issue.iid,
        "project_id": issue.project_id,
        "title": issue.title,
        "description": issue.description,
        "state": issue.state(),
        "created_at": clock::iso(issue.created_at),
        "updated_at": clock::iso(issue.updated_at),
        "closed_at": issue.closed_at.map(clock::iso),
        "closed_by": issue.closed_by.map(user),
        "labels": label_list(ctx, state, &issue.label_ids),
        "milestone": milestones::entity_by_id(ctx, state, issue.milestone_id),
        "assignee": assignees.first(),
        "assignees": assignees,
        "author": user(issue.author_id),
        "type": issue.issue_type.to_uppercase(),
        "user_notes_count": notes,
        "merge_requests_count": closing,
        "upvotes": state.award_count(noteable, "thumbsup"),
        "downvotes": state.award_count(noteable, "thumbsdown"),
        "due_date": issue.due_date.map(|day| day.to_string()),
        "confidential": issue.confidential,
        "discussion_locked": issue.discussion_locked,
        "issue_type": issue.issue_type,
        "web_url": format!("{page}/-/issues/{}", issue.iid),
        "time_stats": time_tracking::stats(state, noteable),
        "task_completion_status": { "count": tasks, "completed_count": done },
        "has_tasks": tasks > 0,
        "task_status": format!("{done} of {tasks} checklist items completed"),
        "_links": {
            "self": format!("{own}/issues/{}", issue.iid),
            "notes": format!("{own}/issues/{}/notes", issue.iid),
            "award_emoji": format!("{own}/issues/{}/award_emoji", issue.iid),
            "project": own,
            "closed_as_duplicate_of": duplicate,
        },
        "references": {
            "short": format!("#{}", issue.iid),
            "relative": format!("#{}", issue.iid),
            "full": format!("{path}#{}", issue.iid),
        },
        "severity": issue.severity.to_uppercase(),
        "moved_to_id": issue.moved_to_id,
        "imported": false,
        "imported_from": "none",
        "service_desk_reply_to": Value::Null,
    })
}

/// Names of labels, or more if the request asks for details.
pub(super) fn label_list(ctx: &Ctx<'_>, state: &State, ids: &[u64]) -> Value {
    if ctx.boolean("with_labels_details") != Some(true) {
        return json!(state.label_names(ids));
    }
    let mut found: Vec<_> = ids.iter().filter_map(|id| state.labels.get(*id)).collect();
    found.sort_by_key(|label| &label.name);
    found.into_iter().map(label_entity::basic).collect()
}
