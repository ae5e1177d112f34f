//! The job that publishes dies, at every request; a plain retry does what is left, and nothing twice.

use serde_json::Value;
use trainyard_emulator::faults::{Effect, Rule};

use super::{Standing, TOLD, control, done_once, landed, prepared, retried, standing};
use crate::stage::Stage;

fn died(stage: &Stage, name: &str) -> bool {
    let last = stage.last(name);
    last.failure_reason.as_deref() == Some("runner_system_failure")
}

/// Lets a job die at each of its requests in turn, retries it, and looks; returns how often it died.
fn dies_anywhere(stage: &mut Stage, name: &str, check: impl Fn(&Stage, &str)) -> u32 {
    let before = control(stage, "snapshots")["id"].as_u64().unwrap();
    for nth in 0.. {
        let _: Value = control(stage, &format!("snapshots/{before}/restore"));
        stage.world.ran.clear();
        stage.world.emulator.faults().clear();
        let kill = Rule::new(Effect::Kill).of_job(name).after(nth);
        stage.world.emulator.faults().add(kill.times(1));
        stage.run();
        let context = format!("killed at request {nth}");
        if !died(stage, name) {
            check(stage, &context);
            return nth;
        }
        let retry = retried(stage, name);
        assert_eq!(retry.exit_code, Some(0), "{context}:\n{}", retry.trace);
        check(stage, &context);
    }
    0
}

#[test]
fn a_publish_that_dies_anywhere_is_finished_by_a_plain_retry_and_does_nothing_twice() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let deaths = dies_anywhere(&mut stage, "release-publish", |stage, context| {
        assert_eq!(standing(stage), done_once(), "{context}");
    });
    assert!(deaths >= 15, "it was killed {deaths} times only");
}

#[test]
fn where_no_notes_are_kept_it_is_the_same_although_the_entry_comes_last() {
    let mut stage = landed("  released_by: [release]\n  notices: none\n");
    prepared(&mut stage);
    let deaths = dies_anywhere(&mut stage, "release-publish", |stage, context| {
        let now = standing(stage);
        let expected = Standing {
            told: 0,
            changelog: 0,
            commits: 0,
            ..done_once()
        };
        assert_eq!(now, expected, "{context}");
    });
    assert!(deaths >= 10, "it was killed {deaths} times only");
}

#[test]
fn an_abort_that_dies_anywhere_gives_the_content_back_once() {
    let mut stage = super::aborted::failed();
    let deaths = dies_anywhere(&mut stage, "release-abort", super::aborted::is_given_up);
    assert!(deaths >= 8, "it was killed {deaths} times only");
}
