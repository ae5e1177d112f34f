//! The activity of people.

use serde_json::{Value, json};

use crate::shop::Shop;

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|event| event["action_name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_project_tells_what_happened_in_it() {
    let shop = Shop::new();
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    let iid = shop.merge_request();
    shop.issue("one");
    let closed = json!({ "state_event": "close" });
    shop.root().put(&shop.path("issues/1"), closed);
    ana.post(&shop.path("issues/1/notes"), json!({ "body": "oh" }));
    let path = format!("merge_requests/{iid}");
    ana.post(&shop.path(&format!("{path}/approve")), json!({}));
    shop.root()
        .put(&shop.path(&format!("{path}/merge")), json!({}));
    let list = shop.root().get(&shop.path("events?sort=asc")).json();
    assert_eq!(
        names(&list),
        [
            "created",
            "pushed new",
            "joined",
            "pushed new",
            "opened",
            "opened",
            "closed",
            "commented on",
            "approved",
            "accepted",
            "pushed to",
        ]
    );
    let push = &list[3]["push_data"];
    assert_eq!(
        (&push["action"], &push["ref_type"], &push["ref"]),
        (&json!("created"), &json!("branch"), &json!("feature"))
    );
    assert_eq!(
        (&push["commit_count"], &push["commit_from"]),
        (&json!(1), &json!(null))
    );
    assert_eq!(push["commit_title"], "change feature.txt");
    let note = &list[7];
    assert_eq!(
        (&note["target_type"], &note["note"]["body"]),
        (&json!("Note"), &json!("oh"))
    );
    assert_eq!(
        (&note["author_username"], &note["target_title"]),
        (&json!("ana"), &json!("one"))
    );
    let merged = &list[9];
    assert_eq!(
        (&merged["target_type"], &merged["target_iid"]),
        (&json!("MergeRequest"), &json!(iid))
    );
    let own = ana.get("events").json();
    assert_eq!(names(&own), ["approved", "commented on", "joined"]);
    assert_eq!(ana.get("users/ana/events").json(), own);
    let all = ana.get("events?scope=all").json();
    assert_eq!(all.as_array().unwrap().len(), 11);
}

#[test]
fn events_are_filtered_by_action_target_and_day() {
    let shop = Shop::new();
    shop.issue("one");
    shop.merge_request();
    let made = shop
        .root()
        .post(&shop.path("milestones"), json!({ "title": "v1" }));
    let milestone = shop.path(&format!("milestones/{}", made.json()["id"]));
    shop.root()
        .put(&milestone, json!({ "state_event": "close" }));
    let count = |query: &str| {
        let reply = shop.root().get(&shop.path(&format!("events?{query}")));
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        reply.json().as_array().unwrap().len()
    };
    assert_eq!(count("action=pushed"), 2);
    assert_eq!(count("target_type=issue"), 1);
    assert_eq!(count("target_type=merge_request&action=created"), 1);
    assert_eq!(count("target_type=milestone"), 2);
    assert_eq!(count("before=2016-12-1"), 0);
    assert_eq!(count("after=2016-12-1&action=created"), 4);
    let odd = shop.root().get(&shop.path("events?action=danced"));
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "action does not have a valid value" })
        )
    );
    assert_eq!(
        shop.root().get("users/42/events").error(),
        (404, json!({ "message": "404 User Not Found" }))
    );
    assert_eq!(shop.world.anonymous().get("events").status, 401);
}

#[test]
fn what_somebody_may_not_see_is_not_among_the_events() {
    let shop = Shop::new();
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let (_, stranger) = shop.world.person("stranger");
    let secret = json!({ "title": "secret", "confidential": true });
    shop.root().post(&shop.path("issues"), secret);
    let seen = guest.get(&shop.path("events")).json();
    assert_eq!(names(&seen), ["joined", "created"]);
    assert_eq!(stranger.get("users/root/events").json(), json!([]));
}
