//! What somebody does to a merge request, or to the target, while several change sets are under trial together: nobody is dropped,
//! whoever must act is told, and what lands says where it came from.

use std::collections::BTreeMap;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::domain::event::Fact;
use trainyard::domain::nrt::Abandoned;

use crate::outcomes::{landed, trials, withdrawn};
use crate::stage::Stage;

/// Three change sets of Ana's under trial together, each of two commits; the tests have not run yet.
pub(crate) fn three_under_trial(method: &str, merge_request: &Value) -> (Stage, Vec<u64>) {
    let mut stage = Stage::new();
    let project = stage.world.at("");
    let project = project.trim_end_matches('/');
    let settings = json!({"merge_method": method});
    stage
        .world
        .ask("root", Method::PUT, project, settings)
        .unwrap();
    stage.push_to_main("shop/early.price", "1\n");
    stage.feature("Wanted");
    stage.feature("Wanted as well");
    let mut iids = Vec::new();
    for number in 1..=3 {
        let file = format!("shop/item-{number}.price");
        let iid = stage.merge_request_with("ana", "contributes to feature #1", &[(&file, "3\n")]);
        stage.push_again("ana", iid);
        stage.edit_merge_request("ana", iid, merge_request.clone());
        stage.join_queue("ana", iid);
        iids.push(iid);
    }
    stage.run_but("nrt-tests");
    assert_eq!(trials(&stage), std::slice::from_ref(&iids));
    (stage, iids)
}

fn abandoned(stage: &Stage) -> Vec<Abandoned> {
    let mut reasons = Vec::new();
    for fact in stage.facts() {
        if let Fact::TrialAbandoned { reason, .. } = fact {
            reasons.push(reason);
        }
    }
    reasons
}

fn mentions(stage: &Stage, iid: u64) -> usize {
    let notes = stage.notes(iid);
    notes.iter().filter(|note| note.contains("@ana")).count()
}

/// Somebody makes a branch anew from another commit, as a forced push does.
fn rewrite(stage: &Stage, user: &str, branch: &str, start: &str) {
    let start = match start {
        "main" => json!({"start_branch": "main"}),
        commit => json!({"start_sha": commit}),
    };
    let mut wish = json!({
        "branch": branch, "force": true, "commit_message": "Made anew",
        "actions": [{"action": "create", "file_path": "shop/anew.price", "content": "2\n"}],
    });
    for (key, value) in start.as_object().unwrap() {
        wish[key] = value.clone();
    }
    let path = stage.world.at("repository/commits");
    stage.world.ask(user, Method::POST, &path, wish).unwrap();
}

/// What is done to the second of three while they are tried, and the reason that people read.
fn the_second_leaves(reason: &str, done: impl FnOnce(&mut Stage, u64)) {
    let (mut stage, iids) = three_under_trial("merge", &json!({"squash": false}));
    done(&mut stage, iids[1]);
    stage.run();
    let left = withdrawn(&stage);
    assert_eq!(left.len(), 1, "{left:?}");
    let told = left.get(&iids[1]).cloned().unwrap_or_default();
    assert!(told.contains(reason), "{told} should say {reason}");
    assert_eq!(abandoned(&stage), [Abandoned::ChangeSetChanged]);
    let rest = [iids[0], iids[2]];
    assert_eq!(trials(&stage), [iids.clone(), rest.to_vec()]);
    assert_eq!(landed(&stage), rest, "the others are tried again, and land");
    assert_eq!(mentions(&stage, iids[1]), 1, "{:?}", stage.notes(iids[1]));
    for iid in rest {
        assert_eq!(stage.state(iid), "merged");
        assert_eq!(mentions(&stage, iid), 0, "{:?}", stage.notes(iid));
    }
    assert!(stage.queue()["environment"]["lease"].is_null());
}

#[test]
fn a_member_that_becomes_a_draft_leaves_and_the_others_are_tried_again() {
    the_second_leaves("made a draft during the trial", |stage, iid| {
        stage.edit_merge_request("ana", iid, json!({"title": "Draft: not yet"}));
    });
}

#[test]
fn a_member_that_is_closed_leaves_and_the_others_are_tried_again() {
    the_second_leaves("closed during the trial", |stage, iid| {
        stage.edit_merge_request("ana", iid, json!({"state_event": "close"}));
    });
}

