//! What is told when: quiet hours, digests, recoveries, confidential features, rejections in merge request pipelines.

use jiff::tz::TimeZone;
use serde_json::json;
use trainyard::domain::event::Fact;

use super::scene::{Scene, mentions, texts};

const TEAM: &str = "channels:\n  team: {kind: slack, url_variable: TEAM_URL}";

/// Quiet hours around now.
fn quiet_now() -> String {
    let now = trainyard::ports::Clock::now(&trainyard::clock::SystemClock);
    let time = |hours: i64| {
        let instant = now + jiff::SignedDuration::from_hours(hours);
        instant
            .to_zoned(TimeZone::UTC)
            .strftime("%H:%M")
            .to_string()
    };
    format!("quiet: {{from: '{}', to: '{}'}}", time(-2), time(3))
}

#[test]
fn quiet_hours_hold_back_what_is_not_urgent_until_they_are_over() {
    let mut scene = Scene::with(&format!("{}\n{TEAM}", quiet_now()));
    scene.stage.feature("Wanted");
    scene.open();
    let good = scene
        .stage
        .merge_request("ana", "contributes to feature #1");
    scene.stage.integrate("ana", good);
    scene.stage.run();
    let iid = scene.rejected();
    assert!(scene.receiver.received().is_empty());
    assert_eq!(
        mentions(&scene, iid, "eve").len(),
        1,
        "a note is there at once"
    );
    let report = scene.remind();
    let held = report["held"].as_array().unwrap();
    assert_eq!(held.len(), 2, "{report:#}");
    assert!(
        held.iter().all(|held| held["due_now"] == false),
        "{report:#}"
    );
    let pipeline = scene.stage.newest_of_main();
    scene
        .stage
        .play_in("rita", pipeline, "release-prepare")
        .unwrap();
    let aborted = scene.gate(&[
        "release",
        "abort",
        "--reason",
        "the disk <!channel> was full",
    ]);
    assert_eq!(aborted.code, Some(0), "{}", aborted.said);
    let told = texts(&scene.receiver.received());
    assert_eq!(told.len(), 1, "a failed release is urgent: {told:?}");
    assert!(
        told[0].contains(
            "the release of version 0.1.0 failed: the disk &lt;!channel&gt; was full. Its content"
        ),
        "{told:?}"
    );
    let on = mentions(&scene, good, "rita");
    assert_eq!(on.len(), 1, "who closed the version is mentioned: {on:?}");
    scene.configure(TEAM);
    scene.remind();
    let told = texts(&scene.receiver.received());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("3 messages\n") && told[1].contains(&format!("!{iid} is rejected")),
        "all that was held, at once: {told:?}"
    );
}

#[test]
fn a_digest_collects_what_is_not_urgent() {
    let now = trainyard::ports::Clock::now(&trainyard::clock::SystemClock);
    let later = now + jiff::SignedDuration::from_hours(2);
    let later = later.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string();
    let mut scene = Scene::with(&format!(
        "channels:\n  team: {{kind: slack, url_variable: TEAM_URL, digest: '{later}'}}\n  ops: {{kind: webhook, url_variable: OPS_URL}}"
    ));
    scene.stage.feature("Wanted");
    scene.open();
    scene.rejected();
    assert_eq!(
        scene.receiver.at("T0OPS-SECRET").len(),
        1,
        "another channel is told at once"
    );
    assert!(scene.receiver.at("T0TEAM-SECRET").is_empty());
    let report = scene.remind();
    let held = &report["held"][0];
    assert!(
        held["digest"] == true && held["due_now"] == false,
        "{report:#}"
    );
}

#[test]
fn whoever_was_told_of_trouble_is_told_when_it_is_over() {
    let mut scene = Scene::with(
        "channels:\n  team: {kind: slack, url_variable: TEAM_URL}\n  ops: {kind: webhook, url_variable: OPS_URL}\n\
         rules:\n  alarms: {channels: [team]}\n  news: {channels: []}",
    );
    scene.stage.feature("Wanted");
    scene.open();
    let iid = scene.stage.merge_request_with(
        "eve",
        "contributes to feature #1",
        &[("shop/bad.price", "free\n")],
    );
    scene.stage.integrate("eve", iid);
    scene.stage.run();
    scene.stage.push("eve", iid, &[("shop/bad.price", "3\n")]);
    scene.stage.integrate("eve", iid);
    scene.stage.run();
    assert_eq!(scene.stage.state(iid), "merged");
    let told = texts(&scene.receiver.received());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("Over: ") && told[1].contains(&format!("!{iid} landed after all")),
        "{told:?}"
    );
    assert!(
        scene.receiver.at("T0OPS-SECRET").is_empty(),
        "it got no alarm, and no end of one"
    );
    let notes = mentions(&scene, iid, "eve");
    assert!(
        notes.len() == 1 && notes[0].contains("**Settled**"),
        "the alert was edited, nobody got a second e-mail: {notes:?}"
    );
}

#[test]
fn what_is_written_about_a_confidential_feature_leaves_no_trace_in_a_channel() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Secret plan");
    scene.stage.edit_feature(1, json!({"confidential": true}));
    scene.open();
    let iid = scene
        .stage
        .merge_request("ana", "contributes to feature #1");
    scene
        .stage
        .edit_merge_request("ana", iid, json!({"title": "Buy the competitor"}));
    scene.stage.integrate("ana", iid);
    scene.stage.run();
    assert_eq!(scene.stage.state(iid), "merged");
    let told = texts(&scene.receiver.received());
    assert!(
        told.len() == 1 && told[0].contains("!1 landed, in version #1."),
        "{told:?}"
    );
    let all = format!("{:?}", scene.receiver.received());
    for hidden in ["Secret plan", "Buy the competitor", "#1\"", "web#1"] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
}

#[test]
fn a_rejection_in_a_merge_request_pipeline_reaches_channels_by_the_next_reminders() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    scene.open();
    let iid = scene.stage.merge_request("ana", "closes feature #1");
    scene.stage.run();
    let rejected = scene.stage.play("quentin", iid, "reject:qa");
    assert_eq!(rejected.exit_code, Some(0), "{}", rejected.trace);
    assert!(
        scene.receiver.received().is_empty(),
        "its pipeline has no such secret"
    );
    assert_eq!(mentions(&scene, iid, "ana").len(), 1);
    scene.remind();
    scene.remind();
    let told = texts(&scene.receiver.received());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(&format!("!{iid} is rejected as qa by quentin")),
        "{told:?}"
    );
    assert_eq!(mentions(&scene, iid, "ana").len(), 1);
    let recorded = scene.stage.facts();
    assert!(
        recorded
            .iter()
            .any(|fact| matches!(fact, Fact::FeatureRejected { .. }))
    );
}
