//! What is in a version, which number it gets and why, and what it was frozen with.

use std::path::PathBuf;
use std::process::Command;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey, SshSig};
use trainyard::demo::world::Said;
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

/// One change set lands, with one more commit beside it.
fn land(stage: &mut Stage, author: &str, description: &str) -> u64 {
    let iid = stage.merge_request(author, description);
    stage.integrate(author, iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    iid
}

/// A command of the gate in a clone of the default branch, as a runner leaves one.
pub(crate) fn in_clone(stage: &Stage, arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("{}/shop/web.git", stage.world.emulator.url());
    let token = stage.world.token("root").unwrap();
    let address = address.replace("://", &format!("://oauth2:{token}@"));
    let cloned = Command::new("git")
        .args(["clone", "--quiet", &address])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(cloned.success());
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| key != "CI_PROJECT_DIR");
    let folder: PathBuf = folder.path().into();
    environment.push((
        "CI_PROJECT_DIR".to_owned(),
        folder.to_str().unwrap().to_owned(),
    ));
    stage.world.program(&environment, arguments).unwrap()
}

/// A file that a job left, byte for byte.
fn artifact(stage: &Stage, job: u64, path: &str) -> String {
    let at = stage.world.at(&format!("jobs/{job}/artifacts/{path}"));
    let url = format!("{}/api/v4/{at}", stage.world.emulator.url());
    let token = stage.world.token("rita").unwrap();
    let request = reqwest::blocking::Client::new().get(url);
    let answer = request.header("PRIVATE-TOKEN", token).send().unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.text().unwrap()
}

/// The log loses the entry that holds a fact, and all entries after it.
fn forget_from(stage: &Stage, lost: &str) {
    let all = stage.world.at("variables?per_page=100");
    let all = stage.world.read("root", &all).unwrap();
    let entries = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|variable| variable["environment_scope"] == "trainyard/nrt/log");
    let mut keys: Vec<(&str, &str)> = entries
        .map(|entry| {
            (
                entry["key"].as_str().unwrap(),
                entry["value"].as_str().unwrap(),
            )
        })
        .collect();
    keys.sort_unstable();
    let from = keys
        .iter()
        .rposition(|(_, value)| value.contains(lost))
        .unwrap();
    for (key, _) in &keys[from..] {
        let path = stage.world.at(&format!(
            "variables/{key}?filter%5Benvironment_scope%5D=trainyard%2Fnrt%2Flog"
        ));
        stage
            .world
            .ask("root", Method::DELETE, &path, Value::Null)
            .unwrap();
    }
}

fn variable(stage: &Stage, key: &str, value: &str) {
    let at = stage.world.at("variables");
    let body = json!({"key": key, "value": value, "variable_type": "file", "protected": true});
    stage.world.ask("root", Method::POST, &at, body).unwrap();
}

