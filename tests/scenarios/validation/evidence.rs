//! What counts as a verdict and what does not: every way in which a record of GitLab can look like one.

use gitlab::api::endpoint_prelude::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{CI, asked, awaiting, closing, job, passed, post, refused};
use crate::stage::Stage;

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
    assert!(
        rejected.contains("`olga` rejected it as `po`"),
        "{rejected}"
    );
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
    post(
        &stage,
        "olga",
        &format!("merge_requests/{iid}/pipelines"),
        json!({}),
    );
    stage.run();
    let found = stage
        .world
        .read(
            "root",
            &stage
                .world
                .at(&format!("jobs/{}", job(&stage, iid, "validate:po"))),
        )
        .unwrap();
    assert_eq!(
        (&found["user"]["username"], &found["status"]),
        (&json!("olga"), &json!("success"))
    );
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = awaiting(&stage, iid);
    assert!(
        said.code == Some(3)
            && said
                .said
                .contains("the job started by itself; nobody pressed play"),
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
        stage
            .world
            .emulator
            .clock()
            .advance(SignedDuration::from_secs(10));
        stage.world.emulator.settle();
        stage.run();
    };
    later(&mut stage);
    let pipeline = stage.pipeline(iid);
    // Started by the author, run again by the product owner who only meant the tests: it is in her name, and GitLab's
    // `manualJob` says true.
    post(
        &stage,
        "olga",
        &format!("pipelines/{pipeline}/retry"),
        json!({}),
    );
    stage.run();
    later(&mut stage);
    let found = stage
        .world
        .read(
            "root",
            &stage
                .world
                .at(&format!("jobs/{}", job(&stage, iid, "validate:po"))),
        )
        .unwrap();
    assert_eq!(
        (&found["user"]["username"], &found["status"]),
        (&json!("olga"), &json!("success"))
    );
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
}

