//! Archives, blobs, blame, contributors and snapshots of a repository.

use serde_json::json;

use crate::shop::{Shop, text};

#[test]
fn an_archive_comes_in_every_format_under_a_folder_of_its_own() {
    let shop = Shop::new();
    let head = shop.head("main");
    for (ending, start) in [
        ("", "\x1f"),
        (".tar.gz", "\x1f"),
        (".zip", "PK"),
        (".tar.bz2", "BZh"),
        (".tbz2", "BZh"),
    ] {
        let reply = shop
            .root()
            .get(&shop.path(&format!("repository/archive{ending}")));
        assert_eq!(reply.status, 200, "{ending}");
        assert!(reply.text.starts_with(start), "{ending}");
    }
    let named = shop
        .root()
        .get(&shop.path("repository/archive.tar?sha=main"));
    let expected = format!("attachment; filename=\"shop-main-{head}.tar\"");
    assert_eq!(named.header("content-disposition"), Some(expected.as_str()));
    let missing = shop
        .root()
        .get(&shop.path("repository/archive?sha=nowhere"));
    assert_eq!(
        missing.error(),
        (404, json!({ "message": "404 File Not Found" }))
    );
}

#[test]
fn a_blob_is_found_by_its_own_id() {
    let shop = Shop::new();
    shop.commit("main", None, &[("a.txt", "hello\n")]);
    let tree = shop.root().get(&shop.path("repository/tree")).json();
    let entry = tree
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"] == "a.txt");
    let id = text(entry.unwrap(), "id");
    let blob = shop
        .root()
        .get(&shop.path(&format!("repository/blobs/{id}")))
        .json();
    assert_eq!(
        blob,
        json!({ "size": 6, "encoding": "base64", "content": "aGVsbG8K", "sha": id })
    );
    let raw = shop
        .root()
        .get(&shop.path(&format!("repository/blobs/{id}/raw")));
    assert_eq!(raw.text, "hello\n");
    let missing = shop
        .root()
        .get(&shop.path("repository/blobs/0123456789/raw"));
    assert_eq!(
        missing.error(),
        (404, json!({ "message": "404 Blob Not Found" }))
    );
}

#[test]
fn blame_names_the_commit_of_each_line() {
    let shop = Shop::new();
    let one = shop.commit("main", None, &[("a.txt", "x\ny\n")]);
    let two = shop.commit("main", None, &[("a.txt", "x\nz\n")]);
    let path = shop.path("repository/files/a.txt/blame?ref=main");
    let ranges = shop.root().get(&path).json();
    assert_eq!(
        (&ranges[0]["commit"]["id"], &ranges[0]["lines"]),
        (&json!(one), &json!(["x"]))
    );
    assert_eq!(
        (&ranges[1]["commit"]["id"], &ranges[1]["lines"]),
        (&json!(two), &json!(["z"]))
    );
    let second = shop
        .root()
        .get(&format!("{path}&range[start]=2&range[end]=2"))
        .json();
    assert_eq!(second.as_array().unwrap().len(), 1);
    let half = shop.root().get(&format!("{path}&range[start]=2"));
    assert_eq!(
        half.error(),
        (400, json!({ "error": "range[end] is missing" }))
    );
}

#[test]
fn contributors_are_counted_by_address() {
    let shop = Shop::new();
    shop.commit("main", None, &[("a.txt", "x")]);
    let other = json!({
        "branch": "main", "commit_message": "m", "author_name": "Ana", "author_email": "ana@example.com",
        "actions": [{ "action": "create", "file_path": "b.txt", "content": "b" }],
    });
    shop.root().post(&shop.path("repository/commits"), other);
    let found = shop
        .root()
        .get(&shop.path("repository/contributors?order_by=name&sort=desc"))
        .json();
    assert_eq!(
        found[0],
        json!({ "name": "Ana", "email": "ana@example.com", "commits": 1, "additions": 0, "deletions": 0 })
    );
}

#[test]
fn a_snapshot_is_for_administrators() {
    let shop = Shop::new();
    let whole = shop
        .root()
        .get(&format!("projects/{}/snapshot", shop.project));
    assert!(whole.status == 200 && whole.text.contains("ustar"));
    let (_, maintainer) = shop.world.member(shop.project, "mia", 40);
    let refused = maintainer.get(&format!("projects/{}/snapshot", shop.project));
    assert_eq!(refused.status, 403);
}

