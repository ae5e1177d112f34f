//! GraphQL: what is there answers as GitLab does, what is not is an error that names it.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::client::{Client, send};

/// Asks a query; the answer is always `200`.
pub(crate) fn ask(client: &Client, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let mut headers = vec![("content-type", "application/json")];
    if let Some(token) = &client.token {
        headers.push(("private-token", token.as_str()));
    }
    let reply = send(
        &client.url,
        "POST",
        "/api/graphql",
        &headers,
        body.as_bytes(),
    )
    .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[test]
fn one_query_reads_a_merge_request_with_its_pipelines_and_jobs() {
    let ci = CiWorld::new(
        "
stages: [a, b]
build: { stage: a, script: [echo] }
gate: { stage: a, script: [echo], when: manual, allow_failure: false }
soon: { stage: b, script: [echo], when: delayed, start_in: 1 day }
",
    );
    let head = ci.push("feature", &[("f.txt", "1")]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "T" });
    assert_eq!(
        ci.world.root.post(&ci.path("merge_requests"), body).status,
        201
    );
    assert_eq!(
        ci.world
            .root
            .post(
                &ci.path("merge_requests/1/notes"),
                json!({ "body": "hello" })
            )
            .status,
        201
    );
    let query = "
query Gate($path: ID!, $iid: String!) {
  currentUser { id username name }
  project(fullPath: $path) {
    id fullPath
    mergeRequest(iid: $iid) {
      iid title state diffHeadSha
      notes(first: 10, filter: ONLY_COMMENTS) { nodes { id body system author { username } } }
      headPipeline { iid status }
      pipelines(first: 1) { nodes { id iid sha status user { username }
        jobs(first: 2, retried: false) { count pageInfo { hasNextPage endCursor } nodes { id name status manualJob allowFailure retried startedAt finishedAt createdAt stage { name } } }
        manual: jobs(statuses: [MANUAL]) { nodes { name } } } }
    }
  }
}";
    let answer = ask(
        &ci.world.root,
        query,
        json!({ "path": "root/shop", "iid": "1" }),
    );
    let data = &answer["data"];
    assert_eq!(
        data["currentUser"],
        json!({ "id": "gid://gitlab/User/1", "username": "root", "name": "Administrator" }),
        "{answer}"
    );
    let request = &data["project"]["mergeRequest"];
    assert_eq!(
        (&request["state"], &request["diffHeadSha"]),
        (&json!("opened"), &json!(head))
    );
    assert_eq!(request["notes"]["nodes"][0]["body"], "hello");
    let pipeline = &request["pipelines"]["nodes"][0];
    assert_eq!(
        (&pipeline["status"], &pipeline["sha"]),
        (&json!("RUNNING"), &json!(head))
    );
    let jobs = &pipeline["jobs"];
    assert_eq!(
        (&jobs["count"], &jobs["pageInfo"]["hasNextPage"]),
        (&json!(3), &json!(true))
    );
    let flags: Vec<(&str, &Value)> = jobs["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (job["name"].as_str().unwrap(), &job["manualJob"]))
        .collect();
    assert_eq!(flags, [("soon", &json!(true)), ("gate", &json!(true))]);
    assert!(
        jobs["nodes"][0]["id"]
            .as_str()
            .unwrap()
            .starts_with("gid://gitlab/Ci::Build/")
    );
    assert_eq!(pipeline["manual"]["nodes"], json!([{ "name": "gate" }]));
}

#[test]
fn what_is_not_there_is_an_error_by_name_and_listed() {
    let ci = CiWorld::new("build: { script: [echo] }");
    let error = |query: &str| ask(&ci.world.root, query, json!({}))["errors"][0].clone();
    let field = error(
        "{ project(fullPath: \"root/shop\") { pipeline(iid: 1) { jobs { nodes { user { id } } } } } }",
    );
    assert_eq!(
        field,
        json!({
            "message": "Field 'user' doesn't exist on type 'CiJob'",
            "locations": [{ "line": 1, "column": 70 }],
            "path": ["query", "project", "pipeline", "jobs", "nodes", "user"],
            "extensions": { "code": "undefinedField", "typeName": "CiJob", "fieldName": "user" },
        })
    );
    let argument = error("query Q { project(path: \"x\", fullPath: \"x\") { id } }");
    assert_eq!(
        argument,
        json!({
            "message": "Field 'project' doesn't accept argument 'path'",
            "locations": [{ "line": 1, "column": 19 }],
            "path": ["query Q", "project", "path"],
            "extensions": { "code": "argumentNotAccepted", "name": "project", "typeName": "Field", "argumentName": "path" },
        })
    );
    assert_eq!(
        error("mutation { x }")["message"],
        "Field 'x' doesn't exist on type 'Mutation'"
    );
    assert_eq!(ci.world.emulator.unknown_requests().len(), 3);
    let missing = ask(
        &ci.world.root,
        "{ project(fullPath: \"root/none\") { id } }",
        json!({}),
    );
    assert_eq!(missing, json!({ "data": { "project": null } }));
}

#[test]
fn strangers_and_job_tokens_see_nothing() {
    let ci = CiWorld::new("job: { script: [echo] }");
    let query = "{ currentUser { id } project(fullPath: \"root/shop\") { id } }";
    let nobody = json!({ "data": { "currentUser": null, "project": null } });
    let invalid = json!({ "errors": [{ "message": "Invalid token" }] });
    assert_eq!(ask(&ci.world.anonymous(), query, json!({})), nobody);
    let token = ci
        .world
        .emulator
        .with_state(|state| state.issue_job_token(1, "job", 1, ci.project, 1));
    let body = json!({ "query": query }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("job-token", token.as_str()),
    ];
    let reply = send(
        &ci.world.root.url,
        "POST",
        "/api/graphql",
        &headers,
        body.as_bytes(),
    )
    .unwrap();
    assert_eq!(reply.json(), nobody);
    let headers = [
        ("content-type", "application/json"),
        ("private-token", token.as_str()),
    ];
    let reply = send(
        &ci.world.root.url,
        "POST",
        "/api/graphql",
        &headers,
        body.as_bytes(),
    )
    .unwrap();
    assert_eq!((reply.status, reply.json()), (401, invalid));
}
