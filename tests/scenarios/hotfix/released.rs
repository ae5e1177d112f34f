//! The way of a hotfix: asked for, tried, released, told.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::domain::event::Fact;

use crate::cuts;

use super::{
    ask, asked_for, four_landed, gate, head, hotfix, integrate, opened, prices, read, release,
};

#[test]
fn chosen_change_sets_go_out_before_the_others_and_the_next_version_says_so() {
    let mut stage = four_landed();
    let asked = hotfix(&mut stage, "!4 !2");
    assert_eq!(asked.exit_code, Some(0), "{}", asked.trace);
    assert!(
        asked
            .trace
            .contains("!5 is the hotfix of version 0.1.0: 2 commits picked onto `hotfix`"),
        "{}",
        asked.trace
    );
    assert!(!asked.trace.contains("warning"), "{}", asked.trace);
    let cost = stage.world.ran.last().map(|ran| ran.requests);
    assert!(cost.is_some_and(|requests| requests <= 18), "{cost:?}");
    assert_eq!(opened(&stage), [5]);
    let opened = read(&stage, "merge_requests/5");
    assert_eq!(opened["title"], "Hotfix of 0.1.0: !2, !4");
    assert_eq!(opened["source_branch"], "trainyard-hotfix/v0.1.0/2-4");
    assert_eq!(opened["target_branch"], "hotfix");
    assert_eq!(
        opened["description"],
        "Asked for by `rita`: `nobody can pay`\n\nIt takes over what landed on `main`:\n\n\
         - !2 `A change`, by @dan\n- !4 `A change`, by @ana\n\ncontributes to feature #1\n\n\
         Each commit says where it was picked from (`cherry picked from commit ...`). Commits that are added here are tried, released and merged forward with the others.\n"
    );
    let commits = read(&stage, "merge_requests/5/commits");
    let newest = commits[0]["message"].as_str().unwrap();
    let of_four = read(&stage, "merge_requests/4")["merge_commit_sha"].clone();
    assert_eq!(
        newest.trim_end(),
        format!(
            "A change\n\n(cherry picked from commit {})\nTrainyard-Hotfix-Of: shop/web!4",
            of_four.as_str().unwrap()
        )
    );
    assert_eq!(commits[0]["author_name"], "ana");
    let facts = asked_for(&stage);
    let [
        Fact::HotfixAsked {
            from,
            picks,
            reason,
            asked_by,
            ..
        },
    ] = facts.as_slice()
    else {
        panic!("{facts:?}");
    };
    assert_eq!((from.to_string().as_str(), picks.len()), ("0.1.0", 2));
    assert_eq!(
        (reason.as_str(), asked_by.as_str()),
        ("nobody can pay", "rita")
    );

    integrate(&mut stage, "ana", 5);
    assert_eq!(prices(&stage, "hotfix"), ["0.price", "1.price", "3.price"]);
    assert_eq!(
        prices(&stage, "main"),
        ["0.price", "1.price", "2.price", "3.price"]
    );
    let preview = gate(&stage, &["version"]);
    assert!(preview.said.contains("would be 0.1.1"), "{}", preview.said);
    let published = release(&mut stage, "hotfix");
    for words in [
        "version 0.1.1 is released",
        "`main` holds everything of version 0.1.1: nothing is to be merged forward",
    ] {
        assert!(
            published.trace.contains(words),
            "{words}:\n{}",
            published.trace
        );
    }
    assert!(!published.trace.contains("pending"), "{}", published.trace);
    assert_eq!(
        read(&stage, "repository/tags/v0.1.1")["commit"]["id"],
        head(&stage, "hotfix").unwrap()
    );
    for iid in [2, 4] {
        let notes = stage.notes(iid).concat();
        assert!(
            notes.contains(
                "In production with version 0.1.1 (a hotfix of 0.1.0) (environment `production`)"
            ),
            "{notes}"
        );
    }
    assert!(stage.notes(3).concat().contains("Landed: in version #2"));
    let shown = gate(&stage, &["version"]);
    assert!(
        shown
            .said
            .contains("`main` holds everything of version 0.1.1"),
        "{}",
        shown.said
    );

    // The next version of the main branch counts past it, and says what was out before.
    let published = release(&mut stage, "main");
    assert!(
        published.trace.contains("version 0.1.2 is released"),
        "{}",
        published.trace
    );
    let notes = read(&stage, "releases/v0.1.2")["description"].clone();
    let notes = notes.as_str().unwrap();
    for row in [
        "- !2 A change by `dan` (out since 0.1.1, a hotfix)\n",
        "- !3 A change by `eve`\n",
        "- !4 A change by `ana` (out since 0.1.1, a hotfix)\n",
    ] {
        assert!(notes.contains(row), "{row}:\n{notes}");
    }
    assert!(
        stage
            .notes(2)
            .concat()
            .contains("In production with version 0.1.2")
    );
    assert_eq!(stage.world.emulator.unknown_requests(), []);
}

