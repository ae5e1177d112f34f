//! From the variables of a project to the log that they hold: bases, entries, their parts, and what is wrong with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Base, Cleared, Shelf};
use crate::domain::event::Event;
use crate::gitlab::wire::Variable;
use crate::ports::{Damage, Log};

/// The value of one entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Whose attempt it was.
    pub(super) nonce: String,
    /// The events, unless they are too long for one variable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Event>,
    /// How many variables hold the events instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) parts: usize,
}

/// The value of a base. A state that is too long for it is in parts, as the events of an entry are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// Whose attempt it was.
    pub(super) nonce: String,
    /// What it holds.
    pub(super) checkpoint: Checkpoint,
    /// How many variables hold its state instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) parts: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The log with the nonce of each entry behind the base.
pub(super) struct Reading {
    pub(super) log: Log,
    pub(super) nonces: BTreeMap<u64, String>,
}

/// The variables of one log, by what they are.
pub(super) struct Found<'v> {
    pub(super) entries: BTreeMap<u64, &'v Variable>,
    pub(super) bases: BTreeMap<u64, &'v Variable>,
    cleared: BTreeMap<u64, Cleared>,
    parts: BTreeMap<(&'v str, usize), &'v str>,
    strangers: Vec<Damage>,
}

const ENTRY: &str = "TRAINYARD_LOG_";
const BASE: &str = "TRAINYARD_BASE_";
const CLEARED: &str = "TRAINYARD_CLEARED_";

/// The key of an entry.
pub(super) fn key_of(slot: u64) -> String {
    format!("{ENTRY}{slot:06}")
}

/// The key of a base.
pub(super) fn key_of_base(generation: u64) -> String {
    format!("{BASE}{generation:06}")
}

/// The key of the note that there is no anchor below a base any more.
pub(super) fn key_of_cleared(generation: u64) -> String {
    format!("{CLEARED}{generation:06}")
}

fn number_in(key: &str, prefix: &str) -> Option<u64> {
    let number = key.strip_prefix(prefix)?.parse().ok()?;
    (number > 0 && format!("{prefix}{number:06}") == key).then_some(number)
}

impl<'v> Found<'v> {
    /// Sorts the variables of a scope and of its parts.
    pub(super) fn of(variables: &'v [Variable], scope: &str) -> Self {
        let mut found = Self {
            entries: BTreeMap::new(),
            bases: BTreeMap::new(),
            cleared: BTreeMap::new(),
            parts: BTreeMap::new(),
            strangers: Vec::new(),
        };
        let of_parts = format!("{scope}/part/");
        for variable in variables {
            if variable.environment_scope == scope {
                found.take(variable);
            } else if let Some(nonce) = variable.environment_scope.strip_prefix(&of_parts) {
                let index = variable.key.strip_prefix("TRAINYARD_PART_");
                if let Some(index) = index.and_then(|digits| digits.parse().ok()) {
                    found.parts.insert((nonce, index), text(variable));
                }
            }
        }
        found
    }

    fn take(&mut self, variable: &'v Variable) {
        let key = &variable.key;
        let mut strange = |how: &str| {
            self.strangers.push(Damage {
                slot: None,
                name: key.clone(),
                there: true,
                how: how.to_owned(),
            });
        };
        if let Some(slot) = number_in(key, ENTRY) {
            self.entries.insert(slot, variable);
        } else if let Some(generation) = number_in(key, BASE) {
            self.bases.insert(generation, variable);
        } else if let Some(generation) = number_in(key, CLEARED) {
            match serde_json::from_str::<Cleared>(text(variable)) {
                Ok(cleared) => {
                    self.cleared.insert(generation, cleared);
                }
                Err(_) => strange("its value cannot be read"),
            }
        } else {
            strange("its key is not one of ours");
        }
    }

    /// The names of the parts of a text.
    pub(super) fn parts_of(&self, nonce: &str) -> Vec<usize> {
        let all = self.parts.keys().filter(|(of, _)| *of == nonce);
        all.map(|(_, index)| *index).collect()
    }

