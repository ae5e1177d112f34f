//! The errors of a query as GraphQL writes them.

use graphql_parser::Pos;
use serde_json::{Value, json};

/// One error.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryError {
    message: String,
    at: Option<Pos>,
    path: Option<Vec<Value>>,
    extensions: Option<Value>,
    /// Set when a real GitLab might have what was asked for.
    pub(super) unknown: Option<String>,
}

impl QueryError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Where in the text.
    pub(super) fn at(mut self, at: Pos) -> Self {
        self.at = Some(at);
        self
    }

    /// Where in the query or the answer.
    pub(super) fn path(mut self, path: &[Value]) -> Self {
        self.path = Some(path.to_vec());
        self
    }

    /// What a program can read.
    pub(super) fn extensions(mut self, extensions: Value) -> Self {
        self.extensions = Some(extensions);
        self
    }

    /// Marks what the emulator may lack.
    pub(super) fn unknown(mut self) -> Self {
        self.unknown = Some(format!("GraphQL: {}", self.message));
        self
    }

    /// Marks what the emulator is known to lack.
    pub(super) fn lacking(mut self, what: Option<String>) -> Self {
        self.unknown = what;
        self
    }

    /// The error in an answer.
    pub(super) fn json(&self) -> Value {
        let mut error = json!({ "message": self.message });
        if let Some(at) = self.at {
            error["locations"] = json!([{ "line": at.line, "column": at.column }]);
        }
        if let Some(path) = &self.path {
            error["path"] = json!(path);
        }
        if let Some(extensions) = &self.extensions {
            error["extensions"] = extensions.clone();
        }
        error
    }
}
