//! A release that nobody plays: a schedule or a program starts it, where there is anything to release.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::FinishedJob;

use super::{TOLD, landed, read};
use crate::stage::Stage;

/// Somebody starts something that makes a pipeline; the jobs of that pipeline that ran.
fn started(stage: &mut Stage, who: &str, path: &str, body: Value) -> Vec<FinishedJob> {
    let before = newest(stage);
    let path = stage.world.at(path);
    stage.world.ask(who, Method::POST, &path, body).unwrap();
    stage.run();
    let ran = stage.world.ran.iter().map(|one| &one.finished);
    ran.filter(|job| job.pipeline_id > before)
        .cloned()
        .collect()
}

fn newest(stage: &Stage) -> u64 {
    read(stage, "pipelines?order_by=id&sort=desc&per_page=1")[0]["id"]
        .as_u64()
        .unwrap()
}

fn job<'j>(jobs: &'j [FinishedJob], name: &str) -> &'j FinishedJob {
    let found = jobs.iter().rev().find(|job| job.name == name);
    found.unwrap_or_else(|| {
        let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
        panic!("{name} did not run; these did: {names:?}")
    })
}

#[test]
fn a_schedule_releases_what_there_is_and_ends_well_where_there_is_nothing() {
    let mut stage = landed(TOLD);
    let schedule = json!({
        "description": "weekly release", "ref": "main", "cron": "0 6 * * 1", "inputs": {"trainyard_release": "now"},
    });
    let schedules = stage.world.at("pipeline_schedules");
    let made = stage.world.ask("rita", Method::POST, &schedules, schedule);
    let play = format!("pipeline_schedules/{}/play", made.unwrap()["id"]);
    let jobs = started(&mut stage, "rita", &play, json!({}));
    let prepared = job(&jobs, "release-prepare");
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    let published = job(&jobs, "release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    assert!(
        published.trace.contains("version 0.1.0 is released"),
        "{}",
        published.trace
    );
    assert_eq!(super::standing(&stage), super::done_once());

    let jobs = started(&mut stage, "rita", &play, json!({}));
    for (name, words) in [
        (
            "release-prepare",
            "nothing has landed since the last release; there is nothing to release",
        ),
        (
            "deploy-production",
            "there is nothing to release, so nothing is deployed",
        ),
        (
            "release-publish",
            "there was nothing to release; nothing was changed",
        ),
    ] {
        let ended = job(&jobs, name);
        assert_eq!(ended.exit_code, Some(0), "{name}: {}", ended.trace);
        assert!(ended.trace.contains(words), "{name}: {}", ended.trace);
    }
    let deployed = &job(&jobs, "deploy-production").trace;
    assert!(!deployed.contains("deploying version"), "{deployed}");
    assert!(!jobs.iter().any(|job| job.name == "release-abort"));
    let pipeline = read(&stage, &format!("pipelines/{}", newest(&stage)));
    assert_eq!(pipeline["status"], "success");
    assert_eq!(super::standing(&stage), super::done_once());
}

#[test]
fn a_program_starts_a_release_with_an_input_and_whoever_may_not_release_is_refused() {
    let mut stage = landed(TOLD);
    let now = json!({"ref": "main", "inputs": {"trainyard_release": "now"}});
    let jobs = started(&mut stage, "root", "pipeline", now.clone());
    let refused = job(&jobs, "release-prepare");
    assert_eq!(refused.exit_code, Some(1), "{}", refused.trace);
    assert!(
        refused.trace.contains("`root` may not release"),
        "{}",
        refused.trace
    );
    assert!(!jobs.iter().any(|job| job.name == "deploy-production"));
    let jobs = started(&mut stage, "rita", "pipeline", now);
    let published = job(&jobs, "release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    assert_eq!(super::standing(&stage), super::done_once());
}
