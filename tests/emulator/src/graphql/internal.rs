//! The REST handlers, asked from inside: lists with their filters and every change go through them, so that there is one rule.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::objects::{Problem, World};
use crate::api;
use crate::auth;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::{Request, decoded_segments};
use crate::params::Params;
use crate::router;

/// Asks for one caller.
pub(super) struct Rest<'a> {
    world: &'a World<'a>,
}

impl<'a> Rest<'a> {
    pub(super) fn new(world: &'a World<'a>) -> Self {
        Self { world }
    }

    /// Makes a request and gives back its JSON; whatever changes something makes older answers worthless.
    pub(super) fn call(&self, method: &str, path: &str, params: Value) -> Result<Value, ApiError> {
        if method != "GET" {
            auth::check_api_scope(self.world.caller, method)?;
            self.world.known.borrow_mut().clear();
        }
        let version = self.world.shared.version;
        // Handlers look at the whole path: which kind of thing is commented stands there.
        let segments = decoded_segments(&format!("api/v4/{path}"));
        let found = router::find(api::ROUTES, version, method, &segments[2..])
            .map_err(|reason| router::unknown_route(&reason, method, path))?;
        let request = Request {
            number: self.world.request.number,
            method: method.to_owned(),
            path: format!("/api/v4/{path}"),
            segments,
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let caller = self.world.caller.clone();
        let guard = found.route.guard;
        let ctx = Ctx::guarded(self.world.shared, &request, caller, found.path, guard)?;
        let values = match params {
            Value::Object(values) => values,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        let mut params = Params {
            values,
            files: Vec::new(),
        };
        found.route.check_params(version, &mut params)?;
        let response = (found.route.handler)(&ctx.with_params(params))?;
        crate::engine::settle(self.world.shared);
        Ok(serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    /// A row of the REST API, asked once; absent when the caller may not see it.
    pub(super) fn show(&self, path: &str) -> Result<Rc<Value>, Problem> {
        if let Some(known) = self.world.known.borrow().get(path) {
            return Ok(Rc::clone(known));
        }
        let found = match self.call("GET", path, json!({})) {
            Ok(found) => found,
            Err(error) if matches!(error.status, 401 | 403 | 404) => Value::Null,
            Err(error) => return Err(refusal(&error)),
        };
        let found = Rc::new(found);
        let mut known = self.world.known.borrow_mut();
        known.insert(path.to_owned(), Rc::clone(&found));
        Ok(found)
    }

    /// A whole list of the REST API, page after page; empty when the caller may not see it.
    pub(super) fn list(&self, path: &str, filter: &Value) -> Result<Vec<Value>, Problem> {
        let mut all = Vec::new();
        for page in 1.. {
            let mut params = filter.clone();
            params["per_page"] = json!(100);
            params["page"] = json!(page);
            let rows = match self.call("GET", path, params) {
                Ok(Value::Array(rows)) => rows,
                Ok(_) => Vec::new(),
                Err(error) if matches!(error.status, 401 | 403 | 404) => Vec::new(),
                Err(error) => return Err(refusal(&error)),
            };
            let full = rows.len() == 100;
            all.extend(rows);
            if !full {
                break;
            }
        }
        Ok(all)
    }

    /// The ids of the rows of a whole list.
    pub(super) fn ids(&self, path: &str, filter: &Value) -> Result<Vec<u64>, Problem> {
        let rows = self.list(path, filter)?;
        Ok(rows.iter().filter_map(|row| row["id"].as_u64()).collect())
    }
}

/// An answer of the REST API that has no place in a payload.
pub(super) fn refusal(error: &ApiError) -> Problem {
    if matches!(error.status, 401 | 403 | 404) {
        return Problem::no_access();
    }
    Problem {
        message: sentences(error).join(", "),
        unknown: error.unknown.clone(),
    }
}

/// What an error of the REST API says, as sentences of their own.
pub(super) fn sentences(error: &ApiError) -> Vec<String> {
    let body = &error.body;
    let message = body.get("message").or_else(|| body.get("error"));
    match message {
        Some(Value::String(text)) => vec![without_status(text)],
        Some(Value::Array(texts)) => texts
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::Object(fields)) => fields
            .iter()
            .flat_map(|(field, texts)| {
                let texts = texts.as_array().cloned().unwrap_or_default();
                texts.into_iter().map(move |text| {
                    let text = text.as_str().unwrap_or_default().to_owned();
                    if field == "base" {
                        text
                    } else {
                        format!("{} {text}", humanized(field))
                    }
                })
            })
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => vec![body.to_string()],
    }
}

/// `400 Bad request - Branch missing` is `Branch missing`.
fn without_status(text: &str) -> String {
    let tail = text
        .strip_prefix("400 Bad request - ")
        .or_else(|| text.strip_prefix("409 Conflict: "))
        .unwrap_or(text);
    tail.to_owned()
}

/// `target_branch` is `Target branch`.
fn humanized(field: &str) -> String {
    let text = field.replace('_', " ");
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
