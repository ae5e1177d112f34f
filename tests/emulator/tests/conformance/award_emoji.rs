//! Emoji on issues and merge requests.

use serde_json::json;

use crate::shop::Shop;

#[test]
fn emoji_are_given_once_counted_and_taken_back() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1/award_emoji");
    let made = shop.root().post(&path, json!({ "name": "thumbsup" }));
    assert_eq!(
        (made.status, &made.json()["awardable_type"]),
        (201, &json!("Issue"))
    );
    assert_eq!(
        shop.root()
            .post(&path, json!({ "name": "thumbsup" }))
            .status,
        404
    );
    assert_eq!(shop.root().get(&shop.path("issues/1")).json()["upvotes"], 1);
    let one = format!("{path}/{}", made.json()["id"]);
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    assert_eq!(dev.delete(&one).status, 401);
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.root().get(&path).json(), json!([]));
}

#[test]
fn comments_get_emoji_of_their_own() {
    let shop = Shop::new();
    shop.issue("one");
    let notes = shop.path("issues/1/notes");
    let note = shop.root().post(&notes, json!({ "body": "nice" })).json();
    let path = format!("{notes}/{}/award_emoji", note["id"]);
    let made = shop.root().post(&path, json!({ "name": "star" }));
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        (&made.json()["awardable_type"], &made.json()["awardable_id"]),
        (&json!("Note"), &note["id"])
    );
    assert_eq!(
        shop.root().get(&shop.path("issues/1/award_emoji")).json(),
        json!([])
    );
    let one = format!("{path}/{}", made.json()["id"]);
    assert_eq!(shop.root().get(&one).json()["name"], "star");
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.root().get(&path).json(), json!([]));
}
