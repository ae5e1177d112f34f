//! People steer the queue: who may, what it comes to, what others read, and that an order given twice is one order.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard::demo::world::Said;
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::cuts;
use crate::outcomes::landed;
use crate::stage::Stage;

mod content;
mod during_trials;
mod freezes;
mod labels;
mod who;

/// An order from a person's own machine, with their own token.
pub(crate) fn order(stage: &Stage, person: &str, words: &[&str]) -> Said {
    let token = stage.world.token(person).unwrap().to_owned();
    let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
    stage.gate_with_token(&token, &words)
}

/// An order by a pipeline of the default branch that a person starts.
fn pipeline(stage: &mut Stage, person: &str, inputs: Value) -> FinishedJob {
    pipeline_but(stage, person, inputs, "")
}

/// The same, and everything that follows runs but for jobs of a name.
pub(crate) fn pipeline_but(
    stage: &mut Stage,
    person: &str,
    inputs: Value,
    but: &str,
) -> FinishedJob {
    let at = stage.world.at("pipeline");
    let asked = json!({"ref": "main", "inputs": inputs});
    let started = stage.world.ask(person, Method::POST, &at, asked).unwrap();
    stage.run_but(but);
    let of = |ran: &&trainyard::demo::world::Ran| started["id"] == ran.finished.pipeline_id;
    let ran = stage.world.ran.iter().rev().find(of).unwrap();
    ran.finished.clone()
}

pub(crate) fn facts_named(stage: &Stage, name: &str) -> usize {
    stage
        .facts()
        .iter()
        .filter(|fact| fact.name() == name)
        .count()
}

/// Change sets that wait, in the order of their numbers; the environment is free and no worker comes.
pub(crate) fn waiting(stage: &mut Stage, count: usize) -> Vec<u64> {
    stage.feature("Wanted");
    let iids: Vec<u64> = (0..count)
        .map(|n| {
            let author = ["ana", "dan", "eve"][n % 3];
            stage.merge_request(author, "contributes to feature #1")
        })
        .collect();
    stage.world.run(|job| job.name != "integrate");
    for (n, iid) in iids.iter().enumerate() {
        let author = ["ana", "dan", "eve"][n % 3];
        assert_eq!(stage.play(author, *iid, "integrate").exit_code, Some(0));
    }
    for iid in &iids {
        let admitted = stage.admit(*iid);
        assert_eq!(admitted.code, Some(0), "{}", admitted.said);
    }
    cancel_the_gate(stage);
    iids
}

/// Cancels the gate pipelines that wake-ups started.
pub(crate) fn cancel_the_gate(stage: &mut Stage) {
    let started = stage.world.read(
        "rita",
        &stage
            .world
            .at("pipelines?ref=main&source=trigger&per_page=100"),
    );
    for gate in started.unwrap().as_array().unwrap() {
        if gate["status"] != "success" {
            stage.cancel(gate["id"].as_u64().unwrap());
        }
    }
}

fn state_note(stage: &Stage, iid: u64) -> String {
    let notes = stage.notes(iid);
    notes
        .into_iter()
        .find(|note| note.contains("trainyard:state"))
        .unwrap_or_default()
}

#[test]
fn a_held_merge_request_is_passed_over_and_goes_on_at_its_old_rank() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 2);
    let (first, second) = (iids[0], iids[1]);
    let held = order(
        &stage,
        "rita",
        &["hold", &format!("!{first}"), "--reason", "wait for *legal*"],
    );
    assert_eq!(held.code, Some(0), "{}", held.said);
    assert!(held.said.contains("rank 1"), "{}", held.said);
    let alerts = stage
        .notes(first)
        .into_iter()
        .filter(|note| note.contains("@ana") && note.contains("is held by `rita`"));
    assert_eq!(alerts.count(), 1, "the author is told");
    let again = order(
        &stage,
        "rita",
        &["hold", &first.to_string(), "--reason", "wait for *legal*"],
    );
    assert!(
        again.code == Some(0) && again.said.contains("nothing changed"),
        "{}",
        again.said
    );
    assert_eq!(facts_named(&stage, "ChangeSetHeld"), 1);
    tick(&mut stage, "");
    assert_eq!(landed(&stage), [second]);
    let note = state_note(&stage, first);
    assert!(
        note.contains("**Not tried now**: it is held by `rita`")
            && note.contains("wait for \\*legal\\*"),
        "{note}"
    );

    let free = order(&stage, "rita", &["unhold", &first.to_string()]);
    assert_eq!(free.code, Some(0), "{}", free.said);
    assert!(
        free.said.contains("no worker was started from here"),
        "{}",
        free.said
    );
    let unheld = pipeline(
        &mut stage,
        "rita",
        json!({"trainyard_order": "unhold", "trainyard_merge_request": first.to_string()}),
    );
    assert!(
        unheld.exit_code == Some(0) && unheld.trace.contains("is not held"),
        "{}",
        unheld.trace
    );
    assert_eq!(
        landed(&stage),
        [second, first],
        "the worker that it starts takes it"
    );
}

