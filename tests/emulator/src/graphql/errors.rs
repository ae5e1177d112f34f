//! The errors of a query as GraphQL writes them.

use graphql_parser::Pos;
use serde_json::{Value, json};

/// One error.
#[derive(Debug, Clone)]
pub(super) struct QueryError(Box<Parts>);

#[derive(Debug, Clone, Default)]
struct Parts {
    message: String,
    at: Option<Pos>,
    path: Option<Vec<Value>>,
    extensions: Option<Value>,
    /// Set when a real GitLab might have what was asked for.
    unknown: Option<String>,
}

impl QueryError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            message: message.into(),
            ..Parts::default()
        }))
    }

    /// Where in the text.
    pub(super) fn at(mut self, at: Pos) -> Self {
        self.0.at = Some(at);
        self
    }

    /// Where in the query or the answer.
    pub(super) fn path(mut self, path: &[Value]) -> Self {
        self.0.path = Some(path.to_vec());
        self
    }

    /// What a program can read.
    pub(super) fn extensions(mut self, extensions: Value) -> Self {
        self.0.extensions = Some(extensions);
        self
    }

    /// Marks what the emulator may lack.
    pub(super) fn unknown(mut self) -> Self {
        self.0.unknown = Some(format!("GraphQL: {}", self.0.message));
        self
    }

    /// Marks what the emulator is known to lack.
    pub(super) fn lacking(mut self, what: Option<String>) -> Self {
        self.0.unknown = what;
        self
    }

    /// What the emulator lacks, or may lack.
    pub(super) fn missing(&self) -> Option<String> {
        self.0.unknown.clone()
    }

    /// The error in an answer.
    pub(super) fn json(&self) -> Value {
        let mut error = json!({ "message": self.0.message });
        if let Some(at) = self.0.at {
            error["locations"] = json!([{ "line": at.line, "column": at.column }]);
        }
        if let Some(path) = &self.0.path {
            error["path"] = json!(path);
        }
        if let Some(extensions) = &self.0.extensions {
            error["extensions"] = extensions.clone();
        }
        error
    }
}
