//! Routes of GitLab that its own description `openapi.yaml` leaves out, by the file of GitLab's source that defines them.

/// Source file in `gitlabhq/gitlabhq`, and its routes with every placeholder blanked.
pub(crate) const ABSENT: &[(&str, &[&str])] = &[
    (
        "lib/api/ci/resource_groups.rb",
        &["GET projects/{}/resource_groups/{}/current_job"],
    ),
    (
        "lib/api/ci/triggers.rb",
        &[
            "POST projects/{}/trigger/pipeline",
            "POST projects/{}/ref/{}/trigger/pipeline",
        ],
    ),
    (
        "lib/api/discussions.rb",
        &[
            "GET projects/{}/issues/{}/discussions",
            "GET projects/{}/issues/{}/discussions/{}",
            "POST projects/{}/issues/{}/discussions",
            "POST projects/{}/issues/{}/discussions/{}/notes",
            "PUT projects/{}/issues/{}/discussions/{}/notes/{}",
            "DELETE projects/{}/issues/{}/discussions/{}/notes/{}",
            "GET projects/{}/merge_requests/{}/discussions",
            "GET projects/{}/merge_requests/{}/discussions/{}",
            "POST projects/{}/merge_requests/{}/discussions",
            "PUT projects/{}/merge_requests/{}/discussions/{}",
            "POST projects/{}/merge_requests/{}/discussions/{}/notes",
            "PUT projects/{}/merge_requests/{}/discussions/{}/notes/{}",
            "DELETE projects/{}/merge_requests/{}/discussions/{}/notes/{}",
        ],
    ),
    (
        "lib/api/issues.rb",
        &[
            "POST projects/{}/issues",
            "PUT projects/{}/issues/{}",
            "POST projects/{}/issues/{}/move",
            "DELETE projects/{}/issues/{}",
            "GET projects/{}/issues",
            "GET groups/{}/issues",
            "GET issues",
            "GET issues/{}",
            "GET projects/{}/issues/{}",
            "GET projects/{}/issues/{}/related_merge_requests",
            "GET projects/{}/issues/{}/closed_by",
            "GET projects/{}/issues/{}/participants",
            "GET projects/{}/issues/{}/user_agent_detail",
            "GET issues_statistics",
            "GET groups/{}/issues_statistics",
            "GET projects/{}/issues_statistics",
        ],
    ),
    (
        "lib/api/labels.rb",
        &[
            "GET projects/{}/labels",
            "GET projects/{}/labels/{}",
            "POST projects/{}/labels",
            "PUT projects/{}/labels/{}",
            "PUT projects/{}/labels",
            "DELETE projects/{}/labels/{}",
            "DELETE projects/{}/labels",
        ],
    ),
    (
        "lib/api/notes.rb",
        &[
            "GET projects/{}/issues/{}/notes",
            "GET projects/{}/issues/{}/notes/{}",
            "POST projects/{}/issues/{}/notes",
            "PUT projects/{}/issues/{}/notes/{}",
            "DELETE projects/{}/issues/{}/notes/{}",
            "GET projects/{}/merge_requests/{}/notes",
            "GET projects/{}/merge_requests/{}/notes/{}",
            "POST projects/{}/merge_requests/{}/notes",
            "PUT projects/{}/merge_requests/{}/notes/{}",
            "DELETE projects/{}/merge_requests/{}/notes/{}",
        ],
    ),
    (
        "lib/api/project_milestones.rb",
        &[
            "GET projects/{}/milestones",
            "GET projects/{}/milestones/{}",
            "POST projects/{}/milestones",
            "PUT projects/{}/milestones/{}",
            "DELETE projects/{}/milestones/{}",
            "GET projects/{}/milestones/{}/issues",
            "GET projects/{}/milestones/{}/merge_requests",
        ],
    ),
    (
        "lib/api/releases.rb",
        &[
            "GET projects/{}/releases/permalink/latest",
            "GET projects/{}/releases/permalink/latest/{}",
            "GET projects/{}/releases/{}/downloads/{}",
        ],
    ),
    (
        "lib/api/resource_label_events.rb",
        &[
            "GET projects/{}/issues/{}/resource_label_events",
            "GET projects/{}/issues/{}/resource_label_events/{}",
            "GET projects/{}/merge_requests/{}/resource_label_events",
            "GET projects/{}/merge_requests/{}/resource_label_events/{}",
        ],
    ),
    (
        "lib/api/resource_state_events.rb",
        &[
            "GET projects/{}/issues/{}/resource_state_events",
            "GET projects/{}/issues/{}/resource_state_events/{}",
            "GET projects/{}/merge_requests/{}/resource_state_events",
            "GET projects/{}/merge_requests/{}/resource_state_events/{}",
        ],
    ),
    (
        "lib/api/subscriptions.rb",
        &[
            "POST projects/{}/issues/{}/subscribe",
            "POST projects/{}/issues/{}/unsubscribe",
            "POST projects/{}/merge_requests/{}/subscribe",
            "POST projects/{}/merge_requests/{}/unsubscribe",
        ],
    ),
    (
        "lib/api/time_tracking_endpoints.rb",
        &[
            "POST projects/{}/issues/{}/time_estimate",
            "POST projects/{}/issues/{}/reset_time_estimate",
            "POST projects/{}/issues/{}/add_spent_time",
            "POST projects/{}/issues/{}/reset_spent_time",
            "GET projects/{}/issues/{}/time_stats",
        ],
    ),
    (
        "lib/api/todos.rb",
        &[
            "POST projects/{}/issues/{}/todo",
            "POST projects/{}/merge_requests/{}/todo",
            "GET todos",
            "POST todos/{}/mark_as_done",
            "POST todos/mark_as_done",
        ],
    ),
    ("lib/api/users.rb", &["GET user"]),
];
