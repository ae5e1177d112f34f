//! What people and machines do at the worst moment of a trial or a landing: defined outcomes, nobody lost, nothing done twice, and no token
//! in what anybody reads.

mod machines;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::clock::SystemClock;
use trainyard::domain::event::Fact;
use trainyard::ports::Clock;
use trainyard_emulator::FinishedJob;
use trainyard_emulator::faults::{Effect, Rule};

use crate::outcomes::landed;
use crate::stage::Stage;

/// One change set of Ana's, deployed and tested, and about to land.
fn about_to_land(method: &str) -> (Stage, u64) {
    let mut stage = Stage::new();
    merge_method(&stage, method);
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("append-to-version");
    (stage, iid)
}

/// Two of them, landing together.
fn two_about_to_land(method: &str) -> (Stage, Vec<u64>) {
    let mut stage = Stage::new();
    merge_method(&stage, method);
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for author in ["ana", "dan"] {
        let iid = stage.merge_request(author, "contributes to feature #1");
        stage.join_queue(author, iid);
        iids.push(iid);
    }
    stage.run_but("append-to-version");
    (stage, iids)
}

fn merge_method(stage: &Stage, method: &str) {
    settings(stage, json!({"merge_method": method}));
}

fn settings(stage: &Stage, settings: Value) {
    let project = stage.world.at("");
    let project = project.trim_end_matches('/');
    let changed = stage.world.ask("root", Method::PUT, project, settings);
    changed.unwrap();
}

fn trials(stage: &Stage) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::TrialStarted { .. });
    stage.facts().iter().filter(of).count()
}

fn is_free(stage: &Stage) -> bool {
    stage.queue()["environment"]["lease"].is_null()
}

fn retried(stage: &mut Stage, user: &str, name: &str) -> FinishedJob {
    let job = stage.last(name).id;
    let path = stage.world.at(&format!("jobs/{job}/retry"));
    stage
        .world
        .ask(user, Method::POST, &path, json!({}))
        .unwrap();
    stage.run();
    stage.last(name)
}

/// No job ever printed a token.
fn no_token_was_printed(stage: &Stage) {
    let token = stage.world.token("trainyard-bot").unwrap();
    for ran in &stage.world.ran {
        let (name, trace) = (&ran.finished.name, &ran.finished.trace);
        assert!(!trace.contains(token), "{name}: {trace}");
    }
}

#[test]
fn a_worker_of_long_ago_that_is_run_again_tries_nothing_that_no_pipeline_would_test() {
    let (mut stage, first) = about_to_land("rebase_merge");
    stage.run();
    assert_eq!(landed(&stage), [first]);
    let nothing = retried(&mut stage, "rita", "nrt-acquire");
    assert_eq!(nothing.exit_code, Some(0), "{}", nothing.trace);
    assert!(is_free(&stage), "{}", nothing.trace);
    // Now somebody waits, whose own worker has not begun.
    let second = stage.merge_request("dan", "contributes to feature #1");
    stage.join_queue("dan", second);
    let job = stage.last("nrt-acquire").id;
    let path = stage.world.at(&format!("jobs/{job}/retry"));
    stage
        .world
        .ask("rita", Method::POST, &path, json!({}))
        .unwrap();
    stage.run();
    assert_eq!(landed(&stage), [first, second]);
    assert!(is_free(&stage));
    no_token_was_printed(&stage);
}

/// A job of the gate as a process of its own.
fn gate_job(stage: &Stage, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainyard"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(stage.world.gate_environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a job, and does something at the very moment of one of its requests.
fn in_the_moment(
    stage: &Stage,
    (method, route): (&str, &str),
    arguments: &[&str],
    done: impl FnOnce(),
) -> Output {
    let hold = Rule::new(Effect::Rendezvous { parties: 2 }).on(method, route);
    let rule = stage.world.emulator.faults().add(hold);
    let mut child = gate_job(stage, arguments);
    loop {
        let rules = stage.world.emulator.faults().rules();
        if rules
            .iter()
            .any(|standing| standing.id == rule && standing.hit > 0)
        {
            break;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended without {method} {route}"
        );
        SystemClock.wait(Duration::from_millis(2));
    }
    done();
    stage.world.emulator.faults().remove(rule);
    child.wait_with_output().unwrap()
}

#[test]
fn a_push_to_the_target_in_the_very_moment_of_the_merge_is_told_as_what_nobody_tested() {
    let (mut stage, iid) = about_to_land("merge");
    let epoch = stage.queue()["environment"]["lease"]["epoch"].to_string();
    let merge = (
        "PUT",
        "projects/:id/merge_requests/:merge_request_iid/merge",
    );
    let landing = ["append-to-version", "--epoch", epoch.as_str()];
    let ended = in_the_moment(&stage, merge, &landing, || {
        stage.push_to_main("shop/hot.price", "1\n");
    });
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for words in [
        "whose files differ from the candidate",
        "look at the difference now",
        "semi-linear history",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage)),
        ("merged", vec![iid])
    );
    let told = |stage: &Stage| stage.notes(iid).join("\n");
    for words in ["@ana", "which is not what trial", "before it is released"] {
        assert!(told(&stage).contains(words), "{words}: {}", told(&stage));
    }
    stage.run();
    assert!(is_free(&stage));
    assert_eq!(landed(&stage), [iid]);
    let mentions = told(&stage).matches("which is not what trial").count();
    assert_eq!(mentions, 1, "{}", told(&stage));
}

