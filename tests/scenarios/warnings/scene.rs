//! The demo's project with channels, and a receiver that they lead to.

use std::path::PathBuf;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::demo::world::{Said, World};

use super::receiver::{Received, Receiver};
use crate::deaths::Scenery;
use crate::stage::{Moment, Stage};

/// The words of paths at the receiver: no output may ever hold one of them.
pub(super) const SECRETS: [&str; 3] = ["T0TEAM-SECRET", "T0OPS-SECRET", "whsec_"];

/// A stage with a receiver.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) receiver: Receiver,
    variables: Vec<(String, String)>,
}

impl Scenery for Scene {
    fn world(&mut self) -> &mut World {
        &mut self.stage.world
    }

    fn sent(&self) -> usize {
        self.receiver.received().len()
    }
}

impl Scene {
    /// `notification` is the section's text below its key; `TEAM_URL` and `OPS_URL` lead to the receiver.
    pub(super) fn with(notification: &str) -> Self {
        let receiver = Receiver::start();
        let section = format!("notification:\n{}\nversions:", indented(notification));
        let stage = Stage::with(&[("versions:", &section)]);
        let mut scene = Self {
            stage,
            receiver,
            variables: Vec::new(),
        };
        let (team, ops) = (
            scene.receiver.url("T0TEAM-SECRET"),
            scene.receiver.url("T0OPS-SECRET"),
        );
        scene.variable("TEAM_URL", &team);
        scene.variable("OPS_URL", &ops);
        scene
    }

    /// A protected CI variable, as a maintainer stores it.
    pub(super) fn variable(&mut self, key: &str, value: &str) {
        let variable =
            json!({"key": key, "value": value, "protected": true, "masked": false, "raw": true});
        let path = self.stage.world.at("variables");
        self.stage
            .world
            .ask("root", Method::POST, &path, variable)
            .unwrap();
        self.variables.push((key.to_owned(), value.to_owned()));
    }

    /// Our program as a gate job runs it, with these variables changed.
    pub(super) fn gate_with(&self, changes: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut environment = self.stage.world.gate_environment();
        environment.extend(self.variables.iter().cloned());
        for (key, value) in changes {
            environment.retain(|(known, _)| known != key);
            if !value.is_empty() {
                environment.push(((*key).to_owned(), (*value).to_owned()));
            }
        }
        self.stage.world.program(&environment, arguments).unwrap()
    }

    /// As a job of another number: nobody takes it for the same job started again.
    pub(super) fn gate(&self, arguments: &[&str]) -> Said {
        self.gate_with(&[], arguments)
    }

    pub(super) fn remind(&self) -> Value {
        let said = self.gate(&["remind", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.said);
        json_in(&said.said)
    }

    /// Everything as it stands now, to come back to.
    pub(super) fn moment(&self) -> (Moment, usize) {
        (self.stage.moment(), self.receiver.received().len())
    }

    /// Comes back to it: the receiver has received what it had by then.
    pub(super) fn restore(&mut self, (moment, received): &(Moment, usize)) {
        moment.restore(&mut self.stage.world);
        self.receiver.forget_after(*received);
    }

    /// Another section, from now on.
    pub(super) fn configure(&mut self, notification: &str) {
        let section = format!("notification:\n{}\nversions:", indented(notification));
        let text = include_str!("../../../src/demo/project/trainyard.yml");
        self.stage
            .push_to_main(".trainyard.yml", &text.replacen("versions:", &section, 1));
    }

    /// Channels are open from the first gate job on.
    pub(super) fn open(&self) {
        self.remind();
        assert!(self.receiver.received().is_empty());
    }

    /// A change set of Eve's that the non-regression tests reject.
    pub(super) fn rejected(&mut self) -> u64 {
        let price = format!("shop/bad-{}.price", self.stage.world.ran.len());
        let iid = self.stage.merge_request_with(
            "eve",
            "contributes to feature #1",
            &[(&price, "free\n")],
        );
        self.stage.integrate("eve", iid);
        self.stage.run();
        iid
    }

    /// A file that commands may write.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.stage.world.folder().join(name)
    }

    /// No address and no key in any job log, note, event or answer of ours.
    pub(super) fn keeps_its_secrets(&self, said: &[&str]) {
        let mut texts: Vec<String> = said.iter().map(|text| (*text).to_owned()).collect();
        texts.extend(
            self.stage
                .world
                .ran
                .iter()
                .map(|ran| ran.finished.trace.clone()),
        );
        texts.push(format!("{:?}", self.stage.world.events().unwrap()));
        for iid in 1..=3 {
            let path = self
                .stage
                .world
                .at(&format!("merge_requests/{iid}/notes?per_page=100"));
            if let Ok(notes) = self.stage.world.read("root", &path) {
                texts.push(notes.to_string());
            }
        }
        for text in texts {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} stands in {text}");
            }
        }
    }
}

/// What was said, in the words that stand first, as people see them: without the signs that part addresses.
pub(super) fn texts(received: &[Received]) -> Vec<String> {
    let text = |received: &Received| {
        let value: Value = serde_json::from_str(&received.body).unwrap();
        let headline = value["data"]["headline"].as_str();
        let text = value["text"].as_str().or(headline).unwrap_or_default();
        text.replace('\u{2060}', "")
    };
    received.iter().map(text).collect()
}

/// The notes of a merge request that mention somebody.
pub(super) fn mentions(scene: &Scene, iid: u64, name: &str) -> Vec<String> {
    let notes = scene.stage.notes(iid).into_iter();
    notes
        .filter(|note| note.contains(&format!("@{name}")))
        .collect()
}

/// The JSON that a program printed, without its log lines.
pub(super) fn json_in(said: &str) -> Value {
    let begin = said.find('{').unwrap();
    let mut values = serde_json::Deserializer::from_str(&said[begin..]).into_iter();
    values.next().unwrap().unwrap()
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}\n"))
        .collect::<String>()
        .trim_end()
        .to_owned()
}
