//! Merge requests: opening, reading, filtering, changing, and what they change.

use serde_json::{Value, json};

use crate::schemas;
use crate::shop::{Shop, text};

#[test]
fn a_new_merge_request_has_gitlabs_shape_and_defaults() {
    let shop = Shop::new();
    let start = shop.head("main");
    let iid = shop.merge_request();
    let one = shop.show(iid);
    schemas::check("public_api/v4/merge_request.json", &one);
    let expected = json!({
        "iid": 1, "title": "Add feature", "state": "opened", "draft": false, "sha": shop.head("feature"),
        "merge_status": "can_be_merged", "detailed_merge_status": "mergeable", "has_conflicts": false,
        "merge_commit_sha": null, "merge_error": null, "rebase_in_progress": false, "diverged_commits_count": 0,
        "changes_count": "1", "squash": false, "labels": [], "head_pipeline": null, "merge_when_pipeline_succeeds": false,
        "diff_refs": { "base_sha": start, "head_sha": shop.head("feature"), "start_sha": start },
        "references": { "short": "!1", "relative": "!1", "full": "root/shop!1" },
        "blocking_discussions_resolved": true, "user": { "can_merge": true },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&one[name], value, "{name}");
    }
    let repository = shop.world.emulator.repository(shop.project);
    assert_eq!(
        repository.resolve("refs/merge-requests/1/head").unwrap(),
        Some(shop.head("feature"))
    );
}

#[test]
fn a_branch_has_one_open_merge_request_per_target() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let again = json!({ "source_branch": "feature", "target_branch": "main", "title": "again" });
    let path = shop.path("merge_requests");
    assert_eq!(
        shop.root().post(&path, again.clone()).error(),
        (
            409,
            json!({ "message": ["Another open merge request already exists for this source branch: !1"] })
        )
    );
    shop.root()
        .put(&format!("{path}/{iid}"), json!({ "state_event": "close" }));
    assert_eq!(shop.root().post(&path, again).status, 201);
    assert_eq!(
        shop.root()
            .put(&format!("{path}/{iid}"), json!({ "state_event": "reopen" }))
            .status,
        409
    );
}

#[test]
fn merge_requests_that_make_no_sense_are_refused() {
    let shop = Shop::new();
    let path = shop.path("merge_requests");
    let post = |body: Value| shop.root().post(&path, body).error();
    assert_eq!(
        post(json!({ "source_branch": "main", "target_branch": "main", "title": "x" })).0,
        422
    );
    let (status, body) =
        post(json!({ "source_branch": "nowhere", "target_branch": "main", "title": "x" }));
    assert_eq!(
        (status, body["message"]["source_branch"].is_array()),
        (400, true)
    );
    assert_eq!(
        post(json!({ "source_branch": "x" })),
        (
            400,
            json!({ "error": "title is missing, target_branch is missing" })
        )
    );
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    shop.commit("x", Some("main"), &[("x", "1")]);
    let body = json!({ "source_branch": "x", "target_branch": "main", "title": "x" });
    assert_eq!(reporter.post(&path, body).status, 403);
    assert_eq!(
        shop.root().get(&format!("{path}/9")).error(),
        (404, json!({ "message": "404 Not found" }))
    );
}

