//! Resource groups: one holder at a time, the modes, and the trap of `oldest_first`.

use serde_json::{Value, json};
use trainyard_emulator::Status;

use crate::ci_world::CiWorld;

const LOCKED: &str = "job: { script: [echo], resource_group: nrt }";

fn start(ci: &CiWorld) -> u64 {
    let reply = ci
        .world
        .root
        .post(&ci.path("pipeline"), json!({ "ref": "main" }));
    reply.json()["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("{}", reply.text))
}

fn set_mode(ci: &CiWorld, mode: &str) {
    let reply = ci.world.root.put(
        &ci.path("resource_groups/nrt"),
        json!({ "process_mode": mode }),
    );
    assert_eq!(reply.json()["process_mode"], mode, "{}", reply.text);
}

#[test]
fn only_one_job_holds_the_resource_and_the_next_gets_it_then() {
    let ci = CiWorld::new(LOCKED);
    let (first, second) = (ci.latest(), start(&ci));
    assert_eq!(
        (ci.status(first), ci.status(second)),
        ("pending".into(), "waiting_for_resource".into())
    );
    let upcoming = ci
        .world
        .root
        .get(&ci.path("resource_groups/nrt/upcoming_jobs"))
        .json();
    assert_eq!(upcoming[0]["pipeline"]["id"], json!(second));
    assert_eq!(
        ci.world
            .root
            .get(&ci.path("resource_groups/nrt/current_job"))
            .status,
        404
    );
    assert_eq!(ci.world.emulator.pending_jobs().len(), 1);
    ci.must("job");
    assert_eq!(ci.job_status(second, "job"), "pending");
    ci.must("job");
    let group = ci.world.root.get(&ci.path("resource_groups/nrt")).json();
    assert_eq!(
        (&group["key"], &group["process_mode"]),
        (&json!("nrt"), &json!("unordered"))
    );
    assert_eq!(
        ci.world.root.get(&ci.path("resource_groups/odd")).error(),
        (404, json!({ "message": "404 Not found" }))
    );
    let wrong = ci.world.root.put(
        &ci.path("resource_groups/nrt"),
        json!({ "process_mode": "x" }),
    );
    assert_eq!(
        wrong.error(),
        (
            400,
            json!({ "error": "process_mode does not have a valid value" })
        )
    );
}

#[test]
fn the_newest_ready_job_goes_first_when_the_mode_says_so() {
    let ci = CiWorld::new(LOCKED);
    set_mode(&ci, "newest_ready_first");
    let (_, second, third) = (ci.latest(), start(&ci), start(&ci));
    ci.must("job");
    assert_eq!(
        (ci.job_status(third, "job"), ci.job_status(second, "job")),
        ("pending".into(), "waiting_for_resource".into())
    );
}

#[test]
fn oldest_first_waits_for_an_older_pipeline_that_nobody_plays() {
    let gated = "
stages: [gate, use]
gate: { stage: gate, script: [echo], when: manual, allow_failure: false }
job: { stage: use, script: [echo], resource_group: nrt }
";
    let ci = CiWorld::new(gated);
    let (first, second) = (ci.latest(), start(&ci));
    set_mode(&ci, "oldest_first");
    ci.play(&ci.world.root, second, "gate");
    ci.must("gate");
    assert_eq!(ci.job_status(second, "job"), "waiting_for_resource");
    assert!(ci.world.emulator.pending_jobs().is_empty());
    ci.play(&ci.world.root, first, "gate");
    ci.must("gate");
    assert_eq!(
        (ci.job_status(first, "job"), ci.job_status(second, "job")),
        ("pending".into(), "waiting_for_resource".into())
    );
    ci.must("job");
    ci.must("job");
    set_mode(&ci, "unordered");
}

#[test]
fn a_bridge_that_waits_keeps_the_resource_and_canceling_frees_it() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "go: { resource_group: nrt, trigger: { include: child.yml, strategy: depend } }",
            ),
            ("child.yml", "work: { script: [echo] }"),
        ],
    );
    let (first, second) = (ci.latest(), start(&ci));
    assert_eq!(
        (ci.job_status(first, "go"), ci.job_status(second, "go")),
        ("running".into(), "waiting_for_resource".into())
    );
    let third = start(&ci);
    let canceled = ci
        .world
        .root
        .post(&ci.path(&format!("pipelines/{second}/cancel")), json!({}))
        .json();
    assert_eq!(canceled["status"], "canceled");
    ci.must("work");
    assert_eq!(ci.job_status(third, "go"), "running");
}

