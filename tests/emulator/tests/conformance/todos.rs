//! Things to do, and subscriptions.

use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::Shop;

fn actions(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("todos{query}")).json();
    let list = list.as_array().unwrap().clone();
    list.iter()
        .map(|todo| todo["action_name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn assignments_reviews_and_mentions_go_on_the_list() {
    let shop = Shop::new();
    let (ana, client) = shop.world.member(shop.project, "ana", 30);
    let (_, stranger) = shop.world.person("stranger");
    let issue = json!({ "title": "one", "assignee_ids": [ana] });
    shop.root().post(&shop.path("issues"), issue);
    let iid = shop.merge_request();
    let review = json!({ "reviewer_ids": [ana] });
    shop.root()
        .put(&shop.path(&format!("merge_requests/{iid}")), review);
    shop.issue("two");
    let said = json!({ "body": "what does @ana or @stranger think" });
    shop.root().post(&shop.path("issues/2/notes"), said);
    shop.issue("three");
    let asked = json!({ "body": "@ana please look" });
    shop.root().post(&shop.path("issues/3/notes"), asked);
    assert_eq!(
        actions(&client, ""),
        [
            "directly_addressed",
            "mentioned",
            "review_requested",
            "assigned"
        ]
    );
    assert_eq!(stranger.get("todos").json(), json!([]));
    assert_eq!(actions(&client, "?type=MergeRequest"), ["review_requested"]);
    assert_eq!(actions(&client, "?action=mentioned"), ["mentioned"]);
    let list = client.get("todos?action=mentioned").json();
    let todo = &list[0];
    assert_eq!(
        (&todo["body"], &todo["target"]["iid"], &todo["state"]),
        (
            &json!("what does @ana or @stranger think"),
            &json!(2),
            &json!("pending")
        )
    );
    assert_eq!(todo["project"]["path_with_namespace"], "root/shop");
    assert!(todo["project"].get("web_url").is_none());
    let url = todo["target_url"].as_str().unwrap();
    assert!(url.contains("/-/issues/2#note_"), "{url}");
    // Whoever answers has done it.
    client.post(&shop.path("issues/2/notes"), json!({ "body": "yes" }));
    assert_eq!(actions(&client, "?action=mentioned"), [] as [&str; 0]);
    assert_eq!(actions(&client, "?state=done"), ["mentioned"]);
}

#[test]
fn a_todo_is_made_once_and_marked_as_done() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1/todo");
    let made = shop.root().post(&path, json!({}));
    assert_eq!(
        (made.status, &made.json()["action_name"]),
        (201, &json!("marked"))
    );
    assert_eq!(shop.root().post(&path, json!({})).status, 304);
    let (_, other) = shop.world.person("other");
    let one = format!("todos/{}/mark_as_done", made.json()["id"]);
    assert_eq!(other.post(&one, json!({})).status, 404);
    let done = shop.root().post(&one, json!({}));
    assert_eq!((done.status, &done.json()["state"]), (201, &json!("done")));
    shop.root().post(&path, json!({}));
    assert_eq!(
        shop.root().post("todos/mark_as_done", json!({})).status,
        204
    );
    assert_eq!(shop.root().get("todos").json(), json!([]));
    assert_eq!(
        shop.root()
            .post(&shop.path("issues/9/todo"), json!({}))
            .status,
        404
    );
}

#[test]
fn subscribing_twice_changes_nothing() {
    let shop = Shop::new();
    shop.issue("one");
    let iid = shop.merge_request();
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    for path in ["issues/1".to_owned(), format!("merge_requests/{iid}")] {
        let post = |tail: &str| {
            let reply = ana.post(&shop.path(&format!("{path}/{tail}")), json!({}));
            let known = (reply.status == 201).then(|| reply.json()["subscribed"].clone());
            (reply.status, known)
        };
        let shown = || ana.get(&shop.path(&path)).json()["subscribed"].clone();
        assert_eq!(shown(), Value::Bool(false));
        assert_eq!(post("unsubscribe"), (304, None));
        assert_eq!(post("subscribe"), (201, Some(json!(true))));
        assert_eq!(post("subscribe"), (304, None));
        assert_eq!(post("unsubscribe"), (201, Some(json!(false))));
        ana.post(
            &shop.path(&format!("{path}/notes")),
            json!({ "body": "hm" }),
        );
        assert_eq!(shown(), Value::Bool(false), "a choice stays");
    }
}

#[test]
fn a_failed_head_pipeline_is_for_the_author() {
    let shop = Shop::new();
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    let ci = "job:\n  script: [exit 1]\n";
    shop.commit("feature", Some("main"), &[(".gitlab-ci.yml", ci)]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "x" });
    let made = ana.post(&shop.path("merge_requests"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    let run = shop.world.emulator.run_next_job(|job| job.name == "job");
    assert!(run.is_some());
    assert_eq!(actions(&ana, ""), ["build_failed"]);
}
