//! What an administrator limits, and the bad luck of a busy server: requests a minute, delays, stuck resources, lagging reads.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::refusal;
use crate::message::Response;
use crate::shared::Shared;
use crate::store::Limits;

/// All limits as they are.
pub(super) fn shown(shared: &Shared) -> Response {
    Response::ok(&json!(shared.state().limits))
}

/// Changes the limits that the body names, all or none.
pub(super) fn change(shared: &Shared, body: &[u8]) -> Response {
    let changes: Map<String, Value> = match serde_json::from_slice(body) {
        Ok(changes) => changes,
        Err(error) => return refusal(400, format!("send the limits to change: {error}")),
    };
    let mut state = shared.state();
    let mut all = json!(state.limits);
    if let Some(all) = all.as_object_mut() {
        all.extend(changes);
    }
    match serde_json::from_value::<Limits>(all) {
        Ok(limits) => {
            state.limits = limits;
            Response::ok(&json!(state.limits))
        }
        Err(error) => refusal(400, format!("not a limit of the sandbox: {error}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    per_minute: Option<u32>,
}

/// `{"per_minute": 100}`; null lifts the limit.
pub(super) fn set_rate(shared: &Shared, body: &[u8]) -> Response {
    match serde_json::from_slice::<Rate>(body) {
        Ok(wish) => {
            shared.rate_limit.set(wish.per_minute);
            Response::ok(&json!({ "per_minute": wish.per_minute }))
        }
        Err(error) => refusal(400, format!("send `per_minute`, a number or null: {error}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadLag {
    milliseconds: Option<u32>,
}

/// `{"milliseconds": 500}`; null shows everybody the newest.
pub(super) fn set_read_lag(shared: &Shared, body: &[u8]) -> Response {
    match serde_json::from_slice::<ReadLag>(body) {
        Ok(wish) => {
            let lag = wish
                .milliseconds
                .map(|number| SignedDuration::from_millis(i64::from(number)));
            shared.replica.set_lag(lag);
            Response::ok(&json!({ "milliseconds": wish.milliseconds }))
        }
        Err(error) => refusal(
            400,
            format!("send `milliseconds`, a number or null: {error}"),
        ),
    }
}
