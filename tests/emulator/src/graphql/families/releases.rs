//! Releases, environments and deployments.

use serde_json::{Value, json};

use super::entity::{below, entity, instant, many, shown, word};
use super::projects::own_access;
use crate::access::Role;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time_of, upper, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};

/// The fields of a project.
pub(super) const OF_PROJECT: &[Line] = &[
    field("release(tagName: String!): Release", |c| {
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let found = state.release_of_tag(*id, c.text("tagName").unwrap_or_default());
        Ok(one(found.map(|row| Object::Release(row.id))))
    }),
    field(
        "releases(sort: ReleaseSort = RELEASED_AT_DESC): ReleaseConnection",
        |c| {
            let Object::Project(id) = c.object else {
                return Ok(NOTHING);
            };
            let state = c.state();
            let mut rows: Vec<_> = state.releases_of(*id).collect();
            let sort = c.text("sort").unwrap_or_default();
            if sort.starts_with("CREATED") {
                rows.sort_by_key(|row| (row.created_at, row.id));
            } else {
                rows.sort_by_key(|row| (row.released_at, row.id));
            }
            if sort.ends_with("DESC") {
                rows.reverse();
            }
            Ok(many(rows.iter().map(|row| row.id), Object::Release))
        },
    ),
    field(
        "environment(name: String, search: String, states: [String!]): Environment",
        |c| {
            let found = environments(c)?;
            Ok(match found {
                Found::Many(mut rows) if !rows.is_empty() => Found::One(rows.swap_remove(0)),
                Found::Many(_) | Found::One(_) | Found::Value(_) => NOTHING,
            })
        },
    ),
    field(
        "environments(name: String, search: String, states: [String!]): EnvironmentConnection",
        environments,
    ),
];

