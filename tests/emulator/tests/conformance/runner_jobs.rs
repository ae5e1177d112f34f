//! Jobs in the hands of outside runners: what they are told, what they bring back, and who gets which.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::outside_runner::OutsideRunner;
use crate::schemas;

fn runner(ci: &CiWorld) -> OutsideRunner {
    OutsideRunner::made_by(&ci.world.root, json!({ "runner_type": "instance_type" }))
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_outside_runner_clones_runs_the_steps_and_tells_the_end() {
    let ci = CiWorld::new(
        "
build:
  before_script: ['echo first']
  script: ['cat note.txt', 'echo id=$CI_JOB_ID runner=$CI_RUNNER_DESCRIPTION']
  after_script: ['echo afterwards']
",
    );
    let outside = OutsideRunner::made_by(
        &ci.world.root,
        json!({ "runner_type": "instance_type", "description": "outside" }),
    );
    // The first pipeline has no note yet, and its job fails.
    let dir = tempfile::tempdir().unwrap();
    let mut first = outside.take();
    let code = first.run(dir.path());
    assert_ne!(code, 0);
    let told = json!({ "state": "failed", "failure_reason": "script_failure", "exit_code": code });
    assert_eq!(first.tell(told).status, 200);
    ci.push("main", &[("note.txt", "from the commit\n")]);

    let dir = tempfile::tempdir().unwrap();
    let mut second = outside.take();
    assert_eq!(second.run(dir.path()), 0);
    let told = second.tell(json!({ "state": "success", "checksum": "crc32:0", "output": { "checksum": "crc32:0", "bytesize": 1 } }));
    assert_eq!((told.status, told.text.as_str()), (200, "200"));
    assert_eq!(told.header("x-gitlab-trace-update-interval"), Some("3"));

    let job = ci.job(ci.latest(), "build");
    assert_eq!(job["status"], "success");
    assert_eq!(job["runner"]["description"], "outside");
    assert_eq!(job["runner_manager"]["system_id"], "s_test");
    schemas::check("public_api/v4/job.json", &job);
    let trace = ci
        .world
        .root
        .get(&ci.path(&format!("jobs/{}/trace", second.id())));
    let expected = format!(
        "first\nfrom the commit\nid={} runner=outside\nafterwards\n",
        second.id()
    );
    assert_eq!(trace.text, expected);
    assert_eq!(
        ci.job(ci.latest() - 1, "build")["failure_reason"],
        "script_failure"
    );
    // Nothing is left to do, and the runner may ask again when the value changes.
    let nothing = outside.request();
    assert_eq!(nothing.status, 204);
    assert!(nothing.header("x-gitlab-last-update").is_some());
}

#[test]
fn the_payload_holds_everything_the_real_program_reads() {
    let ci = CiWorld::empty();
    for variable in [
        json!({ "key": "HUSH", "value": "hush-hush-1", "masked": true, "raw": true }),
        json!({ "key": "FILE", "value": "content", "variable_type": "file" }),
        json!({ "key": "PLAIN", "value": "p-$HUSH-$CI_JOB_STAGE-$FILE-$NONE" }),
    ] {
        assert_eq!(
            ci.world.root.post(&ci.path("variables"), variable).status,
            201
        );
    }
    ci.push("main", &[(
        ".gitlab-ci.yml",
        "
stages: [one, two]
early: { stage: one, script: [make] }
late:
  stage: two
  image: { name: 'alpine:3', entrypoint: [sh], pull_policy: always, docker: { user: me } }
  services: [{ name: redis, alias: cache, variables: { A: b } }]
  hooks: { pre_get_sources_script: [prepare] }
  script: [work]
  after_script: [tidy]
  timeout: 20 minutes
  release: { tag_name: v1, description: text }
  cache: [{ key: { files: [.gitlab-ci.yml] }, paths: [deps/] }, { key: plain, paths: [x], unprotect: true }]
  artifacts:
    name: result
    paths: [out/]
    exclude: ['out/*.log']
    expire_in: 1 day
    when: always
    reports: { junit: junit.xml, dotenv: [a.env] }
",
    )]);
    let outside = runner(&ci);
    let early = outside.take();
    assert_eq!(early.payload["artifacts"], Value::Null);
    early.tell(json!({ "state": "success" }));
    let job = outside.take();
    let payload = &job.payload;
    assert_eq!(payload["job_info"]["name"], "late");
    assert_eq!(payload["job_info"]["project_full_path"], "root/shop");
    let git = &payload["git_info"];
    assert_eq!(
        (&git["ref"], &git["ref_type"], &git["depth"]),
        (&json!("main"), &json!("branch"), &json!(20))
    );
    let pipeline = ci.latest();
    assert_eq!(
        git["refspecs"],
        json!([
            format!("+refs/pipelines/{pipeline}:refs/pipelines/{pipeline}"),
            "+refs/heads/main:refs/remotes/origin/main"
        ])
    );
    assert_eq!(payload["runner_info"]["timeout"], 1200);
    assert_eq!(
        payload["image"],
        json!({
            "name": "alpine:3",
            "entrypoint": ["sh"],
            "pull_policy": ["always"],
            "executor_opts": { "docker": { "user": "me" } },
            "ports": [],
        })
    );
    assert_eq!(payload["services"][0]["alias"], "cache");
    assert_eq!(payload["services"][0]["variables"][0]["key"], "A");
    assert_eq!(
        payload["hooks"],
        json!([{ "name": "pre_get_sources_script", "script": ["prepare"] }])
    );
    let names: Vec<&str> = payload["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["script", "release", "after_script"]);
    let key = payload["cache"][0]["key"].as_str().unwrap();
    assert!(key.len() == 50 && key.ends_with("-protected"), "{key}");
    assert_eq!(payload["cache"][1]["key"], "plain-non_protected");
    assert_eq!(
        payload["artifacts"],
        json!([
            { "name": "result", "untracked": false, "paths": ["out/"], "exclude": ["out/*.log"], "when": "always",
              "expire_in": "1 day", "artifact_type": "archive", "artifact_format": "zip" },
            { "name": ".env", "paths": ["a.env"], "when": "always", "expire_in": "1 day",
              "artifact_type": "dotenv", "artifact_format": "gzip" },
            { "name": "junit.xml", "paths": ["junit.xml"], "when": "always", "expire_in": "1 day",
              "artifact_type": "junit", "artifact_format": "gzip" },
        ])
    );
    assert_eq!(payload["dependencies"][0]["name"], "early");
    assert_eq!(payload["features"]["trace_sections"], true);
    let hush = json!({ "key": "HUSH", "value": "hush-hush-1", "public": false, "masked": true, "raw": true });
    assert_eq!(job.variable("HUSH"), &hush);
    assert_eq!(job.variable("FILE")["file"], true);
    // References are put in place as far as the server does it; the rest is the runner's.
    assert_eq!(job.variable("PLAIN")["value"], "p-$HUSH-two-$FILE-$NONE");
    assert_eq!(job.variable("CI_JOB_TOKEN")["masked"], true);
}

#[test]
fn artifacts_and_dotenv_variables_come_back_and_go_to_later_jobs() {
    let ci = CiWorld::new(
        "
stages: [one, two]
make:
  stage: one
  script: ['true']
  environment: { name: review, url: 'http://$ADDRESS/' }
  artifacts: { paths: [a.txt], reports: { dotenv: d.env } }
use: { stage: two, script: ['echo $ADDRESS; test -s fetched'] }
",
    );
    let outside = runner(&ci);
    let make = outside.take();
    let content = packed("ADDRESS=shop.example\n");
    let query = "artifact_type=dotenv&artifact_format=gzip";
    let reply = make.upload(query, ".env.gz", &packed("BAD-KEY=1\n"));
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(reply.text.contains("Key can contain only letters"));
    assert_eq!(make.upload(query, ".env.gz", &content).status, 201);
    // The same once more is as good as done; another of the kind is not.
    assert_eq!(make.upload(query, ".env.gz", &content).status, 201);
    let other = make.upload(query, ".env.gz", &packed("B=1\n"));
    assert_eq!(
        other.error(),
        (
            400,
            json!({ "message": "another artifact of the same type already exists" })
        )
    );
    let archive = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let reply = make.upload(
        "artifact_type=archive&artifact_format=zip&expire_in=1%20day",
        "artifacts.zip",
        archive,
    );
    assert_eq!((reply.status, reply.text.as_str()), (201, "201"));
    let odd = make.upload("artifact_type=nonsense", "x", b"x");
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "artifact_type does not have a valid value" })
        )
    );
    assert_eq!(make.tell(json!({ "state": "success" })).status, 200);
    let address = ci.world.root.get(&ci.path("environments")).json();
    assert_eq!(address[0]["external_url"], "http://shop.example/");
    let done = ci.job(ci.latest(), "make");
    assert_eq!(done["artifacts_file"]["filename"], "artifacts.zip");
    // Only the runner itself, or a job that may read it, gets the file.
    let path = format!("jobs/{}/artifacts?token=nobody", make.id());
    assert_eq!(outside.anonymous().get(&path).status, 403);

    let dir = tempfile::tempdir().unwrap();
    let mut user = outside.take();
    assert_eq!(user.run(dir.path()), 0);
    user.tell(json!({ "state": "success" }));
    let trace = ci
        .world
        .root
        .get(&ci.path(&format!("jobs/{}/trace", user.id())));
    assert_eq!(trace.text, "shop.example\n");
}

