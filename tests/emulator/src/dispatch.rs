//! One request from arrival to answer: faults, caller, guard, parameters, handler, headers, log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{self, avatars};
use crate::auth::{self, Caller};
use crate::clock;
use crate::ctx::Ctx;
use crate::engine;
use crate::errors::ApiError;
use crate::faults::{Arrival, Effect};
use crate::graphql;
use crate::lfs;
use crate::message::{Request, Response, decoded_segments};
use crate::pages;
use crate::params::Params;
use crate::rate_limit::Standing;
use crate::replica;
use crate::request_log::{JobName, RequestEntry, Who, without_tokens};
use crate::router::{self, Answer, Match};
use crate::sandbox;
use crate::shared::Shared;
use crate::smart_http::{self, GitRequest};
use crate::store::State;
use crate::versions;

/// What the server does with a request.
pub(crate) enum Served {
    Answer(Response),
    /// The first half of an answer, then close the connection.
    CutShort(Response),
    /// Close the connection without a word.
    Reset,
}

/// Serves any request.
pub(crate) fn serve(shared: &Shared, request: &Request) -> Served {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["-", "sandbox", rest @ ..] => Served::Answer(sandbox::serve(shared, request, rest)),
        ["api", "v4", ..] => serve_api(shared, request),
        ["api", "graphql"] if ["GET", "POST"].contains(&request.method.as_str()) => {
            serve_graphql(shared, request)
        }
        _ if let Some(response) = lfs::refusal(request) => refuse_lfs(shared, request, response),
        _ => match GitRequest::parse(request) {
            Some(git) => serve_git(shared, request, &git),
            None => match (
                avatars::page(shared, request),
                pages::find(shared.version, request),
            ) {
                (Some(answer), _) => logged(shared, request, None, Asker::nobody(), |_, _| answer),
                (None, Some(found)) => serve_page(shared, request, found),
                (None, None) => unknown(shared, request),
            },
        },
    }
}

fn refuse_lfs(shared: &Shared, request: &Request, response: Response) -> Served {
    logged(shared, request, None, Asker::nobody(), |_, entry| {
        entry.unknown = Some("Git LFS is not implemented".to_owned());
        Ok(response)
    })
}

fn unknown(shared: &Shared, request: &Request) -> Served {
    let error = router::unknown_route(&router::NoRoute::Path, &request.method, &request.path);
    logged(shared, request, None, Asker::nobody(), |_, _| Err(error))
}

fn serve_api(shared: &Shared, request: &Request) -> Served {
    pass_time(shared);
    let found = router::find(
        api::ROUTES,
        shared.version,
        &request.method,
        &request.segments[2..],
    );
    let job_token_route = found.as_ref().is_ok_and(|found| found.route.job_token);
    let (caller, asker) = identified(shared, |state, now| {
        auth::api_caller(state, now, request, job_token_route)
    });
    match found {
        Err(reason) => {
            let error = router::unknown_route(&reason, &request.method, &request.path);
            logged(shared, request, None, asker, |_, _| Err(error))
        }
        Ok(found) => {
            let pattern = found.route.pattern;
            logged(shared, request, Some(pattern), asker, |shared, entry| {
                handle(shared, request, caller?, found, entry)
            })
        }
    }
}

fn serve_page(shared: &Shared, request: &Request, found: Match) -> Served {
    let (caller, asker) = identified(shared, |state, now| {
        auth::api_caller(state, now, request, found.route.job_token)
    });
    logged(shared, request, None, asker, |shared, entry| {
        handle(shared, request, caller?, found, entry)
    })
}

fn serve_graphql(shared: &Shared, request: &Request) -> Served {
    pass_time(shared);
    let (caller, asker) = identified(shared, |state, now| {
        auth::api_caller(state, now, request, false)
    });
    logged(shared, request, Some("graphql"), asker, |shared, entry| {
        graphql::serve(shared, request, caller, &mut entry.unknown)
    })
}

fn serve_git(shared: &Shared, request: &Request, git: &GitRequest) -> Served {
    let (caller, asker) = identified(shared, |state, now| auth::git_caller(state, now, request));
    logged(shared, request, Some(git.route()), asker, |shared, _| {
        smart_http::serve(shared, request, git, caller)
    })
}

