//! The state of one environment deleted or garbled, beside another one that nobody touches.

use serde_json::Value;

use super::Ground;
use crate::repair::{damage, repair_in, seen, state_of};

type Variables = Vec<(String, String, String)>;

/// Each environment has released a version, holds a change set since, and one waits.
fn two_in_full_swing() -> Ground {
    let mut ground = Ground::new();
    for round in 0..3 {
        for branch in ["main", "release/1.x"] {
            let iid = ground.merge_request(branch);
            ground.integrate(iid);
        }
        match round {
            0 => {
                ground.world.run(|_| true);
                for branch in ["release/1.x", "main"] {
                    ground.release(branch);
                }
            }
            1 => drop(ground.world.run(|_| true)),
            _ => drop(ground.world.run(|job| job.name != "nrt-acquire")),
        }
    }
    ground
}

fn of(ground: &Ground, environment: &str) -> (Vec<Value>, Vec<Value>) {
    seen(|words| ground.gate(words), &["--environment", environment])
}

fn variables(ground: &Ground, environment: &str) -> Variables {
    let scope = format!("trainyard/{environment}/");
    let mut all = state_of(&ground.world, ground.world.project);
    all.retain(|(_, of, _)| of.starts_with(&scope));
    all
}

fn repair(ground: &Ground, environment: &str, flags: &[&str]) -> String {
    let flags = [&["--environment", environment], flags].concat();
    let said = repair_in(&ground.world, &flags);
    assert_eq!(said.code, Some(0), "{}", said.said);
    said.said
}

#[test]
fn one_environment_is_rebuilt_and_the_other_ones_variables_stay_as_they_are() {
    let mut ground = two_in_full_swing();
    let project = ground.world.project;
    for (environment, other) in [("old", "main"), ("main", "old")] {
        let before = of(&ground, environment);
        assert_eq!((before.0.len(), before.1.len()), (1, 1), "{before:?}");
        let whole = repair(&ground, environment, &["--write"]);
        assert!(whole.contains("nothing to repair"), "{whole}");
        for garbled in [true, false] {
            let bystander = variables(&ground, other);
            let place = (project, environment);
            if garbled {
                let entries = variables(&ground, environment);
                let entries = entries.iter().map(|(key, ..)| key.clone());
                let mut entries: Vec<String> = entries
                    .filter(|key| key.starts_with("TRAINYARD_LOG_"))
                    .collect();
                entries.sort();
                let [.., garbled, missing, _] = &entries[..] else {
                    panic!("{entries:?}");
                };
                damage(&ground.world, place, None, |key| key == missing);
                damage(&ground.world, place, Some("{oops"), |key| key == garbled);
            } else {
                damage(&ground.world, place, None, |_| true);
            }
            let damaged = state_of(&ground.world, project);
            let dry = repair(&ground, environment, &[]);
            assert!(dry.contains("nothing was written"), "{dry}");
            assert_eq!(state_of(&ground.world, project), damaged, "{environment}");
            let done = repair(&ground, environment, &["--write"]);
            assert!(done.contains("the state is repaired"), "{done}");
            assert_eq!(of(&ground, environment), before, "{environment}: {done}");
            let after = state_of(&ground.world, project);
            let again = repair(&ground, environment, &["--write"]);
            assert!(again.contains("nothing to repair"), "{again}");
            assert_eq!(state_of(&ground.world, project), after, "{environment}");
            assert_eq!(
                variables(&ground, other),
                bystander,
                "{environment}: {done}"
            );
        }
    }
    ground.world.run(|_| true);
    assert_eq!(ground.version("main").len(), 2);
    assert_eq!(ground.version("old").len(), 2);
    let seen = repair_in(&ground.world, &[]);
    assert!(
        seen.code == Some(2) && seen.said.contains("several environments (`main`, `old`)"),
        "{}",
        seen.said
    );
}

#[test]
fn a_trial_of_another_environment_does_not_keep_a_repair_waiting() {
    let mut ground = two_in_full_swing();
    ground.world.run(|job| job.name != "old-tests");
    damage(&ground.world, (ground.world.project, "main"), None, |_| {
        true
    });
    let done = repair(&ground, "main", &["--write"]);
    assert!(done.contains("the state is repaired"), "{done}");
    damage(&ground.world, (ground.world.project, "old"), None, |_| true);
    let busy = repair_in(&ground.world, &["--environment", "old", "--write"]);
    assert!(
        busy.code == Some(3) && busy.said.contains("uses the NRT environment"),
        "{}",
        busy.said
    );
}

#[test]
fn an_environment_that_was_never_used_has_lost_nothing() {
    let mut ground = Ground::new();
    let iid = ground.merge_request("main");
    ground.integrate(iid);
    ground.world.run(|_| true);
    ground.release("main");
    let said = repair(&ground, "old", &["--write"]);
    assert!(said.contains("nothing to repair"), "{said}");
}

#[test]
fn a_release_of_a_branch_adds_what_its_log_lost_and_nothing_of_the_other_branch() {
    let mut ground = Ground::new();
    for round in 0..2 {
        for branch in ["main", "release/1.x"] {
            let iid = ground.merge_request(branch);
            ground.integrate(iid);
        }
        ground.world.run(|_| true);
        if round == 0 {
            ground.release("main");
            ground.release("release/1.x");
        }
    }
    let expected = ground.version("old");
    let entries = variables(&ground, "old");
    let last = entries
        .iter()
        .filter(|(key, ..)| key.starts_with("TRAINYARD_LOG_"))
        .max();
    let (last, _, value) = last.unwrap();
    assert!(value.contains("ChangeSetAppended"), "{value}");
    let project = ground.world.project;
    damage(&ground.world, (project, "old"), None, |key| key == last);
    assert_eq!(ground.version("old"), [0; 0]);
    ground.release("release/1.x");
    let prepared = ground.traces("release-prepare").pop().unwrap();
    assert!(prepared.contains("1 change set"), "{prepared}");
    let at = ground.world.at("releases/v0.1.2");
    let notes = ground.world.read("rita", &at).unwrap();
    let notes = notes["description"].as_str().unwrap();
    let [own] = expected[..] else {
        panic!("{expected:?}");
    };
    assert!(notes.contains(&format!("!{own} ")), "{notes}");
    assert_eq!(ground.version("main").len(), 1);
}
