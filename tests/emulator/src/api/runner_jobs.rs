//! Jobs for outside runners: one is asked for, its trace arrives in pieces, and its end is told.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::job_payload::{self, FAILURE_REASONS};
use super::runner_auth;
use crate::ctx::Ctx;
use crate::engine::finish::{Outcome, finish};
use crate::engine::queue::{self, Taker};
use crate::engine::variables::Server;
use crate::engine::{self, addresses};
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, hash, integer, patch, post, put, string};
use crate::store::State;
use crate::store::jobs::Taken;

/// How many seconds a runner waits between two pieces of a trace.
const UPDATE_INTERVAL: &str = "3";
/// More of a trace is refused, and fails the job.
const MAX_TRACE: usize = 100 * 1024 * 1024;

pub(super) const ROUTES: &[Route] = &[
    post("jobs/request", Guard::Open, request).params(&[
        string("token").required(),
        string("system_id"),
        string("last_update"),
        hash("info", &[]),
        hash("session", &[]),
        integer("job_age"),
    ]),
    put("jobs/:id", Guard::Open, update).params(&[
        string("token"),
        string("state"),
        string("checksum"),
        string("failure_reason"),
        hash("output", &["checksum", "bytesize"]),
        integer("exit_code"),
        hash("info", &[]),
    ]),
    patch("jobs/:id/trace", Guard::Open, append)
        .params(&[string("token"), boolean("debug_trace")])
        .raw_body(),
];

fn request(ctx: &Ctx<'_>) -> Answer {
    engine::settle(ctx.shared);
    let now = ctx.now();
    let features = ctx
        .value("info")
        .map(|info| info["features"].clone())
        .unwrap_or_default();
    let given = {
        let mut state = ctx.state();
        let runner_id = runner_auth::runner(ctx, &mut state)?;
        let manager_id = runner_auth::manager(ctx, &mut state, runner_id);
        let taker = Taker {
            runner_id,
            manager_id: Some(manager_id),
            features: Some(&features),
        };
        loop {
            let runner = state.runners.get(runner_id);
            let Some(job) = runner.and_then(|runner| queue::next_for(&state, runner)) else {
                break Err(nothing(&state, runner_id));
            };
            // A job that cannot run there has failed by now, and the next one has its turn.
            if let Some(taken) = queue::take(Server::from(ctx.shared), &mut state, job, &taker, now)
            {
                break Ok(taken);
            }
        }
    };
    engine::settle(ctx.shared);
    Ok(match given {
        Ok(taken) => Response::created(&job_payload::payload(ctx.shared, &taken)),
        Err(nothing) => nothing,
    })
}

/// `204`, with a value that changes when there is reason to ask again.
fn nothing(state: &State, runner: u64) -> Response {
    let mut digest = Sha256::new();
    digest.update(runner.to_le_bytes());
    for job in queue::waiting(state) {
        digest.update(job.id.to_le_bytes());
    }
    let value: String = digest
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Response::no_content().with("x-gitlab-last-update", value)
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    {
        let mut state = ctx.state();
        let id = match runner_auth::own_job(ctx, &mut state, now) {
            Ok(id) => id,
            Err(refused) => return Ok(refused.answer()),
        };
        let outcome = match ctx.string("state") {
            Some("success") => Outcome::Success,
            Some("failed") => Outcome::Failed {
                reason: reason(ctx.string("failure_reason")),
                exit_code: ctx
                    .integer("exit_code")
                    .and_then(|code| i32::try_from(code).ok()),
            },
            Some("running") | None => {
                let status = state
                    .jobs
                    .get(id)
                    .map_or("running", |job| job.status.as_str());
                return Ok(acknowledged(200).with("job-status", status));
            }
            Some(_) => return Ok(acknowledged(400)),
        };
        if outcome == Outcome::Success {
            addresses::tell(Server::from(ctx.shared), &mut state, id, now);
        }
        finish(&mut state, id, &outcome, now);
    }
    engine::settle(ctx.shared);
    Ok(acknowledged(200))
}

fn acknowledged(status: u16) -> Response {
    Response::bytes(status, "application/json", Value::from(status).to_string())
        .with("x-gitlab-trace-update-interval", UPDATE_INTERVAL)
}

fn reason(given: Option<&str>) -> &'static str {
    FAILURE_REASONS
        .iter()
        .copied()
        .find(|known| given == Some(*known))
        .unwrap_or("unknown_failure")
}

fn append(ctx: &Ctx<'_>) -> Answer {
    let now = ctx.now();
    let mut state = ctx.state();
    let id = match runner_auth::own_job(ctx, &mut state, now) {
        Ok(id) => id,
        Err(refused) => return Ok(refused.answer()),
    };
    let range = ctx.request.header("content-range");
    let range = range.ok_or_else(|| ApiError::error(400, "400 Missing header Content-Range"))?;
    let mut numbers = range
        .split('-')
        .map(|number| number.trim().parse::<usize>());
    let start = numbers.next().and_then(Result::ok).unwrap_or(0);
    let last = numbers.next().and_then(Result::ok);
    let bytes = &ctx.request.body;
    let job = state.jobs.get_mut(id).ok_or_else(ApiError::forbidden)?;
    let taken = job.taken.as_mut().ok_or_else(ApiError::forbidden)?;
    let size = taken.trace_bytes;
    let whole = last.is_none_or(|last| last + 1 == start + bytes.len());
    if start != size || !whole {
        let range = format!("0-{size}");
        return Ok(ApiError::error(416, "416 Range Not Satisfiable")
            .into_response()
            .with("range", range));
    }
    if size + bytes.len() > MAX_TRACE {
        let outcome = Outcome::Failed {
            reason: "trace_size_exceeded",
            exit_code: None,
        };
        finish(&mut state, id, &outcome, now);
        drop(state);
        engine::settle(ctx.shared);
        return Err(ApiError::error(403, "403 Forbidden"));
    }
    let text = decoded(taken, bytes);
    job.trace.push_str(&text);
    let status = job.status.as_str();
    Ok(
        Response::bytes(202, "text/plain", format!("0-{}", size + bytes.len()))
            .with("job-status", status)
            .with("range", format!("0-{}", size + bytes.len()))
            .with("x-gitlab-trace-update-interval", UPDATE_INTERVAL),
    )
}

/// More text of a trace; a character whose rest is missing waits for the next piece.
fn decoded(taken: &mut Taken, bytes: &[u8]) -> String {
    taken.trace_bytes += bytes.len();
    let mut held = std::mem::take(&mut taken.trace_rest);
    held.extend_from_slice(bytes);
    if let Err(error) = std::str::from_utf8(&held) {
        let end = held.len();
        let cut = end.saturating_sub(3);
        // Only the last few bytes can be the beginning of a character.
        let open = error.error_len().is_none().then_some(error.valid_up_to());
        if let Some(at) = open.filter(|at| *at >= cut) {
            taken.trace_rest = held.split_off(at);
        }
    }
    String::from_utf8_lossy(&held).into_owned()
}
