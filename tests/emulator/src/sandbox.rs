//! The pages below `/-/sandbox/`: what a person or test in another process does to the emulator itself.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock;
use crate::faults::Rule;
use crate::message::{Request, Response};
use crate::shared::Shared;

/// Serves a sandbox page; these requests are not part of the request log.
pub(crate) fn serve(shared: &Shared, request: &Request, path: &[&str]) -> Response {
    match (request.method.as_str(), path) {
        ("GET", ["requests"]) => Response::ok(&json!(shared.log.all())),
        ("DELETE", ["requests"]) => {
            shared.log.clear();
            Response::no_content()
        }
        ("GET", ["faults"]) => Response::ok(&json!(shared.faults.rules())),
        ("POST", ["faults"]) => match serde_json::from_slice::<Rule>(&request.body) {
            Ok(rule) => {
                let answer = Response::created(&json!(rule));
                shared.faults.add(rule);
                answer
            }
            Err(error) => Response::json(
                400,
                &json!({ "error": format!("not a fault rule: {error}") }),
            ),
        },
        ("DELETE", ["faults"]) => {
            shared.faults.clear();
            Response::no_content()
        }
        ("PUT", ["rate_limit"]) => set_rate_limit(shared, &request.body),
        ("GET", ["clock"]) => Response::ok(&json!({ "now": clock::iso(shared.clock.now()) })),
        ("PUT", ["clock"]) => move_clock(shared, &request.body),
        _ => Response::json(404, &json!({ "error": "no such sandbox page" })),
    }
}

/// `{"per_minute": 100}`; null lifts the limit.
fn set_rate_limit(shared: &Shared, body: &[u8]) -> Response {
    let wish: Value = serde_json::from_slice(body).unwrap_or_default();
    let number = wish["per_minute"].as_u64();
    let number = number.and_then(|number| u32::try_from(number).ok());
    shared.rate_limit.set(number);
    Response::ok(&json!({ "per_minute": number }))
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
        return Response::json(
            400,
            &json!({ "error": "send `now` (an instant) or `advance_seconds`" }),
        );
    }
    Response::ok(&json!({ "now": clock::iso(shared.clock.now()) }))
}
