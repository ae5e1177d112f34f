//! Integrations of projects.

use serde_json::json;

use crate::client::World;

#[test]
fn an_integration_is_set_up_shown_without_secrets_and_switched_off() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/integrations");
    let asana = format!("{path}/asana");
    assert_eq!(world.root.get(&asana).status, 404);
    let missing = world.root.put(&asana, json!({}));
    assert_eq!(
        missing.error(),
        (400, json!({ "error": "api_key is missing" }))
    );
    let body = json!({ "api_key": "hush", "restrict_to_branch": "main", "note_events": false });
    let made = world.root.put(&asana, body);
    assert_eq!(made.status, 200);
    assert!(!made.text.contains("hush"), "{}", made.text);
    let made = made.json();
    assert_eq!(made["properties"], json!({ "restrict_to_branch": "main" }));
    assert_eq!(
        (&made["active"], &made["note_events"]),
        (&json!(true), &json!(false))
    );
    let old = format!("projects/{project}/services");
    assert_eq!(world.root.get(&old).json()[0]["slug"], "asana");
    // What is stored needs not be sent again.
    assert_eq!(
        world
            .root
            .put(&asana, json!({ "push_events": false }))
            .status,
        200
    );
    assert_eq!(world.root.delete(&asana).status, 204);
    assert_eq!(world.root.get(&asana).json()["active"], false);
    assert_eq!(world.root.get(&path).json(), json!([]));
    assert_eq!(
        world.root.put(&format!("{path}/odd"), json!({})).status,
        400
    );
}
