//! Delivery that goes wrong: bad answers, channels out of order, jobs that die, several jobs at once.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;

use super::receiver::Answer;
use super::scene::{Scene, mentions, texts};
use crate::deaths::{Deaths, Run, run_until_death};

const TEAM: &str = "channels:\n  team: {kind: slack, url_variable: TEAM_URL}";

const TEAM_AND_OPS: &str = "channels:
  team: {kind: slack, url_variable: TEAM_URL, fallback: ops}
  ops: {kind: webhook, url_variable: OPS_URL}
rules:
  alarms: {channels: [team]}
  news: {channels: [team]}";

#[test]
fn every_bad_answer_is_named_with_its_mend_and_without_the_address() {
    let scene = Scene::with(TEAM);
    let html = "<html><title>Sign in</title></html>";
    for (answers, requests, expected) in [
        (vec![Answer::Status(410, "", "")], 1, "answered 410"),
        (
            vec![Answer::Status(404, "", "no_team")],
            1,
            "answered 404 `no_team`",
        ),
        (vec![Answer::Status(403, "", "")], 1, "answered 403"),
        (
            vec![Answer::Status(400, "", "invalid_payload")],
            1,
            "answered 400 `invalid_payload`",
        ),
        (
            vec![Answer::Status(
                302,
                "Location: http://127.0.0.1:1/elsewhere",
                "",
            )],
            1,
            "redirects are not followed",
        ),
        (
            vec![Answer::Status(200, "", html)],
            1,
            "answered with a web page",
        ),
        (
            vec![Answer::Close],
            1,
            "closed the connection without an answer",
        ),
        (
            vec![
                Answer::Status(503, "Retry-After: 0", ""),
                Answer::Status(503, "", ""),
                Answer::Status(503, "", "T0TEAM-SECRET"),
            ],
            3,
            "answered 503",
        ),
        (
            vec![Answer::Status(429, "Retry-After: 3600", "")],
            1,
            "too many messages",
        ),
    ] {
        let before = scene.receiver.received().len();
        scene.receiver.answers(&answers);
        let said = scene.gate(&["notify", "--test", "team"]);
        assert_eq!(said.code, Some(2), "{expected}: {}", said.said);
        assert!(
            said.said.contains(expected) && said.said.contains("next: "),
            "{expected}\n{}",
            said.said
        );
        assert_eq!(
            scene.receiver.received().len() - before,
            requests,
            "{expected}"
        );
        scene.keeps_its_secrets(&[&said.said]);
    }
    scene.receiver.answers(&[
        Answer::Status(503, "Retry-After: 0", ""),
        Answer::Status(200, "", "ok"),
    ]);
    let said = scene.gate(&["notify", "--test", "team"]);
    assert_eq!(said.code, Some(0), "tried again: {}", said.said);
}

#[test]
fn a_receiver_that_never_answers_is_given_up() {
    let scene = Scene::with(TEAM);
    scene.receiver.answers(&[Answer::Never]);
    let said = scene.gate(&["notify", "--test", "team"]);
    assert!(
        said.code == Some(2) && said.said.contains("did not answer within 8 s"),
        "{}",
        said.said
    );
    assert_eq!(
        scene.receiver.received().len(),
        1,
        "it may have arrived: not sent twice"
    );
}

#[test]
fn a_variable_that_is_missing_or_no_address_is_named_and_fails_no_job() {
    let mut scene = Scene::with(TEAM);
    for (value, expected) in [
        ("", "the CI variable `TEAM_URL` is not set in this job"),
        ("nonsense", "the CI variable `TEAM_URL` holds no address"),
        (
            "http://chat.example/T0TEAM-SECRET",
            "holds an `http://` address",
        ),
        (
            "ftp://chat.example/T0TEAM-SECRET",
            "holds no `https://` address",
        ),
        (
            "http://127.0.0.1:1/T0TEAM-SECRET",
            "`127.0.0.1` could not be reached",
        ),
    ] {
        let said = scene.gate_with(&[("TEAM_URL", value)], &["notify", "--test", "team"]);
        assert!(
            said.code == Some(2) && said.said.contains(expected),
            "{expected}\n{}",
            said.said
        );
        scene.keeps_its_secrets(&[&said.said]);
    }
    let unknown = scene.gate(&["notify", "--test", "nowhere"]);
    assert!(
        unknown.code == Some(2)
            && unknown.said.contains("there is no channel `nowhere`")
            && unknown.said.contains("defines `team`"),
        "{}",
        unknown.said
    );
    scene.open();
    scene.stage.feature("Wanted");
    let path = scene.stage.world.at("variables/TEAM_URL");
    scene
        .stage
        .world
        .ask("root", Method::DELETE, &path, json!({}))
        .unwrap();
    let iid = scene.rejected();
    let released = scene.stage.last("nrt-release");
    assert_eq!(released.exit_code, Some(0), "{}", released.trace);
    assert!(
        released.trace.contains("the channel takes no messages")
            && released.trace.contains("`TEAM_URL` is not set"),
        "{}",
        released.trace
    );
    assert_eq!(
        mentions(&scene, iid, "eve").len(),
        1,
        "the note does not depend on it"
    );
}

