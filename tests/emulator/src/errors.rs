//! The errors of the API, in the shapes GitLab gives them.

use serde_json::{Map, Value, json};

use crate::git::GitError;
use crate::message::Response;

/// What a handler answers instead of a result: a status and the JSON body that goes with it.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Set when the request asked for something the emulator does not have; such requests are listed loudly.
    pub(crate) unknown: Option<String>,
    /// A header that goes with it, in a box because hardly any error has one.
    header: Option<Box<(&'static str, String)>>,
}

impl ApiError {
    /// `{"message": "..."}` with any status.
    pub(crate) fn message(status: u16, text: impl Into<String>) -> Self {
        Self::body(status, json!({ "message": text.into() }))
    }

    /// `{"error": "..."}`, the shape of parameter validation and missing routes.
    pub(crate) fn error(status: u16, text: impl Into<String>) -> Self {
        Self::body(status, json!({ "error": text.into() }))
    }

    /// Any body.
    pub(crate) fn body(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            unknown: None,
            header: None,
        }
    }

    /// `301` to the address of what has moved.
    pub(crate) fn moved(location: String) -> Self {
        let text = format!("This resource has been moved permanently to {location}");
        Self::message(301, text).with("location", location)
    }

    /// The same error with a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some(Box::new((name, value.into())));
        self
    }

    /// `404 Variable Not Found`, for `not_found("Variable")`.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::message(404, format!("404 {what} Not Found"))
    }

    /// `404 Not found`, where GitLab names no object.
    pub(crate) fn not_found_plain() -> Self {
        Self::message(404, "404 Not found")
    }

    /// `401 Unauthorized`.
    pub(crate) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    /// `403 Forbidden`.
    pub(crate) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    /// `403 Forbidden - reason`.
    pub(crate) fn forbidden_because(reason: &str) -> Self {
        Self::message(403, format!("403 Forbidden - {reason}"))
    }

    /// `400 Bad request - reason`.
    pub(crate) fn bad_request(reason: &str) -> Self {
        Self::message(400, format!("400 Bad request - {reason}"))
    }

    /// `409 Conflict: reason`.
    pub(crate) fn conflict(reason: &str) -> Self {
        Self::message(409, format!("409 Conflict: {reason}"))
    }

    /// `{"message": ["..."]}`.
    pub(crate) fn messages(status: u16, texts: &[&str]) -> Self {
        Self::body(status, json!({ "message": texts }))
    }

    /// `500 Internal Server Error`.
    pub(crate) fn internal() -> Self {
        Self::message(500, "500 Internal Server Error")
    }

    /// Marks the error as something the emulator lacks.
    pub(crate) fn unknown(mut self, what: impl Into<String>) -> Self {
        self.unknown = Some(what.into());
        self
    }

    /// The message without the JSON around it.
    pub(crate) fn text(&self) -> String {
        let message = self.body.get("message").or(self.body.get("error"));
        let first = message.map(|message| message.get(0).unwrap_or(message));
        match first {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => self.status.to_string(),
        }
    }

    /// Turns the error into its answer.
    pub(crate) fn into_response(self) -> Response {
        let response = Response::json(self.status, &self.body);
        match self.header.map(|header| *header) {
            Some((name, value)) => response.with(name, value),
            None => response,
        }
    }
}

/// A failure of git that a handler has no better answer for.
impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        Self::message(500, format!("500 Internal Server Error: {error}"))
    }
}

/// Validation errors by attribute: `{"message": {"key": ["has already been taken"]}}`.
#[derive(Debug, Default)]
pub(crate) struct Invalid(Map<String, Value>);

impl Invalid {
    /// Adds one message to an attribute (`base` for the object as a whole).
    pub(crate) fn add(&mut self, attribute: &str, message: impl Into<String>) {
        let list = self.0.entry(attribute).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(Value::String(message.into()));
        }
    }

    /// True while nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first message as a sentence: `name has already been taken`.
    pub(crate) fn first(&self) -> Option<String> {
        let (attribute, messages) = self.0.iter().next()?;
        Some(format!("{attribute} {}", messages.get(0)?.as_str()?))
    }

    /// `400` with all messages, or success when there are none.
    pub(crate) fn check(self) -> Result<(), ApiError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(ApiError::body(400, json!({ "message": self.0 })))
        }
    }
}
