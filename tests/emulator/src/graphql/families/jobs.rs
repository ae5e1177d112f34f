//! Jobs. GitLab's `CiJob` has no user.

use jiff::Timestamp;
use serde_json::json;

use super::entity::many;
use super::job_status::{action_of, status_record, trace};
use crate::access::{self, Role};
use crate::engine::status::Status;
use crate::engine::{is_action, permissions, play, retry};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, one, record, time, upper, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::jobs::{Job, Work};

/// The classes in the global ids of jobs.
pub(super) const CLASSES: &[&str] = &[
    "Ci::Build",
    "Ci::Bridge",
    "GenericCommitStatus",
    "CommitStatus",
    "Ci::Processable",
];

const FIELDS: &[Line] = &[
    field("id: JobID", |c| row(c, |row, _| value(job_gid(row)))),
    field("name: String", |c| row(c, |row, _| value(row.name.clone()))),
    field("status: CiJobStatus", |c| {
        row(c, |row, _| value(upper(row.status.as_str())))
    }),
    field("kind: CiJobKind!", |c| row(c, |row, _| value(kind(row)))),
    field("manualJob: Boolean", |c| {
        row(c, |row, _| value(is_action(row)))
    }),
    field("allowFailure: Boolean!", |c| {
        row(c, |row, _| value(row.allow_failure))
    }),
    field("retried: Boolean", |c| row(c, |row, _| value(row.retried))),
    field("active: Boolean!", |c| {
        row(c, |row, _| value(row.status.is_active()))
    }),
    field("playable: Boolean!", |c| {
        row(c, |row, _| value(play::is_playable(row)))
    }),
    field("retryable: Boolean!", |c| {
        row(c, |row, _| value(retry::is_retryable(row)))
    }),
    field("cancelable: Boolean!", |c| {
        row(c, |row, _| value(row.status.is_cancelable()))
    }),
    field("scheduled: Boolean!", |c| {
        row(c, |row, _| value(row.status.as_str() == "scheduled"))
    }),
    field("stuck: Boolean!", |_| Ok(value(false))),
    field("triggered: Boolean", |c| {
        row(c, |row, state| {
            value(
                state
                    .pipelines
                    .get(row.pipeline_id)
                    .is_some_and(|row| row.trigger_id.is_some()),
            )
        })
    }),
    field("createdByTag: Boolean!", |c| {
        row(c, |row, state| {
            value(
                state
                    .pipelines
                    .get(row.pipeline_id)
                    .is_some_and(|row| row.tag),
            )
        })
    }),
    field("coverage: Float", |c| {
        row(c, |row, _| Found::Value(json!(row.coverage)))
    }),
    field("exitCode: Int", |c| {
        row(c, |row, _| Found::Value(json!(row.exit_code)))
    }),
    field("failureMessage: String", |c| {
        row(c, |row, _| {
            let reason = row
                .failure_reason
                .as_deref()
                .filter(|_| row.status == Status::Failed);
            Found::Value(json!(reason.map(|reason| reason.replace('_', " "))))
        })
    }),
    field("schedulingType: String", |c| {
        row(c, |row, _| {
            value(if row.definition().is_some_and(|of| of.needs.is_some()) {
                "dag"
            } else {
                "stage"
            })
        })
    }),
    field("source: String", |c| {
        row(c, |row, state| {
            Found::Value(json!(
                state
                    .pipelines
                    .get(row.pipeline_id)
                    .map(|row| row.source.as_str())
            ))
        })
    }),
    field("refName: String", |c| {
        row(c, |row, state| {
            Found::Value(json!(
                state.pipelines.get(row.pipeline_id).map(|row| &row.git_ref)
            ))
        })
    }),
    field("shortSha: String!", |c| {
        row(c, |row, state| {
            let sha = state
                .pipelines
                .get(row.pipeline_id)
                .map(|row| row.sha.clone())
                .unwrap_or_default();
            value(&sha[..8.min(sha.len())])
        })
    }),
    field("tags: [String!]", |c| {
        row(c, |row, _| {
            Found::Value(json!(
                row.definition()
                    .map(|of| of.tags.clone())
                    .unwrap_or_default()
            ))
        })
    }),
    field("createdAt: Time!", |c| {
        row(c, |row, _| time(row.created_at))
    }),
    field("queuedAt: Time", |c| row(c, |row, _| time(row.queued_at))),
    field("startedAt: Time", |c| row(c, |row, _| time(row.started_at))),
    field("finishedAt: Time", |c| {
        row(c, |row, _| time(row.finished_at))
    }),
    field("scheduledAt: Time", |c| {
        row(c, |row, _| time(row.scheduled_at))
    }),
    field("erasedAt: Time", |c| row(c, |row, _| time(row.erased_at))),
    field("duration: Int", |c| {
        let now = c.world.shared.clock.now();
        between(c, now, |row| (row.started_at, row.finished_at))
            .map(|seconds| Found::Value(json!(seconds.map(f64::trunc).map(whole))))
    }),
    field("queuedDuration: Duration", |c| {
        let now = c.world.shared.clock.now();
        between(c, now, |row| {
            (row.queued_at, row.started_at.or(row.finished_at))
        })
        .map(|seconds| Found::Value(json!(seconds)))
    }),
    field("webPath: String", |c| {
        row(c, |row, state| value(page(state, row)))
    }),
    field("playPath: String", |c| {
        row(c, |row, state| {
            if play::is_playable(row) {
                value(page(state, row) + "/play")
            } else {
                NOTHING
            }
        })
    }),
    field("retryPath: String", |c| {
        row(c, |row, state| {
            if retry::is_retryable(row) {
                value(page(state, row) + "/retry")
            } else {
                NOTHING
            }
        })
    }),
    field("browseArtifactsPath: String", |c| {
        row(c, |row, state| {
            let has = row.artifacts.iter().any(|file| file.file_type == "archive");
            if has {
                value(page(state, row) + "/artifacts/browse")
            } else {
                NOTHING
            }
        })
    }),
    field("detailedStatus: DetailedStatus", |c| {
        row(c, |row, state| {
            let id = format!("{}-{}-{}", row.status.as_str(), row.id, row.id);
            let action = action_of(state, row);
            status_record(&id, row.status, &page(state, row))
                .with("action", action)
                .found()
        })
    }),
    field("stage: CiStage", |c| {
        row(c, |row, _| {
            Found::One(Object::Stage {
                pipeline: row.pipeline_id,
                name: row.stage.clone(),
            })
        })
    }),
    field("pipeline: Pipeline", |c| {
        row(c, |row, _| Found::One(Object::Pipeline(row.pipeline_id)))
    }),
    field("project: Project", |c| {
        row(c, |row, _| Found::One(Object::Project(row.project_id)))
    }),
    field("downstreamPipeline: Pipeline", |c| {
        row(c, |row, _| {
            one(row.downstream_pipeline_id.map(Object::Pipeline))
        })
    }),
    field("runner: CiRunner", |c| {
        row(c, |row, _| {
            one(row
                .taken
                .as_ref()
                .map(|taken| Object::Runner(taken.runner_id)))
        })
    }),
    field("needs: CiBuildNeedConnection", |c| {
        row(c, |row, _| {
            let needs = row
                .definition()
                .and_then(|of| of.needs.clone())
                .unwrap_or_default();
            let made = needs.iter().enumerate().map(|(at, need)| {
                let id = format!("gid://gitlab/Ci::BuildNeed/{}", row.id * 100 + at as u64);
                record("CiBuildNeed", json!({ "id": id, "name": need.job })).object()
            });
            Found::Many(made.collect())
        })
    }),
    field("previousStageJobs: CiJobConnection", |c| {
        row(c, |row, state| {
            let before = || {
                state
                    .current_jobs_of(row.pipeline_id)
                    .filter(|job| job.stage_index < row.stage_index)
            };
            let last = before().map(|job| job.stage_index).max();
            many(
                before()
                    .filter(|job| Some(job.stage_index) == last)
                    .map(|job| job.id),
                Object::Job,
            )
        })
    }),
    field("artifacts: CiJobArtifactConnection", |c| {
        row(c, |row, state| {
            let path = page(state, row);
            let made = row.artifacts.iter().enumerate().map(|(at, file)| {
                let data = json!({
                    "id": format!("gid://gitlab/Ci::JobArtifact/{}", row.id * 100 + at as u64),
                    "name": file.file_name,
                    "fileType": upper(&file.file_type),
                    "size": file.content.len().to_string(),
                    "expired": false,
                    "downloadPath": format!("{path}/artifacts/download?file_type={}", file.file_type),
                });
                record("CiJobArtifact", data).with("expireAt", time(row.artifacts_expire_at)).object()
            });
            Found::Many(made.collect())
        })
    }),
    field("trace: CiJobTrace", |c| row(c, |row, _| trace(&row.trace))),
    field("manualVariables: CiManualVariableConnection", |c| {
        row(c, |row, _| {
            let made = row.variables.iter().enumerate().map(|(at, given)| {
                let kind = if given.file { "FILE" } else { "ENV_VAR" };
                let data = json!({
                    "id": format!("gid://gitlab/Ci::JobVariable/{}", row.id * 100 + at as u64), "key": given.key,
                    "value": given.value, "raw": given.raw, "environmentScope": null, "variableType": kind,
                });
                record("CiManualVariable", data).object()
            });
            Found::Many(made.collect())
        })
    }),
    field("canPlayJob: Boolean!", |c| {
        may_update(c).map(|(may, _)| value(may))
    }),
    field("userPermissions: JobPermissions!", |c| {
        let (update, read) = may_update(c)?;
        let data = json!({ "readBuild": read, "readJobArtifacts": read, "updateBuild": update, "cancelBuild": update });
        Ok(record("JobPermissions", data).found())
    }),
];

