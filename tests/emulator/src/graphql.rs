//! `POST /api/graphql`: the small part of GitLab's GraphQL that tells what REST does not. What is not served is an error that
//! names the field, never a null.

mod query;
mod resolve;

use serde_json::{Value, json};

use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::message::{Request, Response};
use crate::shared::Shared;

/// Answers a query. GraphQL reports its own errors with status 200.
pub(crate) fn serve(
    shared: &Shared,
    request: &Request,
    caller: &Caller,
) -> Result<Response, ApiError> {
    if request.method != "POST" {
        return Err(ApiError::error(404, "404 Not Found"));
    }
    auth::check_api_scope(caller, "GET")?;
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| ApiError::message(400, "Unexpected end of document"))?;
    let text = body["query"].as_str().unwrap_or_default();
    let answer = match query::parse(text, &body["variables"]) {
        Ok(fields) => match resolve::root(shared, caller.user(), &fields) {
            Ok(data) => json!({ "data": data }),
            Err(message) => failure(&message),
        },
        Err(message) => failure(&message),
    };
    Ok(Response::json(200, &answer))
}

fn failure(message: &str) -> Value {
    json!({ "errors": [{ "message": message }] })
}
