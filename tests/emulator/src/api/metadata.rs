//! `GET /version` and `GET /metadata`.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get};

pub(super) const ROUTES: &[Route] = &[
    get("version", Guard::User, show).any_scope(),
    get("metadata", Guard::User, show).any_scope(),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    let kas = json!({ "enabled": false, "externalUrl": Value::Null, "externalK8sProxyUrl": Value::Null, "version": Value::Null });
    Ok(Response::ok(
        &json!({ "version": ctx.shared.version, "revision": "e5a1b0c9d3f", "kas": kas, "enterprise": false }),
    ))
}
