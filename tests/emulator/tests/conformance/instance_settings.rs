//! Settings and variables of the whole instance.

use serde_json::json;

use crate::client::World;

#[test]
fn settings_are_kept_and_shown_to_administrators_alone() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    assert_eq!(ana.get("application/settings").status, 403);
    let before = world.root.get("application/settings").json();
    assert_eq!(
        (&before["signup_enabled"], &before["default_projects_limit"]),
        (&json!(true), &json!(100_000))
    );
    let change = json!({
        "signup_enabled": "false",
        "default_projects_limit": 42,
        "restricted_visibility_levels": ["public"],
        "home_page_url": "http://x",
    });
    let after = world.root.put("application/settings", change).json();
    assert_eq!(
        [
            &after["signup_enabled"],
            &after["default_projects_limit"],
            &after["restricted_visibility_levels"],
            &after["home_page_url"],
        ],
        [
            &json!(false),
            &json!(42),
            &json!(["public"]),
            &json!("http://x")
        ]
    );
    let bad = world.root.put(
        "application/settings",
        json!({ "default_project_visibility": "secret" }),
    );
    assert_eq!(bad.status, 400);
}

#[test]
fn new_projects_follow_the_defaults() {
    let world = World::new();
    let change = json!({ "default_project_visibility": "public", "default_branch_name": "trunk" });
    world.root.put("application/settings", change);
    let made = world.root.post(
        "projects",
        json!({ "name": "shop", "initialize_with_readme": true }),
    );
    assert_eq!(made.json()["visibility"], "public");
    assert_eq!(made.json()["default_branch"], "trunk");
}

#[test]
fn the_limit_on_requests_can_be_set_here_too() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    world.root.put(
        "application/settings",
        json!({
            "throttle_authenticated_api_enabled": true,
            "throttle_authenticated_api_requests_per_period": 1,
            "throttle_authenticated_api_period_in_seconds": 3600,
        }),
    );
    assert_eq!([ana.get("user").status, ana.get("user").status], [200, 429]);
    assert_eq!(world.anonymous().get("projects").status, 200);
}

#[test]
fn variables_of_the_instance_have_no_scope_and_their_own_limits() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    assert_eq!(ana.get("admin/ci/variables").status, 403);
    let made = world
        .root
        .post("admin/ci/variables", json!({ "key": "A", "value": "1" }));
    let entity = json!({
        "variable_type": "env_var",
        "key": "A",
        "value": "1",
        "protected": false,
        "masked": false,
        "raw": false,
        "description": null,
    });
    assert_eq!(made.error(), (201, entity));
    let long = "x".repeat(10_001);
    let refused = world
        .root
        .post("admin/ci/variables", json!({ "key": "B", "value": long }));
    let text = "The value of the provided variable exceeds the 10000 character limit";
    assert_eq!(
        refused.error(),
        (400, json!({ "message": { "value": [text] } }))
    );
    for number in 1..25 {
        let body = json!({ "key": format!("V{number}"), "value": "" });
        assert_eq!(world.root.post("admin/ci/variables", body).status, 201);
    }
    let full = world
        .root
        .post("admin/ci/variables", json!({ "key": "Z", "value": "" }));
    let text = "Maximum number of ci instance level variables (25) exceeded";
    assert_eq!(
        full.error(),
        (400, json!({ "message": { "base": [text] } }))
    );
    assert_eq!(world.root.delete("admin/ci/variables/A").status, 204);
    assert_eq!(world.root.get("admin/ci/variables/A").status, 404);
}
