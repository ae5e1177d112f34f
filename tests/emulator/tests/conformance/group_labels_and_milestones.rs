//! Labels and milestones that a group shares with its projects, promotion, boards.

use serde_json::{Value, json};

use crate::schemas;
use crate::shop::{Shop, text};

/// A group with one project in it.
fn group(shop: &Shop) -> (Value, Value) {
    let group = shop
        .root()
        .post("groups", json!({ "name": "Tools", "path": "tools" }))
        .json();
    let body =
        json!({ "name": "saw", "namespace_id": group["id"], "initialize_with_readme": true });
    (
        group["id"].clone(),
        shop.root().post("projects", body).json()["id"].clone(),
    )
}

#[test]
fn a_label_of_a_group_is_there_in_its_projects() {
    let shop = Shop::new();
    let (group, project) = group(&shop);
    let path = format!("groups/{group}/labels");
    let made = shop
        .root()
        .post(&path, json!({ "name": "bug", "color": "#112233" }));
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["is_project_label"], json!(null));
    let own = format!("projects/{project}/labels");
    let seen = shop.root().get(&own).json();
    schemas::check("public_api/v4/labels/project_label.json", &seen[0]);
    assert_eq!(
        (&seen[0]["name"], &seen[0]["is_project_label"]),
        (&json!("bug"), &json!(false))
    );
    let none = shop
        .root()
        .get(&format!("{own}?include_ancestor_groups=false"))
        .json();
    assert_eq!(none, json!([]));
    let again = shop
        .root()
        .post(&own, json!({ "name": "bug", "color": "red" }));
    assert_eq!(
        again.error(),
        (409, json!({ "message": "Label already exists" }))
    );
    let issue = json!({ "title": "one", "labels": "bug" });
    shop.root()
        .post(&format!("projects/{project}/issues"), issue);
    let counted = shop.root().get(&format!("{path}?with_counts=true")).json();
    assert_eq!(counted[0]["open_issues_count"], 1);
    assert_eq!(shop.root().delete(&format!("{own}/bug")).status, 404);
    let renamed = shop
        .root()
        .put(&format!("{path}/bug"), json!({ "new_name": "defect" }))
        .json();
    assert_eq!(renamed["name"], "defect");
    let issue = shop
        .root()
        .get(&format!("projects/{project}/issues/1"))
        .json();
    assert_eq!(issue["labels"], json!(["defect"]));
    assert_eq!(shop.root().delete(&format!("{path}/defect")).status, 204);
}

#[test]
fn a_label_is_subscribed_once_and_promoted_to_the_group() {
    let shop = Shop::new();
    let (group, project) = group(&shop);
    let path = format!("projects/{project}/labels");
    shop.root().post(
        &path,
        json!({ "name": "bug", "color": "red", "priority": 2 }),
    );
    let subscribed = shop
        .root()
        .post(&format!("{path}/bug/subscribe"), json!({}));
    assert_eq!(
        (subscribed.status, &subscribed.json()["subscribed"]),
        (201, &json!(true))
    );
    assert_eq!(
        shop.root()
            .post(&format!("{path}/bug/subscribe"), json!({}))
            .status,
        304
    );
    let unsubscribed = shop
        .root()
        .post(&format!("{path}/bug/unsubscribe"), json!({}))
        .json();
    assert_eq!(unsubscribed["subscribed"], false);
    shop.root().post(
        &format!("projects/{project}/issues"),
        json!({ "title": "one", "labels": "bug" }),
    );
    let promoted = shop.root().put(&format!("{path}/bug/promote"), json!({}));
    assert_eq!(promoted.status, 200, "{}", promoted.text);
    assert_eq!(
        shop.root().get(&format!("groups/{group}/labels")).json()[0]["name"],
        "bug"
    );
    let issue = shop
        .root()
        .get(&format!(
            "projects/{project}/issues/1?with_labels_details=true"
        ))
        .json();
    assert_eq!(issue["labels"], json!(["bug"]));
    shop.root().post(
        &shop.path("labels"),
        json!({ "name": "bug", "color": "red" }),
    );
    let homeless = shop.root().put(&shop.path("labels/bug/promote"), json!({}));
    let reason = "Failed to promote project label to group label";
    assert_eq!(homeless.error(), (400, json!({ "message": reason })));
}

