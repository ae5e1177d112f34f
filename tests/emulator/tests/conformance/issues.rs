//! Issues and their links.

use serde_json::{Value, json};

use crate::schemas;
use crate::shop::{Shop, text};

#[test]
fn an_issue_has_gitlabs_shape() {
    let shop = Shop::new();
    let body = json!({ "title": "one", "description": "- [ ] a\n- [x] b", "labels": "x,y", "due_date": "2031-02-03", "assignee_ids": [1] });
    let made = shop.root().post(&shop.path("issues"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    let issue = made.json();
    let expected = json!({
        "iid": 1, "state": "opened", "labels": ["x", "y"], "due_date": "2031-02-03", "confidential": false,
        "issue_type": "issue", "type": "ISSUE", "moved_to_id": null, "closed_at": null, "milestone": null,
        "task_completion_status": { "count": 2, "completed_count": 1 }, "user_notes_count": 0, "severity": "UNKNOWN",
        "references": { "short": "#1", "relative": "#1", "full": "root/shop#1" }, "merge_requests_count": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&issue[name], value, "{name}");
    }
    // The schema wants every user to have a picture.
    let mut shown = shop.root().get(&shop.path("issues/1")).json();
    for place in ["author", "assignee"] {
        shown[place]["avatar_url"] = json!("http://example.com/a.png");
    }
    shown["assignees"] = json!([shown["assignee"]]);
    schemas::check("public_api/v4/issue.json", &shown);
    assert_eq!(
        shop.root().get(&shop.path("issues/9")).error(),
        (404, json!({ "message": "404 Not found" }))
    );
    assert_eq!(
        shop.root()
            .post(&shop.path("issues"), json!({ "title": "" }))
            .error(),
        (400, json!({ "message": { "title": ["can't be blank"] } }))
    );
}

#[test]
fn lists_are_filtered_as_asked() {
    let shop = Shop::new();
    shop.root()
        .post(&shop.path("milestones"), json!({ "title": "v1" }));
    shop.root().post(
        &shop.path("issues"),
        json!({ "title": "apple", "labels": "a", "milestone_id": 1 }),
    );
    shop.root().post(
        &shop.path("issues"),
        json!({ "title": "banana", "labels": "a,b" }),
    );
    shop.root().post(
        &shop.path("issues"),
        json!({ "title": "cherry", "confidential": true }),
    );
    shop.root()
        .put(&shop.path("issues/2"), json!({ "state_event": "close" }));
    for (query, expected) in [
        ("", vec![3, 2, 1]),
        ("iids[]=1&iids[]=2", vec![2, 1]),
        ("iids=1,3", vec![3, 1]),
        ("state=closed", vec![2]),
        ("state=opened&sort=asc", vec![1, 3]),
        ("labels=a,b", vec![2]),
        ("milestone=v1", vec![1]),
        ("milestone=None", vec![3, 2]),
        ("search=ban", vec![2]),
        ("confidential=true", vec![3]),
        ("order_by=title", vec![3, 2, 1]),
        ("assignee_id=Any", vec![]),
    ] {
        let list = shop
            .root()
            .get(&shop.path(&format!("issues?{query}")))
            .json();
        let iids: Vec<u64> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["iid"].as_u64().unwrap())
            .collect();
        assert_eq!(iids, expected, "{query}");
    }
    assert_eq!(
        shop.root()
            .get("issues?scope=all")
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn updates_close_reopen_and_relabel() {
    let shop = Shop::new();
    shop.issue("one");
    let put = |body: Value| {
        let reply = shop.root().put(&shop.path("issues/1"), body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    };
    let closed = put(json!({ "state_event": "close", "add_labels": "done" }));
    assert_eq!(
        (
            &closed["state"],
            &closed["closed_by"]["username"],
            &closed["labels"]
        ),
        (&json!("closed"), &json!("root"), &json!(["done"]))
    );
    let opened =
        put(json!({ "state_event": "reopen", "remove_labels": ["done"], "confidential": true }));
    assert_eq!(
        (&opened["state"], &opened["closed_at"], &opened["labels"]),
        (&json!("opened"), &json!(null), &json!([]))
    );
    let events = shop
        .root()
        .get(&shop.path("issues/1/resource_state_events"))
        .json();
    assert_eq!(
        (
            &events[1]["state"],
            &events[1]["user"]["username"],
            &events[1]["resource_type"]
        ),
        (&json!("reopened"), &json!("root"), &json!("Issue"))
    );
}

#[test]
fn authors_close_their_issues_and_guests_no_others() {
    let shop = Shop::new();
    shop.issue("one");
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let own = guest
        .post(
            &shop.path("issues"),
            json!({ "title": "mine", "labels": "x" }),
        )
        .json();
    assert_eq!((&own["iid"], &own["labels"]), (&json!(2), &json!([])));
    let close = json!({ "state_event": "close" });
    assert_eq!(guest.put(&shop.path("issues/2"), close.clone()).status, 200);
    assert_eq!(guest.put(&shop.path("issues/1"), close).status, 403);
    assert_eq!(shop.root().delete(&shop.path("issues/2")).status, 204);
}

#[test]
fn confidential_issues_are_not_there_for_those_who_may_not_see_them() {
    let shop = Shop::new();
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let (_, planner) = shop.world.member(shop.project, "planner", 15);
    shop.root().post(
        &shop.path("issues"),
        json!({ "title": "secret", "confidential": true }),
    );
    assert_eq!(guest.get(&shop.path("issues/1")).status, 404);
    assert_eq!(guest.get(&shop.path("issues/1/notes")).status, 404);
    assert_eq!(guest.get(&shop.path("issues")).json(), json!([]));
    assert_eq!(planner.get(&shop.path("issues/1")).status, 200);
    let own = guest.post(
        &shop.path("issues"),
        json!({ "title": "mine", "confidential": true }),
    );
    assert_eq!(
        guest
            .get(&shop.path(&format!("issues/{}", own.json()["iid"])))
            .status,
        200
    );
}

#[test]
fn links_join_two_issues_once() {
    let shop = Shop::new();
    shop.issue("one");
    shop.issue("two");
    let path = shop.path("issues/1/links");
    let body = json!({ "target_project_id": shop.project, "target_issue_iid": 2 });
    let made = shop.root().post(&path, body.clone());
    assert_eq!(
        (made.status, &made.json()["target_issue"]["iid"]),
        (201, &json!(2))
    );
    assert_eq!(
        shop.root().post(&path, body).error(),
        (409, json!({ "message": "Issue(s) already assigned" }))
    );
    let blocked =
        json!({ "target_project_id": shop.project, "target_issue_iid": 2, "link_type": "blocks" });
    assert_eq!(
        shop.root().post(&path, blocked).error(),
        (
            403,
            json!({ "message": "Blocked issues not available for current license" })
        )
    );
    let seen = shop.root().get(&shop.path("issues/2/links")).json();
    assert_eq!(
        (&seen[0]["iid"], &seen[0]["link_type"]),
        (&json!(1), &json!("relates_to"))
    );
    let one = format!("{path}/{}", seen[0]["issue_link_id"]);
    assert_eq!(shop.root().delete(&one).status, 200);
    assert_eq!(shop.root().get(&path).json(), json!([]));
    let near = json!({ "target_project_id": Value::Null, "target_issue_iid": "2" });
    let made = shop.root().post(&path, near);
    assert_eq!(made.json()["target_issue"]["iid"], 2, "{}", made.text);
}

#[test]
fn a_moved_issue_points_to_the_new_one() {
    let shop = Shop::new();
    shop.issue("one");
    let other = shop.world.project("other");
    let moved = shop.root().post(
        &shop.path("issues/1/move"),
        json!({ "to_project_id": other }),
    );
    assert_eq!(
        (moved.status, &moved.json()["project_id"]),
        (201, &json!(other))
    );
    let old = shop.root().get(&shop.path("issues/1")).json();
    assert_eq!(
        (&old["state"], &old["moved_to_id"]),
        (&json!("closed"), &moved.json()["id"])
    );
    let notes = shop.root().get(&shop.path("issues/1/notes")).json();
    assert_eq!(text(&notes[0], "body"), "moved to other#1");
}
