//! What each command refuses: by name, with the mend, and nothing changes.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn links_that_are_not_in_order_are_refused_with_the_line_and_what_would_be_accepted() {
    let mut stage = Stage::new();
    stage.feature("Open feature");
    stage.feature("Closed feature");
    stage.edit_feature(2, json!({"state_event": "close"}));
    for (description, said) in [
        ("no link at all", "the description names no feature"),
        ("closes feature #77", "there is no issue #77"),
        (
            "text\n\ncontributes to feature #2",
            "line 3 of the description",
        ),
        ("closes feature 1", "Write `closes feature #1`"),
        (
            "closes feature https://elsewhere.example/a/b/-/issues/1",
            "is not an issue of this GitLab",
        ),
    ] {
        let iid = stage.merge_request("ana", description);
        let ran = stage.ran("link-check", iid);
        assert_eq!(ran.exit_code, Some(1), "{}", ran.trace);
        assert!(ran.trace.contains(said), "{said}\n{}", ran.trace);
        assert!(
            stage
                .notes(iid)
                .iter()
                .any(|note| note.contains("not in order")),
            "the author reads it on the merge request"
        );
    }
}

#[test]
fn a_feature_is_closed_by_the_lowest_open_merge_request_only() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let first = stage.merge_request("ana", "closes feature #1");
    let second = stage.merge_request("dan", "closes feature #1");
    assert_eq!(stage.ran("link-check", first).exit_code, Some(0));
    let refused = stage.ran("link-check", second);
    assert_eq!(refused.exit_code, Some(1));
    assert!(
        refused
            .trace
            .contains(&format!("!{first} by `ana` closes it already")),
        "{}",
        refused.trace
    );
    stage.edit_merge_request("ana", first, json!({"state_event": "close"}));
    stage.push_again("dan", second);
    assert_eq!(
        stage.ran("link-check", second).exit_code,
        Some(0),
        "the claim is free again"
    );
}

#[test]
fn a_verdict_is_refused_from_whoever_may_not_give_it() {
    let mut stage = Stage::with(&[(
        "roles:\n  po: {users: [olga]}",
        "roles:\n  po: {users: [olga, ana]}",
    )]);
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.run();
    let stranger = stage.play("mallory", iid, "validate:po");
    assert_eq!(stranger.exit_code, Some(1));
    assert!(
        stranger.trace.contains("the player does not hold the role"),
        "{}",
        stranger.trace
    );
    let author = stage.play("ana", iid, "validate:po");
    assert_eq!(author.exit_code, Some(1));
    assert!(
        author
            .trace
            .contains("authors do not validate their own work"),
        "{}",
        author.trace
    );
    let old = stage.pipeline(iid);
    stage.push_again("ana", iid);
    stage.run();
    let outdated = stage.play_in("quentin", old, "validate:qa");
    assert!(outdated.is_none_or(|ran| ran.exit_code == Some(1) && ran.trace.contains("outdated")));
}

#[test]
fn unticked_criteria_hold_a_validation_up_where_they_are_required() {
    let mut stage = Stage::with(&[(
        "  roles: [po, qa]",
        "  roles: [po, qa]\n  criteria: required",
    )]);
    stage.feature("Wanted");
    stage.edit_feature(
        1,
        json!({"description": "## Acceptance criteria\n- [x] one\n- [ ] two\n"}),
    );
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.run();
    let refused = stage.play("olga", iid, "validate:po");
    assert_eq!(refused.exit_code, Some(1));
    assert!(
        refused.trace.contains("[ ] two") && !refused.trace.contains("one"),
        "{}",
        refused.trace
    );
}

#[test]
fn nothing_joins_the_queue_that_is_not_ready() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.run();
    let early = stage.admit(iid);
    assert_eq!(early.code, Some(1));
    assert!(
        early.said.contains("not validated") && early.said.contains("`validate:po`, `validate:qa`"),
        "{}",
        early.said
    );
    let iid = stage.merge_request("dan", "contributes to feature #1");
    stage.run();
    stage.play("dan", iid, "integrate");
    stage.edit_merge_request("dan", iid, json!({"title": "Draft: not yet"}));
    let draft = stage.admit(iid);
    assert!(
        draft.code == Some(1) && draft.said.contains("it is a draft"),
        "{}",
        draft.said
    );
    stage.edit_merge_request(
        "dan",
        iid,
        json!({"title": "Now", "description": "contributes to nothing"}),
    );
    let unlinked = stage.admit(iid);
    assert!(
        unlinked.code == Some(1) && unlinked.said.contains("names no feature"),
        "{}",
        unlinked.said
    );
    assert!(stage.queue()["tickets"].as_array().unwrap().is_empty());
}

