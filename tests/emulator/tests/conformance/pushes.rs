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
        news.starts_with("added 1 commit\n\n<ul><li>")
            && news.contains(" - again</li></ul>\n\n[Compare with previous version](/root/shop/-/"),
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
fn without_its_source_branch_a_merge_request_is_closed() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let sha = shop.head("feature");
    shop.root()
        .delete(&shop.path("repository/branches/feature"));
    let row = shop.show(iid);
    assert_eq!(
        (&row["state"], &row["sha"]),
        (&json!("closed"), &json!(sha))
    );
    let notes = shop
        .root()
        .get(&shop.path(&format!("merge_requests/{iid}/notes")));
    assert_eq!(notes.json()[0]["body"], "deleted source branch `feature`");
}

#[test]
fn a_commit_to_be_squashed_later_makes_a_draft() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let body = json!({
        "branch": "feature", "commit_message": "fixup! add a file",
        "actions": [{ "action": "create", "file_path": "more", "content": "1" }],
    });
    shop.root().post(&shop.path("repository/commits"), body);
    assert_eq!(shop.show(iid)["draft"], true);
}

#[test]
fn an_automatic_merge_is_given_up_when_something_comes_in_between() {
    let why = |change: &dyn Fn(&Shop, u64)| {
        let shop = Shop::new();
        shop.set(json!({ "only_allow_merge_if_pipeline_succeeds": true }));
        shop.commit("other", Some("main"), &[("other", "1")]);
        let iid = shop.merge_request();
        shop.world.emulator.settle();
        let path = shop.path(&format!("merge_requests/{iid}"));
        let set = shop
            .root()
            .put(&format!("{path}/merge"), json!({ "auto_merge": true }))
            .json();
        assert_eq!(set["merge_when_pipeline_succeeds"], true);
        change(&shop, iid);
        shop.world.emulator.settle();
        assert_eq!(shop.show(iid)["merge_when_pipeline_succeeds"], false);
        let notes = shop.root().get(&format!("{path}/notes")).json();
        let told = notes.as_array().unwrap().iter().find_map(|note| {
            let body = note["body"].as_str().unwrap();
            body.strip_prefix("aborted the automatic merge because ")
        });
        told.unwrap_or_default().to_owned()
    };
    let path = |shop: &Shop, iid: u64| shop.path(&format!("merge_requests/{iid}"));
    assert_eq!(
        why(&|shop, _| {
            shop.commit("feature", None, &[("more", "1")]);
        }),
        "source branch was updated"
    );
    assert_eq!(
        why(&|shop, iid| {
            let body = json!({ "state_event": "close" });
            shop.root().put(&path(shop, iid), body);
        }),
        "merge request was closed"
    );
    assert_eq!(
        why(&|shop, iid| {
            let body = json!({ "target_branch": "other" });
            shop.root().put(&path(shop, iid), body);
        }),
        "target branch was changed"
    );
    assert_eq!(
        why(&|shop, _| {
            shop.set(json!({ "merge_method": "ff" }));
            shop.commit("main", None, &[("README.md", "more\n")]);
        }),
        "target branch was updated"
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
