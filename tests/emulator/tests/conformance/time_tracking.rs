//! Estimates and time spent.

use serde_json::{Value, json};

use crate::shop::{Shop, text};

#[test]
fn time_is_estimated_spent_and_reset() {
    let shop = Shop::new();
    shop.issue("one");
    let iid = shop.merge_request();
    for path in ["issues/1".to_owned(), format!("merge_requests/{iid}")] {
        let post = |tail: &str, body: Value| {
            let path = shop.path(&format!("{path}/{tail}"));
            let reply = shop.root().post(&path, body);
            (reply.status, reply.json())
        };
        let duration = |text: &str| json!({ "duration": text });
        let (status, stats) = post("time_estimate", duration("1w 2d 3h30m"));
        assert_eq!((status, &stats["time_estimate"]), (200, &json!(214_200)));
        assert_eq!(stats["human_time_estimate"], "1w 2d 3h 30m");
        let (status, refused) = post("time_estimate", duration("foo"));
        assert_eq!(status, 400);
        assert_eq!(
            refused["message"],
            "400 Bad request - Time estimate must have a valid format and be greater than or equal to zero."
        );
        let (status, stats) = post("add_spent_time", duration("2h"));
        assert_eq!(
            (status, &stats["human_total_time_spent"]),
            (201, &json!("2h"))
        );
        assert_eq!(
            post("add_spent_time", duration("-1h")).1["total_time_spent"],
            3600
        );
        let too_much = json!({ "base": ["Time to subtract exceeds the total time spent"] });
        assert_eq!(
            post("add_spent_time", duration("-1w")),
            (400, json!({ "message": too_much }))
        );
        assert_eq!(
            post("add_spent_time", json!({})),
            (400, json!({ "error": "duration is missing" }))
        );
        assert_eq!(
            shop.root().get(&shop.path(&path)).json()["time_stats"]["total_time_spent"],
            3600
        );
        let (status, stats) = post("reset_spent_time", json!({}));
        assert_eq!((status, &stats["total_time_spent"]), (200, &json!(0)));
        let (_, stats) = post("reset_time_estimate", json!({}));
        assert_eq!(
            stats,
            json!({ "time_estimate": 0, "total_time_spent": 0, "human_time_estimate": null, "human_total_time_spent": null })
        );
        let notes = shop
            .root()
            .get(&shop.path(&format!("{path}/notes?sort=asc")))
            .json();
        let bodies: Vec<String> = notes
            .as_array()
            .unwrap()
            .iter()
            .map(|note| text(note, "body"))
            .collect();
        assert_eq!(
            bodies,
            [
                "added time estimate of 1w 2d 3h 30m",
                "added 2h of time spent",
                "subtracted 1h of time spent",
                "removed time spent",
                "removed time estimate of 1w 2d 3h 30m",
            ]
        );
    }
}

#[test]
fn only_those_who_administer_it_track_time() {
    let shop = Shop::new();
    shop.issue("one");
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let body = json!({ "duration": "1h" });
    let path = shop.path("issues/1/time_estimate");
    assert_eq!(guest.post(&path, body.clone()).status, 403);
    let missing = shop.path("issues/9/time_estimate");
    assert_eq!(shop.root().post(&missing, body).status, 404);
    assert_eq!(guest.get(&shop.path("issues/1/time_stats")).status, 200);
}
