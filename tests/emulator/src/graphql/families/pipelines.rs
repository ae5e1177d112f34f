//! Pipelines and their stages.

use serde_json::{Value, json};

use super::entity::{below, entity, many, shown};
use super::job_status::status_record;
use super::jobs::CLASSES;
use super::pipeline_lists::has_status;
use crate::access::{self, Role};
use crate::ci::definition::When;
use crate::engine::{permissions, retry};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, gid, one, record, time, upper, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;

const OWN: &[Line] = &[
    field("id: ID!", |c| row(c, |row, _| gid("Ci::Pipeline", row.id))),
    field("iid: String!", |c| {
        row(c, |row, _| value(row.iid.to_string()))
    }),
    field("sha(format: ShaFormat): String", |c| {
        let short = c.text("format") == Some("SHORT");
        row(c, |row, _| value(row.sha.clone())).map(|found| {
            found.on_text(|sha| {
                let end = if short { 8.min(sha.len()) } else { sha.len() };
                value(&sha[..end])
            })
        })
    }),
    field("beforeSha: String", |c| {
        row(c, |row, _| value(row.before_sha.clone()))
    }),
    field("ref: String", |c| {
        row(c, |row, _| value(row.git_ref.clone()))
    }),
    field("refPath: String", |c| {
        row(c, |row, _| {
            let kind = if row.tag { "tags" } else { "heads" };
            let full = row.git_ref.starts_with("refs/");
            value(if full {
                row.git_ref.clone()
            } else {
                format!("refs/{kind}/{}", row.git_ref)
            })
        })
    }),
    field("status: PipelineStatusEnum!", |c| {
        row(c, |row, _| value(upper(row.status.as_str())))
    }),
    field("source: String", |c| {
        row(c, |row, _| value(row.source.as_str()))
    }),
    field("name: String", |c| {
        row(c, |row, _| Found::Value(json!(row.name)))
    }),
    field("active: Boolean!", |c| {
        row(c, |row, _| value(row.status.is_active()))
    }),
    field("complete: Boolean!", |c| {
        row(c, |row, _| value(row.status.is_complete()))
    }),
    field("child: Boolean!", |c| {
        row(c, |row, _| value(row.is_child()))
    }),
    field("latest: Boolean!", |c| {
        row(c, |row, state| {
            let mut others = state.pipelines_of(row.project_id).rev();
            let newest = others.find(|other| other.git_ref == row.git_ref && !other.is_child());
            value(newest.is_some_and(|newest| newest.id == row.id))
        })
    }),
    field("stuck: Boolean!", |_| Ok(value(false))),
    field("trigger: Boolean!", |c| {
        row(c, |row, _| value(row.trigger_id.is_some()))
    }),
    field("type: String!", |c| {
        row(c, |row, _| {
            value(if row.merge_request_id.is_some() {
                "merge_request"
            } else if row.tag {
                "tag"
            } else {
                "branch"
            })
        })
    }),
    field("yamlErrors: Boolean!", |c| {
        row(c, |row, _| value(row.yaml_errors.is_some()))
    }),
    field("yamlErrorMessages: String", |c| {
        row(c, |row, _| Found::Value(json!(row.yaml_errors)))
    }),
    field("failureReason: String", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.yaml_errors.as_ref().map(|_| "config_error")))
        })
    }),
    field("configSource: PipelineConfigSourceEnum", |_| {
        Ok(value("REPOSITORY_SOURCE"))
    }),
    field(
        "mergeRequestEventType: PipelineMergeRequestEventType",
        |c| {
            row(c, |row, _| {
                Found::Value(json!(row.merge_request_id.map(|_| "DETACHED")))
            })
        },
    ),
    field("createdAt: Time!", |c| {
        row(c, |row, _| time(row.created_at))
    }),
    field("updatedAt: Time!", |c| {
        row(c, |row, _| time(row.updated_at))
    }),
    field("startedAt: Time", |c| row(c, |row, _| time(row.started_at))),
    field("finishedAt: Time", |c| {
        row(c, |row, _| time(row.finished_at))
    }),
    field("committedAt: Time", |_| Ok(NOTHING)),
    field("duration: Int", |c| shown(c, "/duration")),
    field("queuedDuration: Duration", |c| shown(c, "/queued_duration")),
    field("coverage: Float", |c| {
        let entity = entity(c)?;
        let coverage = entity["coverage"]
            .as_str()
            .and_then(|text| text.parse::<f64>().ok());
        Ok(Found::Value(json!(coverage)))
    }),
    field("path: String", |c| {
        row(c, |row, state| {
            value(crate::api::pipeline_entity::web_url(state, row, ""))
        })
    }),
    field("detailedStatus: DetailedStatus!", |c| {
        row(c, |row, state| {
            let page = crate::api::pipeline_entity::web_url(state, row, "");
            let id = format!("{}-{}-{}", row.status.as_str(), row.id, row.id);
            status_record(&id, row.status, &page).found()
        })
    }),
    field("user: UserCore", |c| {
        row(c, |row, _| Found::One(user(row.user_id)))
    }),
    field("project: Project", |c| {
        row(c, |row, _| Found::One(Object::Project(row.project_id)))
    }),
    field("mergeRequest: MergeRequest", |c| {
        row(c, |row, _| {
            one(row.merge_request_id.map(Object::MergeRequest))
        })
    }),
    field("commit: Commit @gitaly", |c| {
        let Object::Pipeline(id) = c.object else {
            return Ok(NOTHING);
        };
        let found = c
            .state()
            .pipelines
            .get(*id)
            .map(|row| (row.project_id, row.sha.clone()));
        match found {
            Some((project, sha)) => super::repository::commit(c, project, &sha),
            None => Ok(NOTHING),
        }
    }),
    field("upstream: Pipeline", |c| {
        row(c, |row, state| {
            one(state.upstream_of(row).map(|row| Object::Pipeline(row.id)))
        })
        .map(|found| readable(c, found))
    }),
    field("downstream: PipelineConnection", |c| {
        row(c, |row, state| {
            many(
                state
                    .jobs_of(row.id)
                    .filter_map(|job| job.downstream_pipeline_id),
                Object::Pipeline,
            )
        })
    }),
    field("sourceJob: CiJob", |c| {
        row(c, |row, _| one(row.source_job_id.map(Object::Job)))
    }),
    field("cancelable: Boolean!", |c| {
        row(c, |row, state| {
            value(
                state
                    .current_jobs_of(row.id)
                    .any(|job| job.status.is_cancelable()),
            )
        })
    }),
    field("retryable: Boolean!", |c| {
        row(c, |row, state| {
            let undone = |job: &Job| ["failed", "canceled"].contains(&job.status.as_str());
            value(
                state
                    .current_jobs_of(row.id)
                    .any(|job| undone(job) && retry::is_retryable(job)),
            )
        })
    }),
    field("warnings: Boolean!", |c| {
        row(c, |row, state| {
            let warns = |job: &Job| job.allow_failure && job.status.as_str() == "failed";
            value(state.current_jobs_of(row.id).any(warns))
        })
    }),
    field("usesNeeds: Boolean", |c| {
        row(c, |row, state| {
            let needs = |job: &Job| job.definition().is_some_and(|of| of.needs.is_some());
            value(state.current_jobs_of(row.id).any(needs))
        })
    }),
    field("hasManualActions: Boolean!", |c| {
        row(c, |row, state| {
            value(
                state
                    .current_jobs_of(row.id)
                    .any(|job| job.status.as_str() == "manual"),
            )
        })
    }),
    field("hasScheduledActions: Boolean!", |c| {
        row(c, |row, state| {
            value(
                state
                    .current_jobs_of(row.id)
                    .any(|job| job.status.as_str() == "scheduled"),
            )
        })
    }),
    field("totalJobs: Int!", |c| {
        row(c, |row, state| value(state.current_jobs_of(row.id).count()))
    }),
    field("failedJobsCount: Int!", |c| {
        row(c, |row, state| {
            let failed = state
                .current_jobs_of(row.id)
                .filter(|job| job.status.as_str() == "failed");
            value(failed.count())
        })
    }),
    field(
        "jobs(retried: Boolean, statuses: [CiJobStatus!], jobKind: CiJobKind, whenExecuted: [String!]): CiJobConnection",
        jobs,
    ),
    field("job(id: JobID, name: String): CiJob", |c| {
        let (id, name) = (c.gid("id", CLASSES)?, c.text("name"));
        let Object::Pipeline(pipeline) = c.object else {
            return Ok(NOTHING);
        };
        if id.is_none() && name.is_none() {
            return Err(Problem::new("One of id or name is required"));
        }
        let state = c.state();
        let found = state.jobs_of(*pipeline).rev().find(|job| {
            id.is_none_or(|id| id == job.id)
                && name.is_none_or(|name| name == job.name && !job.retried)
        });
        Ok(one(found.map(|job| Object::Job(job.id))))
    }),
    field("stages: CiStageConnection", |c| {
        row(c, |row, state| {
            let used = |stage: &&String| state.jobs_of(row.id).any(|job| job.stage == **stage);
            let stages = row.stages.iter().filter(used);
            Found::Many(
                stages
                    .map(|name| Object::Stage {
                        pipeline: row.id,
                        name: name.clone(),
                    })
                    .collect(),
            )
        })
    }),
    field("manualVariables: PipelineManualVariableConnection", |c| {
        let acting = c.user();
        let Object::Pipeline(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let Some(row) = state.pipelines.get(*id) else {
            return Ok(NOTHING);
        };
        let own = access::in_project(&state, acting, row.project_id).at_least(Role::Developer);
        let shown = row.variables.iter().enumerate().filter(|_| own);
        let made = shown.map(|(at, given)| {
            let data = json!({ "id": format!("gid://gitlab/Ci::PipelineVariable/{}", at + 1), "key": given.key, "value": given.value });
            record("PipelineManualVariable", data).object()
        });
        Ok(Found::Many(made.collect()))
    }),
    field("testReportSummary: TestReportSummary!", |c| {
        let path = below(c, "test_report_summary")?;
        let entity = c.rest().show(&path)?;
        let number = |name: &str| {
            entity
                .pointer(&format!("/total/{name}"))
                .cloned()
                .unwrap_or_else(|| json!(0))
        };
        let total = json!({
            "count": number("count"), "error": number("error"), "failed": number("failed"), "skipped": number("skipped"),
            "success": number("success"), "time": number("time"), "suiteError": null,
        });
        Ok(record("TestReportSummary", json!({}))
            .with("total", record("TestReportTotal", total).found())
            .with("testSuites", Found::Many(suites(&entity["test_suites"])))
            .found())
    }),
    field("errorMessages: PipelineMessageConnection", |c| {
        row(c, |row, _| {
            let made = row.yaml_errors.iter().map(|text| {
                let data = json!({ "id": format!("gid://gitlab/Ci::PipelineMessage/{}", row.id), "content": text });
                record("PipelineMessage", data).object()
            });
            Found::Many(made.collect())
        })
    }),
    field("warningMessages: PipelineMessageConnection", |_| {
        Ok(Found::Many(Vec::new()))
    }),
    field("userPermissions: PipelinePermissions!", |c| {
        let acting = c.user();
        let Object::Pipeline(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let Some(row) = state.pipelines.get(*id) else {
            return Ok(NOTHING);
        };
        let update = acting.is_some_and(|user| permissions::may_update(&state, user, row));
        let own = access::in_project(&state, acting, row.project_id);
        let data = json!({
            "adminPipeline": own.at_least(Role::Maintainer), "cancelPipeline": update,
            "destroyPipeline": own.at_least(Role::Owner), "updatePipeline": update,
        });
        Ok(record("PipelinePermissions", data).found())
    }),
];

/// The family of pipelines.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Pipeline", &[OWN])],
    sdl: "
        enum ShaFormat { LONG SHORT }
        enum PipelineMergeRequestEventType { DETACHED MERGED_RESULT MERGE_TRAIN }
        enum PipelineConfigSourceEnum {
            AUTO_DEVOPS_SOURCE BRIDGE_SOURCE COMPLIANCE_SOURCE EXTERNAL_PROJECT_SOURCE PARAMETER_SOURCE PIPELINE_EXECUTION_POLICY_FORCED
            REMOTE_SOURCE REPOSITORY_SOURCE SECURITY_POLICIES_DEFAULT_SOURCE UNKNOWN_SOURCE WEBIDE_SOURCE
        }
        type PipelineManualVariable { id: ID! key: String value: String }
        type PipelineMessage { content: String! id: ID! }
        type PipelinePermissions { adminPipeline: Boolean! cancelPipeline: Boolean! destroyPipeline: Boolean! updatePipeline: Boolean! }
        type TestReportSummary { testSuites: TestSuiteSummaryConnection! total: TestReportTotal! }
        type TestReportTotal { count: Int error: Int failed: Int skipped: Int success: Int suiteError: String time: Float }
        type TestSuiteSummary {
            buildIds: [ID!] errorCount: Int failedCount: Int name: String skippedCount: Int successCount: Int suiteError: String
            totalCount: Int totalTime: Float
        }
    ",
};

