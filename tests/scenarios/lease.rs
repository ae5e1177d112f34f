//! The right to the environment, when people meddle with it or GitLab does: taken away, cancelled, stuck.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::clock::SystemClock;
use trainyard::domain::event::Fact;
use trainyard::ports::Clock;
use trainyard_emulator::faults::{Effect, Rule};

use crate::stage::Stage;

/// A feature, and one change set of Ana's under trial: deployed, its tests not run yet.
fn under_trial(changes: &[(&str, &str)]) -> (Stage, u64) {
    let mut stage = Stage::with(changes);
    let project = stage.world.at("");
    let open = json!({"ci_pipeline_variables_minimum_override_role": "developer"});
    let project = project.trim_end_matches('/');
    stage.world.ask("root", Method::PUT, project, open).unwrap();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    assert!(lease(&stage).is_some());
    (stage, iid)
}

/// The pipeline that holds the environment.
fn lease(stage: &Stage) -> Option<u64> {
    stage.queue()["environment"]["lease"]["pipeline"].as_u64()
}

fn landed(stage: &Stage, iid: u64) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::ChangeSetAppended { appended, .. } if appended.change_set.merge_request.iid == iid);
    stage.facts().iter().filter(of).count()
}

fn broken(stage: &Stage) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::LeaseBroken { .. });
    stage.facts().iter().filter(of).count()
}

/// Somebody plays the manual job of the newest gate pipeline, with a reason or without; what the job printed.
fn break_as(stage: &mut Stage, user: &str, reason: Option<&str>) -> (Option<i32>, String) {
    let world = &stage.world;
    let gates = world.read("rita", &world.at("pipelines?ref=main&source=trigger"));
    let gate = gates.unwrap()[0]["id"].as_u64().unwrap();
    let job = world.job("rita", gate, "nrt-break").unwrap();
    let variables: Vec<_> = reason
        .map(|text| json!({"key": "TRAINYARD_REASON", "value": text}))
        .into_iter()
        .collect();
    let play = world.at(&format!("jobs/{job}/play"));
    let asked = json!({"job_variables_attributes": variables});
    world.ask(user, Method::POST, &play, asked).unwrap();
    stage.world.run(|job| job.name == "nrt-break");
    let ran = stage.last("nrt-break");
    (ran.exit_code, ran.trace)
}

#[test]
fn a_maintainer_takes_the_environment_away_from_a_run_that_hangs() {
    let (mut stage, iid) = under_trial(&[]);
    let held = lease(&stage).unwrap();
    let (code, said) = break_as(&mut stage, "rita", Some("the database hangs @ana"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("lease 1 is broken"), "{said}");
    let facts = stage.facts();
    assert!(
        facts.iter().any(
            |fact| matches!(fact, Fact::LeaseBroken { broken_by, reason, .. }
            if broken_by.as_str() == "rita" && reason == "the database hangs @ana")
        ),
        "who and why are in the log"
    );
    let pipeline = stage.world.at(&format!("pipelines/{held}"));
    let status = stage.world.read("rita", &pipeline).unwrap();
    assert_eq!(status["status"], "canceled");
    let note = stage.notes(iid).join("\n");
    assert!(
        note.contains("rita ended trial 1") && note.contains("the database hangs"),
        "{note}"
    );
    assert!(!note.contains("hangs @ana"), "nobody is mentioned: {note}");
    let late = stage.gate(&["append-to-version", "--epoch", "1"]);
    assert!(
        late.code != Some(0) && landed(&stage, iid) == 0,
        "the broken run can do nothing any more: {}",
        late.said
    );
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1),
        "the next worker tried it again"
    );
}

#[test]
fn whoever_is_of_no_role_that_may_is_refused_and_the_trial_goes_on() {
    let (mut stage, iid) = under_trial(&[("versions:", "nrt: {broken_by: [qa]}\nversions:")]);
    let (code, said) = break_as(&mut stage, "rita", Some("I want my turn"));
    assert!(
        code == Some(1) && said.contains("`rita` played this job") && said.contains("`qa`"),
        "{said}"
    );
    assert!(broken(&stage) == 0 && lease(&stage).is_some());
    stage.run();
    assert_eq!(landed(&stage, iid), 1);
}

