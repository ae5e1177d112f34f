//! Addresses outside the API that its answers point to, and that programs download from: archives, raw files, assets and
//! evidence of releases, artifacts of jobs, snippets. They are answered by the parts of the API that have the same content.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access;
use crate::auth::Caller;
use crate::errors::ApiError;
use crate::message::{Request, Response, decoded_segments};
use crate::router::Answer;
use crate::shared::Shared;

/// The request to the API that has what the address asks for.
pub(crate) fn as_api(shared: &Shared, request: &Request) -> Option<Request> {
    if request.method != "GET" {
        return None;
    }
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    if let ["-", "snippets", rest @ ..] = segments.as_slice() {
        return Some(rewritten(request, &snippet("snippets", rest)?, None));
    }
    let (project, rest) = project_of(shared, &segments)?;
    let base = format!("projects/{project}");
    let (path, query) = match rest {
        ["archive", reference @ .., file] if !reference.is_empty() => {
            // The folder may be left out of the name, the reference not.
            let ending = ["tar.gz", "tar.bz2", "tar", "zip", "tbz2", "tgz"]
                .into_iter()
                .find(|ending| file.ends_with(&format!(".{ending}")))?;
            let path = format!("{base}/repository/archive.{ending}");
            (path, Some(("sha", reference.join("/"))))
        }
        ["raw", rest @ ..] => {
            let (reference, file) = reference_and_path(shared, project, rest)?;
            let path = format!("{base}/repository/files/{}/raw", encoded(&file));
            (path, Some(("ref", reference)))
        }
        ["releases", "permalink", "latest", "downloads", file @ ..] => {
            let latest = {
                let state = shared.state();
                let newest = state.releases_of(project);
                let newest = newest.max_by_key(|release| (release.released_at, release.id))?;
                newest.tag.clone()
            };
            let path = download(&base, &latest, file);
            (path, None)
        }
        ["releases", tag, "downloads", file @ ..] => (download(&base, tag, file), None),
        ["jobs", "artifacts", rest @ .., "download"] => {
            let path = format!(
                "{base}/jobs/artifacts/{}/download",
                encoded(&rest.join("/"))
            );
            (path, None)
        }
        ["jobs", job, "artifacts", "download"] => (format!("{base}/jobs/{job}/artifacts"), None),
        ["jobs", job, "raw"] => (format!("{base}/jobs/{job}/trace"), None),
        ["snippets", rest @ ..] => (snippet(&format!("{base}/snippets"), rest)?, None),
        _ => return None,
    };
    Some(rewritten(request, &path, query))
}

fn download(base: &str, tag: &str, file: &[&str]) -> String {
    format!(
        "{base}/releases/{}/downloads/{}",
        encoded(tag),
        file.join("/")
    )
}

fn snippet(base: &str, rest: &[&str]) -> Option<String> {
    match rest {
        [id, "raw"] => Some(format!("{base}/{id}/raw")),
        [id, "raw", reference, file @ ..] => Some(format!(
            "{base}/{id}/files/{reference}/{}/raw",
            encoded(&file.join("/"))
        )),
        _ => None,
    }
}

/// The stored evidence that an address names.
pub(crate) fn evidence(shared: &Shared, caller: &Caller, request: &Request) -> Option<Answer> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let (project, rest) = project_of(shared, &segments)?;
    let ["releases", tag, "evidences", file] = rest else {
        return None;
    };
    let id: Option<u64> = file.strip_suffix(".json").and_then(|id| id.parse().ok());
    let state = shared.state();
    let release = state.release_of_tag(project, tag);
    let found = id
        .and_then(|id| state.evidences.get(id))
        .filter(|evidence| release.is_some_and(|release| release.id == evidence.release_id))
        .filter(|_| access::may_read_code(&state, caller.user(), project));
    Some(
        found
            .map(|evidence| Response::ok(&evidence.summary))
            .ok_or_else(ApiError::not_found_plain),
    )
}

/// The project of `/group/project/-/...` and what follows the dash.
fn project_of<'a>(shared: &Shared, segments: &'a [&'a str]) -> Option<(u64, &'a [&'a str])> {
    let dash = segments.iter().position(|segment| *segment == "-")?;
    let path = segments.get(..dash)?.join("/");
    let state = shared.state();
    let project = state.find_project(&path).filter(|_| path.contains('/'))?;
    Some((project.id, segments.get(dash + 1..)?))
}

/// Names of branches may have slashes: the shortest one that is there counts.
fn reference_and_path(shared: &Shared, project: u64, rest: &[&str]) -> Option<(String, String)> {
    let repository = shared.repository(project);
    (1..rest.len()).find_map(|at| {
        let reference = rest[..at].join("/");
        let known = repository.resolve(&reference).ok().flatten().is_some();
        known.then(|| (reference, rest[at..].join("/")))
    })
}

fn rewritten(request: &Request, path: &str, more: Option<(&str, String)>) -> Request {
    let mut query = request.query.clone();
    if let Some((name, value)) = more {
        let pair = format!("{name}={}", encoded(&value));
        query = if query.is_empty() {
            pair
        } else {
            format!("{query}&{pair}")
        };
    }
    let path = format!("/api/v4/{path}");
    Request {
        number: request.number,
        method: request.method.clone(),
        segments: decoded_segments(&path),
        path,
        query,
        headers: request.headers.clone(),
        body: request.body.clone(),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
