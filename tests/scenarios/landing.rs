//! What a change set can meet on its way: every outcome is defined, and nobody is silently dropped.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::domain::event::Fact;
use trainyard::domain::nrt::Abandoned;
use trainyard_emulator::faults::{Effect, Rule};

use crate::deaths::{Deaths, Run, run_until_death};
use crate::stage::Stage;

/// A feature, and one change set of Ana's under trial: deployed, its tests not run yet.
fn under_trial() -> (Stage, u64) {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    assert!(
        stage
            .facts()
            .iter()
            .any(|fact| matches!(fact, Fact::TrialStarted { .. }))
    );
    (stage, iid)
}

fn landed(stage: &Stage, iid: u64) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::ChangeSetAppended { appended, .. } if appended.change_set.merge_request.iid == iid);
    stage.facts().iter().filter(of).count()
}

#[test]
fn a_change_set_lands_as_it_was_tested_and_is_appended_once() {
    let (mut stage, iid) = under_trial();
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1)
    );
    let notes = stage.notes(iid);
    assert_eq!(notes.len(), 1, "one note, edited in place: {notes:?}");
    assert!(notes[0].contains("**Landed: in version #1"), "{notes:?}");
    let again = stage.gate(&["append-to-version", "--epoch", "1"]);
    assert!(
        again.code == Some(0) && again.said.contains("nothing changed"),
        "{}",
        again.said
    );
    let admitted = stage.admit(iid);
    assert!(
        admitted.said.contains("served before: it landed"),
        "{}",
        admitted.said
    );
    assert_eq!(landed(&stage, iid), 1);
}

#[test]
fn a_target_that_moves_during_the_trial_sends_the_change_set_back_to_its_place() {
    let (mut stage, iid) = under_trial();
    stage.push_to_main("shop/hot.price", "1\n");
    stage.run();
    let facts = stage.facts();
    assert!(facts.iter().any(|fact| matches!(
        fact,
        Fact::TrialAbandoned {
            reason: Abandoned::TargetMoved,
            ..
        }
    )));
    assert!(
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::ChangeSetRebased { .. })),
        "the next worker rebased and tried it again"
    );
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1)
    );
}

#[test]
fn commits_pushed_during_the_trial_take_the_change_set_out_of_the_queue() {
    let (mut stage, iid) = under_trial();
    stage.push_again("ana", iid);
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("opened", 0)
    );
    let withdrawn = stage.facts().into_iter().any(|fact| matches!(&fact, Fact::ChangeSetWithdrawn { reason, .. } if reason.contains("new commits")));
    // In a note of its own: the kept one tells by now what the pipeline of the new commits found.
    assert!(
        withdrawn
            && stage
                .notes(iid)
                .iter()
                .any(|note| note.contains("@ana !1 left the queue: new commits were pushed")),
        "{:?}",
        stage.notes(iid)
    );
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(landed(&stage, iid), 1, "asked for again, it lands");
}

#[test]
fn a_merge_request_closed_drafted_or_retargeted_during_the_trial_does_not_land() {
    for (change, reason) in [
        (json!({"state_event": "close"}), "closed during the trial"),
        (json!({"title": "Draft: wait"}), "made a draft"),
        (json!({"target_branch": "other"}), "another target"),
        (
            json!({"description": "closes feature #1"}),
            "its links to features were edited",
        ),
    ] {
        let (mut stage, iid) = under_trial();
        stage
            .world
            .push(
                "root",
                "other",
                "Another branch",
                &[("x".to_owned(), "x".to_owned())],
                &[],
            )
            .unwrap();
        stage.edit_merge_request("ana", iid, change);
        stage.run();
        let told = stage.facts().into_iter().any(|fact| matches!(&fact, Fact::ChangeSetWithdrawn { reason: r, .. } if r.contains(reason)));
        assert!(
            told && landed(&stage, iid) == 0,
            "{reason}: {}",
            stage.last("append-to-version").trace
        );
    }
}

#[test]
fn a_conflict_with_the_target_is_the_authors_who_is_warned_once() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let first = stage.merge_request_with(
        "ana",
        "contributes to feature #1",
        &[("shop/book.price", "13\n")],
    );
    let second = stage.merge_request_with(
        "dan",
        "contributes to feature #1",
        &[("shop/book.price", "14\n")],
    );
    stage.integrate("ana", first);
    stage.integrate("dan", second);
    stage.run();
    assert_eq!((landed(&stage, first), landed(&stage, second)), (1, 0));
    assert!(
        stage
            .facts()
            .iter()
            .any(|fact| matches!(fact, Fact::ChangeSetConflicted { .. }))
    );
    let alerts: Vec<String> = stage
        .notes(second)
        .into_iter()
        .filter(|note| note.contains("@dan"))
        .collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(
        stage.queue()["environment"]["lease"].is_null(),
        "the environment is free again"
    );
}

