//! Lists of issues and merge requests: filters, orders, counts.

use serde_json::{Value, json};

use crate::shop::Shop;

fn iids(reply: &crate::client::Reply) -> Vec<u64> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let list = reply.json();
    let list = list.as_array().unwrap().clone();
    list.iter()
        .map(|row| row["iid"].as_u64().unwrap())
        .collect()
}

fn orchard() -> Shop {
    let shop = Shop::new();
    let (ana, _) = shop.world.member(shop.project, "ana", 30);
    let milestone = json!({ "title": "v1", "start_date": "2020-01-01", "due_date": "2999-01-01" });
    shop.root().post(&shop.path("milestones"), milestone);
    for body in [
        json!({ "title": "apple", "labels": "a", "milestone_id": 1, "due_date": "2001-01-01" }),
        json!({ "title": "banana", "labels": "a,b", "assignee_ids": [ana], "issue_type": "incident" }),
        json!({ "title": "cherry", "description": "like an apple", "due_date": "2000-01-01" }),
    ] {
        assert_eq!(shop.root().post(&shop.path("issues"), body).status, 201);
    }
    shop.root()
        .put(&shop.path("issues/3"), json!({ "state_event": "close" }));
    let thumb = json!({ "name": "thumbsup" });
    shop.root().post(&shop.path("issues/2/award_emoji"), thumb);
    shop
}

#[test]
fn every_filter_can_be_turned_round() {
    let shop = orchard();
    for (query, expected) in [
        ("not[labels]=b", vec![3, 1]),
        ("not[labels]=a,b", vec![3]),
        ("not[milestone]=v1", vec![3, 2]),
        ("not[author_username]=root", vec![]),
        ("not[assignee_username]=ana", vec![3, 1]),
        ("not[assignee_id]=2", vec![3, 1]),
        ("not[iids][]=2", vec![3, 1]),
        ("not[my_reaction_emoji]=thumbsup", vec![3, 1]),
        ("labels=None", vec![3]),
        ("labels=Any", vec![2, 1]),
        ("milestone=Any", vec![1]),
        ("milestone_id=Started", vec![1]),
        ("milestone_id=Upcoming", vec![1]),
        ("milestone_id=None", vec![3, 2]),
        ("assignee_id=None", vec![3, 1]),
        ("assignee_username=ana", vec![2]),
        ("assignee_username[]=ana", vec![2]),
        ("my_reaction_emoji=Any", vec![2]),
        ("search=apple", vec![3, 1]),
        ("search=apple&in=title", vec![1]),
        ("issue_type=incident", vec![2]),
        ("due_date=overdue", vec![3, 1]),
        ("due_date=0", vec![2]),
        ("due_date=any", vec![3, 1]),
        ("due_date=week", vec![]),
        ("scope=assigned_to_me", vec![]),
        ("weight=3&epic_id=1", vec![3, 2, 1]),
    ] {
        let reply = shop.root().get(&shop.path(&format!("issues?{query}")));
        assert_eq!(iids(&reply), expected, "{query}");
    }
    let both = shop
        .root()
        .get(&shop.path("issues?assignee_id=1&assignee_username=ana"));
    assert_eq!(
        both.error(),
        (
            400,
            json!({ "error": "assignee_id, assignee_username are mutually exclusive" })
        )
    );
}

#[test]
fn every_documented_order_is_known() {
    let shop = orchard();
    shop.root()
        .put(&shop.path("labels/b"), json!({ "priority": 1 }));
    for (query, expected) in [
        ("order_by=title", vec![3, 2, 1]),
        ("order_by=title&sort=asc", vec![1, 2, 3]),
        ("order_by=due_date&sort=asc", vec![3, 1, 2]),
        ("order_by=due_date", vec![1, 3, 2]),
        ("order_by=popularity", vec![2, 3, 1]),
        ("order_by=label_priority&sort=asc", vec![2, 1, 3]),
        ("order_by=milestone_due&sort=asc", vec![1, 2, 3]),
        ("order_by=updated_at&sort=asc", vec![1, 2, 3]),
    ] {
        let reply = shop.root().get(&shop.path(&format!("issues?{query}")));
        assert_eq!(iids(&reply), expected, "{query}");
    }
    let odd = shop.root().get(&shop.path("issues?order_by=colour"));
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "order_by does not have a valid value" })
        )
    );
}

#[test]
fn issues_are_counted_by_state() {
    let shop = orchard();
    let counts = |path: &str| {
        let reply = shop.root().get(path);
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["statistics"]["counts"].clone()
    };
    let expected = json!({ "all": 3, "closed": 1, "opened": 2 });
    assert_eq!(counts(&shop.path("issues_statistics")), expected);
    assert_eq!(counts("issues_statistics"), expected);
    assert_eq!(
        counts(&shop.path("issues_statistics?labels=a")),
        json!({ "all": 2, "closed": 0, "opened": 2 })
    );
}

#[test]
fn all_issues_are_for_those_who_sign_in_or_ask_for_all() {
    let shop = orchard();
    let nobody = shop.world.anonymous();
    assert_eq!(nobody.get("issues").status, 401);
    assert_eq!(nobody.get("issues?scope=all").json(), json!([]));
    assert_eq!(nobody.get("merge_requests").status, 401);
    shop.set(json!({ "visibility": "public" }));
    assert_eq!(iids(&nobody.get("issues?scope=all")), [3, 2, 1]);
    let (_, ana) = shop.world.person("bob");
    assert_eq!(ana.get("issues").json(), json!([]));
}

#[test]
fn merge_requests_are_filtered_by_people_and_draft() {
    let shop = orchard();
    let first = shop.merge_request();
    shop.commit("other", Some("main"), &[("o.txt", "o\n")]);
    let more = json!({ "title": "Draft: other", "reviewer_ids": [2], "labels": "a" });
    let second = shop.open("other", more);
    let merged = format!("merge_requests/{first}/merge");
    assert_eq!(shop.root().put(&shop.path(&merged), json!({})).status, 200);
    for (query, expected) in [
        ("reviewer_username=ana", vec![second]),
        ("reviewer_id=2", vec![second]),
        ("reviewer_id=None", vec![first]),
        ("not[reviewer_username]=ana", vec![first]),
        ("wip=yes", vec![second]),
        ("merge_user_username=root", vec![first]),
        ("merge_user_id=1", vec![first]),
        ("order_by=merged_at", vec![first, second]),
        ("scope=reviews_for_me", vec![]),
        ("labels=a&view=simple", vec![second]),
    ] {
        let path = shop.path(&format!("merge_requests?{query}"));
        assert_eq!(iids(&shop.root().get(&path)), expected, "{query}");
    }
    let simple = shop.root().get(&shop.path("merge_requests?view=simple"));
    assert_eq!(simple.json()[0].get("author"), None::<&Value>);
}
