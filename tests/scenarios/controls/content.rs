//! What a newer push does to a ticket.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use trainyard::clock::SystemClock;
use trainyard::ports::Clock;

use super::{facts_named, waiting};
use crate::stage::Stage;

/// GitLab rebases, and looks at pushes, in the background: a pipeline follows, and its first jobs become ready.
fn follows(stage: &Stage, iid: u64, before: u64) {
    let there = (0..2_000).any(|_| {
        SystemClock.wait(Duration::from_millis(5));
        let newest = stage.pipeline(iid);
        let jobs = stage.world.at(&format!("pipelines/{newest}/jobs"));
        let jobs = stage.world.read("rita", &jobs).unwrap();
        let ready = |job: &serde_json::Value| job["status"] == "pending";
        newest != before && jobs.as_array().unwrap().iter().any(ready)
    });
    assert!(there, "no pipeline follows {before}");
}

#[test]
fn the_same_content_on_a_rebased_head_keeps_its_rank_and_new_content_does_not() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 2);
    let ranks = |stage: &Stage| -> Vec<u64> {
        let queue = stage.queue();
        let tickets = queue["tickets"].as_array().unwrap();
        tickets
            .iter()
            .map(|ticket| ticket["merge_request"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ranks(&stage), iids);
    let twice = stage.admit(iids[0]);
    assert!(
        twice.code == Some(0) && twice.said.contains("in the queue already"),
        "{}",
        twice.said
    );
    stage.push_to_main("around.txt", "x\n");
    let before = stage.pipeline(iids[0]);
    let rebase = stage
        .world
        .at(&format!("merge_requests/{}/rebase", iids[0]));
    stage
        .world
        .ask("ana", Method::PUT, &rebase, json!({}))
        .unwrap();
    follows(&stage, iids[0], before);
    stage
        .world
        .run(|job| job.name != "integrate" && !job.name.starts_with("nrt"));
    assert_eq!(stage.play("ana", iids[0], "integrate").exit_code, Some(0));
    let again = stage.admit(iids[0]);
    assert!(
        again.code == Some(0) && again.said.contains("rank 1"),
        "{}",
        again.said
    );
    assert_eq!(
        (ranks(&stage), facts_named(&stage, "ChangeSetWithdrawn")),
        (iids.clone(), 0)
    );
    let before = stage.pipeline(iids[0]);
    stage.push_again("ana", iids[0]);
    follows(&stage, iids[0], before);
    stage
        .world
        .run(|job| job.name != "integrate" && !job.name.starts_with("nrt"));
    assert_eq!(stage.play("ana", iids[0], "integrate").exit_code, Some(0));
    let other = stage.admit(iids[0]);
    assert!(
        other.code == Some(0) && other.said.contains("rank 2"),
        "{}",
        other.said
    );
    assert_eq!(ranks(&stage), [iids[1], iids[0]]);
}
