//! What people read and write around a verdict: criteria, reasons, where to look, what changed.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;

use super::{asked, awaiting, closing, job, passed, post, refused, says};
use crate::stage::Stage;

#[test]
fn criteria_that_are_unticked_again_keep_a_validated_merge_request_out() {
    let mut stage = Stage::with(&[(
        "  roles: [po, qa]",
        "  roles: [po, qa]\n  criteria: required\n  criteria_headings: [Akzeptanzkriterien]",
    )]);
    let iid = closing(&mut stage, "");
    let describe = |stage: &Stage, text: &str| stage.edit_feature(1, json!({"description": text}));
    describe(
        &stage,
        "### Akzeptanzkriterien\n- [x] card\n  - [ ] `receipt` @all\n- [~] fax",
    );
    stage.run();
    refused(&stage.play("olga", iid, "validate:po"), "[ ] receipt @all");
    passed(&stage.play("olga", iid, "reject:po"));
    describe(
        &stage,
        "### Akzeptanzkriterien\n- [x] card\n  - [x] receipt\n- [~] fax",
    );
    let shown = stage.play("olga", iid, "validate:po");
    passed(&shown);
    says(&shown, &["[x] card", "[x] receipt", "[~] fax"]);
    passed(&stage.play("quentin", iid, "validate:qa"));
    describe(
        &stage,
        "### Akzeptanzkriterien\n- [x] card\n- [ ] receipt @all",
    );
    let waits = stage.ran("await-validation", iid);
    refused(&waits, "acceptance criteria are not ticked");
    let gate = stage.admit(iid).said;
    assert!(
        gate.contains("acceptance criteria are not ticked") && gate.contains("receipt"),
        "{gate}"
    );
    let note = stage.notes(iid).join("\n");
    assert!(note.contains("receipt") && !note.contains("@all"), "{note}");
    describe(&stage, "### Akzeptanzkriterien\n- [x] card");
    assert!(!stage.admit(iid).said.contains("criteria"));
}

#[test]
fn criteria_of_a_confidential_feature_are_counted_and_not_named() {
    let mut stage = Stage::with(&[(
        "  roles: [po, qa]",
        "  roles: [po, qa]\n  criteria: required",
    )]);
    let iid = closing(&mut stage, "");
    stage.edit_feature(
        1,
        json!({"confidential": true, "description": "## Acceptance criteria\n- [ ] topsecret"}),
    );
    stage.run();
    let refusal = stage.play("olga", iid, "validate:po");
    refused(&refusal, "1 of the confidential feature #1");
    let rejected = stage.play("olga", iid, "reject:po");
    says(
        &rejected,
        &["feature #1: (confidential)", "1 of 1 criteria are open"],
    );
    let everything =
        stage.notes(iid).join("\n") + &refusal.trace + &rejected.trace + &stage.admit(iid).said;
    assert!(
        !everything.contains("topsecret") && !everything.contains("Pay by card"),
        "{everything}"
    );
}

const HOSTILE: &str = "rounds *wrong*\n/close\n/label ~feature\n```\n/merge\n```\n@mallory see #1 <img src=x> \u{202e}$(touch pwned) \"; exit 0";

/// The quotation stands there, and nothing of it did anything.
fn inert(stage: &Stage, iid: u64) {
    assert_eq!(stage.state(iid), "opened");
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap();
    assert_eq!(found["labels"], json!([]));
    let ours: Vec<String> = stage
        .notes(iid)
        .into_iter()
        .filter(|note| note.starts_with("<!-- trainyard:"))
        .collect();
    let quoted = ours.iter().filter(|note| note.contains("> rounds")).count();
    assert!(quoted >= 1, "{ours:#?}");
    for note in &ours {
        assert!(
            !note.contains("@mallory")
                && !note.contains("<img")
                && !note.contains('\u{202e}')
                && !note.contains("\n/"),
            "{note}"
        );
    }
}

#[test]
fn a_reason_given_with_the_job_reaches_the_author_verbatim_and_does_nothing() {
    let mut stage = Stage::new();
    let project = format!("projects/{}", stage.world.at("").split('/').nth(1).unwrap());
    let open = json!({"ci_pipeline_variables_minimum_override_role": "developer"});
    stage
        .world
        .ask("root", Method::PUT, &project, open)
        .unwrap();
    let iid = closing(&mut stage, "");
    stage.run();
    let reject = job(&stage, iid, "reject:qa");
    let variables =
        json!({"job_variables_attributes": [{"key": "TRAINYARD_REASON", "value": HOSTILE}]});
    post(&stage, "quentin", &format!("jobs/{reject}/play"), variables);
    stage.run();
    let ran = stage.last("reject:qa");
    passed(&ran);
    says(&ran, &["reason: rounds *wrong*", "$(touch pwned)"]);
    inert(&stage, iid);
    let state = stage
        .notes(iid)
        .into_iter()
        .find(|note| note.contains("**Rejected by "))
        .unwrap();
    assert!(state.contains("`quentin` rejected"), "{state}");
    let facts = stage.facts();
    assert!(facts.iter().any(|fact| matches!(fact, trainyard::domain::event::Fact::FeatureRejected { reason: Some(reason), .. } if reason.contains("rounds"))));
}

