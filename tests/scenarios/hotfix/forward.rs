//! What production has and the main branch lacks is merged forward, once, and nobody puts a hotfix on a later version before that.

use serde_json::{Value, json};
use trainyard_emulator::faults::{Effect, Rule};

use super::{four_landed, gate, hotfix, integrate, opened, prepare, prices, read, release};
use crate::deaths::{Deaths, Run, retry, run_until_death};
use crate::stage::Stage;

/// A hotfix with !2, and a commit beside it that somebody added: !5 landed.
fn mended_by_hand() -> Stage {
    let mut stage = four_landed();
    hotfix(&mut stage, "!2");
    let files = [("shop/9.price".to_owned(), "9\n".to_owned())];
    let branch = "trainyard-hotfix/v0.1.0/2";
    stage
        .world
        .push("ana", branch, "By hand", &files, &[])
        .unwrap();
    integrate(&mut stage, "ana", 5);
    stage
}

#[test]
fn what_the_main_branch_lacks_comes_in_a_merge_request_before_the_next_hotfix() {
    let mut stage = mended_by_hand();
    let published = release(&mut stage, "hotfix");
    let line = "version 0.1.1 is not merged forward yet: !6 brings it into `main`";
    assert!(published.trace.contains(line), "{}", published.trace);
    let opened = read(&stage, "merge_requests/6");
    assert_eq!(opened["title"], "Merge version 0.1.1 forward into main");
    assert_eq!(opened["source_branch"], "trainyard-forward/v0.1.1");
    assert_eq!(opened["target_branch"], "main");
    let commits = read(&stage, "merge_requests/6/commits");
    let commits = commits.as_array().unwrap();
    assert_eq!(
        commits.len(),
        1,
        "what was picked from there is there: {commits:?}"
    );
    let message = commits[0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("By hand\n\n(cherry picked from commit "),
        "{message}"
    );
    let description = opened["description"].as_str().unwrap();
    let told = "Version 0.1.1 is in production, and `main` lacks some of it:\n\n- !5 `Hotfix of 0.1.0: !2`, by @trainyard-bot\n\ncontributes to feature #1\n";
    assert!(description.starts_with(told), "{description}");
    for command in [&["version"][..], &["release", "preview"]] {
        let shown = gate(&stage, command).said;
        assert!(
            shown.contains(line) || shown.contains("nothing to release"),
            "{shown}"
        );
    }

    let shown: Value = serde_json::from_str(&gate(&stage, &["version", "--json"]).said).unwrap();
    let forward = json!({"version": "0.1.1", "state": "open", "merge_request": 6});
    assert_eq!(shown["forward"], forward);

    release(&mut stage, "main");
    super::land(&mut stage, "dan");
    let refused = hotfix(&mut stage, "!7");
    assert_eq!(refused.exit_code, Some(1));
    let words = "version 0.1.1 is not merged forward: !6 is still open, and a new hotfix would go out without it. Let it land on `main`, or close it if `main` is not to have it";
    assert!(refused.trace.contains(words), "{}", refused.trace);

    integrate(&mut stage, "ana", 6);
    assert!(prices(&stage, "main").contains(&"9.price".to_owned()));
    let shown = gate(&stage, &["version"]).said;
    let done = "version 0.1.1 is merged forward into `main` by !6";
    assert!(shown.contains(done), "{shown}");
    let made = hotfix(&mut stage, "!7");
    assert_eq!(made.exit_code, Some(0), "{}", made.trace);
    assert!(
        made.trace
            .contains("!8 is the hotfix of version 0.1.2: 1 commit picked"),
        "{}",
        made.trace
    );
    let published = release(&mut stage, "main");
    assert!(
        published.trace.contains("version 0.1.3 is released"),
        "{}",
        published.trace
    );
}

#[test]
fn a_merge_request_forward_that_cannot_be_opened_is_pending_and_a_later_job_opens_it() {
    let mut stage = mended_by_hand();
    let prepared = prepare(&mut stage, "hotfix");
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    let refused = Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    };
    let rule = Rule::new(refused).on("POST", "projects/:id/merge_requests");
    let rule = stage.world.emulator.faults().add(rule.times(100));
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    for words in [
        "version 0.1.1 is released",
        "1 notice pending",
        "version 0.1.1 is not merged forward: GitLab does not let the user of `TRAINYARD_GATE_TOKEN` open a merge request of `trainyard-forward/v0.1.1` into `main`",
        "give that token the scope `api` and the role Maintainer",
    ] {
        assert!(
            published.trace.contains(words),
            "{words}:\n{}",
            published.trace
        );
    }
    stage.world.emulator.faults().remove(rule);
    let ticked = gate(&stage, &["tick"]);
    assert!(
        ticked.said.contains("!6 brings it into `main`"),
        "{}",
        ticked.said
    );
    assert_eq!(opened(&stage), [5, 6]);
    let quiet = gate(&stage, &["tick"]);
    assert!(!quiet.said.contains("0.1.1"), "{}", quiet.said);
    assert_eq!(opened(&stage), [5, 6]);
}

#[test]
fn a_publish_that_dies_anywhere_merges_forward_once() {
    let mut stage = mended_by_hand();
    prepare(&mut stage, "hotfix");
    stage.world.run(|job| job.name != "release-publish");
    let before = stage.moment();
    // What is before the tag cannot have to do with it.
    let deaths = Deaths::of("release-publish").after(12).in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, Run { died, context }| {
            stage.run();
            if *died {
                retry(stage, "release-publish");
                stage.run();
            }
            assert_eq!(opened(stage), [5, 6], "{context}");
            let note = stage.notes(2).concat();
            assert!(
                note.contains("In production with version 0.1.1"),
                "{context}: {note}"
            );
            let tags = read(stage, "repository/tags");
            assert_eq!(tags.as_array().unwrap().len(), 2, "{context}");
        },
    );
    assert!(deaths >= 8, "it was killed {deaths} times only");
}
