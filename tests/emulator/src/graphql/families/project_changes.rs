//! Mutations of what belongs to a project: settings, job token scope, branches, commits, releases and environments.

use std::rc::Rc;

use serde_json::{Value, json};

use super::changes::{input, params, payload, project, text};
use super::ci::{settings, token_scope};
use crate::graphql::internal::refusal;
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, Problem, record};
use crate::graphql::schema::{Family, Line, field};

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "projectCiCdSettingsUpdate(input: ProjectCiCdSettingsUpdateInput!): ProjectCiCdSettingsUpdatePayload",
        |c| {
            let id = project(c, "fullPath")?;
            let mut params = params(
                c,
                &[
                    ("groupRunnersEnabled", "group_runners_enabled"),
                    ("jobTokenScopeEnabled", "ci_job_token_scope_enabled"),
                    ("keepLatestArtifact", "keep_latest_artifact"),
                    (
                        "pipelineVariablesMinimumOverrideRole",
                        "ci_pipeline_variables_minimum_override_role",
                    ),
                    (
                        "pushRepositoryForJobTokenAllowed",
                        "ci_push_repository_for_job_token_allowed",
                    ),
                ],
            );
            if let Some(mode) = input(c)
                .get("resourceGroupDefaultProcessMode")
                .and_then(Value::as_str)
            {
                params["resource_group_default_process_mode"] = json!(mode.to_lowercase());
            }
            let scope = input(c).get("inboundJobTokenScopeEnabled").cloned();
            let mut done = c.rest().call("PUT", &format!("projects/{id}"), params);
            if let (Ok(_), Some(scope)) = (&done, scope) {
                done = c.rest().call(
                    "PATCH",
                    &format!("projects/{id}/job_token_scope"),
                    json!({ "enabled": scope }),
                );
            }
            let shown = settings(&c.rest(), id)?;
            payload(c, "ProjectCiCdSettingsUpdatePayload", done, |_| {
                vec![("ciCdSettings", shown)]
            })
        },
    ),
    field(
        "ciJobTokenScopeAddProject(input: CiJobTokenScopeAddProjectInput!): CiJobTokenScopeAddProjectPayload",
        |c| {
            let (id, target) = (project(c, "projectPath")?, project(c, "targetProjectPath")?);
            let done = c.rest().call(
                "POST",
                &format!("projects/{id}/job_token_scope/allowlist"),
                json!({ "target_project_id": target }),
            );
            scoped(c, "CiJobTokenScopeAddProjectPayload", id, done)
        },
    ),
    field(
        "ciJobTokenScopeRemoveProject(input: CiJobTokenScopeRemoveProjectInput!): CiJobTokenScopeRemoveProjectPayload",
        |c| {
            let (id, target) = (project(c, "projectPath")?, project(c, "targetProjectPath")?);
            let done = c.rest().call(
                "DELETE",
                &format!("projects/{id}/job_token_scope/allowlist/{target}"),
                json!({}),
            );
            scoped(c, "CiJobTokenScopeRemoveProjectPayload", id, done)
        },
    ),
    field(
        "ciJobTokenScopeAddGroupOrProject(input: CiJobTokenScopeAddGroupOrProjectInput!): CiJobTokenScopeAddGroupOrProjectPayload",
        |c| {
            let id = project(c, "projectPath")?;
            let done = match group(c, "targetPath") {
                Some(group) => c.rest().call(
                    "POST",
                    &format!("projects/{id}/job_token_scope/groups_allowlist"),
                    json!({ "target_group_id": group }),
                ),
                None => {
                    let target = project(c, "targetPath")?;
                    c.rest().call(
                        "POST",
                        &format!("projects/{id}/job_token_scope/allowlist"),
                        json!({ "target_project_id": target }),
                    )
                }
            };
            scoped(c, "CiJobTokenScopeAddGroupOrProjectPayload", id, done)
        },
    ),
    field(
        "ciJobTokenScopeRemoveGroup(input: CiJobTokenScopeRemoveGroupInput!): CiJobTokenScopeRemoveGroupPayload",
        |c| {
            let id = project(c, "projectPath")?;
            let target = group(c, "targetGroupPath").ok_or_else(Problem::no_access)?;
            let done = c.rest().call(
                "DELETE",
                &format!("projects/{id}/job_token_scope/groups_allowlist/{target}"),
                json!({}),
            );
            scoped(c, "CiJobTokenScopeRemoveGroupPayload", id, done)
        },
    ),
    field(
        "createBranch(input: CreateBranchInput!): CreateBranchPayload",
        |c| {
            let id = project(c, "projectPath")?;
            let done = c.rest().call(
                "POST",
                &format!("projects/{id}/repository/branches"),
                json!({ "branch": text(c, "name"), "ref": text(c, "ref") }),
            );
            let branch = match &done {
                Ok(row) => {
                    let commit = Object::Commit(id, Rc::new(row["commit"].clone()));
                    record("Branch", json!({ "name": row["name"] }))
                        .with("commit", Found::One(commit))
                        .found()
                }
                Err(_) => NOTHING,
            };
            payload(c, "CreateBranchPayload", done, |_| vec![("branch", branch)])
        },
    ),
    field(
        "commitCreate(input: CommitCreateInput!): CommitCreatePayload",
        commit,
    ),
];

