//! Mutations of releases and environments.

use serde_json::{Value, json};

use super::changes::{finished, id, input, made, params, payload, project, text};
use super::entity::{encoded, path};
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, Problem};
use crate::graphql::schema::{Family, Line, field};

/// The mutations.
pub(super) const LINES: &[Line] = &[
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
