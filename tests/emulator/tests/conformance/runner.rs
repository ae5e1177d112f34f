//! The runner: environment, masking, sources, artifacts, dotenv, time, cancellation, and the fault that kills.

use std::time::Duration;

use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};
use trainyard_emulator::{Status, Who};

use crate::ci_world::CiWorld;
use crate::client::Client;

#[test]
fn a_job_sees_its_variables_and_nothing_of_the_machine() {
    let ci = CiWorld::empty();
    let variable = |body| assert_eq!(ci.world.root.post(&ci.path("variables"), body).status, 201);
    variable(json!({ "key": "PLAIN", "value": "p-$NESTED" }));
    variable(json!({ "key": "NESTED", "value": "deep" }));
    variable(json!({ "key": "RAW", "value": "p-$NESTED", "raw": true }));
    variable(json!({ "key": "SECRET", "value": "hush-hush-1", "masked": true }));
    variable(json!({ "key": "CONFIG", "value": "in a file", "variable_type": "file" }));
    variable(json!({ "key": "GATE", "value": "x", "environment_scope": "gate-state" }));
    variable(json!({ "key": "GUARDED", "value": "g", "protected": true }));
    variable(json!({ "key": "WINS", "value": "project" }));
    ci.push(
        "main",
        &[(
            ".gitlab-ci.yml",
            "
variables: { WINS: global, JOBLESS: kept }
show:
  variables: { WINS: job, OWN: 'own $CI_JOB_NAME' }
  script:
    - env | sort
    - echo \"config=$(cat $CONFIG)\"
    - echo $SECRET
",
        )],
    );
    let trace = ci.must("show").trace;
    let has = |line: &str| assert!(trace.lines().any(|other| other == line), "{line}\n{trace}");
    has("PLAIN=p-deep");
    has("RAW=p-$NESTED");
    has("OWN=own show");
    has("WINS=project");
    has("JOBLESS=kept");
    has("config=in a file");
    has("[MASKED]");
    has("SECRET=[MASKED]");
    has("GUARDED=g");
    has("CI_PIPELINE_SOURCE=push");
    has("CI_COMMIT_BRANCH=main");
    has("CI_COMMIT_REF_PROTECTED=true");
    has("CI_DEFAULT_BRANCH=main");
    has("CI_PROJECT_PATH=root/shop");
    has("GITLAB_USER_LOGIN=root");
    has(&format!("CI_API_V4_URL={}/api/v4", ci.world.root.url));
    has(&format!(
        "CI_API_GRAPHQL_URL={}/api/graphql",
        ci.world.root.url
    ));
    has("CI_JOB_TOKEN=[MASKED]");
    assert!(
        !trace.contains("hush-hush") && !trace.contains("GATE="),
        "{trace}"
    );
    assert!(
        !trace.contains("CARGO_") && !trace.contains("CI_MERGE_REQUEST"),
        "{trace}"
    );
    // Outside of protected branches the protected variable is missing.
    ci.push("side", &[]);
    let trace = ci.must("show").trace;
    assert!(
        !trace.contains("GUARDED=") && trace.contains("CI_COMMIT_REF_PROTECTED=false"),
        "{trace}"
    );
}

#[test]
fn pipeline_variables_override_all_others() {
    let ci = CiWorld::new("variables: { A: yaml, B: '$A!' }\njob: { script: ['echo a=$A b=$B'] }");
    ci.world.root.post(
        &ci.path("variables"),
        json!({ "key": "A", "value": "project" }),
    );
    let body = json!({ "ref": "main", "variables": [{ "key": "A", "value": "given" }] });
    assert_eq!(ci.world.root.post(&ci.path("pipeline"), body).status, 201);
    assert!(ci.must("job").trace.contains("a=project b=project!"));
    assert!(ci.must("job").trace.contains("a=given b=given!"));
}

