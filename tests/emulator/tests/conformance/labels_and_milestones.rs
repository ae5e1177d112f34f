//! Labels and milestones.

use serde_json::json;

use crate::schemas;
use crate::shop::Shop;

#[test]
fn labels_are_made_listed_renamed_and_deleted() {
    let shop = Shop::new();
    let path = shop.path("labels");
    let made = shop.root().post(
        &path,
        json!({ "name": "nrt::wait", "color": "#0f0", "description": "d", "priority": 1 }),
    );
    assert_eq!(made.status, 201);
    schemas::check("public_api/v4/labels/project_label.json", &made.json());
    assert_eq!(
        (&made.json()["color"], &made.json()["priority"]),
        (&json!("#00ff00"), &json!(1))
    );
    assert_eq!(
        shop.root()
            .post(&path, json!({ "name": "nrt::wait", "color": "red" }))
            .error(),
        (409, json!({ "message": "Label already exists" }))
    );
    assert_eq!(
        shop.root()
            .post(&path, json!({ "name": "x", "color": "reddish" }))
            .error(),
        (
            400,
            json!({ "message": { "color": ["must be a valid color code"] } })
        )
    );
    shop.issue("one");
    shop.root()
        .put(&shop.path("issues/1"), json!({ "labels": "nrt::wait" }));
    let one = format!("{path}/nrt%3A%3Await");
    assert_eq!(
        shop.root().put(&one, json!({ "new_name": "ready" })).json()["name"],
        "ready"
    );
    assert_eq!(
        shop.root().get(&shop.path("issues/1")).json()["labels"],
        json!(["ready"])
    );
    let counted = shop
        .root()
        .get(&format!("{path}?with_counts=true&search=rea"))
        .json();
    assert_eq!(counted[0]["open_issues_count"], 1);
    assert_eq!(shop.root().delete(&format!("{path}/ready")).status, 204);
    assert_eq!(
        shop.root().get(&format!("{path}/ready")).error(),
        (404, json!({ "message": "404 Label Not Found" }))
    );
    assert_eq!(
        shop.root().get(&shop.path("issues/1")).json()["labels"],
        json!([])
    );
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    assert_eq!(
        guest
            .post(&path, json!({ "name": "x", "color": "red" }))
            .status,
        403
    );
}

#[test]
fn milestones_are_unique_closed_and_found_by_title() {
    let shop = Shop::new();
    let path = shop.path("milestones");
    let made = shop.root().post(
        &path,
        json!({ "title": "v1.2", "due_date": "2001-01-31", "start_date": "2001-01-01" }),
    );
    assert_eq!(made.status, 201);
    let milestone = made.json();
    schemas::check("public_api/v4/milestone.json", &milestone);
    assert_eq!(
        (&milestone["due_date"], &milestone["expired"]),
        (&json!("2001-01-31"), &json!(true))
    );
    assert_eq!(
        shop.root().post(&path, json!({ "title": "v1.2" })).error(),
        (
            400,
            json!({ "message": { "title": ["already being used for another group or project milestone."] } })
        )
    );
    shop.root().post(&path, json!({ "title": "v1.3" }));
    let one = format!("{path}/{}", milestone["id"]);
    assert_eq!(
        shop.root()
            .put(&one, json!({ "state_event": "close" }))
            .json()["state"],
        "closed"
    );
    let found = |query: &str| shop.root().get(&format!("{path}?{query}")).json();
    assert_eq!(found("title=v1.2")[0]["id"], milestone["id"]);
    assert_eq!(found("state=active")[0]["title"], "v1.3");
    assert_eq!(
        found("search=V1&include_ancestors=true")
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let iid = shop.merge_request();
    shop.issue("one");
    for tail in [format!("merge_requests/{iid}"), "issues/1".to_owned()] {
        let reply = shop.root().put(
            &shop.path(&tail),
            json!({ "milestone_id": milestone["id"] }),
        );
        assert_eq!(reply.json()["milestone"]["title"], "v1.2");
        let events = shop
            .root()
            .get(&shop.path(&format!("{tail}/resource_milestone_events")))
            .json();
        assert_eq!(
            (&events[0]["action"], &events[0]["milestone"]["title"]),
            (&json!("add"), &json!("v1.2"))
        );
    }
    assert_eq!(
        shop.root().get(&format!("{one}/issues")).json()[0]["iid"],
        1
    );
    assert_eq!(
        shop.root().get(&format!("{one}/merge_requests")).json()[0]["iid"],
        json!(iid)
    );
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.show(iid)["milestone"], json!(null));
}
