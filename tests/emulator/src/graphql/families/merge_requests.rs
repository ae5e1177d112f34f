//! Merge requests.

use serde_json::json;

use super::entity::{entity, flag, many, reference, shown, web_path, word};
use super::notes;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, one, record, time, upper, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

const OWN: &[Line] = &[
    field("id: ID!", |c| {
        row(c, |row, _| {
            value(format!("gid://gitlab/MergeRequest/{}", row.id))
        })
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
    field("state: MergeRequestState!", |c| {
        row(c, |row, _| value(row.state.as_str()))
    }),
    field("draft: Boolean!", |c| {
        row(c, |row, _| value(row.is_draft()))
    }),
    field("sourceBranch: String!", |c| {
        row(c, |row, _| value(row.source_branch.clone()))
    }),
    field("targetBranch: String!", |c| {
        row(c, |row, _| value(row.target_branch.clone()))
    }),
    field("diffHeadSha: String", |c| {
        row(c, |row, _| value(row.sha.clone()))
    }),
    field("mergeCommitSha: String", |c| {
        row(c, |row, _| Found::Value(json!(row.merge_commit_sha)))
    }),
    field("mergeError: String", |c| {
        row(c, |row, _| Found::Value(json!(row.merge_error)))
    }),
    field("rebaseInProgress: Boolean!", |c| {
        row(c, |row, _| value(row.rebase_in_progress))
    }),
    field("mergeOngoing: Boolean!", |c| {
        row(c, |row, _| value(row.state.as_str() == "locked"))
    }),
    field("squash: Boolean!", |c| row(c, |row, _| value(row.squash))),
    field("squashOnMerge: Boolean!", |c| flag(c, "/squash_on_merge")),
    field("allowCollaboration: Boolean", |c| {
        row(c, |row, _| value(row.allow_collaboration))
    }),
    field("discussionLocked: Boolean!", |c| {
        row(c, |row, _| value(row.discussion_locked == Some(true)))
    }),
    field("shouldRemoveSourceBranch: Boolean", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.should_remove_source_branch))
        })
    }),
    field("forceRemoveSourceBranch: Boolean", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.force_remove_source_branch))
        })
    }),
    field("createdAt: Time!", |c| {
        row(c, |row, _| time(row.created_at))
    }),
    field("updatedAt: Time!", |c| {
        row(c, |row, _| time(row.updated_at))
    }),
    field("mergedAt: Time", |c| row(c, |row, _| time(row.merged_at))),
    field("closedAt: Time", |c| row(c, |row, _| time(row.closed_at))),
    field("preparedAt: Time", |c| {
        row(c, |row, _| time(row.prepared_at))
    }),
    field("mergeAfter: Time", |c| {
        row(c, |row, _| time(row.merge_after))
    }),
    field("webUrl: String", |c| shown(c, "/web_url")),
    field("webPath: String!", web_path),
    field("reference(full: Boolean = false): String!", reference),
    field("projectId: Int!", |c| {
        row(c, |row, _| value(row.project_id))
    }),
    field("targetProjectId: Int!", |c| {
        row(c, |row, _| value(row.project_id))
    }),
    field("sourceProjectId: Int", |c| {
        row(c, |row, _| value(row.source_project_id))
    }),
    field("project: Project!", |c| {
        row(c, |row, _| Found::One(Object::Project(row.project_id)))
    }),
    field("targetProject: Project!", |c| {
        row(c, |row, _| Found::One(Object::Project(row.project_id)))
    }),
    field("sourceProject: Project", |c| {
        row(c, |row, _| {
            Found::One(Object::Project(row.source_project_id))
        })
    }),
    field("author: MergeRequestAuthor", |c| {
        row(c, |row, _| {
            Found::One(Object::User(row.author_id, Some(row.id)))
        })
    }),
    field("assignees: MergeRequestAssigneeConnection", |c| {
        row(c, |row, _| people(row, &row.assignee_ids))
    }),
    field("reviewers: MergeRequestReviewerConnection", |c| {
        row(c, |row, _| people(row, &row.reviewer_ids))
    }),
    field("participants: MergeRequestParticipantConnection", |c| {
        row(c, |row, state| {
            let mut ids = vec![row.author_id];
            let notes = state.notes_on(Noteable::MergeRequest(row.id));
            let writers = notes
                .filter(|note| !note.system && !note.internal)
                .map(|note| note.author_id);
            for id in row.assignee_ids.iter().copied().chain(writers) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            people(row, &ids)
        })
    }),
    field("mergeUser: UserCore", |c| {
        row(c, |row, _| {
            let waiting = row.auto_merge.as_ref().map(|waiting| waiting.user_id);
            one(row.merged_by.or(waiting).map(user))
        })
    }),
    field("approvedBy: UserCoreConnection", |c| {
        row(c, |row, _| {
            many(row.approvals.iter().map(|(id, _)| *id), user)
        })
    }),
    field("approved: Boolean!", |c| {
        row(c, |row, _| value(!row.approvals.is_empty()))
    }),
    field("labels: LabelConnection", |c| {
        row(c, |row, state| {
            many(
                super::issues::sorted_labels(state, &row.label_ids),
                Object::Label,
            )
        })
    }),
    field("milestone: Milestone", |c| {
        row(c, |row, _| one(row.milestone_id.map(Object::Milestone)))
    }),
];

