//! Clearing away stopped review apps: environments below `review/`.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, integer, string};

use super::environments;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The age from which on they go, if the request names none.
const OLD: i32 = 30;
/// How long they are kept after the request.
const KEPT: i32 = 7;
const MOST: i64 = 100;

pub(super) const ROUTES: &[Route] = &[delete(
    "projects/:id/environments/review_apps",
    Guard::Project(Role::Developer),
    schedule,
)
.params(&[string("before"), integer("limit"), boolean("dry_run")])
.job_token()];

fn schedule(ctx: &Ctx<'_>) -> Answer {
    let before = ctx.instant("before")?.unwrap_or(ctx.now() - DAY * OLD);
    let limit = ctx.integer("limit").unwrap_or(MOST);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=1000).contains(limit));
    let limit = limit.ok_or_else(|| ApiError::error(400, "limit does not have a valid value"))?;
    let mut state = ctx.state();
    let found: Vec<u64> = state
        .environments_of(ctx.project())
        .filter(|row| row.name.starts_with("review/") && row.state == "stopped")
        .filter(|row| row.auto_delete_at.is_none() && row.created_at < before)
        .map(|row| row.id)
        .take(limit)
        .collect();
    let mut entries = Vec::new();
    for id in &found {
        let Some(row) = state.environments.get_mut(*id) else {
            continue;
        };
        entries.push(Value::Object(environments::basic(row)));
        if ctx.boolean("dry_run") == Some(false) {
            row.auto_delete_at = Some(ctx.now() + DAY * KEPT);
        }
    }
    if entries.is_empty() {
        // What GitLab says where there is nothing to delete either.
        let text = "Failed to authorize deletions for some or all of the environments. Ask someone with more permissions to delete the environments.";
        return Err(ApiError::body(
            400,
            json!({ "scheduled_entries": [], "unprocessable_entries": [], "message": text }),
        ));
    }
    Ok(Response::ok(
        &json!({ "scheduled_entries": entries, "unprocessable_entries": [] }),
    ))
}
