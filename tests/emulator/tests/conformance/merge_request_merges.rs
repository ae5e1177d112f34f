//! Merging: who may, when, how, and what follows.

use serde_json::{Value, json};
use trainyard_emulator::faults::{BEFORE_MERGE, Effect, Rule};

use crate::shop::{Shop, text};

fn merge(shop: &Shop, iid: u64, body: Value) -> (u16, Value) {
    shop.root()
        .put(&shop.path(&format!("merge_requests/{iid}/merge")), body)
        .error()
}

fn not_allowed() -> (u16, Value) {
    (405, json!({ "message": "405 Method Not Allowed" }))
}

#[test]
fn a_merge_makes_a_merge_commit_and_says_so() {
    let shop = Shop::new();
    let (old, iid) = (shop.head("main"), shop.merge_request());
    let sha = shop.head("feature");
    let (status, merged) = merge(
        &shop,
        iid,
        json!({ "sha": sha, "should_remove_source_branch": true }),
    );
    assert_eq!(
        (status, &merged["state"]),
        (200, &json!("merged")),
        "{merged}"
    );
    assert_eq!(
        (
            &merged["merge_commit_sha"],
            &merged["merge_user"]["username"],
            &merged["detailed_merge_status"]
        ),
        (
            &json!(shop.head("main")),
            &json!("root"),
            &json!("not_open")
        )
    );
    let repository = shop.world.emulator.repository(shop.project);
    let commit = repository.commit("main").unwrap().unwrap();
    assert_eq!(commit.parents, [old, sha]);
    assert_eq!(
        commit.message.trim_end(),
        "Merge branch 'feature' into 'main'\n\nAdd feature\n\nSee merge request root/shop!1"
    );
    assert_eq!(repository.resolve("refs/heads/feature").unwrap(), None);
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    let events = shop
        .root()
        .get(&shop.path("merge_requests/1/resource_state_events"))
        .json();
    assert_eq!(events[0]["state"], "merged");
}

#[test]
fn the_checks_come_in_gitlabs_order() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    let path = shop.path(&format!("merge_requests/{iid}"));
    assert_eq!(
        dev.put(&format!("{path}/merge"), json!({ "sha": "old" }))
            .error(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    shop.root().put(&path, json!({ "title": "Draft: x" }));
    let head = shop.head("feature");
    assert_eq!(
        merge(&shop, iid, json!({ "sha": "old" })),
        (
            409,
            json!({ "message": format!("SHA does not match HEAD of source branch: {head}") })
        )
    );
    assert_eq!(merge(&shop, iid, json!({ "sha": head })), not_allowed());
    assert_eq!(merge(&shop, 99, json!({})).0, 404);
}

#[test]
fn every_obstacle_has_its_status() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    let status = || {
        shop.world.emulator.settle();
        text(&shop.show(iid), "detailed_merge_status")
    };
    let put = |body: Value| assert_eq!(shop.root().put(&path, body).status, 200);
    assert_eq!(status(), "mergeable");
    put(json!({ "title": "[Draft] x" }));
    assert_eq!(status(), "draft_status");
    put(json!({ "title": "x", "merge_after": "2090-01-01T00:00:00Z" }));
    assert_eq!(status(), "merge_time");
    put(json!({ "merge_after": null, "state_event": "close" }));
    assert_eq!(status(), "not_open");
    put(json!({ "state_event": "reopen" }));
    shop.set(json!({ "only_allow_merge_if_pipeline_succeeds": true }));
    assert_eq!(status(), "ci_must_pass");
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    shop.set(json!({ "only_allow_merge_if_pipeline_succeeds": false, "merge_method": "ff" }));
    shop.commit("main", None, &[("later", "1")]);
    assert_eq!(status(), "need_rebase");
    assert_eq!(shop.show(iid)["diverged_commits_count"], 1);
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    shop.set(json!({ "merge_method": "merge" }));
    assert_eq!(status(), "mergeable");
    shop.commit("main", None, &[("feature.txt", "clash\n")]);
    assert_eq!(status(), "conflict");
    let row = shop.show(iid);
    assert_eq!(
        (&row["has_conflicts"], &row["merge_status"]),
        (&json!(true), &json!("cannot_be_merged"))
    );
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    let branch = json!({ "branch": "gone", "ref": "main" });
    shop.root().post(&shop.path("repository/branches"), branch);
    put(json!({ "target_branch": "gone" }));
    shop.root().delete(&shop.path("repository/branches/gone"));
    assert_eq!(status(), "commits_status");
    shop.root()
        .delete(&shop.path("repository/branches/feature"));
    assert_eq!(status(), "not_open", "GitLab closes it with its branch");
}

