//! Pipelines from push to end: stages, needs, manual jobs, retries, cancellation, and their API.

use serde_json::json;
use trainyard_emulator::Status;

use crate::ci_world::CiWorld;
use crate::schemas;

const TWO_STAGES: &str = "
stages: [build, test]
compile:
  stage: build
  script: [echo compiled > out.txt]
  artifacts: { paths: [out.txt] }
check:
  stage: test
  script: [test \"$(cat out.txt)\" = compiled]
";

#[test]
fn a_push_runs_stage_after_stage_and_passes_artifacts_on() {
    let ci = CiWorld::new(TWO_STAGES);
    let pipeline = ci.latest();
    assert_eq!(ci.statuses(pipeline), ["compile:pending", "check:created"]);
    let done = ci.must("compile");
    assert!(done.trace.contains("$ echo compiled"), "{}", done.trace);
    assert_eq!(ci.status(pipeline), "running");
    ci.must("check");
    let detail = ci.pipeline(pipeline);
    assert_eq!(
        (&detail["status"], &detail["source"]),
        (&json!("success"), &json!("push"))
    );
    assert_eq!(detail["ref"], "main");
    schemas::check("public_api/v4/pipeline/detail.json", &detail);
    schemas::check("public_api/v4/job.json", &ci.job(pipeline, "compile"));
    assert!(ci.world.emulator.unknown_requests().is_empty());
}

#[test]
fn a_failed_job_skips_what_follows_but_not_what_waits_for_failure() {
    let ci = CiWorld::new(
        "
stages: [one, two, three]
bad: { stage: one, script: [exit 3] }
soft: { stage: one, script: [exit 7], allow_failure: { exit_codes: 7 } }
next: { stage: two, script: [echo] }
rescue: { stage: two, script: [echo], when: on_failure }
always: { stage: three, script: [echo], when: always }
",
    );
    let pipeline = ci.latest();
    let done = ci.run("bad");
    assert_eq!((done.status, done.exit_code), (Status::Failed, Some(3)));
    ci.run("soft");
    ci.must("rescue");
    ci.must("always");
    assert_eq!(
        ci.statuses(pipeline),
        [
            "bad:failed",
            "soft:failed",
            "next:skipped",
            "rescue:success",
            "always:success"
        ]
    );
    let bad = ci.job(pipeline, "bad");
    assert_eq!(
        (&bad["failure_reason"], &bad["allow_failure"]),
        (&json!("script_failure"), &json!(false))
    );
    assert_eq!(ci.job(pipeline, "soft")["allow_failure"], json!(true));
    assert_eq!(ci.status(pipeline), "failed");
}

#[test]
fn needs_start_a_job_before_its_stage() {
    let ci = CiWorld::new(
        "
stages: [one, two]
fast: { stage: one, script: [echo FROM=fast > vars.env], artifacts: { reports: { dotenv: vars.env } } }
slow: { stage: one, script: [echo] }
early: { stage: two, needs: [fast], script: ['test \"$FROM\" = fast'] }
at-once: { stage: two, needs: [], script: ['test -z \"$FROM\"'] }
",
    );
    ci.must("at-once");
    ci.must("fast");
    ci.must("early");
    ci.must("slow");
    assert_eq!(ci.status(ci.latest()), "success");
}

#[test]
fn a_blocking_manual_job_blocks_until_somebody_plays_it_and_is_theirs_then() {
    let ci = CiWorld::new(
        "
stages: [gate, deploy]
approve:
  stage: gate
  rules: [{ when: manual }]
  script: ['echo by $GITLAB_USER_LOGIN']
ship: { stage: deploy, script: ['echo $GITLAB_USER_LOGIN'] }
",
    );
    let pipeline = ci.latest();
    assert_eq!(ci.status(pipeline), "manual");
    assert_eq!(ci.statuses(pipeline), ["approve:manual", "ship:created"]);
    let (_, guest) = ci.world.member(ci.project, "gil", 20);
    let (_, owner) = ci.world.member(ci.project, "ana", 40);
    let id = ci.job_id(pipeline, "approve");
    assert_eq!(
        guest
            .post(&ci.path(&format!("jobs/{id}/play")), json!({}))
            .status,
        403
    );
    let played = ci.play(&owner, pipeline, "approve");
    assert_eq!(
        (&played["user"]["username"], &played["id"]),
        (&json!("ana"), &json!(id))
    );
    let done = ci.must("approve");
    assert_eq!(done.user, "ana");
    assert!(done.trace.contains("by ana"), "{}", done.trace);
    // The job after it stays with the one who pushed.
    assert_eq!(ci.must("ship").user, "root");
    let again = ci.play(&owner, pipeline, "approve");
    assert_ne!(again["id"], json!(id));
    let ship = ci.job_id(pipeline, "ship");
    let reply = ci
        .world
        .root
        .post(&ci.path(&format!("jobs/{ship}/play")), json!({}));
    assert_eq!(
        reply.error(),
        (
            400,
            json!({ "message": "400 Bad request - Unplayable Job" })
        )
    );
}

#[test]
fn an_optional_manual_job_does_not_hold_the_pipeline() {
    let ci = CiWorld::new(
        "
stages: [a, b]
extra: { stage: a, when: manual, script: [echo] }
work: { stage: b, script: [echo] }
after-extra: { stage: b, needs: [extra], script: [echo] }
",
    );
    let pipeline = ci.latest();
    ci.must("work");
    assert_eq!(ci.status(pipeline), "success");
    assert_eq!(ci.job_status(pipeline, "after-extra"), "skipped");
    ci.play(&ci.world.root, pipeline, "extra");
    ci.must("extra");
    ci.must("after-extra");
    assert_eq!(ci.status(pipeline), "success");
}

#[test]
fn a_job_retries_itself_and_is_retried_by_hand() {
    let ci = CiWorld::new(
        "
flaky: { script: [exit 1], retry: { max: 1, when: script_failure } }
",
    );
    let pipeline = ci.latest();
    assert_eq!(ci.run("flaky").status, Status::Failed);
    assert_eq!(ci.status(pipeline), "pending");
    assert_eq!(ci.run("flaky").status, Status::Failed);
    assert_eq!(ci.status(pipeline), "failed");
    let all = ci.path(&format!("pipelines/{pipeline}/jobs?include_retried=true"));
    assert_eq!(ci.world.root.get(&all).json().as_array().unwrap().len(), 2);
    let id = ci.job_id(pipeline, "flaky");
    let retried = ci
        .world
        .root
        .post(&ci.path(&format!("jobs/{id}/retry")), json!({}));
    assert_eq!(
        (retried.status, &retried.json()["status"]),
        (201, &json!("pending"))
    );
    let twice = ci
        .world
        .root
        .post(&ci.path(&format!("jobs/{id}/retry")), json!({}));
    assert_eq!(
        twice.error(),
        (
            403,
            json!({ "message": "403 Forbidden - Job is not retryable" })
        )
    );
}

#[test]
fn canceling_a_pipeline_ends_what_waits_and_leaves_manual_jobs() {
    let ci = CiWorld::new(
        "
stages: [a, b]
wait: { stage: a, script: [echo] }
press: { stage: a, when: manual, script: [echo] }
later: { stage: b, script: [echo] }
",
    );
    let pipeline = ci.latest();
    let reply = ci
        .world
        .root
        .post(&ci.path(&format!("pipelines/{pipeline}/cancel")), json!({}));
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &json!("canceled"))
    );
    assert_eq!(
        ci.statuses(pipeline),
        ["wait:canceled", "press:manual", "later:canceled"]
    );
    let retried = ci
        .world
        .root
        .post(&ci.path(&format!("pipelines/{pipeline}/retry")), json!({}));
    assert_eq!(retried.status, 201);
    ci.must("wait");
    ci.must("later");
    assert_eq!(ci.status(pipeline), "success");
}

