//! Who may give an order, and that nothing but a person's own wish is one.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard::domain::event::Fact;

use super::{facts_named, order, pipeline, state_note, waiting};
use crate::stage::Stage;

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
fn a_maintainer_orders_from_a_machine_with_nothing_but_a_token() {
    let mut stage = Stage::new();
    let iids = waiting(&mut stage, 1);
    let server = stage.world.emulator.url().to_owned();
    let asked = |token: &str, project: &str| {
        let environment = [("TRAINYARD_GATE_TOKEN".to_owned(), token.to_owned())];
        let iid = format!("!{}", iids[0]);
        let words = [
            "--server",
            &server,
            "queue",
            "hold",
            &iid,
            "--reason",
            "wait",
            "--project",
            project,
        ];
        stage.world.program(&environment, &words).unwrap()
    };
    let rita = stage.world.token("rita").unwrap();
    let held = asked(rita, "shop/web");
    assert!(
        held.code == Some(0) && held.said.contains("is held"),
        "{}",
        held.said
    );
    let by = |name: &str| {
        let events = stage.world.events().unwrap();
        let of_it = |event: &&trainyard::domain::event::Event| event.fact.name() == name;
        events.iter().find(of_it).and_then(|event| event.by.clone())
    };
    assert_eq!(by("ChangeSetHeld").unwrap().as_str(), "rita");
    let developer = asked(stage.world.token("dan").unwrap(), "shop/web");
    assert_eq!(developer.code, Some(4), "{}", developer.said);
    let elsewhere = asked(rita, "shop/none");
    assert_eq!(elsewhere.code, Some(4), "{}", elsewhere.said);
    assert_eq!(facts_named(&stage, "ChangeSetHeld"), 1);
}
