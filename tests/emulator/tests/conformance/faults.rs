//! Faults that are switched on through the handle and the sandbox page.

use serde_json::json;
use std::sync::{Arc, Mutex};
use trainyard_emulator::faults::{Effect, Rule};

use crate::client::{World, send};

fn version(world: &World) -> Result<u16, std::io::ErrorKind> {
    let headers = [("private-token", world.emulator.root_token())];
    send(&world.root.url, "GET", "/api/v4/version", &headers, b"")
        .map(|reply| reply.status)
        .map_err(|error| error.kind())
}

#[test]
fn a_rule_waits_for_its_turn_and_ends() {
    let world = World::new();
    let busy = Effect::Answer {
        status: 503,
        body: json!({ "message": "busy" }),
    };
    world.emulator.faults().add(
        Rule::new(busy)
            .on("GET", "version")
            .by("root")
            .after(1)
            .times(2),
    );
    let statuses: Vec<_> = (0..4).map(|_| version(&world).unwrap()).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert_eq!(
        world.emulator.requests()[1].fault.as_deref(),
        Some("answer")
    );
}

#[test]
fn a_proxy_error_is_html_and_too_many_requests_may_say_when() {
    let world = World::new();
    world
        .emulator
        .faults()
        .add(Rule::new(Effect::Html { status: 502 }));
    let html = world.root.get("version");
    assert_eq!(
        (html.status, html.header("content-type")),
        (502, Some("text/html"))
    );
    for (retry_after, header) in [(Some(7), Some("7")), (None, None)] {
        world.emulator.faults().clear();
        world
            .emulator
            .faults()
            .add(Rule::new(Effect::TooManyRequests { retry_after }));
        let limited = world.root.get("version");
        assert_eq!(
            (limited.status, limited.header("retry-after")),
            (429, header)
        );
    }
}

#[test]
fn a_reset_comes_before_or_after_the_work() {
    let world = World::new();
    world
        .emulator
        .faults()
        .add(Rule::new(Effect::ResetBefore).on("POST", "projects"));
    world.emulator.faults().add(
        Rule::new(Effect::ResetAfter)
            .on("POST", "projects")
            .after(1),
    );
    let create = |name: &str| {
        let headers = [
            ("private-token", world.emulator.root_token()),
            ("content-type", "application/json"),
        ];
        send(
            &world.root.url,
            "POST",
            "/api/v4/projects",
            &headers,
            json!({ "name": name }).to_string().as_bytes(),
        )
        .is_ok()
    };
    assert!(!create("first") && !create("second") && create("third"));
    let names: Vec<String> = world.emulator.with_state(|state| {
        state
            .projects
            .iter()
            .map(|project| project.name.clone())
            .collect()
    });
    assert_eq!(names, ["second", "third"]);
}

#[test]
fn a_kill_calls_the_hook_after_the_work() {
    let world = World::new();
    let victims = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&victims);
    world
        .emulator
        .faults()
        .on_kill(move |who, _| seen.lock().unwrap().push(who.username().map(str::to_owned)));
    world.emulator.faults().add(Rule::new(Effect::Kill));
    assert!(version(&world).is_err());
    assert_eq!(*victims.lock().unwrap(), [Some("root".to_owned())]);
}

#[test]
fn another_process_sets_faults_and_the_clock_over_http() {
    let world = World::new();
    let sandbox = |method: &str, page: &str, body: serde_json::Value| {
        send(
            &world.root.url,
            method,
            &format!("/-/sandbox/{page}"),
            &[],
            body.to_string().as_bytes(),
        )
        .unwrap()
    };
    let rule =
        json!({ "route": "version", "effect": { "kind": "answer", "status": 500, "body": {} } });
    assert_eq!(sandbox("POST", "faults", rule).status, 201);
    assert_eq!(version(&world), Ok(500));
    assert_eq!(
        sandbox("POST", "faults", json!({ "effect": "boom" })).status,
        400
    );
    assert_eq!(sandbox("DELETE", "faults", json!(null)).status, 204);
    assert_eq!(version(&world), Ok(200));
    sandbox("PUT", "clock", json!({ "now": "2026-01-05T10:00:00Z" }));
    let clock = sandbox("PUT", "clock", json!({ "advance_seconds": 60 }));
    assert_eq!(clock.json()["now"], "2026-01-05T10:01:00.000Z");
}

#[test]
fn a_panic_while_the_state_is_locked_makes_every_later_answer_a_loud_500() {
    let world = World::new();
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.emulator.with_state(|_| panic!("on purpose"))
    }));
    assert!(broken.is_err());
    assert_eq!(version(&world), Ok(500));
    assert!(
        world.report.text().contains("nothing can be trusted"),
        "{}",
        world.report.text()
    );
}

#[test]
fn locking_the_state_twice_fails_at_once_instead_of_hanging() {
    let world = World::new();
    let nested = std::panic::AssertUnwindSafe(|| {
        world
            .emulator
            .with_state(|_| world.emulator.with_state(|_| ()));
    });
    assert!(std::panic::catch_unwind(nested).is_err());
}

#[test]
fn an_answer_cut_short_breaks_after_the_work_was_done() {
    let world = World::new();
    let cut = Rule::new(Effect::CutShort).on("POST", "projects");
    world.emulator.faults().add(cut);
    let headers = [
        ("private-token", world.emulator.root_token()),
        ("content-type", "application/json"),
    ];
    let body = json!({ "name": "shop" }).to_string();
    let reply = send(
        &world.root.url,
        "POST",
        "/api/v4/projects",
        &headers,
        body.as_bytes(),
    );
    let whole =
        reply.is_ok_and(|reply| serde_json::from_str::<serde_json::Value>(&reply.text).is_ok());
    assert!(!whole);
    assert_eq!(
        world
            .emulator
            .with_state(|state| state.projects.iter().count()),
        1
    );
}

#[test]
fn a_share_of_all_requests_fails_the_same_way_for_the_same_seed() {
    let statuses = || {
        let world = World::new();
        let busy = Effect::Html { status: 503 };
        world.emulator.faults().add(Rule::new(busy).percent(40, 3));
        (0..50)
            .map(|_| version(&world).unwrap())
            .collect::<Vec<_>>()
    };
    let first = statuses();
    assert_eq!(first, statuses());
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
}

#[test]
fn a_delayed_request_is_still_served() {
    let world = World::new();
    let delay = Effect::Delay { milliseconds: 20 };
    world.emulator.faults().add(Rule::new(delay));
    assert_eq!(version(&world), Ok(200));
    assert_eq!(world.emulator.requests()[0].fault.as_deref(), Some("delay"));
}
