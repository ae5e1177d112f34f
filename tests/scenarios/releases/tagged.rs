//! A release by a tag that somebody pushes: its commit goes out with its number.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::FinishedJob;

use super::{TOLD, landed_with, prepared, read};
use crate::stage::Stage;

const CI: &str = include_str!("../../../src/demo/project/gitlab-ci.yml");

fn stage() -> Stage {
    let ci = CI.replacen("      start: ", "      tags: protected\n      start: ", 1);
    assert_ne!(ci, CI);
    let told = [("  released_by: [release]\n", TOLD)];
    let stage = landed_with(&told, &[(".gitlab-ci.yml", &ci)]);
    ask(&stage, "protected_tags", json!({"name": "v*"}));
    ask(&stage, "protected_tags", json!({"name": "nightly*"}));
    stage
}

fn ask(stage: &Stage, path: &str, body: Value) {
    let path = stage.world.at(path);
    stage.world.ask("root", Method::POST, &path, body).unwrap();
}

/// Somebody tags a commit; the jobs that ran then.
fn tag(stage: &mut Stage, who: &str, name: &str, commit: &str) -> Vec<FinishedJob> {
    let before = stage.world.ran.len();
    let tags = stage.world.at("repository/tags");
    let tag = json!({"tag_name": name, "ref": commit});
    stage.world.ask(who, Method::POST, &tags, tag).unwrap();
    stage.run();
    let ran = stage.world.ran[before..].iter();
    ran.map(|one| one.finished.clone()).collect()
}

fn job<'j>(jobs: &'j [FinishedJob], name: &str) -> &'j FinishedJob {
    let found = jobs.iter().rev().find(|job| job.name == name);
    found.unwrap_or_else(|| {
        let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
        panic!("{name} did not run; these did: {names:?}")
    })
}

fn releases(stage: &Stage) -> Vec<String> {
    let all = read(stage, "releases");
    let all = all.as_array().unwrap().iter();
    all.map(|one| one["tag_name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_commit_of_a_tag_is_released_with_its_number_and_the_tag_stays_where_it_is() {
    let mut stage = stage();
    let jobs = tag(&mut stage, "rita", "v1.5.0", "main");
    let prepared = job(&jobs, "release-prepare");
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared.trace.contains("version 1.5.0 is closed at"),
        "{}",
        prepared.trace
    );
    let deployed = job(&jobs, "deploy-production");
    assert!(
        deployed.trace.contains("deploying version 1.5.0"),
        "{}",
        deployed.trace
    );
    let published = job(&jobs, "release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    assert_eq!(releases(&stage), ["v1.5.0"]);
    assert_eq!(read(&stage, "issues/1")["state"], "closed");
    let notes = read(&stage, "releases/v1.5.0")["description"].clone();
    assert!(
        notes.as_str().unwrap().contains("Pay by card (#1)"),
        "{notes}"
    );
    assert_eq!(read(&stage, "repository/tags").as_array().unwrap().len(), 1);
}

#[test]
fn a_tag_that_a_release_made_releases_nothing_again() {
    let mut stage = stage();
    prepared(&mut stage);
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    let again = stage.last("release-prepare");
    assert_eq!(again.exit_code, Some(0), "{}", again.trace);
    assert!(
        again
            .trace
            .contains("version 0.1.0 is released already; nothing changed")
            || again.trace.contains(
                "version 0.1.0 is being released by the pipeline that prepared it; nothing changed"
            ),
        "{}",
        again.trace
    );
    assert_eq!(super::standing(&stage), super::done_once());
}

#[test]
fn a_tag_that_is_no_version_or_not_of_the_branch_or_not_above_the_last_releases_nothing() {
    let mut stage = stage();
    let jobs = tag(&mut stage, "rita", "nightly-7", "main");
    let prepared = job(&jobs, "release-prepare");
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared.trace.contains(
            "the tag `nightly-7` is no number of a version after `v`; nothing is released"
        ),
        "{}",
        prepared.trace
    );
    let action = json!({"action": "create", "file_path": "side", "content": "1\n"});
    let side = json!({"branch": "side", "start_branch": "main", "commit_message": "Aside", "actions": [action]});
    ask(&stage, "repository/commits", side);
    let jobs = tag(&mut stage, "rita", "v2.0.0", "side");
    let prepared = job(&jobs, "release-prepare");
    assert_eq!(prepared.exit_code, Some(1), "{}", prepared.trace);
    assert!(
        prepared
            .trace
            .contains("which is not on the branch `main`; nothing is released"),
        "{}",
        prepared.trace
    );
    // A tag of a person who may not release, and one below another one that is there.
    let jobs = tag(&mut stage, "root", "v1.0.0", "main");
    let prepared = job(&jobs, "release-prepare");
    assert!(
        prepared.trace.contains("`root` may not release"),
        "{}",
        prepared.trace
    );
    let jobs = tag(&mut stage, "rita", "v0.9.0", "main");
    let prepared = job(&jobs, "release-prepare");
    assert_eq!(prepared.exit_code, Some(1), "{}", prepared.trace);
    assert!(
        prepared
            .trace
            .contains("the number 0.9.0 is not above the last one"),
        "{}",
        prepared.trace
    );
    assert_eq!(releases(&stage), [""; 0]);
}
