//! Which roles are asked, whom they may be, and how little that costs.

use serde_json::json;

use super::{CI, asked, closing, job, passed, post, refused, says};
use crate::stage::Stage;

const STRICT: &str = "validation:
  author_may_validate: false
  committers_may_validate: false
  one_person_several_roles: false
  rules:
  - {roles: [security], when: {paths: ['src/auth/**']}}
  - {roles: [legal], when: {feature_labels: [gdpr]}}
  - {roles: [tech], when: {labels: [refactoring]}, instead: true}
";

fn strict() -> Stage {
    Stage::with(&[
        ("validation:\n", STRICT),
        (
            "  po: {users: [olga]}\n",
            "  po: {users: [olga, quentin]}\n  security: {users: [eve]}\n  legal: {users: [rita]}\n  tech: {users: [dan]}\n",
        ),
    ])
}

#[test]
fn rules_ask_further_roles_and_the_job_the_note_and_the_gate_say_why() {
    let mut stage = strict();
    stage.feature("Pay by card");
    stage.edit_feature(1, json!({"add_labels": "gdpr"}));
    let files = [
        ("shop/new.price", "1\n"),
        ("src/auth/login.rs", "fn login() {}\n"),
    ];
    let iid = stage.merge_request_with("ana", "closes feature #1", &files);
    let checked = stage.ran("link-check", iid);
    says(
        &checked,
        &["`validate:po`, `validate:qa`, `validate:security`, `validate:legal`"],
    );
    let note = stage.notes(iid).join("\n");
    assert!(
        note.contains("`security` is asked because `src/auth/login.rs` changed"),
        "{note}"
    );
    assert!(
        note.contains("`legal` is asked because the feature #1 carries the label `gdpr`"),
        "{note}"
    );
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("quentin", iid, "validate:qa"));
    let last = stage.ran("await-validation", iid);
    assert_eq!(last.exit_code, Some(3), "{}", last.trace);
    says(
        &last,
        &[
            "this pipeline has no job `validate:security`: include `ci-templates/validation.yml` with `role: security`",
            "`legal` is asked because the feature #1 carries the label `gdpr`",
        ],
    );
    assert_eq!(asked(&stage, iid), "`validate:security`, `validate:legal`");
    // A label that makes another role take the place of all the usual ones.
    stage.edit_merge_request("ana", iid, json!({"labels": "refactoring"}));
    assert_eq!(
        asked(&stage, iid),
        "`validate:security`, `validate:legal`, `validate:tech`"
    );
    stage.edit_feature(1, json!({"remove_labels": "gdpr"}));
    assert_eq!(asked(&stage, iid), "`validate:security`, `validate:tech`");
}

#[test]
fn a_role_that_some_merge_requests_ask_holds_up_no_pipeline_that_does_not() {
    let mut stage = strict();
    let server = stage.world.emulator.url().to_owned();
    let ci = CI.replace("@SERVER@", &server).replace(
        "\nunit-tests:",
        &format!("  - local: ci-templates/validation.yml\n    inputs: {{server: \"{server}\", role: security, optional: true}}\n\nunit-tests:"),
    );
    stage.push_to_main(".gitlab-ci.yml", &ci);
    stage.run();
    let iid = closing(&mut stage, "");
    stage.run();
    refused(
        &stage.play("eve", iid, "validate:security"),
        "this merge request does not ask the role",
    );
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("quentin", iid, "validate:qa"));
    passed(&stage.ran("await-validation", iid));
    let files = [("src/auth/login.rs", "fn login() {}\n")];
    stage.edit_merge_request("ana", iid, json!({"state_event": "close"}));
    let iid = stage.merge_request_with("ana", "closes feature #1", &files);
    stage.run();
    for (user, job) in [("olga", "validate:po"), ("quentin", "validate:qa")] {
        passed(&stage.play(user, iid, job));
    }
    let waits = stage.ran("await-validation", iid);
    assert_eq!(waits.exit_code, Some(3), "{}", waits.trace);
    says(
        &waits,
        &["`eve` may play `validate:security`; then run this job again"],
    );
    passed(&stage.play("eve", iid, "validate:security"));
    let again = job(&stage, iid, "await-validation");
    post(&stage, "ana", &format!("jobs/{again}/retry"), json!({}));
    passed(&stage.ran("await-validation", iid));
    assert_eq!(asked(&stage, iid), "");
}

#[test]
fn committers_and_one_person_in_two_roles_are_refused_where_the_project_says_so() {
    let mut stage = strict();
    let iid = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("quentin", iid, "validate:po"));
    refused(
        &stage.play("quentin", iid, "validate:qa"),
        "has validated it as `po` already",
    );
    stage.push("olga", iid, &[("shop/olga.price", "2\n")]);
    stage.run();
    refused(
        &stage.play("olga", iid, "validate:po"),
        "wrote commits of this merge request",
    );
    refused(
        &stage.play("ana", iid, "validate:po"),
        "does not hold the role",
    );
}

