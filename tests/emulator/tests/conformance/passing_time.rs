//! What comes with the emulator's clock alone.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::client::Client;

const JOB: &str = "job: { script: [echo by $CI_PIPELINE_SOURCE as $GITLAB_USER_LOGIN] }";

fn at(ci: &CiWorld, time: &str) {
    let time: Timestamp = time.parse().unwrap();
    ci.world.emulator.clock().set(time);
}

/// A schedule for every day at six, of somebody.
fn schedule(ci: &CiWorld, client: &Client) -> Value {
    let body = json!({ "description": "nightly", "ref": "main", "cron": "0 6 * * *" });
    let made = client.post(&ci.path("pipeline_schedules"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn scheduled(ci: &CiWorld) -> usize {
    let path = ci.path("pipelines?source=schedule");
    ci.world.root.get(&path).json().as_array().unwrap().len()
}

#[test]
fn a_schedule_runs_as_its_owner_when_it_is_due_and_once_however_late() {
    let ci = CiWorld::new(JOB);
    ci.must("job");
    at(&ci, "2026-01-05T05:00:00Z");
    let (_, ana) = ci.world.member(ci.project, "ana", 40);
    let made = schedule(&ci, &ana);
    assert_eq!(made["next_run_at"], "2026-01-05T06:00:00.000Z");
    at(&ci, "2026-01-05T05:59:59Z");
    assert_eq!(scheduled(&ci), 0);
    at(&ci, "2026-01-05T06:00:00Z");
    assert_eq!(scheduled(&ci), 1);
    assert!(ci.must("job").trace.contains("by schedule as ana"));
    let path = ci.path(&format!("pipeline_schedules/{}", made["id"]));
    let shown = ci.world.root.get(&path).json();
    assert_eq!(shown["next_run_at"], "2026-01-06T06:00:00.000Z");
    assert_eq!(shown["last_pipeline"]["source"], "schedule");
    at(&ci, "2026-01-20T12:00:00Z");
    assert_eq!(scheduled(&ci), 2);
}

#[test]
fn a_schedule_that_is_switched_off_or_whose_owner_is_blocked_rests() {
    let ci = CiWorld::new(JOB);
    at(&ci, "2026-01-05T05:00:00Z");
    let (id, ana) = ci.world.member(ci.project, "ana", 40);
    let own = schedule(&ci, &ci.world.root);
    let path = ci.path(&format!("pipeline_schedules/{}", own["id"]));
    ci.world.root.put(&path, json!({ "active": false }));
    let hers = schedule(&ci, &ana);
    let started = ana
        .post(&ci.path("pipeline"), json!({ "ref": "main" }))
        .json();
    let blocked = ci.world.root.post(&format!("users/{id}/block"), json!({}));
    assert_eq!(blocked.status, 201);
    let path = ci.path(&format!("pipeline_schedules/{}", hers["id"]));
    assert_eq!(ci.world.root.get(&path).json()["active"], false);
    let job = ci.job(started["id"].as_u64().unwrap(), "job");
    assert_eq!(
        (&job["status"], &job["failure_reason"]),
        (&json!("failed"), &json!("user_blocked"))
    );
    at(&ci, "2026-01-07T06:00:00Z");
    assert_eq!(scheduled(&ci), 0);
}

#[test]
fn artifacts_go_when_they_expire_unless_they_are_the_latest() {
    let ci = CiWorld::new(
        "job: { script: [echo x > x.txt], artifacts: { paths: [x.txt], expire_in: 1 day } }",
    );
    let old = ci.must("job").id;
    ci.push("main", &[("more", "1")]);
    let new = ci.must("job").id;
    let stays = |job: u64| {
        let path = ci.path(&format!("jobs/{job}/artifacts"));
        ci.world.root.get(&path).status == 200
    };
    ci.world
        .emulator
        .clock()
        .advance(SignedDuration::from_hours(23));
    assert!(stays(old) && stays(new));
    ci.world
        .emulator
        .clock()
        .advance(SignedDuration::from_hours(2));
    assert!(!stays(old) && stays(new));
    let shown = ci.world.root.get(&ci.path(&format!("jobs/{old}"))).json();
    assert_eq!(shown["artifacts"][0]["file_type"], "trace");
    assert_eq!(shown["artifacts"].as_array().unwrap().len(), 1);
    let keep = json!({ "keep_latest_artifact": false });
    ci.world.root.put(&format!("projects/{}", ci.project), keep);
    ci.world
        .emulator
        .clock()
        .advance(SignedDuration::from_secs(1));
    assert!(!stays(new));
}

const REVIEW: &str = "
deploy:
  stage: deploy
  script: [echo]
  environment: { name: review/$CI_COMMIT_REF_SLUG, on_stop: stop, auto_stop_in: 1 day }
stop:
  stage: deploy
  script: [echo stopped]
  when: manual
  variables: { GIT_STRATEGY: none }
  environment: { name: review/$CI_COMMIT_REF_SLUG, action: stop }
";

fn environment(ci: &CiWorld) -> Value {
    let list = ci.world.root.get(&ci.path("environments")).json();
    let id = &list[0]["id"];
    let path = ci.path(&format!("environments/{id}"));
    ci.world.root.get(&path).json()
}

#[test]
fn an_environment_stops_of_itself_by_its_stop_job() {
    let ci = CiWorld::new(REVIEW);
    at(&ci, "2026-01-05T05:00:00Z");
    ci.must("deploy");
    assert_eq!(environment(&ci)["auto_stop_at"], "2026-01-06T05:00:00.000Z");
    at(&ci, "2026-01-06T05:00:00Z");
    assert_eq!(environment(&ci)["state"], "stopping");
    ci.must("stop");
    assert_eq!(environment(&ci)["state"], "stopped");
}

#[test]
fn a_deleted_branch_stops_what_was_deployed_from_it() {
    let ci = CiWorld::new("other: { script: [echo] }");
    ci.push("feature", &[(".gitlab-ci.yml", REVIEW)]);
    ci.must("deploy");
    assert_eq!(environment(&ci)["state"], "available");
    let gone = ci
        .world
        .root
        .delete(&ci.path("repository/branches/feature"));
    assert_eq!(gone.status, 204);
    assert_eq!(environment(&ci)["state"], "stopping");
    ci.must("stop");
    assert_eq!(environment(&ci)["state"], "stopped");
}

#[test]
fn a_merge_stops_what_the_pipeline_of_the_merge_request_deployed() {
    let only = "workflow: { rules: [{ if: $CI_PIPELINE_SOURCE == 'merge_request_event' }] }";
    let ci = CiWorld::new(&format!("{only}\n{REVIEW}"));
    ci.push("feature", &[("a", "1")]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "a" });
    ci.world.root.post(&ci.path("merge_requests"), body);
    ci.must("deploy");
    ci.world.emulator.settle();
    let merged = ci
        .world
        .root
        .put(&ci.path("merge_requests/1/merge"), json!({}));
    assert_eq!(merged.status, 200, "{}", merged.text);
    assert_eq!(environment(&ci)["state"], "stopping");
}

#[test]
fn an_environment_is_stopped_by_hand_through_its_job_or_by_force() {
    let ci = CiWorld::new(REVIEW);
    ci.must("deploy");
    let path = ci.path(&format!("environments/{}/stop", environment(&ci)["id"]));
    let asked = ci.world.root.post(&path, json!({})).json();
    assert_eq!(asked["state"], "stopping");
    let forced = ci.world.root.post(&path, json!({ "force": true })).json();
    assert_eq!(forced["state"], "stopped");
}

#[test]
fn a_merge_that_was_held_back_until_an_instant_happens_then() {
    let ci = CiWorld::new("other: { script: [echo] }");
    at(&ci, "2026-01-05T05:00:00Z");
    ci.push("feature", &[("a", "1")]);
    let body = json!({
        "source_branch": "feature", "target_branch": "main", "title": "a", "merge_after": "2026-01-05T06:00:00Z",
    });
    ci.world.root.post(&ci.path("merge_requests"), body);
    ci.run_all();
    ci.world.emulator.settle();
    let path = ci.path("merge_requests/1");
    let waits = ci
        .world
        .root
        .put(&format!("{path}/merge"), json!({ "auto_merge": true }));
    assert_eq!(waits.json()["state"], "opened", "{}", waits.text);
    at(&ci, "2026-01-05T06:00:00Z");
    assert_eq!(ci.world.root.get(&path).json()["state"], "merged");
}

#[test]
fn jobs_of_old_pipelines_are_archived_when_the_instance_says_so() {
    let ci = CiWorld::new("{ one: { script: [echo] }, two: { script: [echo], when: manual } }");
    let done = ci.must("one").id;
    let waits = ci.job_id(ci.latest(), "two");
    ci.world
        .emulator
        .with_state(|state| state.limits.archive_jobs_after = Some(86_400));
    let hours = SignedDuration::from_hours;
    ci.world.emulator.clock().advance(hours(25));
    for (job, what) in [(done, "retry"), (waits, "play")] {
        let path = ci.path(&format!("jobs/{job}"));
        assert_eq!(ci.world.root.get(&path).json()["archived"], true);
        let reply = ci.world.root.post(&format!("{path}/{what}"), json!({}));
        assert_eq!(reply.status, 403, "{}", reply.text);
    }
}

#[test]
fn pipelines_begun_in_a_freeze_say_so_to_their_jobs() {
    let ci = CiWorld::new("job: { script: ['echo \"freeze=${CI_DEPLOY_FREEZE-no}\"'] }");
    assert!(ci.must("job").trace.contains("freeze=no"));
    let body = json!({ "freeze_start": "0 23 * * 5", "freeze_end": "0 7 * * 1" });
    ci.world.root.post(&ci.path("freeze_periods"), body);
    // A Saturday.
    at(&ci, "2026-01-10T12:00:00Z");
    ci.world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "main" }));
    assert!(ci.must("job").trace.contains("freeze=true"));
}

#[test]
fn old_pipelines_go_where_the_project_says_so_and_unfinished_ones_stay() {
    let ci = CiWorld::new("job: { script: [echo] }");
    ci.must("job");
    let old = ci.latest();
    let limit = json!({ "ci_delete_pipelines_in_seconds": 86_400 });
    ci.world
        .root
        .put(&format!("projects/{}", ci.project), limit);
    ci.push("main", &[("more", "1")]);
    let unfinished = ci.latest();
    let clock = ci.world.emulator.clock();
    clock.advance(SignedDuration::from_hours(23));
    let status = |pipeline: u64| {
        let path = ci.path(&format!("pipelines/{pipeline}"));
        ci.world.root.get(&path).status
    };
    assert_eq!(status(old), 200);
    clock.advance(SignedDuration::from_mins(59));
    assert_eq!(status(old), 200);
    clock.advance(SignedDuration::from_mins(2));
    assert_eq!((status(old), status(unfinished)), (404, 200));
}
