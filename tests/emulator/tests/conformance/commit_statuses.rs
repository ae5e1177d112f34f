//! Commit statuses: jobs of other systems, in a pipeline that is there or in one of their own.

use serde_json::json;

use crate::ci_world::CiWorld;

#[test]
fn a_status_without_a_pipeline_makes_an_external_one() {
    let ci = CiWorld::empty();
    let sha = ci.push("main", &[("a.txt", "1")]);
    let root = &ci.world.root;
    let post = |body| root.post(&ci.path(&format!("statuses/{sha}")), body);
    let made = post(
        json!({ "state": "running", "name": "nrt", "target_url": "http://x/1", "description": "d" }),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    let status = made.json();
    assert_eq!(
        (
            &status["status"],
            &status["ref"],
            &status["author"]["username"]
        ),
        (&json!("running"), &json!("main"), &json!("root"))
    );
    let pipeline = status["pipeline_id"].as_u64().unwrap();
    let detail = ci.pipeline(pipeline);
    assert_eq!(
        (&detail["source"], &detail["status"]),
        (&json!("external"), &json!("running"))
    );
    let twice = post(json!({ "state": "running", "name": "nrt" }));
    assert_eq!(
        twice.error(),
        (
            400,
            json!({ "message": "Cannot transition status via :run from :running (Reason(s): Status cannot transition via \"run\")" })
        )
    );
    let done = post(json!({ "state": "success", "name": "nrt" })).json();
    assert_eq!(
        (&done["id"], &done["target_url"]),
        (&status["id"], &json!("http://x/1"))
    );
    assert_eq!(ci.status(pipeline), "success");
    let anew = post(json!({ "state": "pending", "context": "nrt" })).json();
    assert_ne!(anew["id"], status["id"]);
    assert_eq!(ci.status(pipeline), "pending");
    let list = |query: &str| {
        root.get(&ci.path(&format!("repository/commits/{sha}/statuses{query}")))
            .json()
    };
    assert_eq!(list("").as_array().unwrap().len(), 1);
    assert_eq!(list("?all=true").as_array().unwrap().len(), 2);
}

#[test]
fn a_status_joins_the_pipeline_it_names_and_holds_it() {
    let ci = CiWorld::new("job: { script: [echo] }");
    let sha = ci.git(&["rev-parse", "HEAD"]);
    let pipeline = ci.latest();
    let root = &ci.world.root;
    let post = |sha: &str, body| root.post(&ci.path(&format!("statuses/{sha}")), body);
    ci.must("job");
    assert_eq!(
        post(&sha, json!({ "state": "pending", "pipeline_id": pipeline })).json()["pipeline_id"],
        json!(pipeline)
    );
    assert_eq!(ci.status(pipeline), "running");
    assert_eq!(
        post(&sha, json!({ "state": "failed", "pipeline_id": pipeline })).status,
        201
    );
    assert_eq!(ci.status(pipeline), "failed");
    let wrong = post(
        &sha,
        json!({ "state": "failed", "pipeline_id": pipeline, "ref": "odd" }),
    );
    assert_eq!(
        wrong.error(),
        (
            404,
            json!({ "message": "404 Pipeline for pipeline_id, sha and ref Not Found" })
        )
    );
    let gone = post(&"0".repeat(40), json!({ "state": "failed" }));
    assert_eq!(
        gone.error(),
        (404, json!({ "message": "404 Commit Not Found" }))
    );
    let (_, dev) = ci.world.member(ci.project, "dev", 30);
    let denied = dev.post(
        &ci.path(&format!("statuses/{sha}")),
        json!({ "state": "failed" }),
    );
    assert_eq!(denied.error(), (403, json!({ "message": "403 Forbidden" })));
}

#[test]
fn the_linter_answers_with_errors_and_jobs() {
    let ci = CiWorld::new("job: { script: [echo] }");
    let lint = |body| ci.world.root.post(&ci.path("ci/lint"), body).json();
    let good = lint(
        json!({ "content": "include: .gitlab-ci.yml\nother: { script: [echo], when: manual }", "include_jobs": true }),
    );
    assert_eq!(
        (&good["valid"], good["jobs"].as_array().map(Vec::len)),
        (&json!(true), Some(2)),
        "{good}"
    );
    assert_eq!(good["includes"][0]["location"], ".gitlab-ci.yml");
    let bad = lint(json!({ "content": "job: { scrip: 1 }" }));
    assert_eq!(bad["valid"], json!(false));
    let own = ci.world.root.get(&ci.path("ci/lint?dry_run=true")).json();
    assert_eq!(own["valid"], json!(true), "{own}");
    let before = ci.pipeline(ci.latest())["iid"].as_u64().unwrap();
    ci.world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "main" }));
    assert_eq!(ci.pipeline(ci.latest())["iid"], json!(before + 1));
}