#[test]
fn with_fast_forwards_the_commits_of_a_change_set_are_picked_one_by_one() {
    let mut stage = super::set_up(super::TWO);
    let project = stage.world.at("");
    let project = project.trim_end_matches('/').to_owned();
    let way = json!({"merge_method": "ff"});
    stage.world.ask("root", Method::PUT, &project, way).unwrap();
    super::land(&mut stage, "ana");
    release(&mut stage, "main");
    super::land(&mut stage, "eve");
    let iid = stage.merge_request("dan", "contributes to feature #1");
    stage.push_again("dan", iid);
    integrate(&mut stage, "dan", iid);
    let asked = hotfix(&mut stage, "!3");
    assert!(asked.trace.contains("2 commits picked"), "{}", asked.trace);
    integrate(&mut stage, "dan", 4);
    assert_eq!(prices(&stage, "hotfix"), ["0.price", "2.price"]);
    let published = release(&mut stage, "hotfix");
    assert!(
        published.trace.contains("nothing is to be merged forward"),
        "{}",
        published.trace
    );
}

#[test]
fn a_second_hotfix_stands_on_the_first_one_and_a_later_one_on_the_next_version() {
    let mut stage = four_landed();
    let protected = read(&stage, "protected_branches/hotfix");
    assert_eq!(protected["allow_force_push"], false);
    hotfix(&mut stage, "!4");
    integrate(&mut stage, "ana", 5);
    release(&mut stage, "hotfix");
    let asked = hotfix(&mut stage, "!2");
    assert!(
        asked
            .trace
            .contains("!6 is the hotfix of version 0.1.1: 1 commit picked"),
        "{}",
        asked.trace
    );
    integrate(&mut stage, "dan", 6);
    let published = release(&mut stage, "hotfix");
    assert!(
        published.trace.contains("version 0.1.2 is released"),
        "{}",
        published.trace
    );
    assert_eq!(prices(&stage, "hotfix"), ["0.price", "1.price", "3.price"]);

    // The main branch goes out; the branch of hotfixes goes on to it, although it has commits that are not in it.
    let published = release(&mut stage, "main");
    assert!(
        published.trace.contains("version 0.1.3 is released"),
        "{}",
        published.trace
    );
    let late = super::land(&mut stage, "eve");
    let before = head(&stage, "hotfix").unwrap();
    let asked = hotfix(&mut stage, &format!("!{late}"));
    assert!(
        asked
            .trace
            .contains("!8 is the hotfix of version 0.1.3: 1 commit picked"),
        "{}",
        asked.trace
    );
    let compared = read(
        &stage,
        &format!("repository/compare?from={before}&to=hotfix"),
    );
    assert_eq!(compared["compare_same_ref"], false);
    let tree = read(
        &stage,
        "repository/compare?from=v0.1.3&to=hotfix&straight=true",
    );
    assert_eq!(
        tree["diffs"],
        json!([]),
        "the files are those of the version"
    );
    integrate(&mut stage, "eve", 8);
    let published = release(&mut stage, "hotfix");
    assert!(
        published.trace.contains("version 0.1.4 is released"),
        "{}",
        published.trace
    );
    let notes = read(&stage, "releases/v0.1.4")["description"].clone();
    assert!(
        !notes.as_str().unwrap().contains("Not from the queue"),
        "{notes}"
    );
    let bad = ask(&stage, Method::GET, "repository/tags", json!({}));
    assert_eq!(bad.as_array().unwrap().len(), 5);
    cuts::decide_alike(&cuts::log(&stage, &["--environment", "hotfix"]));
    cuts::decide_alike(&cuts::log(&stage, &["--environment", "nrt"]));
}

#[test]
fn a_hotfix_that_is_withdrawn_is_in_production_no_more_and_the_one_before_it_runs_again() {
    let mut stage = four_landed();
    for (chosen, author, iid) in [("!4", "ana", 5), ("!2", "dan", 6)] {
        hotfix(&mut stage, chosen);
        integrate(&mut stage, author, iid);
        release(&mut stage, "hotfix");
    }
    assert!(
        stage
            .notes(2)
            .concat()
            .contains("In production with version 0.1.2")
    );
    let inputs = json!({"trainyard_withdraw": "0.1.2", "trainyard_reason": "it is worse"});
    let asked = json!({"ref": "hotfix", "inputs": inputs});
    let at = stage.world.at("pipeline");
    stage.world.ask("rita", Method::POST, &at, asked).unwrap();
    stage.run();
    let withdrawn = stage.last("release-withdraw");
    assert_eq!(withdrawn.exit_code, Some(0), "{}", withdrawn.trace);
    assert!(!withdrawn.trace.contains("warning"), "{}", withdrawn.trace);
    let note = stage.notes(2).concat();
    let now = note.split("<details>").next().unwrap_or_default();
    assert!(
        now.contains("**Landed: in version #2, not released yet.**"),
        "{note}"
    );
    assert!(
        stage
            .notes(4)
            .concat()
            .contains("In production with version 0.1.1")
    );
    // The branch holds it still, for the version that mends it.
    let again = hotfix(&mut stage, "!3");
    assert!(
        again
            .trace
            .contains("!7 is the hotfix of version 0.1.1: 1 commit picked"),
        "{}",
        again.trace
    );
    integrate(&mut stage, "eve", 7);
    let published = release(&mut stage, "hotfix");
    assert!(
        published.trace.contains("version 0.1.3 is released"),
        "{}",
        published.trace
    );
    assert_eq!(
        prices(&stage, "hotfix"),
        ["0.price", "1.price", "2.price", "3.price"]
    );
}