#[test]
fn lists_are_filtered_as_asked() {
    let shop = Shop::new();
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    for name in ["a", "b", "c"] {
        shop.commit(name, Some("main"), &[(name, "1")]);
    }
    shop.open("a", json!({ "labels": "ready,nrt" }));
    shop.open(
        "b",
        json!({ "title": "Draft: b", "labels": ["ready"], "description": "about bananas" }),
    );
    let body = json!({ "source_branch": "c", "target_branch": "main", "title": "c" });
    assert_eq!(dev.post(&shop.path("merge_requests"), body).status, 201);
    shop.root().put(
        &shop.path("merge_requests/1"),
        json!({ "state_event": "close" }),
    );
    let iids = |query: &str| -> Vec<u64> {
        let reply = shop
            .root()
            .get(&shop.path(&format!("merge_requests?{query}")));
        assert_eq!(reply.status, 200, "{}", reply.text);
        let list = reply.json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row["iid"].as_u64().unwrap())
            .collect()
    };
    for (query, expected) in [
        ("", vec![3, 2, 1]),
        ("sort=asc", vec![1, 2, 3]),
        ("state=opened", vec![3, 2]),
        ("state=closed", vec![1]),
        ("labels=ready", vec![2, 1]),
        ("labels=ready,nrt", vec![1]),
        ("labels=None", vec![3]),
        ("not[labels]=nrt", vec![3, 2]),
        ("source_branch=b", vec![2]),
        ("target_branch=other", vec![]),
        ("author_username=dev", vec![3]),
        ("iids[]=1&iids[]=3", vec![3, 1]),
        ("search=banana", vec![2]),
        ("search=banana&in=title", vec![]),
        ("wip=yes", vec![2]),
        ("wip=no", vec![3, 1]),
        ("updated_after=2090-01-01", vec![]),
        ("created_before=2090-01-01T00:00:00Z", vec![3, 2, 1]),
        ("order_by=title&sort=asc", vec![1, 3, 2]),
        ("order_by=updated_at&per_page=1", vec![1]),
        ("scope=created_by_me", vec![2, 1]),
    ] {
        assert_eq!(iids(query), expected, "{query}");
    }
    let list = shop
        .root()
        .get(&shop.path("merge_requests?view=simple&iids=1"))
        .json();
    assert!(list[0].get("labels").is_none() && list[0]["web_url"].is_string());
    let list = shop
        .root()
        .get(&shop.path("merge_requests?with_labels_details=true&iids=2"))
        .json();
    schemas::check("public_api/v4/label_basic.json", &list[0]["labels"][0]);
    let all = shop.root().get(&shop.path("merge_requests")).json();
    schemas::check("public_api/v4/merge_request.json", &all[1]);
    assert!(all[0].get("head_pipeline").is_none() && all[0].get("diff_refs").is_none());
    assert_eq!(
        shop.root()
            .get("merge_requests?scope=all")
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        shop.root()
            .get(&shop.path("merge_requests?updated_after=soon"))
            .error(),
        (400, json!({ "error": "updated_after is invalid" }))
    );
}

#[test]
fn job_tokens_read_merge_requests_and_change_none() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.world.emulator.with_state(|state| {
        state
            .job_tokens
            .push(trainyard_emulator::store::tokens::JobToken {
                job_id: 7,
                job_name: "gate".to_owned(),
                pipeline_id: 3,
                project_id: shop.project,
                user_id: 1,
                secret: "glcbt-secret".to_owned(),
            });
    });
    let call = |method: &str, tail: &str| {
        let path = format!("/api/v4/{}", shop.path(tail));
        let headers = [("job-token", "glcbt-secret")];
        crate::client::send(&shop.root().url, method, &path, &headers, b"")
            .unwrap()
            .status
    };
    assert_eq!(call("GET", "merge_requests"), 200);
    assert_eq!(call("GET", &format!("merge_requests/{iid}")), 200);
    assert_eq!(call("GET", &format!("merge_requests/{iid}/notes")), 200);
    assert_eq!(call("GET", "repository/branches"), 200);
    assert_eq!(call("GET", "repository/tags"), 200);
    assert_eq!(call("GET", "repository/files/README.md/raw"), 200);
    assert_eq!(call("GET", &format!("merge_requests/{iid}/changes")), 404);
    assert_eq!(call("PUT", &format!("merge_requests/{iid}/rebase")), 404);
    assert_eq!(call("GET", "issues"), 404);
}

