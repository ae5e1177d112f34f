//! The job that makes a hotfix dies, at every request and every operation of git; a plain retry ends the same.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};

use super::{asked_for, four_landed, head, opened, read};
use crate::stage::Stage;

/// What there is of the hotfix: its merge request, the heads of the branches, and how often it was recorded.
fn made(stage: &Stage) -> (Vec<u64>, Vec<Option<String>>, usize) {
    let heads = ["hotfix", "trainyard-hotfix/v0.1.0/2-4"].map(|branch| head(stage, branch));
    (opened(stage), heads.to_vec(), asked_for(stage).len())
}

fn retried(stage: &mut Stage, name: &str) -> trainyard_emulator::FinishedJob {
    let job = stage.last(name).id;
    let path = stage.world.at(&format!("jobs/{job}/retry"));
    stage
        .world
        .ask("rita", Method::POST, &path, json!({}))
        .unwrap();
    stage.world.run(|job| job.name == name);
    stage.last(name)
}

#[test]
fn a_hotfix_whose_job_dies_anywhere_is_made_once_by_a_plain_retry() {
    let mut stage = four_landed();
    let inputs = json!({"trainyard_hotfix": "!2 !4", "trainyard_reason": "nobody can pay"});
    let asked = json!({"ref": "main", "inputs": inputs});
    let at = stage.world.at("pipeline");
    stage.world.ask("rita", Method::POST, &at, asked).unwrap();
    let before = stage.moment();
    let mut deaths = 0;
    for nth in 0.. {
        before.restore(&mut stage.world);
        stage.world.ran.clear();
        let kill = Rule::new(Effect::Kill).of_job("release-hotfix").after(nth);
        stage.world.emulator.faults().add(kill.times(1));
        stage.world.run(|job| job.name == "release-hotfix");
        let died = stage.died();
        if died {
            let retry = retried(&mut stage, "release-hotfix");
            assert_eq!(
                retry.exit_code,
                Some(0),
                "killed at request {nth}:\n{}",
                retry.trace
            );
            deaths += 1;
        }
        let (merge_requests, heads, recorded) = made(&stage);
        assert_eq!(
            (merge_requests, recorded),
            (vec![5], 1),
            "killed at request {nth}"
        );
        assert!(heads.iter().all(Option::is_some), "killed at request {nth}");
        let commits = read(&stage, "merge_requests/5/commits");
        assert_eq!(
            commits.as_array().unwrap().len(),
            2,
            "killed at request {nth}"
        );
        if !died {
            break;
        }
    }
    assert!(deaths >= 12, "it was killed {deaths} times only");
}

#[test]
fn whoever_asks_again_finds_the_merge_request_that_is_open() {
    let mut stage = four_landed();
    super::hotfix(&mut stage, "!2 !4");
    let before = made(&stage);
    let again = super::hotfix(&mut stage, "4, 2");
    assert_eq!(again.exit_code, Some(0), "{}", again.trace);
    assert!(
        again
            .trace
            .contains("!5 is the hotfix of version 0.1.0, and is open already; nothing was pushed"),
        "{}",
        again.trace
    );
    assert_eq!(made(&stage), before);
}
