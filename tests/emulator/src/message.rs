//! The plain request and answer between the HTTP server and the synchronous code behind it.

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One request, its path cut into segments that are decoded one by one (`group%2Fproject` is a single segment).
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) number: u64,
    /// `HEAD` has already become `GET`.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A header as text, if present and readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The pairs of the query string, decoded.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        urlencoded_pairs(&self.query)
    }
}

/// Segments of a raw path, each decoded; a trailing slash adds none.
pub(crate) fn decoded_segments(path: &str) -> Vec<String> {
    path.trim_matches('/')
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect()
}

/// The pairs of `a=1&b[]=2`, in order, `+` meaning a space.
pub(crate) fn urlencoded_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                decode(&name.replace('+', " ")),
                decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Response {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", body.to_string())
    }

    /// `200` with JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// `201` with JSON.
    pub(crate) fn created(body: &Value) -> Self {
        Self::json(201, body)
    }

    /// `302` to another address.
    pub(crate) fn redirect(target: &str) -> Self {
        let text = format!("This resource has been moved temporarily to {target}.");
        Self::bytes(302, "text/plain", text).with("location", target)
    }

    /// `204`, nothing else.
    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Any content.
    pub(crate) fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    /// What the content is, if there is any.
    pub(crate) fn content_type(&self) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(name, _)| *name == "content-type");
        found.map(|(_, value)| value.as_str())
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_stays_inside_its_segment() {
        assert_eq!(
            decoded_segments("/projects/group%2Fproject/variables/"),
            ["projects", "group/project", "variables"]
        );
    }

    #[test]
    fn pairs_are_decoded_and_keep_their_order() {
        let pairs = urlencoded_pairs("filter%5Bscope%5D=a+b&x&y=1%262");
        assert_eq!(
            pairs,
            [
                ("filter[scope]".into(), "a b".into()),
                ("x".into(), String::new()),
                ("y".into(), "1&2".into())
            ]
        );
    }
}
