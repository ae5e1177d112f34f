//! The switchable limit on requests per minute.

use jiff::SignedDuration;
use serde_json::json;

use crate::client::{World, send};

#[test]
fn a_caller_over_the_limit_waits_for_the_next_minute() {
    let world = World::new();
    let clock = world.emulator.clock();
    clock.set("2026-01-05T10:00:40Z".parse().unwrap());
    world.emulator.limit_requests(Some(2));
    let first = world.root.get("user");
    assert_eq!(
        (first.status, first.header("ratelimit-remaining")),
        (200, Some("1"))
    );
    world.root.get("user");
    let refused = world.root.get("user");
    assert_eq!(
        (refused.status, refused.text.as_str()),
        (429, "Retry later\n")
    );
    for (name, value) in [
        ("retry-after", "20"),
        ("ratelimit-name", "throttle_authenticated_api"),
        ("ratelimit-limit", "2"),
        ("ratelimit-observed", "3"),
        ("ratelimit-remaining", "0"),
        ("ratelimit-reset", "1767607260"),
        ("ratelimit-resettime", "Mon, 05 Jan 2026 10:01:00 GMT"),
    ] {
        assert_eq!(refused.header(name), Some(value), "{name}");
    }
    clock.advance(SignedDuration::from_secs(20));
    assert_eq!(world.root.get("user").status, 200);
}

#[test]
fn the_limit_is_switched_on_and_off_from_another_process() {
    let world = World::new();
    let put = |body: serde_json::Value| {
        let path = "/-/sandbox/rate_limit";
        send(
            world.emulator.url(),
            "PUT",
            path,
            &[],
            body.to_string().as_bytes(),
        )
        .unwrap()
    };
    assert_eq!(put(json!({ "per_minute": 1 })).status, 200);
    let statuses = [world.root.get("user").status, world.root.get("user").status];
    assert_eq!(statuses, [200, 429]);
    put(json!({ "per_minute": null }));
    assert_eq!(world.root.get("user").status, 200);
}
