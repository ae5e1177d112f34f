//! Validation: what counts as a verdict and what does not, which roles are asked, and what people read.

use gitlab::api::endpoint_prelude::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

const CI: &str = include_str!("../../src/demo/project/gitlab-ci.yml");

/// A merge request that closes the one feature, with whatever its branch does to the CI file.
fn closing(stage: &mut Stage, more: &str) -> u64 {
    stage.feature("Pay by card");
    let price = [("shop/new.price", "1\n")];
    if more.is_empty() {
        return stage.merge_request_with("ana", "closes feature #1", &price);
    }
    let ci = CI.replace("@SERVER@", stage.world.emulator.url()) + more;
    let files = [price[0], (".gitlab-ci.yml", ci.as_str())];
    stage.merge_request_with("ana", "closes feature #1", &files)
}

fn post(stage: &Stage, user: &str, path: &str, body: Value) -> Value {
    stage
        .world
        .ask(user, Method::POST, &stage.world.at(path), body)
        .unwrap()
}

fn job(stage: &Stage, iid: u64, name: &str) -> u64 {
    let pipeline = stage.pipeline(iid);
    stage.world.job("root", pipeline, name).unwrap()
}

/// The roles that the gate still asks, by the jobs that it names.
fn asked(stage: &Stage, iid: u64) -> String {
    let said = stage.admit(iid).said;
    let line = said
        .lines()
        .find(|line| line.contains("it is not validated on this content"));
    line.map_or_else(String::new, |line| {
        let jobs = line.split("content: ").nth(1).unwrap();
        jobs.split(" must").next().unwrap().to_owned()
    })
}

fn passed(ran: &FinishedJob) {
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
}

fn refused(ran: &FinishedJob, why: &str) {
    assert_eq!(ran.exit_code, Some(1), "{}", ran.trace);
    assert!(ran.trace.contains(why), "{why}\n{}", ran.trace);
}

fn says(ran: &FinishedJob, words: &[&str]) {
    for word in words {
        assert!(ran.trace.contains(word), "{word}\n{}", ran.trace);
    }
}

/// Runs `await-validation` of the newest pipeline as a command, as if its turn had come.
fn awaiting(stage: &Stage, iid: u64) -> trainyard::demo::world::Said {
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap();
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| !matches!(key.as_str(), "CI_COMMIT_SHA" | "CI_PIPELINE_ID"));
    let bot = stage.world.token("trainyard-bot").unwrap().to_owned();
    let own = [
        ("CI_COMMIT_SHA", found["sha"].as_str().unwrap().to_owned()),
        ("CI_PIPELINE_ID", stage.pipeline(iid).to_string()),
        ("CI_MERGE_REQUEST_IID", iid.to_string()),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()),
        ("TRAINYARD_TOKEN", bot),
    ];
    environment.extend(own.map(|(key, value)| (key.to_owned(), value)));
    stage.world.program(&environment, &["await-validation"]).unwrap()
}

#[test]
fn whoever_runs_a_played_job_again_changes_nothing_unless_they_hold_the_role() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    assert_eq!(asked(&stage, iid), "`validate:qa`");
    // A stranger's retry fails, and the verdict before it stands.
    let again = stage.play("mallory", iid, "validate:po");
    refused(&again, "the player does not hold the role");
    assert_eq!(asked(&stage, iid), "`validate:qa`");
    // The same person's retry is the same verdict once more; another verdict takes its place.
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("olga", iid, "reject:po"));
    let rejected = stage.admit(iid).said;
    assert!(rejected.contains("`olga` rejected it as `po`"), "{rejected}");
    passed(&stage.play("olga", iid, "validate:po"));
    assert_eq!(asked(&stage, iid), "`validate:qa`");
}

#[test]
fn an_erased_job_is_still_the_record_of_its_verdict() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("quentin", iid, "reject:qa"));
    for name in ["validate:po", "reject:qa"] {
        let erase = format!("jobs/{}/erase", job(&stage, iid, name));
        post(&stage, "root", &erase, json!({}));
    }
    let said = stage.admit(iid).said;
    assert!(
        said.contains("`quentin` rejected it as `qa`") && !said.contains("not validated"),
        "a rejection cannot be erased, and neither can a validation: {said}"
    );
}

#[test]
fn a_job_that_failed_or_was_cancelled_is_no_verdict() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "\n\"validate:po\": {script: [exit 1]}\n");
    stage.run();
    assert_eq!(stage.play("olga", iid, "validate:po").exit_code, Some(1));
    let qa = job(&stage, iid, "validate:qa");
    post(&stage, "quentin", &format!("jobs/{qa}/play"), json!({}));
    post(&stage, "quentin", &format!("jobs/{qa}/cancel"), json!({}));
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
}

