//! The `release:` keyword: what the release program of a real runner asks of the API, with the job token.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::dispatch::{self, Served};
use crate::engine::variables::{JobVariable, substituted_in};
use crate::message::{Request, decoded_segments};
use crate::shared::Shared;

/// Makes the release; the error is for the trace.
pub(super) fn create(
    shared: &Shared,
    keyword: &Value,
    variables: &BTreeMap<String, JobVariable>,
    dir: &Path,
) -> Result<(), String> {
    let text = |name: &str| {
        let variable = variables.get(name);
        variable.map_or("", |variable| variable.value.as_str())
    };
    let mut body = substituted_in(keyword, variables);
    if body.get("ref").is_none() {
        body["ref"] = Value::from(text("CI_COMMIT_SHA"));
    }
    // A description may be the name of a file that holds it.
    let file = body["description"].as_str().map(|name| dir.join(name));
    if let Some(content) = file.and_then(|file| std::fs::read_to_string(file).ok()) {
        body["description"] = Value::from(content);
    }
    let path = format!("/api/v4/projects/{}/releases", text("CI_PROJECT_ID"));
    let token = HeaderValue::from_str(text("CI_JOB_TOKEN")).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    headers.insert("job-token", token);
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let request = Request {
        number: shared.next_request(),
        method: "POST".to_owned(),
        segments: decoded_segments(&path),
        path,
        query: String::new(),
        headers,
        body: Bytes::from(body.to_string()),
    };
    match dispatch::serve(shared, &request) {
        Served::Answer(answer) if answer.status == 201 => Ok(()),
        Served::Answer(answer) => Err(String::from_utf8_lossy(&answer.body).into_owned()),
        Served::Reset | Served::CutShort(_) => Err("the connection was closed".to_owned()),
    }
}
