//! The state deleted or garbled by hand, and put right from what GitLab knows.

use std::process::Command;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::demo::world::{Said, World};
use trainyard::domain::event::Fact;
use trainyard_emulator::faults::{Effect, Rule};

use crate::stage::Stage;

/// Two landed in the open version, one under trial, one in the queue.
fn mid_flow() -> (Stage, [u64; 4]) {
    let mut stage = Stage::with(&[("versions:", "nrt: {batch: 1}\nversions:")]);
    stage.feature("Wanted");
    let mut iids = [0; 4];
    for (index, iid) in iids.iter_mut().enumerate() {
        *iid = stage.merge_request("ana", "contributes to feature #1");
        stage.integrate("ana", *iid);
        if index < 2 {
            stage.run();
        } else {
            stage.run_but("nrt-tests");
        }
    }
    assert_eq!(landed(&stage), iids[..2]);
    let queue = stage.queue();
    assert_eq!(queue["trial"]["merge_requests"], json!([iids[2]]));
    assert_eq!(queue["tickets"][0]["merge_request"], json!(iids[3]));
    (stage, iids)
}

fn landed(stage: &Stage) -> Vec<u64> {
    let said = stage.gate(&["version", "--json"]).said;
    let version: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let content = version["open"]["change_sets"].as_array().unwrap();
    content
        .iter()
        .map(|set| {
            let set = &set["change_set"]["merge_request"]["iid"];
            set.as_u64().unwrap()
        })
        .collect()
}

fn variables(stage: &Stage) -> Vec<(String, String)> {
    let path = stage.world.at("variables?per_page=100");
    let all = stage.world.read("root", &path).unwrap();
    let of = |v: &Value, name: &str| v[name].as_str().unwrap().to_owned();
    let all = all.as_array().unwrap().iter();
    all.map(|v| (of(v, "key"), of(v, "environment_scope")))
        .filter(|(_, scope)| scope.starts_with("trainyard/"))
        .collect()
}

fn at(stage: &Stage, key: &str, scope: &str) -> String {
    let scope = scope.replace('/', "%2F");
    stage.world.at(&format!(
        "variables/{key}?filter%5Benvironment_scope%5D={scope}"
    ))
}

fn delete(stage: &Stage, key: &str, scope: &str) {
    let path = at(stage, key, scope);
    stage
        .world
        .ask("root", Method::DELETE, &path, Value::Null)
        .unwrap();
}

fn garble(stage: &Stage, key: &str) {
    let path = at(stage, key, "trainyard/nrt/log");
    let garbled = json!({"value": "{oops"});
    stage
        .world
        .ask("root", Method::PUT, &path, garbled)
        .unwrap();
}

/// As a job of a pipeline on the default branch would run it.
pub(crate) fn repair(stage: &Stage, flags: &[&str]) -> Said {
    repair_in(&stage.world, flags)
}

/// The same in any world: a new job with a clone of the project.
pub(crate) fn repair_in(world: &World, flags: &[&str]) -> Said {
    let mut environment = world.gate_environment();
    let trigger = world
        .read("root", &world.at("variables/TRAINYARD_TRIGGER_TOKEN"))
        .unwrap();
    let trigger = trigger["value"].as_str().unwrap().to_owned();
    environment.push(("TRAINYARD_TRIGGER_TOKEN".to_owned(), trigger));
    let clone = tempfile::tempdir().unwrap();
    let address = world.project_url();
    let token = world.token("root").unwrap();
    let address = address.replacen("://", &format!("://root:{token}@"), 1);
    let cloned = Command::new("git")
        .args(["clone", "--quiet", &format!("{address}.git")])
        .arg(clone.path())
        .status();
    assert!(cloned.unwrap().success());
    environment.retain(|(key, _)| key != "CI_PROJECT_DIR");
    let folder = clone.path().display().to_string();
    environment.push(("CI_PROJECT_DIR".to_owned(), folder));
    repair_with(world, environment, flags)
}

/// The same in a given environment.
pub(crate) fn repair_with(
    world: &World,
    mut environment: Vec<(String, String)>,
    flags: &[&str],
) -> Said {
    let job = world.ran.last().unwrap().finished.id + 1;
    environment.retain(|(key, _)| key != "CI_JOB_ID");
    environment.push(("CI_JOB_ID".to_owned(), job.to_string()));
    let arguments: Vec<&str> = ["repair"].iter().chain(flags).copied().collect();
    world.program(&environment, &arguments).unwrap()
}

/// Key, scope and value of each state variable of a project, in the order of keys.
pub(crate) fn state_of(world: &World, project: u64) -> Vec<(String, String, String)> {
    let path = format!("projects/{project}/variables?per_page=100");
    let all = world.read("root", &path).unwrap();
    let of = |v: &Value, name: &str| v[name].as_str().unwrap().to_owned();
    let mut all: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (of(v, "key"), of(v, "environment_scope"), of(v, "value")))
        .filter(|(_, scope, _)| scope.starts_with("trainyard/"))
        .collect();
    all.sort();
    all
}