#[test]
fn an_order_by_a_pipeline_is_given_by_whoever_started_it() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 1);
    let inputs = json!({"trainyard_order": "hold", "trainyard_merge_request": iids[0].to_string(), "trainyard_reason": "not before the fair; /close @ana `id`".replace('`', "'"), "trainyard_until": "2d"});
    let ran = pipeline(&mut stage, "rita", inputs);
    assert_eq!(
        (ran.name.as_str(), ran.exit_code),
        ("queue-hold", Some(0)),
        "{}",
        ran.trace
    );
    let held = stage
        .world
        .events()
        .unwrap()
        .into_iter()
        .find(|event| event.fact.name() == "ChangeSetHeld")
        .unwrap();
    assert_eq!(held.by.unwrap().as_str(), "rita");
    let note = state_note(&stage, iids[0]);
    assert!(
        note.contains("held until ") && note.contains("not before the fair"),
        "{note}"
    );
    assert_eq!(
        stage.state(iids[0]),
        "opened",
        "nothing of a reason is executed"
    );
    for (person, order, expected) in [
        ("rita", "withdraw", 0),
        ("rita", "withdraw", 0),
        ("rita", "force", 1),
    ] {
        let inputs = json!({"trainyard_order": order, "trainyard_merge_request": iids[0].to_string(), "trainyard_reason": "late"});
        let ran = pipeline(&mut stage, person, inputs);
        assert_eq!(
            (ran.name.as_str(), ran.exit_code),
            ("queue-order", Some(expected)),
            "{}",
            ran.trace
        );
    }
    assert_eq!(facts_named(&stage, "ChangeSetWithdrawn"), 1);
}

#[test]
fn a_forced_one_goes_first_and_everybody_reads_it() {
    let mut stage = Stage::with(&[("integration:", "nrt: {batch: 1}\nintegration:")]);
    let iids = waiting(&mut stage, 3);
    let last = iids[2];
    let inputs = json!({"trainyard_order": "force", "trainyard_merge_request": last.to_string(), "trainyard_reason": "customer is down"});
    let ran = pipeline(&mut stage, "rita", inputs);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert_eq!(landed(&stage), [last, iids[0], iids[1]]);
    assert_eq!(
        stage
            .facts()
            .iter()
            .filter(|fact| matches!(fact, Fact::TrialValidated { .. }))
            .count(),
        3,
        "nothing lands untested"
    );
}

#[test]
fn while_the_queue_is_paused_nothing_is_taken_and_everybody_reads_why() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 2);
    let paused = order(
        &stage,
        "rita",
        &["pause", "--reason", "the test database is rebuilt"],
    );
    assert_eq!(paused.code, Some(0), "{}", paused.said);
    let ticked = tick(&mut stage, "");
    assert!(
        ticked
            .trace
            .contains("none can be tried now: the queue is paused by `rita`"),
        "{}",
        ticked.trace
    );
    for iid in &iids {
        let note = state_note(&stage, *iid);
        assert!(
            note.contains("the queue is paused by `rita`")
                && note.contains("the test database is rebuilt"),
            "{note}"
        );
        assert_eq!(stage.notes(*iid).len(), 1, "by the note that is there");
    }
    let third = stage.merge_request("eve", "contributes to feature #1");
    stage.integrate("eve", third);
    stage.run();
    assert!(
        stage
            .last("nrt-acquire")
            .trace
            .contains("the queue is paused"),
        "{}",
        stage.last("nrt-acquire").trace
    );
    assert!(
        state_note(&stage, third).contains("the queue is paused"),
        "joining goes on"
    );
    let again = order(
        &stage,
        "rita",
        &["pause", "--reason", "the test database is rebuilt"],
    );
    assert!(again.said.contains("nothing changed"), "{}", again.said);
    assert_eq!(
        (landed(&stage).len(), facts_named(&stage, "QueuePaused")),
        (0, 1)
    );
    let resumed = pipeline(&mut stage, "rita", json!({"trainyard_order": "resume"}));
    assert_eq!(resumed.exit_code, Some(0), "{}", resumed.trace);
    assert_eq!(landed(&stage).len(), 3, "a worker was started");
    cuts::decide_alike(&cuts::log(&stage, &[]));
}

/// The pipeline schedule of the default branch starts its pipeline, and everything that follows runs but for jobs of a name.
pub(crate) fn tick(stage: &mut Stage, but: &str) -> FinishedJob {
    let world = &stage.world;
    let schedule = json!({"description": "tick", "ref": "main", "cron": "*/15 * * * *", "cron_timezone": "UTC"});
    let at = world.at("pipeline_schedules");
    let made = world.ask("rita", Method::POST, &at, schedule).unwrap();
    let play = world.at(&format!("pipeline_schedules/{}/play", made["id"]));
    world.ask("rita", Method::POST, &play, json!({})).unwrap();
    stage.run_but(but);
    stage.last("tick")
}
