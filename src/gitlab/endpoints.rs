//! Endpoints that the `gitlab` crate lacks, or has in a form that some proxies drop (a body on GET), and pages of lists.

use std::borrow::Cow;

use gitlab::api::endpoint_prelude::{BodyError, Endpoint, JsonParams, Method, QueryParams};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What may stand in one segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A plain GET with query parameters.
pub(super) struct Get {
    path: String,
    query: Vec<(&'static str, String)>,
}

impl Get {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            query: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }
}

impl Endpoint for Get {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.extend(
            self.query
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        parameters
    }
}

/// A plain DELETE with query parameters.
pub(super) struct Delete(Get);

impl Delete {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self(Get::new(path))
    }

    pub(super) fn with(self, name: &'static str, value: impl ToString) -> Self {
        Self(self.0.with(name, value))
    }
}

impl Endpoint for Delete {
    fn method(&self) -> Method {
        Method::DELETE
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.0.endpoint()
    }

    fn parameters(&self) -> QueryParams<'_> {
        self.0.parameters()
    }
}

/// A plain POST without a body.
pub(super) struct Post {
    path: String,
}

impl Post {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl Endpoint for Post {
    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }
}

/// A request whose body is JSON.
pub(super) struct Json {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Endpoint for Json {
    fn method(&self) -> Method {
        self.method.clone()
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        JsonParams::into_body(&self.body)
    }
}

/// One page of any list.
pub(super) struct Page<E> {
    pub(super) of: E,
    pub(super) number: u64,
}

impl<E: Endpoint> Endpoint for Page<E> {
    fn method(&self) -> Method {
        self.of.method()
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.of.endpoint()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = self.of.parameters();
        parameters
            .push("per_page", 100u64)
            .push("page", self.number);
        parameters
    }
}

/// A query of GitLab's GraphQL API.
pub(super) struct Graph {
    pub(super) query: Cow<'static, str>,
    pub(super) variables: Value,
}

impl Endpoint for Graph {
    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Cow<'static, str> {
        "graphql".into()
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        JsonParams::into_body(
            &serde_json::json!({"query": self.query, "variables": self.variables}),
        )
    }
}

/// Starts a pipeline by a trigger token. Sent as a form: JSON bodies were reported to fail on this endpoint.
pub(super) struct Trigger<'a> {
    pub(super) project: &'a str,
    pub(super) reference: &'a str,
    pub(super) token: &'a str,
    /// Inputs that have a value.
    pub(super) inputs: &'a [(&'static str, Option<String>)],
}

impl Endpoint for Trigger<'_> {
    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("projects/{}/trigger/pipeline", self.project).into()
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        let mut form = gitlab::api::FormParams::default();
        form.push("token", self.token).push("ref", self.reference);
        for (name, value) in self.inputs {
            form.push_opt(*name, value.as_deref());
        }
        form.into_body()
    }
}