#[test]
fn commits_have_a_sequence_number_and_no_signature() {
    let shop = Shop::new();
    let before = shop
        .root()
        .get(&shop.path("repository/commits/main/sequence"))
        .json();
    shop.commit("main", None, &[("a.txt", "x")]);
    let after = shop
        .root()
        .get(&shop.path("repository/commits/main/sequence"))
        .json();
    assert_eq!(
        after["count"].as_u64(),
        before["count"].as_u64().map(|count| count + 1)
    );
    assert_eq!(
        shop.root()
            .get(&shop.path("repository/commits/main/signature"))
            .error(),
        (404, json!({ "message": "404 Signature Not Found" }))
    );
}

#[test]
fn a_first_branch_in_an_empty_repository_makes_the_default_branch_too() {
    let shop = Shop::new();
    let made = shop
        .root()
        .post("projects", json!({ "name": "bare" }))
        .json();
    let path = format!("projects/{}/repository/branches", made["id"]);
    let body = json!({ "branch": "my.branch", "ref": "main" });
    assert_eq!(shop.root().post(&path, body).status, 201);
    let names = shop.root().get(&path).json();
    assert_eq!(
        (&names[0]["name"], &names[1]["name"]),
        (&json!("main"), &json!("my.branch"))
    );
}

#[test]
fn merged_branches_are_swept_but_protected_ones_stay() {
    let shop = Shop::new();
    let path = shop.path("repository/branches");
    for name in ["done", "kept"] {
        shop.root()
            .post(&path, json!({ "branch": name, "ref": "main" }));
    }
    let protect = format!("{path}/kept/protect");
    let protected = shop
        .root()
        .put(&protect, json!({ "developers_can_push": true }))
        .json();
    assert_eq!(
        (&protected["protected"], &protected["developers_can_push"]),
        (&json!(true), &json!(true))
    );
    shop.commit("ahead", Some("main"), &[("a.txt", "x")]);
    let swept = shop.root().delete(&shop.path("repository/merged_branches"));
    assert_eq!(swept.error(), (202, json!({ "message": "202 Accepted" })));
    let left: Vec<String> = shop
        .root()
        .get(&path)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| text(branch, "name"))
        .collect();
    assert_eq!(left, ["ahead", "kept", "main"]);
    let open = shop
        .root()
        .put(&format!("{path}/kept/unprotect"), json!({}))
        .json();
    assert_eq!(open["protected"], false);
}

#[test]
fn a_dry_run_picks_nothing() {
    let shop = Shop::new();
    let commit = shop.commit("feature", Some("main"), &[("a.txt", "x")]);
    let head = shop.head("main");
    let tried = shop.root().post(
        &shop.path(&format!("repository/commits/{commit}/cherry_pick")),
        json!({ "branch": "main", "dry_run": true }),
    );
    assert_eq!(tried.error(), (200, json!({ "dry_run": "success" })));
    assert_eq!(shop.head("main"), head);
}

#[test]
fn branches_and_tags_are_paged_by_the_last_name() {
    let shop = Shop::new();
    for name in ["a", "b"] {
        shop.root().post(
            &shop.path("repository/branches"),
            json!({ "branch": name, "ref": "main" }),
        );
    }
    let path = shop.path("repository/branches?pagination=keyset&per_page=2");
    let first = shop.root().get(&path);
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    assert!(first.header("link").unwrap().contains("page_token=b"));
    let second = shop.root().get(&format!("{path}&page_token=b"));
    assert_eq!(
        (second.json()[0]["name"].clone(), second.header("link")),
        (json!("main"), None)
    );
}

#[test]
fn a_fork_is_compared_with_its_parent() {
    let shop = Shop::new();
    let forked = shop
        .root()
        .post(
            &shop.path("fork"),
            json!({ "name": "copy", "path": "copy" }),
        )
        .json();
    shop.world.emulator.settle();
    let ahead = shop.commit("main", None, &[("b.txt", "b")]);
    let fork = format!("projects/{}/repository", forked["id"]);
    let action = json!({ "action": "create", "file_path": "c.txt", "content": "c" });
    let body = json!({ "branch": "main", "commit_message": "in the fork", "actions": [action] });
    shop.root().post(&format!("{fork}/commits"), body);
    let query = format!("compare?from=main&to=main&from_project_id={}", shop.project);
    let compared = shop.root().get(&format!("{fork}/{query}"));
    assert_eq!(compared.status, 200, "{}", compared.text);
    assert_eq!(compared.json()["commits"][0]["title"], "in the fork");
    assert!(text(&compared.json(), "web_url").contains(&ahead));
    let stranger = shop
        .root()
        .get(&shop.path("repository/compare?from=main&to=main&from_project_id=99"));
    assert_eq!(stranger.status, 400);
}
