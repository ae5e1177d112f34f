//! People steer the queue: who may, what it comes to, what others read, and that an order given twice is one order.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard::demo::world::Said;
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

mod during_trials;
mod freezes;

/// An order from a person's own machine, with their own token.
pub(crate) fn order(stage: &Stage, person: &str, words: &[&str]) -> Said {
    let token = stage.world.token(person).unwrap().to_owned();
    let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
    stage.gate_with_token(&token, &words)
}

/// An order by a pipeline of the default branch that a person starts.
fn pipeline(stage: &mut Stage, person: &str, inputs: Value) -> FinishedJob {
    let at = stage.world.at("pipeline");
    let asked = json!({"ref": "main", "inputs": inputs});
    let started = stage.world.ask(person, Method::POST, &at, asked).unwrap();
    stage.run();
    let of = |ran: &&trainyard::demo::world::Ran| started["id"] == ran.finished.pipeline_id;
    let ran = stage.world.ran.iter().rev().find(of).unwrap();
    ran.finished.clone()
}

pub(crate) fn landed(stage: &Stage) -> Vec<u64> {
    let of = |fact: Fact| match fact {
        Fact::ChangeSetAppended { appended, .. } => Some(appended.change_set.merge_request.iid),
        _ => None,
    };
    stage.facts().into_iter().filter_map(of).collect()
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
    let note = state_note(&stage, first);
    assert!(
        note.contains("**Not tried now**: it is held by `rita`")
            && note.contains("wait for \\*legal\\*"),
        "{note}"
    );
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
fn hostile_reasons_never_reach_a_shell_or_a_variable() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 1);
    let at = stage.world.at("pipeline");
    for reason in [
        "$TRAINYARD_GATE_TOKEN",
        "`id`",
        "\"; id",
        "a\nscript: [id]",
        "\\",
    ] {
        let inputs = json!({"trainyard_order": "hold", "trainyard_merge_request": iids[0].to_string(), "trainyard_reason": reason});
        let reply = stage
            .world
            .reply(
                "rita",
                Method::POST,
                &at,
                json!({"ref": "main", "inputs": inputs}),
            )
            .unwrap();
        assert_eq!(reply.status, 400, "{reason}: {}", reply.text());
    }
    for (input, value) in [
        ("trainyard_merge_request", "1; id"),
        ("trainyard_order", "hold; id"),
        ("trainyard_until", "$(id)"),
    ] {
        let reply = stage
            .world
            .reply(
                "rita",
                Method::POST,
                &at,
                json!({"ref": "main", "inputs": {input: value}}),
            )
            .unwrap();
        assert_eq!(reply.status, 400, "{value}: {}", reply.text());
    }
    let inputs = json!({"trainyard_order": "hold", "trainyard_merge_request": iids[0].to_string(), "trainyard_reason": "it's 50% & <b>done</b>; rm -rf *"});
    let ran = pipeline(&mut stage, "rita", inputs);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    let Some(Fact::ChangeSetHeld { order, .. }) = stage
        .facts()
        .into_iter()
        .find(|fact| fact.name() == "ChangeSetHeld")
    else {
        panic!()
    };
    assert_eq!(order.reason, "it's 50% & <b>done</b>; rm -rf *");
}

#[test]
fn a_trigger_token_orders_nothing() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 1);
    let mut environment = stage.world.gate_environment();
    environment.push(("CI_PIPELINE_SOURCE".into(), "trigger".into()));
    environment.retain(|(key, _)| key != "TRAINYARD_GATE_TOKEN");
    environment.push((
        "TRAINYARD_GATE_TOKEN".into(),
        stage.world.token("rita").unwrap().to_owned(),
    ));
    let words = ["queue", "withdraw", &iids[0].to_string(), "--reason", "x"];
    let said = stage.world.program(&environment, &words).unwrap();
    assert!(
        said.code == Some(1) && said.said.contains("trigger token"),
        "{}",
        said.said
    );
    assert_eq!(facts_named(&stage, "ChangeSetWithdrawn"), 0);
}

