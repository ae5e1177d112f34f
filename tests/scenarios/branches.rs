//! Source branches of what a batch landed: they go with the push of the next candidate or with the next tick, and what has to stay
//! stays.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::domain::event::Fact;

use crate::controls::tick;
use crate::outcomes::{landed, trials};
use crate::stage::Stage;
use crate::together::three_under_trial;

/// The branches that the project has.
pub(crate) fn branches(stage: &Stage) -> Vec<String> {
    let path = stage.world.at("repository/branches?per_page=100");
    let found = stage.world.read("root", &path).unwrap();
    let found = found.as_array().unwrap().iter();
    found
        .map(|branch| branch["name"].as_str().unwrap().to_owned())
        .collect()
}

fn is_there(stage: &Stage, name: &str) -> bool {
    branches(stage).iter().any(|branch| branch == name)
}

/// The merge requests whose branches were settled, entry by entry.
fn settled(stage: &Stage) -> Vec<Vec<u64>> {
    let mut settled = Vec::new();
    for fact in stage.facts() {
        if let Fact::SourceBranchesSettled { merge_requests } = fact {
            settled.push(merge_requests.iter().map(|id| id.iid).collect());
        }
    }
    settled
}

/// How many pushes the gate's jobs made.
fn pushes(stage: &Stage) -> usize {
    let all = stage.world.emulator.requests();
    let ours = all.iter().filter(|entry| entry.job.is_some());
    ours.filter(|entry| entry.route.as_deref() == Some("git receive-pack"))
        .count()
}

/// Two more change sets of Ana's, which wait.
fn two_more(stage: &mut Stage) -> Vec<u64> {
    let mut iids = Vec::new();
    for number in 1..=2 {
        let file = format!("shop/second-{number}.price");
        let iid = stage.merge_request_with("ana", "contributes to feature #1", &[(&file, "3\n")]);
        stage.join_queue("ana", iid);
        iids.push(iid);
    }
    iids
}

#[test]
fn a_tick_deletes_branches_where_the_merge_request_asks_for_it() {
    for method in ["merge", "ff"] {
        let wish = json!({"remove_source_branch": true});
        let (mut stage, iids) = three_under_trial(method, &wish);
        let keep = json!({"remove_source_branch": false});
        stage.edit_merge_request("ana", iids[0], keep);
        // Somebody builds on the second one.
        let file = [("shop/stacked.price".to_owned(), "4\n".to_owned())];
        stage
            .world
            .push("dan", "stacked", "On top", &file, &[])
            .unwrap();
        let on_top =
            json!({"source_branch": "stacked", "target_branch": "change-1", "title": "On top"});
        let path = stage.world.at("merge_requests");
        stage.world.ask("dan", Method::POST, &path, on_top).unwrap();
        stage.run();
        assert_eq!(landed(&stage), iids, "{method}");
        let swept = tick(&mut stage, "");
        assert_eq!(swept.exit_code, Some(0), "{}", swept.trace);
        let left = branches(&stage);
        assert!(
            is_there(&stage, "change-0"),
            "{method}: it asks for nothing"
        );
        assert!(
            is_there(&stage, "change-1"),
            "{method}: another one is to land on it"
        );
        assert!(!is_there(&stage, "change-2"), "{method}: {left:?}");
        let told = "source branches of what landed are deleted: `change-2`";
        assert!(swept.trace.contains(told), "{}", swept.trace);
        assert_eq!(stage.state(iids[2]), "merged");
        assert_eq!(settled(&stage), [[iids[1], iids[2]]], "{method}");
        stage.world.emulator.clear_requests();
        tick(&mut stage, "");
        assert_eq!(settled(&stage).len(), 1, "once is enough");
        assert_eq!(pushes(&stage), 0, "{method}");
    }
}

#[test]
fn the_next_candidate_takes_the_branches_along_but_for_one_that_somebody_pushed_to() {
    let wish = json!({"remove_source_branch": true});
    let (mut stage, first) = three_under_trial("merge", &wish);
    // They come while the first ones are tried, so that the next worker takes them at once.
    let second = two_more(&mut stage);
    stage.run_but("nrt-acquire");
    assert_eq!(landed(&stage), first);
    assert!(is_there(&stage, "change-0"), "{:?}", branches(&stage));
    let file = [("shop/later.price".to_owned(), "9\n".to_owned())];
    stage
        .world
        .push("ana", "change-1", "One more thought", &file, &[])
        .unwrap();
    stage.world.emulator.clear_requests();
    stage.run();
    assert_eq!(trials(&stage), [first.clone(), second.clone()]);
    assert_eq!(landed(&stage), [first.clone(), second].concat());
    assert_eq!(pushes(&stage), 2, "the candidate, and the target");
    assert!(!is_there(&stage, "change-0"), "{:?}", branches(&stage));
    assert!(
        is_there(&stage, "change-1"),
        "it has a commit that nobody tested"
    );
    assert!(!is_there(&stage, "change-2"), "{:?}", branches(&stage));
    assert_eq!(settled(&stage), [first]);
}

#[test]
fn a_protected_branch_stays_and_holds_up_nothing() {
    let wish = json!({"remove_source_branch": true});
    let (mut stage, first) = three_under_trial("merge", &wish);
    let second = two_more(&mut stage);
    stage.run_but("nrt-acquire");
    assert_eq!(landed(&stage), first);
    let path = stage.world.at("protected_branches");
    let rule = json!({"name": "change-1"});
    stage.world.ask("root", Method::POST, &path, rule).unwrap();
    stage.world.emulator.clear_requests();
    stage.run();
    assert_eq!(landed(&stage), [first.clone(), second].concat());
    assert_eq!(pushes(&stage), 2, "the candidate, and the target");
    let left = branches(&stage);
    let left: Vec<&String> = left.iter().filter(|b| b.starts_with("change-")).collect();
    assert!(left.contains(&&"change-1".to_owned()), "{left:?}");
    assert!(!left.contains(&&"change-0".to_owned()), "{left:?}");
    assert_eq!(settled(&stage), [first]);
}