#[test]
fn a_member_that_gets_another_target_leaves_and_the_others_are_tried_again() {
    the_second_leaves("given another target during the trial", |stage, iid| {
        let file = [("other.txt".to_owned(), "x".to_owned())];
        stage
            .world
            .push("root", "other", "Another branch", &file, &[])
            .unwrap();
        stage.edit_merge_request("ana", iid, json!({"target_branch": "other"}));
    });
}

#[test]
fn a_member_that_is_pushed_to_leaves_and_the_others_are_tried_again() {
    the_second_leaves("new commits were pushed during the trial", |stage, iid| {
        stage.push("ana", iid, &[("shop/late.price", "7\n")]);
    });
}

#[test]
fn a_member_whose_description_gets_a_link_leaves_and_the_others_are_tried_again() {
    the_second_leaves("its links to features were edited", |stage, iid| {
        let description = "contributes to feature #1 and feature #2";
        stage.edit_merge_request("ana", iid, json!({"description": description}));
    });
}

#[test]
fn a_member_whose_description_loses_its_link_leaves_and_the_others_are_tried_again() {
    the_second_leaves("its links to features were edited", |stage, iid| {
        stage.edit_merge_request("ana", iid, json!({"description": "nothing"}));
    });
}

#[test]
fn words_of_a_description_that_are_no_links_change_nothing() {
    let (mut stage, iids) = three_under_trial("merge", &json!({"squash": false}));
    let description = "Contributes to feature #1, and explains itself.";
    stage.edit_merge_request("ana", iids[1], json!({"description": description}));
    stage.run();
    assert_eq!((trials(&stage).len(), landed(&stage)), (1, iids));
}

#[test]
fn a_member_whose_branch_is_rewritten_leaves_and_the_others_are_tried_again() {
    the_second_leaves("new commits were pushed during the trial", |stage, iid| {
        rewrite(stage, "ana", &format!("change-{}", iid - 1), "main");
    });
}

/// Somebody deletes a merge request for good.
fn delete(stage: &Stage, iid: u64) {
    let path = stage.world.at(&format!("merge_requests/{iid}"));
    stage
        .world
        .ask("root", Method::DELETE, &path, Value::Null)
        .unwrap();
}

#[test]
fn a_member_that_is_deleted_leaves_and_the_others_are_tried_again() {
    let (mut stage, iids) = three_under_trial("merge", &json!({"squash": false}));
    delete(&stage, iids[1]);
    stage.run();
    assert_eq!(withdrawn(&stage)[&iids[1]], "the merge request is gone");
    assert_eq!(landed(&stage), [iids[0], iids[2]]);
    let lists = stage.queue();
    assert_eq!(
        (&lists["tickets"], &lists["environment"]["lease"]),
        (&json!([]), &Value::Null)
    );
}

#[test]
fn a_ticket_whose_merge_request_is_deleted_while_it_waits_holds_up_nobody() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for author in ["ana", "dan"] {
        let iid = stage.merge_request(author, "contributes to feature #1");
        stage.run_but("nrt-acquire");
        stage.play(author, iid, "integrate");
        stage.run_but("nrt-acquire");
        iids.push(iid);
    }
    delete(&stage, iids[0]);
    stage.run();
    assert_eq!(withdrawn(&stage)[&iids[0]], "the merge request is gone");
    assert_eq!(landed(&stage), [iids[1]]);
    for job in ["nrt-acquire", "append-to-version", "nrt-release-fallback"] {
        let ran = stage.last(job);
        assert_eq!(ran.exit_code, Some(0), "{job}: {}", ran.trace);
    }
}

#[test]
fn a_verdict_for_a_candidate_that_nobody_knows_is_refused_and_changes_nothing() {
    let (mut stage, iids) = three_under_trial("merge", &json!({"squash": false}));
    let before = stage.facts();
    let refusals: [(&[&str], &str); 3] = [
        (&["append-to-version", "--epoch", "99"], "lease 99"),
        (
            &["nrt-lock", "conclude", "--epoch", "99", "--rejected"],
            "99",
        ),
        (
            &[
                "nrt-lock",
                "conclude",
                "--epoch",
                "1",
                "--rejected-by",
                "!77",
            ],
            "!77",
        ),
    ];
    for (arguments, names) in refusals {
        let said = stage.gate(arguments);
        assert!(
            matches!(said.code, Some(1 | 2)) && said.said.contains(names),
            "{arguments:?}: {}",
            said.said
        );
    }
    assert_eq!(stage.facts(), before);
    stage.run();
    assert_eq!(
        landed(&stage),
        iids,
        "the trial goes on as if nothing had been said"
    );
}

