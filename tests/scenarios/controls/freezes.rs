//! Freezes: joining goes on, nothing is tried or lands but what is excepted, and the end is noticed by itself.

use serde_json::json;

use super::{facts_named, landed, order, pipeline, state_note, tick, waiting};
use crate::stage::Stage;

const CONFIGURATION: &str = include_str!("../../../src/demo/project/trainyard.yml");
/// A freeze whose end no run of these tests sees.
const FROZEN: &str = "integration:\n  freezes:\n  - {name: year's end, from: '2020-01-01', to: '2100-01-01 06:00', reason: 'nobody is *here*'}\n";

fn frozen() -> Stage {
    Stage::with(&[("integration:\n", FROZEN)])
}

#[test]
fn what_waits_during_a_freeze_is_served_by_the_tick_that_sees_its_end() {
    let mut stage = frozen();
    let iids = waiting(&mut stage, 2);
    let note = state_note(&stage, iids[0]);
    assert!(
        note.contains(
            "its lane is frozen until 2100-01-01 06:00 UTC (year's end: nobody is \\*here\\*)"
        ),
        "{note}"
    );
    let ticked = tick(&mut stage, "");
    assert!(
        ticked.trace.contains("none can be tried now: frozen until"),
        "{}",
        ticked.trace
    );
    assert_eq!(landed(&stage), [0; 0]);
    let hotfix = stage.merge_request("eve", "contributes to feature #1");
    stage.edit_merge_request("eve", hotfix, json!({"labels": "hotfix"}));
    stage.integrate("eve", hotfix);
    stage.run();
    assert_eq!(landed(&stage), [hotfix], "that lane goes on");
    let released = stage.last("append-to-version").trace;
    assert!(released.contains("none can be tried now"), "{released}");
    stage.push_to_main(".trainyard.yml", CONFIGURATION);
    tick(&mut stage, "");
    assert_eq!(landed(&stage), [hotfix, iids[0], iids[1]]);
}

#[test]
fn only_what_is_forced_through_a_freeze_is_tried_during_it() {
    let mut stage = frozen();
    let iids = waiting(&mut stage, 2);
    let force = |order: &str, iid: u64| json!({"trainyard_order": order, "trainyard_merge_request": iid.to_string(), "trainyard_reason": "it burns"});
    let ran = pipeline(&mut stage, "rita", force("force", iids[0]));
    assert!(
        ran.exit_code == Some(0) && ran.trace.contains("frozen until"),
        "{}",
        ran.trace
    );
    assert_eq!(landed(&stage), [0; 0]);
    let ran = pipeline(&mut stage, "rita", force("force --through-freeze", iids[1]));
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert_eq!(landed(&stage), [iids[1]]);
    assert_eq!(facts_named(&stage, "TrialValidated"), 1);
}

#[test]
fn a_trial_that_is_validated_during_a_freeze_waits_or_lands_as_the_project_says() {
    for (under_trial, lands) in [("waits", false), ("lands", true)] {
        let mut stage = Stage::with(&[("integration:", "nrt: {batch: 1}\nintegration:")]);
        let iids = waiting(&mut stage, 1);
        tick(&mut stage, "append-to-version");
        let freeze = FROZEN.replace("name:", &format!("under_trial: {under_trial}, name:"));
        let configuration = CONFIGURATION.replace("integration:\n", &freeze);
        let environment = edited(&stage, &configuration);
        let said = stage
            .world
            .program(&environment, &["append-to-version", "--epoch", "1"])
            .unwrap();
        assert_eq!(
            (said.code, landed(&stage)),
            if lands {
                (Some(0), iids.clone())
            } else {
                (Some(1), Vec::new())
            },
            "{}",
            said.said
        );
        if !lands {
            assert!(said.said.contains("frozen until"), "{}", said.said);
            let waits = stage.queue();
            assert_eq!(waits["tickets"][0]["merge_request"], iids[0]);
        }
    }
}

/// The environment of a gate job whose commit holds another configuration; the target itself does not move.
fn edited(stage: &Stage, configuration: &str) -> Vec<(String, String)> {
    let files = [(".trainyard.yml".to_owned(), configuration.to_owned())];
    let pushed = stage
        .world
        .push("root", "frozen", "Freeze", &files, &[])
        .unwrap();
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| key != "CI_COMMIT_SHA" && key != "CI_PROJECT_DIR");
    let clone = stage.world.folder().join("clones/root");
    environment.push(("CI_COMMIT_SHA".to_owned(), pushed));
    environment.push(("CI_PROJECT_DIR".to_owned(), clone.display().to_string()));
    environment
}

#[test]
fn the_queue_tells_until_when_it_is_frozen_and_why() {
    let mut stage = frozen();
    let iids = waiting(&mut stage, 1);
    let told = stage.queue()["tickets"][0]["reasons"][0].clone();
    assert_eq!(told["kind"], "frozen");
    assert_eq!(told["until"], "2100-01-01T06:00:00Z");
    assert_eq!(told["order"]["reason"], "nobody is *here*");
    let text = stage.gate(&["queue"]).said;
    let words = "waits: frozen until 2100-01-01 06:00 UTC (year's end: nobody is *here*)";
    assert!(text.contains(words), "{text}");
    let page = page(&stage);
    assert!(page.contains("frozen until 2100-01-01 06:00 UTC"), "{page}");
    let held = order(
        &stage,
        "rita",
        &[
            "hold",
            &iids[0].to_string(),
            "--reason",
            "not before the fair",
            "--until",
            "2101-01-01 06:00",
        ],
    );
    assert_eq!(held.code, Some(0), "{}", held.said);
    let told = stage.queue()["tickets"][0]["reasons"][0].clone();
    assert_eq!(told["kind"], "held", "{told}");
    assert_eq!(told["until"], "2101-01-01T06:00:00Z");
    assert_eq!(told["order"]["by"], "rita");
    assert_eq!(told["order"]["reason"], "not before the fair");
}

#[test]
fn the_queue_tells_who_paused_it_and_why() {
    let mut stage = Stage::new();
    waiting(&mut stage, 1);
    let paused = order(
        &stage,
        "rita",
        &["pause", "--reason", "the <b>database</b> moves"],
    );
    assert_eq!(paused.code, Some(0), "{}", paused.said);
    let queue = stage.queue();
    assert_eq!(queue["paused"]["by"], "rita");
    assert_eq!(queue["paused"]["reason"], "the <b>database</b> moves");
    assert!(queue["paused"]["since"].is_string(), "{queue:#}");
    assert_eq!(queue["tickets"][0]["reasons"][0]["kind"], "paused");
    let text = stage.gate(&["queue"]).said;
    assert!(
        text.contains("Paused: the queue is paused by `rita` since "),
        "{text}"
    );
    assert!(
        text.contains("nothing new is tried until somebody resumes it"),
        "{text}"
    );
    let page = page(&stage);
    assert!(
        page.contains("<dt>Paused</dt><dd>the queue is paused by "),
        "{page}"
    );
    assert!(!page.contains("<b>database"), "{page}");
    order(&stage, "rita", &["resume"]);
    assert!(stage.queue()["paused"].is_null());
}

fn page(stage: &Stage) -> String {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("queue.html");
    let written = stage.gate(&["queue", "--html", page.to_str().unwrap()]);
    assert_eq!(written.code, Some(0), "{}", written.said);
    std::fs::read_to_string(page).unwrap()
}
