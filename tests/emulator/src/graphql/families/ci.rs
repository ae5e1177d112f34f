//! What pipelines are made with: CI/CD variables, settings, the job token scope, schedules and the catalog.

use serde_json::{Value, json};

use super::entity::{below, instant, many, shown};
use super::pipeline_lists::sees_jobs;
use super::projects::own_access;
use crate::access::Role;
use crate::graphql::internal::Rest;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, gid, one, record, upper, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};

/// The fields of a project.
pub(super) const OF_PROJECT: &[Line] = &[
    field(
        "ciVariables(sort: CiVariableSort): CiProjectVariableConnection",
        |c| {
            let path = below(c, "variables")?;
            let rows = c.rest().list(&path, &json!({}))?;
            Ok(Found::Many(rows.iter().enumerate().map(variable).collect()))
        },
    ),
    field("ciCdSettings: ProjectCiCdSetting", |c| {
        if !own_access(c).at_least(Role::Maintainer) {
            return Ok(NOTHING);
        }
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        settings(&c.rest(), *id)
    }),
    field("ciJobTokenScope: CiJobTokenScopeType", |c| {
        if !own_access(c).at_least(Role::Maintainer) {
            return Ok(NOTHING);
        }
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        token_scope(c, *id)
    }),
    field(
        "pipelineSchedules(ids: [ID!] = null, status: PipelineScheduleStatus, sort: PipelineScheduleSort = ID_DESC): PipelineScheduleConnection",
        |c| {
            let Object::Project(id) = c.object else {
                return Ok(NOTHING);
            };
            if !sees_jobs(c, *id) {
                return Ok(Found::Many(Vec::new()));
            }
            let ids = super::entity::numbers(c.args, "ids", &["Ci::PipelineSchedule"])?;
            let status = c.text("status");
            let ascending = c.text("sort") == Some("ID_ASC");
            let state = c.state();
            let rows = state.schedules.iter().filter(|row| {
                row.project_id == *id
                    && ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
                    && status.is_none_or(|status| (status == "ACTIVE") == row.active)
            });
            let mut found: Vec<u64> = rows.map(|row| row.id).collect();
            if !ascending {
                found.reverse();
            }
            Ok(many(found, Object::Schedule))
        },
    ),
    field(
        "pipelineScheduleStatusCounts: PipelineScheduleStatusCount",
        |c| {
            let Object::Project(id) = c.object else {
                return Ok(NOTHING);
            };
            let state = c.state();
            let rows: Vec<bool> = state
                .schedules
                .iter()
                .filter(|row| row.project_id == *id)
                .map(|row| row.active)
                .collect();
            let active = rows.iter().filter(|active| **active).count();
            let data =
                json!({ "active": active, "inactive": rows.len() - active, "total": rows.len() });
            Ok(record("PipelineScheduleStatusCount", data).found())
        },
    ),
];

