//! The log's beginning leaves it for the archive, and nobody notices but by what it costs.

mod damage;
mod deaths;
mod elsewhere;
mod past;
mod races;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gitlab::api::endpoint_prelude::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trainyard::config::ci::Secret;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{FeatureId, JobId, MergeRequestId, ProjectPath};
use trainyard::domain::linking::LinkKind;
use trainyard::folder::FolderJournal;
use trainyard::gitlab::client::{Client, Token};
use trainyard::gitlab::state::VariableJournal;
use trainyard::ports::{Append, Clock, Journal};

use crate::stage::Stage;

/// A clock that a test sets forward.
#[derive(Debug, Default)]
struct Shifted {
    seconds: AtomicI64,
}

impl Shifted {
    fn later(&self, minutes: i64) {
        self.seconds.fetch_add(minutes * 60, Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    #[expect(
        clippy::disallowed_methods,
        reason = "two attempts must differ by their instant"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.seconds.load(Ordering::SeqCst))
    }

    fn wait(&self, _time: Duration) {}
}

fn client<'a>(stage: &Stage, clock: &'a dyn Clock) -> Client<'a> {
    let base = format!("{}/api/v4/", stage.world.emulator.url());
    let secret = Secret::new(stage.world.token("root").unwrap().to_owned());
    Client::new(&base.parse().unwrap(), Token::Gate, secret, None, clock).unwrap()
}

fn journal<'a>(
    stage: &Stage,
    client: &'a Client<'a>,
    clock: &'a dyn Clock,
    writer: &str,
) -> VariableJournal<'a> {
    let number = stage.world.at("");
    let number = number.trim_matches(|c: char| !c.is_ascii_digit());
    VariableJournal::new(client, clock, number.parse().unwrap(), "nrt", writer)
}

fn project(stage: &Stage) -> ProjectPath {
    let url = stage.world.project_url();
    let path = url.trim_start_matches(&stage.world.emulator.url().to_string());
    path.trim_start_matches('/').parse().unwrap()
}

/// A fact that decides nothing, about a merge request that is not there.
fn filler(project: &ProjectPath, number: u64) -> Event {
    let merge_request = MergeRequestId {
        project: project.clone(),
        iid: 50_000 + number,
    };
    let fact = Fact::FeatureLinked {
        merge_request,
        feature: FeatureId {
            project: project.clone(),
            iid: 1,
        },
        kind: LinkKind::Contributes,
        commit: None,
        told_by: None,
    };
    let at = "2026-01-05T08:00:00Z".parse().unwrap();
    Event::new(project, at, None, Some(JobId(1)), fact)
}

/// Makes a log longer by so many entries.
fn lengthen(journal: &dyn Journal, project: &ProjectPath, numbers: std::ops::Range<u64>) {
    let mut revision = journal.read().unwrap().revision;
    for number in numbers {
        match journal
            .append(revision, &[filler(project, number)])
            .unwrap()
        {
            Append::Recorded(log) => revision = log.revision,
            Append::Lost(log) => panic!("lost at revision {}", log.revision),
        }
    }
}

fn lengthen_log(stage: &Stage, numbers: std::ops::Range<u64>) {
    let clock = Shifted::default();
    let client = client(stage, &clock);
    lengthen(
        &journal(stage, &client, &clock, "filler"),
        &project(stage),
        numbers,
    );
}

/// The keys of the log's variables, parts left out.
fn keys(stage: &Stage) -> Vec<String> {
    let mut keys = Vec::new();
    for page in 1..=9 {
        let path = stage
            .world
            .at(&format!("variables?per_page=100&page={page}"));
        let all = stage.world.read("root", &path).unwrap();
        let all = all.as_array().unwrap();
        let of_log = all
            .iter()
            .filter(|v| v["environment_scope"] == "trainyard/nrt/log");
        keys.extend(of_log.map(|v| v["key"].as_str().unwrap().to_owned()));
        if all.len() < 100 {
            break;
        }
    }
    keys.sort();
    keys
}

