//! From an HTTP request to the queries it carries: JSON, a form or the address, one query or several.

use serde_json::{Map, Value};

use super::document;
use crate::message::Request;
use crate::params::Params;

/// The longest text of all queries together, in characters.
const MAX_SIZE: usize = 10_000;

/// One query with its variables.
pub(super) struct Query {
    pub(super) text: String,
    pub(super) variables: Map<String, Value>,
    pub(super) operation: Option<String>,
}

/// A request that is no query.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

/// The queries of a request, and whether they came as a list.
pub(super) fn read(request: &Request) -> Result<(Vec<Query>, bool), Refusal> {
    let refused = |status: u16, message: &str| Refusal {
        status,
        message: message.to_owned(),
    };
    let body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(list @ Value::Array(_)) => list,
        Ok(_) | Err(_) => match Params::read(request, false) {
            Ok(params) => Value::Object(params.values),
            Err(error) => return Err(refused(error.status, "Problem parsing JSON")),
        },
    };
    let list = body.get("_json").unwrap_or(&body);
    let several = list.is_array();
    let single = [list.clone()];
    let items = list.as_array().map_or(single.as_slice(), Vec::as_slice);
    let queries: Vec<Query> = items.iter().map(query).collect::<Result<_, _>>()?;
    let size: usize = queries.iter().map(|query| query.text.chars().count()).sum();
    if size > MAX_SIZE {
        return Err(refused(422, "Query too large"));
    }
    if request.method == "GET" && queries.iter().any(is_mutation) {
        return Err(refused(422, "Mutations are forbidden in GET requests"));
    }
    Ok((queries, several))
}

fn query(item: &Value) -> Result<Query, Refusal> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let invalid = || Refusal {
        status: 422,
        message: "Invalid variables".to_owned(),
    };
    let variables = match item.get("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables.clone(),
        Some(Value::String(text)) if text.trim().is_empty() => Map::new(),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_error| invalid())?,
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_)) => return Err(invalid()),
    };
    Ok(Query {
        text: text("query").unwrap_or_default(),
        variables,
        operation: text("operationName").filter(|name| !name.is_empty()),
    })
}

fn is_mutation(query: &Query) -> bool {
    let Ok(parsed) = document::parse(&query.text) else {
        return false;
    };
    let operations = document::operations(&parsed).unwrap_or_default();
    document::chosen(&operations, query.operation.as_deref())
        .is_ok_and(|operation| operation.mutation)
}
