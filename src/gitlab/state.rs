//! The journal in CI variables: one variable per entry, its number in the key, in a scope that no job ever uses.
//!
//! The only primitive is create-if-absent. Creating answers 201, 400 or 500, and none of them is proof (a 201 can be given for
//! a variable that was not stored, when another one of its name is deleted in that instant). Where a job goes on only because
//! something is recorded, the log is read back and searched for the attempt's own nonce; where the next job mends what a job that
//! died before the write left undone, a 201 does.
//! See docs: API, "Project-level CI/CD variables".

mod mending;

use gitlab::api::projects::variables::CreateProjectVariable;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::client::Client;
use super::endpoints::{Get, Page};
use super::wire;
use crate::domain::event::Event;
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Clock, Damage, Journal, Log, Mending, damaged};

/// Instance variables end at 10,000 characters and so, to be portable, do ours.
const LONGEST_VALUE: usize = 9_500;
/// A project holds 8,000 variables by default.
const MOST_PAGES: u64 = 90;
/// How often a log with a hole is read again before it counts as damaged.
const READS: u32 = 3;

/// The journal of one NRT environment.
#[derive(Debug)]
pub struct VariableJournal<'a> {
    client: &'a Client<'a>,
    clock: &'a dyn Clock,
    project: u64,
    scope: String,
    writer: String,
    /// Where other queries leave the variables that they brought along.
    carrier: Option<&'a Carrier>,
    /// The entry that is not proved yet: its slot and its nonce.
    unproved: RefCell<Option<(u64, String)>>,
    /// The log as it was seen last.
    seen: RefCell<Option<Log>>,
}

/// What queries about other things bring along: all variables, when they are wanted.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    wanted: Cell<bool>,
    listing: RefCell<Option<Vec<wire::Variable>>>,
}

impl Carrier {
    /// Whether the next query may bring them.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Leaves what a query brought.
    pub(super) fn brought(&self, variables: Option<Vec<wire::Variable>>) {
        self.wanted.set(false);
        *self.listing.borrow_mut() = variables;
    }

    /// From now on only what is read later counts.
    fn forget(&self, wanted: bool) {
        self.wanted.set(wanted);
        self.listing.take();
    }
}

/// The value of one entry.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Whose attempt it was.
    nonce: String,
    /// The events, unless they are too long for one variable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Event>,
    /// How many variables hold the events instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    parts: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The log with the nonce of each entry.
struct Reading {
    log: Log,
    nonces: BTreeMap<u64, String>,
}

impl<'a> VariableJournal<'a> {
    /// `environment` is the name of the NRT environment; `writer` tells attempts of different jobs apart.
    pub fn new(
        client: &'a Client<'a>,
        clock: &'a dyn Clock,
        project: u64,
        environment: &str,
        writer: &str,
    ) -> Self {
        Self {
            client,
            clock,
            project,
            scope: format!("trainyard/{environment}/log"),
            writer: writer.to_owned(),
            carrier: None,
            unproved: RefCell::new(None),
            seen: RefCell::new(None),
        }
    }

    /// The same, where other queries bring the variables along.
    #[must_use]
    pub(super) fn carried_by(self, carrier: &'a Carrier) -> Self {
        Self {
            carrier: Some(carrier),
            ..self
        }
    }

    fn variables(&self) -> Answer<Vec<wire::Variable>> {
        self.client.list(MOST_PAGES, |number| {
            Ok(Page {
                of: Get::new(format!("projects/{}/variables", self.project)),
                number,
            })
        })
    }

    fn read_whole(&self) -> Answer<Reading> {
        if let Some(variables) = self.carrier.and_then(|carrier| carrier.listing.take())
            && let Ok(reading) = self.assemble(&variables)
        {
            return Ok(self.keep(reading));
        }
        for attempt in 1..=READS {
            match self.assemble(&self.variables()?) {
                Ok(reading) => return Ok(self.keep(reading)),
                // A page can miss an entry while another one is removed: the order of the list is not promised.
                Err(damage) if attempt == READS => return Err(damage),
                Err(_) => self.clock.wait(Duration::from_millis(500)),
            }
        }
        Err(Problem::bug("the journal was read without a result"))
    }

    fn keep(&self, reading: Reading) -> Reading {
        *self.seen.borrow_mut() = Some(reading.log.clone());
        reading
    }

