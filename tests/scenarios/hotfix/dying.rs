//! The job that makes a hotfix dies, at every request and every operation of git; a plain retry ends the same.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::JobInfo;

use super::{asked_for, four_landed, head, opened, read};
use crate::deaths::{Deaths, Run, retry, run_until_death};
use crate::stage::Stage;

/// What there is of the hotfix: its merge request, the heads of the branches, and how often it was recorded.
fn made(stage: &Stage) -> (Vec<u64>, Vec<Option<String>>, usize) {
    let heads = ["hotfix", "trainyard-hotfix/v0.1.0/2-4"].map(|branch| head(stage, branch));
    (opened(stage), heads.to_vec(), asked_for(stage).len())
}

#[test]
fn a_hotfix_whose_job_dies_anywhere_is_made_once_by_a_plain_retry() {
    let mut stage = four_landed();
    let inputs = json!({"trainyard_hotfix": "!2 !4", "trainyard_reason": "nobody can pay"});
    let asked = json!({"ref": "main", "inputs": inputs});
    let at = stage.world.at("pipeline");
    stage.world.ask("rita", Method::POST, &at, asked).unwrap();
    let before = stage.moment();
    let is_it = |job: &JobInfo| job.name == "release-hotfix";
    let deaths = Deaths::of("release-hotfix").in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, is_it),
        |stage, Run { died, context }| {
            if *died {
                retry(stage, "release-hotfix");
                stage.world.run(is_it);
                let again = stage.last("release-hotfix");
                assert_eq!(again.exit_code, Some(0), "{context}:\n{}", again.trace);
            }
            let (merge_requests, heads, recorded) = made(stage);
            assert_eq!((merge_requests, recorded), (vec![5], 1), "{context}");
            assert!(heads.iter().all(Option::is_some), "{context}");
            let commits = read(stage, "merge_requests/5/commits");
            assert_eq!(commits.as_array().unwrap().len(), 2, "{context}");
        },
    );
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
