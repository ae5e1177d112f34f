//! Administrators who act as somebody else.

use serde_json::json;

use crate::client::{World, send};

#[test]
fn an_administrator_acts_as_a_user_given_by_name_or_number() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    for wish in ["ana".to_owned(), id.to_string()] {
        let user = world.root.get(&format!("user?sudo={wish}")).json();
        assert_eq!(user["username"], "ana");
    }
    let token = world.root.token.clone().unwrap();
    let headers = [("private-token", token.as_str()), ("sudo", "ana")];
    let reply = send(&world.root.url, "GET", "/api/v4/user", &headers, b"").unwrap();
    assert_eq!(reply.json()["username"], "ana");
    let made = world
        .root
        .post("projects", json!({ "name": "own", "sudo": "ana" }));
    assert_eq!(made.json()["path_with_namespace"], "ana/own");
    assert_eq!(world.root.get("users/1/memberships?sudo=ana").status, 403);
    let missing = world.root.get("user?sudo=nobody");
    let text = "404 User with ID or username 'nobody' Not Found";
    assert_eq!(missing.error(), (404, json!({ "message": text })));
    let refused = ana.get("user?sudo=root");
    let text = "403 Forbidden - Must be admin to use sudo";
    assert_eq!(refused.error(), (403, json!({ "message": text })));
}

#[test]
fn a_token_without_the_scope_is_not_enough() {
    let world = World::new();
    world.person("ana");
    let narrow = world.with_token(&world.token(1, &["api"]));
    let refused = narrow.get("user?sudo=ana");
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (403, &json!("insufficient_scope"))
    );
    assert_eq!(world.anonymous().get("projects?sudo=ana").status, 401);
}