#[test]
fn updates_change_what_is_sent_and_leave_traces() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.commit("release", Some("main"), &[("r", "1")]);
    let path = shop.path(&format!("merge_requests/{iid}"));
    let put = |body: Value| {
        let reply = shop.root().put(&path, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    };
    assert_eq!(
        put(json!({ "labels": ["a", "b"] }))["labels"],
        json!(["a", "b"])
    );
    assert_eq!(
        put(json!({ "add_labels": "c", "remove_labels": ["a"] }))["labels"],
        json!(["b", "c"])
    );
    assert_eq!(put(json!({ "labels": "" }))["labels"], json!([]));
    let changed = put(json!({
        "title": "Draft: new", "description": "- [x] one\n- [ ] two", "assignee_ids": [1], "reviewer_ids": [1],
        "remove_source_branch": true, "squash": true, "target_branch": "release",
    }));
    assert_eq!(
        (
            &changed["draft"],
            &changed["task_completion_status"],
            &changed["target_branch"]
        ),
        (
            &json!(true),
            &json!({ "count": 2, "completed_count": 1 }),
            &json!("release")
        )
    );
    assert_eq!(
        (&changed["assignee"]["id"], &changed["reviewers"][0]["id"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&changed["force_remove_source_branch"], &changed["squash"]),
        (&json!(true), &json!(true))
    );
    let notes = shop.root().get(&format!("{path}/notes?sort=asc")).json();
    let told: Vec<String> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|note| text(note, "body"))
        .collect();
    assert_eq!(
        told,
        [
            "assigned to @root",
            "requested review from @root",
            "marked this merge request as **draft**",
            "changed title from **{-Add feature-}** to **{+Draft: new+}**",
            "changed the description",
            "changed target branch from `main` to `release`",
        ]
    );
    let versions = shop.root().get(&format!("{path}/versions")).json();
    assert_eq!(versions.as_array().unwrap().len(), 2);
    let events = shop
        .root()
        .get(&format!("{path}/resource_label_events"))
        .json();
    assert_eq!(events.as_array().unwrap().len(), 6);
    assert_eq!(
        (&events[0]["action"], &events[0]["label"]["name"]),
        (&json!("add"), &json!("a"))
    );
    let closed = put(json!({ "state_event": "close" }));
    assert_eq!(
        (&closed["state"], &closed["closed_by"]["username"]),
        (&json!("closed"), &json!("root"))
    );
    assert_eq!(put(json!({ "state_event": "reopen" }))["state"], "opened");
    let states = shop
        .root()
        .get(&format!("{path}/resource_state_events"))
        .json();
    let states: Vec<String> = states
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(event, "state"))
        .collect();
    assert_eq!(states, ["closed", "reopened"]);
    assert_eq!(shop.root().put(&path, json!({})).status, 400);
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    assert_eq!(reporter.put(&path, json!({ "title": "x" })).status, 403);
}

#[test]
fn commits_changes_and_versions_show_the_difference() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    let get = |tail: &str| shop.root().get(&format!("{path}/{tail}")).json();
    let commits = get("commits");
    schemas::check("public_api/v4/commit/basic.json", &commits[0]);
    assert_eq!(
        (commits.as_array().unwrap().len(), &commits[0]["id"]),
        (1, &json!(shop.head("feature")))
    );
    let changes = get("changes");
    assert_eq!(
        (&changes["changes"][0]["new_path"], &changes["overflow"]),
        (&json!("feature.txt"), &json!(false))
    );
    assert_eq!(get("diffs")[0]["diff"], "@@ -0,0 +1 @@\n+new\n");
    assert!(
        text(&get("diffs?unidiff=true")[0], "diff")
            .starts_with("--- /dev/null\n+++ b/feature.txt\n")
    );
    let before = get("versions");
    shop.commit("feature", None, &[("more.txt", "1\n")]);
    let after = get("versions");
    assert_eq!(after.as_array().unwrap().len(), 2);
    assert_eq!(after[1], before[0]);
    assert_eq!(after[0]["head_commit_sha"], json!(shop.head("feature")));
    assert_ne!(after[0]["patch_id_sha"], before[0]["patch_id_sha"]);
    let one = get(&format!("versions/{}", after[0]["id"]));
    assert_eq!(
        (
            one["commits"].as_array().unwrap().len(),
            one["diffs"].as_array().unwrap().len()
        ),
        (2, 2)
    );
    assert!(
        shop.root()
            .get(&format!("{path}/raw_diffs"))
            .text
            .contains("diff --git a/feature.txt")
    );
}