#[test]
fn right_after_a_push_the_check_is_still_on_its_way() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.world.emulator.pause_background();
    shop.commit("feature", None, &[("more", "1")]);
    let row = shop.show(iid);
    assert_eq!(
        (&row["detailed_merge_status"], &row["merge_status"]),
        (&json!("checking"), &json!("checking"))
    );
    assert_eq!(
        (&row["sha"], &row["has_conflicts"]),
        (&json!(shop.head("feature")), &json!(false))
    );
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    shop.world.emulator.resume_background();
    shop.world.emulator.settle();
    assert_eq!(merge(&shop, iid, json!({})).0, 200);
}

#[test]
fn open_threads_block_where_the_project_says_so() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.set(json!({ "only_allow_merge_if_all_discussions_are_resolved": true }));
    let path = shop.path(&format!("merge_requests/{iid}/discussions"));
    let thread = shop.root().post(&path, json!({ "body": "why?" })).json();
    let row = shop.show(iid);
    assert_eq!(
        (
            &row["detailed_merge_status"],
            &row["blocking_discussions_resolved"]
        ),
        (&json!("discussions_not_resolved"), &json!(false))
    );
    let one = format!("{path}/{}", text(&thread, "id"));
    let resolved = shop.root().put(&one, json!({ "resolved": true })).json();
    assert_eq!(resolved["notes"][0]["resolved"], true);
    assert_eq!(merge(&shop, iid, json!({})).0, 200);
}

#[test]
fn fast_forward_moves_the_target_to_the_source() {
    let shop = Shop::new();
    shop.set(json!({ "merge_method": "ff" }));
    let iid = shop.merge_request();
    let sha = shop.head("feature");
    let (status, merged) = merge(&shop, iid, json!({}));
    assert_eq!((status, &merged["merge_commit_sha"]), (200, &json!(null)));
    assert_eq!(shop.head("main"), sha);
}

#[test]
fn squashing_makes_one_commit_of_the_author() {
    let shop = Shop::new();
    shop.set(json!({ "merge_method": "ff" }));
    let old = shop.head("main");
    let iid = shop.merge_request();
    shop.commit("feature", None, &[("more", "1")]);
    shop.world.emulator.settle();
    let body = json!({ "squash": true, "squash_commit_message": "All of it" });
    let (status, merged) = merge(&shop, iid, body);
    assert_eq!(
        (status, &merged["squash_commit_sha"]),
        (200, &json!(shop.head("main")))
    );
    let commit = shop
        .world
        .emulator
        .repository(shop.project)
        .commit("main")
        .unwrap()
        .unwrap();
    assert_eq!(
        (commit.parents, commit.message.trim_end()),
        (vec![old], "All of it")
    );
}

#[test]
fn semi_linear_history_has_merge_commits_on_rebased_branches() {
    let shop = Shop::new();
    shop.set(json!({ "merge_method": "rebase_merge" }));
    let iid = shop.merge_request();
    shop.commit("main", None, &[("later", "1")]);
    shop.world.emulator.settle();
    assert_eq!(merge(&shop, iid, json!({})), not_allowed());
    shop.root().put(
        &shop.path(&format!("merge_requests/{iid}/rebase")),
        json!({}),
    );
    shop.world.emulator.settle();
    let (old, sha) = (shop.head("main"), shop.head("feature"));
    assert_eq!(
        merge(&shop, iid, json!({ "merge_commit_message": "Land it" })).0,
        200
    );
    let commit = shop
        .world
        .emulator
        .repository(shop.project)
        .commit("main")
        .unwrap()
        .unwrap();
    assert_eq!(
        (commit.parents, commit.message.trim_end()),
        (vec![old, sha], "Land it")
    );
}

#[test]
fn two_merges_at_once_both_land() {
    let shop = Shop::new();
    let iids: Vec<u64> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|name| {
            shop.commit(name, Some("main"), &[(name, "1")]);
            shop.open(name, json!({}))
        })
        .collect();
    std::thread::scope(|scope| {
        for iid in &iids {
            let shop = &shop;
            // The other merges make this one look for conflicts again, which is a 405 for a moment.
            scope.spawn(move || while merge(shop, *iid, json!({})).0 == 405 {});
        }
    });
    for iid in iids {
        assert_eq!(shop.show(iid)["state"], "merged");
    }
    let repository = shop.world.emulator.repository(shop.project);
    assert_eq!(
        repository
            .commits(&["--first-parent", "main"])
            .unwrap()
            .len(),
        5
    );
}

