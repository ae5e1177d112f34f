//! A yard with two environments: both projects land on `main` through the one, and one of them on an older branch through the other.
//! Each has its own queue and versions; the state of one is put right without a touch of the other's.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use super::ground::Ground;
use crate::repair::{damage, repair_with, seen, state_of};

const RULES: &str = "gate: {projects: [shop/web, shop/api]}\n\
    roles: {release: {users: [rita]}}\nversions: {released_by: [release]}\n\
    nrt:\n  environments:\n  - {name: main, branch: main, tag_prefix: v}\n\
    \x20 - {name: old, branch: release/1.x, projects: [shop/web], tag_prefix: old-}\n";

/// The templates one by one, each for both environments.
fn ci(server: &str) -> String {
    let mut text = "spec:\n  inputs:\n    trainyard_project: {default: \"\"}\n    trainyard_merge_request: {default: \"\"}\n    trainyard_environment: {default: \"\"}\n---\ninclude:\n".to_owned();
    for name in ["main", "old"] {
        for (file, inputs) in [
            (
                "nrt-lock",
                ", project: \"$[[ inputs.trainyard_project ]]\", merge_request: \"$[[ inputs.trainyard_merge_request ]]\", woken: \"$[[ inputs.trainyard_environment ]]\"",
            ),
            ("tick", ""),
            ("release", ", sources: \"web|api\""),
        ] {
            text.push_str(&format!(
                "  - local: ci-templates/{file}.yml\n    inputs: {{server: \"{server}\", environment: {name}, suffix: \":{name}\"{inputs}}}\n"
            ));
        }
    }
    for name in ["main", "old"] {
        text.push_str(&format!(
            "deploy-production:{name}:\n  extends: .trainyard-deploy-production:{name}\n  script: [echo deploying]\n"
        ));
    }
    text + "stages: [gate, deploy, release]\n"
}

/// A merge request of `shop/web` or `shop/api` to a branch, which its author presses `integrate` of.
fn asked(ground: &mut Ground, project: u64, target: &str, number: usize) -> u64 {
    let branch = format!("wish-{number}");
    let commit = json!({
        "branch": branch, "start_branch": target, "commit_message": "A wish",
        "actions": [{"action": "create", "file_path": format!("shop/wish-{number}.price"), "content": "3\n"}],
    });
    ground.ask("ana", Method::POST, project, "repository/commits", commit);
    let opened = json!({"source_branch": branch, "target_branch": target, "title": "A wish", "description": "contributes to feature shop/web#1"});
    let iid = ground.ask("ana", Method::POST, project, "merge_requests", opened)["iid"]
        .as_u64()
        .unwrap();
    let clock = ground.world.emulator.clock();
    clock.advance(jiff::SignedDuration::from_secs(1));
    let ended = ground.integrate("ana", project, iid);
    assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
    iid
}

fn release(ground: &mut Ground, name: &str) {
    let by_hand = json!({"ref": "main"});
    let yard = ground.yard;
    let pipeline = ground.ask("rita", Method::POST, yard, "pipeline", by_hand)["id"].as_u64();
    ground.world.project = yard;
    let job = format!("release-prepare:{name}");
    let prepared = ground.world.play_in("rita", pipeline.unwrap(), &job);
    let prepared = prepared.unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    ground.run();
    let published = ground.last(&format!("release-publish:{name}"));
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
}

/// Each environment has released a version, holds change sets since, and some wait.
fn in_full_swing() -> Ground {
    let mut ground = Ground::new();
    let (web, api) = (ground.web, ground.api);
    let server = ground.world.emulator.url().to_owned();
    let files = [
        (".gitlab-ci.yml".to_owned(), ci(&server)),
        (".trainyard.yml".to_owned(), RULES.to_owned()),
    ];
    ground.push("root", "yard", "main", &files);
    let files = [("notes.txt".to_owned(), "1.x\n".to_owned())];
    ground.push("root", "web", "release/1.x", &files);
    let rule = json!({"name": "release/1.x", "push_access_level": 40, "merge_access_level": 40});
    ground.ask("root", Method::POST, web, "protected_branches", rule);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let places = [(web, "main"), (api, "main"), (web, "release/1.x")];
    let mut number = 0;
    for round in 0..3 {
        for (project, target) in places {
            number += 1;
            asked(&mut ground, project, target, number);
        }
        match round {
            0 => {
                ground.run();
                release(&mut ground, "old");
                release(&mut ground, "main");
            }
            1 => ground.run(),
            _ => {}
        }
    }
    ground
}