#[test]
fn a_job_clones_and_uses_its_token_only_while_it_runs() {
    let ci = CiWorld::new(
        "
job:
  script:
    - git log --format=%H -1 > head.txt
    - git fetch -q --depth 1 $CI_REPOSITORY_URL main
    - echo $CI_JOB_TOKEN > token.txt
  artifacts: { paths: ['*.txt'] }
",
    );
    let head = ci.git(&["rev-parse", "HEAD"]);
    let done = ci.must("job");
    let artifact = |path: &str| {
        let content = ci.world.emulator.job_artifact(done.id, path).unwrap();
        String::from_utf8(content).unwrap().trim().to_owned()
    };
    assert_eq!(artifact("head.txt"), head);
    let reply = job_call(&ci.world.root, &artifact("token.txt"), "/api/v4/job");
    assert_eq!(reply, 401);
    let other = ci.world.root.get("job");
    assert_eq!(
        other.error(),
        (404, json!({ "message": "404 Job Not Found" }))
    );
    let fetches: Vec<_> = ci
        .world
        .emulator
        .requests()
        .into_iter()
        .filter(|entry| matches!(&entry.who, Who::Job { job_name, .. } if job_name == "job"))
        .collect();
    assert!(!fetches.is_empty());
}

fn job_call(client: &Client, token: &str, path: &str) -> u16 {
    crate::client::send(&client.url, "GET", path, &[("job-token", token)], b"")
        .unwrap()
        .status
}

#[test]
fn artifacts_are_downloaded_by_job_and_by_name() {
    let ci = CiWorld::new("
make:
  script: [mkdir -p out/deep, echo hello > out/deep/a.txt, echo no > out/skip.log]
  artifacts: { name: bundle-$CI_COMMIT_BRANCH, paths: [out], exclude: ['out/*.log'], expire_in: 1 day }
fail:
  script: [echo why > why.txt, exit 1]
  allow_failure: true
  artifacts: { paths: [why.txt], when: on_failure }
");
    let done = ci.must("make");
    ci.run("fail");
    let get = |tail: &str| ci.world.root.get(&ci.path(&format!("jobs/{tail}")));
    let archive = get(&format!("{}/artifacts", done.id));
    assert_eq!(
        (archive.status, archive.header("content-type")),
        (200, Some("application/zip"))
    );
    assert!(archive.text.starts_with("PK") && archive.text.contains("out/deep/a.txt"));
    assert_eq!(
        get(&format!("{}/artifacts/out/deep/a.txt", done.id)).text,
        "hello\n"
    );
    assert_eq!(
        get("artifacts/main/raw/out/deep/a.txt?job=make").text,
        "hello\n"
    );
    assert_eq!(get("artifacts/main/raw/out/skip.log?job=make").status, 404);
    assert_eq!(
        get("artifacts/main/download?job=nothing").error(),
        (404, json!({ "message": "404 Not found" }))
    );
    let job = get(&done.id.to_string()).json();
    assert_eq!(job["artifacts_file"]["filename"], "bundle-main.zip");
    assert!(job["artifacts_expire_at"].is_string());
    let failed = ci.job_id(ci.latest(), "fail");
    assert_eq!(get(&format!("{failed}/artifacts/why.txt")).text, "why\n");
    assert!(
        get(&format!("{failed}/trace"))
            .text
            .contains("exit status 1")
    );
    let erased = ci
        .world
        .root
        .post(&ci.path(&format!("jobs/{failed}/erase")), json!({}));
    assert_eq!(erased.status, 201, "{}", erased.text);
    assert_eq!(get(&format!("{failed}/artifacts/why.txt")).status, 404);
}

#[test]
fn a_dotenv_report_against_the_rules_fails_the_job() {
    let ci = CiWorld::new(
        "
job: { script: ['printf \"A=1\\n\\nB=2\\n\" > v.env'], artifacts: { reports: { dotenv: v.env } } }
",
    );
    let done = ci.run("job");
    assert_eq!(done.status, Status::Failed);
    assert!(done.trace.contains("Invalid Format"), "{}", done.trace);
}

#[test]
fn a_running_job_is_canceled_and_cleans_up() {
    let ci = CiWorld::new(
        "
job:
  script: [echo started, sleep 60]
  after_script: ['echo ends as $CI_JOB_STATUS']
",
    );
    let pipeline = ci.latest();
    let id = ci.job_id(pipeline, "job");
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| ci.run("job"));
        wait_for(|| {
            ci.world
                .root
                .get(&ci.path(&format!("jobs/{id}/trace")))
                .text
                .contains("\nstarted")
        });
        let reply = ci
            .world
            .root
            .post(&ci.path(&format!("jobs/{id}/cancel")), json!({}));
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (201, &json!("canceling"))
        );
        running.join().unwrap()
    });
    assert_eq!(done.status, Status::Canceled);
    assert!(done.trace.contains("ends as canceled"), "{}", done.trace);
    assert_eq!(ci.status(pipeline), "canceled");
}

