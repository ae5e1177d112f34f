//! Commits, files, trees and comparisons.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::schemas;
use crate::shop::{Shop, text};

fn commit(shop: &Shop, body: Value) -> (u16, Value) {
    shop.root()
        .post(&shop.path("repository/commits"), body)
        .error()
}

#[test]
fn one_commit_changes_many_files() {
    let shop = Shop::new();
    shop.commit("main", None, &[("a", "1\n"), ("b", "1\n"), ("c", "1\n")]);
    let (status, made) = commit(
        &shop,
        json!({
            "branch": "work", "start_branch": "main", "commit_message": "Change\n\nChangelog: added",
            "author_name": "Ana", "author_email": "ana@example.com",
            "actions": [
                { "action": "create", "file_path": "dir/new", "content": STANDARD.encode("bytes"), "encoding": "base64" },
                { "action": "update", "file_path": "a", "content": "2\n" },
                { "action": "delete", "file_path": "b" },
                { "action": "move", "file_path": "d", "previous_path": "c" },
                { "action": "chmod", "file_path": "a", "execute_filemode": true },
            ],
        }),
    );
    assert_eq!(status, 201, "{made}");
    schemas::check("public_api/v4/commit/detail.json", &made);
    assert_eq!(
        (&made["author_name"], &made["committer_name"]),
        (&json!("Ana"), &json!("Administrator"))
    );
    assert_eq!(
        (&made["trailers"]["Changelog"], &made["stats"]["total"]),
        (&json!("added"), &json!(4))
    );
    let tree = shop
        .root()
        .get(&shop.path("repository/tree?ref=work&recursive=true"))
        .json();
    let paths: Vec<String> = tree
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(entry, "path"))
        .collect();
    assert_eq!(paths, ["dir", "README.md", "a", "d", "dir/new"]);
}

#[test]
fn commits_that_do_not_fit_are_refused_in_words() {
    let shop = Shop::new();
    let on = |branch: &str, action: Value| {
        commit(
            &shop,
            json!({ "branch": branch, "commit_message": "m", "actions": [action] }),
        )
    };
    let refused = |text: &str| (400, json!({ "message": text }));
    assert_eq!(
        on(
            "main",
            json!({ "action": "create", "file_path": "README.md", "content": "" })
        ),
        refused("A file with this name already exists")
    );
    assert_eq!(
        on(
            "main",
            json!({ "action": "update", "file_path": "x", "content": "" })
        ),
        refused("A file with this name doesn't exist")
    );
    assert_eq!(
        on(
            "nowhere",
            json!({ "action": "create", "file_path": "x", "content": "" })
        ),
        refused("You can only create or edit files when you are on a branch")
    );
    assert_eq!(
        on(
            "main",
            json!({ "action": "create", "file_path": "../x", "content": "" })
        ),
        refused("Path cannot include directory traversal")
    );
    let body =
        json!({ "branch": "main", "start_branch": "other", "commit_message": "m", "actions": [] });
    assert_eq!(
        commit(&shop, body),
        refused(
            "A branch called 'main' already exists. Switch to that branch in order to make changes"
        )
    );
}

#[test]
fn commits_are_listed_by_ref_path_and_range_and_shown_one_by_one() {
    let shop = Shop::new();
    let first = shop.head("main");
    let second = shop.commit("main", None, &[("a", "1\n")]);
    let third = shop.commit("work", Some("main"), &[("b", "1\n")]);
    let list = |query: &str| -> Vec<String> {
        let list = shop
            .root()
            .get(&shop.path(&format!("repository/commits?{query}")))
            .json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|commit| text(commit, "id"))
            .collect()
    };
    assert_eq!(list(""), [second.clone(), first.clone()]);
    assert_eq!(list("ref_name=work&path=a"), std::slice::from_ref(&second));
    assert_eq!(list("ref_name=main..work"), std::slice::from_ref(&third));
    assert_eq!(list("all=true&per_page=1").len(), 1);
    assert_eq!(list("since=2090-01-01T00:00:00Z"), Vec::<String>::new());
    let one = shop
        .root()
        .get(&shop.path("repository/commits/work"))
        .json();
    assert_eq!(
        (&one["id"], &one["last_pipeline"]),
        (&json!(third), &json!(null))
    );
    schemas::check("public_api/v4/commit/detail.json", &one);
    let diff = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{third}/diff")))
        .json();
    assert_eq!(
        (&diff[0]["new_path"], &diff[0]["diff"]),
        (&json!("b"), &json!("@@ -0,0 +1 @@\n+1\n"))
    );
    let root = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{first}/diff")))
        .json();
    assert_eq!(root[0]["new_file"], true);
    let refs = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{second}/refs?type=branch")))
        .json();
    assert_eq!(
        refs,
        json!([{ "type": "branch", "name": "main" }, { "type": "branch", "name": "work" }])
    );
    assert_eq!(
        shop.root()
            .get(&shop.path("repository/commits/0000000"))
            .error(),
        (404, json!({ "message": "404 Commit Not Found" }))
    );
}

#[test]
fn a_commit_knows_its_merge_requests() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let head = shop.head("feature");
    let found = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{head}/merge_requests")))
        .json();
    assert_eq!(
        (found[0]["iid"].as_u64(), found.as_array().unwrap().len()),
        (Some(iid), 1)
    );
    let main = shop.head("main");
    let none = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{main}/merge_requests")))
        .json();
    assert_eq!(none, json!([]));
}

