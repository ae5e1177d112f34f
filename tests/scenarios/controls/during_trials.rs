//! Orders while a trial runs: what lands, what does not, and that nobody of it is lost.

use super::{facts_named, landed, order, tick, waiting};
use crate::deaths::{Deaths, Run};
use crate::stage::Stage;

/// Change sets under one trial, before its tests.
fn under_trial(stage: &mut Stage, count: usize) -> Vec<u64> {
    let iids = waiting(stage, count);
    tick(stage, "nrt-tests");
    assert_eq!(facts_named(stage, "TrialStarted"), 1);
    iids
}

#[test]
fn a_change_set_that_is_taken_out_does_not_land_and_the_others_are_tried_again() {
    let mut stage = Stage::new();
    let iids = under_trial(&mut stage, 2);
    let words = ["withdraw", &iids[0].to_string(), "--reason", "wrong branch"];
    let out = order(&stage, "rita", &words);
    assert!(
        out.code == Some(0) && out.said.contains("its trial does not land"),
        "{}",
        out.said
    );
    stage.run();
    let ran = stage.world.ran.iter();
    let mut appended = ran.filter(|ran| ran.finished.name == "append-to-version");
    let first = &appended.next().unwrap().finished;
    assert_eq!(first.exit_code, Some(1), "{}", first.trace);
    assert!(
        first.trace.contains("was taken out during it"),
        "{}",
        first.trace
    );
    assert_eq!(landed(&stage), [iids[1]]);
    assert_eq!(stage.state(iids[0]), "opened");
    let told = stage.notes(iids[0]);
    let warned = |note: &&String| note.contains("@ana") && note.contains("took it out");
    assert_eq!(told.iter().filter(warned).count(), 1, "{told:?}");
}

#[test]
fn a_change_set_that_is_taken_out_alone_does_not_land_by_gitlabs_merge_either() {
    let mut stage = Stage::with(&[("integration:", "nrt: {batch: 1}\nintegration:")]);
    let iids = under_trial(&mut stage, 1);
    let words = ["withdraw", &iids[0].to_string(), "--reason", "wrong branch"];
    assert_eq!(order(&stage, "rita", &words).code, Some(0));
    stage.run();
    let append = stage.last("append-to-version");
    assert_eq!(append.exit_code, Some(1), "{}", append.trace);
    assert_eq!(
        (landed(&stage).len(), stage.state(iids[0]).as_str()),
        (0, "opened")
    );
    assert_eq!(facts_named(&stage, "LeaseReleased"), 1);
}

#[test]
fn a_hold_during_a_trial_says_that_it_counts_from_the_next_one_on() {
    let mut stage = Stage::new();
    let iids = under_trial(&mut stage, 1);
    let words = ["hold", &iids[0].to_string(), "--reason", "wait"];
    let held = order(&stage, "rita", &words);
    assert!(
        held.code == Some(0) && held.said.contains("lands if its trial validates it"),
        "{}",
        held.said
    );
    let words = ["force", &iids[0].to_string(), "--reason", "now"];
    let forced = order(&stage, "rita", &words);
    assert!(
        forced.code == Some(1) && forced.said.contains("under trial already"),
        "{}",
        forced.said
    );
    assert_eq!(
        order(&stage, "rita", &["pause", "--reason", "later"]).code,
        Some(0)
    );
    stage.run();
    assert_eq!(landed(&stage), iids, "what is under trial lands");
    let words = ["withdraw", &iids[0].to_string(), "--reason", "late"];
    let late = order(&stage, "rita", &words);
    assert!(
        late.code == Some(1) && late.said.contains("it landed"),
        "{}",
        late.said
    );
}

#[test]
fn an_order_that_dies_at_any_request_is_given_once_and_told_once() {
    let mut stage = Stage::new();
    let iids = under_trial(&mut stage, 2);
    let before = stage.moment();
    let inputs = || serde_json::json!({"trainyard_order": "withdraw", "trainyard_merge_request": iids[0].to_string(), "trainyard_reason": "wrong"});
    let deaths = Deaths::of("queue-order").most(30).in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| {
            super::pipeline_but(stage, "rita", inputs(), "nrt-tests");
        },
        |stage, Run { died, context }| {
            if *died {
                super::pipeline_but(stage, "rita", inputs(), "nrt-tests");
            }
            assert_eq!(facts_named(stage, "ChangeSetWithdrawn"), 1, "{context}");
            let told = stage.notes(iids[0]);
            let warned = |note: &&String| note.contains("@ana") && note.contains("took it out");
            assert_eq!(told.iter().filter(warned).count(), 1, "{context}: {told:?}");
            assert!(told[0].contains("Left the queue"), "{context}: {told:?}");
        },
    );
    assert!(deaths >= 5, "the job makes {deaths} requests");
}
