//! The pages below `/-/sandbox/`: what another process sees of the emulator, and does to it.

use serde_json::{Value, json};

use crate::client::{Reply, World, send};

fn page(world: &World, method: &str, page: &str, body: Value) -> Reply {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let path = format!("/-/sandbox/{page}");
    send(&world.root.url, method, &path, &[], body.as_bytes()).unwrap()
}

#[test]
fn a_fault_is_told_with_what_came_of_it_and_taken_back_by_its_number() {
    let world = World::new();
    let rule =
        json!({ "route": "version", "times": 9, "effect": { "kind": "html", "status": 503 } });
    let added = page(&world, "POST", "faults", rule);
    assert_eq!(added.status, 201);
    assert_eq!(world.root.get("version").status, 503);
    let listed = page(&world, "GET", "faults", Value::Null).json();
    assert_eq!(
        (
            &listed[0]["seen"],
            &listed[0]["hit"],
            &listed[0]["effect"]["kind"]
        ),
        (&json!(1), &json!(1), &json!("html"))
    );
    let one = format!("faults/{}", added.json()["id"]);
    assert_eq!(page(&world, "DELETE", &one, Value::Null).status, 204);
    assert_eq!(page(&world, "DELETE", &one, Value::Null).status, 404);
    assert_eq!(world.root.get("version").status, 200);
}

#[test]
fn a_fault_that_could_never_strike_is_refused_by_name() {
    let world = World::new();
    let effect = json!({ "kind": "reset_before" });
    for (rule, named) in [
        (
            json!({ "route": "versoin", "effect": effect }),
            "no route `versoin`",
        ),
        (
            json!({ "rout": "version", "effect": effect }),
            "unknown field `rout`",
        ),
        (
            json!({ "percent": 120, "effect": effect }),
            "`percent` is between",
        ),
        (
            json!({ "effect": { "kind": "boom" } }),
            "unknown variant `boom`",
        ),
        (
            json!({ "effect": { "kind": "delay", "millis": 3 } }),
            "unknown field `millis`",
        ),
    ] {
        let refused = page(&world, "POST", "faults", rule);
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(named), "{}", refused.text);
    }
    assert_eq!(page(&world, "GET", "faults", Value::Null).json(), json!([]));
}

#[test]
fn the_state_shows_projects_and_no_secret() {
    let world = World::new();
    let project = world.project("shop");
    let hidden = "do-not-tell-anybody";
    let variable = json!({ "key": "KEY", "value": hidden, "environment_scope": "state" });
    world
        .root
        .post(&format!("projects/{project}/variables"), variable);
    let state = page(&world, "GET", "state", Value::Null);
    assert!(!state.text.contains(hidden) && !state.text.contains(world.emulator.root_token()));
    let shown = &state.json()["projects"][0];
    assert_eq!(shown["path"], "root/shop");
    assert_eq!(shown["variables"][0]["key"], "KEY");
    assert_eq!(shown["variables"][0]["bytes"], hidden.len());
}

#[test]
fn a_snapshot_brings_back_state_and_repositories() {
    let world = World::new();
    let project = world.project("shop");
    let files = format!("projects/{project}/repository/files");
    let file = |name: &str| json!({ "branch": "main", "content": name, "commit_message": name });
    world.root.post(&format!("{files}/one"), file("one"));
    let taken = page(&world, "POST", "snapshots", Value::Null);
    assert_eq!(taken.status, 201);
    world.root.post(&format!("{files}/two"), file("two"));
    world.root.post("projects", json!({ "name": "other" }));
    let restore = format!("snapshots/{}/restore", taken.json()["id"]);
    for _ in 0..2 {
        assert_eq!(page(&world, "POST", &restore, Value::Null).status, 204);
        assert_eq!(
            world.root.get("projects").json().as_array().unwrap().len(),
            1
        );
        assert_eq!(world.root.get(&format!("{files}/one?ref=main")).status, 200);
        assert_eq!(world.root.get(&format!("{files}/two?ref=main")).status, 404);
    }
    let missing = page(&world, "POST", "snapshots/7/restore", Value::Null);
    assert_eq!(missing.status, 404);
    let listed = page(&world, "GET", "snapshots", Value::Null).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[test]
fn the_log_is_read_from_its_end_and_by_what_is_lacking() {
    let world = World::new();
    for path in ["version", "nonsense", "user"] {
        world.root.get(path);
    }
    let newest = page(&world, "GET", "requests?newest=1", Value::Null).json();
    assert_eq!(newest[0]["route"], "user");
    let unknown = page(&world, "GET", "requests?unknown=true", Value::Null).json();
    assert_eq!(unknown.as_array().unwrap().len(), 1);
    assert_eq!(
        page(&world, "GET", "requests?newest=x", Value::Null).status,
        400
    );
}

#[test]
fn limits_are_changed_by_name_all_or_none() {
    let world = World::new();
    let changed = page(
        &world,
        "PATCH",
        "limits",
        json!({ "notes_per_minute": 3, "rebase_delay": 20 }),
    );
    assert_eq!(changed.status, 200, "{}", changed.text);
    let refused = page(
        &world,
        "PATCH",
        "limits",
        json!({ "notes_per_minute": 4, "rebase_dealy": 20 }),
    );
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("rebase_dealy"), "{}", refused.text);
    let limits = page(&world, "GET", "limits", Value::Null).json();
    assert_eq!(limits["notes_per_minute"], 3);
    assert_eq!(limits["rebase_delay"], 20);
}

#[test]
fn reads_of_others_lag_when_they_are_told_to() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    assert_eq!(
        page(&world, "PUT", "read_lag", json!({ "milliseconds": 60_000 })).status,
        200
    );
    let name = json!({ "name": "late", "visibility": "public" });
    let project = world.root.post("projects", name).json()["id"].clone();
    let path = format!("projects/{project}");
    assert_eq!(world.root.get(&path).status, 200);
    assert_eq!(ana.get(&path).status, 404);
    page(&world, "PUT", "read_lag", json!({ "milliseconds": null }));
    assert_eq!(ana.get(&path).status, 200);
    assert_eq!(
        page(&world, "PUT", "read_lag", json!({ "ms": 1 })).status,
        400
    );
}

#[test]
fn a_browser_gets_a_page_that_holds_no_data() {
    let world = World::new();
    let shown = page(&world, "GET", "", Value::Null);
    assert_eq!(shown.status, 200);
    assert!(shown.text.starts_with("<!doctype html>"));
    assert!(!shown.text.contains(world.emulator.root_token()));
}
