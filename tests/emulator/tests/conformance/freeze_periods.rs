//! Freeze periods.

use serde_json::json;

use crate::client::{World, send};
use crate::schemas;

#[test]
fn a_freeze_period_is_made_checked_edited_and_deleted() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/freeze_periods");
    let body = json!({ "freeze_start": "0 23 * * 5", "freeze_end": "0 7 * * 1" });
    let made = world.root.post(&path, body.clone());
    assert_eq!(made.status, 201, "{}", made.text);
    let period = made.json();
    schemas::check("public_api/v4/freeze_period.json", &period);
    assert_eq!(period["cron_timezone"], "UTC");
    let wrong = world.root.post(
        &path,
        json!({ "freeze_start": "tomorrow", "freeze_end": "0 7 * * 1", "cron_timezone": "Mars" }),
    );
    let invalid = [" is invalid syntax"];
    assert_eq!(
        wrong.error(),
        (
            400,
            json!({ "message": { "freeze_start": invalid, "cron_timezone": invalid } })
        )
    );
    let own = format!("{path}/{}", period["id"]);
    let edited = world
        .root
        .put(&own, json!({ "freeze_end": "0 6 * * 1" }))
        .json();
    assert_eq!(
        (&edited["freeze_start"], &edited["freeze_end"]),
        (&json!("0 23 * * 5"), &json!("0 6 * * 1"))
    );
    let (_, developer) = world.member(project, "dev", 30);
    assert_eq!(developer.post(&path, body).status, 403);
    assert_eq!(developer.get(&own).status, 200);
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(world.root.get(&path).json(), json!([]));
}

#[test]
fn the_project_is_frozen_while_a_period_lasts() {
    let world = World::new();
    let project = world.project("shop");
    world.root.post(
        &format!("projects/{project}/freeze_periods"),
        json!({ "freeze_start": "0 0 24 12 *", "freeze_end": "0 0 2 1 *" }),
    );
    let frozen = |at: &str| {
        let at = at.parse().unwrap();
        world
            .emulator
            .with_state(|state| state.is_frozen(project, at))
    };
    assert!(!frozen("2026-12-23T23:59:59Z"));
    assert!(frozen("2026-12-31T12:00:00Z"));
    assert!(!frozen("2027-01-02T00:00:01Z"));
}

#[test]
fn a_deletion_may_insist_on_what_the_caller_has_seen() {
    let world = World::new();
    let clock = world.emulator.clock();
    clock.set("2026-01-05T10:00:00.500Z".parse().unwrap());
    let project = world.project("shop");
    let path = format!("projects/{project}/freeze_periods");
    let body = json!({ "freeze_start": "0 23 * * 5", "freeze_end": "0 7 * * 1" });
    let id = world.root.post(&path, body).json()["id"].clone();
    let delete = |since: &str| {
        let token = world.emulator.root_token();
        let headers = [("private-token", token), ("if-unmodified-since", since)];
        let path = format!("/api/v4/{path}/{id}");
        send(world.emulator.url(), "DELETE", &path, &headers, b"").unwrap()
    };
    let refused = delete("Mon, 05 Jan 2026 09:59:59 GMT");
    assert_eq!(
        refused.error(),
        (412, json!({ "message": "412 Precondition Failed" }))
    );
    assert_eq!(delete("Mon, 05 Jan 2026 10:00:00 GMT").status, 204);
}
