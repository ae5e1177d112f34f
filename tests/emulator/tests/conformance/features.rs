//! Feature flags of the instance.

use serde_json::json;

use crate::client::World;

#[test]
fn a_feature_is_switched_by_administrators_as_a_whole_or_for_some() {
    let world = World::new();
    let path = "features/new_navigation";
    let on = world.root.post(path, json!({ "value": true }));
    assert_eq!((on.status, &on.json()["state"]), (201, &json!("on")));
    let off = world.root.post(path, json!({ "value": "false" })).json();
    assert_eq!(off["state"], "off");
    let some = world.root.post(path, json!({ "value": 30 })).json();
    assert_eq!(
        (&some["state"], &some["gates"][1]),
        (
            &json!("conditional"),
            &json!({ "key": "percentage_of_time", "value": 30.0 })
        )
    );
    assert_eq!(
        world.root.get("features").json()[0]["name"],
        "new_navigation"
    );
    assert_eq!(
        world.root.post(path, json!({ "value": "maybe" })).status,
        400
    );
    assert_eq!(world.root.delete(path).status, 204);
    assert_eq!(world.root.get("features").json(), json!([]));
    assert_eq!(world.anonymous().get("features").status, 401);
}
