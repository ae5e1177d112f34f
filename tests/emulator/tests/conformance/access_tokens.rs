//! Access tokens of projects and groups, and their bots.

use serde_json::json;

use crate::client::World;

#[test]
fn a_project_token_acts_as_a_bot_with_its_role() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/access_tokens");
    let body =
        json!({ "name": "ci", "scopes": ["api"], "expires_at": "2099-01-01", "access_level": 30 });
    let created = world.root.post(&path, body).json();
    assert_eq!(
        (&created["access_level"], &created["expires_at"]),
        (&json!(30), &json!("2099-01-01"))
    );
    let bot = world.with_token(created["token"].as_str().unwrap());
    let own = bot.get("user").json();
    assert_eq!(own["bot"], true);
    assert!(
        own["username"]
            .as_str()
            .unwrap()
            .starts_with(&format!("project_{project}_bot_"))
    );
    assert_eq!(
        bot.get(&format!("projects/{project}/variables")).status,
        403
    );
    let id = &created["id"];
    assert!(
        world
            .root
            .get(&format!("{path}/{id}"))
            .json()
            .get("token")
            .is_none()
    );
    let rotated = world
        .root
        .post(&format!("{path}/{id}/rotate"), json!({}))
        .json();
    assert_eq!(bot.get("user").status, 401);
    let renewed = world.with_token(rotated["token"].as_str().unwrap());
    assert_eq!(renewed.get(&format!("projects/{project}")).status, 200);
    assert_eq!(
        world
            .root
            .delete(&format!("{path}/{}", rotated["id"]))
            .status,
        204
    );
    assert_eq!(renewed.get("user").status, 401);
    assert_eq!(
        world.root.get(&format!("{path}?state=active")).json(),
        json!([])
    );
}

#[test]
fn nobody_gives_a_token_more_than_they_have() {
    let world = World::new();
    let project = world.project("shop");
    let (_, maintainer) = world.member(project, "mia", 40);
    let (_, developer) = world.member(project, "dev", 30);
    let path = format!("projects/{project}/access_tokens");
    let body = |level: u64| json!({ "name": "ci", "scopes": ["api"], "expires_at": "2099-01-01", "access_level": level });
    assert_eq!(maintainer.post(&path, body(50)).status, 400);
    assert_eq!(maintainer.post(&path, body(40)).status, 201);
    assert_eq!(developer.post(&path, body(30)).status, 403);
    let missing = maintainer.post(&path, json!({ "name": "ci", "scopes": ["api"] }));
    assert_eq!(
        missing.error(),
        (400, json!({ "error": "expires_at is missing" }))
    );
}

#[test]
fn a_group_token_acts_in_all_projects_of_the_group() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "G", "path": "g" }))
        .json()["id"]
        .clone();
    let inside = json!({ "name": "shop", "namespace_id": group });
    let project = world.root.post("projects", inside).json()["id"].clone();
    let path = format!("groups/{group}/access_tokens");
    let body =
        json!({ "name": "ci", "scopes": ["api"], "expires_at": "2099-01-01", "access_level": 30 });
    let created = world.root.post(&path, body).json();
    assert_eq!(
        (&created["resource_type"], &created["access_level"]),
        (&json!("group"), &json!(30))
    );
    let bot = world.with_token(created["token"].as_str().unwrap());
    assert_eq!(bot.get(&format!("projects/{project}")).status, 200);
    assert!(world.root.get(&path).json()[0]["last_used_at"].is_string());
    let own = format!("{path}/{}", created["id"]);
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(bot.get(&format!("projects/{project}")).status, 401);
}