#[test]
fn a_play_on_an_outdated_pipeline_counts_for_the_content_it_ran_on() {
    let mut stage = Stage::new();
    // The branch makes the job succeed whatever it judges.
    let iid = closing(&mut stage, "\n\"validate:po\": {script: [echo forged]}\n");
    stage.run_but("link-check");
    let old = stage.pipeline(iid);
    stage.push_again("ana", iid);
    let played = stage.play_in("olga", old, "validate:po");
    assert!(played.is_none_or(|ran| ran.exit_code == Some(0)));
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    // Our own binary says so at once.
    let honest = stage.play_in("quentin", old, "validate:qa");
    assert!(honest.is_none_or(|ran| ran.exit_code == Some(1) && ran.trace.contains("outdated")));
    // The new pipeline is judged by the same people, and what was before is said.
    stage.run();
    let second = stage.play("olga", iid, "validate:po");
    passed(&second);
    assert_eq!(asked(&stage, iid), "`validate:qa`");
}

#[test]
fn an_automatic_job_named_like_a_validation_is_nobodys_verdict() {
    let mut stage = Stage::new();
    let forged = "\n\"validate:po\": {script: [echo forged], rules: [{when: on_success}]}\n";
    let iid = closing(&mut stage, forged);
    stage.run();
    // The product owner runs the pipeline again for any other reason: its automatic jobs are hers now.
    post(&stage, "olga", &format!("merge_requests/{iid}/pipelines"), json!({}));
    stage.run();
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("jobs/{}", job(&stage, iid, "validate:po"))))
        .unwrap();
    assert_eq!((&found["user"]["username"], &found["status"]), (&json!("olga"), &json!("success")));
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = awaiting(&stage, iid);
    assert!(
        said.code == Some(3) && said.said.contains("the job started by itself; nobody pressed play"),
        "{}",
        said.said
    );
}

#[test]
fn a_delayed_job_is_nobodys_verdict_whoever_runs_the_pipeline_again() {
    let mut stage = Stage::new();
    let forged = "\n\"validate:po\": {script: ['test $GITLAB_USER_LOGIN = olga'], stage: test, needs: [], rules: [{when: delayed, start_in: 5 seconds}]}\n";
    let iid = closing(&mut stage, forged);
    stage.run();
    let later = |stage: &mut Stage| {
        stage.world.emulator.clock().advance(SignedDuration::from_secs(10));
        stage.world.emulator.settle();
        stage.run();
    };
    later(&mut stage);
    let pipeline = stage.pipeline(iid);
    // Started by the author, run again by the product owner who only meant the tests: it is in her name, and GitLab's
    // `manualJob` says true.
    post(&stage, "olga", &format!("pipelines/{pipeline}/retry"), json!({}));
    stage.run();
    later(&mut stage);
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("jobs/{}", job(&stage, iid, "validate:po"))))
        .unwrap();
    assert_eq!((&found["user"]["username"], &found["status"]), (&json!("olga"), &json!("success")));
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
}

#[test]
fn a_retry_of_the_whole_pipeline_presses_no_manual_job() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    refused(&stage.play("mallory", iid, "validate:po"), "does not hold");
    let pipeline = stage.pipeline(iid);
    post(&stage, "olga", &format!("pipelines/{pipeline}/retry"), json!({}));
    stage.run();
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
}

#[test]
fn a_validation_job_has_exactly_one_name() {
    let mut stage = Stage::new();
    let forged = "
\"Validate:po\": &manual {script: [echo forged], stage: validate, rules: [{when: manual, allow_failure: true}]}
\"validate: po\": *manual
\"validate:po \": *manual
\"validate:qa \": {script: [echo forged], stage: validate, parallel: 2, rules: [{when: manual, allow_failure: true}]}
";
    let iid = closing(&mut stage, forged);
    stage.run();
    let pipeline = stage.pipeline(iid);
    let jobs = stage
        .world
        .read("root", &stage.world.at(&format!("pipelines/{pipeline}/jobs?per_page=100")))
        .unwrap();
    let names: Vec<String> = jobs
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|job| job["name"].as_str())
        .filter(|name| name.to_lowercase().contains("validate") && !["validate:po", "validate:qa", "await-validation"].contains(name))
        .map(str::to_owned)
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in &names {
        let user = if name.contains("qa") { "quentin" } else { "olga" };
        passed(&stage.play(user, iid, name));
    }
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = awaiting(&stage, iid).said;
    assert_eq!(said.matches("so it does not count").count(), 5, "{said}");
}

