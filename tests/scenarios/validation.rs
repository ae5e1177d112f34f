//! Validation: what counts as a verdict and what does not, which roles are asked, and what people read.

use gitlab::api::endpoint_prelude::Method;
use serde_json::Value;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

mod evidence;
mod roles;
mod words;

const CI: &str = include_str!("../../src/demo/project/gitlab-ci.yml");

/// A merge request that closes the one feature, with whatever its branch does to the CI file.
fn closing(stage: &mut Stage, more: &str) -> u64 {
    stage.feature("Pay by card");
    let price = [("shop/new.price", "1\n")];
    if more.is_empty() {
        return stage.merge_request_with("ana", "closes feature #1", &price);
    }
    let ci = CI.replace("@SERVER@", stage.world.emulator.url()) + more;
    let files = [price[0], (".gitlab-ci.yml", ci.as_str())];
    stage.merge_request_with("ana", "closes feature #1", &files)
}

fn post(stage: &Stage, user: &str, path: &str, body: Value) -> Value {
    stage
        .world
        .ask(user, Method::POST, &stage.world.at(path), body)
        .unwrap()
}

fn job(stage: &Stage, iid: u64, name: &str) -> u64 {
    let pipeline = stage.pipeline(iid);
    stage.world.job("root", pipeline, name).unwrap()
}

/// The roles that the gate still asks, by the jobs that it names.
fn asked(stage: &Stage, iid: u64) -> String {
    let said = stage.admit(iid).said;
    let line = said
        .lines()
        .find(|line| line.contains("it is not validated on this content"));
    line.map_or_else(String::new, |line| {
        let jobs = line.split("content: ").nth(1).unwrap();
        jobs.split(" must").next().unwrap().to_owned()
    })
}

fn passed(ran: &FinishedJob) {
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
}

fn refused(ran: &FinishedJob, why: &str) {
    assert_eq!(ran.exit_code, Some(1), "{}", ran.trace);
    assert!(ran.trace.contains(why), "{why}\n{}", ran.trace);
}

fn says(ran: &FinishedJob, words: &[&str]) {
    for word in words {
        assert!(ran.trace.contains(word), "{word}\n{}", ran.trace);
    }
}

/// Runs `await-validation` of the newest pipeline as a command, as if its turn had come.
fn awaiting(stage: &Stage, iid: u64) -> trainyard::demo::world::Said {
    let found = stage
        .world
        .read("root", &stage.world.at(&format!("merge_requests/{iid}")))
        .unwrap();
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| !matches!(key.as_str(), "CI_COMMIT_SHA" | "CI_PIPELINE_ID"));
    let bot = stage.world.token("trainyard-bot").unwrap().to_owned();
    let own = [
        ("CI_COMMIT_SHA", found["sha"].as_str().unwrap().to_owned()),
        ("CI_PIPELINE_ID", stage.pipeline(iid).to_string()),
        ("CI_MERGE_REQUEST_IID", iid.to_string()),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()),
        ("TRAINYARD_TOKEN", bot),
    ];
    environment.extend(own.map(|(key, value)| (key.to_owned(), value)));
    stage
        .world
        .program(&environment, &["await-validation"])
        .unwrap()
}