fn version(stage: &Stage) -> Value {
    let said = in_clone(stage, &["version", "--json"]).said;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn release(stage: &mut Stage) -> FinishedJob {
    let main = stage.newest_of_main();
    let prepared = stage.play_in("rita", main, "release-prepare").unwrap();
    stage.run();
    prepared
}

/// A release by a pipeline that the release manager starts with inputs.
fn release_asking(stage: &mut Stage, inputs: Value) -> FinishedJob {
    ask_for(stage, "release-prepare", inputs)
}

/// A job of a pipeline that the release manager starts with inputs.
fn ask_for(stage: &mut Stage, name: &str, inputs: Value) -> FinishedJob {
    let at = stage.world.at("pipeline");
    let asked = json!({"ref": "main", "inputs": inputs});
    let started = stage.world.ask("rita", Method::POST, &at, asked).unwrap();
    stage.run();
    let of = |ran: &&trainyard::demo::world::Ran| {
        started["id"] == ran.finished.pipeline_id && ran.finished.name == name
    };
    let ran = stage.world.ran.iter().rev().find(of).unwrap();
    ran.finished.clone()
}

pub(crate) fn tags(stage: &Stage) -> Vec<String> {
    let tags = stage.world.read("rita", &stage.world.at("repository/tags"));
    let tags = tags.unwrap();
    let names = tags.as_array().unwrap().iter();
    let mut names: Vec<String> = names
        .map(|tag| tag["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_version_says_its_number_and_why_and_changes_nothing() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    let before = stage.facts().len();
    let said = in_clone(&stage, &["version"]).said;
    assert!(
        said.contains("would be 0.1.0, the first one, as `versions.initial` says (1 change set)"),
        "{said}"
    );
    assert!(said.contains("contributes to #1; trial "), "{said}");
    assert!(
        said.contains("nothing is merged since the beginning but what was tried"),
        "{said}"
    );
    let preview = in_clone(&stage, &["release", "preview"]);
    assert_eq!(preview.code, Some(0), "{}", preview.said);
    assert!(
        preview
            .said
            .contains("a release would write: the tag `v0.1.0`"),
        "{}",
        preview.said
    );
    let without_clone = stage.gate(&["version"]).said;
    assert!(
        without_clone.contains("not compared with the commits"),
        "{without_clone}"
    );
    let page = in_clone(&stage, &["version", "--markdown"]).said;
    assert!(page.contains("| !1 | A change | `ana` | #1 |"), "{page}");
    assert_eq!(stage.facts().len(), before);
    assert_eq!(tags(&stage), Vec::<String>::new());
}

#[test]
fn what_comes_around_the_gate_is_told_and_frozen_with_the_version() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    stage.push_to_main("shop/hand.price", "1\n");
    let second = stage.merge_request("dan", "contributes to feature #1");
    stage.push_again("dan", second);
    stage.integrate("dan", second);
    stage.run();
    let now = version(&stage);
    let around = &now["open"]["commits"]["around_the_gate"];
    assert_eq!(around.as_array().unwrap().len(), 1, "{now}");
    assert_eq!(around[0]["subject"], "Around the gate");
    let prepared = release(&mut stage);
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared
            .trace
            .contains("1 commit came around the gate, untested by it"),
        "{}",
        prepared.trace
    );
    let manifest = artifact(&stage, prepared.id, "trainyard-release.json");
    let written: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(written["tag"], "v0.1.0");
    assert_eq!(written["change_sets"].as_array().unwrap().len(), 2);
    assert_eq!(written["around_the_gate"][0]["subject"], "Around the gate");
    let sum = trainyard::domain::digest::sha256(&manifest);
    let closed = stage.facts().into_iter().find_map(|fact| {
        if let Fact::VersionClosed { manifest, .. } = fact {
            manifest
        } else {
            None
        }
    });
    assert_eq!(closed.as_deref(), Some(sum.as_str()));
    assert!(prepared.trace.contains(&sum), "{}", prepared.trace);
    land(&mut stage, "ana", "contributes to feature #1");
    let next = version(&stage);
    assert_eq!(next["open"]["next_number"], "0.1.1");
    assert_eq!(next["open"]["commits"]["around_the_gate"], json!([]));
}

#[test]
fn a_footer_of_a_commit_makes_the_step_larger() {
    let mut stage = Stage::with(&[("versions:", "versions:\n  initial: '1.0.0'")]);
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    release(&mut stage);
    let iid = stage.merge_request("dan", "contributes to feature #1");
    stage.push_saying(
        "dan",
        iid,
        &[("shop/other.price", "2\n")],
        "feat: other prices\n\nBREAKING CHANGE: prices are in cents",
    );
    stage.integrate("dan", iid);
    stage.run();
    let said = in_clone(&stage, &["version"]).said;
    assert!(
        said.contains("would be 2.0.0, a major step after 1.0.0, because !2 breaks something"),
        "{said}"
    );
}

#[test]
fn a_pre_release_keeps_its_content_open_until_a_final_version_takes_it() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    let first = release_asking(&mut stage, json!({"trainyard_pre": "rc"}));
    assert_eq!(first.exit_code, Some(0), "{}", first.trace);
    assert_eq!(tags(&stage), ["v0.1.0-rc.1"]);
    let again = release_asking(&mut stage, json!({"trainyard_pre": "rc"}));
    assert_eq!(again.exit_code, Some(1));
    assert!(
        again
            .trace
            .contains("nothing has landed since 0.1.0-rc.1, which is of this very commit"),
        "{}",
        again.trace
    );
    land(&mut stage, "dan", "contributes to feature #1");
    release_asking(&mut stage, json!({"trainyard_pre": "rc"}));
    assert_eq!(tags(&stage), ["v0.1.0-rc.1", "v0.1.0-rc.2"]);
    let last = release(&mut stage);
    assert_eq!(last.exit_code, Some(0), "{}", last.trace);
    assert!(
        last.trace.contains("version 0.1.0 is closed at") && last.trace.contains("2 change sets"),
        "{}",
        last.trace
    );
    assert_eq!(tags(&stage), ["v0.1.0", "v0.1.0-rc.1", "v0.1.0-rc.2"]);
    assert_eq!(version(&stage)["open"]["change_sets"], json!([]));
}

