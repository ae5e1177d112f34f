//! Projects: creation, lookup, settings, visibility.

use serde_json::{Value, json};

use crate::client::World;
use crate::schemas;

#[test]
fn a_new_project_is_empty_private_and_has_gitlabs_defaults() {
    let world = World::new();
    let reply = world.root.post("projects", json!({ "name": "My Shop" }));
    let project = reply.json();
    assert_eq!(reply.status, 201, "{}", reply.text);
    schemas::check("public_api/v4/project.json", &project);
    let expected = json!({
        "path": "my-shop", "path_with_namespace": "root/my-shop", "default_branch": "main", "empty_repo": true,
        "visibility": "private", "merge_method": "merge", "squash_option": "default_off", "build_timeout": 3600,
        "only_allow_merge_if_pipeline_succeeds": false, "allow_merge_on_skipped_pipeline": null,
        "auto_cancel_pending_pipelines": "enabled", "ci_forward_deployment_enabled": true, "autoclose_referenced_issues": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&project[name], value, "{name}");
    }
    let same = world.root.post("projects", json!({ "name": "My Shop" }));
    assert_eq!(
        (same.status, &same.json()["message"]["name"][0]),
        (400, &json!("has already been taken"))
    );
    let nothing = "name, path are missing, at least one parameter must be provided";
    assert_eq!(
        world.root.post("projects", json!({})).error(),
        (400, json!({ "error": nothing }))
    );
}

#[test]
fn a_project_is_found_by_number_and_encoded_path() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "G", "path": "g" }))
        .json()["id"]
        .clone();
    let sub = world
        .root
        .post(
            "groups",
            json!({ "name": "S", "path": "s", "parent_id": group }),
        )
        .json()["id"]
        .clone();
    let id = world
        .root
        .post("projects", json!({ "name": "p", "namespace_id": sub }))
        .json()["id"]
        .clone();
    let found = world.root.get("projects/g%2Fs%2Fp").json();
    assert_eq!(
        (&found["id"], &found["namespace"]["full_path"]),
        (&id, &json!("g/s"))
    );
    assert_eq!(found["name_with_namespace"], "G / S / p");
    assert_eq!(
        world.root.get("projects/g%2Fs%2Fnone").error(),
        (404, json!({ "message": "404 Project Not Found" }))
    );
}

#[test]
fn a_readme_makes_the_default_branch_and_protects_it() {
    let world = World::new();
    let body = json!({ "name": "p", "initialize_with_readme": true, "default_branch": "trunk" });
    let project = world.root.post("projects", body).json();
    assert_eq!(
        (&project["default_branch"], &project["empty_repo"]),
        (&json!("trunk"), &json!(false))
    );
    let id = project["id"].as_u64().unwrap();
    assert!(
        world
            .emulator
            .with_state(|state| state.is_protected_branch(id, "trunk"))
    );
    let text = world
        .emulator
        .repository(id)
        .file("trunk", "README.md")
        .unwrap()
        .unwrap();
    assert_eq!(text, b"# p\n");
}

#[test]
fn settings_are_edited_by_maintainers() {
    let world = World::new();
    let project = world.project("p");
    let path = format!("projects/{project}");
    let (_, developer) = world.member(project, "dev", 30);
    let (_, maintainer) = world.member(project, "mia", 40);
    let body = json!({ "merge_method": "ff", "only_allow_merge_if_pipeline_succeeds": true, "ci_pipeline_variables_minimum_override_role": "developer", "description": "d" });
    assert_eq!(developer.put(&path, body.clone()).status, 403);
    let edited = maintainer.put(&path, body).json();
    assert_eq!(
        (&edited["merge_method"], &edited["description"]),
        (&json!("ff"), &json!("d"))
    );
    assert_eq!(
        (
            &edited["only_allow_merge_if_pipeline_succeeds"],
            &edited["restrict_user_defined_variables"]
        ),
        (&json!(true), &json!(false))
    );
    let odd = maintainer.put(&path, json!({ "merge_method": "octopus" }));
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "merge_method does not have a valid value" })
        )
    );
    assert_eq!(
        maintainer
            .put(&path, json!({ "default_branch": "none" }))
            .status,
        400
    );
    assert_eq!(maintainer.delete(&path).status, 403);
    assert_eq!(
        world.root.delete(&path).error(),
        (202, json!({ "message": "202 Accepted" }))
    );
    assert_eq!(world.root.get(&path).status, 404);
}

#[test]
fn visibility_decides_what_strangers_see() {
    let world = World::new();
    for visibility in ["private", "internal", "public"] {
        world.root.post(
            "projects",
            json!({ "name": visibility, "visibility": visibility }),
        );
    }
    let (_, stranger) = world.person("sam");
    let statuses = |client: &crate::client::Client| {
        ["private", "internal", "public"]
            .map(|name| client.get(&format!("projects/root%2F{name}")).status)
    };
    assert_eq!(statuses(&stranger), [404, 200, 200]);
    assert_eq!(statuses(&world.anonymous()), [404, 404, 200]);
    let seen = stranger.get("projects/root%2Fpublic").json();
    assert!(
        seen.get("merge_method").is_none(),
        "strangers get the short form"
    );
    assert_eq!(stranger.get("projects").json().as_array().unwrap().len(), 2);
    assert_eq!(stranger.get("projects?membership=true").json(), json!([]));
    assert_eq!(
        world
            .root
            .get("projects?owned=true&order_by=name&sort=asc&simple=true")
            .json()[0]["name"],
        "internal"
    );
    assert_eq!(
        world
            .root
            .get("projects?search=publ")
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn permissions_name_the_callers_levels() {
    let world = World::new();
    let project = world.project("p");
    let (_, developer) = world.member(project, "dev", 30);
    let permissions = developer.get(&format!("projects/{project}")).json()["permissions"].clone();
    assert_eq!(
        (
            &permissions["project_access"]["access_level"],
            &permissions["group_access"]
        ),
        (&json!(30), &Value::Null)
    );
}
