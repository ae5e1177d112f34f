//! The deployment of a version fails: its content goes back, and people are told once.

use trainyard::domain::event::Fact;

use super::{landed_with, prepared, read, standing};
use crate::stage::Stage;

const CI: &str = include_str!("../../../src/demo/project/gitlab-ci.yml");

/// A version whose deployment failed; the job that gives it up waits.
pub(super) fn failed() -> Stage {
    let failing = CI.replace("- echo \"deploying", "- 'false'\n    - echo \"deploying");
    let mut stage = landed_with(&[], &[(".gitlab-ci.yml", &failing)]);
    let closed = prepared(&mut stage);
    assert_eq!(closed.exit_code, Some(0), "{}", closed.trace);
    assert_eq!(stage.last("deploy-production").exit_code, Some(1));
    stage
}

/// Everything that giving a version up does, once.
pub(super) fn is_given_up(stage: &Stage, context: &str) {
    let now = standing(stage);
    assert_eq!((now.tags, now.releases), (0, 0), "{context}");
    assert_eq!(now.deployments, ["failed"], "{context}");
    assert_eq!(now.events, ["ReleaseFailed"], "{context}");
    assert_eq!(now.features, ["opened", "opened"], "{context}");
    let facts = stage.facts();
    let why = facts.iter().find_map(|fact| {
        if let Fact::ReleaseFailed {
            reason, evidence, ..
        } = fact
        {
            Some((reason.clone(), evidence.clone()))
        } else {
            None
        }
    });
    let (reason, evidence) = why.unwrap();
    assert_eq!(reason, "the job `deploy-production` failed", "{context}");
    let job = stage
        .world
        .job("rita", stage.newest_of_main(), "deploy-production")
        .unwrap();
    assert!(
        evidence.unwrap().ends_with(&format!("/-/jobs/{job}")),
        "{context}"
    );
    let version: serde_json::Value =
        serde_json::from_str(&stage.gate(&["version", "--json"]).said).unwrap();
    let order: Vec<u64> = version["open"]["change_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["change_set"]["merge_request"]["iid"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [1, 2, 3], "{context}");
    for iid in 1..=3 {
        let notes = stage.notes(iid);
        let state = notes
            .iter()
            .find(|note| note.starts_with("<!-- trainyard:state"))
            .unwrap();
        assert!(
            state.contains("**Landed: in version #"),
            "{context}: {state}"
        );
        let warned = notes.iter().filter(|note| note.contains("@rita")).count();
        assert_eq!(
            warned,
            usize::from(iid == 3),
            "{context}: the release manager, once"
        );
    }
}

#[test]
fn a_failed_deployment_gives_the_content_back_and_names_the_job_that_failed() {
    let mut stage = failed();
    stage.run();
    let aborted = stage.last("release-abort");
    assert_eq!(aborted.exit_code, Some(0), "{}", aborted.trace);
    assert!(
        aborted.trace.contains(
            "the release of version 0.1.0 is aborted: the job `deploy-production` failed"
        ),
        "{}",
        aborted.trace
    );
    is_given_up(&stage, "once");
    let note = stage
        .notes(3)
        .into_iter()
        .find(|note| note.contains("@rita"))
        .unwrap();
    assert!(note.contains("/-/jobs/"), "{note}");
    let again = super::retried(&mut stage, "release-abort");
    assert!(
        again
            .trace
            .contains("the release of version 0.1.0 was given up at "),
        "{}",
        again.trace
    );
    is_given_up(&stage, "twice");
    assert_eq!(
        read(&stage, "environments?name=production")
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
