//! Evidence and assets of releases, protection rules of packages, and the addresses that programs download from.

use serde_json::json;

use crate::client::{Reply, send};
use crate::schemas;
use crate::shop::{Shop, text};

/// What is at an address of the server.
fn fetch(shop: &Shop, url: &str) -> Reply {
    let path = url.strip_prefix(shop.root().url.as_str()).unwrap_or(url);
    let token = shop.root().token.clone().unwrap();
    let headers = [("private-token", token.as_str())];
    send(&shop.root().url, "GET", path, &headers, b"").unwrap()
}

#[test]
fn a_release_keeps_evidence_of_what_it_was() {
    let shop = Shop::new();
    let body = json!({ "tag_name": "v1.0", "ref": "main", "description": "first" });
    let made = shop.root().post(&shop.path("releases"), body);
    assert_eq!(made.status, 201);
    let path = shop.path("releases/v1.0");
    let release = shop.root().get(&path).json();
    let evidence = &release["evidences"][0];
    schemas::check("public_api/v4/release/evidence.json", evidence);
    let kept = fetch(&shop, &text(evidence, "filepath"));
    assert_eq!(
        (kept.status, &kept.json()["release"]["description"]),
        (200, &json!("first"))
    );
    shop.root().put(&path, json!({ "description": "second" }));
    let again = shop.root().post(&format!("{path}/evidence"), json!({}));
    assert_eq!(again.status, 202);
    let release = shop.root().get(&path).json();
    assert_eq!(release["evidences"].as_array().unwrap().len(), 2);
    assert_ne!(
        release["evidences"][0]["sha"],
        release["evidences"][1]["sha"]
    );
}

