//! What a running job may ask with its token, and what it may not.

use serde_json::json;

use crate::ci_world::CiWorld;
use crate::client::{Reply, send};
use crate::schemas;

#[test]
fn a_job_token_opens_the_documented_routes_and_no_others() {
    let ci = CiWorld::new("make: { script: [echo x > a.txt], artifacts: { paths: [a.txt] } }");
    let done = ci.must("make");
    let pipeline = ci.latest();
    let token = ci
        .world
        .emulator
        .with_state(|state| state.issue_job_token(done.id, "make", pipeline, ci.project, 1));
    let call = |method: &str, path: &str, body: &str| -> Reply {
        let headers = [
            ("job-token", token.as_str()),
            ("content-type", "application/json"),
        ];
        send(
            &ci.world.root.url,
            method,
            &format!("/api/v4/{path}"),
            &headers,
            body.as_bytes(),
        )
        .unwrap()
    };
    let own = call("GET", "job", "");
    assert_eq!((own.status, &own.json()["id"]), (200, &json!(done.id)));
    schemas::check("public_api/v4/job.json", &own.json());
    let project = |tail: &str| ci.path(tail);
    let job = |tail: &str| ci.path(&format!("jobs/{}{tail}", done.id));
    for path in [
        job("/artifacts"),
        job("/artifacts/a.txt"),
        project("jobs/artifacts/main/raw/a.txt?job=make"),
    ] {
        assert_eq!(call("GET", &path, "").status, 200, "{path}");
    }
    let named = project(&format!("pipelines/{pipeline}/metadata"));
    assert_eq!(call("PUT", &named, "{\"name\":\"n\"}").status, 200);
    // Elsewhere it is as good as none: 401 where somebody must be signed in, 404 for a private project's things.
    for (method, path, status) in [
        ("GET", project("pipelines"), 404),
        ("GET", project(&format!("pipelines/{pipeline}/jobs")), 404),
        ("GET", project("jobs"), 401),
        ("GET", job("/trace"), 401),
        ("POST", job("/play"), 401),
        ("POST", job("/retry"), 401),
        ("POST", project("pipeline"), 401),
        ("GET", project("resource_groups"), 401),
        ("GET", project("triggers"), 401),
        ("POST", project("statuses/main"), 401),
        ("GET", project("variables"), 401),
    ] {
        assert_eq!(call(method, &path, "{}").status, status, "{method} {path}");
    }
    let personal = send(
        &ci.world.root.url,
        "GET",
        "/api/v4/job",
        &[("private-token", ci.world.emulator.root_token())],
        b"",
    )
    .unwrap();
    assert_eq!(personal.status, 404);
    assert_eq!(ci.world.anonymous().get("job").status, 401);
}
