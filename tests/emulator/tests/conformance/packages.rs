//! The generic package registry.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::client::{Client, Reply, World, send};

fn upload(client: &Client, path: &str, content: &[u8]) -> Reply {
    let token = client.token.clone().unwrap_or_default();
    let headers = [("private-token", token.as_str())];
    send(
        &client.url,
        "PUT",
        &format!("/api/v4/{path}"),
        &headers,
        content,
    )
    .unwrap()
}

#[test]
fn a_file_is_published_listed_and_downloaded_with_its_checksum() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/packages");
    let file = format!("{path}/generic/shop/1.2.3/shop.tar.gz");
    let stored = upload(&world.root, &file, b"content");
    assert_eq!(stored.error(), (201, json!({ "message": "201 Created" })));
    let got = world.root.get(&file);
    assert_eq!((got.status, got.text.as_str()), (200, "content"));
    let sum = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
    assert_eq!(got.header("x-checksum-sha256"), Some(sum));
    let packages = world.root.get(&path).json();
    assert_eq!(
        (
            &packages[0]["name"],
            &packages[0]["version"],
            &packages[0]["package_type"]
        ),
        (&json!("shop"), &json!("1.2.3"), &json!("generic"))
    );
    let own = format!("{path}/{}", packages[0]["id"]);
    let files = world.root.get(&format!("{own}/package_files")).json();
    assert_eq!(
        (
            &files[0]["file_name"],
            &files[0]["size"],
            &files[0]["file_sha256"]
        ),
        (&json!("shop.tar.gz"), &json!(7), &json!(sum))
    );
}

#[test]
fn a_second_upload_of_a_file_is_kept_beside_the_first_and_wins() {
    let world = World::new();
    let project = world.project("shop");
    let file = format!("projects/{project}/packages/generic/shop/1.0/a.txt");
    upload(&world.root, &file, b"one");
    let second = upload(&world.root, &format!("{file}?select=package_file"), b"two");
    assert_eq!(
        (second.status, &second.json()["file_name"]),
        (200, &json!("a.txt"))
    );
    assert_eq!(world.root.get(&file).text, "two");
    let packages = world
        .root
        .get(&format!("projects/{project}/packages"))
        .json();
    assert_eq!(packages.as_array().unwrap().len(), 1);
    let own = format!("projects/{project}/packages/{}", packages[0]["id"]);
    let files = world.root.get(&format!("{own}/package_files")).json();
    assert_eq!(files.as_array().unwrap().len(), 2);
    let newest = format!("{own}/package_files/{}", files[1]["id"]);
    assert_eq!(world.root.delete(&newest).status, 204);
    assert_eq!(world.root.get(&file).text, "one");
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(world.root.get(&file).status, 404);
}

#[test]
fn names_and_versions_follow_gitlabs_rules() {
    let world = World::new();
    let project = world.project("shop");
    let error = |tail: &str| -> Value {
        let reply = upload(
            &world.root,
            &format!("projects/{project}/packages/generic/{tail}"),
            b"x",
        );
        assert_eq!(reply.status, 400, "{tail}");
        reply.json()["error"].clone()
    };
    assert_eq!(error("a%20b/1.0/a.txt"), "package_name is invalid");
    assert_eq!(error("shop/1..0/a.txt"), "package_version is invalid");
    assert_eq!(error("shop/1.0/~a.txt"), "file_name is invalid");
}

#[test]
fn roles_and_job_tokens_decide_who_publishes() {
    let world = World::new();
    let project = world.project("shop");
    let (_, reporter) = world.member(project, "rita", 20);
    let (_, guest) = world.member(project, "gus", 10);
    let file = format!("projects/{project}/packages/generic/shop/1.0/a.txt");
    assert_eq!(upload(&reporter, &file, b"x").status, 403);
    let token = world
        .emulator
        .with_state(|state| state.issue_job_token(5, "publish", 3, project, 1));
    let headers = [("job-token", token.as_str())];
    let path = format!("/api/v4/{file}");
    let by_job = send(world.emulator.url(), "PUT", &path, &headers, b"job").unwrap();
    assert_eq!(by_job.status, 201, "{}", by_job.text);
    assert_eq!(reporter.get(&file).text, "job");
    assert_eq!(guest.get(&file).status, 403);
    assert_eq!(world.anonymous().get(&file).status, 404);
}

#[test]
fn a_package_names_the_pipeline_that_published_it() {
    let ci = CiWorld::new("publish:\n  script: [echo]\n");
    let (world, project) = (&ci.world, ci.project);
    let job = world.root.get(&format!("projects/{project}/jobs")).json()[0].clone();
    let (id, pipeline) = (&job["id"], &job["pipeline"]["id"]);
    let (id, number) = (id.as_u64().unwrap(), pipeline.as_u64().unwrap());
    let token = world
        .emulator
        .with_state(|state| state.issue_job_token(id, "publish", number, project, 1));
    let path = format!("/api/v4/projects/{project}/packages/generic/shop/1.0/a.txt");
    let headers = [("job-token", token.as_str())];
    send(world.emulator.url(), "PUT", &path, &headers, b"x").unwrap();
    let packages = world
        .root
        .get(&format!("projects/{project}/packages"))
        .json();
    assert_eq!(&packages[0]["pipeline"]["id"], pipeline);
    assert_eq!(packages[0]["pipeline"]["user"]["username"], "root");
    let files = format!(
        "projects/{project}/packages/{}/package_files",
        packages[0]["id"]
    );
    assert_eq!(
        &world.root.get(&files).json()[0]["pipelines"][0]["id"],
        pipeline
    );
}
