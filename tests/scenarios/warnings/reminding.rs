//! Reminders by age, escalation, and `remind` itself.

use gitlab::api::endpoint_prelude::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use trainyard::ports::Clock;

use super::scene::Scene;
use crate::deaths::{Deaths, Run, run_until_death};

const TEAM: &str = "channels:\n  team: {kind: webhook, url_variable: TEAM_URL}\n  ops: {kind: webhook, url_variable: OPS_URL}\n\
    rules:\n  reminders: {channels: [team]}\n  alarms: {channels: [team]}\n  news: {channels: []}";

/// GitLab's clock stands so many hours before now: what is made there now is that old.
fn hours_ago(scene: &Scene, hours: i64) {
    let then = trainyard::clock::SystemClock.now() - SignedDuration::from_hours(hours);
    scene.stage.world.emulator.clock().set(then);
}

fn now(scene: &Scene) {
    hours_ago(scene, 0);
}

fn mentions(scene: &Scene, iid: u64) -> Vec<String> {
    let notes = scene.stage.notes(iid).into_iter();
    notes.filter(|note| note.contains("alert:")).collect()
}

fn headlines(scene: &Scene, path: &str) -> Vec<String> {
    let received = scene.receiver.at(path).into_iter();
    received
        .map(|received| {
            let value: Value = serde_json::from_str(&received.body).unwrap();
            value["data"]["headline"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn people_who_are_awaited_are_reminded_then_somebody_else_is_told_then_it_is_quiet() {
    let mut scene = Scene::with(&format!(
        "{TEAM}\nreminders:\n  validation_waiting: {{after: 2h, every: 1d, most: 2, escalate: {{after: 3d, roles: [release], channels: [ops]}}}}"
    ));
    scene.stage.feature("Wanted");
    scene.open();
    hours_ago(&scene, 1);
    let iid = scene.stage.merge_request("ana", "closes feature #1");
    scene.stage.run();
    now(&scene);
    let early = scene.remind();
    assert!(mentions(&scene, iid).is_empty());
    assert_eq!(
        early["waiting"][0]["kind"], "validation_waiting",
        "{early:#}"
    );
    assert!(early["waiting"][0]["next"].is_string(), "{early:#}");

    hours_ago(&scene, 5);
    scene.stage.push_again("ana", iid);
    scene.stage.run();
    now(&scene);
    scene.remind();
    scene.remind();
    let notes = mentions(&scene, iid);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].contains("@olga @quentin !1 has awaited validation by po, qa for 5h"),
        "{notes:?}"
    );
    assert_eq!(headlines(&scene, "T0TEAM-SECRET").len(), 1);

    hours_ago(&scene, 80);
    scene.stage.push("ana", iid, &[("shop/other.price", "3\n")]);
    scene.stage.run();
    scene.stage.play("olga", iid, "validate:po");
    now(&scene);
    scene.remind();
    scene.remind();
    let notes = mentions(&scene, iid);
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes[1].contains("@quentin !1 has awaited validation by qa for 80h"),
        "only who has not answered: {notes:?}"
    );
    assert!(
        notes[2].contains("@rita Reminders did not help: !1"),
        "{notes:?}"
    );
    let escalated = headlines(&scene, "T0OPS-SECRET");
    assert!(
        escalated.len() == 1 && escalated[0].starts_with("Reminders did not help"),
        "{escalated:?}"
    );
    assert_eq!(
        headlines(&scene, "T0TEAM-SECRET").len(),
        2,
        "each turn once"
    );
}

#[test]
fn drafts_that_nobody_works_on_and_trouble_that_nobody_answers_are_the_authors() {
    let mut scene = Scene::with(&format!(
        "{TEAM}\nreminders:\n  draft_stale: {{after: 10d, every: 1d, most: 1}}\n  alarm_unanswered: {{after: 1ms, every: 1d, most: 1}}"
    ));
    scene.stage.feature("Wanted");
    scene.open();
    hours_ago(&scene, 11 * 24);
    let draft = scene
        .stage
        .merge_request("dan", "contributes to feature #1");
    scene
        .stage
        .edit_merge_request("dan", draft, json!({"title": "Draft: later"}));
    scene.stage.run();
    now(&scene);
    let rejected = scene.rejected();
    scene.remind();
    scene.remind();
    let notes = mentions(&scene, draft);
    assert!(
        notes.len() == 1
            && notes[0].contains("@dan !1 has been a draft without a new pipeline for 264h"),
        "{notes:?}"
    );
    let notes = mentions(&scene, rejected);
    assert_eq!(notes.len(), 2, "the alarm and its reminder: {notes:?}");
    assert!(
        notes[1].contains("@eve !2 (rejected) has had no new commit"),
        "{notes:?}"
    );
    scene.stage.push_again("eve", rejected);
    scene.stage.run();
    let report = scene.remind();
    let kinds: Vec<&Value> = report["waiting"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| &w["kind"])
        .collect();
    assert_eq!(
        kinds,
        ["draft_stale"],
        "an answered alarm is none: {report:#}"
    );
}

#[test]
fn tickets_the_lease_and_a_release_that_take_too_long_are_told_to_release_managers() {
    let mut scene = Scene::with(&format!(
        "{TEAM}\nreminders:\n  ticket_waiting: {{after: 1ms, most: 1}}\n  lease_held: {{after: 1ms, most: 1}}\n  release_waiting: {{after: 1ms, most: 1}}"
    ));
    scene.stage.feature("Wanted");
    scene.open();
    let landed = scene
        .stage
        .merge_request("ana", "contributes to feature #1");
    scene.stage.integrate("ana", landed);
    scene.stage.run();
    let pipeline = scene.stage.newest_of_main();
    let prepared = scene
        .stage
        .play_in("rita", pipeline, "release-prepare")
        .unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    let held = scene
        .stage
        .merge_request("ana", "contributes to feature #1");
    let waits = scene
        .stage
        .merge_request("dan", "contributes to feature #1");
    for (author, iid) in [("ana", held), ("dan", waits)] {
        let stops = ["nrt-tests", "deploy-production"];
        let stage = &mut scene.stage;
        stage.world.run(|job| !stops.contains(&job.name.as_str()));
        assert_eq!(stage.play(author, iid, "integrate").exit_code, Some(0));
        stage.world.run(|job| !stops.contains(&job.name.as_str()));
    }
    scene.remind();
    scene.remind();
    for (iid, words) in [
        (
            landed,
            "version #1 (0.1.0) has been closed and not released",
        ),
        (held, "the NRT environment has been held by pipeline"),
        (waits, "!3 has been in the queue"),
    ] {
        let notes = mentions(&scene, iid);
        assert!(
            notes.len() == 1 && notes[0].contains("@rita ") && notes[0].contains(words),
            "{words}: {notes:?}"
        );
    }
    assert_eq!(headlines(&scene, "T0TEAM-SECRET").len(), 3);
}

#[test]
fn a_dry_run_tells_what_would_be_done_and_changes_nothing() {
    let mut scene = Scene::with(&format!(
        "{TEAM}\nreminders:\n  validation_waiting: {{after: 2h}}"
    ));
    scene.stage.feature("Wanted");
    scene.open();
    hours_ago(&scene, 5);
    let iid = scene.stage.merge_request("ana", "closes feature #1");
    scene.stage.run();
    now(&scene);
    let before = scene.stage.world.state_of_project().unwrap();
    let dry = scene.gate(&["remind", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.said);
    for expected in [
        "dry run, nothing is written: 1 reminder would be mentioned, 1 message sent to channels now",
        "!1: `olga`, `quentin` (validation_waiting",
        "`team`: reminder validation_waiting due now",
        "next reminder ",
    ] {
        assert!(dry.said.contains(expected), "{expected}\n{}", dry.said);
    }
    let broken = scene.gate_with(&[("OPS_URL", "")], &["remind", "--dry-run"]);
    assert!(
        broken
            .said
            .contains("`ops` cannot be used: the CI variable `OPS_URL` is not set"),
        "{}",
        broken.said
    );
    assert_eq!(scene.stage.world.state_of_project().unwrap(), before);
    assert!(mentions(&scene, iid).is_empty() && scene.receiver.received().is_empty());
}

#[test]
fn reminders_cost_by_what_is_open_and_not_by_what_was() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    scene.stage.feature("Wanted too");
    scene.open();
    let requests = |scene: &Scene| {
        let before = scene.stage.world.api_requests();
        scene.remind();
        scene.stage.world.api_requests() - before
    };
    let idle = requests(&scene);
    assert!(idle <= 4, "{idle} requests with nothing open");
    for feature in 1..=2 {
        scene
            .stage
            .merge_request("ana", &format!("closes feature #{feature}"));
    }
    scene.stage.run();
    let two = requests(&scene);
    assert!(
        two <= idle + 2 * 2,
        "{two} requests with two closing merge requests open"
    );
    for _ in 0..2 {
        scene
            .stage
            .merge_request("dan", "contributes to feature #1");
    }
    let four = requests(&scene);
    assert_eq!(four, two, "whoever closes nothing costs nothing");
}

/// The pipeline schedule starts its pipeline once, as at its time.
fn tick(scene: &Scene, schedule: &Value) {
    let world = &scene.stage.world;
    let play = world.at(&format!("pipeline_schedules/{}/play", schedule["id"]));
    world.ask("rita", Method::POST, &play, json!({})).unwrap();
}

fn schedule(scene: &Scene) -> Value {
    let schedule = json!({"description": "remind", "ref": "main", "cron": "*/30 * * * *", "cron_timezone": "UTC"});
    let world = &scene.stage.world;
    let at = world.at("pipeline_schedules");
    world.ask("rita", Method::POST, &at, schedule).unwrap()
}

#[test]
fn reminders_that_die_at_any_request_are_told_and_each_note_is_written_once() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    scene.open();
    let schedule = schedule(&scene);
    hours_ago(&scene, 5);
    let iid = scene.stage.merge_request("ana", "closes feature #1");
    scene.stage.run();
    now(&scene);
    let before = scene.moment();
    let deaths = Deaths::of("remind").in_turn(
        &mut scene,
        |scene| scene.restore(&before),
        |scene| {
            tick(scene, &schedule);
            run_until_death(&mut scene.stage.world, |_| true);
        },
        |scene, Run { died, context }| {
            scene.stage.run();
            if *died {
                tick(scene, &schedule);
                scene.stage.run();
            }
            assert_eq!(scene.stage.last("remind").exit_code, Some(0));
            let notes = mentions(scene, iid);
            assert_eq!(notes.len(), 1, "{context}: {notes:?}");
            let told = headlines(scene, "T0TEAM-SECRET").len();
            assert!((1..=2).contains(&told), "{context}: told {told} times");
            if !died {
                assert_eq!(told, 1, "without a death nothing is told twice");
            }
        },
    );
    assert!(deaths >= 6, "the job makes {deaths} requests");
}

#[test]
fn the_scheduled_job_of_the_template_runs_it() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    let schedule = schedule(&scene);
    tick(&scene, &schedule);
    scene.stage.run();
    let ran = scene.stage.last("remind");
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(ran.trace.contains("0 reminders mentioned"), "{}", ran.trace);
    let others: Vec<&str> = scene
        .stage
        .world
        .ran
        .iter()
        .filter(|other| other.finished.pipeline_id == ran.pipeline_id)
        .map(|other| other.finished.name.as_str())
        .collect();
    assert_eq!(
        others,
        ["remind", "tick"],
        "no other job of the templates runs on a schedule"
    );
}
