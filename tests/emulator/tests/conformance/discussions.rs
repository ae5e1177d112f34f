//! Threads.

use serde_json::json;

use crate::shop::{Shop, text};

#[test]
fn a_thread_is_started_answered_and_resolved() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}/discussions"));
    let made = shop.root().post(&path, json!({ "body": "why?" }));
    assert_eq!(made.status, 201);
    let thread = made.json();
    assert_eq!(
        (
            &thread["individual_note"],
            &thread["notes"][0]["resolvable"]
        ),
        (&json!(false), &json!(true))
    );
    let one = format!("{path}/{}", text(&thread, "id"));
    let reply = shop
        .root()
        .post(&format!("{one}/notes"), json!({ "body": "because" }));
    assert_eq!(
        (reply.status, &reply.json()["type"]),
        (201, &json!("DiscussionNote"))
    );
    assert_eq!(
        shop.root().get(&one).json()["notes"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    assert_eq!(reporter.put(&one, json!({ "resolved": true })).status, 403);
    let resolved = shop.root().put(&one, json!({ "resolved": true })).json();
    assert_eq!(resolved["notes"][1]["resolved_by"]["username"], "root");
    let note = format!("{one}/notes/{}", thread["notes"][0]["id"]);
    assert_eq!(
        shop.root().put(&note, json!({ "resolved": false })).json()["resolved"],
        false
    );
    assert_eq!(
        shop.root().put(&note, json!({ "body": "new" })).json()["body"],
        "new"
    );
    assert_eq!(shop.root().delete(&note).status, 204);
    assert_eq!(
        shop.root().get(&format!("{path}/nothing")).error(),
        (404, json!({ "message": "404 Discussion Not Found" }))
    );
}

#[test]
fn a_lone_comment_becomes_a_thread_with_its_first_reply() {
    let shop = Shop::new();
    shop.issue("one");
    shop.root()
        .post(&shop.path("issues/1/notes"), json!({ "body": "alone" }));
    let path = shop.path("issues/1/discussions");
    let list = shop.root().get(&path).json();
    assert_eq!(list[0]["individual_note"], true);
    let reply = format!("{path}/{}/notes", text(&list[0], "id"));
    assert_eq!(
        shop.root()
            .post(&reply, json!({ "body": "not any more" }))
            .status,
        201
    );
    let list = shop.root().get(&path).json();
    assert_eq!(
        (&list[0]["individual_note"], list.as_array().unwrap().len()),
        (&json!(false), 1)
    );
    assert_eq!(list[0]["notes"][0]["resolvable"], false);
}