#[test]
fn whoever_may_not_is_refused_by_name_and_nothing_changes() {
    let mut stage = Stage::with(&[("integration:", "integration:\n  controlled_by: [release]")]);
    let iids = waiting(&mut stage, 2);
    let own = iids[0].to_string();
    let other = iids[1].to_string();
    let before = stage.facts().len();
    // Whoever may write the log from outside is a maintainer of the project, and need not hold the role.
    for person in ["root", "trainyard-bot"] {
        for words in [
            vec!["hold", &own, "--reason", "x"],
            vec!["force", &own, "--reason", "x"],
            vec!["withdraw", &other, "--reason", "x"],
            vec!["unhold", &own],
            vec!["pause", "--reason", "x"],
            vec!["resume"],
        ] {
            let said = order(&stage, person, &words);
            assert!(
                said.code == Some(1) && said.said.contains("people of the roles `release`"),
                "{words:?}: {}",
                said.said
            );
        }
    }
    for (words, code, expected) in [
        (vec!["hold", &own], 2, "gives no reason"),
        (vec!["pause", "--reason", "  "], 2, "gives no reason"),
        (
            vec!["hold", &own, "--reason", "x", "--until", "2020-01-01"],
            2,
            "not in the future",
        ),
        (
            vec!["hold", &own, "--reason", "x", "--until", "soon"],
            2,
            "an instant looks like",
        ),
        (vec!["hold", "!x", "--reason", "x"], 2, "looks like `!34`"),
        (
            vec!["hold", "!99", "--reason", "x"],
            1,
            "there is no merge request !99",
        ),
        (vec!["unhold", "!99"], 1, "there is no merge request !99"),
    ] {
        let said = order(&stage, "rita", &words);
        assert!(
            said.code == Some(code) && said.said.contains(expected),
            "{words:?}: {:?} {}",
            said.code,
            said.said
        );
    }
    let idle = stage
        .merge_request("ana", "contributes to feature #1")
        .to_string();
    for words in [
        vec!["hold", &idle, "--reason", "x"],
        vec!["withdraw", &idle, "--reason", "x"],
        vec!["force", &idle, "--reason", "x"],
    ] {
        let said = order(&stage, "rita", &words);
        assert!(
            said.code == Some(1) && said.said.contains("it is not in the queue"),
            "{words:?}: {}",
            said.said
        );
    }
    assert_eq!(stage.facts().len(), before);
}

#[test]
fn authors_steer_their_own_where_they_may_run_the_gate() {
    let mut stage = Stage::new();
    let path = stage.world.at("protected_branches");
    stage
        .world
        .reply("root", Method::DELETE, &format!("{path}/main"), Value::Null)
        .unwrap();
    let rule = json!({"name": "main", "push_access_level": 40, "merge_access_level": 30});
    stage.world.ask("root", Method::POST, &path, rule).unwrap();
    let iids = waiting(&mut stage, 2);
    let of_ana = |order: &str, iid: u64| json!({"trainyard_order": order, "trainyard_merge_request": iid.to_string(), "trainyard_reason": "mine"});
    let held = pipeline(&mut stage, "ana", of_ana("hold", iids[0]));
    assert_eq!(held.exit_code, Some(0), "{}", held.trace);
    assert!(
        !stage
            .notes(iids[0])
            .iter()
            .any(|note| note.contains("@ana")),
        "she knows"
    );
    let foreign = pipeline(&mut stage, "ana", of_ana("hold", iids[1]));
    assert!(
        foreign.exit_code == Some(1) && foreign.trace.contains("for its author and maintainers"),
        "{}",
        foreign.trace
    );
    let force = pipeline(&mut stage, "ana", of_ana("force", iids[0]));
    assert!(
        force.exit_code == Some(1) && force.trace.contains("is for maintainers"),
        "{}",
        force.trace
    );
    let by_rita = order(
        &stage,
        "rita",
        &["hold", &iids[0].to_string(), "--reason", "audit"],
    );
    assert_eq!(by_rita.code, Some(0), "{}", by_rita.said);
    let refused = pipeline(&mut stage, "ana", of_ana("unhold", iids[0]));
    assert!(
        refused.exit_code == Some(1) && refused.trace.contains("held by `rita`"),
        "{}",
        refused.trace
    );
    let out = pipeline(&mut stage, "ana", of_ana("withdraw", iids[0]));
    assert_eq!(out.exit_code, Some(0), "{}", out.trace);
    assert!(
        state_note(&stage, iids[0]).contains("Left the queue"),
        "{}",
        state_note(&stage, iids[0])
    );
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
    for iid in &iids {
        let note = state_note(&stage, *iid);
        assert!(
            note.contains("the queue is paused by `rita`")
                && note.contains("the test database is rebuilt"),
            "{note}"
        );
        assert_eq!(stage.notes(*iid).len(), 1, "by the note that is there");
    }
    let ticked = tick(&mut stage, "");
    assert!(
        ticked
            .trace
            .contains("none can be tried now: the queue is paused by `rita`"),
        "{}",
        ticked.trace
    );
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
    let rebase = stage
        .world
        .at(&format!("merge_requests/{}/rebase", iids[0]));
    stage
        .world
        .ask("ana", Method::PUT, &rebase, json!({}))
        .unwrap();
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
    stage.push_again("ana", iids[0]);
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