#[test]
fn a_milestone_of_a_group_serves_its_projects() {
    let shop = Shop::new();
    let (group, project) = group(&shop);
    let path = format!("groups/{group}/milestones");
    let made = shop
        .root()
        .post(&path, json!({ "title": "v1", "due_date": "2001-01-31" }));
    assert_eq!(made.status, 201);
    let id = made.json()["id"].clone();
    assert_eq!(
        (&made.json()["group_id"], &made.json()["project_id"]),
        (&group, &json!(null))
    );
    assert!(text(&made.json(), "web_url").ends_with("/groups/tools/-/milestones/1"));
    let own = format!("projects/{project}/milestones");
    assert_eq!(shop.root().get(&own).json(), json!([]));
    let with = shop
        .root()
        .get(&format!("{own}?include_ancestors=true"))
        .json();
    assert_eq!(with[0]["id"], id);
    let again = shop.root().post(&own, json!({ "title": "v1" }));
    assert_eq!(again.status, 400);
    let issue = json!({ "title": "one", "milestone_id": id });
    let issue = shop
        .root()
        .post(&format!("projects/{project}/issues"), issue)
        .json();
    assert_eq!(issue["milestone"]["title"], "v1");
    let listed = shop.root().get(&format!("{path}/{id}/issues")).json();
    assert_eq!(listed[0]["title"], "one");
    let closed = shop
        .root()
        .put(&format!("{path}/{id}"), json!({ "state_event": "close" }))
        .json();
    assert_eq!(closed["state"], "closed");
    assert_eq!(shop.root().delete(&format!("{path}/{id}")).status, 204);
}

#[test]
fn a_milestone_is_promoted_with_all_of_its_title() {
    let shop = Shop::new();
    let (group, project) = group(&shop);
    let path = format!("projects/{project}/milestones");
    let id = shop.root().post(&path, json!({ "title": "v1" })).json()["id"].clone();
    let issue = json!({ "title": "one", "milestone_id": id });
    shop.root()
        .post(&format!("projects/{project}/issues"), issue);
    let promoted = shop.root().post(&format!("{path}/{id}/promote"), json!({}));
    assert_eq!(promoted.status, 200);
    assert_eq!(shop.root().get(&path).json(), json!([]));
    let milestone = shop
        .root()
        .get(&format!("projects/{project}/issues/1"))
        .json()["milestone"]
        .clone();
    assert_eq!(
        (&milestone["title"], &milestone["group_id"]),
        (&json!("v1"), &group)
    );
    let alone = shop
        .root()
        .post(&shop.path("milestones"), json!({ "title": "v1" }))
        .json()["id"]
        .clone();
    let refused = shop.root().post(
        &shop.path(&format!("milestones/{alone}/promote")),
        json!({}),
    );
    assert_eq!(
        refused.error(),
        (
            400,
            json!({ "message": "Project does not belong to a group." })
        )
    );
}

#[test]
fn a_board_has_lists_of_labels_in_an_order() {
    let shop = Shop::new();
    let path = shop.path("boards");
    assert_eq!(shop.root().get(&path).json(), json!([]));
    let board = shop.root().post(&path, json!({ "name": "Work" })).json();
    let one = format!("{path}/{}", board["id"]);
    let mut ids = Vec::new();
    for name in ["doing", "done"] {
        let label = shop
            .root()
            .post(
                &shop.path("labels"),
                json!({ "name": name, "color": "red" }),
            )
            .json();
        let list = shop
            .root()
            .post(&format!("{one}/lists"), json!({ "label_id": label["id"] }));
        assert_eq!(list.status, 201, "{}", list.text);
        ids.push(list.json()["id"].clone());
    }
    let moved = shop
        .root()
        .put(&format!("{one}/lists/{}", ids[1]), json!({ "position": 0 }))
        .json();
    assert_eq!(
        (&moved["label"]["name"], &moved["position"]),
        (&json!("done"), &json!(0))
    );
    let lost = shop
        .root()
        .post(&format!("{one}/lists"), json!({ "label_id": 9999 }));
    assert_eq!(lost.status, 400);
    assert_eq!(
        shop.root()
            .delete(&format!("{one}/lists/{}", ids[0]))
            .status,
        204
    );
    let shown = shop.root().get(&one).json();
    assert_eq!(shown["lists"].as_array().unwrap().len(), 1);
    assert_eq!(shown["project"]["path"], "shop");
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(
        shop.root().get(&one).error(),
        (404, json!({ "message": "404 Board Not Found" }))
    );
}

#[test]
fn a_group_has_one_board() {
    let shop = Shop::new();
    let (group, _) = group(&shop);
    let path = format!("groups/{group}/boards");
    let board = shop.root().post(&path, json!({ "name": "Work" }));
    assert_eq!(
        (board.status, &board.json()["group"]["name"]),
        (201, &json!("Tools"))
    );
    assert_eq!(
        shop.root().post(&path, json!({ "name": "More" })).status,
        400
    );
}
