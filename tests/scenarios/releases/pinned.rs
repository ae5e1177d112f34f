//! The open version where people look: the description of its milestone, or of an issue.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use super::{STORY, prepared, read};
use crate::stage::Stage;

const GOAL: &str = "Goal of **this** milestone:\n\n* one `way` to pay  \n";

fn stage(board: &str) -> Stage {
    let told = format!("  released_by: [release]\n  board: {board}\n");
    let mut stage = Stage::with_files(&[("  released_by: [release]\n", told.as_str())], &[]);
    stage.feature("Pay by card");
    stage.edit_feature(1, json!({ "description": STORY }));
    stage.feature("Secret plan");
    stage.edit_feature(2, json!({ "confidential": true }));
    stage
}

fn ask(stage: &Stage, method: Method, path: &str, body: Value) -> Value {
    let path = stage.world.at(path);
    stage.world.ask("root", method, &path, body).unwrap()
}

fn milestone(stage: &Stage, title: &str, description: &str) -> u64 {
    let body = json!({"title": title, "description": description});
    ask(stage, Method::POST, "milestones", body)["id"]
        .as_u64()
        .unwrap()
}

fn description(stage: &Stage, place: &str) -> String {
    read(stage, place)["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn land(stage: &mut Stage, author: &str, words: &str) -> u64 {
    let iid = stage.merge_request(author, words);
    stage.integrate(author, iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    iid
}

#[test]
fn the_milestone_shows_what_landed_below_peoples_own_words_until_the_release_and_then_the_next_one()
{
    let mut stage = stage("milestone");
    let first = milestone(&stage, "0.1.0", GOAL);
    let place = format!("milestones/{first}");
    land(&mut stage, "ana", "contributes to feature #1");
    let shown = description(&stage, &place);
    assert!(
        shown.starts_with(&format!("{GOAL}\n\n<!-- trainyard:version nrt -->\n")),
        "{shown}"
    );
    assert!(
        shown.contains("The open version would be **0.1.0**: the first one"),
        "{shown}"
    );
    assert!(shown.contains("| !1 | A change | `ana` | #1 |"), "{shown}");
    // Somebody writes above and below while the next one lands.
    let edited = format!(
        "{}\n\nSee you on Friday.",
        shown.replace("one `way`", "two ways")
    );
    ask(&stage, Method::PUT, &place, json!({"description": edited}));
    land(&mut stage, "dan", "contributes to feature #1 and #2");
    let shown = description(&stage, &place);
    assert!(
        shown.starts_with(&GOAL.replace("one `way`", "two ways")),
        "{shown}"
    );
    assert!(
        shown.ends_with("<!-- trainyard:version nrt end -->\n\nSee you on Friday."),
        "{shown}"
    );
    assert!(shown.contains("| !2 | A change | `dan` | #1 |"), "{shown}");
    assert!(
        !shown.contains("#2"),
        "a confidential feature is named: {shown}"
    );

    let next = milestone(&stage, "v0.1.1", "");
    prepared(&mut stage);
    let shown = description(&stage, &place);
    assert!(shown.contains("**0.1.0** is being released at"), "{shown}");
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    assert_eq!(
        description(&stage, &place),
        format!(
            "{}\n\nSee you on Friday.",
            GOAL.replace("one `way`", "two ways")
        )
    );
    let shown = description(&stage, &format!("milestones/{next}"));
    assert_eq!(
        shown,
        "<!-- trainyard:version nrt -->\nNothing has landed in the open version yet.\n<!-- trainyard:version nrt end -->"
    );
    for words in [
        "the milestone `0.1.0` shows the open version no longer",
        "the milestone `v0.1.1` shows the open version",
    ] {
        assert!(
            published.trace.contains(words),
            "{words}: {}",
            published.trace
        );
    }
}

#[test]
fn a_milestone_that_is_missing_is_a_warning_and_the_tick_shows_the_version_once_it_is_there() {
    let mut stage = stage("milestone");
    land(&mut stage, "ana", "contributes to feature #1");
    let landing = stage.last("append-to-version");
    assert_eq!(landing.exit_code, Some(0), "{}", landing.trace);
    assert!(
        landing.trace.contains("the open version is not shown: no open milestone of the project is called `0.1.0` or `v0.1.0`; make one (Plan > Milestones), and the next job shows it there"),
        "{}",
        landing.trace
    );
    let made = milestone(&stage, "v0.1.0", "");
    let tick = stage.gate(&["tick"]);
    assert_eq!(tick.code, Some(0), "{}", tick.said);
    let shown = description(&stage, &format!("milestones/{made}"));
    assert!(shown.contains("| !1 | A change | `ana` | #1 |"), "{shown}");
    // What is there already is not written again.
    stage.world.emulator.clear_requests();
    stage.gate(&["tick"]);
    let written = stage.world.emulator.requests();
    assert!(!written.iter().any(|one| one.method == "PUT"));
}

#[test]
fn an_issue_shows_it_too_and_marks_that_somebody_broke_are_told_and_nothing_is_changed() {
    let mut stage = stage("'#3'");
    stage.feature("What is coming");
    stage.edit_feature(3, json!({ "description": GOAL }));
    land(&mut stage, "ana", "contributes to feature #1");
    let shown = description(&stage, "issues/3");
    assert!(shown.starts_with(GOAL), "{shown}");
    assert!(shown.contains("| !1 | A change | `ana` | #1 |"), "{shown}");
    let broken = shown.replace("<!-- trainyard:version nrt end -->", "");
    ask(
        &stage,
        Method::PUT,
        "issues/3",
        json!({"description": broken}),
    );
    land(&mut stage, "dan", "contributes to feature #1");
    assert_eq!(description(&stage, "issues/3"), broken);
    let landing = stage.last("append-to-version");
    assert!(
        landing.trace.contains("the issue #3 does not show the open version any more: its description must have `<!-- trainyard:version nrt -->` and `<!-- trainyard:version nrt end -->` once each"),
        "{}",
        landing.trace
    );
    ask(&stage, Method::DELETE, "issues/3", json!({}));
    let tick = stage.gate(&["tick"]);
    assert_eq!(tick.code, Some(0), "{}", tick.said);
    assert!(
        tick.said.contains(
            "`versions.board` names the issue #3, and there is none that the gate's user may see"
        ),
        "{}",
        tick.said
    );
}