/// Deletes, or overwrites, the state variables of an environment that are chosen by their key.
pub(crate) fn damage(
    world: &World,
    (project, environment): (u64, &str),
    value: Option<&str>,
    chosen: impl Fn(&str) -> bool,
) {
    let of_environment = format!("trainyard/{environment}/");
    for (key, scope, _) in state_of(world, project) {
        if scope.starts_with(&of_environment) && chosen(&key) {
            let scope = scope.replace('/', "%2F");
            let path =
                format!("projects/{project}/variables/{key}?filter%5Benvironment_scope%5D={scope}");
            let (method, body) = match value {
                None => (Method::DELETE, Value::Null),
                Some(value) => (Method::PUT, json!({"value": value})),
            };
            world.ask("root", method, &path, body).unwrap();
        }
    }
}

/// What a person sees of the queue and of the open version: each merge request with what must come back of it.
pub(crate) fn seen(gate: impl Fn(&[&str]) -> Said, flags: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let read = |command: &str| -> Value {
        let said = gate(&[&[command, "--json"], flags].concat()).said;
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))
    };
    let queue = read("queue");
    assert_eq!(queue["environment"]["lease"], Value::Null, "{queue}");
    let tickets = queue["tickets"].as_array().unwrap().iter();
    let tickets = tickets.map(|t| {
        json!([
            t["project"],
            t["merge_request"],
            t["requested_at"],
            t["priority"]
        ])
    });
    let version = read("version");
    let landed = version["open"]["change_sets"].as_array().unwrap().iter();
    let landed = landed.map(|one| {
        json!([
            one["change_set"]["merge_request"],
            one["change_set"]["links"],
            one["landed"],
            one["trial"]
        ])
    });
    (tickets.collect(), landed.collect())
}

fn cancel_the_worker(stage: &mut Stage, worker: u64) {
    stage.cancel(worker);
    stage.run_but("nrt-tests");
}

#[test]
fn a_state_that_is_whole_needs_no_repair() {
    let (stage, _) = mid_flow();
    let before = stage.world.state_of_project().unwrap();
    for flags in [&[][..], &["--write"]] {
        let said = repair(&stage, flags);
        assert!(
            said.code == Some(0) && said.said.contains("nothing to repair"),
            "{}",
            said.said
        );
    }
    assert_eq!(stage.world.state_of_project().unwrap(), before);
}