#[test]
fn a_channel_that_fails_is_reported_once_caught_up_with_and_reported_well_again() {
    let mut scene = Scene::with(TEAM_AND_OPS);
    scene.stage.feature("Wanted");
    scene.open();
    let down = Answer::Status(410, "", "");
    // The trial's last job, then ours above it: the fallback is told of the first failure in between.
    let fine = Answer::Status(200, "", "ok");
    scene.receiver.answers(&[down.clone(), fine, down]);
    let first = scene.rejected();
    for name in ["nrt-release", "nrt-release-fallback"] {
        let ran = scene.stage.last(name);
        assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
        let reports = ran.trace.matches("the channel takes no messages").count();
        assert_eq!(reports, usize::from(name == "nrt-release"), "{}", ran.trace);
    }
    let told = texts(&scene.receiver.at("T0OPS-SECRET"));
    assert_eq!(told.len(), 1, "the fallback is told once: {told:?}");
    assert!(
        told[0].contains("the channel `team` takes no messages")
            && told[0].contains("answered 410")
    );
    let report = scene.remind();
    assert!(report["held"].as_array().unwrap().is_empty(), "{report:#}");
    let team = texts(&scene.receiver.at("T0TEAM-SECRET"));
    assert_eq!(team.len(), 3, "twice in vain, then taken: {team:?}");
    assert!(
        team[2].contains(&format!("!{first} is rejected")),
        "{team:?}"
    );
    let told = texts(&scene.receiver.at("T0OPS-SECRET"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("the channel `team` takes messages again"),
        "{told:?}"
    );
    scene.remind();
    assert_eq!(scene.receiver.received().len(), 5, "nothing is told twice");
    scene.keeps_its_secrets(&[&report.to_string()]);
}

#[test]
fn a_job_that_dies_at_any_request_tells_everybody_at_least_once_and_the_note_exactly_once() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    scene.open();
    let iid = scene.stage.merge_request_with(
        "eve",
        "contributes to feature #1",
        &[("shop/bad.price", "free\n")],
    );
    scene.stage.integrate("eve", iid);
    scene.stage.run_but("nrt-release");
    let before = scene.moment();
    let deaths = Deaths::of("nrt-release").in_turn(
        &mut scene,
        |scene| scene.restore(&before),
        |scene| run_until_death(&mut scene.stage.world, |_| true),
        |scene, Run { died, context }| {
            scene.stage.run();
            scene.gate_with(&[("CI_JOB_ID", "999999")], &["remind"]);
            let notes = mentions(scene, iid, "eve");
            assert_eq!(notes.len(), 1, "{context}: {notes:?}");
            let told = texts(&scene.receiver.received());
            let told = told
                .iter()
                .filter(|text| text.contains("is rejected by"))
                .count();
            assert!((1..=2).contains(&told), "{context}: told {told} times");
            if !died {
                assert_eq!(told, 1, "without a death nothing is told twice");
            }
        },
    );
    assert!(deaths >= 8, "the job makes {deaths} requests");
}

#[test]
fn of_several_jobs_at_once_one_sends_a_message() {
    let mut scene = Scene::with(TEAM);
    scene.stage.feature("Wanted");
    scene.open();
    // Jobs that have not ended, as GitLab sees them.
    let mut jobs = Vec::new();
    for n in 0..3 {
        scene
            .stage
            .push_to_main(&format!("shop/hot-{n}.price"), "1\n");
        let pipeline = scene.stage.newest_of_main();
        let job = scene.stage.world.job("rita", pipeline, "release-prepare");
        jobs.push(job.unwrap().to_string());
    }
    let down = Answer::Status(410, "", "");
    scene.receiver.answers(&[down.clone(), down]);
    scene.rejected();
    assert_eq!(scene.receiver.received().len(), 2, "in vain");
    std::thread::scope(|scope| {
        for job in &jobs {
            let scene = &scene;
            scope.spawn(move || {
                let said = scene.gate_with(&[("CI_JOB_ID", job)], &["remind"]);
                assert_eq!(said.code, Some(0), "{}", said.said);
            });
        }
    });
    assert_eq!(scene.receiver.received().len(), 3, "and once for good");
}