#[test]
fn approvals_are_counted_and_bound_to_the_sha_sent() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    let path = shop.path(&format!("merge_requests/{iid}"));
    let head = shop.head("feature");
    let old = json!({ "sha": shop.head("main") });
    assert_eq!(
        dev.post(&format!("{path}/approve"), old).error(),
        (
            409,
            json!({ "message": format!("SHA does not match HEAD of source branch: {head}") })
        )
    );
    let approved = dev.post(&format!("{path}/approve"), json!({ "sha": head }));
    assert_eq!(
        (approved.status, &approved.json()["user_has_approved"]),
        (201, &json!(true))
    );
    let approvals = shop.root().get(&format!("{path}/approvals")).json();
    assert_eq!(approvals["approved_by"][0]["user"]["username"], "dev");
    assert_eq!(approvals["iid"], json!(iid));
    assert_eq!(dev.post(&format!("{path}/approve"), json!({})).status, 401);
    assert_eq!(
        reporter.post(&format!("{path}/approve"), json!({})).status,
        401
    );
    assert_eq!(
        dev.post(&format!("{path}/unapprove"), json!({})).json()["approved"],
        false
    );
    let people = shop.root().get(&format!("{path}/participants")).json();
    assert_eq!(people[0]["username"], "root");
}

#[test]
fn closing_and_related_issues_follow_gitlabs_pattern_and_the_default_branch() {
    let shop = Shop::new();
    for title in ["one", "two", "three"] {
        shop.issue(title);
    }
    shop.commit("feature", Some("main"), &[("feature.txt", "new\n")]);
    let iid = shop.open(
        "feature",
        json!({ "description": "Closes #1, closes feature #2.\nSee #3" }),
    );
    let path = shop.path(&format!("merge_requests/{iid}"));
    let numbers = |tail: &str| -> Vec<u64> {
        let list = shop.root().get(&format!("{path}/{tail}")).json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["iid"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers("closes_issues"), [1]);
    assert_eq!(numbers("related_issues"), [1, 2, 3]);
    let closers = shop.root().get(&shop.path("issues/1/closed_by")).json();
    assert_eq!(closers[0]["iid"].as_u64(), Some(iid));
    let related = shop
        .root()
        .get(&shop.path("issues/3/related_merge_requests"))
        .json();
    assert_eq!(related[0]["iid"].as_u64(), Some(iid));
    let notes = shop.root().get(&shop.path("issues/2/notes")).json();
    assert_eq!(
        (&notes[0]["body"], &notes[0]["system"]),
        (&json!("mentioned in merge request !1"), &json!(true))
    );
    shop.commit("other", Some("main"), &[("o", "1")]);
    shop.root().put(&path, json!({ "target_branch": "other" }));
    assert_eq!(numbers("closes_issues"), Vec::<u64>::new());
}

#[test]
fn context_commits_are_added_and_taken_away() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let head = shop.head("main");
    let path = shop.path(&format!("merge_requests/{iid}/context_commits"));
    let made = shop.root().post(&path, json!({ "commits": [head] }));
    assert_eq!(
        (made.status, &made.json()[0]["id"]),
        (201, &json!(head)),
        "{}",
        made.text
    );
    let list = shop.root().get(&path).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let odd = shop.root().post(&path, json!({ "commits": ["0123456"] }));
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "message": "One or more context commits' sha is not valid." })
        )
    );
    let gone = shop.root().delete(&format!("{path}?commits[]={head}"));
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(shop.root().get(&path).json(), json!([]));
}
