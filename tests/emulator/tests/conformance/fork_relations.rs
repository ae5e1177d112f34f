//! Forks.

use serde_json::{Value, json};

use crate::client::World;

#[test]
fn a_fork_has_the_code_and_knows_its_origin() {
    let world = World::new();
    let body = json!({ "name": "shop", "initialize_with_readme": true, "visibility": "public" });
    let origin = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let (_, ana) = world.person("ana");
    let path = format!("projects/{origin}/fork");
    let fork = ana.post(&path, json!({ "name": "my shop" }));
    assert_eq!(fork.status, 201, "{}", fork.text);
    let fork = fork.json();
    world.emulator.settle();
    assert_eq!(fork["path_with_namespace"], "ana/shop");
    assert_eq!(fork["forked_from_project"]["id"], origin);
    let readme = format!(
        "projects/{}/repository/files/README.md?ref=main",
        fork["id"]
    );
    assert_eq!(ana.get(&readme).status, 200);
    let protected = format!("projects/{}/protected_branches", fork["id"]);
    assert_eq!(ana.get(&protected).json()[0]["name"], "main");
    assert_eq!(ana.post(&path, json!({})).status, 409);
    let shown = ana.get(&format!("projects/{origin}")).json();
    assert_eq!(shown["forks_count"], 1);
    let forks = ana.get(&format!("projects/{origin}/forks")).json();
    assert_eq!(forks[0]["id"], fork["id"]);
    let elsewhere = ana.post(&path, json!({ "namespace_path": "root", "path": "x" }));
    let text = json!({ "message": "404 Target Namespace Not Found" });
    assert_eq!(elsewhere.error(), (404, text));
    let link = format!("projects/{}/fork", fork["id"]);
    assert_eq!(ana.delete(&link).status, 204);
    assert_eq!(ana.delete(&link).status, 304);
    let alone = ana.get(&format!("projects/{}", fork["id"])).json();
    assert_eq!(alone.get("forked_from_project"), None::<&Value>);
    let again = world.root.post(&format!("{link}/{origin}"), json!({}));
    assert_eq!(again.json()["forked_from_project"]["id"], origin);
}