#[test]
fn a_reason_may_be_given_in_a_note_and_is_picked_up_by_whoever_looks_next() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    let reject = stage.play("quentin", iid, "reject:qa");
    passed(&reject);
    says(&reject, &["you gave no reason", "begins with `Reason:`"]);
    let alert = stage
        .notes(iid)
        .into_iter()
        .find(|note| note.contains("@quentin"))
        .unwrap();
    assert!(
        alert.contains("@ana") && alert.contains("begins with `Reason:`"),
        "{alert}"
    );
    let said = stage.admit(iid).said;
    assert!(said.contains("`quentin` has given no reason yet"), "{said}");
    let notes = format!("merge_requests/{iid}/notes");
    post(&stage, "ana", &notes, json!({"body": "Reason: I disagree"}));
    post(
        &stage,
        "quentin",
        &notes,
        json!({"body": format!("Reason: {HOSTILE}").replace("\n/", "\n /").replace("```\n", "")}),
    );
    let said = stage.admit(iid).said;
    assert!(
        said.contains("`quentin` says: rounds") && !said.contains("disagree"),
        "{said}"
    );
    let waits = awaiting(&stage, iid);
    assert_eq!(waits.code, Some(1), "{}", waits.said);
    assert!(
        waits.said.contains("`quentin` says: rounds *wrong*"),
        "{}",
        waits.said
    );
    inert(&stage, iid);
    // The next validator of a new content reads what the last verdict was, and why.
    let before = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap()["sha"]
        .clone();
    stage.push_again("ana", iid);
    stage.run();
    let again = stage.play("quentin", iid, "validate:qa");
    passed(&again);
    says(
        &again,
        &[
            "since `quentin` rejected",
            "1 commits, 1 files changed",
            "rejected then because: rounds *wrong*",
            "commit: More",
            "file: shop/more-1.price",
            &format!("/-/compare/{}...", before.as_str().unwrap()),
            "still awaited: `po` (`olga`)",
        ],
    );
    assert_eq!(asked(&stage, iid), "`validate:po`");
}

#[test]
fn a_validator_is_told_where_the_commit_runs() {
    let mut stage = Stage::new();
    let review = "\nreview:\n  stage: build\n  script: [echo deployed]\n  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]\n  environment: {name: review/one, url: 'https://one.review.example'}\n";
    let iid = closing(&mut stage, review);
    stage.run();
    let shown = stage.play("olga", iid, "validate:po");
    passed(&shown);
    let sha = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap()["sha"]
        .clone();
    let sha = sha.as_str().unwrap();
    says(
        &shown,
        &[
            "environment \"review/one\" at https://one.review.example",
            &format!("/-/commit/{sha}"),
            "feature #1: Pay by card",
            "it has no acceptance criteria",
            "still awaited: `qa` (`quentin`)",
        ],
    );
    let note = stage.notes(iid).join("\n");
    assert!(
        note.contains("| `po` | validated | `olga`")
            && note.contains("Awaiting validation** by `qa`"),
        "kept by the job itself: {note}"
    );
    let mut bare = Stage::new();
    let iid = closing(&mut bare, "");
    bare.run();
    says(
        &bare.play("olga", iid, "validate:po"),
        &["deployed: nowhere that GitLab knows of"],
    );
}

#[test]
fn a_description_that_turns_into_a_closing_one_is_caught_before_the_gate_too() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.edit_merge_request("ana", iid, json!({"description": "closes feature #1"}));
    let waits = stage.ran("await-validation", iid);
    assert_eq!(waits.exit_code, Some(3), "{}", waits.trace);
    says(
        &waits,
        &[
            "this pipeline has no validation jobs",
            "Start a new pipeline",
        ],
    );
    let gate = stage.admit(iid).said;
    assert!(gate.contains("not validated"), "{gate}");
}

#[test]
fn a_rejection_does_not_stand_in_the_way_of_another_merge_request_that_closes_the_feature() {
    let mut stage = Stage::new();
    let first = closing(&mut stage, "");
    stage.run();
    passed(&stage.play("olga", first, "reject:po"));
    let reason = json!({"body": "Reason: the receipt is missing"});
    post(
        &stage,
        "olga",
        &format!("merge_requests/{first}/notes"),
        reason,
    );
    stage.edit_merge_request("ana", first, json!({"state_event": "close"}));
    let second = stage.merge_request("dan", "closes feature #1");
    stage.run();
    for (user, job) in [("olga", "validate:po"), ("quentin", "validate:qa")] {
        let ran = stage.play(user, second, job);
        passed(&ran);
        let before =
            format!("rejected before in !{first} by `olga` as `po`: the receipt is missing");
        says(&ran, &[&before]);
    }
    passed(&stage.ran("await-validation", second));
    assert_eq!(asked(&stage, second), "");
}

#[test]
fn a_rejection_during_the_trial_keeps_the_change_set_from_landing() {
    let mut stage = Stage::new();
    let iid = closing(&mut stage, "");
    stage.run();
    for (user, job) in [("olga", "validate:po"), ("quentin", "validate:qa")] {
        passed(&stage.play(user, iid, job));
    }
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    passed(&stage.play("quentin", iid, "reject:qa"));
    stage.run();
    assert_eq!(stage.state(iid), "opened");
    let note = stage.notes(iid).join("\n");
    assert!(
        note.contains("quentin rejected it as qa after it joined the queue"),
        "{note}"
    );
}
