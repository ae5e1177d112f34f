//! Users, the version page and personal access tokens.

use serde_json::json;

use crate::client::World;
use crate::schemas;

#[test]
fn users_are_found_by_name_search_and_id() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    world.person("bob");
    let own = ana.get("user").json();
    assert_eq!(
        (&own["id"], &own["email"], &own["bot"]),
        (&json!(id), &json!("ana@example.com"), &json!(false))
    );
    let named = ana.get("users?username=ANA").json();
    schemas::check("public_api/v4/user/basic.json", &named[0]);
    assert_eq!(named.as_array().unwrap().len(), 1);
    assert_eq!(ana.get("users?search=bo").json()[0]["username"], "bob");
    assert_eq!(ana.get(&format!("users/{id}")).json()["username"], "ana");
    assert_eq!(
        ana.get("users/999").error(),
        (404, json!({ "message": "404 User Not Found" }))
    );
}

#[test]
fn only_administrators_create_users_and_names_are_unique() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    let body = json!({ "username": "bob", "name": "Bob", "email": "b@example.com", "password": "a-long-secret" });
    assert_eq!(ana.post("users", body.clone()).status, 403);
    assert_eq!(world.root.post("users", body.clone()).status, 201);
    assert_eq!(
        world.root.post("users", body).error(),
        (409, json!({ "message": "Email has already been taken" }))
    );
    let same_name = json!({ "username": "ANA", "name": "A", "email": "other@example.com", "password": "a-long-secret" });
    assert_eq!(
        world.root.post("users", same_name).error(),
        (409, json!({ "message": "Username has already been taken" }))
    );
}

#[test]
fn the_version_is_for_signed_in_users() {
    let world = World::new();
    assert_eq!(world.root.get("version").json()["version"], "18.5.1");
    assert_eq!(world.root.get("metadata").json()["enterprise"], false);
    assert_eq!(world.anonymous().get("version").status, 401);
}

#[test]
fn a_token_describes_itself_without_its_secret() {
    let world = World::new();
    let (id, _) = world.person("ana");
    let client = world.with_token(&world.token(id, &["read_repository"]));
    let own = client.get("personal_access_tokens/self").json();
    assert_eq!(
        (&own["user_id"], &own["scopes"], &own["active"]),
        (&json!(id), &json!(["read_repository"]), &json!(true))
    );
    assert!(own.get("token").is_none());
    let odd = world.root.post(
        &format!("users/{id}/personal_access_tokens"),
        json!({ "name": "t", "scopes": ["all"] }),
    );
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "scopes does not have a valid value" })
        )
    );
}