fn entries(stage: &Stage) -> usize {
    let of_entries = |key: &&String| key.starts_with("TRAINYARD_LOG_");
    keys(stage).iter().filter(of_entries).count()
}

fn at(stage: &Stage, key: &str) -> String {
    stage.world.at(&format!(
        "variables/{key}?filter%5Benvironment_scope%5D=trainyard%2Fnrt%2Flog"
    ))
}

/// Lets half an hour pass for whoever removes entries.
fn half_an_hour_later(stage: &Stage) {
    for key in keys(stage) {
        if key.starts_with("TRAINYARD_CLEARED_") {
            let path = at(stage, &key);
            let found = stage.world.read("root", &path).unwrap();
            let mut note: Value = serde_json::from_str(found["value"].as_str().unwrap()).unwrap();
            let since: Timestamp = note["at"].as_str().unwrap().parse().unwrap();
            note["at"] = json!(since - SignedDuration::from_mins(31));
            let value = json!({"value": note.to_string()});
            stage.world.ask("root", Method::PUT, &path, value).unwrap();
        }
    }
}

/// As a job of a scheduled pipeline has it.
fn environment(stage: &Stage) -> Vec<(String, String)> {
    let mut environment = stage.world.gate_environment();
    let trigger = stage.world.at("variables/TRAINYARD_TRIGGER_TOKEN");
    let trigger = stage.world.read("root", &trigger).unwrap();
    let trigger = trigger["value"].as_str().unwrap().to_owned();
    environment.push(("TRAINYARD_TRIGGER_TOKEN".to_owned(), trigger));
    environment
}

fn tick(stage: &Stage) -> String {
    let said = stage.world.program(&environment(stage), &["tick"]).unwrap();
    assert_eq!(said.code, Some(0), "{}", said.said);
    said.said
}

/// Archives, clears and removes all that can be.
pub(crate) fn archive_and_remove(stage: &Stage) {
    tick(stage);
    tick(stage);
    half_an_hour_later(stage);
    tick(stage);
}

/// What people and programs are told: queue, versions, and the ids of all events.
fn told(stage: &Stage) -> (Value, Value, Vec<String>) {
    let queue = stage.queue();
    let queue = json!([
        queue["environment"],
        queue["tickets"][0]["merge_request"],
        queue["trial"]
    ]);
    let version = stage.gate(&["version", "--json"]).said;
    let version = serde_json::from_str(&version).unwrap_or_else(|_| panic!("{version}"));
    let events = stage.gate(&["events"]);
    assert_eq!(events.code, Some(0), "{}", events.said);
    let id = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        event["id"].as_str().unwrap().to_owned()
    };
    (
        queue,
        version,
        events
            .said
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(id)
            .collect(),
    )
}

/// One landed, one waits, and the log is long.
fn in_full_swing() -> (Stage, [u64; 2]) {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let first = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", first);
    stage.run();
    let second = stage.merge_request("dan", "contributes to feature #1");
    stage.run();
    stage.play("dan", second, "integrate");
    stage.run_but("nrt-acquire");
    lengthen_log(&stage, 0..60);
    (stage, [first, second])
}

