//! Mutations of what belongs to a project: settings, job token scope, branches, commits, releases and environments.

use std::rc::Rc;

use serde_json::{Value, json};

use super::changes::{finished, id, input, made, params, payload, project, text};
use super::ci::{settings, token_scope};
use super::entity::{encoded, path};
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
    field(
        "releaseCreate(input: ReleaseCreateInput!): ReleaseCreatePayload",
        |c| {
            let id = project(c, "projectPath")?;
            let mut params = params(
                c,
                &[
                    ("tagName", "tag_name"),
                    ("tagMessage", "tag_message"),
                    ("ref", "ref"),
                    ("name", "name"),
                    ("description", "description"),
                    ("milestones", "milestones"),
                    ("releasedAt", "released_at"),
                ],
            );
            if let Some(links) = input(c)
                .get("assets")
                .and_then(|assets| assets["links"].as_array())
            {
                let link = |link: &Value| {
                    json!({
                        "name": link["name"], "url": link["url"], "direct_asset_path": link["directAssetPath"],
                        "link_type": link["linkType"].as_str().unwrap_or("OTHER").to_lowercase(),
                    })
                };
                params["assets"] = json!({ "links": links.iter().map(link).collect::<Vec<_>>() });
            }
            let done = c
                .rest()
                .call("POST", &format!("projects/{id}/releases"), params);
            released(c, "ReleaseCreatePayload", id, done)
        },
    ),
    field(
        "releaseUpdate(input: ReleaseUpdateInput!): ReleaseUpdatePayload",
        |c| {
            let id = project(c, "projectPath")?;
            let params = params(
                c,
                &[
                    ("name", "name"),
                    ("description", "description"),
                    ("milestones", "milestones"),
                    ("releasedAt", "released_at"),
                ],
            );
            let done = c.rest().call(
                "PUT",
                &format!("projects/{id}/releases/{}", encoded(text(c, "tagName"))),
                params,
            );
            released(c, "ReleaseUpdatePayload", id, done)
        },
    ),
    field(
        "releaseDelete(input: ReleaseDeleteInput!): ReleaseDeletePayload",
        |c| {
            let id = project(c, "projectPath")?;
            let done = c.rest().call(
                "DELETE",
                &format!("projects/{id}/releases/{}", encoded(text(c, "tagName"))),
                json!({}),
            );
            payload(c, "ReleaseDeletePayload", done, |_| {
                vec![("release", NOTHING)]
            })
        },
    ),
    field(
        "environmentCreate(input: EnvironmentCreateInput!): EnvironmentCreatePayload",
        |c| {
            let id = project(c, "projectPath")?;
            let done = c.rest().call(
                "POST",
                &format!("projects/{id}/environments"),
                environment_params(c),
            );
            payload(c, "EnvironmentCreatePayload", done, |row| {
                vec![("environment", made(row, Object::Environment))]
            })
        },
    ),
    field(
        "environmentUpdate(input: EnvironmentUpdateInput!): EnvironmentUpdatePayload",
        |c| {
            environment(
                c,
                "EnvironmentUpdatePayload",
                "PUT",
                "",
                environment_params(c),
            )
        },
    ),
    field(
        "environmentStop(input: EnvironmentStopInput!): EnvironmentStopPayload",
        |c| {
            environment(
                c,
                "EnvironmentStopPayload",
                "POST",
                "/stop",
                params(c, &[("force", "force")]),
            )
        },
    ),
    field(
        "environmentDelete(input: EnvironmentDeleteInput!): EnvironmentDeletePayload",
        |c| environment(c, "EnvironmentDeletePayload", "DELETE", "", json!({})),
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
        enum ReleaseAssetLinkType { IMAGE OTHER PACKAGE RUNBOOK }
        input ReleaseAssetLinkInput { directAssetPath: String linkType: ReleaseAssetLinkType = OTHER name: String! url: String! }
        input ReleaseAssetsInput { links: [ReleaseAssetLinkInput!] }
        input ReleaseCreateInput {
            assets: ReleaseAssetsInput clientMutationId: String description: String milestones: [String!] name: String projectPath: ID!
            ref: String releasedAt: Time tagMessage: String tagName: String!
        }
        type ReleaseCreatePayload { clientMutationId: String errors: [String!]! release: Release }
        input ReleaseUpdateInput {
            clientMutationId: String description: String milestones: [String!] name: String projectPath: ID! releasedAt: Time tagName: String!
        }
        type ReleaseUpdatePayload { clientMutationId: String errors: [String!]! release: Release }
        input ReleaseDeleteInput { clientMutationId: String projectPath: ID! tagName: String! }
        type ReleaseDeletePayload { clientMutationId: String errors: [String!]! release: Release }
        enum DeploymentTier { DEVELOPMENT OTHER PRODUCTION STAGING TESTING }
        input EnvironmentCreateInput {
            clientMutationId: String description: String externalUrl: String name: String! projectPath: ID! tier: DeploymentTier
        }
        type EnvironmentCreatePayload { clientMutationId: String environment: Environment errors: [String!]! }
        input EnvironmentUpdateInput {
            clientMutationId: String description: String externalUrl: String id: EnvironmentID! tier: DeploymentTier
        }
        type EnvironmentUpdatePayload { clientMutationId: String environment: Environment errors: [String!]! }
        input EnvironmentStopInput { clientMutationId: String force: Boolean id: EnvironmentID! }
        type EnvironmentStopPayload { clientMutationId: String environment: Environment errors: [String!]! }
        input EnvironmentDeleteInput { clientMutationId: String id: EnvironmentID! }
        type EnvironmentDeletePayload { clientMutationId: String errors: [String!]! }
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

fn released(
    call: &Call<'_>,
    name: &'static str,
    project: u64,
    done: Result<Value, crate::errors::ApiError>,
) -> Outcome {
    let id = call
        .state()
        .release_of_tag(project, text(call, "tagName"))
        .map(|row| row.id);
    payload(call, name, done, |row| {
        let id = id.filter(|_| row.is_some());
        vec![(
            "release",
            id.map_or(NOTHING, |id| Found::One(Object::Release(id))),
        )]
    })
}

fn environment_params(call: &Call<'_>) -> Value {
    let mut made = params(
        call,
        &[
            ("name", "name"),
            ("externalUrl", "external_url"),
            ("description", "description"),
        ],
    );
    if let Some(tier) = input(call).get("tier").and_then(Value::as_str) {
        made["tier"] = json!(tier.to_lowercase());
    }
    made
}

fn environment(
    call: &Call<'_>,
    name: &'static str,
    method: &str,
    tail: &str,
    params: Value,
) -> Outcome {
    let object = Object::Environment(id(call, "id", &["Environment"])?);
    let address = path(&call.state(), &object).ok_or_else(Problem::no_access)?;
    let done = call
        .rest()
        .call(method, &format!("{address}{tail}"), params);
    if name == "EnvironmentDeletePayload" {
        return match done {
            Err(error) if error.status == 403 => {
                let errors = ["You must stop the environment before deleting it.".to_owned()];
                Ok(finished(call, name, &errors, Vec::new()))
            }
            done => payload(call, name, done, |_| Vec::new()),
        };
    }
    payload(call, name, done, |_| {
        vec![("environment", Found::One(object.clone()))]
    })
}
