//! Reads that lag behind the writes of others.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{Client, World};

#[test]
fn others_see_a_write_later_and_the_writer_at_once() {
    let world = World::new();
    let project = world.project("shop");
    let (_, ana) = world.member(project, "ana", 40);
    let now: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
    world.emulator.clock().set(now);
    world
        .emulator
        .lag_reads(Some(SignedDuration::from_millis(500)));
    let path = format!("projects/{project}/variables");
    let body = json!({ "key": "LOCK", "value": "mine" });
    assert_eq!(world.root.post(&path, body).status, 201);
    let seen = |by: &Client| by.get(&format!("{path}/LOCK"));
    assert_eq!(seen(&world.root).json()["value"], "mine");
    assert_eq!(seen(&ana).status, 404);
    let listed: Value = ana.get(&path).json();
    assert_eq!(listed, json!([]));
    // The primary decides who may create.
    let second = json!({ "key": "LOCK", "value": "hers" });
    assert_eq!(ana.post(&path, second).status, 400);
    assert_eq!(seen(&ana).json()["value"], "mine");
    let (_, bob) = world.member(project, "bob", 40);
    world
        .emulator
        .clock()
        .advance(SignedDuration::from_millis(600));
    assert_eq!(seen(&bob).json()["value"], "mine");
    world.emulator.lag_reads(None);
    assert_eq!(seen(&bob).json()["value"], "mine");
}
