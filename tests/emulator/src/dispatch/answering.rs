//! What every answer passes: faults before and after the work, errors and panics turned into answers, headers, the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Asker, Served};
use crate::errors::ApiError;
use crate::faults::{Arrival, Effect};
use crate::fingerprint;
use crate::message::{Request, Response};
use crate::rate_limit::Standing;
use crate::request_log::{RequestEntry, without_tokens};
use crate::router::Answer;
use crate::shared::Shared;

/// Applies faults, turns errors and panics into answers, and writes the log entry.
pub(super) fn logged(
    shared: &Shared,
    request: &Request,
    route: Option<&str>,
    asker: Asker,
    work: impl FnOnce(&Shared, &mut RequestEntry) -> Answer,
) -> Served {
    let fault = shared.faults.on_request(&Arrival {
        method: &request.method,
        route,
        who: &asker.who,
        job: asker.job.as_ref(),
    });
    let mut entry = RequestEntry {
        number: request.number,
        method: request.method.clone(),
        route: route.map(str::to_owned),
        path: without_tokens(&request.path, &request.query),
        status: 0,
        who: asker.who,
        job: asker.job,
        unknown: None,
        ignored: Vec::new(),
        fault: fault.as_ref().map(|effect| effect.name().to_owned()),
        changed: None,
    };
    let api = request.segments.first().is_some_and(|first| first == "api");
    let standing = if api {
        shared.rate_limit.count(&entry.who, shared.clock.now())
    } else {
        None
    };
    let refused = standing.as_ref().and_then(Standing::refusal);
    let answered = fault.as_ref().and_then(substitute).or(refused);
    let before = matches!(fault, Some(Effect::ResetBefore));
    let killed = matches!(fault, Some(Effect::Kill));
    let untouched = killed.then(|| fingerprint::of(shared).ok()).flatten();
    let response = match answered {
        Some(response) => response,
        None if before => Response::no_content(),
        None => run(shared, &mut entry, work),
    };
    if killed {
        let now = fingerprint::of(shared).ok();
        entry.changed = Some(untouched.is_none() || untouched != now);
    }
    let reset = before || killed || matches!(fault, Some(Effect::ResetAfter));
    entry.status = if before { 0 } else { response.status };
    if let Some(what) = &entry.unknown {
        shared
            .report
            .say(&format!("{what} (request {})", entry.number));
    }
    let (who, job) = (entry.who.clone(), entry.job.clone());
    shared.log.add(entry);
    if killed {
        shared.faults.kill(&who, job.as_ref());
    }
    if reset {
        return Served::Reset;
    }
    let response = match &standing {
        Some(standing) => standing.told(response),
        None => response,
    };
    let response = finished(request, response);
    if matches!(fault, Some(Effect::CutShort)) {
        Served::CutShort(response)
    } else {
        Served::Answer(response)
    }
}

fn run(
    shared: &Shared,
    entry: &mut RequestEntry,
    work: impl FnOnce(&Shared, &mut RequestEntry) -> Answer,
) -> Response {
    if shared.is_damaged() {
        shared.report.say("an earlier request panicked while it changed the state; nothing can be trusted any more");
        return ApiError::internal().into_response();
    }
    match catch_unwind(AssertUnwindSafe(|| work(shared, entry))) {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            entry.unknown.clone_from(&error.unknown);
            error.into_response()
        }
        Err(_panic) => {
            shared
                .report
                .say(&format!("{} {} panicked", entry.method, entry.path));
            ApiError::internal().into_response()
        }
    }
}

fn substitute(effect: &Effect) -> Option<Response> {
    match effect {
        Effect::Answer { status, body } => Some(Response::json(*status, body)),
        Effect::Html { status } => {
            let page = format!(
                "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
            );
            Some(Response::bytes(*status, "text/html", page))
        }
        Effect::TooManyRequests { retry_after } => {
            let error = ApiError::body(
                429,
                json!({ "message": { "error": "This endpoint has been requested too many times. Try again later." } }),
            );
            let error = match retry_after {
                Some(seconds) => error.with("retry-after", seconds.to_string()),
                None => error,
            };
            Some(error.into_response())
        }
        Effect::Delay { .. }
        | Effect::ResetBefore
        | Effect::ResetAfter
        | Effect::CutShort
        | Effect::Kill
        | Effect::Rendezvous { .. }
        | Effect::Phantom => None,
    }
}

/// The headers every answer has, and `304` for a client that already holds the content.
fn finished(request: &Request, response: Response) -> Response {
    let is_json = response
        .headers
        .iter()
        .any(|(name, value)| *name == "content-type" && value == "application/json");
    let mut response = response
        .with("x-request-id", format!("request-{}", request.number))
        .with("x-runtime", "0.010000")
        .with(
            "x-gitlab-meta",
            format!(
                "{{\"correlation_id\":\"request-{}\",\"version\":\"1\"}}",
                request.number
            ),
        );
    if request.method != "GET" || response.status != 200 || !is_json {
        return response;
    }
    let digest: String = Sha256::digest(&response.body)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("W/\"{digest}\"");
    if request.header("if-none-match") == Some(tag.as_str()) {
        response.status = 304;
        response.body.clear();
        response.headers.retain(|(name, _)| *name != "content-type");
    }
    response
        .with("etag", tag)
        .with("cache-control", "max-age=0, private, must-revalidate")
}