/// The family of jobs.
pub(super) const FAMILY: Family = Family {
    tables: &[object("CiJob", &[FIELDS])],
    sdl: "
        enum CiJobKind { BRIDGE BUILD }
        enum CiJobStatus {
            CANCELED CANCELING CREATED FAILED MANUAL PENDING PREPARING RUNNING SCHEDULED SKIPPED SUCCESS WAITING_FOR_CALLBACK WAITING_FOR_RESOURCE
        }
        type CiBuildNeed { id: ID! name: String }
        type CiJobArtifact {
            downloadPath: String expireAt: Time expired: Boolean! fileType: JobArtifactFileType id: CiJobArtifactID! name: String size: BigInt!
        }
        enum JobArtifactFileType {
            ACCESSIBILITY API_FUZZING ARCHIVE BROWSER_PERFORMANCE CLUSTER_APPLICATIONS COBERTURA CODEQUALITY CONTAINER_SCANNING
            COVERAGE_FUZZING DAST DEPENDENCY_SCANNING DOTENV JACOCO JUNIT LICENSE_SCANNING LOAD_PERFORMANCE LSIF METADATA METRICS
            METRICS_REFEREE NETWORK_REFEREE PERFORMANCE REPOSITORY_XRAY REQUIREMENTS SAST SECRET_DETECTION TERRAFORM TRACE CYCLONEDX
        }
        type CiJobTrace { htmlSummary(lastLines: Int = 10): String! }
        type CiManualVariable { environmentScope: String id: ID! key: String raw: Boolean value: String variableType: CiVariableType }
        type JobPermissions { cancelBuild: Boolean! readBuild: Boolean! readJobArtifacts: Boolean! updateBuild: Boolean! }
    ",
};