    fn joined(&self, nonce: &str, parts: usize) -> Option<String> {
        (0..parts)
            .map(|index| self.parts.get(&(nonce, index)).copied())
            .collect()
    }

    /// The base that counts, if there is one.
    pub(super) fn base(&self) -> Result<Option<Arc<Base>>, Damage> {
        let Some((generation, variable)) = self.bases.last_key_value() else {
            return Ok(None);
        };
        let base = self.opened(*generation, variable).map_err(|how| Damage {
            slot: None,
            name: variable.key.clone(),
            there: true,
            how,
        })?;
        Ok(Some(Arc::new(base)))
    }

    /// The highest generation that anything tells of; 0 where there was never a base.
    pub(super) fn highest_generation(&self) -> u64 {
        let bases = self.bases.last_key_value().map(|(number, _)| *number);
        let notes = self.cleared.last_key_value().map(|(number, _)| *number);
        bases.max(notes).unwrap_or(0)
    }

    /// A base as its variables hold it.
    pub(super) fn opened(&self, generation: u64, variable: &Variable) -> Result<Base, String> {
        let mut head: Head = parsed(variable)?;
        if head.parts > 0 {
            let state = self.joined(&head.nonce, head.parts);
            head.checkpoint.state = state.ok_or("a part of its value is missing")?;
        }
        head.checkpoint.open(generation)
    }

    /// What there is, as far as its keys tell.
    pub(super) fn shelf(&self, base: Option<&Base>) -> Shelf {
        let below = |generation: &u64| match base {
            Some(base) if base.generation == *generation => (*generation, base.slot),
            Some(_) | None => (*generation, 0),
        };
        Shelf {
            bases: self.bases.keys().map(below).collect(),
            cleared: self.cleared.clone(),
            slots: self.entries.keys().copied().collect(),
        }
    }

    /// Every entry behind a slot by its number, holes included, and what is wrong with those that cannot be read.
    pub(super) fn behind(&self, slot: u64) -> Vec<(u64, Result<Entry, Damage>)> {
        let mut found = Vec::new();
        let mut next = slot + 1;
        for (&slot, variable) in self.entries.range(next..) {
            for missing in next..slot {
                let hole = Damage {
                    slot: Some(missing),
                    name: key_of(missing),
                    there: false,
                    how: "it is missing, although later entries are there".to_owned(),
                };
                found.push((missing, Err(hole)));
            }
            next = slot + 1;
            let read = self.entry(variable).map_err(|how| Damage {
                slot: Some(slot),
                name: variable.key.clone(),
                there: true,
                how,
            });
            found.push((slot, read));
        }
        found
    }

    /// What has no business here.
    pub(super) fn strangers(&self) -> &[Damage] {
        &self.strangers
    }

    fn entry(&self, variable: &Variable) -> Result<Entry, String> {
        let mut entry: Entry = parsed(variable)?;
        if entry.parts > 0 {
            let text = self.joined(&entry.nonce, entry.parts);
            let text = text.ok_or("a part of its value is missing")?;
            entry.events = serde_json::from_str(&text)
                .map_err(|error| format!("its parts cannot be read: {error}"))?;
        }
        Ok(entry)
    }

    /// The log that they hold.
    pub(super) fn reading(&self) -> Result<Reading, Damage> {
        if let Some(stranger) = self.strangers.first() {
            return Err(stranger.clone());
        }
        let base = self.base()?;
        let slot = base.as_ref().map_or(0, |base| base.slot);
        let mut reading = Reading {
            log: Log {
                revision: slot,
                upkeep: self.shelf(base.as_deref()).due(),
                base,
                events: Vec::new(),
            },
            nonces: BTreeMap::new(),
        };
        for (slot, found) in self.behind(slot) {
            let entry = found?;
            reading.log.revision = slot;
            reading.log.events.extend(entry.events);
            reading.nonces.insert(slot, entry.nonce);
        }
        Ok(reading)
    }
}

fn text(variable: &Variable) -> &str {
    variable.value.as_deref().unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(variable: &Variable) -> Result<T, String> {
    serde_json::from_str(text(variable))
        .map_err(|error| format!("its value cannot be read: {error}"))
}
