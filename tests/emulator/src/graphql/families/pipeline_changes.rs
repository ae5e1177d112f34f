//! Mutations of pipelines, jobs and schedules.

use serde_json::{Map, Value, json};

use super::changes::{Change, finished, id, input, made, params, payload, project};
use super::entity::path;
use super::jobs::CLASSES;
use crate::engine;
use crate::engine::permissions;
use crate::engine::status::Status;
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, Problem};
use crate::graphql::schema::{Family, Line, field};

const PIPELINE: &[&str] = &["Ci::Pipeline"];
const SCHEDULE: &[&str] = &["Ci::PipelineSchedule"];

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "pipelineCreate(input: PipelineCreateInput!): PipelineCreatePayload",
        |c| {
            let project = project(c, "projectPath")?;
            let mut params = params(c, &[("ref", "ref")]);
            if let Some(variables) = given_variables(c, "key") {
                params["variables"] = variables;
            }
            if let Some(inputs) = inputs(c) {
                params["inputs"] = inputs;
            }
            let done = c
                .rest()
                .call("POST", &format!("projects/{project}/pipeline"), params);
            payload(c, "PipelineCreatePayload", done, |row| {
                vec![
                    ("pipeline", made(row, Object::Pipeline)),
                    ("requestId", NOTHING),
                ]
            })
        },
    ),
    field(
        "pipelineCancel(input: PipelineCancelInput!): PipelineCancelPayload",
        |c| {
            let object = Object::Pipeline(readable_pipeline(c)?);
            Change::post("PipelineCancelPayload", "pipeline", "/cancel").make(c, object, json!({}))
        },
    ),
    field(
        "pipelineRetry(input: PipelineRetryInput!): PipelineRetryPayload",
        |c| {
            let object = Object::Pipeline(readable_pipeline(c)?);
            Change::post("PipelineRetryPayload", "pipeline", "/retry").make(c, object, json!({}))
        },
    ),
    field(
        "pipelineDestroy(input: PipelineDestroyInput!): PipelineDestroyPayload",
        |c| {
            let object = Object::Pipeline(readable_pipeline(c)?);
            let address = path(&c.state(), &object).ok_or_else(Problem::no_access)?;
            let done = c.rest().call("DELETE", &address, json!({}));
            payload(c, "PipelineDestroyPayload", done, |_| Vec::new())
        },
    ),
    field("jobPlay(input: JobPlayInput!): JobPlayPayload", |c| {
        let object = Object::Job(id(c, "id", CLASSES)?);
        let params = match given_variables(c, "key") {
            Some(variables) => json!({ "job_variables_attributes": variables }),
            None => json!({}),
        };
        Change::post("JobPlayPayload", "job", "/play").make(c, object, params)
    }),
    field("jobRetry(input: JobRetryInput!): JobRetryPayload", |c| {
        let object = Object::Job(id(c, "id", CLASSES)?);
        let address = path(&c.state(), &object).ok_or_else(Problem::no_access)?;
        let done = c
            .rest()
            .call("POST", &format!("{address}/retry"), json!({}));
        match done {
            // The REST API forbids what this one finds invalid.
            Err(error)
                if error.status == 403 && error.body.to_string().contains("not retryable") =>
            {
                let errors = ["Job cannot be retried".to_owned()];
                Ok(finished(
                    c,
                    "JobRetryPayload",
                    &errors,
                    vec![("job", NOTHING)],
                ))
            }
            done => payload(c, "JobRetryPayload", done, |row| {
                vec![("job", made(row, Object::Job))]
            }),
        }
    }),
    field("jobCancel(input: JobCancelInput!): JobCancelPayload", |c| {
        let object = Object::Job(id(c, "id", CLASSES)?);
        Change::post("JobCancelPayload", "job", "/cancel").make(c, object, json!({}))
    }),
    field(
        "jobArtifactsDestroy(input: JobArtifactsDestroyInput!): JobArtifactsDestroyPayload",
        |c| {
            let object = Object::Job(id(c, "id", CLASSES)?);
            let address = path(&c.state(), &object).ok_or_else(Problem::no_access)?;
            let Object::Job(job) = object else {
                return Ok(NOTHING);
            };
            let count = c.state().jobs.get(job).map_or(0, |row| row.artifacts.len());
            let done = c
                .rest()
                .call("DELETE", &format!("{address}/artifacts"), json!({}));
            payload(c, "JobArtifactsDestroyPayload", done, |_| {
                vec![
                    ("job", Found::One(object.clone())),
                    ("destroyedArtifactsCount", Found::Value(json!(count))),
                ]
            })
        },
    ),
    field(
        "jobUnschedule(input: JobUnscheduleInput!): JobUnschedulePayload",
        unschedule,
    ),
    field(
        "pipelineScheduleCreate(input: PipelineScheduleCreateInput!): PipelineScheduleCreatePayload",
        |c| {
            let project = project(c, "projectPath")?;
            let mut params = schedule_params(c);
            if let Some(inputs) = inputs(c) {
                params["inputs"] = inputs;
            }
            let done = c.rest().call(
                "POST",
                &format!("projects/{project}/pipeline_schedules"),
                params,
            );
            if let Ok(row) = &done {
                add_variables(c, project, row["id"].as_u64().unwrap_or_default())?;
            }
            payload(c, "PipelineScheduleCreatePayload", done, |row| {
                vec![("pipelineSchedule", made(row, Object::Schedule))]
            })
        },
    ),
    field(
        "pipelineScheduleUpdate(input: PipelineScheduleUpdateInput!): PipelineScheduleUpdatePayload",
        |c| {
            let object = schedule(c)?;
            let mut params = schedule_params(c);
            if let Some(inputs) = inputs(c) {
                params["inputs"] = inputs;
            }
            if input(c).contains_key("variables") {
                return Err(Problem::lacking("variables of pipelineScheduleUpdate"));
            }
            Change::put("PipelineScheduleUpdatePayload", "pipelineSchedule").make(c, object, params)
        },
    ),
    field(
        "pipelineScheduleDelete(input: PipelineScheduleDeleteInput!): PipelineScheduleDeletePayload",
        |c| {
            let object = schedule(c)?;
            let address = path(&c.state(), &object).ok_or_else(Problem::no_access)?;
            let done = c.rest().call("DELETE", &address, json!({}));
            payload(c, "PipelineScheduleDeletePayload", done, |_| Vec::new())
        },
    ),
    field(
        "pipelineSchedulePlay(input: PipelineSchedulePlayInput!): PipelineSchedulePlayPayload",
        |c| {
            let object = schedule(c)?;
            Change::post("PipelineSchedulePlayPayload", "pipelineSchedule", "/play").make(
                c,
                object,
                json!({}),
            )
        },
    ),
    field(
        "pipelineScheduleTakeOwnership(input: PipelineScheduleTakeOwnershipInput!): PipelineScheduleTakeOwnershipPayload",
        |c| {
            let object = schedule(c)?;
            Change::post(
                "PipelineScheduleTakeOwnershipPayload",
                "pipelineSchedule",
                "/take_ownership",
            )
            .make(c, object, json!({}))
        },
    ),
];

