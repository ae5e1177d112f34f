//! The scheduled look at the queue: what nobody presses again goes on all the same.

use reqwest::Method;
use serde_json::json;
use trainyard::domain::event::Fact;

use crate::deaths::{Deaths, run_until_death};
use crate::stage::Stage;

fn landed(stage: &Stage, iid: u64) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::ChangeSetAppended { appended, .. } if appended.change_set.merge_request.iid == iid);
    stage.facts().iter().filter(of).count()
}

/// The gate pipeline that somebody's wake-up started is cancelled before any job of it runs.
fn lose_the_wake_up(stage: &mut Stage) {
    let world = &stage.world;
    let started = world.read("rita", &world.at("pipelines?ref=main&source=trigger"));
    let gate = started.unwrap()[0]["id"].as_u64().unwrap();
    stage.cancel(gate);
    stage.run();
}

/// The pipeline schedule of the default branch starts its pipeline, and what waits runs.
fn tick(stage: &mut Stage) {
    ask_for_a_tick(stage);
    stage.run();
}

fn ask_for_a_tick(stage: &Stage) {
    let world = &stage.world;
    let schedule = json!({"description": "tick", "ref": "main", "cron": "*/15 * * * *", "cron_timezone": "UTC"});
    let at = world.at("pipeline_schedules");
    let made = world.ask("rita", Method::POST, &at, schedule).unwrap();
    let play = world.at(&format!("pipeline_schedules/{}/play", made["id"]));
    world.ask("rita", Method::POST, &play, json!({})).unwrap();
}

#[test]
fn a_request_whose_wake_up_was_lost_is_admitted_and_served() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    lose_the_wake_up(&mut stage);
    assert_eq!(landed(&stage, iid), 0);
    assert!(stage.queue()["tickets"].as_array().unwrap().is_empty());
    tick(&mut stage);
    let said = stage.last("tick").trace;
    assert!(said.contains("started a worker: 1 in the queue"), "{said}");
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1)
    );
    let again = stage.gate(&["tick"]);
    assert!(
        again.code == Some(0) && again.said.contains("nothing waits for the NRT environment"),
        "{}",
        again.said
    );
}

#[test]
fn an_environment_whose_holder_is_gone_is_taken_over() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    let held = stage.gate(&["tick"]);
    assert!(
        held.code == Some(0) && held.said.contains("has the NRT environment (lease 1)"),
        "{}",
        held.said
    );
    let worker = stage.queue()["environment"]["lease"]["pipeline"]
        .as_u64()
        .unwrap();
    stage.cancel(worker);
    tick(&mut stage);
    let said = stage.last("tick").trace;
    assert!(said.contains("started a worker: pipeline"), "{said}");
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1)
    );
}

#[test]
fn a_tick_that_dies_at_any_request_loses_nothing_and_does_nothing_twice() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    lose_the_wake_up(&mut stage);
    let before = stage.moment();
    let deaths = Deaths::of("tick").in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| {
            ask_for_a_tick(stage);
            run_until_death(&mut stage.world, |_| true);
        },
        |stage, death| {
            if death.died {
                tick(stage);
            }
            assert_eq!(
                (stage.state(iid).as_str(), landed(stage, iid)),
                ("merged", 1),
                "{}",
                death.context
            );
        },
    );
    assert!(deaths >= 6, "the job makes {deaths} requests");
}