    fn assemble(&self, variables: &[wire::Variable]) -> Answer<Reading> {
        let mut reading = Reading {
            log: Log::default(),
            nonces: BTreeMap::new(),
        };
        for (slot, found) in self.inspect(variables) {
            let entry = found.map_err(|damage| self.damaged(&damage))?;
            reading.log.revision = slot;
            reading.log.events.extend(entry.events);
            reading.nonces.insert(slot, entry.nonce);
        }
        Ok(reading)
    }

    /// Every entry by its number, holes included, and what is wrong with those that cannot be read.
    fn inspect(&self, variables: &[wire::Variable]) -> Vec<(u64, Result<Entry, Damage>)> {
        let mut entries: BTreeMap<u64, &wire::Variable> = BTreeMap::new();
        let mut parts: BTreeMap<(&str, usize), &str> = BTreeMap::new();
        let mut found = Vec::new();
        for variable in variables {
            if variable.environment_scope == self.scope {
                let slot = variable
                    .key
                    .strip_prefix("TRAINYARD_LOG_")
                    .and_then(|digits| digits.parse().ok())
                    .filter(|slot| *slot > 0 && key_of(*slot) == variable.key);
                match slot {
                    Some(slot) => {
                        entries.insert(slot, variable);
                    }
                    None => found.push((
                        0,
                        Err(Damage {
                            slot: None,
                            name: variable.key.clone(),
                            there: true,
                            how: "its key is not one of ours".to_owned(),
                        }),
                    )),
                }
            } else if let Some(nonce) = variable
                .environment_scope
                .strip_prefix(&format!("{}/part/", self.scope))
            {
                let index = variable
                    .key
                    .strip_prefix("TRAINYARD_PART_")
                    .and_then(|digits| digits.parse().ok());
                if let Some(index) = index {
                    parts.insert(
                        (nonce, index),
                        variable.value.as_deref().unwrap_or_default(),
                    );
                }
            }
        }
        let mut next = 1;
        for (slot, variable) in entries {
            for missing in next..slot {
                found.push((
                    missing,
                    Err(Damage {
                        slot: Some(missing),
                        name: key_of(missing),
                        there: false,
                        how: "it is missing, although later entries are there".to_owned(),
                    }),
                ));
            }
            next = slot + 1;
            let read = read_entry(variable, &parts).map_err(|how| Damage {
                slot: Some(slot),
                name: variable.key.clone(),
                there: true,
                how,
            });
            found.push((slot, read));
        }
        found
    }

    /// Tries to store one entry behind a revision; what came of it, and the nonce by which it is found.
    fn store(&self, decided_on: u64, events: &[Event]) -> Answer<(Stored, String)> {
        if let Some(carrier) = self.carrier {
            carrier.forget(false);
        }
        let slot = decided_on + 1;
        let nonce = nonce_of(&self.writer, slot, self.clock);
        let mut entry = Entry {
            nonce: nonce.clone(),
            events: events.to_vec(),
            parts: 0,
        };
        let mut value = json(&entry)?;
        if value.chars().count() > LONGEST_VALUE {
            let text: Vec<char> = json(&events)?.chars().collect();
            let chunks: Vec<String> = text
                .chunks(LONGEST_VALUE)
                .map(|chunk| chunk.iter().collect())
                .collect();
            for (index, chunk) in chunks.iter().enumerate() {
                self.create(
                    &format!("TRAINYARD_PART_{index}"),
                    &format!("{}/part/{nonce}", self.scope),
                    chunk,
                )?;
            }
            entry = Entry {
                nonce: nonce.clone(),
                events: Vec::new(),
                parts: chunks.len(),
            };
            value = json(&entry)?;
        }
        let stored = self.create(&key_of(slot), &self.scope, &value)?;
        Ok((stored, nonce))
    }

    fn read_back(&self, slot: u64, nonce: &str) -> Answer<Append> {
        let reading = self.read_whole()?;
        let ours = reading.nonces.get(&slot).is_some_and(|own| own == nonce);
        Ok(if ours {
            Append::Recorded(reading.log)
        } else {
            Append::Lost(reading.log)
        })
    }

    /// The log with one more entry, where the entries before it are those that were seen last.
    fn with(&self, decided_on: u64, events: &[Event]) -> Option<Log> {
        let mut seen = self.seen.borrow_mut();
        let log = seen.as_mut().filter(|log| log.revision == decided_on)?;
        log.revision += 1;
        log.events.extend(events.iter().cloned());
        Some(log.clone())
    }