#[test]
fn a_target_that_is_rewritten_during_the_trial_costs_nobody_their_place() {
    let (mut stage, iids) = three_under_trial("merge", &json!({"squash": false}));
    let rule = stage.world.at("protected_branches/main");
    let forced = json!({"allow_force_push": true});
    stage
        .world
        .ask("root", Method::PATCH, &rule, forced)
        .unwrap();
    let commits = stage.world.at("repository/commits?ref_name=main");
    let commits = stage.world.read("root", &commits).unwrap();
    // The very commit that the candidate stands on is not part of the target any more.
    rewrite(&stage, "root", "main", commits[1]["id"].as_str().unwrap());
    stage.run();
    assert_eq!(withdrawn(&stage), BTreeMap::new());
    assert_eq!(abandoned(&stage), [Abandoned::TargetMoved]);
    assert_eq!(trials(&stage), [iids.clone(), iids.clone()]);
    assert_eq!(landed(&stage), iids);
    assert_eq!(mentions(&stage, iids[0]), 0);
}

/// The newest commits of the target, those that came last first.
fn messages(stage: &Stage) -> Vec<String> {
    let path = "repository/commits?ref_name=main&per_page=20";
    let commits = stage.world.read("root", &stage.world.at(path)).unwrap();
    let commits = commits.as_array().unwrap().iter();
    commits
        .map(|commit| commit["message"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether one commit says all of a change set.
fn names(message: &str, iid: u64, trial: u64) -> bool {
    let change_set = format!("\nTrainyard-Change-Set: shop/web!{iid}@");
    let trial = format!("\nTrainyard-Trial: {trial}\n");
    let message = format!("{message}\n");
    message.contains("\nFeature: #1\n") && message.contains(&change_set) && message.contains(&trial)
}

#[test]
fn whatever_lands_says_its_features_its_change_set_and_its_trial() {
    for (method, squash) in [
        ("merge", false),
        ("merge", true),
        ("rebase_merge", false),
        ("ff", true),
    ] {
        let (mut stage, iids) = three_under_trial(method, &json!({"squash": squash}));
        stage.run();
        assert_eq!(landed(&stage), iids, "{method}, squash {squash}");
        let messages = messages(&stage);
        for iid in iids {
            let named = messages.iter().filter(|text| names(text, iid, 1)).count();
            // A squashed commit and the merge commit that brings it say the same.
            let wanted = 1 + usize::from(squash && method != "ff");
            assert_eq!(named, wanted, "{method}, squash {squash}: {messages:#?}");
        }
    }
}

#[test]
fn commits_that_are_fast_forwarded_as_they_are_stay_as_their_author_wrote_them() {
    let (mut stage, iids) = three_under_trial("ff", &json!({"squash": false}));
    stage.run();
    assert_eq!(landed(&stage), iids);
    let ours = |text: &String| text.contains("Trainyard-");
    assert!(!messages(&stage).iter().any(ours));
}

#[test]
fn one_change_set_alone_says_the_same_however_it_is_merged() {
    for (method, squash) in [("merge", false), ("rebase_merge", true), ("ff", true)] {
        let mut stage = Stage::new();
        let project = stage.world.at("");
        let settings = json!({"merge_method": method});
        stage
            .world
            .ask("root", Method::PUT, project.trim_end_matches('/'), settings)
            .unwrap();
        stage.feature("Wanted");
        let iid = stage.merge_request("ana", "closes nothing; contributes to feature #1");
        stage.edit_merge_request("ana", iid, json!({"squash": squash}));
        stage.integrate("ana", iid);
        stage.run();
        assert_eq!(landed(&stage), [iid], "{method}");
        let messages = messages(&stage);
        assert!(
            messages.iter().any(|text| names(text, iid, 1)),
            "{method}, squash {squash}: {messages:#?}"
        );
    }
}
