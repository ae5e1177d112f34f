//! Environments and deployments, with tokens of people and of jobs.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::client::{Reply, World, send};
use crate::schemas;

fn with_readme(world: &World) -> u64 {
    let body = json!({ "name": "shop", "initialize_with_readme": true });
    let reply = world.root.post("projects", body);
    reply.json()["id"].as_u64().unwrap()
}

fn deploy(world: &World, project: u64, environment: &str, status: &str) -> Reply {
    let body = json!({ "environment": environment, "sha": "main", "ref": "main", "tag": false, "status": status });
    world
        .root
        .post(&format!("projects/{project}/deployments"), body)
}

#[test]
fn an_environment_gets_slug_and_tier_from_its_name() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/environments");
    let made = world.root.post(
        &path,
        json!({ "name": "production", "external_url": "https://shop.example" }),
    );
    let environment = made.json();
    assert_eq!(made.status, 201, "{}", made.text);
    schemas::check("public_api/v4/environment.json", &environment);
    assert_eq!(
        (
            &environment["slug"],
            &environment["tier"],
            &environment["state"]
        ),
        (
            &json!("production"),
            &json!("production"),
            &json!("available")
        )
    );
    let same = world.root.post(&path, json!({ "name": "production" }));
    let taken = json!({ "message": { "name": ["has already been taken"], "slug": ["has already been taken"] } });
    assert_eq!(same.error(), (400, taken));
    let odd = world.root.post(&path, json!({ "name": "a?b" }));
    assert_eq!(
        (odd.status, odd.json()["message"]["name"].is_array()),
        (400, true)
    );
    let (_, reporter) = world.member(project, "rita", 20);
    assert_eq!(reporter.post(&path, json!({ "name": "x" })).status, 403);
    assert_eq!(reporter.get(&path).status, 200);
}

#[test]
fn environments_are_listed_by_name_search_and_state() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/environments");
    for name in ["review/one", "review/two", "nrt"] {
        world.root.post(&path, json!({ "name": name }));
    }
    let names = |query: &str| -> Vec<Value> {
        let list = world.root.get(&format!("{path}?{query}")).json();
        let rows = list.as_array().unwrap();
        rows.iter().map(|row| row["name"].clone()).collect()
    };
    let id = world.root.get(&format!("{path}?name=nrt")).json()[0]["id"].clone();
    let stopped = world
        .root
        .post(&format!("{path}/{id}/stop"), json!({ "force": true }));
    assert_eq!(
        (stopped.status, &stopped.json()["state"]),
        (200, &json!("stopped"))
    );
    assert_eq!(names("search=review"), ["review/one", "review/two"]);
    assert_eq!(names("states=stopped"), ["nrt"]);
    assert_eq!(names("name=nr"), [] as [Value; 0]);
    let both = world.root.get(&format!("{path}?name=nrt&search=nrt"));
    let text = "name, search cannot be used together";
    assert_eq!(both.error(), (400, json!({ "error": text })));
    let short = world.root.get(&format!("{path}?search=nr"));
    let text = "400 Bad request - Search query is less than 3 characters";
    assert_eq!(short.error(), (400, json!({ "message": text })));
}

#[test]
fn an_environment_is_edited_stopped_and_only_then_deleted() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/environments");
    let made = world.root.post(&path, json!({ "name": "nrt" })).json();
    let own = format!("{path}/{}", made["id"]);
    let edited = world
        .root
        .put(
            &own,
            json!({ "external_url": "https://nrt.example", "tier": "testing" }),
        )
        .json();
    assert_eq!(
        (&edited["external_url"], &edited["tier"]),
        (&json!("https://nrt.example"), &json!("testing"))
    );
    assert_eq!(world.root.delete(&own).status, 403);
    world.root.post(&format!("{own}/stop"), json!({}));
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(world.root.get(&own).status, 404);
}

#[test]
fn a_deployment_makes_its_environment_and_becomes_its_last_one() {
    let world = World::new();
    let project = with_readme(&world);
    let made = deploy(&world, project, "nrt", "running");
    let deployment = made.json();
    assert_eq!(made.status, 201, "{}", made.text);
    schemas::check("public_api/v4/deployment.json", &deployment);
    assert_eq!(deployment["sha"].as_str().unwrap().len(), 40);
    let environment = format!(
        "projects/{project}/environments/{}",
        deployment["environment"]["id"]
    );
    assert_eq!(
        world.root.get(&environment).json()["last_deployment"],
        Value::Null
    );
    let own = format!("projects/{project}/deployments/{}", deployment["id"]);
    let done = world.root.put(&own, json!({ "status": "success" }));
    assert_eq!(
        (done.status, &done.json()["status"]),
        (200, &json!("success"))
    );
    let shown = world.root.get(&environment).json();
    schemas::check("public_api/v4/environment.json", &shown);
    assert_eq!(shown["last_deployment"]["id"], deployment["id"]);
    let again = world.root.put(&own, json!({ "status": "running" }));
    let text = "cannot transition via \"run\"";
    assert_eq!(
        again.error(),
        (400, json!({ "message": { "status": [text] } }))
    );
}

#[test]
fn a_deployment_needs_a_ref_and_a_commit_that_exist() {
    let world = World::new();
    let project = with_readme(&world);
    let path = format!("projects/{project}/deployments");
    let body = json!({ "environment": "nrt", "sha": "main", "ref": "gone", "tag": false, "status": "running" });
    let text = "The branch or tag does not exist";
    assert_eq!(
        world.root.post(&path, body).error(),
        (400, json!({ "message": { "ref": [text] } }))
    );
    let missing = "sha is missing, ref is missing, tag is missing, status is missing";
    assert_eq!(
        world
            .root
            .post(&path, json!({ "environment": "nrt" }))
            .error(),
        (400, json!({ "error": missing }))
    );
}

