//! Rebasing: accepted at once, done in the background, told by polling.

use serde_json::{Value, json};

use crate::shop::{Shop, git};

fn rebase(shop: &Shop, iid: u64) -> (u16, Value) {
    shop.root()
        .put(
            &shop.path(&format!("merge_requests/{iid}/rebase")),
            json!({}),
        )
        .error()
}

#[test]
fn a_rebase_is_in_progress_until_the_new_head_is_there() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let old = shop.head("feature");
    shop.commit("main", None, &[("later", "1")]);
    shop.world.emulator.settle();
    shop.world.emulator.pause_background();
    assert_eq!(
        rebase(&shop, iid),
        (202, json!({ "rebase_in_progress": true }))
    );
    let waiting = shop.show(iid);
    assert_eq!(
        (&waiting["rebase_in_progress"], &waiting["sha"]),
        (&json!(true), &json!(old))
    );
    assert_eq!(
        rebase(&shop, iid),
        (409, json!({ "message": "409 Conflict: Resource lock" }))
    );
    shop.world.emulator.resume_background();
    shop.world.emulator.settle();
    let done = shop.show(iid);
    assert_eq!(
        (&done["rebase_in_progress"], &done["merge_error"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        (&done["sha"], &done["diverged_commits_count"]),
        (&json!(shop.head("feature")), &json!(0))
    );
    assert_ne!(done["sha"], json!(old));
    let versions = shop
        .root()
        .get(&shop.path(&format!("merge_requests/{iid}/versions")))
        .json();
    assert_eq!(versions[0]["patch_id_sha"], versions[1]["patch_id_sha"]);
}

#[test]
fn a_rebase_with_nothing_to_do_keeps_the_head() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let old = shop.head("feature");
    assert_eq!(rebase(&shop, iid).0, 202);
    shop.world.emulator.settle();
    assert_eq!(
        (shop.head("feature"), &shop.show(iid)["merge_error"]),
        (old, &json!(null))
    );
}

#[test]
fn a_conflict_ends_in_a_merge_error_and_keeps_the_head() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.commit("main", None, &[("feature.txt", "clash\n")]);
    let old = shop.head("feature");
    assert_eq!(rebase(&shop, iid).0, 202);
    shop.world.emulator.settle();
    let failed = shop.show(iid);
    assert_eq!(
        failed["merge_error"],
        "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."
    );
    assert_eq!(
        (&failed["sha"], &failed["rebase_in_progress"]),
        (&json!(old), &json!(false))
    );
}

#[test]
fn those_who_may_not_push_may_not_rebase() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}/rebase"));
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    let forbidden = |reason: &str| {
        (
            403,
            json!({ "message": format!("403 Forbidden - {reason}") }),
        )
    };
    assert_eq!(
        reporter.put(&path, json!({})).error(),
        forbidden("Cannot push to source branch")
    );
    shop.root().post(
        &shop.path("protected_branches"),
        json!({ "name": "feature" }),
    );
    assert_eq!(
        rebase(&shop, iid),
        forbidden("Source branch is protected from force push")
    );
    shop.root().delete(&shop.path("protected_branches/feature"));
    shop.root()
        .delete(&shop.path("repository/branches/feature"));
    assert_eq!(
        rebase(&shop, iid),
        forbidden("Source branch does not exist")
    );
}

#[test]
fn a_closed_merge_request_is_not_rebased() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.root().put(
        &shop.path(&format!("merge_requests/{iid}")),
        json!({ "state_event": "close" }),
    );
    assert_eq!(rebase(&shop, iid).0, 409);
}

#[test]
fn a_push_during_the_rebase_wins() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.commit("main", None, &[("later", "1")]);
    shop.world.emulator.settle();
    shop.world.emulator.pause_background();
    rebase(&shop, iid);
    let copy = shop.clone_repository();
    git(copy.path(), &["checkout", "-q", "feature"]);
    git(
        copy.path(),
        &["commit", "-q", "--allow-empty", "-m", "mine"],
    );
    git(copy.path(), &["push", "-q", "origin", "feature"]);
    shop.world.emulator.resume_background();
    shop.world.emulator.settle();
    let repository = shop.world.emulator.repository(shop.project);
    let titles: Vec<String> = repository
        .commits(&["main..feature"])
        .unwrap()
        .iter()
        .map(|commit| commit.title().to_owned())
        .collect();
    assert_eq!(titles, ["mine", "change feature.txt"]);
    assert_eq!(shop.show(iid)["sha"], json!(shop.head("feature")));
}

#[test]
fn a_source_branch_that_disappears_meanwhile_is_a_merge_error() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.world.emulator.pause_background();
    assert_eq!(rebase(&shop, iid).0, 202);
    shop.root()
        .delete(&shop.path("repository/branches/feature"));
    shop.world.emulator.resume_background();
    shop.world.emulator.settle();
    let row = shop.show(iid);
    assert_eq!(
        (&row["merge_error"], &row["rebase_in_progress"]),
        (&json!("Source branch does not exist"), &json!(false))
    );
}