#[test]
fn a_state_that_somebody_deleted_in_the_middle_is_rebuilt_and_all_ends_as_without_the_damage() {
    let (mut stage, iids) = mid_flow();
    for (key, scope) in variables(&stage) {
        delete(&stage, &key, &scope);
    }
    let wiped = stage.world.state_of_project().unwrap();
    let dry = repair(&stage, &[]);
    assert_eq!(dry.code, Some(0), "{}", dry.said);
    for words in [
        "nothing was written",
        "!1 landed and was in no version",
        "!2 landed and was in no version",
        "!3 asked for integration",
        "!4 asked for integration",
        "cannot be recovered: what earlier trials taught",
        "uses the NRT environment",
    ] {
        assert!(dry.said.contains(words), "{words}: {}", dry.said);
    }
    let busy = repair(&stage, &["--write"]);
    assert!(
        busy.code == Some(3) && busy.said.contains("wait for its end or cancel it"),
        "{}",
        busy.said
    );
    assert_eq!(stage.world.state_of_project().unwrap(), wiped);
    // The trial goes on, and finds that its lease is gone.
    stage.run();
    assert_eq!(
        stage.state(iids[2]),
        "opened",
        "nothing lands without a lease"
    );
    let done = repair(&stage, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert_eq!(landed(&stage), iids[..2], "{}", done.said);
    stage.run();
    assert_eq!(landed(&stage), iids, "{}", done.said);
    for iid in iids {
        assert_eq!(stage.state(iid), "merged");
    }
    let epochs: Vec<u64> = stage
        .facts()
        .iter()
        .filter_map(|fact| {
            if let Fact::LeaseGranted { epoch, .. } = fact {
                Some(epoch.0)
            } else {
                None
            }
        })
        .collect();
    let newest = epochs.iter().max().unwrap();
    assert!(
        *newest > 4 && epochs.iter().filter(|epoch| *epoch == newest).count() == 1,
        "no lease is given a number that was given before: {epochs:?}"
    );
    let again = repair(&stage, &["--write"]);
    assert!(again.said.contains("nothing to repair"), "{}", again.said);
}

#[test]
fn a_garbled_entry_stops_every_command_with_the_mend_and_is_set_aside_by_the_repair() {
    let (mut stage, iids) = mid_flow();
    let worker = stage.queue()["environment"]["lease"]["pipeline"]
        .as_u64()
        .unwrap();
    garble(&stage, "TRAINYARD_LOG_000003");
    for command in [
        &["queue"][..],
        &["version"],
        &["tick"],
        &["nrt-lock", "acquire"],
        &["append-to-version", "--epoch", "3"],
        &["release", "preview"],
    ] {
        let said = stage.gate(command);
        assert!(
            said.code == Some(2)
                && said.said.contains("`TRAINYARD_LOG_000003`")
                && said.said.contains("its value cannot be read")
                && said.said.contains("trainyard repair"),
            "{command:?}: {}",
            said.said
        );
    }
    cancel_the_worker(&mut stage, worker);
    let dry = repair(&stage, &["--json"]);
    let dry: Value = serde_json::from_str(&dry.said).unwrap_or_else(|_| panic!("{}", dry.said));
    assert_eq!(dry["damaged"][0]["name"], "TRAINYARD_LOG_000003");
    assert_eq!(
        (&dry["healthy"], &dry["written"]),
        (&json!(false), &json!(false))
    );
    let done = repair(&stage, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let aside: Vec<String> = variables(&stage)
        .into_iter()
        .filter(|(key, scope)| key == "TRAINYARD_LOG_000003" && scope.contains("/aside/"))
        .map(|(_, scope)| scope)
        .collect();
    assert_eq!(aside.len(), 1, "nothing is deleted");
    let kept = at(&stage, "TRAINYARD_LOG_000003", &aside[0]);
    assert_eq!(stage.world.read("root", &kept).unwrap()["value"], "{oops");
    stage.run();
    assert_eq!(landed(&stage), iids);
}

#[test]
fn an_entry_that_is_missing_is_filled() {
    let (mut stage, iids) = mid_flow();
    let worker = stage.queue()["environment"]["lease"]["pipeline"]
        .as_u64()
        .unwrap();
    for key in ["TRAINYARD_LOG_000002", "TRAINYARD_LOG_000005"] {
        delete(&stage, key, "trainyard/nrt/log");
    }
    let said = stage.gate(&["queue"]);
    assert!(
        said.code == Some(2)
            && said.said.contains("`TRAINYARD_LOG_000002`")
            && said.said.contains("missing"),
        "{}",
        said.said
    );
    cancel_the_worker(&mut stage, worker);
    let done = repair(&stage, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    stage.run();
    assert_eq!(landed(&stage), iids);
}

#[test]
fn what_was_rejected_before_the_loss_is_not_tried_again() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let bad = stage.merge_request_with(
        "ana",
        "contributes to feature #1",
        &[("shop/bad.price", "free\n")],
    );
    stage.integrate("ana", bad);
    stage.run();
    let told = stage.notes(bad).len();
    for (key, scope) in variables(&stage) {
        delete(&stage, &key, &scope);
    }
    let done = repair(&stage, &["--write"]);
    assert!(
        done.code == Some(0) && done.said.contains("not queued again"),
        "{}",
        done.said
    );
    stage.run();
    assert!(stage.queue()["tickets"].as_array().unwrap().is_empty());
    assert_eq!(stage.state(bad), "opened");
    assert_eq!(stage.notes(bad).len(), told, "nobody is told a second time");
}

#[test]
fn a_repair_that_dies_at_any_request_is_finished_by_the_next_one() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    let other = stage.merge_request("ana", "contributes to feature #1");
    stage.run_but("nrt-acquire");
    stage.play("ana", other, "integrate");
    stage.run_but("nrt-acquire");
    for (key, scope) in variables(&stage) {
        delete(&stage, &key, &scope);
    }
    let garbled = json!({"key": "TRAINYARD_LOG_000002", "value": "{oops", "environment_scope": "trainyard/nrt/log"});
    let path = stage.world.at("variables");
    stage
        .world
        .ask("root", Method::POST, &path, garbled)
        .unwrap();
    let before = stage.moment();
    let (mut deaths, mut followed) = (0, 0);
    for nth in 0..60 {
        before.restore(&mut stage.world);
        let untouched = stage.world.emulator.fingerprint().unwrap();
        let refused = Effect::Answer {
            status: 403,
            body: json!({"message": "403 Forbidden"}),
        };
        let refusal = Rule::new(refused)
            .by("trainyard-bot")
            .after(nth)
            .times(u32::MAX);
        let rule = stage.world.emulator.faults().add(refusal);
        let dead = repair(&stage, &["--write"]);
        stage.world.emulator.faults().remove(rule);
        let died = dead.code != Some(0);
        deaths += u32::from(died);
        // Whatever it had read by then: as long as it has written nothing, what follows is the same.
        if died && nth > 0 && stage.world.emulator.fingerprint().unwrap() == untouched {
            continue;
        }
        if died {
            followed += 1;
            let done = repair(&stage, &["--write"]);
            assert_eq!(done.code, Some(0), "died at request {nth}: {}", done.said);
        }
        assert_eq!(
            landed(&stage),
            [iid],
            "died at request {nth}: {}",
            dead.said
        );
        let waits = &stage.queue()["tickets"][0]["merge_request"];
        assert_eq!(*waits, json!(other), "died at request {nth}: {}", dead.said);
        if !died {
            break;
        }
    }
    assert!(deaths >= 8, "the repair makes {deaths} requests");
    assert!(followed > 1, "it never died after it had written something");
    let whole = repair(&stage, &[]);
    assert!(whole.said.contains("nothing to repair"), "{}", whole.said);
    stage.run();
    assert_eq!(landed(&stage), [iid, other]);
}
