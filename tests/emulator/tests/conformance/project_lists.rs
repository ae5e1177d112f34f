//! Lists of projects: filters, orders, stars.

use serde_json::{Value, json};

use crate::client::{Client, World};

fn names(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("projects?{query}"));
    let list = reply.json();
    let rows = list.as_array().unwrap_or_else(|| panic!("{list}"));
    rows.iter().map(|row| row["name"].clone()).collect()
}

#[test]
fn projects_are_filtered_by_what_they_have_and_by_time() {
    let world = World::new();
    let clock = world.emulator.clock();
    clock.set("2026-01-05T10:00:00Z".parse().unwrap());
    world.root.post(
        "projects",
        json!({ "name": "old", "issues_enabled": false }),
    );
    clock.set("2026-01-06T10:00:00Z".parse().unwrap());
    world
        .root
        .post("projects", json!({ "name": "new", "visibility": "public" }));
    let listed = |query: &str| names(&world.root, query);
    assert_eq!(listed("order_by=name&sort=asc"), ["new", "old"]);
    assert_eq!(listed("with_issues_enabled=true"), ["new"]);
    assert_eq!(listed("last_activity_after=2026-01-06"), ["new"]);
    assert_eq!(listed("updated_before=2026-01-05T12:00:00Z"), ["old"]);
    assert_eq!(listed("visibility=private"), ["old"]);
    let odd = world.root.get("projects?updated_after=soon");
    assert_eq!(
        odd.error(),
        (400, json!({ "error": "updated_after is invalid" }))
    );
    assert_eq!(names(&world.anonymous(), ""), ["new"]);
}

#[test]
fn stars_are_counted_and_listed() {
    let world = World::new();
    let project = world.project("shop");
    world.project("other");
    let path = format!("projects/{project}");
    let starred = world.root.post(&format!("{path}/star"), json!({}));
    assert_eq!(
        (starred.status, &starred.json()["star_count"]),
        (201, &json!(1))
    );
    assert_eq!(
        world.root.post(&format!("{path}/star"), json!({})).status,
        304
    );
    assert_eq!(names(&world.root, "starred=true"), ["shop"]);
    let starrers = format!("{path}/starrers");
    let fans = world.root.get(&starrers).json();
    assert_eq!(fans[0]["user"]["username"], "root");
    assert!(fans[0]["starred_since"].is_string());
    let strangers = world.root.get(&format!("{starrers}?search=ana")).json();
    assert_eq!(strangers, json!([]));
    assert_eq!(
        world.root.post(&format!("{path}/unstar"), json!({})).status,
        201
    );
    assert_eq!(names(&world.root, "starred=true"), [] as [Value; 0]);
}