#[test]
fn a_delayed_job_starts_when_its_time_has_come_or_somebody_plays_it() {
    let ci = CiWorld::new(
        "
soon: { script: [echo], when: delayed, start_in: 10 minutes }
also: { script: [echo], when: delayed, start_in: 10 minutes }
",
    );
    let pipeline = ci.latest();
    assert_eq!(ci.status(pipeline), "scheduled");
    ci.play(&ci.world.root, pipeline, "also");
    ci.must("also");
    ci.world
        .emulator
        .clock()
        .advance(std::time::Duration::from_secs(601).try_into().unwrap());
    ci.must("soon");
    assert_eq!(ci.status(pipeline), "success");
}

#[test]
fn a_job_that_no_runner_takes_for_a_day_fails() {
    let ci = CiWorld::new("job: { script: [echo], tags: [nowhere] }");
    let day = std::time::Duration::from_secs(24 * 3600 + 1);
    ci.world.emulator.clock().advance(day.try_into().unwrap());
    let job = ci.job(ci.latest(), "job");
    assert_eq!(
        (&job["status"], &job["failure_reason"]),
        (&json!("failed"), &json!("stuck_or_timeout_failure"))
    );
}

#[test]
fn a_wrong_configuration_gives_a_failed_pipeline_and_none_gives_nothing() {
    let ci = CiWorld::new("job: { script: 5, only: 1 }");
    let pipeline = ci.pipeline(ci.latest());
    assert_eq!(pipeline["status"], "failed");
    assert!(
        pipeline["yaml_errors"].as_str().unwrap().contains("job"),
        "{pipeline}"
    );
    let reply = ci
        .world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "main" }));
    assert_eq!(reply.status, 400, "{}", reply.text);
    let count = ci.world.emulator.pipelines(ci.project).len();
    ci.git(&["rm", "-q", ".gitlab-ci.yml"]);
    ci.push("main", &[("a.txt", "x")]);
    assert_eq!(ci.world.emulator.pipelines(ci.project).len(), count);
    let reply = ci
        .world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "main" }));
    assert_eq!(
        reply.error(),
        (
            400,
            json!({ "message": { "base": ["Missing CI config file"] } })
        )
    );
    let reply = ci
        .world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "nowhere" }));
    assert_eq!(
        reply.error(),
        (
            400,
            json!({ "message": { "base": ["Reference not found"] } })
        )
    );
}

