//! What GitLab does not let a release do: too many requests at once, and what the gate's user lacks a right for.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};

use super::hundred::deployed;
use super::{TOLD, done_once, landed, prepared, retried, standing};
use crate::stage::Stage;

#[test]
fn a_release_of_many_notes_gets_through_a_small_limit_without_a_single_refusal() {
    let stage = deployed("  released_by: [release]\n");
    let small = json!({
        "throttle_authenticated_api_enabled": true,
        "throttle_authenticated_api_requests_per_period": 6,
        "throttle_authenticated_api_period_in_seconds": 4,
    });
    stage
        .world
        .ask("root", Method::PUT, "application/settings", small)
        .unwrap();
    stage.world.emulator.clear_requests();
    let said = stage.gate(&["release", "publish"]);
    assert_eq!(said.code, Some(0), "{}", said.said);
    assert!(!said.said.contains("pending"), "{}", said.said);
    let requests = stage.world.emulator.requests();
    let of_the_api = requests.iter().filter(|one| one.path.starts_with("/api/"));
    assert!(
        of_the_api.count() > 3 * 6,
        "there was nothing to be limited"
    );
    let refused: Vec<&str> = requests
        .iter()
        .filter(|one| one.status == 429)
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(refused, [""; 0]);
    assert!(
        said.said
            .contains("GitLab takes 0 more requests of the user of `TRAINYARD_GATE_TOKEN` in this period; the next one waits"),
        "{}",
        said.said
    );
}

fn forbid(stage: &Stage, method: &'static str, route: &'static str) -> u64 {
    let forbidden = Rule::new(Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    });
    let rule = forbidden.on(method, route).of_job("release-publish");
    // GitLab retries the job by itself.
    let rule = rule.times(50);
    stage.world.emulator.faults().add(rule)
}

#[test]
fn a_right_that_is_missing_before_the_tag_fails_the_job_and_a_retry_goes_on() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    for route in ["projects/:id/variables", "projects/:id/releases"] {
        let rule = forbid(&stage, "POST", route);
        if route.ends_with("variables") {
            stage.run();
        } else {
            retried(&mut stage, "release-publish");
        }
        let refused = stage.last("release-publish");
        assert_eq!(refused.exit_code, Some(4), "{}", refused.trace);
        let asked = route.replace(":id", "1");
        for words in [
            format!(
                "the token in `TRAINYARD_GATE_TOKEN` lacks a right: `POST {asked}` answered 403 403 Forbidden"
            ),
            "make a project access token with role Maintainer and scope `api` in Settings > Access tokens".to_owned(),
        ] {
            assert!(refused.trace.contains(&words), "{words}:\n{}", refused.trace);
        }
        let now = standing(&stage);
        assert_eq!((now.tags, now.releases, now.told), (0, 0, 0));
        stage.world.emulator.faults().remove(rule);
    }
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn a_right_that_is_missing_after_the_tag_leaves_a_notice_pending_and_a_retry_gives_it() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let rule = forbid(&stage, "PUT", "projects/:id/milestones/:milestone_id");
    stage.run();
    let done = stage.last("release-publish");
    assert_eq!(done.exit_code, Some(0), "{}", done.trace);
    for words in [
        "version 0.1.0 is released: ",
        "; 1 notice pending",
        "the milestone `0.1.0` is not closed: the token in `TRAINYARD_GATE_TOKEN` lacks a right: `PUT projects/1/milestones/1` answered 403 403 Forbidden",
    ] {
        assert!(done.trace.contains(words), "{words}:\n{}", done.trace);
    }
    assert_eq!(standing(&stage).milestone, "active");
    stage.world.emulator.faults().remove(rule);
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn a_log_that_may_not_be_written_after_the_tag_fails_the_job_and_a_retry_records_it() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    // The first entry takes the release; the second one says that it is out.
    let forbidden = Rule::new(Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    });
    let forbidden = forbidden.on("POST", "projects/:id/variables");
    let rule = forbidden.of_job("release-publish").after(1).times(50);
    let rule = stage.world.emulator.faults().add(rule);
    stage.run();
    let refused = stage.last("release-publish");
    assert_eq!(refused.exit_code, Some(4), "{}", refused.trace);
    assert!(
        refused.trace.contains("the token in `TRAINYARD_GATE_TOKEN` lacks a right: `POST projects/1/variables` answered 403 403 Forbidden"),
        "{}",
        refused.trace
    );
    let now = standing(&stage);
    assert_eq!((now.tags, now.releases, now.events.len()), (1, 1, 0));
    stage.world.emulator.faults().remove(rule);
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}
