//! Runners.

use serde_json::{Value, json};

use super::entity::{below, flag, instant, shown, word};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time_of, upper, value,
};
use crate::graphql::schema::{Family, Line, field, object};

const RUNNER: &[Line] = &[
    field("id: CiRunnerID!", |c| {
        let Object::Runner(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(gid("Ci::Runner", *id))
    }),
    field("description: String", |c| shown(c, "/description")),
    field("runnerType: CiRunnerType!", |c| word(c, "/runner_type")),
    field("status: CiRunnerStatus!", |c| {
        let found = word(c, "/status")?;
        Ok(found.on_text(|status| value(if status == "PAUSED" { "ONLINE" } else { status })))
    }),
    field("jobExecutionStatus: CiRunnerJobExecutionStatus", |c| {
        word(c, "/job_execution_status")
    }),
    field("paused: Boolean!", |c| flag(c, "/paused")),
    field("active: Boolean! @deprecated", |c| flag(c, "/active")),
    field("locked: Boolean", |c| flag(c, "/locked")),
    field("runUntagged: Boolean!", |c| flag(c, "/run_untagged")),
    field("tagList: [String!]", |c| shown(c, "/tag_list")),
    field("accessLevel: CiRunnerAccessLevel!", |c| {
        word(c, "/access_level")
    }),
    field("maximumTimeout: Int", |c| shown(c, "/maximum_timeout")),
    field("maintenanceNote: String", |c| shown(c, "/maintenance_note")),
    field("shortSha: String", |c| {
        let Object::Runner(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        Ok(state
            .runners
            .get(*id)
            .map_or(NOTHING, |row| value(row.short_token())))
    }),
    field("contactedAt: Time", |c| instant(c, "/contacted_at")),
    field("createdAt: Time", |c| instant(c, "/created_at")),
    field("createdBy: UserCore", |c| {
        let entity = super::entity::entity(c)?;
        let by = entity.pointer("/created_by/id").and_then(Value::as_u64);
        Ok(one(by.map(crate::graphql::objects::user)))
    }),
    field("managers: CiRunnerManagerConnection", |c| {
        let path = below(c, "managers")?;
        let rows = c.rest().list(&path, &json!({}))?;
        let made = rows.iter().map(|row| {
            let data = json!({
                "id": format!("gid://gitlab/Ci::RunnerManager/{}", row["id"]), "systemId": row["system_id"],
                "version": row["version"], "revision": row["revision"], "platformName": row["platform"],
                "architectureName": row["architecture"], "ipAddress": row["ip_address"],
                "status": row["status"].as_str().map(upper),
            });
            record("CiRunnerManager", data)
                .with("contactedAt", time_of(&row["contacted_at"]))
                .with("createdAt", time_of(&row["created_at"]))
                .object()
        });
        Ok(Found::Many(made.collect()))
    }),
];

/// The fields of the root.
pub(super) const OF_QUERY: &[Line] = &[
    field("runner(id: CiRunnerID!): CiRunner", |c| {
        let id = c.gid("id", &["Ci::Runner"])?.unwrap_or_default();
        let entity = c.rest().show(&format!("runners/{id}"))?;
        Ok(one((!entity.is_null()).then_some(Object::Runner(id))))
    }),
    field(
        "runners(type: CiRunnerType, status: CiRunnerStatus, paused: Boolean, tagList: [String!]): CiRunnerConnection",
        |c| {
            let found = list(c, "runners/all")?;
            let none = matches!(&found, Found::Many(rows) if rows.is_empty());
            if none { list(c, "runners") } else { Ok(found) }
        },
    ),
];

/// The fields of a project.
pub(super) const OF_PROJECT: &[Line] = &[field(
    "runners(type: CiRunnerType, status: CiRunnerStatus, paused: Boolean, tagList: [String!]): CiRunnerConnection",
    |c| {
        let path = below(c, "runners")?;
        list(c, &path)
    },
)];

/// The family of runners.
pub(super) const FAMILY: Family = Family {
    tables: &[object("CiRunner", &[RUNNER])],
    sdl: "
        enum CiRunnerType { GROUP_TYPE INSTANCE_TYPE PROJECT_TYPE }
        enum CiRunnerStatus { NEVER_CONTACTED OFFLINE ONLINE STALE }
        enum CiRunnerAccessLevel { NOT_PROTECTED REF_PROTECTED }
        enum CiRunnerJobExecutionStatus { ACTIVE IDLE }
        type CiRunnerManager {
            architectureName: String contactedAt: Time createdAt: Time id: CiRunnerManagerID! ipAddress: String platformName: String
            revision: String status: CiRunnerStatus! systemId: String! version: String
        }
    ",
};

fn list(call: &Call<'_>, path: &str) -> Outcome {
    let mut filter =
        super::entity::renamed(call.args, &[("paused", "paused"), ("tagList", "tag_list")]);
    for name in ["type", "status"] {
        if let Some(word) = call.text(name) {
            filter[name] = json!(word.to_lowercase());
        }
    }
    let ids = call.rest().ids(path, &filter)?;
    Ok(super::entity::many(ids, Object::Runner))
}