fn of(ground: &Ground, name: &str) -> (Vec<Value>, Vec<Value>) {
    seen(|words| ground.gate(words), &["--environment", name])
}

fn variables(ground: &Ground, name: &str) -> Vec<(String, String, String)> {
    let scope = format!("trainyard/{name}/");
    let mut all = state_of(&ground.world, ground.yard);
    all.retain(|(_, of, _)| of.starts_with(&scope));
    all
}

fn repair(ground: &Ground, name: &str, flags: &[&str]) -> String {
    let environment = ground.environment(ground.yard, "yard");
    let flags = [&["--environment", name], flags].concat();
    let said = repair_with(&ground.world, environment, &flags);
    assert_eq!(said.code, Some(0), "{}", said.said);
    said.said
}

/// How a state is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Nothing is left of it.
    Deleted,
    /// Every entry is there, and none can be read.
    Garbled,
    /// Some entries are gone, and some cannot be read.
    Half,
}

fn damaged(ground: &Ground, name: &str, how: Damage) {
    let place = (ground.yard, name);
    let entry = |key: &str| key.starts_with("TRAINYARD_LOG_");
    match how {
        Damage::Deleted => damage(&ground.world, place, None, |_| true),
        Damage::Garbled => damage(&ground.world, place, Some("{oops"), |_| true),
        Damage::Half => {
            damage(&ground.world, place, None, |key| {
                entry(key) && key.ends_with(['2', '5', '8'])
            });
            damage(&ground.world, place, Some("{oops"), |key| {
                entry(key) && key.ends_with(['3', '6', '9'])
            });
        }
    }
}

#[test]
fn each_environment_of_a_yard_is_rebuilt_by_itself_and_the_other_one_stays_as_it_is() {
    let mut ground = in_full_swing();
    let sizes = |(tickets, landed): &(Vec<Value>, Vec<Value>)| (tickets.len(), landed.len());
    let whole = [of(&ground, "main"), of(&ground, "old")];
    assert_eq!((sizes(&whole[0]), sizes(&whole[1])), ((2, 2), (1, 1)));
    for (name, other, before) in [("old", "main", &whole[1]), ("main", "old", &whole[0])] {
        let healthy = repair(&ground, name, &["--write"]);
        assert!(healthy.contains("nothing to repair"), "{name}: {healthy}");
        for how in [Damage::Half, Damage::Garbled, Damage::Deleted] {
            let case = format!("{name}, {how:?}");
            let bystander = variables(&ground, other);
            damaged(&ground, name, how);
            let broken = state_of(&ground.world, ground.yard);
            let dry = repair(&ground, name, &[]);
            assert!(dry.contains("nothing was written"), "{case}: {dry}");
            assert_eq!(state_of(&ground.world, ground.yard), broken, "{case}");
            let done = repair(&ground, name, &["--write"]);
            assert!(done.contains("the state is repaired"), "{case}: {done}");
            assert_eq!(of(&ground, name), *before, "{case}: {done}");
            let after = state_of(&ground.world, ground.yard);
            let again = repair(&ground, name, &["--write"]);
            assert!(again.contains("nothing to repair"), "{case}: {again}");
            assert_eq!(state_of(&ground.world, ground.yard), after, "{case}");
            assert_eq!(variables(&ground, other), bystander, "{case}");
        }
    }
    ground.run();
    assert_eq!(sizes(&of(&ground, "main")), (0, 4));
    assert_eq!(sizes(&of(&ground, "old")), (0, 2));
    release(&mut ground, "main");
    release(&mut ground, "old");
    let tagged = |project: u64, tag: &str| {
        ground.read(project, &format!("repository/tags/{tag}"))["commit"]["id"].clone()
    };
    let head = |project: u64, branch: &str| {
        ground.read(project, &format!("repository/branches/{branch}"))["commit"]["id"].clone()
    };
    assert_eq!(tagged(ground.web, "v0.1.1"), head(ground.web, "main"));
    assert_eq!(tagged(ground.api, "v0.1.1"), head(ground.api, "main"));
    assert_eq!(
        tagged(ground.web, "old-0.1.1"),
        head(ground.web, "release%2F1.x")
    );
}
