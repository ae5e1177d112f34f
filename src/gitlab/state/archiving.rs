//! How the beginning of the log leaves the variables: packages, bases, and the removal of what they cover.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::reading::{Found, Head, key_of, key_of_base, key_of_cleared};
use super::{READS, Stored, VariableJournal, json, nonce_of};
use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Anchor, Cleared, Holding};
use crate::domain::digest::sha256;
use crate::gitlab::endpoints::{Delete, segment};
use crate::gitlab::packages::{Registry, Uploaded};
use crate::gitlab::wire::Variable;
use crate::outcome::Problem;
use crate::ports::{Answer, Archive, Package, Unpacked, Whole};

/// The files of a package.
const EVENTS: &str = "events.ndjson";
const STATE: &str = "checkpoint.json";

/// The parts of entries and bases: they are deleted first, so that nothing is left behind that nobody would find again.
#[derive(Debug, Default)]
pub(super) struct Stock {
    entries: BTreeMap<u64, Vec<(String, String)>>,
    bases: BTreeMap<u64, Vec<(String, String)>>,
}

impl Stock {
    fn of(found: &Found<'_>, scope: &str) -> Self {
        let parts = |variables: &BTreeMap<u64, &Variable>| {
            let of_one = |(number, variable): (&u64, &&Variable)| {
                let value = variable.value.as_deref().unwrap_or_default();
                let nonce = serde_json::from_str::<serde_json::Value>(value).ok();
                let nonce = nonce.and_then(|value| Some(value.get("nonce")?.as_str()?.to_owned()));
                let names = nonce.map(|nonce| {
                    let indices = found.parts_of(&nonce).into_iter();
                    let name = |index| {
                        (
                            format!("TRAINYARD_PART_{index}"),
                            format!("{scope}/part/{nonce}"),
                        )
                    };
                    indices.map(name).collect()
                });
                (*number, names.unwrap_or_default())
            };
            variables.iter().map(of_one).collect()
        };
        Self {
            entries: parts(&found.entries),
            bases: parts(&found.bases),
        }
    }
}

impl VariableJournal<'_> {
    fn registry(&self) -> Registry<'_> {
        let name = match self.environment.as_str() {
            "nrt" => "trainyard-events".to_owned(),
            other => format!("trainyard-events-{other}"),
        };
        Registry::new(self.client, self.project, name)
    }

    fn delete(&self, key: &str, scope: &str) -> Answer<()> {
        let path = format!("projects/{}/variables/{}", self.project, segment(key));
        let one = Delete::new(path).with("filter[environment_scope]", scope);
        self.client.send(&one)?.done_or_missing()
    }

    fn delete_with_parts(&self, parts: Option<Vec<(String, String)>>, key: &str) -> Answer<()> {
        for (key, scope) in parts.unwrap_or_default() {
            self.delete(&key, &scope)?;
        }
        self.delete(key, &self.scope)
    }

    fn whole_of(&self, variables: &[Variable]) -> Result<Whole, crate::ports::Damage> {
        let found = Found::of(variables, &self.scope);
        if let Some(stranger) = found.strangers().first() {
            return Err(stranger.clone());
        }
        let base = found.base()?;
        let behind = found.behind(base.as_ref().map_or(0, |base| base.slot));
        let mut entries = Vec::new();
        for (slot, entry) in behind {
            entries.push((slot, entry?.events));
        }
        *self.stock.borrow_mut() = Stock::of(&found, &self.scope);
        Ok(Whole {
            shelf: found.shelf(base.as_deref()),
            base,
            entries,
        })
    }

    /// The text of a file of a package.
    fn file(&self, package: &Package, file: &str) -> Answer<Unpacked<String>> {
        let version = package.holding.to_string();
        Ok(match self.registry().download(&version, file)? {
            None => Unpacked::Damaged(format!("its file `{file}` is gone")),
            Some(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Unpacked::Whole(text),
                Err(_) => Unpacked::Damaged(format!("its file `{file}` is no text")),
            },
        })
    }

    /// Stores a file, and makes sure that GitLab has what was stored: by the checksum in its answer, or else by reading it back.
    fn keep_file(&self, version: &str, file: &str, text: &str) -> Answer<()> {
        let registry = self.registry();
        let kept = match registry.upload(version, file, text)? {
            Uploaded::Has(sum) => sum == sha256(text),
            // Whoever packed the same entries before this job told the same events, and a state that is as good.
            Uploaded::Before if file == STATE => true,
            Uploaded::Before | Uploaded::Unknown => registry
                .download(version, file)?
                .is_some_and(|found| found == text.as_bytes()),
        };
        if kept {
            return Ok(());
        }
        Err(Problem::gitlab(
            format!(
                "the package `{}/{version}` was stored, and its file `{file}` is not what was stored; nothing was removed",
                registry.name()
            ),
            "look at the project's package registry; the next tick tries again",
        ))
    }
}