#[test]
fn sources_and_assets_of_a_release_are_where_it_says() {
    let shop = Shop::new();
    let link = json!({ "name": "tool", "url": "https://example.com/tool", "direct_asset_path": "/bin/tool" });
    let body = json!({ "tag_name": "v1.0", "ref": "main", "assets": { "links": [link] } });
    let release = shop.root().post(&shop.path("releases"), body).json();
    let archive = fetch(&shop, &text(&release["assets"]["sources"][1], "url"));
    assert_eq!(
        (archive.status, archive.header("content-type")),
        (200, Some("application/octet-stream"))
    );
    let asset = fetch(
        &shop,
        &text(&release["assets"]["links"][0], "direct_asset_url"),
    );
    assert_eq!(
        (asset.status, asset.header("location")),
        (302, Some("https://example.com/tool"))
    );
    let latest = fetch(
        &shop,
        "/root/shop/-/releases/permalink/latest/downloads/bin/tool",
    );
    let target = latest.header("location").unwrap();
    assert!(target.ends_with("/root/shop/-/releases/v1.0/downloads/bin/tool"));
    let file = fetch(&shop, "/root/shop/-/raw/main/README.md");
    assert_eq!(file.text, "shop\n");
    let path = "/root/shop/-/raw/main/README.md";
    assert_eq!(
        send(&shop.root().url, "GET", path, &[], b"")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn releases_of_a_group_are_those_of_its_projects() {
    let shop = Shop::new();
    let group = shop
        .root()
        .post("groups", json!({ "name": "Tools", "path": "tools" }))
        .json()["id"]
        .clone();
    let body = json!({ "name": "saw", "namespace_id": group, "initialize_with_readme": true });
    let saw = shop.root().post("projects", body).json()["id"].clone();
    for tag in ["v1.0", "v1.1"] {
        shop.root().post(
            &format!("projects/{saw}/releases"),
            json!({ "tag_name": tag, "ref": "main" }),
        );
    }
    let found = shop.root().get(&format!("groups/{group}/releases")).json();
    assert_eq!(
        (&found[0]["tag_name"], &found[1]["tag_name"]),
        (&json!("v1.1"), &json!("v1.0"))
    );
    let simple = shop
        .root()
        .get(&format!("groups/{group}/releases?simple=true"))
        .json();
    assert_eq!(simple[0]["assets"], json!(null));
}

#[test]
fn package_rules_are_kept_and_unique() {
    let shop = Shop::new();
    let path = shop.path("packages/protection/rules");
    let rule = json!({ "package_name_pattern": "@me/*", "package_type": "npm", "minimum_access_level_for_push": "owner" });
    let made = shop.root().post(&path, rule.clone());
    assert_eq!(
        (made.status, &made.json()["package_name_pattern"]),
        (201, &json!("@me/*"))
    );
    assert_eq!(shop.root().post(&path, rule).status, 422);
    let one = format!("{path}/{}", made.json()["id"]);
    let body = json!({ "minimum_access_level_for_push": "admin" });
    let changed = shop.root().call("PATCH", &one, Some(&body)).json();
    assert_eq!(changed["minimum_access_level_for_push"], "admin");
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.root().get(&path).json(), json!([]));
    let registry = shop.path("registry/repositories");
    assert_eq!(shop.root().get(&registry).json(), json!([]));
    assert_eq!(shop.root().delete(&format!("{registry}/1")).status, 404);
}

#[test]
fn a_changelog_section_is_committed_once() {
    let shop = Shop::new();
    shop.root().post(
        &shop.path("repository/tags"),
        json!({ "tag_name": "v1.0.0", "ref": "main" }),
    );
    let action = json!({ "action": "create", "file_path": "a", "content": "a" });
    let body = json!({ "branch": "main", "commit_message": "New\n\nChangelog: added", "actions": [action] });
    shop.root().post(&shop.path("repository/commits"), body);
    let path = shop.path("repository/changelog");
    let written = shop
        .root()
        .post(&path, json!({ "version": "1.1.0", "date": "2026-01-05" }));
    assert_eq!(written.status, 200, "{}", written.text);
    let file = shop
        .root()
        .get(&shop.path("repository/files/CHANGELOG.md/raw"))
        .text;
    assert!(
        file.starts_with("## 1.1.0 (2026-01-05)\n\n### added (1 change)\n"),
        "{file}"
    );
    let head = shop.head("main");
    shop.root().post(
        &path,
        json!({ "version": "1.1.0", "date": "2026-01-05", "to": "main" }),
    );
    assert_eq!(shop.head("main"), head);
    let (_, dan) = shop.world.member(shop.project, "dan", 30);
    let refused = dan.post(&path, json!({ "version": "1.2.0" }));
    assert_eq!(refused.status, 403);
}

#[test]
fn a_submodule_is_pointed_at_another_commit() {
    let shop = Shop::new();
    let clone = shop.clone_repository();
    let first = "1111111111111111111111111111111111111111";
    let entry = format!("160000,{first},lib");
    crate::shop::git(
        clone.path(),
        &["update-index", "--add", "--cacheinfo", &entry],
    );
    crate::shop::git(clone.path(), &["commit", "-qm", "submodule"]);
    crate::shop::git(clone.path(), &["push", "-q", "origin", "HEAD:main"]);
    let second = "2222222222222222222222222222222222222222";
    let path = shop.path("repository/submodules/lib");
    let moved = shop
        .root()
        .put(&path, json!({ "branch": "main", "commit_sha": second }));
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(
        moved.json()["title"],
        format!("Update submodule lib with oid {second}")
    );
    let again = shop
        .root()
        .put(&path, json!({ "branch": "main", "commit_sha": second }));
    assert_eq!(again.status, 400);
    let lost = shop.root().put(
        &shop.path("repository/submodules/no"),
        json!({ "branch": "main", "commit_sha": second }),
    );
    assert_eq!(
        lost.error(),
        (400, json!({ "message": "Invalid submodule path" }))
    );
}

#[test]
fn notes_and_snippets_are_given_emoji() {
    let shop = Shop::new();
    shop.issue("one");
    let note = shop
        .root()
        .post(&shop.path("issues/1/notes"), json!({ "body": "hm" }))
        .json()["id"]
        .clone();
    let path = shop.path(&format!("issues/1/notes/{note}/award_emoji"));
    let given = shop.root().post(&path, json!({ "name": "tractor" }));
    assert_eq!(
        (given.status, &given.json()["awardable_type"]),
        (201, &json!("Note"))
    );
    assert_eq!(
        shop.root().get(&shop.path("issues/1/award_emoji")).json(),
        json!([])
    );
    assert_eq!(
        shop.root()
            .delete(&format!("{path}/{}", given.json()["id"]))
            .status,
        204
    );
    let body = json!({ "title": "t", "content": "c", "file_name": "f", "visibility": "private" });
    let snippet = shop.root().post(&shop.path("snippets"), body).json()["id"].clone();
    let given = shop.root().post(
        &shop.path(&format!("snippets/{snippet}/award_emoji")),
        json!({ "name": "tractor" }),
    );
    assert_eq!(
        (given.status, &given.json()["awardable_type"]),
        (201, &json!("Snippet"))
    );
}

#[test]
fn only_environments_left_alone_for_a_week_are_stale() {
    let shop = Shop::new();
    shop.root()
        .post(&shop.path("environments"), json!({ "name": "staging" }));
    let path = shop.path("environments/stop_stale");
    let recent = shop.root().post(&path, json!({ "before": "2999-01-01" }));
    assert_eq!(
        recent.error(),
        (400, json!({ "message": "400 Bad request - Invalid Date" }))
    );
    let long_ago = shop.root().post(&path, json!({ "before": "2020-01-01" }));
    let text = "Successfully requested stop for all stale environments";
    assert_eq!(long_ago.error(), (200, json!({ "message": text })));
    assert_eq!(
        shop.root().get(&shop.path("environments")).json()[0]["state"],
        "available"
    );
}

#[test]
fn an_object_storage_serves_signed_addresses_and_refuses_tokens() {
    let shop = Shop::new();
    let file = shop.path("packages/generic/tool/1.0/tool.txt");
    let token = shop.root().token.clone().unwrap();
    let headers = [("private-token", token.as_str())];
    let path = format!("/api/v4/{file}");
    let url = shop.root().url.clone();
    assert_eq!(
        send(&url, "PUT", &path, &headers, b"saw").unwrap().status,
        201
    );
    let here = send(&url, "GET", &path, &headers, b"").unwrap();
    assert_eq!((here.status, here.text.as_str()), (200, "saw"));
    let storage = shop.world.emulator.store_objects_elsewhere().unwrap();
    let sent = send(&url, "GET", &path, &headers, b"").unwrap();
    assert_eq!(sent.status, 302);
    let target = sent.header("location").unwrap().to_owned();
    let (host, address) = target.split_at(target.rfind("/o").unwrap());
    let refused = send(host, "GET", address, &headers, b"").unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text);
    let found = send(host, "GET", address, &[], b"").unwrap();
    assert_eq!((found.status, found.text.as_str()), (200, "saw"));
    storage.lose_all();
    assert_eq!(send(host, "GET", address, &[], b"").unwrap().status, 404);
    let seen: Vec<u16> = storage.requests().iter().map(|one| one.status).collect();
    assert_eq!(seen, [400, 200, 404]);
}
