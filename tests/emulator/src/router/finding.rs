//! From a method and a path to the route that answers, and the answer when there is none.

use serde_json::json;

use super::Route;
use crate::errors::ApiError;
use crate::versions::{self, Version};

/// The placeholders of a pattern with what the path has in their places.
pub(crate) type PathValues = Vec<(&'static str, String)>;

/// A route that fits a path, with the values of its placeholders.
pub(crate) struct Match {
    pub(crate) route: &'static Route,
    pub(crate) path: PathValues,
}

/// Why no route was found.
#[derive(Debug)]
pub(crate) enum NoRoute {
    Path,
    Method,
    /// Servers of a later version have it.
    Newer,
}

/// The best route for a path: literal segments win over placeholders, from left to right.
pub(crate) fn find(
    table: &[&'static [Route]],
    version: Version,
    method: &str,
    segments: &[String],
) -> Result<Match, NoRoute> {
    let mut best: Option<(Vec<u8>, Match)> = None;
    let (mut other_method, mut newer) = (false, false);
    for route in table.iter().copied().flatten() {
        if !fits(route.pattern, segments) {
            continue;
        }
        if !versions::has_route(version, route.method, route.pattern) {
            newer = true;
            continue;
        }
        if route.method != method {
            other_method = true;
            continue;
        }
        let (rank, path) = read(route.pattern, segments);
        if best.as_ref().is_none_or(|(best_rank, _)| rank > *best_rank) {
            best = Some((rank, Match { route, path }));
        }
    }
    match best {
        Some((_, found)) => Ok(found),
        None if newer => Err(NoRoute::Newer),
        None if other_method => Err(NoRoute::Method),
        None => Err(NoRoute::Path),
    }
}

/// Does the path have the form of the pattern? Asked of every route for every request, so nothing is copied here.
fn fits(pattern: &str, segments: &[String]) -> bool {
    let mut rest = segments;
    for part in pattern.split('/') {
        let Some((segment, others)) = rest.split_first() else {
            return false;
        };
        match part.as_bytes().first() {
            Some(b'*') => return true,
            Some(b':') => {}
            Some(_) | None if part == segment => {}
            Some(_) | None => return false,
        }
        rest = others;
    }
    rest.is_empty()
}

/// The values of the placeholders of a pattern that fits, and how literal it is, segment by segment.
fn read(pattern: &'static str, segments: &[String]) -> (Vec<u8>, PathValues) {
    let (mut rank, mut values) = (Vec::new(), Vec::new());
    for (at, part) in pattern.split('/').enumerate() {
        if let Some(name) = part.strip_prefix('*') {
            values.push((name, segments[at..].join("/")));
            rank.push(0);
        } else if let Some(name) = part.strip_prefix(':') {
            values.push((name, segments[at].clone()));
            rank.push(1);
        } else {
            rank.push(2);
        }
    }
    (rank, values)
}

/// The answer to a path or method that is not in the table.
pub(crate) fn unknown_route(reason: &NoRoute, method: &str, path: &str) -> ApiError {
    let what = format!("unknown route `{method} {path}`");
    match reason {
        NoRoute::Path => ApiError::body(404, json!({ "error": "404 Not Found" })).unknown(what),
        NoRoute::Newer => ApiError::body(404, json!({ "error": "404 Not Found" })),
        NoRoute::Method => ApiError::body(405, json!({ "error": "405 Not Allowed" })).unknown(what),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Guard, get, hash, integer, list, post, string};
    use super::*;
    use crate::ctx::Ctx;
    use crate::message::Response;

    fn nothing(_: &Ctx<'_>) -> Answer {
        Ok(Response::no_content())
    }

    static TABLE: &[Route] = &[
        get("jobs/:id", Guard::Open, nothing),
        get("jobs/artifacts", Guard::Open, nothing),
        get("files/:ref/*path", Guard::Open, nothing),
        post("jobs/:id/play", Guard::Open, nothing)
            .params(&[
                string("name").required(),
                integer("age"),
                list("labels"),
                hash("inputs", &[]),
            ])
            .refuses(&["colour"]),
    ];

    fn found(method: &str, path: &[&str]) -> Result<Match, NoRoute> {
        find(
            &[TABLE],
            Version::default(),
            method,
            &path
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn literal_segments_win_and_stars_take_the_rest() {
        assert_eq!(
            found("GET", &["jobs", "artifacts"])
                .ok()
                .unwrap()
                .route
                .pattern,
            "jobs/artifacts"
        );
        assert_eq!(
            found("GET", &["jobs", "7"]).ok().unwrap().path,
            [("id", "7".to_owned())]
        );
        let file = found("GET", &["files", "main", "a", "b.txt"]).ok().unwrap();
        assert_eq!(
            file.path,
            [("ref", "main".to_owned()), ("path", "a/b.txt".to_owned())]
        );
        assert!(matches!(
            found("GET", &["jobs", "7", "play"]),
            Err(NoRoute::Method)
        ));
        assert!(matches!(found("GET", &["jobs"]), Err(NoRoute::Path)));
    }
}