const SCHEDULE: &[Line] = &[
    field("id: ID!", |c| {
        let Object::Schedule(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(gid("Ci::PipelineSchedule", *id))
    }),
    field("description: String", |c| shown(c, "/description")),
    field("active: Boolean!", |c| shown(c, "/active")),
    field("cron: String!", |c| shown(c, "/cron")),
    field("cronTimezone: String!", |c| shown(c, "/cron_timezone")),
    field("ref: String", |c| shown(c, "/ref")),
    field("refForDisplay: String", |c| {
        shown(c, "/ref").map(|found| {
            found.on_text(|name| {
                let short = name
                    .trim_start_matches("refs/heads/")
                    .trim_start_matches("refs/tags/");
                value(short)
            })
        })
    }),
    field("forTag: Boolean!", |c| {
        let entity = super::entity::entity(c)?;
        let name = entity["ref"].as_str().unwrap_or_default();
        Ok(value(name.starts_with("refs/tags/")))
    }),
    field("nextRunAt: Time", |c| instant(c, "/next_run_at")),
    field("realNextRun: Time", |c| instant(c, "/next_run_at")),
    field("createdAt: Time!", |c| instant(c, "/created_at")),
    field("updatedAt: Time!", |c| instant(c, "/updated_at")),
    field("owner: UserCore", |c| {
        let Object::Schedule(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(one(c
            .state()
            .schedules
            .get(*id)
            .map(|row| user(row.owner_id))))
    }),
    field("project: Project", |c| {
        let Object::Schedule(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(one(c
            .state()
            .schedules
            .get(*id)
            .map(|row| Object::Project(row.project_id))))
    }),
    field("lastPipeline: Pipeline", |c| {
        let Object::Schedule(id) = c.object else {
            return Ok(NOTHING);
        };
        let last = c
            .state()
            .schedules
            .get(*id)
            .and_then(|row| row.last_pipeline_id);
        Ok(one(last.map(Object::Pipeline)))
    }),
    field("variables: PipelineScheduleVariableConnection", |c| {
        let entity = super::entity::entity(c)?;
        let rows = entity["variables"].as_array().cloned().unwrap_or_default();
        let made = rows.iter().enumerate().map(|(at, row)| {
            let data = json!({
                "id": format!("gid://gitlab/Ci::PipelineScheduleVariable/{}", at + 1), "key": row["key"], "value": row["value"],
                "raw": row["raw"].as_bool().unwrap_or(false), "variableType": upper(row["variable_type"].as_str().unwrap_or("env_var")),
            });
            record("PipelineScheduleVariable", data).object()
        });
        Ok(Found::Many(made.collect()))
    }),
    field("userPermissions: PipelineSchedulePermissions!", |c| {
        let Object::Schedule(id) = c.object else {
            return Ok(NOTHING);
        };
        let acting = c.user();
        let state = c.state();
        let Some(row) = state.schedules.get(*id) else {
            return Ok(NOTHING);
        };
        let own = crate::access::in_project(&state, acting, row.project_id);
        let owner = acting == Some(row.owner_id);
        let admin = own.at_least(Role::Maintainer);
        let data = json!({
            "adminPipelineSchedule": admin || owner, "playPipelineSchedule": own.at_least(Role::Developer),
            "takeOwnershipPipelineSchedule": admin && !owner, "updatePipelineSchedule": owner,
        });
        Ok(record("PipelineSchedulePermissions", data).found())
    }),
];

/// The fields of the root.
pub(super) const OF_QUERY: &[Line] = &[
    field(
        "ciCatalogResources(scope: CiCatalogResourceScope = ALL, search: String, sort: CiCatalogResourceSort): CiCatalogResourceConnection",
        |_| Ok(Found::Many(Vec::new())),
    ),
    field(
        "ciCatalogResource(fullPath: ID, id: CiCatalogResourceID): CiCatalogResource",
        |_| Ok(NOTHING),
    ),
];

/// The family of CI/CD settings.
pub(super) const FAMILY: Family = Family {
    tables: &[object("PipelineSchedule", &[SCHEDULE])],
    sdl: "
        enum CiVariableSort { KEY_ASC KEY_DESC }
        enum CiVariableType { ENV_VAR FILE }
        type CiProjectVariable {
            description: String environmentScope: String hidden: Boolean id: ID! key: String masked: Boolean protected: Boolean raw: Boolean
            value: String variableType: CiVariableType
        }
        enum ResourceGroupsProcessMode { NEWEST_FIRST NEWEST_READY_FIRST OLDEST_FIRST UNORDERED }
        type ProjectCiCdSetting {
            groupRunnersEnabled: Boolean inboundJobTokenScopeEnabled: Boolean jobTokenScopeEnabled: Boolean keepLatestArtifact: Boolean
            mergePipelinesEnabled: Boolean mergeTrainsEnabled: Boolean pipelineVariablesMinimumOverrideRole: String! project: Project
            pushRepositoryForJobTokenAllowed: Boolean resourceGroupDefaultProcessMode: ResourceGroupsProcessMode
        }
        type CiJobTokenAccessibleProject { avatarUrl: String fullPath: ID! id: ID! name: String! path: String! webUrl: String }
        type CiJobTokenAccessibleGroup { avatarUrl: String fullPath: ID! id: ID! name: String! path: String! webUrl: String }
        type CiJobTokenScopeType {
            groupsAllowlist: CiJobTokenAccessibleGroupConnection! groupsAllowlistCount: Int!
            inboundAllowlist: CiJobTokenAccessibleProjectConnection! inboundAllowlistCount: Int!
        }
        enum PipelineScheduleStatus { ACTIVE INACTIVE }
        enum PipelineScheduleSort { ID_ASC ID_DESC }
        type PipelineScheduleStatusCount { active: Int! inactive: Int! total: Int! }
        type PipelineScheduleVariable { id: ID! key: String raw: Boolean value: String variableType: CiVariableType }
        type PipelineSchedulePermissions {
            adminPipelineSchedule: Boolean! playPipelineSchedule: Boolean! takeOwnershipPipelineSchedule: Boolean! updatePipelineSchedule: Boolean!
        }
        enum CiCatalogResourceScope { ALL NAMESPACES }
        enum CiCatalogResourceSort { CREATED_ASC CREATED_DESC LATEST_RELEASED_AT_ASC LATEST_RELEASED_AT_DESC NAME_ASC NAME_DESC STAR_COUNT_ASC STAR_COUNT_DESC }
        type CiCatalogResource {
            archived: Boolean description: String fullPath: ID icon: String id: ID! latestReleasedAt: Time name: String starCount: Int!
            topics: [String!] webPath: String
        }
    ",
};

fn variable((at, row): (usize, &Value)) -> Object {
    let data = json!({
        "id": format!("gid://gitlab/Ci::Variable/{}", row["id"].as_u64().unwrap_or(at as u64 + 1)), "key": row["key"],
        "value": row["value"], "description": row["description"], "environmentScope": row["environment_scope"],
        "hidden": row["hidden"], "masked": row["masked"], "protected": row["protected"], "raw": row["raw"],
        "variableType": upper(row["variable_type"].as_str().unwrap_or("env_var")),
    });
    record("CiProjectVariable", data).object()
}

/// The CI/CD settings of a project.
pub(super) fn settings(rest: &Rest<'_>, project: u64) -> Outcome {
    let entity = rest.show(&format!("projects/{project}"))?;
    let scope = rest.show(&format!("projects/{project}/job_token_scope"))?;
    let mode = entity["resource_group_default_process_mode"].as_str();
    let data = json!({
        "groupRunnersEnabled": entity["group_runners_enabled"],
        "inboundJobTokenScopeEnabled": scope["inbound_enabled"],
        "jobTokenScopeEnabled": scope["outbound_enabled"],
        "keepLatestArtifact": entity["keep_latest_artifact"],
        "mergePipelinesEnabled": false,
        "mergeTrainsEnabled": false,
        "pipelineVariablesMinimumOverrideRole": entity["ci_pipeline_variables_minimum_override_role"],
        "pushRepositoryForJobTokenAllowed": entity["ci_push_repository_for_job_token_allowed"],
        "resourceGroupDefaultProcessMode": mode.map(upper),
    });
    Ok(record("ProjectCiCdSetting", data)
        .with("project", Found::One(Object::Project(project)))
        .found())
}

/// The job token scope of a project.
pub(super) fn token_scope(call: &Call<'_>, project: u64) -> Result<Found, Problem> {
    let base = format!("projects/{project}/job_token_scope");
    let projects = call.rest().list(&format!("{base}/allowlist"), &json!({}))?;
    let groups = call
        .rest()
        .list(&format!("{base}/groups_allowlist"), &json!({}))?;
    let state = call.state();
    let accessible = |name: &'static str, class: &str, path: String, row: &Value| {
        let data = json!({
            "id": format!("gid://gitlab/{class}/{}", row["id"]), "name": row["name"], "path": path.rsplit('/').next(),
            "fullPath": path, "webUrl": row["web_url"], "avatarUrl": null,
        });
        record(name, data).object()
    };
    let listed = projects.iter().map(|row| {
        let path = row["path_with_namespace"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        accessible("CiJobTokenAccessibleProject", "Project", path, row)
    });
    let listed: Vec<Object> = listed.collect();
    let listed_groups = groups.iter().map(|row| {
        let path = state.namespace_path(row["id"].as_u64().unwrap_or_default());
        accessible("CiJobTokenAccessibleGroup", "Group", path, row)
    });
    let listed_groups: Vec<Object> = listed_groups.collect();
    let data = json!({ "inboundAllowlistCount": listed.len(), "groupsAllowlistCount": listed_groups.len() });
    Ok(record("CiJobTokenScopeType", data)
        .with("inboundAllowlist", Found::Many(listed))
        .with("groupsAllowlist", Found::Many(listed_groups))
        .found())
}
