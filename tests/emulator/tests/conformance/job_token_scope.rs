//! The job token scope: which projects' jobs may call a project.

use serde_json::{Value, json};

use crate::client::{World, send};

fn status_for_job_of(world: &World, home: u64, project: u64) -> u16 {
    let token = world
        .emulator
        .with_state(|state| state.issue_job_token(5, "gate", 3, home, 1));
    let path = format!("/api/v4/projects/{project}/environments");
    send(
        world.emulator.url(),
        "GET",
        &path,
        &[("job-token", &token)],
        b"",
    )
    .unwrap()
    .status
}

#[test]
fn other_projects_jobs_are_let_in_by_the_allowlist() {
    let world = World::new();
    let (shop, tools) = (world.project("shop"), world.project("tools"));
    let path = format!("projects/{shop}/job_token_scope/allowlist");
    assert_eq!(status_for_job_of(&world, shop, shop), 200);
    assert_eq!(status_for_job_of(&world, tools, shop), 403);
    let body = json!({ "target_project_id": tools });
    assert_eq!(
        world.root.post(&path, body.clone()).error(),
        (
            201,
            json!({ "source_project_id": shop, "target_project_id": tools })
        )
    );
    assert_eq!(world.root.post(&path, body).status, 400);
    assert_eq!(status_for_job_of(&world, tools, shop), 200);
    let listed = world.root.get(&path).json();
    let ids: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(ids, [&json!(shop), &json!(tools)]);
    assert_eq!(world.root.delete(&format!("{path}/{tools}")).status, 204);
    assert_eq!(world.root.delete(&format!("{path}/{tools}")).status, 400);
    assert_eq!(status_for_job_of(&world, tools, shop), 403);
}

#[test]
fn groups_are_let_in_with_their_projects() {
    let world = World::new();
    let shop = world.project("shop");
    let group = world
        .root
        .post("groups", json!({ "name": "G", "path": "g" }))
        .json()["id"]
        .clone();
    let tools = world
        .root
        .post(
            "projects",
            json!({ "name": "tools", "namespace_id": group }),
        )
        .json()["id"]
        .as_u64()
        .unwrap();
    let path = format!("projects/{shop}/job_token_scope/groups_allowlist");
    let added = world.root.post(&path, json!({ "target_group_id": group }));
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(status_for_job_of(&world, tools, shop), 200);
    assert_eq!(world.root.get(&path).json()[0]["name"], "G");
    assert_eq!(world.root.delete(&format!("{path}/{group}")).status, 204);
    assert_eq!(status_for_job_of(&world, tools, shop), 403);
}

#[test]
fn the_limit_can_be_lifted_by_maintainers() {
    let world = World::new();
    let (shop, tools) = (world.project("shop"), world.project("tools"));
    let path = format!("projects/{shop}/job_token_scope");
    let (_, developer) = world.member(shop, "dev", 30);
    let off = json!({ "enabled": false });
    assert_eq!(developer.call("PATCH", &path, Some(&off)).status, 403);
    assert_eq!(world.root.call("PATCH", &path, Some(&off)).status, 204);
    // The instance leaves projects no choice until an administrator lets them.
    assert_eq!(world.root.get(&path).json()["inbound_enabled"], true);
    assert_eq!(status_for_job_of(&world, tools, shop), 403);
    let free = json!({ "enforce_ci_inbound_job_token_scope_enabled": false });
    assert_eq!(world.root.put("application/settings", free).status, 200);
    assert_eq!(
        world.root.get(&path).json(),
        json!({ "inbound_enabled": false, "outbound_enabled": false })
    );
    assert_eq!(status_for_job_of(&world, tools, shop), 200);
}
