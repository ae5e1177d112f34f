//! The base or the archive garbled or deleted by hand: told by name, and put right where it can be.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use super::{archive_and_remove, at, in_full_swing, keys, lengthen_log, told};
use crate::repair::repair;
use crate::stage::Stage;

/// Archived and removed, and a few entries since.
fn behind_a_base() -> Stage {
    let (mut stage, _) = in_full_swing();
    archive_and_remove(&stage);
    stage.run();
    lengthen_log(&stage, 100..103);
    stage
}

fn delete(stage: &Stage, path: &str) {
    stage
        .world
        .ask("root", Method::DELETE, path, Value::Null)
        .unwrap();
}

fn packages(stage: &Stage) -> Vec<Value> {
    let path = stage.world.at("packages?per_page=100");
    stage
        .world
        .read("root", &path)
        .unwrap()
        .as_array()
        .unwrap()
        .clone()
}

/// Every command refuses by name, and the repair brings everything back from the package.
fn comes_back(stage: &Stage, expected: &(Value, Value, Vec<String>), words: &[&str]) {
    let refused = stage.gate(&["queue", "--json"]);
    assert_ne!(refused.code, Some(0), "{}", refused.said);
    assert!(
        refused.said.contains("trainyard repair"),
        "{}",
        refused.said
    );
    let dry = repair(stage, &[]);
    assert_eq!(dry.code, Some(0), "{}", dry.said);
    for words in [
        words,
        &[
            "is taken from the package `trainyard-events/000001-",
            "nothing was written",
        ],
    ]
    .concat()
    {
        assert!(dry.said.contains(words), "{words}: {}", dry.said);
    }
    assert!(!dry.said.contains("cannot be recovered"), "{}", dry.said);
    let done = repair(stage, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let (queue, version, mut events) = told(stage);
    events.retain(|id| expected.2.contains(id));
    assert_eq!((queue, version, events), expected.clone(), "{}", done.said);
    let again = repair(stage, &[]);
    assert!(again.said.contains("nothing to repair"), "{}", again.said);
}

#[test]
fn a_garbled_base_is_restored_from_its_package() {
    let stage = behind_a_base();
    let expected = told(&stage);
    let path = at(&stage, "TRAINYARD_BASE_000001");
    stage
        .world
        .ask("root", Method::PUT, &path, json!({"value": "{oops"}))
        .unwrap();
    comes_back(
        &stage,
        &expected,
        &["`TRAINYARD_BASE_000001`: its value cannot be read"],
    );
}

#[test]
fn a_base_that_lacks_a_part_is_restored_from_its_package() {
    let stage = behind_a_base();
    let expected = told(&stage);
    let path = stage.world.at("variables?per_page=100");
    let all = stage.world.read("root", &path).unwrap();
    let part = all
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["key"] == "TRAINYARD_PART_0")
        .unwrap();
    let scope = part["environment_scope"]
        .as_str()
        .unwrap()
        .replace('/', "%2F");
    let part = format!("variables/TRAINYARD_PART_0?filter%5Benvironment_scope%5D={scope}");
    delete(&stage, &stage.world.at(&part));
    comes_back(&stage, &expected, &["a part of its value is missing"]);
}

#[test]
fn a_base_that_somebody_deleted_is_restored_from_its_package() {
    let stage = behind_a_base();
    let expected = told(&stage);
    delete(&stage, &at(&stage, "TRAINYARD_BASE_000001"));
    comes_back(
        &stage,
        &expected,
        &["it is missing, although there is an archive of what it covers"],
    );
}

#[test]
fn without_base_and_package_the_state_is_made_anew_from_what_gitlab_knows() {
    let stage = behind_a_base();
    let (_, version, _) = told(&stage);
    delete(&stage, &at(&stage, "TRAINYARD_BASE_000001"));
    for package in packages(&stage) {
        delete(
            &stage,
            &stage.world.at(&format!("packages/{}", package["id"])),
        );
    }
    let dry = repair(&stage, &[]);
    for words in [
        "no package of the archive holds the state after entry",
        "cannot be recovered: what earlier trials taught",
    ] {
        assert!(dry.said.contains(words), "{words}: {}", dry.said);
    }
    let done = repair(&stage, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert!(keys(&stage).contains(&"TRAINYARD_BASE_000002".to_owned()));
    let (_, after, _) = told(&stage);
    let landed = |version: &Value| {
        let sets = version["open"]["change_sets"].as_array().unwrap().clone();
        let number = |set: &Value| set["change_set"]["merge_request"]["iid"].as_u64();
        sets.iter().filter_map(number).collect::<Vec<u64>>()
    };
    assert_eq!(landed(&after), landed(&version));
    assert!(repair(&stage, &[]).said.contains("nothing to repair"));
}

#[test]
fn a_report_says_which_part_of_the_history_is_missing_or_was_changed() {
    let stage = behind_a_base();
    let (_, _, whole) = told(&stage);
    let package = packages(&stage)[0].clone();
    let version = package["version"].as_str().unwrap().to_owned();
    let file = stage.world.at(&format!(
        "packages/generic/trainyard-events/{version}/events.ndjson"
    ));
    let changed = stage
        .world
        .ask("root", Method::PUT, &file, json!({"gone": true}));
    assert!(changed.is_ok(), "{changed:?}");
    let events = stage.gate(&["events"]);
    assert_eq!(events.code, Some(0), "{}", events.said);
    let words = format!(
        "the package `trainyard-events/{version}` of the archive: its checksum is not the one in its name"
    );
    assert!(events.said.contains(&words), "{}", events.said);
    delete(
        &stage,
        &stage.world.at(&format!("packages/{}", package["id"])),
    );
    let events = stage.gate(&["events"]);
    assert!(
        events.said.contains("no package of the archive holds them"),
        "{}",
        events.said
    );
    let output = stage.world.folder().join("report.html");
    let report = stage.gate(&["report", "--output", &output.display().to_string()]);
    assert_eq!(report.code, Some(0), "{}", report.said);
    let page = std::fs::read_to_string(&output).unwrap();
    assert!(page.contains("Parts of the history that are missing"));
    assert!(whole.len() > 70, "{whole:?}");
    // What is asked for from a later day on is whole without it.
    let events = stage.gate(&["events", "--since", "2100-01-01"]);
    assert_eq!((events.code, events.said.trim()), (Some(0), ""));
}
