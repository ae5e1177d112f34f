//! Chosen change sets go to production before the next version, onto the one that runs there, and back to the main branch.

mod dying;
mod forward;
mod refused;
mod released;
mod repairing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::demo::world::Said;
use trainyard::domain::event::Fact;
use trainyard::sinks::cloud_event;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

const CI: &str = include_str!("../../src/demo/project/gitlab-ci.yml");
const INPUTS: &str = "    trainyard_hotfix: {default: \"\", regex: '^[0-9!, ]*$'}\n    trainyard_hotfix_from: {default: \"\", regex: '^[0-9A-Za-z.+-]*$'}\n---\n";
const HANDED_ON: &str = "      hotfix: \"$[[ inputs.trainyard_hotfix ]]\"\n      hotfix_from: \"$[[ inputs.trainyard_hotfix_from ]]\"\n      hotfix_branch: hotfix\n      merge_request:";
const TWO: &str = "versions:\n  released_by: [release]\nnrt:\n  environments:\n  - {name: nrt, branch: main}\n  - {name: hotfix, branch: hotfix, hotfixes: true}\n";

/// The set-up of `docs/hotfix.md`, with the branch protected before there is one.
fn set_up(rules: &str) -> Stage {
    let ci = CI
        .replacen("---\n", INPUTS, 1)
        .replacen("      merge_request:", HANDED_ON, 1);
    let mut stage = Stage::with_files(
        &[("versions:\n  released_by: [release]\n", rules)],
        &[(".gitlab-ci.yml", &ci)],
    );
    let rule = json!({"name": "hotfix", "push_access_level": 40, "merge_access_level": 40});
    ask(&stage, Method::POST, "protected_branches", rule);
    stage.feature("Wanted");
    stage
}

/// Version 0.1.0 is out with !1; !2 of dan, !3 of eve and !4 of ana have landed since.
fn four_landed() -> Stage {
    let mut stage = set_up(TWO);
    land(&mut stage, "ana");
    release(&mut stage, "main");
    for author in ["dan", "eve", "ana"] {
        land(&mut stage, author);
    }
    stage
}

fn land(stage: &mut Stage, author: &str) -> u64 {
    let iid = stage.merge_request(author, "contributes to feature #1");
    integrate(stage, author, iid);
    iid
}

/// The author presses `integrate`, and all that follows from it happens.
fn integrate(stage: &mut Stage, author: &str, iid: u64) {
    stage.integrate(author, iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged", "{:?}", stage.notes(iid));
}

/// The release manager releases what landed on a branch; the job that published it.
fn release(stage: &mut Stage, branch: &str) -> FinishedJob {
    let prepared = prepare(stage, branch);
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    stage.run();
    let published = stage.last("release-publish");
    assert!(
        published.trace.contains("is released"),
        "{}",
        published.trace
    );
    published
}

fn prepare(stage: &mut Stage, branch: &str) -> FinishedJob {
    stage.run();
    let newest = read(stage, &format!("pipelines?ref={branch}&source=push"))[0]["id"].clone();
    let newest = newest.as_u64().unwrap();
    stage.play_in("rita", newest, "release-prepare").unwrap()
}

/// The release manager asks for a hotfix, by a pipeline of the default branch that is started by hand.
fn hotfix(stage: &mut Stage, chosen: &str) -> FinishedJob {
    let inputs = json!({"trainyard_hotfix": chosen, "trainyard_reason": "nobody can pay"});
    hotfix_asking("rita", stage, inputs)
}

fn hotfix_asking(user: &str, stage: &mut Stage, inputs: Value) -> FinishedJob {
    let asked = json!({"ref": "main", "inputs": inputs});
    let at = stage.world.at("pipeline");
    stage.world.ask(user, Method::POST, &at, asked).unwrap();
    stage.world.run(|job| job.name == "release-hotfix");
    stage.last("release-hotfix")
}

/// A command of the gate for the environment of the hotfixes.
fn gate(stage: &Stage, arguments: &[&str]) -> Said {
    stage.gate(&[arguments, &["--environment", "hotfix"]].concat())
}

fn ask(stage: &Stage, method: Method, path: &str, body: Value) -> Value {
    let path = stage.world.at(path);
    stage.world.ask("root", method, &path, body).unwrap()
}

fn read(stage: &Stage, path: &str) -> Value {
    stage.world.read("root", &stage.world.at(path)).unwrap()
}

fn head(stage: &Stage, branch: &str) -> Option<String> {
    let at = format!("repository/branches/{}", branch.replace('/', "%2F"));
    let found = stage.world.read("root", &stage.world.at(&at)).ok()?;
    found["commit"]["id"].as_str().map(str::to_owned)
}

fn opened(stage: &Stage) -> Vec<u64> {
    let all = read(stage, "merge_requests?state=all&sort=asc&per_page=100");
    let ours = all.as_array().unwrap().iter();
    let ours = ours.filter(|one| one["author"]["username"] == "trainyard-bot");
    ours.map(|one| one["iid"].as_u64().unwrap()).collect()
}

/// Which of the files of `stage` a branch has.
fn prices(stage: &Stage, branch: &str) -> Vec<String> {
    let at = format!("repository/tree?ref={branch}&path=shop&per_page=100");
    let all = read(stage, &at);
    let names = all.as_array().unwrap().iter();
    let names = names.map(|one| one["name"].as_str().unwrap().to_owned());
    let mut names: Vec<String> = names
        .filter(|name| name.len() == "0.price".len() && name.ends_with(".price"))
        .collect();
    names.sort();
    names
}

fn asked_for(stage: &Stage) -> Vec<Fact> {
    let events = cloud_event::read_lines(gate(stage, &["events"]).said.as_bytes()).events;
    let facts = events.into_iter().map(|event| event.fact);
    facts
        .filter(|fact| matches!(fact, Fact::HotfixAsked { .. }))
        .collect()
}

/// A file of the default branch.
fn file(stage: &Stage, path: &str) -> String {
    let found = read(stage, &format!("repository/files/{path}?ref=main"));
    let bytes = STANDARD.decode(found["content"].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}
