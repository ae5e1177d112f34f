//! `POST /api/graphql`: a small executor for the fields that clients of merge requests and pipelines read.
//!
//! `parse` reads the query language (one operation, variables, arguments, aliases; no fragments, no directives), `execute` walks a
//! selection over the objects of `types`. A field that is not listed there is an error that names it.

mod execute;
mod merge_requests;
mod pages;
mod parse;
mod pipelines;
mod types;

use serde_json::{Map, Value, json};

use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::message::{Request, Response};
use crate::router::Answer;
use crate::shared::Shared;

/// Serves one query.
pub(crate) fn serve(shared: &Shared, request: &Request, caller: Caller) -> Answer {
    // Queries only read.
    auth::check_api_scope(&caller, "GET")?;
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_error| ApiError::body(400, errors("Unexpected end of document")))?;
    let query = body["query"].as_str().unwrap_or_default();
    if query.len() > 10_000 {
        return Err(ApiError::body(400, errors("Query too large")));
    }
    let variables = body["variables"].as_object().cloned().unwrap_or_default();
    crate::engine::settle(shared);
    match run(shared, &caller, query, &variables) {
        Ok(data) => Ok(Response::ok(&json!({ "data": data }))),
        // GitLab answers 200; the request is listed, because what is refused here may be there on a real server.
        Err(error) => Err(ApiError::body(200, errors(&error)).unknown(format!("GraphQL: {error}"))),
    }
}

fn run(
    shared: &Shared,
    caller: &Caller,
    query: &str,
    variables: &Map<String, Value>,
) -> Result<Value, String> {
    let parsed = parse::query(query, variables)?;
    let commits = types::commits_of_merge_requests(shared, &parsed);
    let state = shared.state();
    let world = types::World {
        state: &state,
        url: &shared.url,
        user: caller.user(),
        commits: &commits,
    };
    execute::root(&world, &parsed)
}

fn errors(text: &str) -> Value {
    json!({ "errors": [{ "message": text }] })
}