/// The family of these mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        scalar CiInputsValue
        input CiInputsInput { destroy: Boolean name: String! value: CiInputsValue! }
        input CiVariableInput { key: String! value: String! variableType: CiVariableType }
        input PipelineCreateInput {
            async: Boolean clientMutationId: String inputs: [CiInputsInput!] projectPath: ID! ref: String! variables: [CiVariableInput!]
        }
        type PipelineCreatePayload { clientMutationId: String errors: [String!]! pipeline: Pipeline requestId: String }
        input PipelineCancelInput { clientMutationId: String id: CiPipelineID! }
        type PipelineCancelPayload { clientMutationId: String errors: [String!]! pipeline: Pipeline }
        input PipelineRetryInput { clientMutationId: String id: CiPipelineID! }
        type PipelineRetryPayload { clientMutationId: String errors: [String!]! pipeline: Pipeline }
        input PipelineDestroyInput { clientMutationId: String id: CiPipelineID! }
        type PipelineDestroyPayload { clientMutationId: String errors: [String!]! }
        input JobPlayInput { clientMutationId: String id: CiProcessableID! variables: [CiVariableInput!] }
        type JobPlayPayload { clientMutationId: String errors: [String!]! job: CiJob }
        input JobRetryInput { clientMutationId: String id: CiProcessableID! }
        type JobRetryPayload { clientMutationId: String errors: [String!]! job: CiJob }
        input JobCancelInput { clientMutationId: String id: CiBuildID! }
        type JobCancelPayload { clientMutationId: String errors: [String!]! job: CiJob }
        input JobUnscheduleInput { clientMutationId: String id: CiBuildID! }
        type JobUnschedulePayload { clientMutationId: String errors: [String!]! job: CiJob }
        input JobArtifactsDestroyInput { clientMutationId: String id: CiBuildID! }
        type JobArtifactsDestroyPayload { clientMutationId: String destroyedArtifactsCount: Int! errors: [String!]! job: CiJob }
        input PipelineScheduleVariableInput {
            destroy: Boolean id: CiPipelineScheduleVariableID key: String! value: String! variableType: CiVariableType!
        }
        input PipelineScheduleCreateInput {
            active: Boolean clientMutationId: String cron: String! cronTimezone: String description: String! inputs: [CiInputsInput!]
            projectPath: ID! ref: String! variables: [PipelineScheduleVariableInput!]
        }
        type PipelineScheduleCreatePayload { clientMutationId: String errors: [String!]! pipelineSchedule: PipelineSchedule }
        input PipelineScheduleUpdateInput {
            active: Boolean clientMutationId: String cron: String cronTimezone: String description: String id: CiPipelineScheduleID!
            inputs: [CiInputsInput!] ref: String variables: [PipelineScheduleVariableInput!]
        }
        type PipelineScheduleUpdatePayload { clientMutationId: String errors: [String!]! pipelineSchedule: PipelineSchedule }
        input PipelineScheduleDeleteInput { clientMutationId: String id: CiPipelineScheduleID! }
        type PipelineScheduleDeletePayload { clientMutationId: String errors: [String!]! }
        input PipelineSchedulePlayInput { clientMutationId: String id: CiPipelineScheduleID! }
        type PipelineSchedulePlayPayload { clientMutationId: String errors: [String!]! pipelineSchedule: PipelineSchedule }
        input PipelineScheduleTakeOwnershipInput { clientMutationId: String id: CiPipelineScheduleID! }
        type PipelineScheduleTakeOwnershipPayload { clientMutationId: String errors: [String!]! pipelineSchedule: PipelineSchedule }
    ",
};

