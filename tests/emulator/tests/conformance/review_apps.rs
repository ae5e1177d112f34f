//! Clearing away stopped review apps.

use serde_json::json;

use crate::client::World;

#[test]
fn stopped_review_apps_of_some_age_go_a_week_after_they_were_asked_to() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/environments");
    let mut review = 0;
    for name in ["review/old", "review/running", "staging"] {
        let made = world.root.post(&path, json!({ "name": name })).json();
        let id = made["id"].as_u64().unwrap();
        if name == "review/old" {
            review = id;
        }
        if name != "review/running" {
            world.root.post(&format!("{path}/{id}/stop"), json!({}));
        }
    }
    let clear = |query: &str| world.root.delete(&format!("{path}/review_apps{query}"));
    let (status, body) = clear("").error();
    assert_eq!(
        (status, &body["unprocessable_entries"]),
        (400, &json!([])),
        "too young"
    );
    let days = |count: i64| jiff::SignedDuration::from_hours(24 * count);
    world.emulator.clock().advance(days(31));
    let reply = clear("");
    let body = reply.json();
    assert_eq!(
        (reply.status, &body["scheduled_entries"][0]["id"]),
        (200, &json!(review))
    );
    assert!(body["scheduled_entries"][1].is_null(), "{body}");
    assert_eq!(clear("?dry_run=false").status, 200);
    assert_eq!(clear("").status, 400, "it is scheduled already");
    assert_eq!(world.root.get(&format!("{path}/{review}")).status, 200);
    world.emulator.clock().advance(days(8));
    assert_eq!(world.root.get(&format!("{path}/{review}")).status, 404);
    assert_eq!(
        clear("?limit=0").error(),
        (400, json!({ "error": "limit does not have a valid value" }))
    );
    let (_, guest) = world.member(project, "guest", 20);
    assert_eq!(guest.delete(&format!("{path}/review_apps")).status, 403);
}