#[test]
fn a_rejected_change_set_leaves_and_its_author_is_warned() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request_with(
        "eve",
        "contributes to feature #1",
        &[("shop/bad.price", "free\n")],
    );
    stage.integrate("eve", iid);
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("opened", 0)
    );
    let notes = stage.notes(iid);
    assert!(
        notes
            .iter()
            .any(|note| note.contains("Rejected by the non-regression tests")
                && note.contains("`nrt-tests`")),
        "{notes:?}"
    );
    assert_eq!(
        notes.iter().filter(|note| note.contains("@eve")).count(),
        1,
        "{notes:?}"
    );
}

#[test]
fn a_cancelled_worker_loses_the_environment_and_its_change_set_keeps_its_place() {
    let (mut stage, iid) = under_trial();
    let lease = stage.queue()["environment"]["lease"].clone();
    let worker = lease["pipeline"].as_u64().unwrap();
    stage.cancel(worker);
    let next = stage.merge_request("dan", "contributes to feature #1");
    stage.integrate("dan", next);
    stage.run();
    let facts = stage.facts();
    assert!(
        facts.iter().any(|fact| matches!(
            fact,
            Fact::LeaseExpired { .. } | Fact::TrialAbandoned { .. }
        )),
        "{facts:?}"
    );
    assert_eq!(
        (landed(&stage, iid), landed(&stage, next)),
        (1, 1),
        "both are served"
    );
    let late = stage.gate(&["append-to-version", "--epoch", "1"]);
    assert!(
        late.code == Some(1) || late.said.contains("nothing changed"),
        "an old holder can do nothing: {}",
        late.said
    );
}

#[test]
fn a_merge_whose_answer_was_lost_is_found_and_appended_once() {
    let (mut stage, iid) = under_trial();
    stage
        .world
        .emulator
        .faults()
        .add(Rule::new(Effect::ResetAfter).on(
            "PUT",
            "projects/:id/merge_requests/:merge_request_iid/merge",
        ));
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1),
        "{}",
        stage.last("append-to-version").trace
    );
}

#[test]
fn a_merge_that_comes_after_its_trial_was_given_up_is_in_the_version() {
    let (mut stage, iid) = under_trial();
    stage.run_but("append-to-version");
    let merge = "projects/:id/merge_requests/:merge_request_iid/merge";
    let faults = stage.world.emulator.faults();
    faults.add(
        Rule::new(Effect::Answer {
            status: 403,
            body: json!({}),
        })
        .on("PUT", merge)
        .times(100),
    );
    stage.run_but("nrt-acquire");
    stage.world.emulator.faults().clear();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("opened", 0)
    );
    // Some runners say that a job is over while its process lives on: its request arrives now.
    let path = stage.world.at(&format!("merge_requests/{iid}/merge"));
    stage
        .world
        .ask("trainyard-bot", Method::PUT, &path, json!({}))
        .unwrap();
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1),
    );
    assert!(stage.notes(iid)[0].contains("**Landed: in version #1"));
}

#[test]
fn change_sets_land_in_the_order_of_their_requests() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let order: Vec<u64> = ["ana", "dan", "eve"]
        .iter()
        .map(|author| stage.merge_request(author, "contributes to feature #1"))
        .collect();
    for (author, iid) in ["ana", "dan", "eve"].iter().zip(&order) {
        stage.integrate(author, *iid);
    }
    stage.run();
    let landed: Vec<u64> = stage
        .facts()
        .into_iter()
        .filter_map(|fact| {
            if let Fact::ChangeSetAppended { appended, .. } = fact {
                Some(appended.change_set.merge_request.iid)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(landed, order);
    assert_eq!(
        stage.world.emulator.unknown_requests(),
        [],
        "the embedded GitLab knew every request"
    );
}

#[test]
fn a_landing_that_dies_at_any_request_is_finished_or_tried_again_and_done_once() {
    let (mut stage, iid) = under_trial();
    stage.run_but("append-to-version");
    let before = stage.moment();
    let deaths = Deaths::by("trainyard-bot").in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, Run { context, .. }| {
            stage.run();
            assert_eq!(
                (stage.state(iid).as_str(), landed(stage, iid)),
                ("merged", 1),
                "{context}"
            );
            let lease = &stage.queue()["environment"]["lease"];
            assert!(lease.is_null(), "{context}: {lease}");
        },
    );
    assert!(deaths >= 9, "the landing makes {deaths} requests");
}

#[test]
fn a_worker_that_dies_at_any_request_loses_no_change_set() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let first = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    assert_eq!(stage.play("ana", first, "integrate").exit_code, Some(0));
    stage.run_but("nrt-acquire");
    let before = stage.moment();
    for nth in 1..=4 {
        before.restore(&mut stage.world);
        let kill = Rule::new(Effect::Kill).by("trainyard-bot");
        stage.world.emulator.faults().add(kill.after(nth - 1));
        stage.run();
        assert!(stage.died(), "the worker makes {nth} requests");
        if nth > 2 {
            assert_eq!(
                landed(&stage, first),
                1,
                "killed at request {nth}: the worker's last job frees the environment and starts the next"
            );
        }
        let second = stage.merge_request("dan", "contributes to feature #1");
        stage.integrate("dan", second);
        stage.run();
        assert_eq!(
            (landed(&stage, first), landed(&stage, second)),
            (1, 1),
            "killed at request {nth}"
        );
    }
}