#[test]
fn a_job_of_a_child_pipeline_or_of_a_branch_pipeline_is_no_verdict() {
    let mut stage = Stage::new();
    stage.feature("Pay by card");
    let ci = CI.replace("@SERVER@", stage.world.emulator.url())
        + "
workflow: {rules: [{when: always}]}
children:
  stage: build
  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]
  trigger: {include: [{local: child.yml}]}
\"validate:po\": {rules: [{when: manual}], script: [echo forged]}
";
    let child = "\"validate:po\": {script: [echo forged], rules: [{when: manual}]}\nother: {script: [echo], rules: [{when: always}]}\n";
    let files = [("shop/new.price", "1\n"), (".gitlab-ci.yml", ci.as_str()), ("child.yml", child)];
    let iid = stage.merge_request_with("ana", "closes feature #1", &files);
    stage.run();
    let all = stage
        .world
        .read("root", &stage.world.at("pipelines?per_page=100"))
        .unwrap();
    let mut played = 0;
    for source in ["push", "parent_pipeline"] {
        let list = stage
            .world
            .read("root", &stage.world.at(&format!("pipelines?source={source}&per_page=100")))
            .unwrap();
        for pipeline in list.as_array().unwrap() {
            if pipeline["ref"] == "main" {
                continue;
            }
            let id = pipeline["id"].as_u64().unwrap();
            passed(&stage.play_in("olga", id, "validate:po").unwrap());
            played += 1;
        }
    }
    assert_eq!(played, 2, "{all}");
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = awaiting(&stage, iid).said;
    assert!(said.contains("it ran in a pipeline of the branch or of a fork"), "{said}");
}

#[test]
fn people_who_are_blocked_or_gone_do_not_hold_a_role_any_more() {
    let mut stage = Stage::with(&[(
        "  po: {users: [olga]}\n  qa: {users: [quentin]}",
        "  po: {groups: [people]}\n  qa: {access: developer}",
    )]);
    let group = stage
        .world
        .ask("root", Method::POST, "groups", json!({"name": "People", "path": "people"}))
        .unwrap();
    let id = |stage: &Stage, name: &str| {
        stage.world.read("root", &format!("users?username={name}")).unwrap()[0]["id"].clone()
    };
    let member = |stage: &Stage, name: &str| {
        let body = json!({"user_id": id(stage, name), "access_level": 30});
        let path = format!("groups/{}/members", group["id"]);
        stage.world.ask("root", Method::POST, &path, body).unwrap();
    };
    member(&stage, "olga");
    member(&stage, "trainyard-bot");
    let iid = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("quentin", iid, "validate:qa"));
    assert_eq!(asked(&stage, iid), "");
    // Removed from the group, and taken back.
    let membership = format!("groups/{}/members/{}", group["id"], id(&stage, "olga"));
    stage.world.ask("root", Method::DELETE, &membership, Value::Null).unwrap();
    assert_eq!(asked(&stage, iid), "`validate:po`");
    member(&stage, "olga");
    assert_eq!(asked(&stage, iid), "");
    // An account that is blocked, deactivated, deleted.
    for (verb, back) in [("block", "unblock"), ("deactivate", "activate")] {
        let user = id(&stage, "quentin");
        stage.world.ask("root", Method::POST, &format!("users/{user}/{verb}"), json!({})).unwrap();
        assert_eq!(asked(&stage, iid), "`validate:qa`", "{verb}");
        stage.world.ask("root", Method::POST, &format!("users/{user}/{back}"), json!({})).unwrap();
    }
    let user = id(&stage, "quentin");
    stage.world.ask("root", Method::DELETE, &format!("users/{user}?hard_delete=true"), Value::Null).unwrap();
    assert_eq!(asked(&stage, iid), "`validate:qa`");
    let said = awaiting(&stage, iid).said;
    assert!(said.contains("the player's account was deleted"), "{said}");
}

