//! One request from arrival to answer: caller, guard, parameters, handler; `answering` adds faults, headers and the log.

mod answering;

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use self::answering::logged;
use crate::api::{self, avatars};
use crate::auth::{self, Caller};
use crate::clock;
use crate::ctx::Ctx;
use crate::engine;
use crate::errors::ApiError;
use crate::graphql;
use crate::lfs;
use crate::message::{Request, Response, decoded_segments};
use crate::pages;
use crate::params::Params;
use crate::replica;
use crate::request_log::{JobName, RequestEntry, Who};
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
    // Only downloads are sent there; what an upload is answered comes from here.
    let response = match shared.object_storage.get() {
        Some(storage) if request.method == "GET" => storage.instead_of(route.pattern, response),
        Some(_) | None => response,
    };
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