#[test]
fn a_number_that_is_taken_or_too_low_is_refused_before_anything_is_frozen() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    release(&mut stage);
    land(&mut stage, "dan", "contributes to feature #1");
    let low = release_asking(&mut stage, json!({"trainyard_version": "0.1.0"}));
    assert_eq!(low.exit_code, Some(1));
    assert!(
        low.trace
            .contains("the number 0.1.0 is not above the last one, 0.1.0"),
        "{}",
        low.trace
    );
    let tag = json!({"tag_name": "v0.2.0-rc.1", "ref": "v0.1.0"});
    let at = stage.world.at("repository/tags");
    stage.world.ask("root", Method::POST, &at, tag).unwrap();
    let taken = release_asking(&mut stage, json!({"trainyard_version": "0.2.0-rc.1"}));
    assert_eq!(taken.exit_code, Some(1));
    assert!(
        taken
            .trace
            .contains("the tag `v0.2.0-rc.1` exists already, at `"),
        "{}",
        taken.trace
    );
    assert_eq!(version(&stage)["closing"], Value::Null);
}

#[test]
fn the_calendar_numbers_the_versions_of_a_month() {
    let mut stage = Stage::with(&[("versions:", "versions:\n  calendar: YYYY.MM.MICRO")]);
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    release(&mut stage);
    let first = tags(&stage).remove(0);
    let number = first.strip_suffix(".0").unwrap().to_owned();
    assert!(number.starts_with("v20") && number.matches('.').count() == 1);
    land(&mut stage, "dan", "contributes to feature #1");
    let said = in_clone(&stage, &["version"]).said;
    assert!(said.contains("the next one of its time on "), "{said}");
    // A run at the turn of a month counts from 0 again.
    release(&mut stage);
    assert_eq!(tags(&stage).len(), 2);
}

#[test]
fn what_the_log_lost_is_added_before_a_version_is_frozen() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    let lost = land(&mut stage, "dan", "contributes to feature #1");
    forget_from(
        &stage,
        &format!(
            "\"fact\":\"ChangeSetAppended\",\"version\":1,\"appended\":{{\"change_set\":{{\"merge_request\":{{\"project\":\"shop/web\",\"iid\":{lost}}}"
        ),
    );
    let now = version(&stage);
    let unknown = &now["open"]["commits"]["not_in_the_log"];
    assert_eq!(unknown.as_array().unwrap().len(), 1, "{now}");
    let prepared = release(&mut stage);
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared
            .trace
            .contains("the log did not know 1 commit that the gate landed: 1 change set added"),
        "{}",
        prepared.trace
    );
    assert!(prepared.trace.contains("with 2 change sets"));
}