#[test]
fn a_description_that_turns_into_a_closing_one_is_caught_at_the_gate() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.edit_merge_request("ana", iid, json!({"description": "closes feature #1"}));
    stage.play("ana", iid, "integrate");
    let refused = stage.admit(iid);
    assert!(
        refused.code == Some(1) && refused.said.contains("not validated"),
        "{}",
        refused.said
    );
}

#[test]
fn a_frozen_queue_says_why() {
    let mut stage = Stage::with(&[("integration:", "integration:\n  frozen: year end")]);
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.play("ana", iid, "integrate");
    let refused = stage.admit(iid);
    assert!(
        refused.code == Some(1) && refused.said.contains("frozen: year end"),
        "{}",
        refused.said
    );
}

#[test]
fn a_failing_pipeline_keeps_a_change_set_out() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request_with(
        "ana",
        "contributes to feature #1",
        &[("tests/unit.sh", "exit 1\n")],
    );
    stage.run();
    let refused = stage.admit(iid);
    assert!(
        refused.code == Some(1) && refused.said.contains("`unit-tests`"),
        "{}",
        refused.said
    );
}

#[test]
fn a_landing_without_the_lease_is_refused() {
    let stage = Stage::new();
    let lost = stage.gate(&["append-to-version", "--epoch", "3"]);
    assert_eq!(lost.code, Some(1));
    assert!(
        lost.said.contains("lease 3 is not in force"),
        "{}",
        lost.said
    );
    let released = stage.gate(&["nrt-lock", "release", "--epoch", "3"]);
    assert!(
        released.code == Some(0) && released.said.contains("nothing changed"),
        "{}",
        released.said
    );
}

#[test]
fn there_is_nothing_to_release_and_only_managers_release() {
    let mut stage = Stage::new();
    let pipeline = stage.newest_of_main();
    let empty = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert_eq!(empty.exit_code, Some(1));
    assert!(
        empty.trace.contains("nothing has landed"),
        "{}",
        empty.trace
    );
    let preview = stage.gate(&["release", "preview"]);
    assert!(
        preview.code == Some(1) && preview.said.contains("nothing to release"),
        "{}",
        preview.said
    );
    let publish = stage.gate(&["release", "publish"]);
    assert!(
        publish.code == Some(1)
            && publish
                .said
                .contains("run `trainyard release prepare` first"),
        "{}",
        publish.said
    );
}

#[test]
fn a_release_is_refused_to_others_while_frozen_and_while_another_is_on_its_way() {
    let mut stage = Stage::new();
    let pipeline = stage.newest_of_main();
    let stranger = stage
        .play_in("trainyard-bot", pipeline, "release-prepare")
        .unwrap();
    assert!(
        stranger.exit_code == Some(1) && stranger.trace.contains("`trainyard-bot` may not release"),
        "{}",
        stranger.trace
    );

    let mut stage = Stage::with(&[(
        "  released_by: [release]",
        "  released_by: [release]\n  frozen: audit week",
    )]);
    let pipeline = stage.newest_of_main();
    let frozen = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert!(
        frozen.exit_code == Some(1) && frozen.trace.contains("releases are frozen: audit week"),
        "{}",
        frozen.trace
    );
}