#[test]
fn of_two_conflicting_merges_that_both_pass_the_checks_one_fails() {
    let shop = Shop::new();
    let iids: Vec<u64> = ["a", "b"]
        .into_iter()
        .map(|name| {
            shop.commit(name, Some("main"), &[("same.txt", name)]);
            shop.open(name, json!({}))
        })
        .collect();
    let rule = Rule::new(Effect::Rendezvous { parties: 2 })
        .at(BEFORE_MERGE)
        .times(2);
    shop.world.emulator.faults().add(rule);
    let mut answers = std::thread::scope(|scope| {
        let merge_one = |iid: u64| merge(&shop, iid, json!({}));
        let threads: Vec<_> = iids
            .iter()
            .map(|iid| scope.spawn(move || merge_one(*iid)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    answers.sort_by_key(|(status, _)| *status);
    assert_eq!(answers[0].0, 200);
    assert_eq!(
        answers[1],
        (422, json!({ "message": "Branch cannot be merged" }))
    );
    shop.world.emulator.settle();
    let open = iids
        .iter()
        .map(|iid| shop.show(*iid))
        .find(|row| row["state"] == "opened")
        .unwrap();
    assert_eq!(open["detailed_merge_status"], "conflict");
    assert!(text(&open, "merge_error").starts_with("Merge failed: "));
}

#[test]
fn a_merge_request_into_a_merged_branch_moves_on_when_that_is_deleted() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.commit("stacked", Some("feature"), &[("stacked.txt", "1")]);
    let stacked = shop.open("stacked", json!({ "target_branch": "feature" }));
    assert_eq!(
        merge(&shop, iid, json!({ "should_remove_source_branch": true })).0,
        200
    );
    shop.world.emulator.settle();
    let row = shop.show(stacked);
    assert_eq!(
        (&row["target_branch"], &row["detailed_merge_status"]),
        (&json!("main"), &json!("mergeable"))
    );
    assert_eq!(row["changes_count"], "1");
}

#[test]
fn automatic_merges_wait_and_can_be_cancelled() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    shop.root().put(&path, json!({ "title": "Draft: x" }));
    let (status, row) = merge(&shop, iid, json!({ "auto_merge": true }));
    assert_eq!(
        (status, &row["merge_when_pipeline_succeeds"], &row["state"]),
        (200, &json!(true), &json!("opened"))
    );
    let cancel = format!("{path}/cancel_merge_when_pipeline_succeeds");
    assert_eq!(shop.root().post(&cancel, json!({})).status, 201);
    assert_eq!(
        shop.root().post(&cancel, json!({})).error(),
        (
            406,
            json!({ "message": "Can't cancel the automatic merge" })
        )
    );
    merge(&shop, iid, json!({ "merge_when_pipeline_succeeds": true }));
    shop.root().put(&path, json!({ "title": "x" }));
    assert_eq!(shop.show(iid)["state"], "merged");
}

#[test]
fn merging_into_the_default_branch_closes_what_the_description_says() {
    let shop = Shop::new();
    for title in ["one", "two"] {
        shop.issue(title);
    }
    shop.commit("feature", Some("main"), &[("feature.txt", "new\n")]);
    let iid = shop.open(
        "feature",
        json!({ "description": "closes #1\ncloses feature #2" }),
    );
    let (_, merged) = merge(&shop, iid, json!({}));
    let issue = |iid: u64| shop.root().get(&shop.path(&format!("issues/{iid}"))).json();
    assert_eq!(
        (&issue(1)["state"], &issue(1)["closed_by"]["username"]),
        (&json!("closed"), &json!("root"))
    );
    assert_eq!(issue(2)["state"], "opened");
    let commit = shop.root().get(&shop.path(&format!(
        "repository/commits/{}",
        text(&merged, "merge_commit_sha")
    )));
    assert!(text(&commit.json(), "message").contains("Closes #1\n"));
}

#[test]
fn a_project_may_keep_its_issues_open() {
    let shop = Shop::new();
    shop.issue("one");
    shop.set(json!({ "autoclose_referenced_issues": false }));
    shop.commit("feature", Some("main"), &[("feature.txt", "new\n")]);
    let iid = shop.open("feature", json!({ "description": "closes #1" }));
    let closes = shop.path(&format!("merge_requests/{iid}/closes_issues"));
    assert_eq!(shop.root().get(&closes).json(), json!([]));
    merge(&shop, iid, json!({}));
    let issue = shop.root().get(&shop.path("issues/1")).json();
    assert_eq!(issue["state"], "opened");
}

#[test]
fn there_are_no_merge_trains() {
    let shop = Shop::new();
    let reply = shop.root().get(&shop.path("merge_trains"));
    assert_eq!(reply.error(), (404, json!({ "error": "404 Not Found" })));
}

#[test]
fn the_merge_ref_shows_the_result_before_it_exists() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.commit("main", None, &[("later", "1")]);
    let path = shop.path(&format!("merge_requests/{iid}/merge_ref"));
    let made = text(&shop.root().get(&path).json(), "commit_id");
    assert_eq!(text(&shop.root().get(&path).json(), "commit_id"), made);
    let repository = shop.world.emulator.repository(shop.project);
    assert_eq!(
        repository.resolve("refs/merge-requests/1/merge").unwrap(),
        Some(made.clone())
    );
    let commit = repository.commit(&made).unwrap().unwrap();
    assert_eq!(commit.parents, [shop.head("main"), shop.head("feature")]);
    shop.commit("main", None, &[("feature.txt", "clash\n")]);
    assert_eq!(
        shop.root().get(&path).error(),
        (400, json!({ "message": "Merge request is not mergeable" }))
    );
}
