//! The job that archives dies, at every request: the next one goes on where it stopped, nothing is lost, and nothing is told twice.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;

use super::{archive_and_remove, entries, half_an_hour_later, in_full_swing, keys, told};
use crate::deaths::{Deaths, Run};
use crate::stage::Stage;

/// A pipeline schedule of the default branch, for ticks that die as jobs do.
fn schedule(stage: &Stage) -> u64 {
    let schedule = json!({"description": "tick", "ref": "main", "cron": "*/15 * * * *", "cron_timezone": "UTC"});
    let at = stage.world.at("pipeline_schedules");
    let made = stage
        .world
        .ask("rita", Method::POST, &at, schedule)
        .unwrap();
    made["id"].as_u64().unwrap()
}

fn tick_of(stage: &mut Stage, schedule: u64) -> bool {
    let play = stage
        .world
        .at(&format!("pipeline_schedules/{schedule}/play"));
    stage
        .world
        .ask("rita", Method::POST, &play, json!({}))
        .unwrap();
    stage.world.run(|job| job.name == "tick");
    stage.last("tick").exit_code == Some(0)
}

/// Lets the next tick die at each of its requests from one on, as many as are asked for or it makes.
fn dies_at_each(stage: &mut Stage, schedule: u64, first: u32, most: u32) -> u32 {
    let expected = told(stage);
    let before = stage.moment();
    let deaths = Deaths::of("tick").after(first).most(most).in_turn(
        stage,
        |stage| before.restore(&mut stage.world),
        |stage| {
            tick_of(stage, schedule);
        },
        |stage, Run { context, .. }| {
            assert_eq!(told(stage), expected, "{context}: right after it");
            archive_and_remove(stage);
            assert_eq!(told(stage), expected, "{context}");
            assert_eq!(entries(stage), 0, "{context}");
            let bases = keys(stage)
                .iter()
                .filter(|key| key.starts_with("TRAINYARD_BASE_"))
                .count();
            assert_eq!(bases, 1, "{context}");
        },
    );
    before.restore(&mut stage.world);
    deaths
}

#[test]
fn an_archiver_that_dies_anywhere_is_gone_on_with() {
    let (mut stage, _) = in_full_swing();
    let schedule = schedule(&stage);
    // What a tick asks before it archives is tested elsewhere.
    let deaths = dies_at_each(&mut stage, schedule, 3, 40);
    assert!(deaths >= 10, "it was killed {deaths} times only");
}

#[test]
fn a_job_that_removes_and_dies_anywhere_is_gone_on_with() {
    let (mut stage, _) = in_full_swing();
    let schedule = schedule(&stage);
    assert!(tick_of(&mut stage, schedule));
    let clearing = dies_at_each(&mut stage, schedule, 4, 8);
    assert!(clearing >= 2, "it was killed {clearing} times only");
    assert!(tick_of(&mut stage, schedule));
    half_an_hour_later(&stage);
    let removing = dies_at_each(&mut stage, schedule, 4, 6);
    assert_eq!(removing, 6);
}