#[test]
fn a_fork_cannot_lend_its_pipelines() {
    let mut stage = Stage::new();
    stage.feature("Pay by card");
    for name in ["mallory", "olga"] {
        let user = stage.world.read("root", &format!("users?username={name}")).unwrap()[0]["id"].clone();
        assert!(user.is_u64());
    }
    let fork = post(&stage, "mallory", "fork", json!({}))["id"].as_u64().unwrap();
    stage.world.emulator.settle();
    let olga = stage.world.read("root", "users?username=olga").unwrap()[0]["id"].clone();
    let ask = |user: &str, path: String, body: Value| {
        stage.world.ask(user, Method::POST, &path, body).unwrap()
    };
    ask("mallory", format!("projects/{fork}/members"), json!({"user_id": olga, "access_level": 30}));
    let ci = "\"validate:po\": {script: [echo forged], rules: [{if: $CI_MERGE_REQUEST_IID, when: manual}]}\nother: {script: [echo], rules: [{if: $CI_MERGE_REQUEST_IID}]}\n";
    let commit = json!({
        "branch": "afar", "start_branch": "main", "commit_message": "From afar",
        "actions": [{"action": "update", "file_path": ".gitlab-ci.yml", "content": ci}],
    });
    ask("mallory", format!("projects/{fork}/repository/commits"), commit);
    let opened = json!({
        "source_branch": "afar", "target_branch": "main", "title": "From afar", "description": "closes feature #1",
        "target_project_id": stage.world.at("").split('/').nth(1),
    });
    let iid = ask("mallory", format!("projects/{fork}/merge_requests"), opened)["iid"].as_u64().unwrap();
    stage.world.emulator.settle();
    let pipelines = stage.world.read("root", &format!("projects/{fork}/pipelines")).unwrap();
    let pipeline = pipelines[0]["id"].as_u64().unwrap();
    let jobs = stage.world.read("root", &format!("projects/{fork}/pipelines/{pipeline}/jobs")).unwrap();
    let validate = jobs.as_array().unwrap().iter().find(|job| job["name"] == "validate:po").unwrap();
    ask("olga", format!("projects/{fork}/jobs/{}/play", validate["id"]), json!({}));
    stage.run();
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = stage.admit(iid);
    assert_eq!(said.code, Some(1), "{}", said.said);
}

#[test]
fn whoever_started_the_pipeline_may_press_play_in_it() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    post(&stage, "olga", &format!("merge_requests/{iid}/pipelines"), json!({}));
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    assert_eq!(asked(&stage, iid), "`validate:qa`");
}

#[test]
fn a_verdict_beyond_the_newest_pipelines_is_asked_for_again_and_that_is_said() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("olga", iid, "validate:po"));
    for _ in 0..20 {
        post(&stage, "ana", &format!("merge_requests/{iid}/pipelines"), json!({}));
    }
    let said = stage.admit(iid).said;
    assert!(
        said.contains("`validate:po`, `validate:qa`") && said.contains("only the newest 20 pipelines were looked at"),
        "{said}"
    );
}

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
    let files = [("shop/new.price", "1\n"), ("src/auth/login.rs", "fn login() {}\n")];
    let iid = stage.merge_request_with("ana", "closes feature #1", &files);
    let checked = stage.ran("link-check", iid);
    says(&checked, &["`validate:po`, `validate:qa`, `validate:security`, `validate:legal`"]);
    let note = stage.notes(iid).join("\n");
    assert!(note.contains("`security` is asked because `src/auth/login.rs` changed"), "{note}");
    assert!(note.contains("`legal` is asked because the feature #1 carries the label `gdpr`"), "{note}");
    passed(&stage.play("olga", iid, "validate:po"));
    passed(&stage.play("quentin", iid, "validate:qa"));
    let last = stage.ran("await-validation", iid);
    assert_eq!(last.exit_code, Some(3), "{}", last.trace);
    says(&last, &[
        "this pipeline has no job `validate:security`: include `ci-templates/validation.yml` with `role: security`",
        "`legal` is asked because the feature #1 carries the label `gdpr`",
    ]);
    assert_eq!(asked(&stage, iid), "`validate:security`, `validate:legal`");
    // A label that makes another role take the place of all the usual ones.
    stage.edit_merge_request("ana", iid, json!({"labels": "refactoring"}));
    assert_eq!(asked(&stage, iid), "`validate:security`, `validate:legal`, `validate:tech`");
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
    refused(&stage.play("eve", iid, "validate:security"), "this merge request does not ask the role");
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
    says(&waits, &["`eve` may play `validate:security`; then run this job again"]);
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
    refused(&stage.play("quentin", iid, "validate:qa"), "has validated it as `po` already");
    stage.push("olga", iid, &[("shop/olga.price", "2\n")]);
    stage.run();
    refused(&stage.play("olga", iid, "validate:po"), "wrote commits of this merge request");
    refused(&stage.play("ana", iid, "validate:po"), "does not hold the role");
}
