//! Test reports of pipelines: every test, or the numbers alone.

use serde_json::{Value, json};

use super::ci_access;
use crate::ctx::Ctx;
use crate::engine::test_reports::{self, Case, Suite, Verdict};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get};
use crate::store::State;

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/pipelines/:pipeline_id/test_report",
        Guard::ProjectReader,
        report,
    ),
    get(
        "projects/:id/pipelines/:pipeline_id/test_report_summary",
        Guard::ProjectReader,
        summary,
    ),
];

fn report(ctx: &Ctx<'_>) -> Answer {
    let pipeline = pipeline(ctx)?;
    let state = ctx.state();
    let suites = test_reports::of_pipeline(&state, pipeline);
    let mut entity = numbers(&suites);
    entity["test_suites"] = suites
        .iter()
        .map(|suite| {
            let mut entity = numbers(std::slice::from_ref(suite));
            entity["name"] = json!(suite.name);
            entity["suite_error"] = json!(suite.error);
            let cases = suite.cases.iter().filter(|_| suite.error.is_none());
            entity["test_cases"] = cases.map(|test| case(ctx, &state, test)).collect();
            entity
        })
        .collect();
    Ok(Response::ok(&entity))
}

fn summary(ctx: &Ctx<'_>) -> Answer {
    let pipeline = pipeline(ctx)?;
    let suites = test_reports::of_pipeline(&ctx.state(), pipeline);
    let all = numbers(&suites);
    let list: Vec<Value> = suites
        .iter()
        .map(|suite| {
            let mut entity = numbers(std::slice::from_ref(suite));
            entity["name"] = json!(suite.name);
            entity["build_ids"] = json!(suite.jobs);
            entity["suite_error"] = json!(suite.error);
            entity
        })
        .collect();
    Ok(Response::ok(&json!({
        "total": {
            "time": all["total_time"],
            "count": all["total_count"],
            "success": all["success_count"],
            "failed": all["failed_count"],
            "skipped": all["skipped_count"],
            "error": all["error_count"],
            "suite_error": suites.iter().find_map(|suite| suite.error.as_ref()),
        },
        "test_suites": list,
    })))
}

fn pipeline(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    ci_access::check_reader(ctx)?;
    let state = ctx.state();
    let found = state.pipelines.get(ctx.path_number("pipeline_id")?);
    found
        .filter(|pipeline| pipeline.project_id == ctx.project())
        .map(|pipeline| pipeline.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn numbers(suites: &[Suite]) -> Value {
    let count = |verdict| {
        suites
            .iter()
            .map(|suite| suite.count(verdict))
            .sum::<usize>()
    };
    json!({
        "total_time": suites.iter().map(|suite| suite.seconds).sum::<f64>(),
        "total_count": suites.iter().map(Suite::total).sum::<usize>(),
        "success_count": count(Verdict::Success),
        "failed_count": count(Verdict::Failed),
        "skipped_count": count(Verdict::Skipped),
        "error_count": count(Verdict::Error),
    })
}

fn case(ctx: &Ctx<'_>, state: &State, test: &Case) -> Value {
    let mut entity = json!({
        "status": test.verdict.as_str(),
        "name": test.name.as_deref().unwrap_or("(No name)"),
        "classname": test.class,
        "file": test.file,
        "execution_time": test.seconds,
        "system_output": test.output,
        "stack_trace": Value::Null,
        "recent_failures": Value::Null,
    });
    if let Some(path) = &test.attachment {
        let project = state.project_url(ctx.url(), ctx.project());
        entity["attachment_url"] = json!(format!(
            "{project}/-/jobs/{}/artifacts/file/{path}",
            test.job
        ));
    }
    entity
}
