//! What a yard refuses: projects that are not its own, members that say otherwise, wake-ups that name what they should not.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::domain::event::Fact;

use super::ground::{Ground, MEMBER_RULES, YARD_RULES};

#[test]
fn a_gate_serves_its_members_and_nobody_else() {
    let ground = Ground::new();
    let before = ground.read(ground.yard, "variables?per_page=100");
    let refusals: [(&[&str], i32, &str); 4] = [
        (
            &[
                "nrt-lock",
                "admit",
                "--project",
                "shop/other",
                "--merge-request",
                "1",
            ],
            1,
            "`shop/other` is not served here: `gate.projects` of `shop/yard` lists `shop/web`, `shop/api`",
        ),
        (
            &["nrt-lock", "admit", "--merge-request", "1"],
            2,
            "the job was given a number without its project",
        ),
        (
            &[
                "nrt-lock",
                "admit",
                "--project",
                "shop/api",
                "--merge-request",
                "77",
            ],
            4,
            "GitLab shows no merge request !77",
        ),
        (
            &["tick", "--environment", "old"],
            2,
            "the job is for the environment `old`, but `.trainyard.yml` calls it `nrt`",
        ),
    ];
    for (arguments, code, expected) in refusals {
        let said = ground.gate(arguments);
        assert!(said.said.contains(expected), "{arguments:?}: {}", said.said);
        assert_eq!(said.code, Some(code), "{arguments:?}");
    }
    let inside = ground.environment(ground.web, "web");
    let said = ground.world.program(&inside, &["tick"]).unwrap();
    let expected = "`gate.project` says that the gate of `shop/web` is in `shop/yard`";
    assert!(
        said.code == Some(2) && said.said.contains(expected),
        "{}",
        said.said
    );
    let hostile = json!({"ref": "main", "inputs": {"trainyard_project": "shop/web\"; env; \""}});
    let at = format!("projects/{}/pipeline", ground.yard);
    let reply = ground.world.reply("rita", Method::POST, &at, hostile);
    assert_eq!(reply.unwrap().status, 400, "an input is never a shell word");
    assert_eq!(ground.read(ground.yard, "variables?per_page=100"), before);
}

#[test]
fn a_member_that_names_another_yard_is_refused_on_both_sides_and_hinders_no_other() {
    let elsewhere = MEMBER_RULES.replace("shop/yard", "shop/old-yard");
    let mut ground = Ground::with(YARD_RULES, &elsewhere);
    let (web, api) = (ground.web, ground.api);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let stranded = ground.merge_request("dan", api, "contributes to feature shop/web#1", "3");
    let asked = ground.integrate("dan", api, stranded);
    assert_eq!(asked.exit_code, Some(2), "{}", asked.trace);
    assert!(
        asked.trace.contains("the CI file says that the gate is in `shop/yard`, and `gate.project` in `.trainyard.yml` on `main` says `shop/old-yard`"),
        "{}",
        asked.trace
    );
    let said = ground.gate(&[
        "nrt-lock",
        "admit",
        "--project",
        "shop/api",
        "--merge-request",
        "1",
    ]);
    assert!(
        said.code == Some(2)
            && said.said.contains("`shop/yard` lists `shop/api` in `gate.projects`, but the `.trainyard.yml` of `shop/api` sets `gate.project: shop/old-yard`"),
        "{}",
        said.said
    );
    // The token of the wake-up is missing in the other one: the request stays, and the scheduled look finds it.
    ground.ask(
        "root",
        Method::DELETE,
        web,
        "variables/TRAINYARD_TRIGGER_TOKEN",
        Value::Null,
    );
    let forgotten = ground.merge_request("ana", web, "contributes to feature #1", "3");
    let asked = ground.integrate("ana", web, forgotten);
    assert!(
        asked.exit_code == Some(2)
            && asked
                .trace
                .contains("make a pipeline trigger token in `shop/yard`"),
        "{}",
        asked.trace
    );
    let trigger = ground.read(ground.yard, "variables/TRAINYARD_TRIGGER_TOKEN");
    ground.variable(
        web,
        "TRAINYARD_TRIGGER_TOKEN",
        trigger["value"].as_str().unwrap(),
        false,
    );
    let asked = ground.retry("ana", web, "integrate");
    assert_eq!(asked.exit_code, Some(0), "{}", asked.trace);
    ground.cancel_wake_up();
    ground.run();
    assert!(ground.landed().is_empty());
    let ticked = ground.tick();
    assert!(
        ticked.exit_code == Some(0)
            && ticked.trace.contains("sets `gate.project: shop/old-yard`")
            && ticked.trace.contains("started a worker"),
        "{}",
        ticked.trace
    );
    assert_eq!(ground.landed(), ["web!1"]);
}

#[test]
fn tickets_of_a_member_that_leaves_the_yard_do_not_hold_up_the_others() {
    let mut ground = Ground::new();
    let (web, api) = (ground.web, ground.api);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let left = ground.merge_request("dan", api, "contributes to feature shop/web#1", "3");
    let stays = ground.merge_request("ana", web, "contributes to feature #1", "3");
    ground.integrate("dan", api, left);
    ground.integrate("ana", web, stays);
    let only_web = YARD_RULES.replace("shop/web, shop/api", "shop/web");
    ground.push(
        "root",
        "yard",
        "main",
        &[(".trainyard.yml".to_owned(), only_web)],
    );
    ground.run();
    assert_eq!(
        ground.landed(),
        ["web!1"],
        "{}",
        ground.last("nrt-acquire").trace
    );
    let withdrawn = ground.facts().into_iter().any(|fact| {
        matches!(fact, Fact::ChangeSetWithdrawn { reason, .. } if reason.contains("`shop/api` is not served here"))
    });
    assert!(withdrawn);
}
