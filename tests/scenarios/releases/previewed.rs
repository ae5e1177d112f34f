//! `release preview --json`: what a release would be refused for and what it would write, in keys that stay.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use super::{TOLD, landed};
use crate::stage::Stage;

fn previewed(stage: &Stage, words: &[&str]) -> (Option<i32>, Value) {
    let said = stage.gate(&[&["release", "preview", "--json"], words].concat());
    let begin = said.said.find('{').unwrap_or_default();
    let document = serde_json::from_str(&said.said[begin..]);
    (
        said.code,
        document.unwrap_or_else(|error| panic!("{error}: {}", said.said)),
    )
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn check<'v>(document: &'v Value, name: &str) -> &'v Value {
    let checks = document["checks"].as_array().unwrap();
    checks.iter().find(|one| one["check"] == name).unwrap()
}

#[test]
fn it_says_what_would_be_released_and_written_in_keys_that_stay() {
    let stage = landed(TOLD);
    stage.edit_feature(2, json!({"confidential": true}));
    let (code, document) = previewed(&stage, &[]);
    assert_eq!(code, Some(0), "{document:#}");
    assert_eq!(
        keys(&document),
        [
            "possible",
            "number",
            "tag",
            "previous_tag",
            "because",
            "pre_release",
            "commit",
            "checks",
            "commits",
            "content",
            "notes",
            "would_write",
        ]
    );
    assert_eq!(
        (&document["number"], &document["tag"], &document["possible"]),
        (&json!("0.1.0"), &json!("v0.1.0"), &json!(true))
    );
    assert_eq!(
        document["because"],
        "the first one, as `versions.initial` says"
    );
    let names: Vec<&str> = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(keys(one), ["check", "ok", "refuses", "words"]);
            one["check"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        names,
        [
            "content",
            "no_other_release",
            "commit",
            "number",
            "freeze",
            "around_the_gate"
        ]
    );
    let features = document["content"]["features"].as_array().unwrap();
    assert_eq!(
        features[0],
        json!({
            "feature": "shop/web#1",
            "confidential": false,
            "title": "Pay by card",
            "benefit": "I need no cash.",
            "completed": true,
            "change_sets": [
                {"merge_request": "shop/web!1", "title": "A change", "author": "ana", "breaking": false},
                {"merge_request": "shop/web!2", "title": "A change", "author": "dan", "breaking": false},
            ],
            "validations": features[0]["validations"],
        })
    );
    assert_eq!(features[0]["validations"][0]["by"], "olga");
    assert_eq!(features[1]["feature"], Value::Null);
    assert_eq!(features[1]["confidential"], true);
    assert!(
        !document.to_string().contains("Gift wrapping"),
        "{document:#}"
    );
    assert_eq!(
        document["would_write"],
        json!({
            "tag": "v0.1.0",
            "release": "Version 0.1.0",
            "deployment_of": "production",
            "closes_milestones": ["0.1.0"],
            "closes_features": ["shop/web#1"],
            "closes_confidential_features": 0,
            "notes_on_merge_requests": 3,
            "notes_on_features": 2,
            "changelog_commit": "CHANGELOG.md",
        })
    );
    let notes = document["notes"]["markdown"].as_str().unwrap();
    assert!(notes.contains("Pay by card (#1)"), "{notes}");
    assert_eq!(super::standing(&stage).tags, 0);
}

#[test]
fn what_a_release_would_be_refused_for_is_told_by_name_and_ends_with_one() {
    let stage = landed(TOLD);
    let (code, document) = previewed(&stage, &["--version", "0.0.1"]);
    assert_eq!(code, Some(0), "the first number may be any: {document:#}");
    let head = super::read(&stage, "repository/commits?ref_name=main&per_page=100");
    let first = head.as_array().unwrap().last().unwrap()["id"].clone();
    let tags = stage.world.at("repository/tags");
    let tag = json!({"tag_name": "v0.3.0", "ref": first});
    stage.world.ask("root", Method::POST, &tags, tag).unwrap();
    let (code, document) = previewed(&stage, &["--version", "0.2.0"]);
    assert_eq!(code, Some(1), "{document:#}");
    assert_eq!(document["possible"], false);
    assert_eq!(
        check(&document, "number"),
        &json!({
            "check": "number", "ok": false, "refuses": true,
            "words": ["the number 0.2.0 is not above the last one, 0.3.0; choose a higher one"],
        })
    );
    assert_eq!(check(&document, "content")["ok"], true);
}