impl Archive for VariableJournal<'_> {
    fn is_sure_of(&self, revision: u64) -> bool {
        revision > 0 && self.is_certain(revision)
    }

    fn whole(&self) -> Answer<Whole> {
        let mut attempt = 1;
        loop {
            match self.whole_of(&self.variables()?) {
                Ok(whole) => return Ok(whole),
                Err(damage) if attempt == READS => return Err(self.damaged(&damage)),
                Err(_) => self.clock.wait(std::time::Duration::from_millis(500)),
            }
            attempt += 1;
        }
    }

    fn name(&self, holding: &Holding) -> String {
        format!("{}/{holding}", self.registry().name())
    }

    fn packages(&self, since: Timestamp) -> Answer<Vec<Package>> {
        self.registry().packages(since)
    }

    fn pack(&self, holding: &Holding, text: &str, state: &Checkpoint) -> Answer<()> {
        let version = holding.to_string();
        self.keep_file(&version, EVENTS, text)?;
        // Another job may have packed the same entries a moment earlier or later: the last state counts, and each is as good.
        self.keep_file(&version, STATE, &json(state)?)
    }

    fn unpack(&self, package: &Package) -> Answer<Unpacked<String>> {
        self.file(package, EVENTS)
    }

    fn unpack_state(&self, package: &Package) -> Answer<Unpacked<Checkpoint>> {
        Ok(match self.file(package, STATE)? {
            Unpacked::Damaged(how) => Unpacked::Damaged(how),
            Unpacked::Whole(text) => match serde_json::from_str(&text) {
                Ok(state) => Unpacked::Whole(state),
                Err(error) => Unpacked::Damaged(format!("its state cannot be read: {error}")),
            },
        })
    }

    fn set_base(&self, generation: u64, state: &Checkpoint) -> Answer<bool> {
        let nonce = nonce_of(&self.writer, state.slot, self.clock);
        let parts = self.store_parts(&nonce, &state.state)?;
        let head = Head {
            nonce: nonce.clone(),
            checkpoint: state.without_state(),
            parts,
        };
        // A base below a higher one does no harm, and nothing is removed before it is: so GitLab's word is enough.
        if self.create(&key_of_base(generation), &self.scope, &json(&head)?)? == Stored::Yes {
            return Ok(true);
        }
        let variables = self.variables()?;
        let found = Found::of(&variables, &self.scope);
        let ours = |variable: &&&Variable| {
            let value = variable.value.as_deref().unwrap_or_default();
            serde_json::from_str::<Head>(value).is_ok_and(|head| head.nonce == nonce)
        };
        let there = found.bases.get(&generation);
        let is_ours = there.filter(ours).is_some();
        let is_passed = found.bases.range(generation + 1..).next().is_some();
        if is_ours && !is_passed {
            return Ok(true);
        }
        // What counts is never deleted: somebody may stand on it already. One that is still under way keeps its parts.
        if is_ours {
            self.delete(&key_of_base(generation), &self.scope)?;
        }
        if there.is_some() || is_passed {
            for index in 0..parts {
                let scope = format!("{}/part/{nonce}", self.scope);
                self.delete(&format!("TRAINYARD_PART_{index}"), &scope)?;
            }
        }
        Ok(false)
    }

    fn remove_anchor(&self, anchor: Anchor) -> Answer<()> {
        match anchor {
            Anchor::FirstEntry => self.remove_entry(1),
            Anchor::Base(generation) => {
                let parts = self.stock.borrow().bases.get(&generation).cloned();
                self.delete_with_parts(parts, &key_of_base(generation))
            }
        }
    }

    fn note_cleared(&self, generation: u64, cleared: Cleared) -> Answer<()> {
        let note = json(&cleared)?;
        self.create(&key_of_cleared(generation), &self.scope, &note)
            .map(drop)
    }

    fn remove_entry(&self, slot: u64) -> Answer<()> {
        let parts = self.stock.borrow().entries.get(&slot).cloned();
        self.delete_with_parts(parts, &key_of(slot))
    }

    fn remove_note(&self, generation: u64) -> Answer<()> {
        self.delete(&key_of_cleared(generation), &self.scope)
    }
}