#[test]
fn a_retry_of_the_whole_pipeline_presses_no_manual_job() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    refused(&stage.play("mallory", iid, "validate:po"), "does not hold");
    let pipeline = stage.pipeline(iid);
    post(
        &stage,
        "olga",
        &format!("pipelines/{pipeline}/retry"),
        json!({}),
    );
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
        .read(
            "root",
            &stage
                .world
                .at(&format!("pipelines/{pipeline}/jobs?per_page=100")),
        )
        .unwrap();
    let names: Vec<String> = jobs
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|job| job["name"].as_str())
        .filter(|name| {
            name.to_lowercase().contains("validate")
                && !["validate:po", "validate:qa", "await-validation"].contains(name)
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in &names {
        let user = if name.contains("qa") {
            "quentin"
        } else {
            "olga"
        };
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
    let files = [
        ("shop/new.price", "1\n"),
        (".gitlab-ci.yml", ci.as_str()),
        ("child.yml", child),
    ];
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
            .read(
                "root",
                &stage
                    .world
                    .at(&format!("pipelines?source={source}&per_page=100")),
            )
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
    assert!(
        said.contains("it ran in a pipeline of the branch or of a fork"),
        "{said}"
    );
}

#[test]
fn people_who_are_blocked_or_gone_do_not_hold_a_role_any_more() {
    let mut stage = Stage::with(&[(
        "  po: {users: [olga]}\n  qa: {users: [quentin]}",
        "  po: {groups: [people]}\n  qa: {access: developer}",
    )]);
    let group = stage
        .world
        .ask(
            "root",
            Method::POST,
            "groups",
            json!({"name": "People", "path": "people"}),
        )
        .unwrap();
    let id = |stage: &Stage, name: &str| {
        stage
            .world
            .read("root", &format!("users?username={name}"))
            .unwrap()[0]["id"]
            .clone()
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
    stage
        .world
        .ask("root", Method::DELETE, &membership, Value::Null)
        .unwrap();
    assert_eq!(asked(&stage, iid), "`validate:po`");
    member(&stage, "olga");
    assert_eq!(asked(&stage, iid), "");
    // An account that is blocked, deactivated, deleted.
    for (verb, back) in [("block", "unblock"), ("deactivate", "activate")] {
        let user = id(&stage, "quentin");
        stage
            .world
            .ask(
                "root",
                Method::POST,
                &format!("users/{user}/{verb}"),
                json!({}),
            )
            .unwrap();
        assert_eq!(asked(&stage, iid), "`validate:qa`", "{verb}");
        stage
            .world
            .ask(
                "root",
                Method::POST,
                &format!("users/{user}/{back}"),
                json!({}),
            )
            .unwrap();
    }
    let user = id(&stage, "quentin");
    stage
        .world
        .ask(
            "root",
            Method::DELETE,
            &format!("users/{user}?hard_delete=true"),
            Value::Null,
        )
        .unwrap();
    assert_eq!(asked(&stage, iid), "`validate:qa`");
    let said = awaiting(&stage, iid).said;
    assert!(said.contains("the player's account was deleted"), "{said}");
}

#[test]
fn a_fork_cannot_lend_its_pipelines() {
    let mut stage = Stage::new();
    stage.feature("Pay by card");
    // Whoever may run pipelines here could otherwise run those of a fork here.
    let apart = json!({"ci_allow_fork_pipelines_to_run_in_parent_project": false});
    let project = format!("projects/{}", stage.world.at("").split('/').nth(1).unwrap());
    stage
        .world
        .ask("root", Method::PUT, &project, apart)
        .unwrap();
    let fork = post(&stage, "mallory", "fork", json!({}))["id"]
        .as_u64()
        .unwrap();
    stage.world.emulator.settle();
    let olga = stage.world.read("root", "users?username=olga").unwrap()[0]["id"].clone();
    let ask = |user: &str, path: String, body: Value| {
        stage.world.ask(user, Method::POST, &path, body).unwrap()
    };
    ask(
        "mallory",
        format!("projects/{fork}/members"),
        json!({"user_id": olga, "access_level": 30}),
    );
    let ci = "\"validate:po\": {script: [echo forged], rules: [{if: $CI_MERGE_REQUEST_IID, when: manual}]}\nother: {script: [echo], rules: [{if: $CI_MERGE_REQUEST_IID}]}\n";
    let commit = json!({
        "branch": "afar", "start_branch": "main", "commit_message": "From afar",
        "actions": [{"action": "update", "file_path": ".gitlab-ci.yml", "content": ci}],
    });
    ask(
        "mallory",
        format!("projects/{fork}/repository/commits"),
        commit,
    );
    let opened = json!({
        "source_branch": "afar", "target_branch": "main", "title": "From afar", "description": "closes feature #1",
        "target_project_id": stage.world.at("").split('/').nth(1),
    });
    let iid = ask("mallory", format!("projects/{fork}/merge_requests"), opened)["iid"]
        .as_u64()
        .unwrap();
    stage.world.emulator.settle();
    let pipelines = stage
        .world
        .read("root", &format!("projects/{fork}/pipelines"))
        .unwrap();
    let pipeline = pipelines[0]["id"].as_u64().unwrap();
    let jobs = stage
        .world
        .read(
            "root",
            &format!("projects/{fork}/pipelines/{pipeline}/jobs"),
        )
        .unwrap();
    let validate = jobs
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["name"] == "validate:po")
        .unwrap();
    ask(
        "olga",
        format!("projects/{fork}/jobs/{}/play", validate["id"]),
        json!({}),
    );
    stage.run();
    assert_eq!(asked(&stage, iid), "`validate:po`, `validate:qa`");
    let said = stage.admit(iid);
    assert_eq!(said.code, Some(1), "{}", said.said);
    let said = awaiting(&stage, iid).said;
    assert!(
        said.contains("it ran in a pipeline of the branch or of a fork"),
        "{said}"
    );
}

#[test]
fn whoever_started_the_pipeline_may_press_play_in_it() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    post(
        &stage,
        "olga",
        &format!("merge_requests/{iid}/pipelines"),
        json!({}),
    );
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
        post(
            &stage,
            "ana",
            &format!("merge_requests/{iid}/pipelines"),
            json!({}),
        );
    }
    let said = stage.admit(iid).said;
    assert!(
        said.contains("`validate:po`, `validate:qa`")
            && said.contains("only the newest 20 pipelines were looked at"),
        "{said}"
    );
}
