//! How much mail users want.

use serde_json::json;

use crate::client::World;

#[test]
fn levels_are_kept_for_each_place_and_events_shown_at_custom() {
    let world = World::new();
    let project = world.project("shop");
    let (_, ana) = world.member(project, "ana", 30);
    let global = ana.get("notification_settings").json();
    assert_eq!(
        global,
        json!({ "level": "participating", "notification_email": "ana@example.com" })
    );
    let path = format!("projects/{project}/notification_settings");
    assert_eq!(ana.get(&path).json(), json!({ "level": "global" }));
    let custom = json!({ "level": "custom", "new_note": true });
    let custom = ana.put(&path, custom).json();
    assert_eq!(
        (
            &custom["events"]["new_note"],
            &custom["events"]["new_issue"],
            &custom["events"]["failed_pipeline"]
        ),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(world.root.get(&path).json(), json!({ "level": "global" }));
    assert_eq!(
        ana.put("notification_settings", json!({ "level": "global" }))
            .status,
        400
    );
    assert_eq!(
        ana.put("notification_settings", json!({ "level": "odd" }))
            .status,
        400
    );
}
