//! The pages below `/-/sandbox/`: what a person or test in another process sees of the emulator itself, and does to it.

mod limits;
mod overview;
mod snapshots;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::snapshots::SnapshotError;
pub(crate) use self::snapshots::Snapshots;
use crate::clock;
use crate::faults::Rule;
use crate::message::{Request, Response};
use crate::shared::Shared;
use crate::{api, smart_http};

/// What a browser shows; it asks the pages below for everything else.
const PAGE: &str = include_str!("page.html");

/// Serves a sandbox page; these requests are not part of the request log.
pub(crate) fn serve(shared: &Shared, request: &Request, path: &[&str]) -> Response {
    match (request.method.as_str(), path) {
        ("GET", []) => Response::bytes(200, "text/html; charset=utf-8", PAGE),
        ("GET", ["requests"]) => requests(shared, request),
        ("DELETE", ["requests"]) => {
            shared.log.clear();
            Response::no_content()
        }
        ("GET", ["routes"]) => Response::ok(&json!(api::routes())),
        ("GET", ["faults"]) => Response::ok(&json!(shared.faults.rules())),
        ("POST", ["faults"]) => add_fault(shared, &request.body),
        ("DELETE", ["faults"]) => {
            shared.faults.clear();
            Response::no_content()
        }
        ("DELETE", ["faults", id]) => match id.parse().is_ok_and(|id| shared.faults.remove(id)) {
            true => Response::no_content(),
            false => refusal(404, format!("there is no fault {id}")),
        },
        ("GET", ["limits"]) => limits::shown(shared),
        ("PATCH", ["limits"]) => limits::change(shared, &request.body),
        ("PUT", ["rate_limit"]) => limits::set_rate(shared, &request.body),
        ("PUT", ["read_lag"]) => limits::set_read_lag(shared, &request.body),
        ("GET", ["clock"]) => Response::ok(&json!({ "now": clock::iso(shared.clock.now()) })),
        ("PUT", ["clock"]) => move_clock(shared, &request.body),
        ("GET", ["state"]) => match overview::overview(shared) {
            Ok(whole) => Response::ok(&whole),
            Err(error) => refusal(500, format!("a repository cannot be read: {error}")),
        },
        ("GET", ["snapshots"]) => {
            let list = shared.snapshots.list().into_iter();
            let list = list.map(|(id, at)| json!({ "id": id, "taken_at": clock::iso(at) }));
            Response::ok(&list.collect())
        }
        ("POST", ["snapshots"]) => match shared.snapshots.take(shared) {
            Ok(id) => Response::created(&json!({ "id": id })),
            Err(error) => snapshot_refusal(&error),
        },
        ("POST", ["snapshots", id, "restore"]) => {
            match shared.snapshots.restore(shared, id.parse().unwrap_or(0)) {
                Ok(()) => Response::no_content(),
                Err(error) => snapshot_refusal(&error),
            }
        }
        _ => refusal(
            404,
            "no such sandbox page; docs/sandbox.md lists them".to_owned(),
        ),
    }
}

fn refusal(status: u16, text: String) -> Response {
    Response::json(status, &json!({ "error": text }))
}

fn snapshot_refusal(error: &SnapshotError) -> Response {
    let status = match error {
        SnapshotError::Busy(_) => 409,
        SnapshotError::Unknown(_) => 404,
        SnapshotError::Copy(_) => 500,
    };
    refusal(status, error.to_string())
}

/// `?newest=NUMBER` gives only the last ones, `?unknown=true` only what the emulator does not have.
fn requests(shared: &Shared, request: &Request) -> Response {
    let query = request.query_pairs();
    let value = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let mut entries = shared.log.all();
    if value("unknown") == Some("true") {
        entries.retain(|entry| entry.unknown.is_some());
    }
    match value("newest").map(str::parse::<usize>) {
        None => {}
        Some(Ok(count)) => drop(entries.drain(..entries.len().saturating_sub(count))),
        Some(Err(_)) => return refusal(400, "`newest` is a number of requests".to_owned()),
    }
    Response::ok(&json!(entries))
}

fn add_fault(shared: &Shared, body: &[u8]) -> Response {
    let rule: Rule = match serde_json::from_slice(body) {
        Ok(rule) => rule,
        Err(error) => return refusal(400, format!("not a fault rule: {error}")),
    };
    if let Some(route) = rule.route.as_deref().filter(|route| !is_route(route)) {
        let text = format!(
            "no route `{route}`: a rule names one as /-/sandbox/routes lists it, without the method, or one of git's, such as `{}`",
            smart_http::ROUTES[0]
        );
        return refusal(400, text);
    }
    if rule.percent.is_some_and(|percent| percent > 100) {
        return refusal(400, "`percent` is between 0 and 100".to_owned());
    }
    let id = shared.faults.add(rule);
    let added = shared.faults.rules();
    match added.iter().find(|standing| standing.id == id) {
        Some(standing) => Response::created(&json!(standing)),
        None => refusal(409, "all faults were deleted at the same moment".to_owned()),
    }
}

fn is_route(route: &str) -> bool {
    route == "graphql"
        || smart_http::ROUTES.contains(&route)
        || api::routes().iter().any(|known| known.pattern == route)
}

fn move_clock(shared: &Shared, body: &[u8]) -> Response {
    let wish: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(at) = wish["now"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok())
    {
        shared.clock.set(at);
    } else if let Some(seconds) = wish["advance_seconds"].as_i64() {
        shared.clock.advance(SignedDuration::from_secs(seconds));
    } else {
        return refusal(
            400,
            "send `now` (an instant) or `advance_seconds`".to_owned(),
        );
    }
    Response::ok(&json!({ "now": clock::iso(shared.clock.now()) }))
}