#[test]
fn a_job_that_takes_too_long_by_the_emulators_clock_is_stopped() {
    let ci = CiWorld::new("job: { script: [echo started, sleep 60], timeout: 10 minutes }");
    let id = ci.job_id(ci.latest(), "job");
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| ci.run("job"));
        wait_for(|| {
            ci.world
                .root
                .get(&ci.path(&format!("jobs/{id}/trace")))
                .text
                .contains("\nstarted")
        });
        ci.world
            .emulator
            .clock()
            .advance(Duration::from_secs(601).try_into().unwrap());
        running.join().unwrap()
    });
    assert_eq!(
        done.failure_reason.as_deref(),
        Some("job_execution_timeout")
    );
}

#[test]
fn a_job_is_killed_right_after_its_second_request() {
    let ci = CiWorld::new(
        "
job:
  variables: { GIT_STRATEGY: none }
  script: ['git ls-remote $CI_REPOSITORY_URL', echo first, 'git ls-remote $CI_REPOSITORY_URL || true', echo second]
  after_script: [echo cleaned]
",
    );
    ci.world.emulator.faults().add(
        Rule::new(Effect::Kill)
            .on("GET", "git info/refs upload-pack")
            .by("root")
            .after(1),
    );
    let done = ci.run("job");
    assert_eq!(
        done.failure_reason.as_deref(),
        Some("runner_system_failure"),
        "{}",
        done.trace
    );
    assert!(
        done.trace.contains("\nfirst") && !done.trace.contains("\nsecond"),
        "{}",
        done.trace
    );
    assert!(!done.trace.contains("\ncleaned"));
}

#[test]
fn a_job_is_found_by_the_access_token_it_was_given() {
    let ci = CiWorld::new("
job:
  variables: { GIT_STRATEGY: none }
  script: ['git ls-remote http://bot:$API_TOKEN@$CI_SERVER_FQDN/$CI_PROJECT_PATH.git || true', echo after]
");
    let (bot, _) = ci.world.member(ci.project, "bot", 40);
    let token = ci.world.token(bot, &["api"]);
    ci.world.root.post(
        &ci.path("variables"),
        json!({ "key": "API_TOKEN", "value": token, "masked": true }),
    );
    ci.world
        .emulator
        .faults()
        .add(Rule::new(Effect::Kill).by("bot"));
    let done = ci.run("job");
    assert_eq!(
        done.failure_reason.as_deref(),
        Some("runner_system_failure")
    );
    assert!(
        !done.trace.contains("\nafter") && !done.trace.contains(&token),
        "{}",
        done.trace
    );
}

#[test]
fn runners_in_the_background_take_what_their_tags_cover() {
    let ci = CiWorld::new(
        "
plain: { script: [echo] }
tagged: { script: [echo], tags: [nrt] }
elsewhere: { script: [echo], tags: [gpu] }
",
    );
    let pipeline = ci.latest();
    ci.world.emulator.start_runner(2, &["nrt"]);
    wait_for(|| {
        ci.job_status(pipeline, "tagged") == "success"
            && ci.job_status(pipeline, "plain") == "success"
    });
    let waiting: Vec<String> = ci
        .world
        .emulator
        .pending_jobs()
        .into_iter()
        .map(|job| job.name)
        .collect();
    assert_eq!(waiting, ["elsewhere"]);
}

/// Asks again until it is so, for some seconds at most.
fn wait_for(condition: impl Fn() -> bool) {
    let held = (0..2000).any(|_| {
        let held = condition();
        if !held {
            std::thread::yield_now();
        }
        held
    });
    assert!(held, "it did not come about");
}
