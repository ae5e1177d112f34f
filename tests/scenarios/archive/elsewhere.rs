//! GitLab keeps packages and artifacts in an object storage, and sends downloads there: no token goes along.

use std::borrow::Cow;

use gitlab::api::endpoint_prelude::{Endpoint, Method};
use serde_json::json;
use trainyard_emulator::object_storage::ObjectStorage;

use super::{Shifted, archive_and_remove, at, client, in_full_swing, keys, lengthen_log, told};
use crate::repair::repair;
use crate::stage::Stage;

/// Archived and removed, with packages in the storage.
fn archived() -> Stage {
    let (stage, _) = in_full_swing();
    stage.world.emulator.store_objects_elsewhere().unwrap();
    archive_and_remove(&stage);
    lengthen_log(&stage, 100..103);
    stage
}

fn storage(stage: &Stage) -> &ObjectStorage {
    stage.world.emulator.store_objects_elsewhere().unwrap()
}

/// Nothing that was asked of it shows who asks.
fn saw_no_token(stage: &Stage) -> usize {
    let asked = storage(stage).requests();
    let secrets: Vec<String> = ["root", "trainyard-bot"]
        .iter()
        .map(|name| stage.world.token(name).unwrap().to_owned())
        .collect();
    for request in &asked {
        assert_ne!(request.status, 400, "{request:?}");
        for (name, value) in &request.headers {
            let usual = ["accept", "accept-encoding", "host", "user-agent"];
            assert!(usual.contains(&name.as_str()), "{name}: {value}");
        }
        let all = format!("{request:?}");
        assert!(secrets.iter().all(|secret| !all.contains(secret)), "{all}");
    }
    asked.len()
}

#[test]
fn the_archive_is_read_and_repaired_from_a_storage_that_sees_no_token() {
    let stage = archived();
    let before = told(&stage);
    assert!(before.2.len() > 60, "{before:?}");
    let first = saw_no_token(&stage);
    assert!(first > 0, "`events` reads what is packed");
    storage(&stage).make_detours(2);
    let bases = keys(&stage);
    let base = bases.iter().find(|key| key.starts_with("TRAINYARD_BASE_"));
    let garbled = json!({"value": "{oops"});
    stage
        .world
        .ask("root", Method::PUT, &at(&stage, base.unwrap()), garbled)
        .unwrap();
    let done = repair(&stage, &["--write"]);
    assert!(
        done.code == Some(0) && done.said.contains("is taken from the package"),
        "{}",
        done.said
    );
    let after = told(&stage);
    assert_eq!((after.0, after.1), (before.0, before.1));
    assert!(saw_no_token(&stage) >= first + 3);
}

#[test]
fn a_storage_that_is_of_no_use_is_told_by_its_host_and_never_by_its_address() {
    let stage = archived();
    let refused = |words: &[&str]| {
        let events = stage.gate(&["events"]);
        assert_ne!(events.code, Some(0), "{}", events.said);
        for words in words.iter().chain(&["`proxy_download: true`"]) {
            assert!(events.said.contains(words), "{words}: {}", events.said);
        }
        let secret = events.said.contains("Signature");
        assert!(!secret, "{}", events.said);
    };
    let asked = || storage(&stage).requests().len();
    storage(&stage).make_detours(9);
    refused(&["leads from one place to the next"]);
    storage(&stage).make_detours(0);

    let before = asked();
    storage(&stage).call_it("http://storage.example:9000");
    refused(&[
        "keeps the file of `GET projects/",
        "at `http://storage.example:9000`, which is not encrypted; nothing was asked there",
    ]);
    storage(&stage).call_it("ftp://storage.example");
    refused(&["not encrypted"]);
    // A port that nobody listens on: reserved, never given out.
    storage(&stage).call_it("http://127.0.0.1:1");
    refused(&[
        "the object storage at `http://127.0.0.1:1`",
        "could not be reached",
    ]);
    assert_eq!(asked(), before);
    saw_no_token(&stage);
}

/// The archive of a job.
struct Artifacts(String);

impl Endpoint for Artifacts {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.0.clone().into()
    }
}

#[test]
fn artifacts_come_from_there_the_same_way() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    let of = |name: &str| {
        let ran = stage.world.ran.iter().rev();
        let mut ran = ran.filter(|ran| ran.finished.name == name);
        ran.next().unwrap().finished.id
    };
    let one = Artifacts(
        stage
            .world
            .at(&format!("jobs/{}/artifacts", of("nrt-acquire"))),
    );
    let clock = Shifted::default();
    let client = client(&stage, &clock);
    let here = client.download(&one).unwrap().unwrap();
    let storage = storage(&stage);
    assert_eq!(client.download(&one).unwrap().unwrap(), here);
    assert_eq!(saw_no_token(&stage), 1);
    // An address there is good by itself, and what is gone is gone.
    let gone = Artifacts(stage.world.at("jobs/999999/artifacts"));
    assert_eq!(client.download(&gone).unwrap(), None);
    assert_eq!(storage.requests().len(), 1);
}
