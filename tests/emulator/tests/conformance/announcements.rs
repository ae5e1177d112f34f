//! What administrators say and see for everybody: announcements, appearance, statistics, applications, background jobs.

use serde_json::json;

use crate::client::World;

#[test]
fn an_announcement_lasts_an_hour_and_everybody_reads_it() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    let body = json!({ "message": "soon", "target_access_levels": [30] });
    assert_eq!(ana.post("broadcast_messages", body.clone()).status, 403);
    let made = world.root.post("broadcast_messages", body).json();
    assert_eq!(
        (&made["active"], &made["theme"]),
        (&json!(true), &json!("indigo"))
    );
    let path = format!("broadcast_messages/{}", made["id"]);
    assert_eq!(world.anonymous().get(&path).json()["message"], "soon");
    world
        .emulator
        .clock()
        .advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(ana.get("broadcast_messages").json()[0]["active"], false);
    let bad = world.root.put(&path, json!({ "color": "red" }));
    let text = json!({ "message": { "color": ["must be a valid color code"] } });
    assert_eq!(bad.error(), (400, text));
    assert_eq!(world.root.delete(&path).status, 204);
    assert_eq!(world.root.get(&path).status, 404);
}

#[test]
fn the_appearance_is_kept() {
    let world = World::new();
    let changed = world
        .root
        .put("application/appearance", json!({ "title": "Yard" }));
    assert_eq!(
        (changed.status, &changed.json()["title"]),
        (200, &json!("Yard"))
    );
    let shown = world.root.get("application/appearance").json();
    assert_eq!(
        (
            &shown["title"],
            &shown["logo"],
            &shown["message_font_color"]
        ),
        (&json!("Yard"), &json!(null), &json!("#FFFFFF"))
    );
}

#[test]
fn numbers_for_people_are_texts() {
    let world = World::new();
    world.project("shop");
    let numbers = world.root.get("application/statistics").json();
    assert_eq!(
        (&numbers["projects"], &numbers["users"]),
        (&json!("1"), &json!("1"))
    );
    let metrics = world.root.get("sidekiq/compound_metrics").json();
    assert_eq!(
        metrics["queues"]["default"],
        json!({ "backlog": 0, "latency": 0 })
    );
    assert!(metrics["processes"][0]["hostname"].is_string());
    assert!(metrics["jobs"]["processed"].is_number());
}

#[test]
fn the_secret_of_an_application_is_seen_once() {
    let world = World::new();
    let body = json!({ "name": "app", "redirect_uri": "http://x/y", "scopes": "api read_user" });
    let made = world.root.post("applications", body).json();
    assert!(made["secret"].as_str().unwrap().starts_with("gloas-"));
    let listed = world.root.get("applications").json();
    assert_eq!(listed[0]["application_name"], "app");
    assert_eq!(listed[0].get("secret"), None);
    let path = format!("applications/{}", made["id"]);
    let renewed = world.root.post(&format!("{path}/renew-secret"), json!({}));
    assert_ne!(renewed.json()["secret"], made["secret"]);
    assert_eq!(world.root.delete(&path).status, 204);
    let bad = json!({ "name": "app", "redirect_uri": "http://x/y", "scopes": "odd" });
    assert_eq!(world.root.post("applications", bad).status, 400);
}
