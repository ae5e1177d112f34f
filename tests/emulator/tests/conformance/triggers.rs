//! Trigger tokens and schedules.

use serde_json::json;

use crate::ci_world::CiWorld;
use crate::client::send;

const SHOW: &str = "
spec: { inputs: { size: { default: small }, count: { type: number, default: 1 } } }
---
job: { script: ['echo who=$GITLAB_USER_LOGIN a=$A size=$[[ inputs.size ]] n=$[[ inputs.count ]] t=$CI_PIPELINE_TRIGGERED', 'test -z \"$TRIGGER_PAYLOAD\" || cat $TRIGGER_PAYLOAD'] }
";

#[test]
fn a_trigger_token_starts_a_pipeline_as_its_owner_in_every_encoding() {
    let ci = CiWorld::new(SHOW);
    ci.must("job");
    let (_, ana) = ci.world.member(ci.project, "ana", 40);
    let made = ana.post(&ci.path("triggers"), json!({ "description": "gate" }));
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let url = &ci.world.root.url;
    let path = format!("/api/v4/projects/{}/trigger/pipeline", ci.project);
    let form = format!(
        "token={token}&ref=main&variables%5BA%5D=1&inputs%5Bsize%5D=big&inputs%5Bcount%5D=2"
    );
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let reply = send(url, "POST", &path, &[kind], form.as_bytes()).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(
        (&reply.json()["source"], &reply.json()["user"]["username"]),
        (&json!("trigger"), &json!("ana"))
    );
    let trace = ci.must("job").trace;
    assert!(trace.contains("who=ana a=1 size=big n=2 t=true"), "{trace}");
    assert!(
        trace.contains("\"ref\":\"main\"") && !trace.contains(&token),
        "{trace}"
    );

    let body = json!({ "token": token, "ref": "main", "variables": { "A": "json" }, "inputs": { "count": 3 } });
    let reply = ci
        .world
        .anonymous()
        .post(&ci.path("trigger/pipeline"), body);
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert!(ci.must("job").trace.contains("a=json size=small n=3"));

    let part = |name: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = [
        part("token", &token),
        part("ref", "main"),
        part("variables[A]", "multi"),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let kind = ("content-type", "multipart/form-data; boundary=b");
    let reply = send(url, "POST", &path, &[kind], multipart.as_bytes()).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert!(ci.must("job").trace.contains("a=multi"));
    let seen = ci.world.root.get(&ci.path("triggers")).json();
    assert_eq!(seen[0]["token"].as_str().unwrap().len(), 4);
    assert!(seen[0]["last_used"].is_string());
}

#[test]
fn triggers_refuse_as_gitlab_does() {
    let ci = CiWorld::new(SHOW);
    let made = ci
        .world
        .root
        .post(&ci.path("triggers"), json!({ "description": "x" }))
        .json();
    let token = made["token"].clone();
    let anonymous = ci.world.anonymous();
    let call = |body| anonymous.post(&ci.path("trigger/pipeline"), body).error();
    assert_eq!(
        call(json!({ "token": "odd", "ref": "main" })),
        (404, json!({ "message": "404 Not Found" }))
    );
    assert_eq!(
        call(json!({ "token": token, "ref": "gone" })),
        (
            400,
            json!({ "message": { "base": ["Reference not found"] } })
        )
    );
    assert_eq!(
        call(json!({ "token": token, "ref": "main", "variables": { "A": ["x"] } })),
        (
            400,
            json!({ "message": "variables needs to be a map of key-valued strings" })
        )
    );
    assert_eq!(
        call(json!({ "ref": "main" })),
        (400, json!({ "error": "token is missing" }))
    );
    assert_eq!(
        call(json!({ "token": token, "ref": "main", "inputs": { "nope": "1" } })).0,
        422
    );
    let set = ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "ci_pipeline_variables_minimum_override_role": "no_one_allowed" }),
    );
    assert_eq!(set.status, 200);
    assert_eq!(
        call(json!({ "token": token, "ref": "main", "variables": { "A": "1" } })),
        (
            400,
            json!({ "message": { "base": ["Insufficient permissions to set pipeline variables"] } })
        )
    );
    let without = anonymous.post(
        &ci.path("trigger/pipeline"),
        json!({ "token": token, "ref": "main" }),
    );
    assert_eq!(without.status, 201, "{}", without.text);
    let (_, dev) = ci.world.member(ci.project, "dev", 30);
    assert_eq!(dev.get(&ci.path("triggers")).status, 403);
    let id = made["id"].as_u64().unwrap();
    assert_eq!(
        ci.world
            .root
            .delete(&ci.path(&format!("triggers/{id}")))
            .status,
        204
    );
    assert_eq!(call(json!({ "token": token, "ref": "main" })).0, 404);
}

#[test]
fn a_job_token_triggers_a_downstream_pipeline_as_the_jobs_user() {
    let ci = CiWorld::new(
        "
job:
  rules: [{ if: $CI_PIPELINE_SOURCE == 'push' }]
  script: [echo $CI_JOB_TOKEN > t]
  artifacts: { paths: [t] }
down: { rules: [{ if: $CI_PIPELINE_SOURCE == 'pipeline' }], script: [echo down] }
",
    );
    let assignment = ci
        .world
        .emulator
        .with_state(|state| state.issue_job_token(ci_job(state), "job", 1, ci.project, 1));
    let body = json!({ "token": assignment, "ref": "main" });
    let reply = ci
        .world
        .anonymous()
        .post(&ci.path("trigger/pipeline"), body);
    assert_eq!(
        (reply.status, &reply.json()["source"]),
        (201, &json!("pipeline"))
    );
    ci.must("down");
    let dead = json!({ "token": "glcbt-over", "ref": "main" });
    assert_eq!(
        ci.world
            .anonymous()
            .post(&ci.path("trigger/pipeline"), dead)
            .status,
        401
    );
}

fn ci_job(state: &trainyard_emulator::store::State) -> u64 {
    state.jobs.iter().next().unwrap().id
}

#[test]
fn a_schedule_is_played_as_its_owner_with_its_variables() {
    let ci = CiWorld::new(
        "job: { script: ['echo d=$CI_PIPELINE_SCHEDULE_DESCRIPTION a=$A by=$GITLAB_USER_LOGIN'] }",
    );
    ci.must("job");
    let root = &ci.world.root;
    let made = root.post(
        &ci.path("pipeline_schedules"),
        json!({ "description": "nightly", "ref": "main", "cron": "0 1 * * *" }),
    );
    assert_eq!(
        (made.status, &made.json()["ref"]),
        (201, &json!("refs/heads/main")),
        "{}",
        made.text
    );
    let path = ci.path(&format!("pipeline_schedules/{}", made.json()["id"]));
    assert_eq!(
        root.post(
            &format!("{path}/variables"),
            json!({ "key": "A", "value": "s" })
        )
        .status,
        201
    );
    let (_, dev) = ci.world.member(ci.project, "ana", 40);
    assert_eq!(
        dev.post(&format!("{path}/play"), json!({})).error(),
        (201, json!({ "message": "201 Created" }))
    );
    assert!(ci.must("job").trace.contains("d=nightly a=s by=root"));
    let shown = root.get(&path).json();
    assert_eq!(
        (
            &shown["variables"][0]["key"],
            shown["last_pipeline"]["source"].as_str()
        ),
        (&json!("A"), Some("schedule"))
    );
    let wrong = root.put(&path, json!({ "cron": "never" }));
    assert_eq!(
        wrong.error(),
        (400, json!({ "message": { "cron": ["syntax is invalid"] } }))
    );
    assert_eq!(root.delete(&path).status, 204);
}