#[test]
fn a_trace_arrives_in_order_or_the_runner_is_told_where_to_go_on() {
    let ci = CiWorld::new("job: { script: ['true'] }");
    let mut job = runner(&ci).take();
    let first = job.append("a h\u{e4}".as_bytes().get(..4).unwrap());
    assert_eq!(first.status, 202);
    assert_eq!(first.header("range"), Some("0-4"));
    assert_eq!(first.header("job-status"), Some("running"));
    assert_eq!(first.header("x-gitlab-trace-update-interval"), Some("3"));
    let again = job.append_at(0, b"a h");
    assert_eq!((again.status, again.header("range")), (416, Some("0-4")));
    assert_eq!(job.append(b"\xa4!\n").status, 202);
    let trace = ci
        .world
        .root
        .get(&ci.path(&format!("jobs/{}/trace", job.id())));
    assert_eq!(trace.text, "a hä!\n");
    let path = format!("/api/v4/jobs/{}/trace", job.id());
    let token = job.payload["token"].as_str().unwrap().to_owned();
    let headers = [
        ("job-token", token.as_str()),
        ("content-type", "text/plain"),
    ];
    let unplaced = crate::client::send(&ci.world.root.url, "PATCH", &path, &headers, b"x").unwrap();
    assert_eq!(
        unplaced.error(),
        (400, json!({ "error": "400 Missing header Content-Range" }))
    );
    let headers = [("job-token", "wrong"), ("content-range", "0-0")];
    let strange = crate::client::send(&ci.world.root.url, "PATCH", &path, &headers, b"x").unwrap();
    assert_eq!(
        strange.error(),
        (403, json!({ "message": "403 Forbidden" }))
    );
}

