//! Threads that are not resolved keep a change set from being tried and from landing, where GitLab's settings or our rules want that; one
//! push that lands several goes past GitLab's own checks, so it must not go past this.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use crate::outcomes::{landed, withdrawn};
use crate::stage::Stage;

/// Who wants threads resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    GitLab,
    OurRules,
    Nobody,
}

fn stage(wanted: Wanted) -> Stage {
    let rules = "integration:\n  resolved_threads: true\n";
    let mut stage = match wanted {
        Wanted::OurRules => Stage::with(&[("integration:\n", rules)]),
        Wanted::GitLab | Wanted::Nobody => Stage::new(),
    };
    if wanted == Wanted::GitLab {
        let project = stage.world.at("");
        let project = project.trim_end_matches('/');
        let settings = json!({"only_allow_merge_if_all_discussions_are_resolved": true});
        let changed = stage.world.ask("root", Method::PUT, project, settings);
        changed.unwrap();
    }
    stage.feature("Wanted");
    stage
}

/// Somebody opens a thread; its number.
fn opened(stage: &Stage, iid: u64) -> String {
    let at = format!("merge_requests/{iid}/discussions");
    let question = json!({"body": "Is this what we sell?"});
    let thread = stage
        .world
        .ask("dan", Method::POST, &stage.world.at(&at), question)
        .unwrap();
    thread["id"].as_str().unwrap().to_owned()
}

fn resolved(stage: &Stage, iid: u64, thread: &str) {
    let at = stage
        .world
        .at(&format!("merge_requests/{iid}/discussions/{thread}"));
    let resolve = json!({"resolved": true});
    stage.world.ask("dan", Method::PUT, &at, resolve).unwrap();
}

/// Its author runs `integrate` once more, and everything after it runs.
fn asked_again(stage: &mut Stage, iid: u64) {
    let pipeline = stage.pipeline(iid);
    let job = stage.world.job("ana", pipeline, "integrate").unwrap();
    let at = stage.world.at(&format!("jobs/{job}/retry"));
    stage
        .world
        .ask("ana", Method::POST, &at, json!({}))
        .unwrap();
    stage.run();
}

#[test]
fn who_wants_threads_resolved_lets_nothing_join_before_they_are() {
    for wanted in [Wanted::GitLab, Wanted::OurRules, Wanted::Nobody] {
        let mut stage = stage(wanted);
        let iid = stage.merge_request("ana", "contributes to feature #1");
        let thread = opened(&stage, iid);
        stage.integrate("ana", iid);
        stage.run_but("nrt-acquire");
        let admitted = stage.last("nrt-admit");
        if wanted == Wanted::Nobody {
            assert_eq!(admitted.exit_code, Some(0), "{}", admitted.trace);
            stage.run();
            assert_eq!(landed(&stage), [iid]);
            continue;
        }
        assert!(
            admitted.exit_code == Some(1) && admitted.trace.contains("threads are unresolved"),
            "{wanted:?}: {}",
            admitted.trace
        );
        assert_eq!(stage.queue()["tickets"], Value::Array(Vec::new()));
        resolved(&stage, iid, &thread);
        asked_again(&mut stage, iid);
        assert_eq!(landed(&stage), [iid], "{wanted:?}");
    }
}

/// How far a change set has come when somebody opens a thread on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Waiting,
    UnderTest,
}

#[test]
fn a_thread_that_is_opened_later_takes_its_change_set_out_whether_it_lands_alone_or_with_others() {
    for (wanted, when, several) in [
        (Wanted::GitLab, When::Waiting, false),
        (Wanted::OurRules, When::Waiting, true),
        (Wanted::GitLab, When::UnderTest, true),
        (Wanted::OurRules, When::UnderTest, false),
        (Wanted::OurRules, When::UnderTest, true),
    ] {
        let mut stage = stage(wanted);
        let mut iids = Vec::new();
        for _ in 0..if several { 3 } else { 1 } {
            let iid = stage.merge_request("ana", "contributes to feature #1");
            stage.join_queue("ana", iid);
            iids.push(iid);
        }
        if when == When::UnderTest {
            stage.run_but("nrt-tests");
        }
        let asked = iids[iids.len() / 2];
        let thread = opened(&stage, asked);
        stage.run();
        let left = withdrawn(&stage);
        let case = format!("{wanted:?} {when:?} {several}: {left:?}");
        let reason = left.get(&asked).map_or("", String::as_str);
        assert!(
            left.len() == 1 && reason.contains("threads that are not resolved"),
            "{case}"
        );
        iids.retain(|iid| *iid != asked);
        assert_eq!(landed(&stage), iids, "{case}");
        assert_eq!(stage.state(asked), "opened", "{case}");
        let mentions = stage.notes(asked);
        let mentions = mentions.iter().filter(|note| note.contains("@ana"));
        assert_eq!(mentions.count(), 1, "{case}");
        resolved(&stage, asked, &thread);
        asked_again(&mut stage, asked);
        assert_eq!(landed(&stage).last(), Some(&asked), "{case}");
    }
}