    fn damaged(&self, damage: &Damage) -> Problem {
        damaged(
            &format!(
                "the state variable `{}` (scope `{}`) of the project",
                damage.name, self.scope
            ),
            &damage.how,
        )
    }

    /// What GitLab says of storing it. Only a refusal that has nothing to do with a race is a problem.
    fn create(&self, key: &str, scope: &str, value: &str) -> Answer<Stored> {
        let endpoint = CreateProjectVariable::builder()
            .project(self.project)
            .key(key)
            .value(value)
            .environment_scope(scope)
            .raw(true)
            .masked(false)
            .description("State of Trainyard, not to be edited")
            .build()
            .map_err(|error| Problem::bug("a variable could not be described").caused_by(error))?;
        match self.client.send(&endpoint) {
            Ok(reply) if reply.ok() => Ok(Stored::Yes),
            Ok(reply) if reply.status >= 500 => Ok(Stored::Unknown),
            Ok(reply)
                if reply.status == 400 && reply.words().contains("has already been taken") =>
            {
                Ok(Stored::Unknown)
            }
            Ok(reply) if reply.status == 400 && reply.words().contains("Maximum number") => {
                Err(Problem::gitlab(
                    format!(
                        "the project cannot hold more CI variables: {}",
                        reply.words()
                    ),
                    "release the open version, which archives its entries, or raise the limit `project_ci_variables`",
                ))
            }
            Ok(reply) => Err(reply.problem()),
            // The answer was lost: the log tells whether the entry is in.
            Err(_) => Ok(Stored::Unknown),
        }
    }
}

impl Journal for VariableJournal<'_> {
    fn read(&self) -> Answer<Log> {
        Ok(self.read_whole()?.log)
    }

    fn mending(&self) -> Option<&dyn Mending> {
        Some(self)
    }

    fn append(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        let (stored, nonce) = self.store(decided_on, events)?;
        if stored == Stored::Yes
            && !events.iter().any(|event| event.fact.must_be_proved())
            && let Some(log) = self.with(decided_on, events)
        {
            return Ok(Append::Recorded(log));
        }
        self.read_back(decided_on + 1, &nonce)
    }

    fn append_unproved(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        let (stored, nonce) = self.store(decided_on, events)?;
        if stored == Stored::Yes
            && let Some(log) = self.with(decided_on, events)
        {
            if let Some(carrier) = self.carrier {
                carrier.forget(true);
            }
            *self.unproved.borrow_mut() = Some((decided_on + 1, nonce));
            return Ok(Append::Recorded(log));
        }
        self.read_back(decided_on + 1, &nonce)
    }

    fn prove(&self) -> Answer<bool> {
        match self.unproved.take() {
            None => Ok(true),
            Some((slot, nonce)) => Ok(self.read_whole()?.nonces.get(&slot) == Some(&nonce)),
        }
    }
}

fn read_entry(
    variable: &wire::Variable,
    parts: &BTreeMap<(&str, usize), &str>,
) -> Result<Entry, String> {
    let value = variable.value.as_deref().unwrap_or_default();
    let mut entry: Entry = serde_json::from_str(value)
        .map_err(|error| format!("its value cannot be read: {error}"))?;
    if entry.parts > 0 {
        let text: Option<String> = (0..entry.parts)
            .map(|i| parts.get(&(entry.nonce.as_str(), i)).copied())
            .collect();
        let text = text.ok_or("a part of its value is missing")?;
        entry.events = serde_json::from_str(&text)
            .map_err(|error| format!("its parts cannot be read: {error}"))?;
    }
    Ok(entry)
}

/// What GitLab says of a variable that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// It is stored, unless another one of its name was deleted in that very instant.
    Yes,
    /// The log tells.
    Unknown,
}

fn key_of(slot: u64) -> String {
    format!("TRAINYARD_LOG_{slot:06}")
}

/// Unlike any other attempt's: the job, the slot and the nanosecond.
fn nonce_of(writer: &str, slot: u64, clock: &dyn Clock) -> String {
    let text = format!(
        "{writer}/{slot}/{}/{}",
        clock.now().as_nanosecond(),
        std::process::id()
    );
    Sha256::digest(text.as_bytes())
        .iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn json(value: &impl Serialize) -> Answer<String> {
    serde_json::to_string(value)
        .map_err(|error| Problem::bug("an event cannot be written").caused_by(error))
}