#[test]
fn the_current_job_is_shown_by_servers_that_have_the_route() {
    let options = trainyard_emulator::Options {
        version: "18.6.0".parse().unwrap(),
        ..Default::default()
    };
    let ci = CiWorld::start(options);
    ci.push("main", &[(".gitlab-ci.yml", LOCKED)]);
    let current = || -> Value {
        ci.world
            .root
            .get(&ci.path("resource_groups/nrt/current_job"))
            .json()
    };
    assert_eq!(current()["name"], "job");
    assert_eq!(ci.must("job").status, Status::Success);
    assert_eq!(current(), Value::Null);
}

#[test]
fn a_canceled_job_keeps_the_resource_until_its_runner_has_stopped() {
    let ci = CiWorld::new("job: { script: [sleep 60], resource_group: nrt }");
    let (first, second) = (ci.latest(), start(&ci));
    ci.world.emulator.with_state(|state| {
        let held = state.jobs.iter_mut().find(|job| job.pipeline_id == first);
        held.unwrap().status = Status::Running;
    });
    let cancel = |how: serde_json::Value| {
        let id = ci.job_id(first, "job");
        ci.world
            .root
            .post(&ci.path(&format!("jobs/{id}/cancel")), how);
    };
    cancel(json!({}));
    assert_eq!(
        (ci.job_status(first, "job"), ci.job_status(second, "job")),
        ("canceling".into(), "waiting_for_resource".into())
    );
    cancel(json!({ "force": true }));
    assert_eq!(
        (ci.job_status(first, "job"), ci.job_status(second, "job")),
        ("canceled".into(), "pending".into())
    );
}

#[test]
fn a_lost_assignment_leaves_everybody_waiting_until_another_job_comes() {
    let ci = CiWorld::new(LOCKED);
    let second = start(&ci);
    ci.world
        .emulator
        .with_state(|state| state.limits.lost_resource_assignments = 1);
    ci.must("job");
    assert_eq!(ci.job_status(second, "job"), "waiting_for_resource");
    assert!(ci.world.emulator.pending_jobs().is_empty());
    let third = start(&ci);
    assert_eq!(
        (ci.job_status(second, "job"), ci.job_status(third, "job")),
        ("pending".into(), "waiting_for_resource".into())
    );
}

#[test]
fn a_resource_that_was_not_given_back_is_free_after_five_minutes() {
    let ci = CiWorld::new(LOCKED);
    let second = start(&ci);
    ci.world
        .emulator
        .with_state(|state| state.limits.lost_resource_releases = 1);
    ci.must("job");
    assert_eq!(ci.job_status(second, "job"), "waiting_for_resource");
    let minutes = jiff::SignedDuration::from_mins;
    ci.world.emulator.clock().advance(minutes(4));
    assert_eq!(ci.job_status(second, "job"), "waiting_for_resource");
    ci.world.emulator.clock().advance(minutes(2));
    assert_eq!(ci.job_status(second, "job"), "pending");
}

#[test]
fn newest_first_waits_for_a_newer_pipeline_that_is_not_ready() {
    let gated = "
stages: [gate, use]
gate: { stage: gate, script: [echo], when: manual, allow_failure: false }
job: { stage: use, script: [echo], resource_group: nrt }
";
    let ci = CiWorld::new(gated);
    let (first, second) = (ci.latest(), start(&ci));
    set_mode(&ci, "newest_first");
    ci.play(&ci.world.root, first, "gate");
    ci.must("gate");
    assert_eq!(ci.job_status(first, "job"), "waiting_for_resource");
    ci.play(&ci.world.root, second, "gate");
    ci.must("gate");
    assert_eq!(
        (ci.job_status(first, "job"), ci.job_status(second, "job")),
        ("waiting_for_resource".into(), "pending".into())
    );
}

#[test]
fn a_project_chooses_the_mode_of_its_new_groups() {
    let ci = CiWorld::empty();
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "resource_group_default_process_mode": "oldest_first" }),
    );
    ci.push("main", &[(".gitlab-ci.yml", LOCKED)]);
    let group = ci.world.root.get(&ci.path("resource_groups/nrt")).json();
    assert_eq!(group["process_mode"], "oldest_first");
}
