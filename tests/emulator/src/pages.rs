//! Addresses of the web interface that programs follow: archives, raw files, uploads, artifacts, downloads of releases.
//!
//! They answer as the routes of the API that send the same, with a project's path in front; pages for people are not here.

use crate::api;
use crate::message::Request;
use crate::router::{self, Match};
use crate::versions::Version;

/// The page that a request asks for; nothing for anything else.
pub(crate) fn find(version: Version, request: &Request) -> Option<Match> {
    let segments = request.segments.as_slice();
    let (project, rest) = match segments {
        [dash, project, id, rest @ ..] if dash == "-" && project == "project" => (id.clone(), rest),
        [project @ .., uploads, _, _] if uploads == "uploads" => {
            (project.join("/"), &segments[project.len()..])
        }
        _ => {
            let dash = segments.iter().position(|segment| segment == "-")?;
            (segments[..dash].join("/"), &segments[dash + 1..])
        }
    };
    let mut found = router::find(api::PAGES, version, &request.method, rest).ok()?;
    found.path.push(("id", project));
    Some(found)
}