#[test]
fn pushes_can_skip_pipelines_and_tags_have_their_own() {
    let ci = CiWorld::new("job: { script: ['echo tag=$CI_COMMIT_TAG branch=$CI_COMMIT_BRANCH'] }");
    let count = || ci.world.emulator.pipelines(ci.project).len();
    assert_eq!(count(), 1);
    ci.commit("main", &[("a.txt", "1")]);
    ci.push_as(ci.world.emulator.root_token(), "main", &["ci.no_pipeline"]);
    assert_eq!(count(), 1);
    ci.commit("main", &[("a.txt", "2")]);
    ci.push_as(ci.world.emulator.root_token(), "main", &["ci.skip"]);
    assert_eq!((count(), ci.status(ci.latest())), (2, "skipped".into()));
    ci.git(&["commit", "-q", "--allow-empty", "-m", "done [skip ci]"]);
    ci.push_as(ci.world.emulator.root_token(), "main", &[]);
    assert_eq!(ci.status(ci.latest()), "skipped");
    ci.git(&["tag", "v1", "HEAD~1"]);
    ci.push_as(ci.world.emulator.root_token(), "v1", &[]);
    let pipeline = ci.pipeline(ci.latest());
    assert_eq!(
        (&pipeline["ref"], &pipeline["tag"]),
        (&json!("v1"), &json!(true))
    );
    ci.must("job");
    assert!(ci.must("job").trace.contains("tag=v1 branch=\n"));
}

#[test]
fn pipelines_are_listed_with_filters_and_jobs_by_scope() {
    let ci = CiWorld::new("a: { script: [echo] }\nb: { script: [echo], when: manual }");
    let root = &ci.world.root;
    let reply = root.post(
        &ci.path("pipeline"),
        json!({ "ref": "main", "variables": [{ "key": "X", "value": "1" }] }),
    );
    assert_eq!(reply.status, 201, "{}", reply.text);
    let id = reply.json()["id"].as_u64().unwrap();
    let list = |query: &str| {
        root.get(&ci.path(&format!("pipelines?{query}")))
            .json()
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            list(""),
            list("source=api"),
            list("ref=main"),
            list("ref=x")
        ),
        (2, 1, 2, 0)
    );
    assert_eq!(
        (
            list("status=pending"),
            list("scope=finished"),
            list("username=root")
        ),
        (2, 0, 2)
    );
    let jobs = |query: &str| root.get(&ci.path(&format!("pipelines/{id}/jobs?{query}")));
    assert_eq!(jobs("scope[]=manual").json()[0]["name"], "b");
    assert_eq!(
        jobs("scope[]=manual&scope[]=pending")
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        jobs("scope[]=odd").error(),
        (400, json!({ "error": "scope does not have a valid value" }))
    );
    let variables = root
        .get(&ci.path(&format!("pipelines/{id}/variables")))
        .json();
    assert_eq!(
        (&variables[0]["key"], &variables[0]["variable_type"]),
        (&json!("X"), &json!("env_var"))
    );
    let latest = root.get(&ci.path("pipelines/latest")).json();
    assert_eq!(latest["id"], json!(id));
    let all = root.get(&ci.path("jobs"));
    assert_eq!(
        (all.header("x-total"), all.json().as_array().unwrap().len()),
        (None, 4)
    );
    let named = root.put(
        &ci.path(&format!("pipelines/{id}/metadata")),
        json!({ "name": "nightly" }),
    );
    assert_eq!(named.json()["name"], "nightly");
    assert_eq!(
        root.delete(&ci.path(&format!("pipelines/{id}"))).status,
        204
    );
    assert_eq!(
        root.get(&ci.path(&format!("pipelines/{id}"))).error(),
        (404, json!({ "message": "404 Not found" }))
    );
}
