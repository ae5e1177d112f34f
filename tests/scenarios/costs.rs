//! What the way of a change set costs GitLab: requests of the API, and operations of git (each clone, fetch and push is one).

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::RequestEntry;

use crate::branches::branches;
use crate::controls::tick;
use crate::stage::Stage;

/// From the button to the version.
const TO_LANDED: [&str; 4] = ["integrate", "nrt-admit", "nrt-acquire", "append-to-version"];
/// The jobs of the gate for one trial.
const OF_THE_TRIAL: [&str; 4] = [
    "nrt-admit",
    "nrt-acquire",
    "append-to-version",
    "nrt-release",
];

/// How many requests and operations of git jobs of these names made, whatever pipeline they were in.
fn cost(stage: &Stage, jobs: &[&str]) -> (usize, usize) {
    let of_them = |entry: &&RequestEntry| {
        let job = entry.job.as_ref();
        job.is_some_and(|job| jobs.contains(&job.name.as_str()))
    };
    let all = stage.world.emulator.requests();
    let api = all
        .iter()
        .filter(of_them)
        .filter(|entry| entry.path.starts_with("/api/"));
    let git = all.iter().filter(of_them).filter(|entry| {
        matches!(
            entry.route.as_deref(),
            Some("git info/refs upload-pack" | "git receive-pack")
        )
    });
    (api.count(), git.count())
}

/// What each job asked, for whoever looks at a failure.
fn listed(stage: &Stage) -> String {
    let mut text = String::new();
    for entry in stage.world.emulator.requests() {
        if let Some(job) = &entry.job {
            text += &format!("{} {}: {} {}\n", job.id, job.name, entry.method, entry.path);
        }
    }
    text
}

#[test]
fn one_change_set_costs_at_most_fifteen_requests_from_the_button_to_the_version() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.world.emulator.clear_requests();
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    let (api, git) = cost(&stage, &TO_LANDED);
    assert!(api <= 15, "{api} requests:\n{}", listed(&stage));
    assert!(git <= 1, "{git} operations of git:\n{}", listed(&stage));
}

#[test]
fn one_that_must_be_rebased_costs_a_rebase_more() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.push_to_main("shop/hot.price", "1\n");
    stage.run();
    stage.world.emulator.clear_requests();
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    let (api, git) = cost(&stage, &TO_LANDED);
    assert!(api <= 20, "{api} requests:\n{}", listed(&stage));
    assert!(git <= 2, "{git} operations of git:\n{}", listed(&stage));
}

/// Where the target is when the worker comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// It has moved since they were branched off, as it nearly always has.
    Moved,
    /// They stand on its head, and an older merge request of somebody's does not.
    Still,
    /// They stand on its head, and are all that is open.
    StillAndAlone,
}

/// What becomes of their branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Branches {
    Kept,
    Deleted,
}

/// Five change sets of two commits each, in a project that merges in this way; the worker comes when all of them wait.
fn batch_of_five(method: &str, squash: bool, target: Target, branches: Branches) -> Stage {
    let mut stage = Stage::new();
    let project = stage.world.at("");
    let settings = json!({"merge_method": method});
    let project = project.trim_end_matches('/');
    stage
        .world
        .ask("root", Method::PUT, project, settings)
        .unwrap();
    stage.feature("Wanted");
    if target == Target::Still {
        stage.merge_request("dan", "contributes to feature #1");
        stage.run();
        stage.push_to_main("shop/hot.price", "1\n");
        stage.run();
    }
    let mut iids = Vec::new();
    for number in 1..=5 {
        let file = format!("shop/item-{number}.price");
        let price = [(file.as_str(), "3\n")];
        let iid = stage.merge_request_with("ana", "contributes to feature #1", &price);
        stage.push_again("ana", iid);
        let wish = json!({"squash": squash, "remove_source_branch": branches == Branches::Deleted});
        stage.edit_merge_request("ana", iid, wish);
        iids.push(iid);
    }
    stage.run();
    if target == Target::Moved {
        stage.push_to_main("shop/hot.price", "1\n");
        stage.run();
    }
    stage.world.emulator.clear_requests();
    for iid in &iids {
        stage.play("ana", *iid, "integrate");
        stage.run_but("nrt-acquire");
    }
    stage.run();
    for iid in &iids {
        assert_eq!(stage.state(*iid), "merged", "{method}");
    }
    stage
}

/// The workers of the other four find nothing to do, with one request each.
const IDLE: usize = 4;

fn costs_of_a_batch(method: &str, squash: bool, target: Target, most_api: usize, most_git: usize) {
    let stage = batch_of_five(method, squash, target, Branches::Kept);
    let (api, git) = cost(&stage, &OF_THE_TRIAL);
    let api = api - IDLE;
    assert!(
        api <= most_api,
        "{method}: {api} requests:\n{}",
        listed(&stage)
    );
    assert!(
        git <= most_git,
        "{method}: {git} operations of git:\n{}",
        listed(&stage)
    );
}

#[test]
fn a_clean_batch_of_five_merge_commits_costs_each_of_them_less_than_alone() {
    costs_of_a_batch("merge", false, Target::Moved, 29, 3);
}

#[test]
fn squashing_a_clean_batch_of_five_costs_a_look_and_a_push_more() {
    costs_of_a_batch("merge", true, Target::Moved, 30, 4);
}

#[test]
fn so_does_rebasing_it() {
    costs_of_a_batch("rebase_merge", false, Target::Moved, 30, 4);
}

#[test]
fn so_does_fast_forwarding_it() {
    costs_of_a_batch("ff", false, Target::Moved, 30, 4);
}

#[test]
fn a_batch_that_is_squashed_and_fast_forwarded_costs_no_more() {
    costs_of_a_batch("ff", true, Target::Moved, 30, 4);
}

#[test]
fn where_all_of_them_stand_on_the_head_of_the_target_older_merge_requests_show_how_it_merges() {
    for (method, most) in [("merge", 29), ("rebase_merge", 30), ("ff", 30)] {
        costs_of_a_batch(method, false, Target::Still, most, 4);
    }
}

#[test]
fn where_nothing_else_is_open_the_project_is_asked_unless_it_fast_forwards() {
    for (method, most) in [("merge", 30), ("rebase_merge", 31), ("ff", 30)] {
        costs_of_a_batch(method, false, Target::StillAndAlone, most, 4);
    }
}

#[test]
fn deleting_their_branches_costs_a_batch_nothing() {
    for (method, target, most_api, most_git) in [
        ("merge", Target::Moved, 29, 3),
        ("rebase_merge", Target::Still, 30, 4),
    ] {
        let mut stage = batch_of_five(method, false, target, Branches::Deleted);
        let (api, git) = cost(&stage, &OF_THE_TRIAL);
        let api = api - IDLE;
        assert!(api <= most_api, "{api} requests:\n{}", listed(&stage));
        assert!(
            git <= most_git,
            "{git} operations of git:\n{}",
            listed(&stage)
        );
        let swept = tick(&mut stage, "");
        assert_eq!(swept.exit_code, Some(0), "{}", swept.trace);
        let left = branches(&stage);
        for number in 1..=5 {
            let name = format!("change-{number}");
            assert!(!left.contains(&name), "{name}: {left:?}");
        }
    }
}
