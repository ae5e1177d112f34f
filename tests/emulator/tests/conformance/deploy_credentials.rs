//! Deploy keys and deploy tokens.

use serde_json::json;

use crate::client::World;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEuIDmTpQ3Fz8sUqA9WfKcUVYy0r7m5vP4nGdE2hXbLk ci";

#[test]
fn a_deploy_key_is_shared_between_projects_and_goes_with_the_last() {
    let world = World::new();
    let (shop, tools) = (world.project("shop"), world.project("tools"));
    let (_, developer) = world.member(shop, "dev", 30);
    let path = format!("projects/{shop}/deploy_keys");
    let body = json!({ "title": "ci", "key": KEY, "can_push": true });
    assert_eq!(developer.post(&path, body.clone()).status, 403);
    let made = world.root.post(&path, body);
    assert_eq!((made.status, &made.json()["can_push"]), (201, &json!(true)));
    let id = made.json()["id"].as_u64().unwrap();
    let other = format!("projects/{tools}/deploy_keys/{id}");
    assert_eq!(world.root.get(&other).status, 404);
    assert_eq!(
        world
            .root
            .post(&format!("{other}/enable"), json!({}))
            .status,
        201
    );
    assert_eq!(world.root.get(&other).json()["can_push"], false);
    let all = world.root.get("deploy_keys").json();
    assert_eq!(all[0]["projects_with_write_access"][0]["id"], shop);
    assert_eq!(all[0]["projects_with_readonly_access"][0]["id"], tools);
    let print = made.json()["fingerprint_sha256"]
        .as_str()
        .unwrap()
        .replace('+', "%2B");
    let found = world.root.get(&format!("keys?fingerprint={print}")).json();
    assert_eq!(
        found["deploy_keys_projects"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(world.root.delete(&format!("{path}/{id}")).status, 204);
    assert_eq!(world.root.delete(&other).status, 204);
    assert_eq!(world.root.get("deploy_keys").json(), json!([]));
}

#[test]
fn a_deploy_token_shows_its_secret_once() {
    let world = World::new();
    let shop = world.project("shop");
    let path = format!("projects/{shop}/deploy_tokens");
    let body = json!({ "name": "d", "scopes": ["read_repository"], "expires_at": "2999-01-01" });
    let made = world.root.post(&path, body).json();
    assert!(made["token"].as_str().unwrap().starts_with("gldt-"));
    assert_eq!(
        made["username"],
        format!("gitlab+deploy-token-{}", made["id"])
    );
    assert_eq!(made["expires_at"], "2999-01-01T00:00:00.000Z");
    let one = format!("{path}/{}", made["id"]);
    let shown = world.root.get(&one).json();
    assert_eq!(
        (shown.get("token"), &shown["expired"]),
        (None, &json!(false))
    );
    assert_eq!(
        world.root.get("deploy_tokens?active=false").json(),
        json!([])
    );
    let odd = world
        .root
        .post(&path, json!({ "name": "d", "scopes": ["api"] }));
    let text = json!({ "error": "scopes does not have a valid value" });
    assert_eq!(odd.error(), (400, text));
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.root.get(&one).status, 404);
}
