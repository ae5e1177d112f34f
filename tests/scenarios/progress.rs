//! The notes that are kept in place: one on each merge request, one on each feature, right in the end whatever happens meanwhile.

use std::process::{Command, Output, Stdio};

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::faults::{Effect, Rule};

use crate::deaths::{Deaths, Run, run_until_death};
use crate::stage::Stage;

const BOT: &str = "trainyard-bot";
const PROGRESS: &str = "<!-- trainyard:progress ";
const STATE: &str = "<!-- trainyard:state ";

/// Notes of people and of ours at a place: number, author, text; oldest first.
fn notes_on(stage: &Stage, path: &str) -> Vec<(u64, String, String)> {
    let notes = stage
        .world
        .read(
            "root",
            &format!("{path}/notes?sort=asc&order_by=created_at&per_page=100"),
        )
        .unwrap();
    let written = notes
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["system"] == false);
    written
        .map(|note| {
            (
                note["id"].as_u64().unwrap(),
                note["author"]["username"].as_str().unwrap().to_owned(),
                note["body"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

/// The one progress note of a feature of the project.
fn progress(stage: &Stage, iid: u64) -> String {
    let notes = notes_on(stage, &stage.world.at(&format!("issues/{iid}")));
    let ours: Vec<String> = notes
        .into_iter()
        .filter(|(_, author, text)| author == BOT && text.starts_with(PROGRESS))
        .map(|(_, _, text)| text)
        .collect();
    assert_eq!(ours.len(), 1, "one note on the feature: {ours:#?}");
    visible(&ours[0])
}

/// The one state note of a merge request.
fn state(stage: &Stage, iid: u64) -> String {
    let notes = stage.notes(iid);
    let ours: Vec<&String> = notes
        .iter()
        .filter(|note| note.starts_with(STATE))
        .collect();
    assert_eq!(ours.len(), 1, "one note on the merge request: {notes:#?}");
    visible(ours[0])
}

fn visible(note: &str) -> String {
    note.split_once("-->\n").unwrap().1.to_owned()
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
}

/// The environment of a job of a merge request's pipeline, for a process of its own.
fn link_check(stage: &Stage, iid: u64) -> Command {
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap();
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| {
        !matches!(
            key.as_str(),
            "TRAINYARD_GATE_TOKEN" | "CI_COMMIT_REF_PROTECTED" | "CI_COMMIT_SHA" | "CI_JOB_ID"
        )
    });
    let own = [
        ("CI_MERGE_REQUEST_IID", iid.to_string()),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()),
        ("CI_COMMIT_SHA", found["sha"].as_str().unwrap().to_owned()),
        ("CI_JOB_ID", (9_000 + iid).to_string()),
        (
            "TRAINYARD_TOKEN",
            stage.world.token(BOT).unwrap().to_owned(),
        ),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainyard"));
    command
        .arg("link-check")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(environment)
        .envs(own)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn check(stage: &Stage, iid: u64) -> (Option<i32>, String) {
    let output = link_check(stage, iid).output().unwrap();
    (output.status.code(), said(&output))
}

/// How many API requests the last job of a name made.
fn requests(stage: &Stage, name: &str) -> usize {
    let ran = stage
        .world
        .ran
        .iter()
        .rev()
        .find(|ran| ran.finished.name == name);
    ran.unwrap().requests
}

/// The edits that jobs made so far: GraphQL requests that change something.
fn edits_of_notes(stage: &Stage) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    for place in ["issues", "merge_requests"] {
        let list = stage
            .world
            .read(
                "root",
                &stage.world.at(&format!("{place}?state=all&per_page=100")),
            )
            .unwrap();
        for iid in list
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["iid"].as_u64())
        {
            let notes = stage
                .world
                .read(
                    "root",
                    &stage.world.at(&format!("{place}/{iid}/notes?per_page=100")),
                )
                .unwrap();
            for note in notes
                .as_array()
                .unwrap()
                .iter()
                .filter(|note| note["system"] == false)
            {
                all.push((note["id"].as_u64().unwrap(), note["updated_at"].to_string()));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn one_note_each_tells_the_whole_way_from_draft_to_production() {
    let mut stage = Stage::new();
    stage.feature("Pay by card");
    stage.edit_feature(
        1,
        json!({"description": "## Acceptance criteria\n\n- [x] charged once\n- [ ] a receipt /close\n"}),
    );
    let first = stage.merge_request("ana", "contributes to feature #1");
    let closer = stage.merge_request("dan", "closes feature #1");
    stage.run_but("nrt-tests");
    assert_says(
        &progress(&stage, 1),
        &[
            "**Awaiting validation** by `po` (`olga`) and `qa` (`quentin`) since ",
            &format!("| !{first}+ | contributes | `ana` | In review |"),
            &format!("| !{closer}+ | closes | `dan` | Awaiting validation by `po` (`olga`)"),
            "Acceptance criteria: 1 of 2 ticked.",
            "- a receipt /close",
        ],
    );
    assert_says(&state(&stage, first), &["**In review.** Press `integrate`"]);
    let before = edits_of_notes(&stage);
    for iid in [first, closer] {
        assert_eq!(check(&stage, iid).0, Some(0));
    }
    assert_eq!(
        edits_of_notes(&stage),
        before,
        "nothing new, nothing written"
    );

    stage.play("quentin", closer, "reject:qa");
    assert_says(
        &progress(&stage, 1),
        &["**Rejected** by `quentin` as `qa` since "],
    );
    assert_says(
        &state(&stage, closer),
        &["**Rejected by `quentin` as `qa`.**"],
    );
    stage.push_again("dan", closer);
    stage.run_but("nrt-tests");
    assert_says(&progress(&stage, 1), &["**Awaiting validation** by `po`"]);
    stage.play("olga", closer, "validate:po");
    let text = progress(&stage, 1);
    assert_says(
        &text,
        &["**Awaiting validation** by `qa` (`quentin`) since "],
    );
    stage.play("quentin", closer, "validate:qa");
    stage.run_but("nrt-tests");
    assert_says(&progress(&stage, 1), &["**Validated** since "]);

    stage.play("ana", first, "integrate");
    stage.run_but("nrt-tests");
    assert_says(&state(&stage, first), &["**Under test (trial 1)**"]);
    stage.play("dan", closer, "integrate");
    stage.run_but("nrt-tests");
    assert_says(
        &state(&stage, closer),
        &[
            "**Queued, rank 1 (as of ",
            &format!("Under test then: !{first}."),
        ],
    );
    assert_says(
        &progress(&stage, 1),
        &[
            &format!(": !{closer}. Nothing to do for you."),
            "Under test (trial 1)",
            "Queued, rank 1 (as of ",
        ],
    );
    stage.run_but("deploy-production");
    assert_says(
        &progress(&stage, 1),
        &[
            "**Landed: in version #1, not released yet.** It goes to production with the next release.",
        ],
    );
    let main = stage.newest_of_main();
    stage
        .world
        .play_in("rita", main, "release-prepare")
        .unwrap();
    assert_says(
        &progress(&stage, 1),
        &["**Being released with version 0.1.0** since "],
    );
    assert_says(
        &state(&stage, first),
        &["**Being released with version 0.1.0.**"],
    );
    stage.run();
    assert_says(
        &progress(&stage, 1),
        &["**In production with version 0.1.0 (environment `production`)** since "],
    );
    for iid in [first, closer] {
        assert_says(
            &state(&stage, iid),
            &["**In production with version 0.1.0 (environment `production`).**"],
        );
    }
    assert_eq!(stage.world.emulator.unknown_requests(), []);
}

#[test]
fn ranks_are_told_with_their_instant_and_follow_the_queue() {
    // Tried one by one, so that one is left behind.
    let mut stage = Stage::with(&[("versions:", "nrt: {batch: 1}\nversions:")]);
    stage.feature("Wanted");
    let order: Vec<u64> = ["ana", "dan", "eve"]
        .iter()
        .map(|author| stage.merge_request(author, "contributes to feature #1"))
        .collect();
    for (author, iid) in ["ana", "dan", "eve"].iter().zip(&order) {
        stage.integrate(author, *iid);
    }
    stage.run_but("nrt-tests");
    assert_says(&state(&stage, order[0]), &["**Under test"]);
    assert_says(&state(&stage, order[2]), &["**Queued, rank 2 (as of "]);
    let job =
        |stage: &mut Stage, name: &str| stage.world.run_one(|info| info.name == name).is_some();
    assert!(job(&mut stage, "nrt-tests"));
    stage.run_but("nrt-tests");
    assert_says(&state(&stage, order[0]), &["**Landed"]);
    assert_says(&state(&stage, order[1]), &["**Under test"]);
    let last = state(&stage, order[2]);
    assert_says(&last, &["**Queued, rank 1 (as of ", "It is next."]);
    assert!(!last.contains("rank 2"), "{last}");
}

#[test]
fn what_people_do_to_our_notes_is_mended_and_never_doubled() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    let issue = stage.world.at("issues/1");
    let told = progress(&stage, 1);
    let ours = notes_on(&stage, &issue)[0].0;

    // Somebody edits it.
    stage
        .world
        .ask(
            "root",
            Method::PUT,
            &format!("{issue}/notes/{ours}"),
            json!({"body": "gone"}),
        )
        .unwrap();
    // The marker is gone with it: what does not say that it is ours is not ours any more.
    assert_eq!(check(&stage, iid).0, Some(0));
    assert_eq!(progress(&stage, 1), told);
    let second = notes_on(&stage, &issue).last().unwrap().clone();
    let spoiled = second.2.replace("In work.", "All done!");
    stage
        .world
        .ask(
            "root",
            Method::PUT,
            &format!("{issue}/notes/{}", second.0),
            json!({"body": spoiled}),
        )
        .unwrap();
    assert_eq!(check(&stage, iid).0, Some(0));
    assert_eq!(progress(&stage, 1), told, "restored in place");

    // Somebody deletes both kinds of notes.
    stage
        .world
        .ask(
            "root",
            Method::DELETE,
            &format!("{issue}/notes/{}", second.0),
            Value::Null,
        )
        .unwrap();
    let request = stage.world.at(&format!("merge_requests/{iid}"));
    for (note, _, _) in notes_on(&stage, &request) {
        stage
            .world
            .ask(
                "root",
                Method::DELETE,
                &format!("{request}/notes/{note}"),
                Value::Null,
            )
            .unwrap();
    }
    assert_eq!(check(&stage, iid).0, Some(0));
    let told = progress(&stage, 1);
    assert_says(&told, &["**In work.** One merge request contributes."]);
    assert_says(&state(&stage, iid), &["**In review.**"]);

    // A second one of ours: the oldest is kept.
    let oldest = notes_on(&stage, &issue).last().unwrap().clone();
    stage
        .world
        .ask(
            BOT,
            Method::POST,
            &format!("{issue}/notes"),
            json!({"body": oldest.2}),
        )
        .unwrap();
    let again = check(&stage, iid);
    assert_eq!(
        (again.0, again.1.contains("warning")),
        (Some(0), false),
        "{}",
        again.1
    );
    let left = notes_on(&stage, &issue).last().unwrap().clone();
    assert_eq!((left.0, progress(&stage, 1)), (oldest.0, told.clone()));

    // One of another user with our marker is not ours.
    stage
        .world
        .ask(
            "mallory",
            Method::POST,
            &format!("{issue}/notes"),
            json!({"body": oldest.2.replace("In work.", "Forged.")}),
        )
        .unwrap();
    assert_eq!(check(&stage, iid).0, Some(0));
    assert_eq!(progress(&stage, 1), told);
    assert!(
        notes_on(&stage, &issue)
            .last()
            .unwrap()
            .2
            .contains("Forged.")
    );
}

#[test]
fn a_long_discussion_hides_no_note_and_makes_no_second_one() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let issue = stage.world.at("issues/1");
    for number in 0..120 {
        stage
            .world
            .ask(
                "olga",
                Method::POST,
                &format!("{issue}/notes"),
                json!({"body": format!("thought {number}")}),
            )
            .unwrap();
    }
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.edit_feature(
        1,
        json!({"description": "## Acceptance criteria\n- [ ] one\n"}),
    );
    assert_eq!(check(&stage, iid).0, Some(0));
    let query = json!({"query": "{ project(fullPath: \"shop/web\") { issue(iid: \"1\") { notes(filter: ONLY_COMMENTS, last: 5) { nodes { body author { username } } } } } }"});
    let found = stage
        .world
        .ask(BOT, Method::POST, "graphql", query)
        .unwrap();
    let last = found["data"]["project"]["issue"]["notes"]["nodes"]
        .as_array()
        .unwrap();
    let ours: Vec<&Value> = last
        .iter()
        .filter(|note| note["author"]["username"] == BOT)
        .collect();
    assert_eq!(ours.len(), 1, "{last:#?}");
    assert_says(
        ours[0]["body"].as_str().unwrap(),
        &["Acceptance criteria: 0 of 1 ticked."],
    );
}

#[test]
fn two_checks_at_once_leave_one_note_that_tells_of_both() {
    for _ in 0..2 {
        let mut stage = Stage::new();
        stage.feature("Wanted");
        let one = stage.merge_request("ana", "contributes to feature #1");
        let other = stage.merge_request("dan", "closes feature #1");
        // Each of their looks and their first edits happen in the same instant.
        for step in 0..3 {
            stage.world.emulator.faults().add(
                Rule::new(Effect::Rendezvous { parties: 2 })
                    .on("POST", "graphql")
                    .by(BOT)
                    .after(2 * step)
                    .times(2),
            );
        }
        let both = [one, other].map(|iid| link_check(&stage, iid).spawn().unwrap());
        for process in both {
            let output = process.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
        assert_says(
            &progress(&stage, 1),
            &[
                "**Awaiting validation** by `po` (`olga`) and `qa` (`quentin`)",
                &format!("| !{one}+ | contributes | `ana` | In review |"),
                &format!("| !{other}+ | closes | `dan` | Awaiting validation"),
            ],
        );
        state(&stage, one);
        state(&stage, other);
    }
}

#[test]
fn a_check_that_dies_at_any_request_leaves_one_right_note_when_it_is_run_again() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    let before = stage.moment();
    let deaths = Deaths::by(BOT).most(5).in_turn(
        &mut stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, _| {
            stage.run();
            let died = stage.last("link-check");
            assert!(died.failure_reason.is_some(), "{}", died.trace);
            assert_eq!(check(stage, iid).0, Some(0));
            assert_says(&progress(stage, 1), &["**Awaiting validation**"]);
            assert_says(&state(stage, iid), &["**Awaiting validation**"]);
        },
    );
    assert_eq!(deaths, 5);
}

/// Whatever job dies, at whichever request: in the end both notes say how it went. Returns how many died.
fn dies_anywhere(stage: &mut Stage, iid: u64, note: &str, feature: &str) -> u32 {
    let before = stage.moment();
    Deaths::by(BOT).in_turn(
        stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, Run { context, .. }| {
            stage.run();
            let (said, told) = (state(stage, iid), progress(stage, 1));
            assert!(said.contains(note), "{context}: {said}");
            assert!(told.contains(feature), "{context}: {told}");
        },
    )
}

#[test]
fn a_landing_that_dies_at_any_request_leaves_one_right_note_in_the_end() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("append-to-version");
    let deaths = dies_anywhere(
        &mut stage,
        iid,
        "**Landed: in version #1",
        "Landed: in version #1, not released yet",
    );
    assert!(deaths >= 8, "the landing makes {deaths} requests");
}

#[test]
fn a_rejection_whose_job_dies_is_told_by_the_job_after_it() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request_with(
        "eve",
        "contributes to feature #1",
        &[("shop/bad.price", "free\n")],
    );
    stage.integrate("eve", iid);
    stage.run_but("nrt-release");
    let deaths = dies_anywhere(
        &mut stage,
        iid,
        "**Rejected by the non-regression tests**",
        "Rejected by the non-regression tests",
    );
    assert!(deaths >= 8, "the conclusion makes {deaths} requests");
}

#[test]
fn a_link_that_is_taken_out_leaves_the_feature_it_was_on() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    stage.feature("Wanted as well");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.edit_merge_request(
        "ana",
        iid,
        json!({"description": "contributes to feature #2"}),
    );
    assert_eq!(check(&stage, iid).0, Some(0));
    assert_says(
        &progress(&stage, 1),
        &["**Not begun.** No merge request names this feature."],
    );
    assert_says(
        &progress(&stage, 2),
        &[&format!("| !{iid}+ | contributes |")],
    );
    stage.edit_merge_request("ana", iid, json!({"state_event": "close"}));
    assert_eq!(check(&stage, iid).0, Some(0));
    assert_says(
        &progress(&stage, 2),
        &["Closed without being merged", "<details>"],
    );
}

/// A project of its own for features, with one feature in it.
fn planning(stage: &Stage, visibility: &str) -> String {
    let group = stage.world.read("root", "groups/shop").unwrap()["id"].clone();
    stage
        .world
        .ask("root", Method::POST, "projects", json!({"path": "plan", "name": "plan", "namespace_id": group, "visibility": visibility}))
        .unwrap();
    let issue = json!({"title": "Planned", "labels": "feature"});
    stage
        .world
        .ask("root", Method::POST, "projects/shop%2Fplan/issues", issue)
        .unwrap();
    "projects/shop%2Fplan".to_owned()
}

#[test]
fn a_public_feature_never_names_a_merge_request_of_a_private_project() {
    let mut stage = Stage::with(&[("  label: feature", "  label: feature\n  project: shop/plan")]);
    let plan = planning(&stage, "public");
    let iid = stage.merge_request("ana", "closes feature #1");
    assert_eq!(
        stage.ran("link-check", iid).exit_code,
        Some(0),
        "{}",
        stage.last("link-check").trace
    );
    let notes = notes_on(&stage, &format!("{plan}/issues/1"));
    let ours: Vec<&String> = notes.iter().map(|(_, _, text)| text).collect();
    assert_eq!(ours.len(), 1, "{ours:#?}");
    assert_says(
        ours[0],
        &[
            "**Awaiting validation** by `po`",
            "not everybody here can see",
        ],
    );
    for name in ["!1", "shop/web", "`ana`", "A change"] {
        assert!(!ours[0].contains(name), "`{name}` is named: {}", ours[0]);
    }
    let rival = stage.merge_request("dan", "closes feature #1");
    let refused = stage.ran("link-check", rival);
    assert_eq!(refused.exit_code, Some(1), "{}", refused.trace);
    assert!(
        refused.trace.contains(&format!("!{iid} by `ana`")),
        "{}",
        refused.trace
    );
}

#[test]
fn a_note_that_may_not_be_written_is_a_warning_and_nothing_more() {
    let mut stage = Stage::with(&[("  label: feature", "  label: feature\n  project: shop/plan")]);
    let plan = planning(&stage, "public");
    let lock = json!({"discussion_locked": true});
    stage
        .world
        .ask("root", Method::PUT, &format!("{plan}/issues/1"), lock)
        .unwrap();
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        ran.trace
            .contains("warning: the note on shop/plan#1 cannot be kept"),
        "{}",
        ran.trace
    );
    assert_says(&state(&stage, iid), &["**In review.**"]);
    assert!(notes_on(&stage, &format!("{plan}/issues/1")).is_empty());
}

