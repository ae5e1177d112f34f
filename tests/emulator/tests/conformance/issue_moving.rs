//! Moving, cloning, ordering and relating issues.

use serde_json::{Value, json};

use crate::shop::{Shop, text};

fn bodies(shop: &Shop, path: &str) -> Vec<String> {
    let notes = shop.root().get(&format!("{path}/notes?sort=asc")).json();
    let notes = notes.as_array().unwrap().clone();
    notes.iter().map(|note| text(note, "body")).collect()
}

#[test]
fn a_moved_issue_takes_its_comments_along() {
    let shop = Shop::new();
    let other = shop.world.project("other");
    for project in [shop.project, other] {
        let label = json!({ "name": "both", "color": "red" });
        shop.root()
            .post(&format!("projects/{project}/labels"), label);
    }
    let issue = json!({ "title": "one", "labels": "both,here" });
    shop.root().post(&shop.path("issues"), issue);
    let path = shop.path("issues/1");
    shop.root()
        .post(&format!("{path}/notes"), json!({ "body": "hello" }));
    let body = json!({ "to_project_id": other });
    let moved = shop.root().post(&format!("{path}/move"), body.clone());
    assert_eq!(moved.status, 201, "{}", moved.text);
    let new = moved.json();
    assert_eq!(
        (&new["labels"], &new["state"]),
        (&json!(["both"]), &json!("opened"))
    );
    assert_eq!(
        bodies(&shop, &format!("projects/{other}/issues/1")),
        ["hello", "moved from shop#1"]
    );
    assert_eq!(bodies(&shop, &path), ["hello", "moved to other#1"]);
    let refused = |target: u64| {
        let body = json!({ "to_project_id": target });
        shop.root().post(&format!("{path}/move"), body).error()
    };
    assert_eq!(
        refused(other),
        (
            400,
            json!({ "message": "Cannot move issue due to insufficient permissions!" })
        )
    );
    assert_eq!(
        refused(shop.project),
        (
            400,
            json!({ "message": "Cannot move issue to project it originates from!" })
        )
    );
    assert_eq!(
        refused(99),
        (404, json!({ "message": "404 Project Not Found" }))
    );
}

#[test]
fn a_clone_is_linked_back() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1");
    shop.root()
        .post(&format!("{path}/notes"), json!({ "body": "hello" }));
    let body = json!({ "to_project_id": shop.project, "with_notes": true });
    let cloned = shop.root().post(&format!("{path}/clone"), body);
    assert_eq!(
        (cloned.status, &cloned.json()["iid"]),
        (201, &json!(2)),
        "{}",
        cloned.text
    );
    assert_eq!(bodies(&shop, &path), ["hello", "cloned to #2"]);
    assert_eq!(
        bodies(&shop, &shop.path("issues/2")),
        ["hello", "cloned from #1"]
    );
    assert_eq!(shop.root().get(&path).json()["state"], "opened");
}

#[test]
fn issues_are_put_in_order_by_hand() {
    let shop = Shop::new();
    let ids: Vec<Value> = ["a", "b", "c"]
        .iter()
        .map(|title| {
            let body = json!({ "title": title });
            shop.root().post(&shop.path("issues"), body).json()["id"].clone()
        })
        .collect();
    let reorder = |iid: u64, body: Value| {
        let path = shop.path(&format!("issues/{iid}/reorder"));
        shop.root().put(&path, body)
    };
    let order = || {
        let path = shop.path("issues?order_by=relative_position&sort=asc");
        let list = shop.root().get(&path).json();
        let list = list.as_array().unwrap().clone();
        list.iter()
            .map(|row| text(row, "title"))
            .collect::<String>()
    };
    assert_eq!(reorder(3, json!({ "move_after_id": ids[0] })).status, 200);
    assert_eq!(order(), "acb");
    assert_eq!(reorder(2, json!({ "move_before_id": ids[0] })).status, 200);
    assert_eq!(order(), "bac");
    assert_eq!(
        reorder(2, json!({})).error(),
        (
            400,
            json!({ "error": "move_after_id, move_before_id are missing, at least one parameter must be provided" })
        )
    );
}

#[test]
fn commits_are_mentioned_and_close_issues_on_the_default_branch() {
    let shop = Shop::new();
    shop.issue("one");
    shop.issue("two");
    let commit = |branch: &str, message: &str, path: &str| {
        let actions = json!([{ "action": "create", "file_path": path, "content": "x" }]);
        let body = json!({ "branch": branch, "start_branch": "main", "commit_message": message, "actions": actions });
        let reply = shop.root().post(&shop.path("repository/commits"), body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        text(&reply.json(), "id")
    };
    let first = commit("feature", "closes #1", "a");
    let path = shop.path("issues/1");
    assert_eq!(
        bodies(&shop, &path),
        [format!("mentioned in commit {first}")]
    );
    assert_eq!(shop.root().get(&path).json()["state"], "opened");
    let second = commit("main", "fixes #2, see #1", "b");
    assert_eq!(bodies(&shop, &path).len(), 2);
    let path = shop.path("issues/2");
    assert_eq!(shop.root().get(&path).json()["state"], "closed");
    let events = shop
        .root()
        .get(&format!("{path}/resource_state_events"))
        .json();
    assert_eq!(
        (
            &events[0]["source_commit"],
            &events[0]["source_merge_request_id"]
        ),
        (&json!(second), &json!(null))
    );
}

#[test]
fn every_change_is_told_in_gitlabs_words() {
    let shop = Shop::new();
    let (ana, _) = shop.world.member(shop.project, "ana", 30);
    shop.root().post(
        &shop.path("issues"),
        json!({ "title": "one", "description": "- [ ] buy" }),
    );
    let path = shop.path("issues/1");
    for body in [
        json!({ "title": "one more" }),
        json!({ "description": "- [x] buy" }),
        json!({ "description": "something else" }),
        json!({ "assignee_ids": [ana] }),
        json!({ "assignee_ids": [1] }),
        json!({ "due_date": "2031-02-03" }),
        json!({ "due_date": "" }),
        json!({ "confidential": true }),
        json!({ "discussion_locked": true }),
        json!({ "issue_type": "incident" }),
        json!({ "state_event": "close" }),
    ] {
        let reply = shop.root().put(&path, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    assert_eq!(
        bodies(&shop, &path),
        [
            "changed title from **one** to **one{+ more+}**",
            "marked the checklist item **buy** as completed",
            "changed the description",
            "assigned to @ana",
            "assigned to @root and unassigned @ana",
            "changed due date to February 03, 2031",
            "removed due date February 03, 2031",
            "made the issue confidential",
            "locked the discussion in this issue",
            "changed type from issue to incident",
        ]
    );
}