#[test]
fn a_canceled_job_is_told_to_stop_and_ends_when_its_runner_says_so() {
    let ci = CiWorld::new("job: { script: ['true'] }");
    let mut job = runner(&ci).take();
    let cancel = ci.path(&format!("jobs/{}/cancel", job.id()));
    assert_eq!(
        ci.world.root.post(&cancel, json!({})).json()["status"],
        "canceling"
    );
    let told = job.append(b"still here\n");
    assert_eq!(
        (told.status, told.header("job-status")),
        (202, Some("canceling"))
    );
    let alive = job.tell(json!({ "state": "running" }));
    assert_eq!(
        (alive.status, alive.header("job-status")),
        (200, Some("canceling"))
    );
    assert_eq!(
        job.tell(json!({ "state": "failed", "failure_reason": "job_canceled" }))
            .status,
        200
    );
    assert_eq!(ci.job_status(ci.latest(), "job"), "canceled");
    let late = job.append(b"too late");
    assert_eq!(
        (late.status, late.header("job-status")),
        (403, Some("canceled"))
    );
    assert_eq!(
        late.json()["message"],
        "403 Forbidden - Job is not processing on runner"
    );
}

#[test]
fn a_runner_that_cannot_cancel_gracefully_loses_its_job_at_once() {
    let ci = CiWorld::new("job: { script: ['true'] }");
    let outside = runner(&ci);
    let reply = outside.request_with(json!({ "refspecs": true }));
    assert_eq!(reply.status, 201);
    let cancel = ci.path(&format!("jobs/{}/cancel", reply.json()["id"]));
    assert_eq!(
        ci.world.root.post(&cancel, json!({})).json()["status"],
        "canceled"
    );
}

