//! Webhooks of projects, groups and the instance.

use serde_json::json;

use crate::client::World;

#[test]
fn a_webhook_never_shows_its_secrets() {
    let world = World::new();
    let project = world.project("shop");
    let (_, developer) = world.member(project, "dev", 30);
    let path = format!("projects/{project}/hooks");
    assert_eq!(developer.get(&path).status, 403);
    let body = json!({
        "url": "http://127.0.0.1:1/{room}",
        "token": "hush",
        "note_events": true,
        "url_variables": [{ "key": "room", "value": "hidden" }],
        "custom_headers": [{ "key": "X-A", "value": "hidden" }],
    });
    let made = world.root.post(&path, body);
    assert_eq!(made.status, 201);
    assert!(
        !made.text.contains("hush") && !made.text.contains("hidden"),
        "{}",
        made.text
    );
    let hook = made.json();
    assert_eq!(
        (
            &hook["push_events"],
            &hook["note_events"],
            &hook["issues_events"]
        ),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(hook["url_variables"], json!([{ "key": "room" }]));
    let one = format!("{path}/{}", hook["id"]);
    let edited = world
        .root
        .put(&one, json!({ "issues_events": true }))
        .json();
    assert_eq!(
        (&edited["issues_events"], &edited["url"]),
        (&json!(true), &hook["url"])
    );
    let header = format!("{one}/custom_headers/X-B");
    assert_eq!(world.root.put(&header, json!({ "value": "v" })).status, 204);
    assert_eq!(world.root.delete(&header).status, 204);
    assert_eq!(world.root.delete(&header).status, 404);
    let bad = world.root.post(&path, json!({ "url": "nowhere" }));
    assert_eq!(
        bad.error(),
        (422, json!({ "message": "Invalid url given" }))
    );
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.root.get(&one).status, 404);
}

#[test]
fn hooks_of_the_instance_and_of_groups_are_apart() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "team", "path": "team" }))
        .json();
    let body = json!({ "url": "http://127.0.0.1:1/" });
    let system = world.root.post("hooks", body.clone()).json();
    assert_eq!(system["repository_update_events"], true);
    assert_eq!(system.get("issues_events"), None);
    let path = format!("groups/{}/hooks", group["id"]);
    let own = world.root.post(&path, body).json();
    assert_eq!(own["group_id"], group["id"]);
    assert_eq!(
        world.root.get("hooks").json().as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        world.root.get(&format!("{path}/{}", system["id"])).status,
        404
    );
}
