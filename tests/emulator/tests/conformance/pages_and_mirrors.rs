//! Pages, remote mirrors, storage and languages of projects.

use serde_json::json;

use crate::client::World;

#[test]
fn the_settings_and_domains_of_pages_are_kept() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/pages");
    assert_eq!(
        world.root.get(&path).json()["is_unique_domain_enabled"],
        true
    );
    let off = json!({ "pages_unique_domain_enabled": false });
    let changed = world.root.call("PATCH", &path, Some(&off)).json();
    assert_eq!(changed["is_unique_domain_enabled"], false);
    let domains = format!("{path}/domains");
    let made = world
        .root
        .post(&domains, json!({ "domain": "Shop.example.com" }))
        .json();
    assert_eq!(
        (&made["domain"], &made["verified"]),
        (&json!("shop.example.com"), &json!(false))
    );
    let again = world
        .root
        .post(&domains, json!({ "domain": "shop.example.com" }));
    assert_eq!(again.status, 400);
    assert_eq!(
        world.root.get("pages/domains").json()[0]["project_id"],
        project
    );
    let one = format!("{domains}/shop.example.com");
    assert_eq!(
        world.root.put(&format!("{one}/verify"), json!({})).status,
        422
    );
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.root.get(&one).status, 404);
    assert_eq!(world.root.delete(&path).status, 204);
}

#[test]
fn a_mirror_hides_the_password_of_its_address() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/remote_mirrors");
    let made = world
        .root
        .post(&path, json!({ "url": "https://me:hush@x/y.git" }));
    assert_eq!(made.json()["url"], "https://*****:*****@x/y.git");
    let one = format!("{path}/{}", made.json()["id"]);
    assert_eq!(
        world.root.put(&one, json!({ "enabled": true })).json()["enabled"],
        true
    );
    assert_eq!(world.root.get(&one).json()["enabled"], true);
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.root.get(&path).json(), json!([]));
    assert_eq!(
        world.root.post(&path, json!({ "url": "ftp://x" })).status,
        400
    );
}

#[test]
fn languages_are_shares_of_the_files() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/languages");
    assert_eq!(world.root.get(&path).json(), json!({}));
    for (file, size) in [("a.rs", 30), ("b.py", 10), ("c.txt", 99)] {
        let body = json!({ "branch": "main", "content": "x".repeat(size), "commit_message": "m" });
        let file = format!("projects/{project}/repository/files/{file}");
        assert_eq!(world.root.post(&file, body).status, 201);
    }
    assert_eq!(
        world.root.get(&path).json(),
        json!({ "Rust": 75.0, "Python": 25.0 })
    );
    let storage = format!("projects/{project}/storage");
    assert_eq!(
        world.root.get(&storage).json()["repository_storage"],
        "default"
    );
    let (_, owner) = world.member(project, "owner", 50);
    assert_eq!(owner.get(&storage).status, 403);
    let tidied = owner.post(&format!("projects/{project}/housekeeping"), json!({}));
    assert_eq!(tidied.status, 201);
}
