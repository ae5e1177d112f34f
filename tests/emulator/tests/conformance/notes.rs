//! Comments on merge requests and issues.

use serde_json::{Value, json};

use crate::client::Client;
use crate::schemas;
use crate::shop::{Shop, text};

fn bodies(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).json();
    list.as_array()
        .unwrap()
        .iter()
        .map(|note| text(note, "body"))
        .collect()
}

#[test]
fn notes_are_written_read_changed_and_deleted() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}/notes"));
    let made = shop
        .root()
        .post(&path, json!({ "body": "<!-- tool:1 --> hello" }));
    assert_eq!(made.status, 201);
    let mut note = made.json();
    let expected = json!({
        "type": null, "system": false, "noteable_type": "MergeRequest", "noteable_iid": iid, "resolvable": false,
        "internal": false, "project_id": shop.project, "commands_changes": {}, "body": "<!-- tool:1 --> hello",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&note[name], value, "{name}");
    }
    // The schema wants every user to have a picture.
    note["author"]["avatar_url"] = json!("http://example.com/a.png");
    schemas::check("public_api/v4/notes.json", &json!([note]));
    let one = format!("{path}/{}", note["id"]);
    let changed = shop.root().put(&one, json!({ "body": "other" }));
    assert_eq!(
        (changed.status, &changed.json()["body"]),
        (200, &json!("other"))
    );
    assert_eq!(shop.show(iid)["user_notes_count"], 1);
    assert_eq!(shop.root().get(&one).json()["body"], "other");
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(
        shop.root().get(&one).error(),
        (404, json!({ "message": "404 Not found" }))
    );
    assert_eq!(
        shop.root()
            .post(&shop.path("issues/9/notes"), json!({ "body": "x" }))
            .error(),
        (404, json!({ "message": "404 Issue Not Found" }))
    );
}

#[test]
fn lists_are_sorted_and_told_from_activity() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1/notes");
    for body in ["first", "second"] {
        shop.root().post(&path, json!({ "body": body }));
    }
    shop.root()
        .put(&shop.path("issues/1"), json!({ "description": "words" }));
    assert_eq!(
        bodies(shop.root(), &format!("{path}?sort=asc")),
        ["first", "second", "changed the description"]
    );
    assert_eq!(
        bodies(shop.root(), &path),
        ["changed the description", "second", "first"]
    );
    assert_eq!(
        bodies(
            shop.root(),
            &format!("{path}?activity_filter=only_comments")
        ),
        ["second", "first"]
    );
    assert_eq!(
        bodies(
            shop.root(),
            &format!("{path}?activity_filter=only_activity")
        ),
        ["changed the description"]
    );
    let one = shop.root().get(&format!("{path}?sort=asc")).json()[0]["id"].clone();
    shop.root()
        .put(&format!("{path}/{one}"), json!({ "body": "first, again" }));
    assert_eq!(
        bodies(
            shop.root(),
            &format!("{path}?order_by=updated_at&per_page=1")
        ),
        ["first, again"]
    );
}

#[test]
fn only_the_author_and_maintainers_touch_a_note_and_nobody_those_of_the_system() {
    let shop = Shop::new();
    shop.issue("one");
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let path = shop.path("issues/1/notes");
    let own = guest.post(&path, json!({ "body": "mine" })).json()["id"].clone();
    let one = format!("{path}/{own}");
    assert_eq!(dev.put(&one, json!({ "body": "theirs" })).status, 403);
    assert_eq!(dev.delete(&one).status, 403);
    assert_eq!(guest.put(&one, json!({ "body": "still mine" })).status, 200);
    assert_eq!(shop.root().delete(&one).status, 204);
    shop.root()
        .put(&shop.path("issues/1"), json!({ "description": "words" }));
    let system = shop.root().get(&path).json()[0]["id"].clone();
    assert_eq!(shop.root().delete(&format!("{path}/{system}")).status, 403);
    assert_eq!(
        shop.world
            .anonymous()
            .post(&path, json!({ "body": "x" }))
            .status,
        404
    );
    let (_, stranger) = shop.world.person("stranger");
    assert_eq!(stranger.get(&path).status, 404);
}

#[test]
fn internal_notes_are_hidden_from_guests() {
    let shop = Shop::new();
    shop.issue("one");
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let path = shop.path("issues/1/notes");
    let note = shop
        .root()
        .post(&path, json!({ "body": "secret", "internal": true }))
        .json();
    assert_eq!(
        (&note["internal"], &note["confidential"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(bodies(&guest, &path), Vec::<String>::new());
    assert_eq!(guest.get(&format!("{path}/{}", note["id"])).status, 404);
}

#[test]
fn bodies_must_have_something_in_them_and_fit() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1/notes");
    assert_eq!(shop.root().post(&path, json!({ "body": " " })).status, 400);
    assert_eq!(
        shop.root().post(&path, json!({})).error(),
        (400, json!({ "error": "body is missing" }))
    );
    let long: Value = json!({ "body": "x".repeat(1_000_001) });
    assert_eq!(shop.root().post(&path, long).status, 400);
    assert_eq!(
        shop.root()
            .post(&path, json!({ "body": "x".repeat(1_000_000) }))
            .status,
        201
    );
}

#[test]
fn a_mention_leaves_one_trace_where_it_points() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.issue("one");
    shop.issue("two");
    let path = shop.path(&format!("merge_requests/{iid}/notes"));
    for body in ["see #1 and `#2`", "again #1"] {
        shop.root().post(&path, json!({ "body": body }));
    }
    assert_eq!(
        bodies(shop.root(), &shop.path("issues/1/notes")),
        ["mentioned in merge request !1"]
    );
    assert_eq!(
        bodies(shop.root(), &shop.path("issues/2/notes")),
        Vec::<String>::new()
    );
    shop.root()
        .post(&shop.path("issues/2/notes"), json!({ "body": "like !1" }));
    assert_eq!(
        bodies(
            shop.root(),
            &format!("{path}?activity_filter=only_activity")
        ),
        ["mentioned in issue #2"]
    );
}