/// Nobody asks twice about a state that a panic has left half changed.
fn pass_time(shared: &Shared) {
    if !shared.is_damaged() {
        engine::tick::tick(shared);
    }
}

/// Who asks, and from which running job.
struct Asker {
    who: Who,
    job: Option<JobName>,
}

impl Asker {
    fn nobody() -> Self {
        Self {
            who: Who::Anonymous,
            job: None,
        }
    }
}

fn identified(
    shared: &Shared,
    find: impl FnOnce(&State, jiff::Timestamp) -> Result<Caller, ApiError>,
) -> (Result<Caller, ApiError>, Asker) {
    let now = shared.clock.now();
    let mut state = shared.state();
    state.remove_expired_members(clock::day(now));
    state.remove_scheduled_environments(now);
    let caller = find(&state, now);
    if let Ok(Caller::User { token, .. }) = &caller {
        state.use_token(*token, now);
    }
    let who = caller
        .as_ref()
        .map_or(Who::Refused, |caller| caller.who(&state));
    let job = caller
        .as_ref()
        .ok()
        .and_then(|caller| running_job(shared, &state, caller));
    (caller, Asker { who, job })
}

fn running_job(shared: &Shared, state: &State, caller: &Caller) -> Option<JobName> {
    let id = match caller {
        Caller::Anonymous => None,
        Caller::Job { job, .. } => Some(job.job_id),
        Caller::User { token, .. } => {
            let secret = &state.tokens.get(*token)?.secret;
            shared.runs.only_bearer_of(secret)
        }
    };
    let job = state.jobs.get(id?)?;
    Some(JobName {
        id: job.id,
        name: job.name.clone(),
        pipeline_id: job.pipeline_id,
    })
}

fn handle(
    shared: &Shared,
    request: &Request,
    caller: Caller,
    found: Match,
    entry: &mut RequestEntry,
) -> Answer {
    let (user, now) = (caller.user(), shared.clock.now());
    let old = match request.method.as_str() {
        "GET" => shared.replica.seen_by(user, now),
        _ => {
            shared.replica.before_write(user, now, &shared.state());
            None
        }
    };
    let work = || handled(shared, request, caller, found);
    let (response, ignored) = match old {
        Some(old) => replica::reading(old, work),
        None => work(),
    }?;
    entry.ignored = ignored;
    Ok(response)
}

fn handled(
    shared: &Shared,
    request: &Request,
    caller: Caller,
    found: Match,
) -> Result<(Response, Vec<String>), ApiError> {
    let route = found.route;
    if !route.any_scope {
        auth::check_api_scope(&caller, route.method)?;
    }
    let before = route
        .may_move_projects()
        .then(|| shared.state().project_paths());
    let ctx = Ctx::guarded(shared, request, caller, found.path, route.guard)?;
    let mut params = Params::read(request, route.raw_body)?;
    let ignored = route.check_params(shared.version, &mut params)?;
    let response = (route.handler)(&ctx.with_params(params))?;
    if let Some(before) = before {
        shared.state().remember_former_paths(before);
    }
    Ok((versions::without_newer(shared.version, response), ignored))
}

/// What the API answers to a user from inside the server, where nothing is logged or goes wrong on purpose.
pub(crate) fn inside(shared: &Shared, user: u64, method: &str, path: &str, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let request = Request {
        number: shared.next_request(),
        method: method.to_owned(),
        path: format!("/api/v4/{path}"),
        segments: decoded_segments(path),
        query: String::new(),
        headers,
        body: body.to_string().into(),
    };
    let found = router::find(api::ROUTES, shared.version, method, &request.segments)
        .map_err(|reason| router::unknown_route(&reason, method, path))?;
    let caller = Caller::User {
        user,
        token: 0,
        scopes: vec!["api".to_owned()],
    };
    Ok(handled(shared, &request, caller, found)?.0)
}

/// Applies faults, turns errors and panics into answers, and writes the log entry.
fn logged(
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
    let response = match answered {
        Some(response) => response,
        None if before => Response::no_content(),
        None => run(shared, &mut entry, work),
    };
    let killed = matches!(fault, Some(Effect::Kill));
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