fn readable_pipeline(call: &Call<'_>) -> Result<u64, Problem> {
    let id = id(call, "id", PIPELINE)?;
    let there = call.state().pipelines.get(id).is_some();
    if there {
        Ok(id)
    } else {
        Err(Problem::no_access())
    }
}

fn schedule(call: &Call<'_>) -> Result<Object, Problem> {
    Ok(Object::Schedule(id(call, "id", SCHEDULE)?))
}

fn schedule_params(call: &Call<'_>) -> Value {
    params(
        call,
        &[
            ("description", "description"),
            ("ref", "ref"),
            ("cron", "cron"),
            ("cronTimezone", "cron_timezone"),
            ("active", "active"),
        ],
    )
}

/// The variables of the input as the REST API takes them.
fn given_variables(call: &Call<'_>, key: &str) -> Option<Value> {
    let rows = input(call).get("variables")?.as_array()?;
    let one = |row: &Value| {
        let mut made = json!({ key: row["key"], "value": row["value"] });
        if let Some(kind) = row["variableType"].as_str() {
            made["variable_type"] = json!(kind.to_lowercase());
        }
        made
    };
    Some(rows.iter().map(one).collect())
}

fn inputs(call: &Call<'_>) -> Option<Value> {
    let rows = input(call).get("inputs")?.as_array()?;
    let pairs = rows
        .iter()
        .filter(|row| row["destroy"] != true)
        .filter_map(|row| Some((row["name"].as_str()?.to_owned(), row["value"].clone())));
    Some(Value::Object(pairs.collect::<Map<_, _>>()))
}

fn add_variables(call: &Call<'_>, project: u64, schedule: u64) -> Result<(), Problem> {
    let rows = given_variables(call, "key").unwrap_or_default();
    for row in rows.as_array().into_iter().flatten() {
        let address = format!("projects/{project}/pipeline_schedules/{schedule}/variables");
        call.rest()
            .call("POST", &address, row.clone())
            .map_err(|error| crate::graphql::internal::refusal(&error))?;
    }
    Ok(())
}

/// A delayed job becomes one that waits to be played; the REST API has no such action.
fn unschedule(call: &Call<'_>) -> Outcome {
    let id = id(call, "id", CLASSES)?;
    let now = call.world.shared.clock.now();
    let user = call.user().ok_or_else(Problem::no_access)?;
    crate::auth::check_api_scope(call.world.caller, "POST")
        .map_err(|_error| Problem::no_access())?;
    let scheduled = {
        let mut state = call.state();
        let job = state.jobs.get(id);
        let pipeline = job.and_then(|job| state.pipelines.get(job.pipeline_id));
        if !pipeline.is_some_and(|row| permissions::may_update(&state, user, row)) {
            return Err(Problem::no_access());
        }
        let scheduled = job.is_some_and(|job| job.status == Status::Scheduled);
        if scheduled {
            engine::move_job(&mut state, id, Status::Manual, now);
        }
        scheduled
    };
    engine::settle(call.world.shared);
    let errors: &[String] = if scheduled {
        &[]
    } else {
        &["Job cannot be unscheduled".to_owned()]
    };
    Ok(finished(
        call,
        "JobUnschedulePayload",
        errors,
        vec![("job", Found::One(Object::Job(id)))],
    ))
}
