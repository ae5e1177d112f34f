//! Git LFS, which is not there: its requests are refused as a GitLab without it does.

use serde_json::json;

use crate::message::{Request, Response};

/// The refusal of a request of Git LFS; nothing for any other request.
pub(crate) fn refusal(request: &Request) -> Option<Response> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let below = segments
        .windows(3)
        .any(|part| part[0].ends_with(".git") && part[1..] == ["info", "lfs"]);
    below.then(|| {
        let text = "Git LFS is not enabled on this GitLab server, contact your admin.";
        let body = json!({ "message": text });
        Response::bytes(501, "application/vnd.git-lfs+json", body.to_string())
    })
}
