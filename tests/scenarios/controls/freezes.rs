//! Freezes: joining goes on, nothing is tried or lands but what is excepted, and the end is noticed by itself.

use serde_json::json;

use super::{facts_named, landed, pipeline, state_note, tick, waiting};
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