/// The family of these mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        input ProjectCiCdSettingsUpdateInput {
            clientMutationId: String fullPath: ID! groupRunnersEnabled: Boolean inboundJobTokenScopeEnabled: Boolean
            jobTokenScopeEnabled: Boolean keepLatestArtifact: Boolean pipelineVariablesMinimumOverrideRole: String
            pushRepositoryForJobTokenAllowed: Boolean resourceGroupDefaultProcessMode: ResourceGroupsProcessMode
        }
        type ProjectCiCdSettingsUpdatePayload { ciCdSettings: ProjectCiCdSetting! clientMutationId: String errors: [String!]! }
        enum CiJobTokenScopeDirection { INBOUND OUTBOUND }
        input CiJobTokenScopeAddProjectInput {
            clientMutationId: String direction: CiJobTokenScopeDirection projectPath: ID! targetProjectPath: ID!
        }
        type CiJobTokenScopeAddProjectPayload { ciJobTokenScope: CiJobTokenScopeType clientMutationId: String errors: [String!]! }
        input CiJobTokenScopeRemoveProjectInput {
            clientMutationId: String direction: CiJobTokenScopeDirection projectPath: ID! targetProjectPath: ID!
        }
        type CiJobTokenScopeRemoveProjectPayload { ciJobTokenScope: CiJobTokenScopeType clientMutationId: String errors: [String!]! }
        input CiJobTokenScopeAddGroupOrProjectInput { clientMutationId: String projectPath: ID! targetPath: ID! }
        type CiJobTokenScopeAddGroupOrProjectPayload { ciJobTokenScope: CiJobTokenScopeType clientMutationId: String errors: [String!]! }
        input CiJobTokenScopeRemoveGroupInput { clientMutationId: String projectPath: ID! targetGroupPath: ID! }
        type CiJobTokenScopeRemoveGroupPayload { ciJobTokenScope: CiJobTokenScopeType clientMutationId: String errors: [String!]! }
        type Branch { commit: Commit name: String! }
        input CreateBranchInput { clientMutationId: String name: String! projectPath: ID! ref: String! }
        type CreateBranchPayload { branch: Branch clientMutationId: String errors: [String!]! }
        enum CommitActionMode { CHMOD CREATE DELETE MOVE UPDATE }
        enum CommitEncoding { BASE64 TEXT }
        input CommitAction {
            action: CommitActionMode! content: String encoding: CommitEncoding executeFilemode: Boolean filePath: String!
            lastCommitId: String previousPath: String
        }
        input CommitCreateInput {
            actions: [CommitAction!]! branch: String! clientMutationId: String message: String! projectPath: ID! startBranch: String
        }
        type CommitCreatePayload {
            clientMutationId: String commit: Commit commitPipelinePath: String content: [String!] errors: [String!]!
        }
    ",
};

fn group(call: &Call<'_>, name: &str) -> Option<u64> {
    let state = call.state();
    let wanted = text(call, name);
    let row = state.groups.iter().find(|row| {
        state.namespace_path(row.id).eq_ignore_ascii_case(wanted)
            && crate::access::in_group(&state, call.user(), row.id).can_read
    });
    row.map(|row| row.id)
}

/// The payload with the job token scope as it is now.
fn scoped(
    call: &Call<'_>,
    name: &'static str,
    project: u64,
    done: Result<Value, crate::errors::ApiError>,
) -> Outcome {
    if let Err(error) = &done
        && error.status == 403
    {
        return Err(refusal(error));
    }
    let scope = token_scope(call, project)?;
    payload(call, name, done, |_| vec![("ciJobTokenScope", scope)])
}

fn commit(call: &Call<'_>) -> Outcome {
    let id = project(call, "projectPath")?;
    let rows = input(call)
        .get("actions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let one = |row: &Value| {
        let mut action = json!({});
        for (from, to) in [
            ("filePath", "file_path"),
            ("previousPath", "previous_path"),
            ("content", "content"),
            ("lastCommitId", "last_commit_id"),
            ("executeFilemode", "execute_filemode"),
        ] {
            if !row[from].is_null() {
                action[to] = row[from].clone();
            }
        }
        for name in ["action", "encoding"] {
            if let Some(word) = row[name].as_str() {
                action[name] = json!(word.to_lowercase());
            }
        }
        action
    };
    let mut params = params(
        call,
        &[
            ("branch", "branch"),
            ("message", "commit_message"),
            ("startBranch", "start_branch"),
        ],
    );
    params["actions"] = rows.iter().map(one).collect();
    let done = call
        .rest()
        .call("POST", &format!("projects/{id}/repository/commits"), params);
    let content: Vec<Value> = rows
        .iter()
        .map(|row| row["content"].clone())
        .filter(Value::is_string)
        .collect();
    payload(call, "CommitCreatePayload", done, |row| {
        let commit = row.map(|row| Object::Commit(id, Rc::new(row.clone())));
        vec![
            ("commit", commit.map_or(NOTHING, Found::One)),
            ("commitPipelinePath", NOTHING),
            ("content", Found::Value(json!(content))),
        ]
    })
}
