//! Limits that are off or far away until somebody asks for them.

use serde_json::json;

use crate::ci_world::CiWorld;
use crate::client::{World, send};
use crate::shop::Shop;

#[test]
fn comments_are_limited_per_user_and_minute() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.world
        .emulator
        .with_state(|state| state.limits.notes_per_minute = Some(2));
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    let path = shop.path(&format!("merge_requests/{iid}/notes"));
    let write = || ana.post(&path, json!({ "body": "a comment" }));
    assert_eq!((write().status, write().status), (201, 201));
    let text = "This endpoint has been requested too many times. Try again later.";
    assert_eq!(
        write().error(),
        (429, json!({ "message": { "error": text } }))
    );
    let other = shop.root().post(&path, json!({ "body": "a comment" }));
    assert_eq!(other.status, 201);
    let minute = jiff::SignedDuration::from_mins(1);
    shop.world.emulator.clock().advance(minute);
    assert_eq!(write().status, 201);
}

#[test]
fn pipelines_are_limited_per_project_user_commit_and_minute() {
    let ci = CiWorld::new("job: { script: [echo] }");
    ci.world
        .emulator
        .with_state(|state| state.limits.pipelines_per_minute = Some(2));
    let start = || {
        let body = json!({ "ref": "main" });
        ci.world.root.post(&ci.path("pipeline"), body)
    };
    assert_eq!(start().status, 201);
    let text = "Too many pipelines created in the last minute. Try again later.";
    assert_eq!(
        start().error(),
        (400, json!({ "message": { "base": [text] } }))
    );
    let minute = jiff::SignedDuration::from_mins(1);
    ci.world.emulator.clock().advance(minute);
    assert_eq!(start().status, 201);
}

#[test]
fn pages_by_number_end_at_fifty_thousand_where_keysets_go_on() {
    let world = World::new();
    assert_eq!(world.root.get("projects?page=500&per_page=100").status, 200);
    let beyond = world.root.get("projects?page=501&per_page=100");
    assert_eq!(beyond.status, 405);
    let error = beyond.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.starts_with("Offset pagination has a maximum allowed offset of 50000"),
        "{error}"
    );
    assert!(error.contains("type Project."), "{error}");
    let keyset = world
        .root
        .get("projects?pagination=keyset&order_by=id&page=501&per_page=100");
    assert_eq!(keyset.status, 200);
    let project = world.project("shop");
    let labels = format!("projects/{project}/labels?page=501&per_page=100");
    assert_eq!(world.root.get(&labels).status, 200);
}

#[test]
fn lists_above_ten_thousand_rows_are_not_counted() {
    let world = World::new();
    let project = world.project("shop");
    let body = json!({ "name": "one", "color": "#ff0000" });
    world.root.post(&format!("projects/{project}/labels"), body);
    world.emulator.with_state(|state| {
        let one = state.labels.iter().next().unwrap().clone();
        for _ in 0..10_000 {
            let mut copy = one.clone();
            state.labels.insert(|id| {
                copy.id = id;
                copy.name = format!("label {id}");
                copy
            });
        }
    });
    let path = format!("projects/{project}/labels?per_page=1");
    let many = world.root.get(&path);
    assert_eq!(many.header("x-total"), None);
    assert_eq!(many.header("x-total-pages"), None);
    assert_eq!(many.header("x-next-page"), Some("2"));
    let link = many.header("link").unwrap();
    assert!(link.contains("rel=\"next\"") && !link.contains("rel=\"last\""));
    world.emulator.with_state(|state| {
        let last = state.labels.iter().next_back().unwrap().id;
        state.labels.remove(last);
    });
    assert_eq!(world.root.get(&path).header("x-total"), Some("10000"));
}

#[test]
fn deletions_may_insist_on_what_the_caller_has_seen() {
    let ci = CiWorld::new("job: { script: [echo] }");
    let root = &ci.world.root;
    let id = |path: &str, body: serde_json::Value| {
        let made = root.post(&ci.path(path), body);
        assert_eq!(made.status, 201, "{path}: {}", made.text);
        made.json()["id"].as_u64().unwrap()
    };
    ci.push("feature", &[("a", "1")]);
    let opened = json!({ "source_branch": "feature", "target_branch": "main", "title": "a" });
    id("merge_requests", opened);
    id("issues", json!({ "title": "a" }));
    let note = id("issues/1/notes", json!({ "body": "a" }));
    let milestone = id("milestones", json!({ "title": "a" }));
    let trigger = id("triggers", json!({ "description": "a" }));
    let cron = json!({ "description": "a", "ref": "main", "cron": "0 6 * * *" });
    let schedule = id("pipeline_schedules", cron);
    root.post(
        &ci.path("repository/tags"),
        json!({ "tag_name": "v1", "ref": "main" }),
    );
    let pipeline = ci.latest();
    let token = ci.world.emulator.root_token();
    for tail in [
        format!("issues/1/notes/{note}"),
        "issues/1".to_owned(),
        "merge_requests/1".to_owned(),
        format!("milestones/{milestone}"),
        format!("triggers/{trigger}"),
        format!("pipeline_schedules/{schedule}"),
        format!("pipelines/{pipeline}"),
        "repository/branches/feature".to_owned(),
        "repository/tags/v1".to_owned(),
    ] {
        let path = format!("/api/v4/{}", ci.path(&tail));
        let delete = |since: &str| {
            let headers = [("private-token", token), ("if-unmodified-since", since)];
            send(&root.url, "DELETE", &path, &headers, b"").unwrap()
        };
        let refused = delete("Thu, 01 Jan 2015 00:00:00 GMT");
        let expected = (412, json!({ "message": "412 Precondition Failed" }));
        assert_eq!(refused.error(), expected, "{tail}");
        let done = delete("Thu, 01 Jan 2099 00:00:00 GMT");
        assert_eq!(done.status, 204, "{tail}: {}", done.text);
    }
}

#[test]
fn a_moved_project_is_found_where_it_was_for_reading_only() {
    let shop = Shop::new();
    let project = shop.path("");
    shop.root().put(
        project.trim_end_matches('/'),
        json!({ "name": "store", "path": "store" }),
    );
    let old = "projects/root%2Fshop";
    let moved = shop.root().get(&format!("{old}/issues?state=opened"));
    assert_eq!(moved.status, 301, "{}", moved.text);
    let expected = format!(
        "{}/api/v4/{}",
        shop.root().url,
        shop.path("issues?state=opened")
    );
    assert_eq!(moved.header("location"), Some(expected.as_str()));
    let written = shop
        .root()
        .post(&format!("{old}/issues"), json!({ "title": "a" }));
    assert_eq!(written.status, 405);
    let stranger = shop.world.person("ana").1;
    assert_eq!(stranger.get(old).status, 404);
    // Another project takes the name, and is meant from then on.
    let other = shop.world.project("shop");
    assert_eq!(shop.root().get(old).json()["id"], other);
}
