//! Several change sets in one trial: what is tested together lands together, and a bad one is found without costing the others
//! their place.

use serde_json::json;
use trainyard::domain::event::Fact;

use crate::cuts;
use crate::outcomes::{landed, trials};
use crate::stage::Stage;

/// Change sets that all wait when the first worker comes; `bad` ones break the tests.
fn waiting(changes: &[(&str, &str)], count: usize, bad: &[usize]) -> (Stage, Vec<u64>) {
    let mut stage = Stage::with(changes);
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for number in 1..=count {
        let price = if bad.contains(&number) {
            "free\n"
        } else {
            "3\n"
        };
        let file = format!("shop/item-{number}.price");
        let iid = stage.merge_request_with("ana", "contributes to feature #1", &[(&file, price)]);
        stage.join_queue("ana", iid);
        iids.push(iid);
    }
    (stage, iids)
}

#[test]
fn what_waits_together_is_tried_and_lands_together() {
    let (mut stage, iids) = waiting(&[], 5, &[]);
    stage.run();
    assert_eq!(trials(&stage), std::slice::from_ref(&iids));
    assert_eq!(landed(&stage), iids);
    for iid in &iids {
        assert_eq!(stage.state(*iid), "merged");
        let notes = stage.notes(*iid);
        assert!(
            notes.len() == 1 && notes[0].contains("**Landed: in version #1"),
            "{notes:?}"
        );
    }
}

#[test]
fn a_bad_one_among_six_is_found_in_five_trials_and_the_others_land() {
    let (mut stage, iids) = waiting(&[], 6, &[4]);
    stage.run();
    let tried = trials(&stage);
    assert!(tried.len() <= 5, "{tried:?}");
    let mut good = iids.clone();
    let bad = good.remove(3);
    assert_eq!(landed(&stage), good);
    assert_eq!(stage.state(bad), "opened");
    let notes = stage.notes(bad);
    assert!(
        notes.iter().any(|note| note.contains("@ana")),
        "the author is warned: {notes:?}"
    );
    for iid in good {
        let mentions = stage
            .notes(iid)
            .iter()
            .filter(|n| n.contains("@ana"))
            .count();
        assert_eq!(mentions, 0, "nobody else is");
    }
    cuts::decide_alike(&cuts::log(&stage, &[]));
}

#[test]
fn the_merge_method_of_the_project_is_respected() {
    for method in ["ff", "merge"] {
        let (mut stage, iids) = waiting(&[], 3, &[]);
        let project = stage.world.at("");
        stage
            .world
            .ask(
                "root",
                gitlab::api::endpoint_prelude::Method::PUT,
                project.trim_end_matches('/'),
                json!({"merge_method": method}),
            )
            .unwrap();
        stage.run();
        assert_eq!(trials(&stage).len(), 1, "{method}");
        assert_eq!(
            landed(&stage),
            iids,
            "{method}: {}",
            stage.last("append-to-version").trace
        );
        for iid in &iids {
            assert_eq!(stage.state(*iid), "merged", "{method}");
        }
    }
}

#[test]
fn one_that_changes_during_the_trial_leaves_and_the_others_are_tried_again() {
    let (mut stage, iids) = waiting(&[], 3, &[]);
    stage.run_but("nrt-tests");
    stage.push_again("ana", iids[1]);
    stage.run();
    assert_eq!(landed(&stage), [iids[0], iids[2]]);
    assert!(
        stage
            .notes(iids[1])
            .iter()
            .any(|note| note.contains("Left the queue")),
        "{:?}",
        stage.notes(iids[1])
    );
}

#[test]
fn a_target_that_moves_during_the_trial_sends_all_of_them_back_to_their_place() {
    let (mut stage, iids) = waiting(&[], 3, &[]);
    stage.run_but("nrt-tests");
    stage.push_to_main("shop/hot.price", "1\n");
    stage.run();
    assert_eq!(landed(&stage), iids);
    assert_eq!(trials(&stage), [iids.clone(), iids]);
}

#[test]
fn neighbours_in_conflict_land_one_after_the_other_or_their_author_is_warned() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for price in ["13\n", "14\n"] {
        let iid = stage.merge_request_with(
            "ana",
            "contributes to feature #1",
            &[("shop/book.price", price)],
        );
        stage.run_but("nrt-acquire");
        stage.play("ana", iid, "integrate");
        stage.run_but("nrt-acquire");
        iids.push(iid);
    }
    stage.run();
    assert_eq!(landed(&stage), [iids[0]]);
    assert!(
        stage.facts().iter().any(|f| matches!(f, Fact::ChangeSetConflicted { merge_request, .. } if merge_request.iid == iids[1])),
        "once the first is in the target, the conflict is the second one's"
    );
}

#[test]
fn with_batches_switched_off_every_change_set_is_tried_alone() {
    let (mut stage, iids) = waiting(&[("versions:", "nrt: {batch: 1}\nversions:")], 3, &[]);
    stage.run();
    let alone: Vec<Vec<u64>> = iids.iter().map(|iid| vec![*iid]).collect();
    assert_eq!(trials(&stage), alone);
    assert_eq!(landed(&stage), iids);
}

#[test]
fn where_the_bot_may_not_push_people_are_told_the_mend_and_each_lands_alone() {
    let (mut stage, iids) = waiting(&[], 2, &[]);
    let branches = stage.world.at("protected_branches");
    let (main, delete) = (
        format!("{branches}/main"),
        gitlab::api::endpoint_prelude::Method::DELETE,
    );
    stage.world.ask("root", delete, &main, json!({})).unwrap();
    let rule = json!({"name": "main", "push_access_level": 0, "merge_access_level": 40});
    let post = gitlab::api::endpoint_prelude::Method::POST;
    stage.world.ask("root", post, &branches, rule).unwrap();
    stage.run_but("nrt-acquire");
    // The worker of the batch, and no other one.
    stage.world.run_one(|job| job.name == "nrt-acquire");
    stage.run_but("nrt-acquire");
    let mend = "let the gate's bot push to the target branch";
    for iid in &iids {
        let notes = stage.notes(*iid);
        assert!(notes.len() == 1 && notes[0].contains(mend), "{notes:?}");
    }
    assert_eq!(landed(&stage), [0; 0]);
    stage.run();
    assert_eq!(landed(&stage), iids, "GitLab's own merge needs no push");
    let alone: Vec<Vec<u64>> = iids.iter().map(|iid| vec![*iid]).collect();
    assert_eq!(trials(&stage)[1..], alone);
}