#[test]
fn a_manifest_is_signed_where_a_key_is_given_and_a_bad_key_freezes_nothing() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    variable(&stage, "TRAINYARD_SIGNING_KEY", "hunter2");
    let bad = release(&mut stage);
    assert_eq!(bad.exit_code, Some(2), "{}", bad.trace);
    assert!(
        bad.trace
            .contains("`TRAINYARD_SIGNING_KEY` cannot sign: it is no private key"),
        "{}",
        bad.trace
    );
    assert!(!bad.trace.contains("hunter2"), "{}", bad.trace);
    assert_eq!(version(&stage)["closing"], Value::Null);
    let pair = Ed25519Keypair::from_seed(&[7; 32]);
    let key = PrivateKey::new(KeypairData::Ed25519(pair), "release").unwrap();
    let good = json!({"value": *key.to_openssh(LineEnding::LF).unwrap()});
    let at = stage.world.at("variables/TRAINYARD_SIGNING_KEY");
    stage.world.ask("root", Method::PUT, &at, good).unwrap();
    stage.push_to_main("shop/hand.price", "1\n");
    let prepared = release(&mut stage);
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    let manifest = artifact(&stage, prepared.id, "trainyard-release.json");
    let signature = artifact(&stage, prepared.id, "trainyard-release.json.sig");
    let signature: SshSig = signature.parse().unwrap();
    let public = key.public_key();
    let verified = public.verify("trainyard-release", manifest.as_bytes(), &signature);
    assert!(verified.is_ok(), "{verified:?}");
}

#[test]
fn no_release_starts_in_a_deploy_freeze_of_gitlab_but_with_a_reason() {
    let mut stage = Stage::with(&[("versions:", "versions:\n  through_freezes_by: [po]")]);
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    let at = stage.world.at("freeze_periods");
    let always =
        json!({"freeze_start": "0 0 * * *", "freeze_end": "0 0 * * *", "cron_timezone": "UTC"});
    stage.world.ask("root", Method::POST, &at, always).unwrap();
    let frozen = release(&mut stage);
    assert_eq!(frozen.exit_code, Some(1));
    assert!(
        frozen.trace.contains("releases are frozen until ")
            && frozen
                .trace
                .contains("a deploy freeze of GitLab, from `0 0 * * *`"),
        "{}",
        frozen.trace
    );
    let preview = in_clone(&stage, &["release", "preview"]).said;
    assert!(preview.contains("releases are frozen until "), "{preview}");
    let through = json!({"trainyard_through_freeze": "--through-freeze"});
    let stranger = release_asking(&mut stage, through.clone());
    assert_eq!(stranger.exit_code, Some(1));
    assert!(
        stranger
            .trace
            .contains("`rita` may not release all the same: `versions.through_freezes_by`"),
        "{}",
        stranger.trace
    );
}

#[test]
fn a_release_through_a_freeze_keeps_its_reason() {
    let mut stage = Stage::with(&[(
        "versions:",
        "versions:\n  freezes: [{name: ever, from: '2020-01-01', to: '2199-01-01', reason: audit}]",
    )]);
    stage.feature("Wanted");
    land(&mut stage, "ana", "contributes to feature #1");
    let through = json!({"trainyard_through_freeze": "--through-freeze"});
    let silent = release_asking(&mut stage, through.clone());
    assert_eq!(silent.exit_code, Some(2), "{}", silent.trace);
    assert!(
        silent
            .trace
            .contains("a release during a freeze needs a reason"),
        "{}",
        silent.trace
    );
    let mut through = through;
    through["trainyard_reason"] = json!("the shop is down");
    let released = release_asking(&mut stage, through);
    assert_eq!(released.exit_code, Some(0), "{}", released.trace);
    let kept = stage.facts().into_iter().find_map(|fact| {
        if let Fact::VersionClosed { through_freeze, .. } = fact {
            through_freeze
        } else {
            None
        }
    });
    let kept = kept.unwrap();
    assert_eq!(
        (kept.freeze.as_str(), kept.reason.as_str()),
        ("ever: audit", "the shop is down")
    );
    assert_eq!(tags(&stage), ["v0.1.0"]);
}