#[test]
fn files_are_read_written_and_deleted() {
    let shop = Shop::new();
    let path = shop.path("repository/files/dir%2Fa.txt");
    let made = shop.root().post(
        &path,
        json!({ "branch": "main", "content": "one\n", "commit_message": "m" }),
    );
    assert_eq!(
        made.error(),
        (201, json!({ "file_path": "dir/a.txt", "branch": "main" }))
    );
    let file = shop.root().get(&format!("{path}?ref=main"));
    let (entity, sha) = (file.json(), shop.head("main"));
    assert_eq!(
        (
            &entity["content"],
            &entity["encoding"],
            &entity["file_name"]
        ),
        (
            &json!(STANDARD.encode("one\n")),
            &json!("base64"),
            &json!("a.txt")
        )
    );
    assert_eq!(
        (&entity["commit_id"], &entity["last_commit_id"]),
        (&json!(sha), &json!(sha))
    );
    assert_eq!(file.header("x-gitlab-size"), Some("4"));
    assert_eq!(shop.root().get(&format!("{path}/raw")).text, "one\n");
    assert_eq!(
        shop.root().get(&path).error(),
        (400, json!({ "error": "ref is missing" }))
    );
    let changed = shop.root().put(
        &path,
        json!({ "branch": "main", "content": "two\n", "commit_message": "m" }),
    );
    assert_eq!(changed.status, 200);
    let stale =
        json!({ "branch": "main", "content": "x", "commit_message": "m", "last_commit_id": sha });
    assert_eq!(shop.root().put(&path, stale).status, 400);
    let gone = shop.root().call(
        "DELETE",
        &path,
        Some(&json!({ "branch": "main", "commit_message": "m" })),
    );
    assert_eq!(gone.status, 204);
    assert_eq!(
        shop.root().get(&format!("{path}?ref=main")).error(),
        (404, json!({ "message": "404 File Not Found" }))
    );
}

#[test]
fn two_refs_are_compared_and_their_merge_base_found() {
    let shop = Shop::new();
    let base = shop.head("main");
    let work = shop.commit("work", Some("main"), &[("w", "1\n")]);
    shop.commit("main", None, &[("m", "other\n")]);
    let compared = shop
        .root()
        .get(&shop.path("repository/compare?from=main&to=work"))
        .json();
    assert_eq!(
        (
            &compared["commit"]["id"],
            compared["commits"].as_array().unwrap().len()
        ),
        (&json!(work), 1)
    );
    assert_eq!(
        (
            &compared["diffs"][0]["new_path"],
            compared["diffs"].as_array().unwrap().len()
        ),
        (&json!("w"), 1)
    );
    let straight = shop
        .root()
        .get(&shop.path("repository/compare?from=main&to=work&straight=true"))
        .json();
    assert_eq!(straight["diffs"].as_array().unwrap().len(), 2);
    let found = shop
        .root()
        .get(&shop.path("repository/merge_base?refs[]=main&refs[]=work"))
        .json();
    assert_eq!(found["id"], json!(base));
    assert_eq!(
        shop.root()
            .get(&shop.path("repository/merge_base?refs[]=main"))
            .error(),
        (400, json!({ "message": "Provide at least 2 refs" }))
    );
}

#[test]
fn a_tree_is_paged_by_keyset() {
    let shop = Shop::new();
    shop.commit("main", None, &[("a", "1"), ("b", "2"), ("c", "3")]);
    let mut url = shop.path("repository/tree?pagination=keyset&per_page=2");
    let mut names = Vec::new();
    loop {
        let reply = shop.root().get(&url);
        names.extend(
            reply
                .json()
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| text(entry, "name")),
        );
        let Some(link) = reply.header("link").map(str::to_owned) else {
            break;
        };
        let next = link.split_once("/api/v4/").unwrap().1;
        url = next.split_once('>').unwrap().0.to_owned();
    }
    assert_eq!(names, ["README.md", "a", "b", "c"]);
    assert_eq!(
        shop.root()
            .get(&shop.path("repository/tree?path=nowhere"))
            .error(),
        (
            404,
            json!({ "message": "404 invalid revision or path Not Found" })
        )
    );
}

#[test]
fn guests_of_a_private_project_see_no_code() {
    let shop = Shop::new();
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    for tail in [
        "repository/branches",
        "repository/commits",
        "repository/tree",
        "merge_requests",
    ] {
        assert_eq!(guest.get(&shop.path(tail)).status, 403, "{tail}");
    }
}

#[test]
fn commits_are_picked_and_reverted() {
    let shop = Shop::new();
    let work = shop.commit("work", Some("main"), &[("w", "1\n")]);
    shop.commit("main", None, &[("m", "other\n")]);
    let path = shop.path(&format!("repository/commits/{work}"));
    let on_main = json!({ "branch": "main" });
    let picked = shop
        .root()
        .post(&format!("{path}/cherry_pick"), on_main.clone());
    assert_eq!(picked.status, 201);
    assert_eq!(
        text(&picked.json(), "message").trim_end(),
        format!("change w\n\n(cherry picked from commit {work})")
    );
    let again = shop
        .root()
        .post(&format!("{path}/cherry_pick"), on_main.clone());
    assert_eq!(
        (again.status, &again.json()["error_code"]),
        (400, &json!("empty"))
    );
    let undone = shop.root().post(&format!("{path}/revert"), on_main).json();
    assert_eq!(undone["title"], "Revert \"change w\"");
    let repository = shop.world.emulator.repository(shop.project);
    assert_eq!(repository.file("main", "w").unwrap(), None);
    assert_eq!(
        shop.root()
            .post(&format!("{path}/revert"), json!({ "branch": "nowhere" }))
            .status,
        404
    );
}