#[test]
fn a_confidential_feature_has_its_note_and_a_job_log_does_not_name_it() {
    let mut stage = Stage::new();
    stage.feature("Secret plan");
    stage.edit_feature(1, json!({"confidential": true}));
    let iid = stage.merge_request("ana", "closes feature #1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(!ran.trace.contains("Secret plan"), "{}", ran.trace);
    assert_says(&progress(&stage, 1), &["**Awaiting validation**"]);
    assert!(!state(&stage, iid).contains("Secret plan"));
}

#[test]
fn the_requests_of_a_job_do_not_grow_with_the_project() {
    let mut stage = Stage::new();
    for title in ["One", "Two", "Three"] {
        stage.feature(title);
    }
    let one = stage.merge_request("ana", "closes feature #1");
    let three = stage.merge_request(
        "dan",
        "contributes to feature #1, closes features #2 and #3",
    );
    stage.run();
    let few = requests_of_checks(&mut stage, one, three, "5\n");
    assert!(few.0 <= 5 && few.1 <= 10, "one link, three links: {few:?}");
    for number in 0..6 {
        stage.feature(&format!("More {number}"));
        stage.merge_request("eve", &format!("contributes to feature #{}", 4 + number));
    }
    stage.run();
    assert_eq!(requests_of_checks(&mut stage, one, three, "6\n"), few);
    stage.play("olga", one, "validate:po");
    stage.play("quentin", one, "validate:qa");
    stage.run_but("nrt-tests");
    assert!(requests(&stage, "await-validation") <= 6);
}

/// What `link-check` costs on a new commit of each.
fn requests_of_checks(stage: &mut Stage, one: u64, three: u64, price: &str) -> (usize, usize) {
    let cost = |stage: &mut Stage, author: &str, iid: u64| {
        stage.push(author, iid, &[(&format!("shop/more-{iid}.price"), price)]);
        stage.run();
        requests(stage, "link-check")
    };
    (cost(stage, "ana", one), cost(stage, "dan", three))
}