const STANDING: &[Line] = &[
    field("detailedMergeStatus: DetailedMergeStatus", |c| {
        word(c, "/detailed_merge_status")
    }),
    field("mergeStatus: String @deprecated", |c| {
        shown(c, "/merge_status")
    }),
    field("mergeStatusEnum: MergeStatus", |c| {
        word(c, "/merge_status").map(plain_status)
    }),
    field("conflicts: Boolean!", |c| flag(c, "/has_conflicts")),
    field("mergeable: Boolean!", |c| {
        let entity = entity(c)?;
        Ok(value(entity["detailed_merge_status"] == "mergeable"))
    }),
    field("shouldBeRebased: Boolean! @gitaly", |c| {
        let must = row(c, |row, state| {
            let project = state.projects.get(row.project_id);
            value(project.is_some_and(|project| project.settings.merge_method != "merge"))
        })?;
        match (must, diverged(c)?) {
            (Found::Value(must), Found::Value(behind)) => {
                Ok(value(must == json!(true) && behind == json!(true)))
            }
            (Found::Value(_) | Found::One(_) | Found::Many(_), _) => Ok(NOTHING),
        }
    }),
    field("divergedFromTargetBranch: Boolean! @gitaly", diverged),
    field("mergeableDiscussionsState: Boolean", |c| {
        flag(c, "/blocking_discussions_resolved")
    }),
    field("autoMergeEnabled: Boolean!", |c| {
        row(c, |row, _| value(row.auto_merge.is_some()))
    }),
    field("mergeWhenPipelineSucceeds: Boolean", |c| {
        row(c, |row, _| value(row.auto_merge.is_some()))
    }),
    field("autoMergeStrategy: String", |c| {
        row(c, |row, _| {
            Found::Value(json!(
                row.auto_merge.as_ref().map(|_| "merge_when_checks_pass")
            ))
        })
    }),
    field("availableAutoMergeStrategies: [String!]", |_| {
        Ok(Found::Value(json!(["merge_when_checks_pass"])))
    }),
    field("sourceBranchExists: Boolean! @gitaly", |c| {
        branch(c, |row| (row.source_project_id, row.source_branch.clone()))
    }),
    field("targetBranchExists: Boolean! @gitaly", |c| {
        branch(c, |row| (row.project_id, row.target_branch.clone()))
    }),
    field("sourceBranchProtected: Boolean! @gitaly", |c| {
        row(c, |row, state| {
            value(state.is_protected_branch(row.source_project_id, &row.source_branch))
        })
    }),
    field("subscribed: Boolean!", |c| flag(c, "/subscribed")),
    field("upvotes: Int!", |c| shown(c, "/upvotes")),
    field("downvotes: Int!", |c| shown(c, "/downvotes")),
    field("userNotesCount: Int", |c| shown(c, "/user_notes_count")),
    field("userDiscussionsCount: Int", |c| {
        row(c, |row, state| {
            let notes = state
                .notes_on(Noteable::MergeRequest(row.id))
                .filter(|note| !note.system);
            let threads: std::collections::BTreeSet<&str> =
                notes.map(|note| note.discussion_id.as_str()).collect();
            value(threads.len())
        })
    }),
    field("resolvableDiscussionsCount: Int", |c| {
        row(c, |row, state| value(notes::threads(state, row.id, false)))
    }),
    field("resolvedDiscussionsCount: Int", |c| {
        row(c, |row, state| value(notes::threads(state, row.id, true)))
    }),
    field("taskCompletionStatus: TaskCompletionStatus!", |c| {
        let entity = entity(c)?;
        let tasks = &entity["task_completion_status"];
        let data = json!({ "count": tasks["count"], "completedCount": tasks["completed_count"] });
        Ok(record("TaskCompletionStatus", data).found())
    }),
    field("timeEstimate: Int!", |c| {
        shown(c, "/time_stats/time_estimate")
    }),
    field("totalTimeSpent: Int!", |c| {
        shown(c, "/time_stats/total_time_spent")
    }),
];