#[test]
fn a_job_whose_runner_falls_silent_fails_after_an_hour() {
    let ci = CiWorld::new("job: { script: ['true'] }");
    let job = runner(&ci).take();
    let clock = ci.world.emulator.clock();
    clock.advance(jiff::SignedDuration::from_mins(50));
    assert_eq!(job.tell(json!({ "state": "running" })).status, 200);
    clock.advance(jiff::SignedDuration::from_mins(50));
    assert_eq!(ci.job_status(ci.latest(), "job"), "running");
    clock.advance(jiff::SignedDuration::from_mins(20));
    let lost = ci.job(ci.latest(), "job");
    assert_eq!(
        (&lost["status"], &lost["failure_reason"]),
        (&json!("failed"), &json!("stuck_or_timeout_failure"))
    );
    let late = job.tell(json!({ "state": "success" }));
    assert_eq!(
        (late.status, late.header("job-status")),
        (403, Some("failed"))
    );
}

#[test]
fn what_a_runner_cannot_do_fails_the_job_by_name() {
    let ci = CiWorld::new(
        "job: { script: ['exit 7'], allow_failure: { exit_codes: [7] } }\nplain: { script: ['true'] }",
    );
    let outside = runner(&ci);
    let reply = outside.request_with(json!({}));
    assert_eq!(reply.json()["job_info"]["name"], "plain");
    let job = ci.job(ci.latest(), "job");
    assert_eq!(
        (&job["status"], &job["failure_reason"]),
        (&json!("failed"), &json!("runner_unsupported"))
    );
    let retry = ci.path(&format!("jobs/{}/retry", job["id"]));
    assert_eq!(ci.world.root.post(&retry, json!({})).status, 201);
    let again = outside.take();
    again.tell(json!({ "state": "failed", "failure_reason": "script_failure", "exit_code": 7 }));
    let job = ci.job(ci.latest(), "job");
    assert_eq!(
        (&job["status"], &job["allow_failure"]),
        (&json!("failed"), &json!(true))
    );
}

#[test]
fn scope_tags_protection_and_pausing_decide_who_takes_a_job() {
    let ci = CiWorld::empty();
    let root = &ci.world.root;
    let make = |body: Value| OutsideRunner::made_by(root, body);
    let here = json!(ci.project);
    let other = ci.world.project("other");
    let tagged = make(
        json!({ "runner_type": "instance_type", "tag_list": ["gpu", "big"], "run_untagged": false }),
    );
    let of_other = make(json!({ "runner_type": "project_type", "project_id": other }));
    let own = make(
        json!({ "runner_type": "project_type", "project_id": here, "access_level": "ref_protected" }),
    );
    let paused = make(json!({ "runner_type": "instance_type", "paused": true }));
    let nothing = |runner: &OutsideRunner| assert_eq!(runner.request().status, 204);
    let name = |runner: &OutsideRunner| runner.take().payload["job_info"]["name"].clone();

    ci.push("main", &[]);
    ci.push(
        "side",
        &[(
            ".gitlab-ci.yml",
            "plain: { script: [a] }\nspecial: { script: [b], tags: [gpu] }",
        )],
    );
    nothing(&of_other);
    nothing(&paused);
    nothing(&own);
    assert_eq!(name(&tagged), "special");
    nothing(&tagged);
    // The default branch is protected.
    ci.push("main", &[(".gitlab-ci.yml", "plain: { script: [a] }")]);
    assert_eq!(name(&own), "plain");
    nothing(&own);
    // Without instance runners only the project's own ones remain.
    let body = json!({ "shared_runners_enabled": false });
    assert_eq!(
        root.put(&format!("projects/{}", ci.project), body).status,
        200
    );
    nothing(&tagged);
    assert_eq!(
        make(json!({ "runner_type": "instance_type" }))
            .request()
            .status,
        204
    );
    let strange = OutsideRunner {
        url: root.url.clone(),
        token: "nobody".to_owned(),
    };
    assert_eq!(
        strange.request().error(),
        (403, json!({ "message": "403 Forbidden" }))
    );
}

#[test]
fn the_embedded_runner_and_outside_ones_never_take_the_same_job() {
    let ci = CiWorld::new("a: { script: ['true'] }\nb: { script: ['true'] }");
    let outside = runner(&ci);
    let taken = outside.take();
    let embedded = ci.run_all();
    assert_eq!(embedded.len(), 1);
    assert_ne!(embedded[0].id, taken.id());
    taken.tell(json!({ "state": "success" }));
    assert_eq!(ci.status(ci.latest()), "success");
    let all = ci.world.root.get("runners/all").json();
    let names: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["description"])
        .collect();
    assert_eq!(names, [&Value::Null, &json!("emulator")]);
}