#[test]
fn a_long_log_goes_into_the_archive_and_everybody_is_told_what_they_were_told_before() {
    let (mut stage, [first, second]) = in_full_swing();
    let before = told(&stage);
    let long = entries(&stage);
    let said = tick(&stage);
    assert!(
        said.contains("are archived in `trainyard-events/000001-"),
        "{said}"
    );
    assert!(keys(&stage).contains(&"TRAINYARD_BASE_000001".to_owned()));
    assert_eq!((entries(&stage), told(&stage)), (long, before.clone()));
    tick(&stage);
    assert_eq!(
        entries(&stage),
        long - 1,
        "the anchor before the base goes first"
    );
    assert!(
        !tick(&stage).contains("removed"),
        "a job may still write behind what it read"
    );
    assert_eq!((entries(&stage), told(&stage)), (long - 1, before.clone()));
    half_an_hour_later(&stage);
    let said = tick(&stage);
    assert!(
        said.contains(&format!(
            "{} entries of the log that are archived were removed",
            long - 1
        )),
        "{said}"
    );
    assert_eq!((entries(&stage), told(&stage)), (0, before));
    let said = tick(&stage);
    assert!(!said.contains("archive"), "{said}");
    stage.run();
    assert_eq!(
        (stage.state(first), stage.state(second)),
        ("merged".into(), "merged".into())
    );
    let content = told(&stage).1["open"]["change_sets"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(content, 2);
    // The package is there for people too, and says by itself whether it is whole.
    let packages = stage
        .world
        .read(
            "root",
            &stage.world.at("packages?package_name=trainyard-events"),
        )
        .unwrap();
    let files = stage
        .world
        .at(&format!("packages/{}/package_files", packages[0]["id"]));
    let files = stage.world.read("root", &files).unwrap();
    let mut names: Vec<&str> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["file_name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["checkpoint.json", "events.ndjson"]);
    assert_eq!(stage.world.emulator.unknown_requests(), []);
}

#[test]
fn a_release_takes_its_entries_out_of_the_log_however_few_they_are() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    let main = stage.newest_of_main();
    let prepared = stage.play_in("rita", main, "release-prepare").unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    stage.run();
    let said = stage.last("release-publish").trace;
    assert!(
        said.contains("events of the log are archived in `trainyard-events/000001-"),
        "{said}"
    );
    let packages = stage
        .world
        .read("root", &stage.world.at("packages"))
        .unwrap();
    let version = packages[0]["version"].as_str().unwrap();
    assert_eq!(version.split('-').nth(2), Some("0.1.0"), "{version}");
    let (_, version, events) = told(&stage);
    assert_eq!(
        version["released"][0]["change_sets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(events.len() > 8, "{events:?}");
}

#[test]
fn a_registry_that_is_off_is_told_and_hinders_nothing() {
    let (stage, _) = in_full_swing();
    let path = stage.world.at("");
    let off = json!({"packages_enabled": false});
    stage
        .world
        .ask("root", Method::PUT, path.trim_end_matches('/'), off)
        .unwrap();
    let long = entries(&stage);
    let said = tick(&stage);
    assert!(
        said.contains("the log was not archived, and nothing was lost"),
        "{said}"
    );
    assert!(
        said.contains("switch the package registry of the project on"),
        "{said}"
    );
    assert_eq!(entries(&stage), long);
}

#[test]
fn a_log_in_a_folder_is_archived_beside_itself() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    assert_eq!(stage.play("ana", iid, "integrate").exit_code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let state = format!("dir:{}", folder.path().display());
    lengthen(
        &FolderJournal::open(folder.path()).unwrap(),
        &project(&stage),
        0..60,
    );
    let gate = |arguments: &[&str]| {
        let arguments = [&["--state", &state], arguments].concat();
        let said = stage
            .world
            .program(&environment(&stage), &arguments)
            .unwrap();
        assert_eq!(said.code, Some(0), "{}", said.said);
        said.said
    };
    let said = gate(&["tick"]);
    assert!(
        said.contains(" events of the log are archived in `"),
        "{said}"
    );
    let before = gate(&["events"]);
    assert!(before.lines().count() > 60, "{before}");
    gate(&["tick"]);
    let note = folder.path().join("cleared-000001.json");
    let text = std::fs::read_to_string(&note).unwrap();
    let mut cleared: Value = serde_json::from_str(&text).unwrap();
    cleared["at"] = json!("2026-01-01T00:00:00Z");
    std::fs::write(&note, cleared.to_string()).unwrap();
    assert!(gate(&["tick"]).contains("entries of the log that are archived were removed"));
    assert_eq!(gate(&["events"]), before);
    let rank: Value = serde_json::from_str(&gate(&["queue", "--json"])).unwrap();
    assert_eq!(rank["tickets"][0]["merge_request"], json!(iid));
}