fn row(call: &Call<'_>, read: fn(&Job, &State) -> Found) -> Outcome {
    let Object::Job(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state.jobs.get(*id).map_or(NOTHING, |row| read(row, &state)))
}

type Span = (Option<Timestamp>, Option<Timestamp>);

fn between(
    call: &Call<'_>,
    now: Timestamp,
    of: fn(&Job) -> Span,
) -> Result<Option<f64>, crate::graphql::objects::Problem> {
    let Object::Job(id) = call.object else {
        return Ok(None);
    };
    let state = call.state();
    let span = state.jobs.get(*id).map(of);
    Ok(span.and_then(|(from, to)| {
        let from = from?;
        Some(to.unwrap_or(now).duration_since(from).as_secs_f64())
    }))
}

fn whole(seconds: f64) -> i64 {
    format!("{seconds:.0}").parse().unwrap_or_default()
}

fn may_update(call: &Call<'_>) -> Result<(bool, bool), crate::graphql::objects::Problem> {
    let Object::Job(id) = call.object else {
        return Ok((false, false));
    };
    let acting = call.user();
    let state = call.state();
    let Some(job) = state.jobs.get(*id) else {
        return Ok((false, false));
    };
    let pipeline = state.pipelines.get(job.pipeline_id);
    let update = acting
        .zip(pipeline)
        .is_some_and(|(user, row)| permissions::may_update(&state, user, row));
    let own = access::in_project(&state, acting, job.project_id);
    Ok((update, own.at_least(Role::Guest) || own.can_read))
}

/// The global id of a job.
pub(super) fn job_gid(job: &Job) -> String {
    let class = match &job.work {
        Work::External(_) => "GenericCommitStatus",
        Work::Defined(_) if job.bridge().is_some() => "Ci::Bridge",
        Work::Defined(_) => "Ci::Build",
    };
    format!("gid://gitlab/{class}/{}", job.id)
}

/// `BUILD` or `BRIDGE`.
pub(super) fn kind(job: &Job) -> &'static str {
    if job.bridge().is_some() {
        "BRIDGE"
    } else {
        "BUILD"
    }
}

/// The page of a job.
pub(super) fn page(state: &State, job: &Job) -> String {
    format!(
        "{}/-/jobs/{}",
        state.project_url("", job.project_id),
        job.id
    )
}