/// The family of merge requests.
pub(super) const FAMILY: Family = Family {
    tables: &[object("MergeRequest", &[OWN, STANDING, super::merge_request_content::LINES]).implements(&["NoteableInterface"])],
    sdl: "
        enum MergeStatus { CANNOT_BE_MERGED CANNOT_BE_MERGED_RECHECK CAN_BE_MERGED CHECKING UNCHECKED }
        enum DetailedMergeStatus {
            APPROVALS_SYNCING BLOCKED_STATUS CHECKING CI_MUST_PASS CI_STILL_RUNNING COMMITS_STATUS CONFLICT DISCUSSIONS_NOT_RESOLVED
            DRAFT_STATUS EXTERNAL_STATUS_CHECKS JIRA_ASSOCIATION LOCKED_LFS_FILES LOCKED_PATHS MERGEABLE MERGE_TIME NEED_REBASE
            NOT_APPROVED NOT_OPEN PREPARING REQUESTED_CHANGES SECURITY_POLICIES_VIOLATIONS TITLE_NOT_MATCHING UNCHECKED
        }
        type TaskCompletionStatus { completedCount: Int! count: Int! }
    ",
};

/// Reads the row of the call's merge request.
/// Whether the target has commits that the source lacks: asked now, whatever the last look at mergeability found.
fn diverged(call: &Call<'_>) -> Outcome {
    let Some(address) = super::entity::path(&call.state(), call.object) else {
        return Ok(NOTHING);
    };
    let asked = json!({ "include_diverged_commits_count": true });
    let found = call.rest().call("GET", &address, asked);
    let found = found.map_err(|error| crate::graphql::internal::refusal(&error))?;
    Ok(value(found["diverged_commits_count"].as_u64() > Some(0)))
}

pub(super) fn row(call: &Call<'_>, read: fn(&MergeRequest, &State) -> Found) -> Outcome {
    let Object::MergeRequest(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .merge_requests
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state)))
}

fn people(row: &MergeRequest, ids: &[u64]) -> Found {
    Found::Many(
        ids.iter()
            .map(|id| Object::User(*id, Some(row.id)))
            .collect(),
    )
}

/// The old status knows fewer words.
fn plain_status(found: Found) -> Found {
    found.on_text(|word| value(upper(word)))
}

fn branch(call: &Call<'_>, of: fn(&MergeRequest) -> (u64, String)) -> Outcome {
    let Object::MergeRequest(id) = call.object else {
        return Ok(NOTHING);
    };
    let place = call.state().merge_requests.get(*id).map(of);
    let there = place.is_some_and(|(project, branch)| {
        let repository = call.world.shared.repository(project);
        repository
            .resolve(&format!("refs/heads/{branch}"))
            .is_ok_and(|found| found.is_some())
    });
    Ok(value(there))
}
