//! The messages of merge and squash commits, by the project's templates.

use serde_json::{Value, json};

use crate::shop::Shop;

fn merged(shop: &Shop, iid: u64, wish: Value) -> Value {
    shop.world.emulator.settle();
    let path = shop.path(&format!("merge_requests/{iid}/merge"));
    let reply = shop.root().put(&path, wish);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn message(shop: &Shop, sha: &Value) -> String {
    let path = shop.path(&format!("repository/commits/{}", sha.as_str().unwrap()));
    let commit = shop.root().get(&path).json();
    commit["message"].as_str().unwrap().trim_end().to_owned()
}

fn titled(shop: &Shop, title: &str) -> u64 {
    shop.commit("feature", Some("main"), &[("a.txt", "a\n")]);
    shop.open("feature", json!({ "title": title }))
}

#[test]
fn a_template_makes_the_message_of_the_merge_commit() {
    let shop = Shop::new();
    shop.issue("one");
    shop.issue("two");
    shop.set(json!({
        "merge_commit_template": "%{title} (%{local_reference})\n\n%{description}\n\n%{issues}\n\n%{reviewed_by}\n\nFrom %{source_branch} to %{target_branch}\nMerged-by: %{merged_by}\n%{url}",
    }));
    let iid = shop.merge_request();
    let body = json!({ "title": "A thing", "description": "Closes #1\n\nCloses #2" });
    shop.root()
        .put(&shop.path(&format!("merge_requests/{iid}")), body);
    let row = merged(&shop, iid, json!({}));
    let url = format!("{}/root/shop/-/merge_requests/{iid}", shop.root().url);
    assert_eq!(
        message(&shop, &row["merge_commit_sha"]),
        format!(
            "A thing (!{iid})\n\nCloses #1\n\nCloses #2\n\nCloses #1 and #2\n\nFrom feature to main\n\
             Merged-by: Administrator <admin@example.com>\n{url}"
        )
    );
}

#[test]
fn without_a_template_the_message_is_gitlabs() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let row = merged(&shop, iid, json!({}));
    let title = row["title"].as_str().unwrap();
    assert_eq!(
        message(&shop, &row["merge_commit_sha"]),
        format!(
            "Merge branch 'feature' into 'main'\n\n{title}\n\nSee merge request root/shop!{iid}"
        )
    );
}

#[test]
fn a_template_makes_the_message_of_the_squash_commit() {
    let shop = Shop::new();
    shop.set(
        json!({ "squash_commit_template": "%{title}\n\n%{all_commits}\n\n%{co_authored_by}" }),
    );
    let iid = shop.merge_request();
    shop.commit("feature", None, &[("more", "1")]);
    let row = merged(&shop, iid, json!({ "squash": true }));
    let title = row["title"].as_str().unwrap();
    assert_eq!(
        message(&shop, &row["squash_commit_sha"]),
        format!("{title}\n\n* change feature.txt\n\n* change more")
    );
}

#[test]
fn a_single_commit_that_has_the_message_already_stays_what_it_is() {
    let shop = Shop::new();
    let iid = titled(&shop, "change a.txt");
    let head = shop.head("feature");
    let row = merged(&shop, iid, json!({ "squash": true }));
    assert_eq!(row["squash_commit_sha"], json!(head));
    let shop = Shop::new();
    let iid = titled(&shop, "Something else");
    let head = shop.head("feature");
    let row = merged(&shop, iid, json!({ "squash": true }));
    assert_ne!(row["squash_commit_sha"], json!(head));
    assert_eq!(message(&shop, &row["squash_commit_sha"]), "Something else");
}

#[test]
fn a_project_may_always_or_never_squash() {
    for (option, asked, squashed) in [
        ("always", json!({ "squash": false }), true),
        ("never", json!({ "squash": true }), false),
        ("default_on", json!({}), true),
        ("default_off", json!({}), false),
    ] {
        let shop = Shop::new();
        shop.set(json!({ "squash_option": option }));
        let iid = shop.merge_request();
        shop.commit("feature", None, &[("more", "1")]);
        let row = merged(&shop, iid, asked);
        assert_eq!(row["squash_commit_sha"].is_string(), squashed, "{option}");
    }
}