#[test]
fn a_bad_version_is_withdrawn_the_one_before_runs_again_and_nothing_is_lost() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let feature = stage.feature("Bad");
    land(&mut stage, "ana", "contributes to feature #1");
    release(&mut stage);
    let bad = stage.merge_request("dan", &format!("closes feature #{feature}"));
    stage.run();
    for (person, role) in [("olga", "po"), ("quentin", "qa")] {
        stage.play(person, bad, &format!("validate:{role}"));
    }
    stage.run();
    stage.integrate("dan", bad);
    stage.run();
    release(&mut stage);
    let issue = stage.world.at(&format!("issues/{feature}"));
    let state = |stage: &Stage| stage.world.read("rita", &issue).unwrap()["state"].clone();
    assert_eq!(state(&stage), "closed");
    let wrong = ask_for(
        &mut stage,
        "release-withdraw",
        json!({"trainyard_withdraw": "0.1.0", "trainyard_reason": "it is down"}),
    );
    assert_eq!(wrong.exit_code, Some(1), "{}", wrong.trace);
    assert!(
        wrong
            .trace
            .contains("0.1.0 is not the version in production, which is 0.2.0"),
        "{}",
        wrong.trace
    );
    let withdraw = json!({"trainyard_withdraw": "0.2.0", "trainyard_reason": "it is /close down"});
    let withdrawn = ask_for(&mut stage, "release-withdraw", withdraw);
    assert_eq!(withdrawn.exit_code, Some(0), "{}", withdrawn.trace);
    let deployed = stage.last("deploy-production").trace;
    assert!(deployed.contains("deploying version 0.1.0"), "{deployed}");
    // Whoever wrote, validated or closed it is told where it was discussed, once.
    let told = |stage: &Stage| -> Vec<String> {
        let about = |note: &String| note.contains("version 0.2.0 is withdrawn");
        let mentions = |note: &String| note.contains("@dan");
        let notes = stage.notes(bad).into_iter();
        notes.filter(|note| about(note) && mentions(note)).collect()
    };
    let [note] = told(&stage).try_into().unwrap();
    for person in ["@dan", "@olga", "@quentin", "@rita"] {
        assert!(note.contains(person), "{person}: {note}");
    }
    assert!(!note.contains("@ana"), "{note}");
    assert!(note.contains("mend it, and release again"), "{note}");
    let recovered = stage.last("release-recovered").trace;
    assert!(
        recovered.contains("version 0.1.0 runs in production again"),
        "{recovered}"
    );
    assert_eq!(state(&stage), "opened");
    let tick = stage.gate(&["tick"]);
    assert_eq!(tick.code, Some(0), "{}", tick.said);
    assert_eq!(told(&stage).len(), 1);
    let release_of = stage.world.at("releases/v0.2.0");
    let marked = stage.world.read("rita", &release_of).unwrap();
    assert_eq!(marked["name"], "Version 0.2.0 (withdrawn)");
    let notes = marked["description"].as_str().unwrap();
    assert!(notes.starts_with("**Withdrawn** by `rita` on "), "{notes}");
    let now = version(&stage);
    assert_eq!(now["open"]["change_sets"].as_array().unwrap().len(), 1);
    assert_eq!(now["open"]["commits"]["around_the_gate"], json!([]));
    land(&mut stage, "ana", "contributes to feature #1");
    let prepared = release(&mut stage);
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared.trace.contains("with 2 change sets"),
        "{}",
        prepared.trace
    );
    assert_eq!(tags(&stage), ["v0.1.0", "v0.2.0", "v0.2.1"]);
    assert_eq!(state(&stage), "closed");
}
