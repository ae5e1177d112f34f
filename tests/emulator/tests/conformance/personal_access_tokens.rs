//! Personal access tokens: lists, rotation, revocation, traces of use.

use serde_json::{Value, json};

use crate::client::World;

#[test]
fn administrators_see_all_tokens_and_others_their_own() {
    let world = World::new();
    let (ana, by_ana) = world.person("ana");
    let (bob, _) = world.person("bob");
    let users = |list: Value| -> Vec<Value> {
        let rows = list.as_array().unwrap();
        rows.iter().map(|row| row["user_id"].clone()).collect()
    };
    assert_eq!(
        users(world.root.get("personal_access_tokens").json()),
        [json!(1), json!(ana), json!(bob)]
    );
    let of_bob = format!("personal_access_tokens?user_id={bob}");
    assert_eq!(users(world.root.get(&of_bob).json()), [json!(bob)]);
    assert_eq!(
        users(by_ana.get("personal_access_tokens").json()),
        [json!(ana)]
    );
    assert_eq!(by_ana.get(&of_bob).status, 401);
    assert_eq!(by_ana.get("personal_access_tokens/1").status, 401);
    assert_eq!(world.root.get("personal_access_tokens/99").status, 404);
}

#[test]
fn a_rotated_token_is_replaced_for_a_week() {
    let world = World::new();
    world
        .emulator
        .clock()
        .set("2026-01-05T10:00:00Z".parse().unwrap());
    let (ana, by_ana) = world.person("ana");
    let list = by_ana.get("personal_access_tokens").json();
    assert_eq!(list[0]["expires_at"], "2027-01-05");
    assert_eq!(list[0]["last_used_at"], "2026-01-05T10:00:00.000Z");
    let own = format!("personal_access_tokens/{}", list[0]["id"]);
    let rotated = world.root.post(&format!("{own}/rotate"), json!({}));
    assert_eq!(
        (rotated.status, &rotated.json()["expires_at"]),
        (200, &json!("2026-01-12"))
    );
    assert_eq!(by_ana.get("user").status, 401);
    let renewed = world.with_token(rotated.json()["token"].as_str().unwrap());
    assert_eq!(renewed.get("user").json()["id"], json!(ana));
    let again = world.root.post(&format!("{own}/rotate"), json!({}));
    assert_eq!(
        again.error(),
        (
            400,
            json!({ "message": "400 Bad request - Token already revoked" })
        )
    );
    let itself = renewed.post(
        "personal_access_tokens/self/rotate",
        json!({ "expires_at": "2026-02-01" }),
    );
    let token = itself.json();
    assert_eq!(token["expires_at"], "2026-02-01");
    let newest = world.with_token(token["token"].as_str().unwrap());
    assert_eq!(
        newest
            .delete(&format!("personal_access_tokens/{}", token["id"]))
            .status,
        204
    );
    assert_eq!(newest.get("user").status, 401);
    let inactive = world
        .root
        .get("personal_access_tokens?state=inactive&sort=expires_asc")
        .json();
    let days: Vec<&Value> = inactive
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["expires_at"])
        .collect();
    assert_eq!(days, ["2026-01-12", "2026-02-01", "2027-01-05"]);
}
