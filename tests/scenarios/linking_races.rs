//! One closing merge request per feature, whoever is quicker: processes at the same time, and edits between their steps.

use std::thread;

use serde_json::json;
use trainyard::demo::people::BOT;
use trainyard::demo::world::Said;
use trainyard::domain::event::Fact;
use trainyard::domain::linking::LinkKind;
use trainyard_emulator::faults::{Effect, Rule};

use crate::stage::Stage;

/// Everybody validates; no gate job runs.
fn validated(stage: &mut Stage, iid: u64) {
    stage.run_but("nrt-admit");
    for (person, job) in [("olga", "validate:po"), ("quentin", "validate:qa")] {
        assert_eq!(stage.play(person, iid, job).exit_code, Some(0), "{job}");
        stage.run_but("nrt-admit");
    }
}

fn asked_for(stage: &mut Stage, author: &str, iid: u64) {
    assert_eq!(stage.play(author, iid, "integrate").exit_code, Some(0));
}

/// The closing merge requests that are in the queue, by number.
fn closers(stage: &Stage) -> Vec<u64> {
    let queued = stage.facts().into_iter().filter_map(|fact| {
        if let Fact::ChangeSetQueued { change_set } = fact {
            Some(change_set)
        } else {
            None
        }
    });
    queued
        .filter(|set| set.links.iter().any(|link| link.kind == LinkKind::Closes))
        .map(|set| set.merge_request.iid)
        .collect()
}

/// An older merge request that closes and then only contributes, and a younger one that closes; both validated.
fn two_closers(stage: &mut Stage) -> (u64, u64) {
    stage.feature("Wanted");
    let older = stage.merge_request("ana", "closes feature #1");
    validated(stage, older);
    stage.edit_merge_request(
        "ana",
        older,
        json!({"description": "contributes to feature #1"}),
    );
    let younger = stage.merge_request("dan", "closes feature #1");
    validated(stage, younger);
    asked_for(stage, "dan", younger);
    (older, younger)
}

#[test]
fn who_is_in_the_queue_keeps_the_feature_from_an_older_one_that_starts_to_close_it() {
    let mut stage = Stage::new();
    let (older, younger) = two_closers(&mut stage);
    let admitted = stage.admit(younger);
    assert_eq!(admitted.code, Some(0), "{}", admitted.said);
    asked_for(&mut stage, "ana", older);
    stage.edit_merge_request("ana", older, json!({"description": "- Closes feature #1!"}));
    let refused = stage.admit(older);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    for said in [
        format!("!{younger} by `dan` closes it and is in the queue"),
        "`- Contributes to feature #1!`".to_owned(),
        format!("have `dan` take !{younger} back"),
    ] {
        assert!(refused.said.contains(&said), "{said}\n{}", refused.said);
    }
    assert_eq!(closers(&stage), [younger]);
    assert!(
        stage.notes(older)[0].contains("is in the queue"),
        "{:?}",
        stage.notes(older)
    );
}

#[test]
fn who_landed_in_an_unreleased_version_keeps_the_feature_too() {
    let mut stage = Stage::new();
    let (older, younger) = two_closers(&mut stage);
    stage.run();
    assert_eq!(stage.state(younger), "merged");
    stage.edit_merge_request("ana", older, json!({"description": "closes feature #1"}));
    asked_for(&mut stage, "ana", older);
    let before = stage.queue();
    let refused = stage.admit(older);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    let said = format!(
        "!{younger} by `dan` closes it and has landed in a version that is not released yet"
    );
    assert!(refused.said.contains(&said), "{}", refused.said);
    assert_eq!(stage.queue(), before);
    assert_eq!(closers(&stage), [younger]);
}

#[test]
fn two_gate_jobs_at_once_admit_one_closer() {
    let mut stage = Stage::new();
    let (older, younger) = two_closers(&mut stage);
    asked_for(&mut stage, "ana", older);
    // The younger one has read everything and is about to write when the older one is edited; then both write at once.
    let rendezvous = Rule::new(Effect::Rendezvous { parties: 2 })
        .on("POST", "projects/:id/variables")
        .times(2);
    stage.world.emulator.faults().add(rendezvous);
    let world = &stage;
    let (first, second): (Said, Said) = thread::scope(|scope| {
        let younger = scope.spawn(|| world.admit(younger));
        let waits = || {
            world
                .world
                .emulator
                .faults()
                .rules()
                .iter()
                .any(|rule| rule.hit > 0)
        };
        while !waits() && !younger.is_finished() {
            thread::yield_now();
        }
        world.edit_merge_request("ana", older, json!({"description": "closes feature #1"}));
        let older = scope.spawn(|| world.admit(older));
        (younger.join().unwrap(), older.join().unwrap())
    });
    let codes = [first.code, second.code];
    assert!(
        codes.contains(&Some(0)) && codes.contains(&Some(1)),
        "{}\n{}",
        first.said,
        second.said
    );
    assert_eq!(closers(&stage).len(), 1);
}

#[test]
fn link_checks_at_once_agree_on_who_keeps_the_feature() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let merge_requests: Vec<(u64, &str)> = ["ana", "dan", "eve"]
        .into_iter()
        .map(|author| (stage.merge_request(author, "closes feature #1"), author))
        .collect();
    let world = &stage;
    let said: Vec<Said> = thread::scope(|scope| {
        let checks: Vec<_> = merge_requests
            .iter()
            .map(|(iid, _)| scope.spawn(|| link_check(world, *iid)))
            .collect();
        checks
            .into_iter()
            .map(|check| check.join().unwrap())
            .collect()
    });
    assert_eq!(said[0].code, Some(0), "{}", said[0].said);
    for refused in &said[1..] {
        assert_eq!(refused.code, Some(1), "{}", refused.said);
        assert!(
            refused.said.contains("by `ana` closes it already"),
            "{}",
            refused.said
        );
        assert!(
            refused
                .said
                .contains("Write `contributes to feature #1` here, or have `ana` hand it over"),
            "{}",
            refused.said
        );
    }
    for (iid, _) in merge_requests {
        assert_eq!(stage.notes(iid).len(), 1);
    }
}

/// The job's command with the job's environment, as a process of its own.
fn link_check(stage: &Stage, iid: u64) -> Said {
    let folder = stage.world.folder().join(format!("check-{iid}"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut environment = stage.world.gate_environment();
    environment.retain(|(key, _)| {
        !matches!(
            key.as_str(),
            "TRAINYARD_GATE_TOKEN" | "CI_PROJECT_DIR" | "CI_COMMIT_REF_PROTECTED"
        )
    });
    let own = [
        (
            "TRAINYARD_TOKEN",
            stage.world.token(BOT).unwrap().to_owned(),
        ),
        ("CI_PROJECT_DIR", folder.display().to_string()),
        ("CI_MERGE_REQUEST_IID", iid.to_string()),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()),
    ];
    environment.extend(own.map(|(key, value)| (key.to_owned(), value)));
    stage.world.program(&environment, &["link-check"]).unwrap()
}
