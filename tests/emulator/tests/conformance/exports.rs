//! Exports of projects and groups, and what comes of importing them.

use serde_json::json;

use crate::client::{World, send};

/// The bytes of a download; the client's texts are not exact enough.
fn export(world: &World, path: &str) -> Vec<u8> {
    let started = world.root.post(&format!("{path}/export"), json!({}));
    assert_eq!(started.error(), (202, json!({ "message": "202 Accepted" })));
    let token = world.root.token.clone().unwrap();
    let address = format!("/api/v4/{path}/export/download");
    let headers = [("private-token", token.as_str())];
    let reply = send(&world.root.url, "GET", &address, &headers, b"").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.bytes
}

#[test]
fn an_exported_project_is_imported_with_its_code_and_settings() {
    let world = World::new();
    let body = json!({ "name": "shop", "initialize_with_readme": true, "merge_method": "ff" });
    let shop = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let path = format!("projects/{shop}");
    assert_eq!(
        world.root.get(&format!("{path}/export")).json()["export_status"],
        "none"
    );
    assert_eq!(
        world.root.get(&format!("{path}/export/download")).status,
        404
    );
    let content = export(&world, &path);
    let status = world.root.get(&format!("{path}/export")).json();
    assert_eq!(status["export_status"], "finished");
    let file = ("file", "export.tar.gz", content.as_slice());
    let texts = [
        ("path", "copy"),
        ("name", "A copy"),
        ("override_params[description]", "new"),
    ];
    let made = world.root.upload("POST", "projects/import", file, &texts);
    assert_eq!(made.status, 201, "{}", made.text);
    let copy = format!("projects/{}", made.json()["id"]);
    assert_eq!(
        world.root.get(&format!("{copy}/import")).json()["import_status"],
        "finished"
    );
    let project = world.root.get(&copy).json();
    assert_eq!(
        [
            &project["name"],
            &project["merge_method"],
            &project["description"],
            &project["default_branch"]
        ],
        [
            &json!("A copy"),
            &json!("ff"),
            &json!("new"),
            &json!("main")
        ]
    );
    let readme = format!("{copy}/repository/files/README.md?ref=main");
    assert_eq!(world.root.get(&readme).status, 200);
    let again = world.root.upload("POST", "projects/import", file, &texts);
    assert_eq!(
        again.error(),
        (400, json!({ "message": "Name has already been taken" }))
    );
    let broken = ("file", "export.tar.gz", b"nothing".as_slice());
    assert_eq!(
        world
            .root
            .upload("POST", "projects/import", broken, &[("path", "x")])
            .status,
        400
    );
}

#[test]
fn an_exported_group_is_imported_under_another_name() {
    let world = World::new();
    let body =
        json!({ "name": "team", "path": "team", "visibility": "public", "description": "us" });
    let team = world.root.post("groups", body).json()["id"]
        .as_u64()
        .unwrap();
    let content = export(&world, &format!("groups/{team}"));
    let file = ("file", "export.tar.gz", content.as_slice());
    let texts = [("path", "crew"), ("name", "The crew")];
    let made = world.root.upload("POST", "groups/import", file, &texts);
    assert_eq!(made.error(), (202, json!({ "message": "202 Accepted" })));
    let crew = world.root.get("groups/crew").json();
    assert_eq!(
        [&crew["name"], &crew["visibility"], &crew["description"]],
        [&json!("The crew"), &json!("public"), &json!("us")]
    );
}
