//! What every route has in common: unknown things, pages, credentials, headers.

use serde_json::json;
use trainyard_emulator::Who;

use crate::client::{World, send};

#[test]
fn an_unknown_route_is_gitlabs_404_and_is_reported() {
    let world = World::new();
    assert_eq!(
        world.root.get("projects/1/nonsense").error(),
        (404, json!({ "error": "404 Not Found" }))
    );
    assert_eq!(
        world.root.call("PATCH", "version", None).error(),
        (405, json!({ "error": "405 Not Allowed" }))
    );
    let unknown = world.emulator.unknown_requests();
    assert_eq!(unknown.len(), 2);
    assert_eq!(
        unknown[0].unknown.as_deref(),
        Some("unknown route `GET /api/v4/projects/1/nonsense`")
    );
    assert!(
        world
            .report
            .text()
            .contains("unknown route `GET /api/v4/projects/1/nonsense`"),
        "{}",
        world.report.text()
    );
}

#[test]
fn a_parameter_of_gitlabs_that_is_lacking_here_is_refused_and_reported() {
    let world = World::new();
    let project = world.project("shop");
    let reply = world.root.put(
        &format!("projects/{project}"),
        json!({ "repository_storage": "fast" }),
    );
    let text = "parameter `repository_storage` of `PUT projects/:id` is not implemented";
    assert_eq!(
        reply.error(),
        (501, json!({ "error": format!("sandbox: {text}") }))
    );
    let inner = world
        .root
        .get(&format!("projects/{project}/variables/K?filter%5Bodd%5D=1"));
    assert_eq!(
        inner.json()["error"],
        "sandbox: parameter `filter[odd]` of `GET projects/:id/variables/:key` is not implemented"
    );
    assert_eq!(world.emulator.unknown_requests().len(), 2);
    assert_eq!(world.root.get("user?").status, 200);
}

#[test]
fn a_parameter_nobody_knows_is_ignored_as_gitlab_does_and_named_in_the_log() {
    let world = World::new();
    assert_eq!(world.root.get("user?sparkle=1").status, 200);
    assert!(world.emulator.unknown_requests().is_empty());
    let requests = world.emulator.requests();
    assert_eq!(requests.last().unwrap().ignored, ["sparkle"]);
}

#[test]
fn pages_come_with_totals_and_links() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/variables");
    for number in 0..5 {
        world
            .root
            .post(&path, json!({ "key": format!("K{number}"), "value": "1" }));
    }
    let page = world.root.get(&format!("{path}?per_page=2&page=2"));
    let keys: Vec<_> = page
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["K2", "K3"]);
    let header = |name| page.header(name).unwrap_or("absent");
    let paging = [
        "x-page",
        "x-per-page",
        "x-next-page",
        "x-prev-page",
        "x-total",
        "x-total-pages",
    ]
    .map(header);
    assert_eq!(paging, ["2", "2", "3", "1", "5", "3"]);
    assert!(
        header("link").contains(&format!(
            "<{}/api/v4/{path}?page=3&per_page=2>; rel=\"next\"",
            world.root.url
        )),
        "{}",
        header("link")
    );
    let last = world.root.get(&format!("{path}?per_page=2&page=3"));
    assert_eq!(last.header("x-next-page"), Some(""));
    assert_eq!(
        world
            .root
            .get(&format!("{path}?per_page=500"))
            .header("x-per-page"),
        Some("100")
    );
    assert_eq!(
        world.root.get(&format!("{path}?page=0")).error(),
        (400, json!({ "error": "page does not have a valid value" }))
    );
    assert_eq!(
        world.root.get(&format!("{path}?page=x")).error(),
        (400, json!({ "error": "page is invalid" }))
    );
}

#[test]
fn keyset_pages_are_followed_by_their_link() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.project(name);
    }
    let first = world
        .root
        .get("projects?pagination=keyset&per_page=2&order_by=id&sort=asc");
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    assert_eq!(first.header("x-total"), None);
    let link = first.header("link").unwrap();
    assert!(link.ends_with("; rel=\"next\""));
    let next = link
        .split(['<', '>'])
        .nth(1)
        .unwrap()
        .split_once("/api/v4/")
        .unwrap()
        .1
        .to_owned();
    let second = world.root.get(&next);
    assert_eq!(second.json()[0]["name"], "c");
    assert_eq!(second.header("link"), None);
}