#[test]
fn where_histories_are_linear_a_push_in_the_very_moment_sends_the_change_set_back_to_its_place() {
    for method in ["rebase_merge", "ff"] {
        let (mut stage, iid) = about_to_land(method);
        let epoch = stage.queue()["environment"]["lease"]["epoch"].to_string();
        let merge = (
            "PUT",
            "projects/:id/merge_requests/:merge_request_iid/merge",
        );
        let landing = ["append-to-version", "--epoch", epoch.as_str()];
        let ended = in_the_moment(&stage, merge, &landing, || {
            stage.push_to_main("shop/hot.price", "1\n");
        });
        let said = String::from_utf8_lossy(&ended.stdout).into_owned()
            + &String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.code() == Some(1)
                && said.contains("`main` moved in the instant of the merge")
                && said.contains("keeps its place in the queue"),
            "{said}"
        );
        assert_eq!(stage.state(iid), "opened", "{said}");
        stage.run();
        assert_eq!(
            landed(&stage),
            [iid],
            "{method}: it was tried again: {said}"
        );
        assert_eq!(trials(&stage), 2, "{method}");
    }
}

/// What is done to the project while a validated trial is about to land.
#[test]
fn a_project_that_merges_otherwise_since_the_trial_began_gets_what_was_tested() {
    for (before, after) in [("rebase_merge", "ff"), ("merge", "ff"), ("ff", "merge")] {
        for several in [false, true] {
            let (mut stage, iids) = if several {
                two_about_to_land(before)
            } else {
                let (stage, iid) = about_to_land(before);
                (stage, vec![iid])
            };
            let case = format!("{before} to {after}, {several}");
            settings(
                &stage,
                json!({"merge_method": after, "squash_option": "always"}),
            );
            for iid in &iids {
                stage.edit_merge_request("ana", *iid, json!({"squash": true}));
            }
            let candidate = stage.queue()["trial"]["candidate"].clone();
            stage.run();
            let trace = stage.last("append-to-version").trace;
            assert_eq!(landed(&stage), iids, "{case}: {candidate} {trace}");
            assert!(!trace.contains("differ"), "{case}: {trace}");
            assert!(is_free(&stage), "{case}");
        }
    }
}

#[test]
fn a_landing_that_is_run_again_after_its_version_is_out_says_so_and_changes_nothing() {
    let (mut stage, iid) = about_to_land("rebase_merge");
    stage.run();
    let newest = stage.newest_of_main();
    let prepared = stage.play_in("rita", newest, "release-prepare").unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    stage.run();
    let before = stage.facts().len();
    let again = retried(&mut stage, "rita", "append-to-version");
    assert!(
        again.exit_code == Some(0) && again.trace.contains("nothing changed"),
        "{}",
        again.trace
    );
    assert_eq!((landed(&stage), stage.facts().len()), (vec![iid], before));
}