#[test]
fn deployments_of_jobs_are_not_changed_through_the_api() {
    let ci = CiWorld::new("deploy:\n  script: [echo]\n");
    let (world, project) = (&ci.world, ci.project);
    let jobs = world.root.get(&format!("projects/{project}/jobs")).json();
    let job = jobs[0]["id"].as_u64().unwrap();
    let id = deploy(world, project, "nrt", "running").json()["id"]
        .as_u64()
        .unwrap();
    world.emulator.with_state(|state| {
        state.deployments.get_mut(id).unwrap().job_id = Some(job);
    });
    let own = format!("projects/{project}/deployments/{id}");
    let shown = world.root.get(&own).json();
    schemas::check("public_api/v4/deployment.json", &shown);
    assert_eq!(shown["deployable"]["name"], "deploy");
    let text =
        "403 Forbidden - Deployments created using GitLab CI can not be updated using the API";
    assert_eq!(
        world.root.put(&own, json!({ "status": "success" })).error(),
        (403, json!({ "message": text }))
    );
}

#[test]
fn a_deployment_that_runs_or_is_the_last_one_is_not_deleted() {
    let world = World::new();
    let project = with_readme(&world);
    let path = format!("projects/{project}/deployments");
    let ids: Vec<Value> = ["success", "success", "running"]
        .map(|status| deploy(&world, project, "nrt", status).json()["id"].clone())
        .to_vec();
    let deleted = |id: &Value| world.root.delete(&format!("{path}/{id}"));
    assert_eq!(deleted(&ids[0]).status, 204);
    assert_eq!(
        deleted(&ids[1]).error(),
        (
            400,
            json!({ "message": "Deployment currently deployed to environment" })
        )
    );
    assert_eq!(
        deleted(&ids[2]).error(),
        (
            400,
            json!({ "message": "Cannot destroy running deployment" })
        )
    );
}

#[test]
fn deployments_are_filtered_and_ordered_and_odd_combinations_refused() {
    let world = World::new();
    let project = with_readme(&world);
    let path = format!("projects/{project}/deployments");
    for (environment, status) in [("nrt", "success"), ("prod", "failed"), ("nrt", "running")] {
        deploy(&world, project, environment, status);
    }
    let iids = |query: &str| -> Vec<u64> {
        let list = world.root.get(&format!("{path}?{query}")).json();
        let rows = list.as_array().unwrap_or_else(|| panic!("{list}"));
        rows.iter()
            .map(|row| row["iid"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(iids("environment=nrt"), [1, 3]);
    assert_eq!(iids("status=failed&sort=desc"), [2]);
    assert_eq!(iids("sort=desc"), [3, 2, 1]);
    assert_eq!(
        iids("updated_after=2020-01-01&order_by=updated_at").len(),
        3
    );
    let odd = world.root.get(&format!("{path}?updated_after=2020-01-01"));
    let text = "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired";
    assert_eq!(odd.error(), (400, json!({ "message": text })));
}

#[test]
fn a_job_records_its_deployment_with_its_own_token() {
    let world = World::new();
    let project = with_readme(&world);
    let token = world
        .emulator
        .with_state(|state| state.issue_job_token(5, "nrt", 3, project, 1));
    let body = json!({ "environment": "nrt", "sha": "main", "ref": "main", "tag": false, "status": "running" });
    let reply = send(
        world.emulator.url(),
        "POST",
        &format!("/api/v4/projects/{project}/deployments"),
        &[("job-token", &token), ("content-type", "application/json")],
        body.to_string().as_bytes(),
    )
    .unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.json()["user"]["username"], "root");
    assert_eq!(reply.json()["deployable"], Value::Null);
}

#[test]
fn a_deployment_knows_the_merge_requests_it_shipped_first() {
    let world = World::new();
    let project = with_readme(&world);
    let merge = |branch: &str| {
        let path = format!("projects/{project}");
        let action = json!({ "action": "create", "file_path": branch, "content": "x" });
        let commit = json!({ "branch": branch, "start_branch": "main", "commit_message": branch, "actions": [action] });
        let made = world
            .root
            .post(&format!("{path}/repository/commits"), commit);
        assert_eq!(made.status, 201, "{}", made.text);
        let body = json!({ "source_branch": branch, "target_branch": "main", "title": branch });
        let iid = world
            .root
            .post(&format!("{path}/merge_requests"), body)
            .json()["iid"]
            .clone();
        world.emulator.settle();
        let merged = world
            .root
            .put(&format!("{path}/merge_requests/{iid}/merge"), json!({}));
        assert_eq!(merged.status, 200, "{}", merged.text);
    };
    let titles = |deployment: &Value| -> Vec<Value> {
        let path = format!(
            "projects/{project}/deployments/{}/merge_requests",
            deployment["id"]
        );
        let list = world.root.get(&path).json();
        let rows = list.as_array().unwrap_or_else(|| panic!("{list}"));
        rows.iter().map(|row| row["title"].clone()).collect()
    };
    merge("one");
    let first = deploy(&world, project, "nrt", "success").json();
    merge("two");
    merge("three");
    let failed = deploy(&world, project, "nrt", "failed").json();
    let second = deploy(&world, project, "nrt", "success").json();
    assert_eq!(titles(&first), ["one"]);
    assert_eq!(titles(&failed), [] as [Value; 0]);
    assert_eq!(titles(&second), ["three", "two"]);
}
