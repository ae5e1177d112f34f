//! What administrators do with users.

use serde_json::json;

use crate::client::World;

#[test]
fn a_user_is_edited_blocked_and_removed() {
    let world = World::new();
    let project = world.project("shop");
    let (id, ana) = world.member(project, "ana", 30);
    let path = format!("users/{id}");
    let edited = world.root.put(&path, json!({ "name": "Ana B." }));
    assert_eq!(
        (edited.status, &edited.json()["name"]),
        (200, &json!("Ana B."))
    );
    let clash = world.root.put(&path, json!({ "username": "root" }));
    assert_eq!(
        clash.error(),
        (409, json!({ "message": "Username has already been taken" }))
    );
    assert_eq!(ana.put(&path, json!({ "admin": true })).status, 403);
    let memberships = world.root.get(&format!("{path}/memberships")).json();
    assert_eq!(
        memberships,
        json!([{ "source_id": project, "source_name": "shop", "source_type": "Project", "access_level": 30 }])
    );
    let blocked = world.root.post(&format!("{path}/block"), json!({}));
    assert_eq!(blocked.error(), (201, json!(true)));
    assert_eq!(ana.get("user").status, 403);
    world.root.post(&format!("{path}/unblock"), json!({}));
    assert_eq!(ana.get("user").status, 200);
    assert_eq!(world.root.delete(&path).status, 204);
    assert_eq!(ana.get("user").status, 401);
    assert_eq!(world.root.get(&path).status, 404);
    assert_eq!(world.root.post("users/1/block", json!({})).status, 403);
}