#[test]
fn one_version_is_released_at_a_time_and_an_aborted_one_gives_its_content_back() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    for author in ["ana", "dan"] {
        let iid = stage.merge_request(author, "contributes to feature #1");
        stage.integrate(author, iid);
        stage.run();
    }
    let pipeline = stage.newest_of_main();
    let first = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert_eq!(first.exit_code, Some(0), "{}", first.trace);
    stage.push_to_main("shop/hot.price", "1\n");
    let pipeline = stage.newest_of_main();
    let second = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert!(
        second.exit_code == Some(1) && second.trace.contains("version 0.1.0 is being released"),
        "{}",
        second.trace
    );
    let aborted = stage.gate(&["release", "abort", "--reason", "the disk was full"]);
    assert_eq!(aborted.code, Some(0), "{}", aborted.said);
    let open: serde_json::Value =
        serde_json::from_str(&stage.gate(&["version", "--json"]).said).unwrap();
    let order: Vec<u64> = open["open"]["change_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["change_set"]["merge_request"]["iid"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [1, 2], "nothing is lost, in the order it landed");
}

#[test]
fn a_worker_that_finds_the_environment_held_or_nothing_to_do_changes_nothing() {
    let mut stage = Stage::new();
    let acquire = |stage: &Stage| {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let said = stage.gate(&[
            "nrt-lock",
            "acquire",
            "--output",
            &file("trial.yml"),
            "--dotenv",
            &file("nrt.env"),
        ]);
        let pipeline = std::fs::read_to_string(file("trial.yml")).unwrap();
        assert!(
            pipeline.contains("nothing-to-try"),
            "a green pipeline is written all the same: {pipeline}"
        );
        assert_eq!(
            std::fs::read_to_string(file("nrt.env")).unwrap(),
            "TRAINYARD_EPOCH=0\n"
        );
        said
    };
    let idle = acquire(&stage);
    assert!(
        idle.code == Some(0) && idle.said.contains("nothing waits"),
        "{}",
        idle.said
    );
    stage.feature("Wanted");
    let first = stage.merge_request("ana", "contributes to feature #1");
    let second = stage.merge_request("dan", "contributes to feature #1");
    stage.integrate("ana", first);
    stage.run_but("nrt-tests");
    stage.integrate("dan", second);
    stage.run_but("nrt-tests");
    let before = stage.queue();
    let held = acquire(&stage);
    assert!(
        held.code == Some(0) && held.said.contains("is held since"),
        "{}",
        held.said
    );
    assert_eq!(stage.queue(), before);
    let unknown = stage.gate(&["append-to-version", "--epoch", "2"]);
    assert!(
        unknown.code == Some(1) && unknown.said.contains("lease 2 is not in force"),
        "{}",
        unknown.said
    );
}

#[test]
fn a_malformed_configuration_stops_every_job_with_all_its_problems() {
    let mut stage = Stage::with(&[
        ("validation:", "validatoin:"),
        ("{users: [rita]}", "{users: ['r i']}"),
    ]);
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(2));
    assert!(
        ran.trace.contains("`validatoin` is not a key")
            && ran.trace.contains("`roles.release.users[0]`"),
        "{}",
        ran.trace
    );
}

#[test]
fn a_token_that_is_wrong_or_too_weak_is_named_with_its_variable_and_the_right_it_lacks() {
    let stage = Stage::new();
    let before = stage.world.state_of_project().unwrap();
    let wrong = stage.gate_with_token(
        "glpat-unknown",
        &["nrt-lock", "admit", "--merge-request", "1"],
    );
    assert_eq!(wrong.code, Some(4));
    assert!(
        wrong.said.contains("TRAINYARD_GATE_TOKEN") && wrong.said.contains("401"),
        "{}",
        wrong.said
    );
    let weak = stage.gate_with_token(stage.world.token("ana").unwrap(), &["queue"]);
    assert_eq!(weak.code, Some(4));
    assert!(
        weak.said.contains("lacks a right") && weak.said.contains("Maintainer"),
        "{}",
        weak.said
    );
    let missing = stage.gate_with_token("", &["queue"]);
    assert_eq!(missing.code, Some(2));
    assert_eq!(stage.world.state_of_project().unwrap(), before);
}

#[test]
fn a_server_in_trouble_is_reported_with_what_was_tried() {
    let stage = Stage::new();
    stage.break_down(10);
    let html = stage.gate(&["queue"]);
    assert_eq!(html.code, Some(4));
    assert!(
        html.said.contains("in trouble") && html.said.contains("web page"),
        "{}",
        html.said
    );
}