#[test]
fn every_way_to_send_a_token_works() {
    let world = World::new();
    let token = world.emulator.root_token().to_owned();
    let get = |path: &str, headers: &[(&str, &str)]| {
        send(&world.root.url, "GET", path, headers, b"")
            .unwrap()
            .status
    };
    assert_eq!(
        get(
            "/api/v4/user",
            &[("authorization", &format!("Bearer {token}"))]
        ),
        200
    );
    assert_eq!(
        get(&format!("/api/v4/user?private_token={token}"), &[]),
        200
    );
    assert_eq!(get(&format!("/api/v4/user?access_token={token}"), &[]), 200);
    assert_eq!(get("/api/v4/user", &[]), 401);
    assert_eq!(get("/api/v4/user", &[("job-token", &token)]), 401);
    assert!(
        world
            .emulator
            .requests()
            .iter()
            .all(|entry| !entry.path.contains(&token))
    );
}

#[test]
fn tokens_that_do_not_hold_are_refused_by_kind() {
    let world = World::new();
    let (id, _) = world.person("ana");
    let read_only = world.with_token(&world.token(id, &["read_api"]));
    assert_eq!(read_only.get("user").status, 200);
    let scope = read_only.post("projects", json!({ "name": "x" })).error();
    assert_eq!(
        (scope.0, &scope.1["error"], &scope.1["scope"]),
        (403, &json!("insufficient_scope"), &json!("api"))
    );
    assert_eq!(
        world.with_token("glpat-unknown").get("user").error(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    let expired = world.token(id, &["api"]);
    let today = world
        .emulator
        .clock()
        .now()
        .strftime("%Y-%m-%d")
        .to_string()
        .parse()
        .unwrap();
    world.emulator.with_state(|state| {
        state
            .tokens
            .iter_mut()
            .find(|token| token.secret == expired)
            .unwrap()
            .expires_at = Some(today)
    });
    assert_eq!(
        world.with_token(&expired).get("user").json()["error"],
        "invalid_token"
    );
    let revoked = world.with_token(&world.token(id, &["api"]));
    assert_eq!(revoked.delete("personal_access_tokens/self").status, 204);
    assert_eq!(
        (
            revoked.get("user").status,
            &revoked.get("user").json()["error"]
        ),
        (401, &json!("invalid_token"))
    );
}

#[test]
fn head_is_get_without_a_body_and_etags_save_the_second_body() {
    let world = World::new();
    let head = world.root.call("HEAD", "version", None);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let tag = world.root.get("version").header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\""));
    let headers = [
        ("private-token", world.emulator.root_token()),
        ("if-none-match", tag.as_str()),
    ];
    let again = send(&world.root.url, "GET", "/api/v4/version", &headers, b"").unwrap();
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert!(again.header("x-request-id").is_some() && again.header("ratelimit-limit").is_none());
}

#[test]
fn the_log_tells_who_called_what() {
    let world = World::new();
    world.emulator.clear_requests();
    world.root.get("version");
    world.anonymous().get("version");
    let requests = world.emulator.requests();
    assert_eq!(
        requests[0].who,
        Who::User {
            username: "root".to_owned()
        }
    );
    assert_eq!(
        (requests[0].route.as_deref(), requests[0].status),
        (Some("version"), 200)
    );
    assert_eq!(
        (&requests[1].who, requests[1].status),
        (&Who::Anonymous, 401)
    );
    let page = send(&world.root.url, "GET", "/-/sandbox/requests", &[], b"").unwrap();
    assert_eq!(
        page.json()[0]["who"],
        json!({ "kind": "user", "username": "root" })
    );
    assert_eq!(
        send(&world.root.url, "DELETE", "/-/sandbox/requests", &[], b"")
            .unwrap()
            .status,
        204
    );
    assert!(world.emulator.requests().is_empty());
}

#[test]
fn a_switch_sent_as_null_stays_as_it_is() {
    let world = World::new();
    let project = world.project("shop");
    let body =
        json!({ "url": "https://example.com/hook", "issues_events": null, "push_events": null });
    let made = world.root.post(&format!("projects/{project}/hooks"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    let hook = made.json();
    assert_eq!(
        (&hook["issues_events"], &hook["push_events"]),
        (&json!(false), &json!(true))
    );
}
