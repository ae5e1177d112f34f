//! The job that lands a batch dies, at every request and at every operation of git: what was validated lands, or is tried again from
//! the heads that people pushed; nobody is dropped, and nothing happens twice.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::domain::event::Fact;
use trainyard_emulator::faults::{Effect, Rule};

use super::{Deaths, run_until_death};
use crate::outcomes::landed;
use crate::stage::Stage;

/// Two change sets of two commits each under trial, tested; the job that lands them waits.
fn tested_together(method: &str, squash: bool) -> (Stage, Vec<u64>) {
    let mut stage = Stage::new();
    let settings = json!({"merge_method": method});
    let project = stage.world.at("");
    let project = project.trim_end_matches('/');
    stage
        .world
        .ask("root", Method::PUT, project, settings)
        .unwrap();
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for author in ["ana", "dan"] {
        let iid = stage.merge_request(author, "contributes to feature #1");
        stage.push_again(author, iid);
        stage.edit_merge_request(author, iid, json!({"squash": squash}));
        stage.join_queue(author, iid);
        iids.push(iid);
    }
    stage.run_but("append-to-version");
    let together =
        |fact: &Fact| matches!(fact, Fact::TrialStarted { placed, .. } if placed.len() == 2);
    assert!(stage.facts().iter().any(together));
    (stage, iids)
}

/// That both landed, once, and that nobody left the queue.
fn all_landed(stage: &Stage, iids: &[u64], context: &str) {
    let left = |fact: &Fact| {
        matches!(
            fact,
            Fact::ChangeSetWithdrawn { .. }
                | Fact::ChangeSetRejected { .. }
                | Fact::ChangeSetConflicted { .. }
        )
    };
    let left: Vec<Fact> = stage.facts().into_iter().filter(left).collect();
    assert_eq!(left, [], "{context}");
    assert_eq!(landed(stage), iids, "{context}");
    for iid in iids {
        assert_eq!(stage.state(*iid), "merged", "{context}");
    }
    assert!(stage.queue()["environment"]["lease"].is_null(), "{context}");
}

/// Lets the landing die at each of its requests from one on, in turn.
fn dies_from(first: u32, method: &str, squash: bool) {
    let (mut stage, iids) = tested_together(method, squash);
    // The gate of the second one has nothing to do any more.
    let gates = stage.world.at("pipelines?ref=main&source=trigger");
    let gates = stage.world.read("rita", &gates).unwrap();
    stage.cancel(gates[0]["id"].as_u64().unwrap());
    stage.world.ran.clear();
    let before = stage.moment();
    let deaths = Deaths::of("append-to-version").after(first).in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, death| {
            stage.run();
            let context = format!("{method}, squash {squash}, {}", death.context);
            all_landed(stage, &iids, &context);
        },
    );
    assert!(deaths >= 4, "it was killed {deaths} times only");
}

#[test]
fn a_batch_of_merge_commits_whose_landing_dies_anywhere_lands_once() {
    dies_from(2, "merge", false);
}

#[test]
fn a_semi_linear_batch_whose_landing_dies_anywhere_lands_once() {
    dies_from(0, "rebase_merge", false);
}

#[test]
fn a_fast_forward_batch_whose_landing_dies_anywhere_lands_once() {
    dies_from(2, "ff", false);
}

#[test]
fn a_squashed_batch_whose_landing_dies_anywhere_lands_once() {
    dies_from(2, "merge", true);
}

/// The landing dies right after it has given the branches their new heads, and its whole pipeline is cancelled.
fn cancelled_half_way(method: &str, squash: bool) -> (Stage, Vec<u64>) {
    let (mut stage, iids) = tested_together(method, squash);
    let push = Rule::new(Effect::Kill).on("POST", "git receive-pack");
    let push = push.of_job("append-to-version");
    stage.world.emulator.faults().add(push);
    stage
        .world
        .run(|job| !job.name.starts_with("nrt-release") && job.name != "nrt-acquire");
    assert!(stage.died(), "{}", stage.last("append-to-version").trace);
    let worker = stage.queue()["environment"]["lease"]["pipeline"].clone();
    stage.cancel(worker.as_u64().unwrap());
    (stage, iids)
}

#[test]
fn the_next_worker_gives_the_branches_of_a_dead_landing_their_own_heads_back() {
    for (method, squash) in [("ff", false), ("rebase_merge", false), ("merge", true)] {
        let (mut stage, iids) = cancelled_half_way(method, squash);
        stage.run();
        all_landed(&stage, &iids, method);
    }
}

#[test]
fn after_a_dead_landing_only_whoever_pushed_meanwhile_leaves() {
    let (mut stage, iids) = cancelled_half_way("ff", false);
    stage.push("dan", iids[1], &[("shop/late.price", "7\n")]);
    stage.run();
    assert_eq!(landed(&stage), [iids[0]]);
    let left = stage.notes(iids[1]).into_iter();
    let told: Vec<String> = left
        .filter(|note| note.contains("left the queue"))
        .collect();
    assert_eq!(told.len(), 1, "{:?}", stage.notes(iids[1]));
}

#[test]
fn a_rebase_whose_worker_died_is_no_new_commit() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.push_to_main("shop/hot.price", "1\n");
    stage.run();
    let rebase = "projects/:id/merge_requests/:merge_request_iid/rebase";
    let kill = Rule::new(Effect::Kill).on("PUT", rebase);
    stage.world.emulator.faults().add(kill);
    stage.integrate("ana", iid);
    stage.run();
    assert!(stage.died(), "{}", stage.last("nrt-acquire").trace);
    all_landed(&stage, &[iid], "killed while GitLab rebased");
}