const RELEASE: &[Line] = &[
    field("id: ReleaseID!", |c| {
        let Object::Release(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(gid("Release", *id))
    }),
    field("name: String", |c| shown(c, "/name")),
    field("tagName: String", |c| shown(c, "/tag_name")),
    field("tagPath: String", |c| shown(c, "/tag_path")),
    field("description: String", |c| shown(c, "/description")),
    field("descriptionHtml: String", |c| shown(c, "/description")),
    field("createdAt: Time", |c| instant(c, "/created_at")),
    field("releasedAt: Time", |c| instant(c, "/released_at")),
    field("upcomingRelease: Boolean", |c| {
        shown(c, "/upcoming_release")
    }),
    field("historicalRelease: Boolean", |_| Ok(value(false))),
    field("author: UserCore", |c| {
        let Object::Release(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(one(c
            .state()
            .releases
            .get(*id)
            .map(|row| user(row.author_id))))
    }),
    field("commit: Commit @gitaly", |c| {
        let Object::Release(id) = c.object else {
            return Ok(NOTHING);
        };
        let place = c
            .state()
            .releases
            .get(*id)
            .map(|row| (row.project_id, row.sha.clone()));
        match place {
            Some((project, sha)) => super::repository::commit(c, project, &sha),
            None => Ok(NOTHING),
        }
    }),
    field("milestones: MilestoneConnection", |c| {
        let Object::Release(id) = c.object else {
            return Ok(NOTHING);
        };
        let ids = c
            .state()
            .releases
            .get(*id)
            .map(|row| row.milestone_ids.clone());
        Ok(many(ids.unwrap_or_default(), Object::Milestone))
    }),
    field("evidences: ReleaseEvidenceConnection", |_| {
        Ok(Found::Many(Vec::new()))
    }),
    field("links: ReleaseLinks", |c| {
        let entity = entity(c)?;
        let links = &entity["_links"];
        let data = json!({
            "selfUrl": links["self"], "editUrl": links["edit_url"], "closedIssuesUrl": links["closed_issues_url"],
            "closedMergeRequestsUrl": links["closed_merge_requests_url"], "mergedMergeRequestsUrl": links["merged_merge_requests_url"],
            "openedIssuesUrl": links["opened_issues_url"], "openedMergeRequestsUrl": links["opened_merge_requests_url"],
        });
        Ok(record("ReleaseLinks", data).found())
    }),
    field("assets: ReleaseAssets", |c| {
        let entity = entity(c)?;
        let rows = |name: &str| {
            entity["assets"][name]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let links = rows("links").into_iter().map(|row| {
            let url = row["direct_asset_url"].as_str().unwrap_or_default();
            let data = json!({
                "id": format!("gid://gitlab/Releases::Link/{}", row["id"]), "name": row["name"], "url": row["url"],
                "linkType": upper(row["link_type"].as_str().unwrap_or("other")), "directAssetUrl": url,
                "directAssetPath": url.strip_prefix(c.url()),
            });
            record("ReleaseAssetLink", data).object()
        });
        let sources = rows("sources")
            .into_iter()
            .map(|row| record("ReleaseSource", row).object());
        Ok(record(
            "ReleaseAssets",
            json!({ "count": entity["assets"]["count"] }),
        )
        .with("links", Found::Many(links.collect()))
        .with("sources", Found::Many(sources.collect()))
        .found())
    }),
];

const ENVIRONMENT: &[Line] = &[
    field("id: ID!", |c| {
        let Object::Environment(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(gid("Environment", *id))
    }),
    field("name: String!", |c| shown(c, "/name")),
    field("slug: String", |c| shown(c, "/slug")),
    field("description: String", |c| shown(c, "/description")),
    field("descriptionHtml: String", |c| shown(c, "/description")),
    field("state: String!", |c| shown(c, "/state")),
    field("tier: DeploymentTier", |c| word(c, "/tier")),
    field("externalUrl: String", |c| shown(c, "/external_url")),
    field("environmentType: String", |c| {
        let entity = entity(c)?;
        let folder = entity["name"]
            .as_str()
            .and_then(|name| name.split_once('/'))
            .map(|(folder, _)| folder.to_owned());
        Ok(Found::Value(json!(folder)))
    }),
    field("autoStopAt: Time", |c| instant(c, "/auto_stop_at")),
    field("autoDeleteAt: Time", |_| Ok(NOTHING)),
    field("createdAt: Time", |c| instant(c, "/created_at")),
    field("updatedAt: Time", |c| instant(c, "/updated_at")),
    field("path: String", |c| {
        let Object::Environment(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let project = state
            .environments
            .get(*id)
            .map(|row| row.project_id)
            .unwrap_or_default();
        Ok(value(format!(
            "{}/-/environments/{id}",
            state.project_url("", project)
        )))
    }),
    field("project: Project", |c| {
        let Object::Environment(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(one(c
            .state()
            .environments
            .get(*id)
            .map(|row| Object::Project(row.project_id))))
    }),
    field(
        "lastDeployment(status: DeploymentStatus!): Deployment",
        |c| {
            let rows = deployments_of(c)?;
            let status = c.text("status").unwrap_or_default().to_lowercase();
            let found = rows.iter().find(|row| row["status"] == status.as_str());
            Ok(one(found.map(deployment)))
        },
    ),
    field(
        "deployments(statuses: [DeploymentStatus!]): DeploymentConnection",
        |c| {
            let statuses = c.texts("statuses");
            let rows = deployments_of(c)?;
            let fits = |row: &&Value| {
                let own = upper(row["status"].as_str().unwrap_or_default());
                statuses
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&own.as_str()))
            };
            Ok(Found::Many(
                rows.iter().filter(fits).map(deployment).collect(),
            ))
        },
    ),
];

/// The family of releases and environments.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Release", &[RELEASE]), object("Environment", &[ENVIRONMENT])],
    sdl: "
        enum ReleaseSort { CREATED_ASC CREATED_DESC RELEASED_AT_ASC RELEASED_AT_DESC }
        type ReleaseEvidence { collectedAt: Time filepath: String id: ID! sha: String }
        type ReleaseLinks {
            closedIssuesUrl: String closedMergeRequestsUrl: String editUrl: String mergedMergeRequestsUrl: String openedIssuesUrl: String
            openedMergeRequestsUrl: String selfUrl: String
        }
        type ReleaseAssets { count: Int links: ReleaseAssetLinkConnection sources: ReleaseSourceConnection }
        type ReleaseAssetLink {
            directAssetPath: String directAssetUrl: String id: ID! linkType: ReleaseAssetLinkType name: String url: String
        }
        type ReleaseSource { format: String url: String }
        enum DeploymentStatus { BLOCKED CANCELED CREATED FAILED RUNNING SKIPPED SUCCESS }
        type Deployment {
            createdAt: Time finishedAt: Time id: ID! iid: ID job: CiJob ref: String sha: String status: DeploymentStatus tag: Boolean
            triggerer: UserCore updatedAt: Time
        }
    ",
};

fn environments(call: &Call<'_>) -> Outcome {
    if !own_access(call).at_least(Role::Reporter) {
        return Ok(Found::Many(Vec::new()));
    }
    let path = below(call, "environments")?;
    let mut filter = super::entity::renamed(call.args, &[("name", "name"), ("search", "search")]);
    if let Some(states) = call.texts("states") {
        filter["states"] = json!(states.first());
    }
    Ok(many(call.rest().ids(&path, &filter)?, Object::Environment))
}

fn deployments_of(call: &Call<'_>) -> Result<Vec<Value>, crate::graphql::objects::Problem> {
    let Object::Environment(id) = call.object else {
        return Ok(Vec::new());
    };
    let place = call
        .state()
        .environments
        .get(*id)
        .map(|row| (row.project_id, row.name.clone()));
    let Some((project, name)) = place else {
        return Ok(Vec::new());
    };
    let filter = json!({ "environment": name, "order_by": "id", "sort": "desc" });
    call.rest()
        .list(&format!("projects/{project}/deployments"), &filter)
}

fn deployment(row: &Value) -> Object {
    let data = json!({
        "id": format!("gid://gitlab/Deployment/{}", row["id"]), "iid": row["iid"].to_string(), "ref": row["ref"], "sha": row["sha"],
        "status": upper(row["status"].as_str().unwrap_or_default()), "tag": row["deployable"]["tag"].as_bool().unwrap_or(false),
    });
    let id = |value: &Value| value["id"].as_u64();
    record("Deployment", data)
        .with("createdAt", time_of(&row["created_at"]))
        .with("updatedAt", time_of(&row["updated_at"]))
        .with("finishedAt", time_of(&row["deployable"]["finished_at"]))
        .with("job", one(id(&row["deployable"]).map(Object::Job)))
        .with("triggerer", one(id(&row["user"]).map(user)))
        .object()
}
