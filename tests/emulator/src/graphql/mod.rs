//! `/api/graphql`: GitLab's second API over the same state.
//!
//! The way of a query: `request` reads it -> `document` parses it -> `validate` compares it with `schema` -> `coerce` gives its
//! variables their types -> `complexity` weighs it -> `execute` walks it over `objects`. The types are in `families`, one file per
//! family; lists and changes ask the handlers of the REST API through `internal`, so that there is one rule for both.

mod coerce;
mod complexity;
mod document;
mod errors;
mod execute;
mod families;
mod internal;
mod introspection;
mod objects;
mod pages;
mod request;
mod schema;
mod schema_text;
mod validate;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::complexity::Measure;
use self::errors::QueryError;
use self::execute::Execution;
use self::objects::World;
use self::request::Query;
use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::message::{Request, Response};
use crate::router::Answer;
use crate::shared::Shared;

/// Serves a query, or several at once.
pub(crate) fn serve(
    shared: &Shared,
    request: &Request,
    caller: Result<Caller, ApiError>,
    unknown: &mut Option<String>,
) -> Answer {
    let refused = |status: u16, text: &str| {
        Err(ApiError::body(
            status,
            json!({ "errors": [{ "message": text }] }),
        ))
    };
    let caller = match caller {
        Ok(caller) if auth::check_api_scope(&caller, "GET").is_ok() => caller,
        Err(error) if error.status == 403 => {
            return refused(403, "API not accessible for user");
        }
        Ok(_) | Err(_) => return refused(401, "Invalid token"),
    };
    let (queries, several) = match request::read(request) {
        Ok(read) => read,
        Err(refusal) => return refused(refusal.status, &refusal.message),
    };
    crate::engine::settle(shared);
    let mut answers = Vec::new();
    let mut missing = Vec::new();
    for query in &queries {
        let (answer, errors) = answered(shared, request, &caller, query);
        answers.push(answer);
        missing.extend(errors.iter().filter_map(QueryError::missing));
    }
    if !missing.is_empty() {
        *unknown = Some(missing.join("; "));
    }
    let body = if several {
        Value::Array(answers)
    } else {
        answers.pop().unwrap_or_default()
    };
    Ok(Response::ok(&body))
}

fn answered(
    shared: &Shared,
    request: &Request,
    caller: &Caller,
    query: &Query,
) -> (Value, Vec<QueryError>) {
    let (data, errors) = match run(shared, request, caller, query) {
        Ok((data, errors)) => (Some(data), errors),
        Err(errors) => (None, errors),
    };
    let mut answer = Map::new();
    if !errors.is_empty() {
        let list: Vec<Value> = errors.iter().map(QueryError::json).collect();
        answer.insert("errors".to_owned(), json!(list));
    }
    if let Some(data) = data {
        answer.insert("data".to_owned(), data);
    }
    (Value::Object(answer), errors)
}

fn run(
    shared: &Shared,
    request: &Request,
    caller: &Caller,
    query: &Query,
) -> Result<(Value, Vec<QueryError>), Vec<QueryError>> {
    let alone = |error: QueryError| vec![error];
    let parsed = document::parse(&query.text).map_err(alone)?;
    let operations = document::operations(&parsed).map_err(alone)?;
    let fragments = document::fragments(&parsed);
    let wrong = validate::document(&query.text, &operations, &fragments);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let operation = document::chosen(&operations, query.operation.as_deref()).map_err(alone)?;
    let variables = coerce::variables(operation.variables, &query.variables)?;
    let measure = Measure {
        fragments: &fragments,
        variables: &variables,
    };
    let (most, deepest) = limits(shared, caller, operation.name);
    let (score, depth) = (
        measure.complexity(&operation),
        measure.depth(operation.selection),
    );
    if score > most {
        return Err(alone(QueryError::new(format!(
            "Query has complexity of {score}, which exceeds max complexity of {most}"
        ))));
    }
    if depth > deepest {
        return Err(alone(QueryError::new(format!(
            "Query has depth of {depth}, which exceeds max depth of {deepest}"
        ))));
    }
    let world = World {
        shared,
        request,
        caller,
        complexity: (score, most),
        known: RefCell::new(BTreeMap::new()),
    };
    let mut execution = Execution {
        world: &world,
        fragments: &fragments,
        variables: &variables,
        errors: Vec::new(),
        path: Vec::new(),
    };
    let data = execution.run(operation.root(), operation.selection);
    Ok((data, execution.errors))
}

/// The highest complexity and depth for a caller.
fn limits(shared: &Shared, caller: &Caller, operation: Option<&str>) -> (u64, u64) {
    match caller.user() {
        Some(user) => {
            let state = shared.state();
            let admin = state.users.get(user).is_some_and(|user| user.admin);
            (if admin { 300 } else { 250 }, 20)
        }
        None if operation == Some("IntrospectionQuery") => (217, 15),
        None => (200, 15),
    }
}