/// What the last run of a job asked, for whoever looks at a failure.
fn listed(stage: &Stage, name: &str) -> String {
    let last = stage.last(name).id;
    let asked = stage.world.emulator.requests().into_iter();
    let lines = asked.filter_map(|entry| {
        let job = entry.job.filter(|job| job.id == last)?;
        Some(format!("{}: {} {}\n", job.name, entry.method, entry.path))
    });
    lines.collect()
}

#[test]
fn waiting_for_validation_takes_at_most_six_requests_with_roles_of_groups_too() {
    let mut stage = Stage::with(&[(
        "  po: {users: [olga]}\n  qa: {users: [quentin]}",
        "  po: {groups: [owners]}\n  qa: {groups: [testers], access: owner}",
    )]);
    let ask = |path: &str, body| {
        stage
            .world
            .ask(
                "root",
                gitlab::api::endpoint_prelude::Method::POST,
                path,
                body,
            )
            .unwrap()
    };
    for (group, user) in [("owners", "olga"), ("testers", "quentin")] {
        let made = ask("groups", json!({"name": group, "path": group}));
        let user = &stage
            .world
            .read("root", &format!("users?username={user}"))
            .unwrap()[0]["id"];
        for user in [
            user,
            &json!(
                stage
                    .world
                    .read("root", "users?username=trainyard-bot")
                    .unwrap()[0]["id"]
            ),
        ] {
            let path = format!("groups/{}/members", made["id"]);
            ask(&path, json!({"user_id": user, "access_level": 20}));
        }
    }
    let iid = closing(&mut stage, "");
    stage.run();
    let counted = |stage: &Stage, name: &str| {
        let of = |ran: &&trainyard::demo::world::Ran| ran.finished.name == name;
        stage.world.ran.iter().rev().find(of).unwrap().requests
    };
    passed(&stage.play("olga", iid, "validate:po"));
    let first = counted(&stage, "validate:po");
    passed(&stage.play("quentin", iid, "validate:qa"));
    stage.run();
    passed(&stage.ran("await-validation", iid));
    assert!(
        counted(&stage, "await-validation") <= 6,
        "{}",
        counted(&stage, "await-validation")
    );
    // Once more, with an earlier verdict of another content on the record, which may cost one more.
    stage.push_again("ana", iid);
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    let second = counted(&stage, "validate:po");
    passed(&stage.play("quentin", iid, "validate:qa"));
    passed(&stage.ran("await-validation", iid));
    assert!(
        counted(&stage, "await-validation") <= 7,
        "{}",
        listed(&stage, "await-validation")
    );
    assert!(first <= 9 && second <= 13, "{first}, {second}");
    // One that only contributes costs what it takes to see that.
    let other = stage.merge_request("dan", "contributes to feature #1");
    passed(&stage.ran("await-validation", other));
    assert!(counted(&stage, "await-validation") <= 2);
}

#[test]
fn members_of_a_group_above_hold_no_role_of_the_group_below() {
    let mut stage = Stage::with(&[("  qa: {users: [quentin]}", "  qa: {groups: [shop/qa]}")]);
    let group = &stage.world.read("root", "groups?search=shop").unwrap()[0]["id"];
    let ask = |path: &str, body| {
        stage
            .world
            .ask(
                "root",
                gitlab::api::endpoint_prelude::Method::POST,
                path,
                body,
            )
            .unwrap()
    };
    let id = |name: &str| {
        stage
            .world
            .read("root", &format!("users?username={name}"))
            .unwrap()[0]["id"]
            .clone()
    };
    let below = ask(
        "groups",
        json!({"name": "QA", "path": "qa", "parent_id": group}),
    );
    let guests = ask("groups", json!({"name": "Guests", "path": "guests"}));
    for (place, name) in [
        (group, "eve"),
        (group, "trainyard-bot"),
        (&below["id"], "dan"),
        (&guests["id"], "quentin"),
    ] {
        ask(
            &format!("groups/{place}/members"),
            json!({"user_id": id(name), "access_level": 30}),
        );
    }
    let share = json!({"group_id": guests["id"], "group_access": 10});
    ask(&format!("groups/{}/share", below["id"]), share);
    let iid = closing(&mut stage, "");
    stage.run();
    refused(
        &stage.play("eve", iid, "validate:qa"),
        "the player does not hold the role",
    );
    passed(&stage.play("dan", iid, "validate:qa"));
    assert_eq!(asked(&stage, iid), "`validate:po`");
    passed(&stage.play("quentin", iid, "reject:qa"));
    let said = stage.admit(iid).said;
    assert!(
        said.contains("`quentin` rejected it as `qa`"),
        "an invited group counts: {said}"
    );
}

#[test]
fn a_group_that_cannot_be_seen_is_named() {
    let mut stage = Stage::with(&[("  qa: {users: [quentin]}", "  qa: {groups: [nowhere]}")]);
    let iid = closing(&mut stage, "");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(4), "{}", ran.trace);
    says(
        &ran,
        &["the group `nowhere`", "does not exist", "TRAINYARD_TOKEN"],
    );
}