fn row(call: &Call<'_>, read: fn(&Pipeline, &State) -> Found) -> Outcome {
    let Object::Pipeline(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .pipelines
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state)))
}

/// A pipeline of another project that the caller may not see is not told.
fn readable(call: &Call<'_>, found: Found) -> Found {
    let Found::One(Object::Pipeline(id)) = &found else {
        return found;
    };
    let home = call.state().pipelines.get(*id).map(|row| row.project_id);
    match home {
        Some(home) if super::pipeline_lists::sees_jobs(call, home) => found,
        Some(_) | None => NOTHING,
    }
}

fn jobs(call: &Call<'_>) -> Outcome {
    let Object::Pipeline(id) = call.object else {
        return Ok(NOTHING);
    };
    let (retried, statuses) = (call.flag("retried"), call.texts("statuses"));
    let (kind, when) = (call.text("jobKind"), call.texts("whenExecuted"));
    let state = call.state();
    let fits = |job: &&Job| {
        retried.is_none_or(|wanted| wanted == job.retried)
            && kind.is_none_or(|kind| kind == super::jobs::kind(job))
            && has_status(job, statuses.as_deref())
            && when
                .as_ref()
                .is_none_or(|when| when.contains(&when_word(job)))
    };
    Ok(many(
        state.jobs_of(*id).rev().filter(fits).map(|job| job.id),
        Object::Job,
    ))
}

/// The `when` that GitLab keeps of a job; one that came from outside has none, which reads as `on_success`.
fn when_word(job: &Job) -> &'static str {
    match job.definition().map(|definition| definition.when) {
        Some(When::Manual) => "manual",
        Some(When::Delayed) => "delayed",
        Some(When::OnFailure) => "on_failure",
        Some(When::Always) => "always",
        Some(When::OnSuccess) | None => "on_success",
    }
}

fn suites(list: &Value) -> Vec<Object> {
    let rows = list.as_array().cloned().unwrap_or_default();
    let one = |row: &Value| {
        let ids = row["build_ids"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> = ids
            .iter()
            .map(|id| format!("gid://gitlab/Ci::Build/{id}"))
            .collect();
        let data = json!({
            "buildIds": ids, "errorCount": row["error_count"], "failedCount": row["failed_count"], "name": row["name"],
            "skippedCount": row["skipped_count"], "successCount": row["success_count"], "suiteError": row["suite_error"],
            "totalCount": row["total_count"], "totalTime": row["total_time"],
        });
        record("TestSuiteSummary", data).object()
    };
    rows.iter().map(one).collect()
}
