//! What a push does to merge requests and issues.

use serde_json::{Value, json};

use crate::shop::{Shop, git, text};

#[test]
fn a_push_to_the_source_branch_gives_a_new_head_and_version() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let copy = shop.clone_repository();
    git(copy.path(), &["checkout", "-q", "feature"]);
    git(
        copy.path(),
        &["commit", "-q", "--allow-empty", "-m", "again"],
    );
    git(copy.path(), &["push", "-q", "origin", "feature"]);
    let head = git(copy.path(), &["rev-parse", "HEAD"]);
    assert_eq!(shop.show(iid)["sha"], json!(head));
    git(
        copy.path(),
        &["fetch", "-q", "origin", "refs/merge-requests/1/head"],
    );
    assert_eq!(git(copy.path(), &["rev-parse", "FETCH_HEAD"]), head);
    let notes = shop.root().get(&shop.path("merge_requests/1/notes")).json();
    let news = text(&notes[0], "body");
    assert!(
        news.starts_with("added 1 commit\n\n<ul><li>") && news.ends_with(" - again</li></ul>"),
        "{news}"
    );
}

#[test]
fn a_push_that_brings_the_recorded_head_to_the_target_marks_it_merged() {
    let shop = Shop::new();
    let issue = shop.issue("one");
    shop.commit("feature", Some("main"), &[("feature.txt", "new\n")]);
    let iid = shop.open(
        "feature",
        json!({ "description": format!("closes #{issue}") }),
    );
    let copy = shop.clone_repository();
    git(
        copy.path(),
        &["merge", "-q", "--no-ff", "-m", "by hand", "origin/feature"],
    );
    git(copy.path(), &["push", "-q", "origin", "main"]);
    let merged = shop.show(iid);
    assert_eq!(
        (&merged["state"], &merged["merge_user"]["username"]),
        (&json!("merged"), &json!("root"))
    );
    assert_eq!(merged["merge_commit_sha"], json!(shop.head("main")));
    assert_eq!(
        shop.root().get(&shop.path("issues/1")).json()["state"],
        "closed"
    );
}

#[test]
fn a_fast_forward_by_push_counts_as_a_merge_of_the_head() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let copy = shop.clone_repository();
    git(
        copy.path(),
        &["push", "-q", "origin", "origin/feature:main"],
    );
    let merged = shop.show(iid);
    assert_eq!(
        (&merged["state"], &merged["merge_commit_sha"]),
        (&json!("merged"), &json!(shop.head("feature")))
    );
}

#[test]
fn a_head_that_was_not_seen_before_is_not_marked_merged() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let copy = shop.clone_repository();
    git(copy.path(), &["checkout", "-q", "feature"]);
    git(
        copy.path(),
        &["commit", "-q", "--amend", "-m", "rebased elsewhere"],
    );
    git(copy.path(), &["push", "-q", "origin", "feature:main"]);
    assert_eq!(shop.show(iid)["state"], "opened");
}

#[test]
fn a_commit_on_the_default_branch_closes_the_issues_it_names() {
    let shop = Shop::new();
    shop.issue("one");
    shop.issue("two");
    let push = |branch: &str, start: Value, message: &str| {
        let body = json!({ "branch": branch, "start_branch": start, "commit_message": message,
            "actions": [{ "action": "create", "file_path": branch, "content": "" }] });
        assert_eq!(
            shop.root()
                .post(&shop.path("repository/commits"), body)
                .status,
            201
        );
    };
    push("work", json!("main"), "Fixes #1");
    push("main", json!(null), "Fixes #2");
    let state = |iid: u64| {
        text(
            &shop.root().get(&shop.path(&format!("issues/{iid}"))).json(),
            "state",
        )
    };
    assert_eq!(
        (state(1), state(2)),
        ("opened".to_owned(), "closed".to_owned())
    );
}

#[test]
fn a_deleted_source_branch_leaves_the_merge_request_open() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let sha = shop.head("feature");
    shop.root()
        .delete(&shop.path("repository/branches/feature"));
    let row = shop.show(iid);
    assert_eq!(
        (&row["state"], &row["sha"]),
        (&json!("opened"), &json!(sha))
    );
}

#[test]
fn a_push_while_it_was_closed_is_seen_when_it_is_reopened() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    let old = shop.head("feature");
    shop.root().put(&path, json!({ "state_event": "close" }));
    shop.commit("feature", None, &[("more", "1")]);
    assert_eq!(shop.show(iid)["sha"], json!(old));
    let open = shop
        .root()
        .put(&path, json!({ "state_event": "reopen" }))
        .json();
    assert_eq!(open["sha"], json!(shop.head("feature")));
}