#[test]
fn a_role_of_the_project_may_take_it_away_where_the_project_says_so() {
    let (mut stage, _) = under_trial(&[("versions:", "nrt: {broken_by: [release]}\nversions:")]);
    let (code, said) = break_as(&mut stage, "rita", Some("hangs"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(broken(&stage), 1);
}

#[test]
fn without_a_reason_nothing_is_taken_away() {
    let (mut stage, _) = under_trial(&[]);
    let (code, said) = break_as(&mut stage, "rita", None);
    assert!(
        code == Some(2) && said.contains("TRAINYARD_REASON"),
        "{said}"
    );
    assert!(broken(&stage) == 0 && lease(&stage).is_some());
}

#[test]
fn a_free_environment_cannot_be_taken_away() {
    let (mut stage, _) = under_trial(&[]);
    stage.run();
    let (code, said) = break_as(&mut stage, "rita", Some("hangs"));
    assert!(
        code == Some(0) && said.contains("nobody holds the NRT environment"),
        "{said}"
    );
    assert_eq!(broken(&stage), 0);
}

/// A worker as a process of its own, in a folder of its own.
fn worker(stage: &Stage, folder: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainyard"))
        .args(["nrt-lock", "acquire"])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(stage.world.gate_environment())
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_worker_that_gitlab_ends_at_any_request_gives_the_environment_back() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.join_queue("ana", iid);
    let folder = tempfile::tempdir().unwrap();
    let mut ended = 0;
    for nth in 0..40 {
        let _ = std::fs::remove_file(folder.path().join("trainyard-trial.yml"));
        // The request of this number is held back until the signal is out.
        let hold = Effect::Rendezvous { parties: 2 };
        let hold = Rule::new(hold).by("trainyard-bot").after(nth);
        let rule = stage.world.emulator.faults().add(hold);
        let mut child = worker(&stage, folder.path());
        let held = loop {
            let rules = stage.world.emulator.faults().rules();
            if rules
                .iter()
                .any(|standing| standing.id == rule && standing.hit > 0)
            {
                break true;
            }
            if child.try_wait().unwrap().is_some() {
                break false;
            }
            SystemClock.wait(Duration::from_millis(2));
        };
        let pid = child.id().to_string();
        if held {
            let sent = Command::new("kill").args(["-TERM", &pid]).status();
            assert!(sent.unwrap().success());
        }
        stage.world.emulator.faults().remove(rule);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Before it listens, the signal ends it as it ends any program: a shell calls both 143.
        if output.status.signal() != Some(15) {
            if output.status.code() != Some(143) {
                assert!(output.status.success(), "request {nth}: {said}");
                break;
            }
            assert!(
                said.contains("GitLab ended this job"),
                "request {nth}: {said}"
            );
            ended += 1;
        }
        assert_eq!(lease(&stage), None, "request {nth}: {said}");
        let queue = stage.queue();
        assert_eq!(
            queue["tickets"][0]["merge_request"],
            json!(iid),
            "request {nth}: {said}"
        );
        assert!(
            !folder.path().join("trainyard-trial.yml").exists(),
            "request {nth}: {said}"
        );
    }
    assert!(ended >= 3, "a worker makes {ended} requests");
    stage.run();
    assert_eq!(
        (stage.state(iid).as_str(), landed(&stage, iid)),
        ("merged", 1),
        "the next worker tries it"
    );
    let note = stage.notes(iid).join("\n");
    assert!(note.contains("**Landed: in version #1"), "{note}");
}

/// Ana's second change set waits for an environment that GitLab lets nobody into.
fn stuck(changes: &str) -> (Stage, u64) {
    let (mut stage, _) = under_trial(&[("versions:", &format!("nrt: {changes}\nversions:"))]);
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    stage
        .world
        .emulator
        .with_state(|state| state.limits.lost_resource_assignments = 1);
    stage.run();
    assert_eq!((landed(&stage, iid), lease(&stage)), (0, None));
    (stage, iid)
}

fn stuck_facts(stage: &Stage) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::EnvironmentStuck { .. });
    stage.facts().iter().filter(of).count()
}

/// As a scheduled pipeline runs it.
fn tick(stage: &mut Stage) -> String {
    let world = &stage.world;
    let schedule =
        json!({"description": "tick", "ref": "main", "cron": "0 0 1 1 *", "cron_timezone": "UTC"});
    let made = world.ask(
        "rita",
        Method::POST,
        &world.at("pipeline_schedules"),
        schedule,
    );
    let play = world.at(&format!("pipeline_schedules/{}/play", made.unwrap()["id"]));
    world.ask("rita", Method::POST, &play, json!({})).unwrap();
    stage.world.run(|job| job.name == "tick");
    stage.last("tick").trace
}

#[test]
fn a_free_environment_that_gitlab_lets_nobody_into_is_told_once_with_the_kick() {
    let (mut stage, iid) = stuck("{stuck_after: 1ms}");
    let said = tick(&mut stage);
    assert!(
        said.contains("a known fault of GitLab; start a new pipeline of the gate"),
        "{said}"
    );
    tick(&mut stage);
    assert_eq!(stuck_facts(&stage), 1, "told once");
    assert_eq!(landed(&stage, iid), 0);
}

#[test]
fn where_the_project_allows_it_the_tick_gives_the_kick_itself() {
    let (mut stage, iid) = stuck("{stuck_after: 1ms, kick: true}");
    let said = tick(&mut stage);
    assert!(
        said.contains("started a new pipeline of the gate"),
        "{said}"
    );
    stage.run();
    assert_eq!((landed(&stage, iid), stuck_facts(&stage)), (1, 1));
}

#[test]
fn a_job_that_has_not_waited_long_is_nobodys_fault() {
    let (mut stage, _) = stuck("{}");
    let said = tick(&mut stage);
    assert!(said.contains("a worker is on its way"), "{said}");
    assert_eq!(stuck_facts(&stage), 0);
}