/// A known fault of GitLab lets two jobs of a resource group run at once.
#[test]
fn of_two_workers_in_the_same_instant_one_takes_the_environment_and_the_other_finds_it_taken() {
    for waiting in [1, 3] {
        let mut stage = Stage::new();
        stage.feature("Wanted");
        for _ in 0..waiting {
            let iid = stage.merge_request("ana", "contributes to feature #1");
            stage.run_but("nrt-acquire");
            assert_eq!(stage.play("ana", iid, "integrate").exit_code, Some(0));
            stage.run_but("nrt-acquire");
        }
        let at_once = Rule::new(Effect::Rendezvous { parties: 2 }).times(2);
        let at_once = at_once.on("POST", "projects/:id/variables");
        stage.world.emulator.faults().add(at_once);
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let workers: Vec<Child> = folders
            .iter()
            .zip(1u64..)
            .map(|(folder, number)| {
                Command::new(env!("CARGO_BIN_EXE_trainyard"))
                    .args(["nrt-lock", "acquire"])
                    .env_clear()
                    .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                    .envs(stage.world.gate_environment())
                    .env("CI_PIPELINE_ID", (9_000 + number).to_string())
                    .env("CI_JOB_ID", (9_000 + number).to_string())
                    .env("CI_PROJECT_DIR", folder.path())
                    .current_dir(folder.path())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let said: Vec<String> = workers
            .into_iter()
            .map(|worker| {
                let output = worker.wait_with_output().unwrap();
                assert_eq!(output.status.code(), Some(0), "{output:?}");
                String::from_utf8_lossy(&output.stdout).into_owned()
            })
            .collect();
        let began = said
            .iter()
            .filter(|text| text.contains("took the NRT environment (lease 1)"));
        let found_taken = said
            .iter()
            .filter(|text| text.contains("the NRT environment is held since"));
        assert_eq!((began.count(), found_taken.count()), (1, 1), "{said:#?}");
        assert_eq!(trials(&stage), 1);
        let pipelines: Vec<String> = folders
            .iter()
            .map(|folder| {
                std::fs::read_to_string(folder.path().join("trainyard-trial.yml")).unwrap()
            })
            .collect();
        let real = pipelines
            .iter()
            .filter(|text| text.contains("append-to-version"));
        assert_eq!(real.count(), 1, "{pipelines:#?}");
    }
}

fn withdrawn(stage: &Stage) -> Vec<(u64, String)> {
    let mut left = Vec::new();
    for fact in stage.facts() {
        if let Fact::ChangeSetWithdrawn {
            merge_request,
            reason,
            ..
        } = fact
        {
            left.push((merge_request.iid, reason));
        }
    }
    left
}

fn edited(stage: &Stage, iid: u64, changes: &[Value]) {
    for change in changes {
        stage.edit_merge_request("ana", iid, change.clone());
    }
}

#[test]
fn what_is_done_and_undone_during_the_trial_changes_nothing_but_by_a_pipeline_that_it_starts() {
    for several in [false, true] {
        let (mut stage, iids) = if several {
            two_about_to_land("merge")
        } else {
            let (stage, iid) = about_to_land("rebase_merge");
            (stage, vec![iid])
        };
        let before = stage.moment();
        for changes in [
            [
                json!({"state_event": "close"}),
                json!({"state_event": "reopen"}),
            ],
            [
                json!({"target_branch": "trainyard/nrt"}),
                json!({"target_branch": "main"}),
            ],
            [json!({"title": "Draft: wait"}), json!({"title": "Go"})],
            [
                json!({"description": "closes feature #1"}),
                json!({"description": "contributes to feature #1"}),
            ],
        ] {
            before.restore(&mut stage.world);
            if !several && changes[0]["target_branch"].is_string() {
                continue;
            }
            edited(&stage, iids[0], &changes);
            stage.run();
            let trace = stage.last("append-to-version").trace;
            let case = format!("{several} {changes:?}: {trace}");
            assert_eq!(trials(&stage), 1, "{case}");
            // GitLab starts another pipeline of a merge request that is reopened, and merges nothing before it has passed.
            let reopened = changes[0]["state_event"].is_string();
            if reopened && !several {
                let left = withdrawn(&stage);
                assert!(
                    left.len() == 1 && left[0].1.contains("another pipeline of it was started"),
                    "{left:?} {case}"
                );
            } else {
                assert_eq!(landed(&stage), iids, "{case}");
            }
        }
    }
}

#[test]
fn a_branch_that_is_deleted_during_the_trial_takes_its_change_set_out_and_nobody_else() {
    for several in [false, true] {
        let (mut stage, iids) = if several {
            two_about_to_land("rebase_merge")
        } else {
            let (stage, iid) = about_to_land("rebase_merge");
            (stage, vec![iid])
        };
        let at = stage.world.at("repository/branches/change-0");
        stage
            .world
            .ask("root", Method::DELETE, &at, Value::Null)
            .unwrap();
        stage.run();
        let trace = stage.last("append-to-version").trace;
        let left = withdrawn(&stage);
        // GitLab closes a merge request whose branch is gone.
        assert!(
            left.len() == 1 && left[0].0 == iids[0] && left[0].1.contains("was closed"),
            "{several}: {left:?} {trace}"
        );
        assert_eq!(landed(&stage), iids[1..], "{several}: {trace}");
        assert!(is_free(&stage), "{several}: {trace}");
        assert_eq!(stage.state(iids[0]), "closed", "{several}: {trace}");
    }
}
