//! The journal in CI variables: one variable per entry, its number in the key, in a scope that no job ever uses.
//!
//! The only primitive is create-if-absent. Creating answers 201, 400 or 500, and none of them is proof (a 201 can be given for
//! a variable that was not stored, when another one of its name is deleted in that instant). Where a job goes on only because
//! something is recorded, or where it read the log so long ago that the slot may have been taken and archived since, the log is
//! read back and searched for the attempt's own nonce; where the next job mends what a job that died before the write left undone,
//! a 201 does. How the variables are read is in `reading`, how their beginning leaves them in `archiving`.
//! See docs: API, "Project-level CI/CD variables".

mod archiving;
mod mending;
mod reading;

use gitlab::api::projects::variables::CreateProjectVariable;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::Timestamp;

use super::client::Client;
use super::endpoints::{Get, Page};
use super::wire;
use crate::domain::archive::View;
use crate::domain::digest::sha256;
use crate::domain::event::Event;
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Archive, Clock, Damage, Journal, Log, Mending, damaged};
use reading::{Entry, Found, Reading, key_of};

/// Instance variables end at 10,000 characters and so, to be portable, do ours.
const LONGEST_VALUE: usize = 9_500;
/// A project holds 8,000 variables by default.
const MOST_PAGES: u64 = 90;
/// So many variables come in one answer.
const ON_A_PAGE: usize = 100;

/// Whether variables came in one answer. As many as fill a page may have been more: one of the next page that moves into the place of
/// another one, which is removed meanwhile, is in neither.
fn came_at_once(variables: usize) -> bool {
    variables < ON_A_PAGE
}

/// How often a log with a hole is read again before it counts as damaged.
const READS: u32 = 3;

/// The journal of one NRT environment.
#[derive(Debug)]
pub struct VariableJournal<'a> {
    client: &'a Client<'a>,
    clock: &'a dyn Clock,
    project: u64,
    environment: String,
    scope: String,
    writer: String,
    /// Where other queries leave the variables that they brought along.
    carrier: Option<&'a Carrier>,
    /// The entry that is not proved yet: its slot and its nonce.
    unproved: RefCell<Option<(u64, String)>>,
    /// What has to be deleted for an entry or a base to be gone, as last read by whoever archives.
    stock: RefCell<archiving::Stock>,
    /// The log as it was seen last, and how.
    seen: RefCell<Option<(Log, View)>>,
}

/// What queries about other things bring along: all variables, when they are wanted.
#[derive(Debug)]
pub(super) struct Carrier {
    wanted: Cell<bool>,
    /// Whatever they bring was asked for after this instant.
    since: Cell<Timestamp>,
    listing: RefCell<Option<Vec<wire::Variable>>>,
}

impl Carrier {
    /// Nothing yet.
    pub(super) fn since(now: Timestamp) -> Self {
        Self {
            wanted: Cell::new(false),
            since: Cell::new(now),
            listing: RefCell::new(None),
        }
    }

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
    fn forget(&self, wanted: bool, now: Timestamp) {
        self.wanted.set(wanted);
        self.since.set(now);
        self.listing.take();
    }
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
            stock: RefCell::new(archiving::Stock::default()),
            environment: environment.to_owned(),
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
        if let Some(carrier) = self.carrier
            && let Some(variables) = carrier.listing.take()
            && let Ok(reading) = Found::of(&variables, &self.scope).reading()
        {
            return Ok(self.keep(reading, carrier.since.get(), variables.len()));
        }
        let mut attempt = 1;
        loop {
            let began = self.clock.now();
            let variables = self.variables()?;
            match Found::of(&variables, &self.scope).reading() {
                Ok(reading) => return Ok(self.keep(reading, began, variables.len())),
                // One of several pages can miss an entry while another one is removed: the order of the list is not promised.
                Err(damage) if attempt == READS || came_at_once(variables.len()) => {
                    return Err(self.damaged(&damage));
                }
                Err(_) => self.clock.wait(Duration::from_millis(500)),
            }
            attempt += 1;
        }
    }

    fn keep(&self, reading: Reading, began: Timestamp, variables: usize) -> Reading {
        let at_once = came_at_once(variables);
        *self.seen.borrow_mut() = Some((reading.log.clone(), View { began, at_once }));
        reading
    }

    /// Tries to store one entry behind a revision; what came of it, and the nonce by which it is found.
    fn store(&self, decided_on: u64, events: &[Event]) -> Answer<(Stored, String)> {
        if let Some(carrier) = self.carrier {
            carrier.forget(false, self.clock.now());
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
            entry = Entry {
                nonce: nonce.clone(),
                events: Vec::new(),
                parts: self.store_parts(&nonce, &json(&events)?)?,
            };
            value = json(&entry)?;
        }
        let stored = self.create(&key_of(slot), &self.scope, &value)?;
        Ok((stored, nonce))
    }

    /// Stores a text that is too long for one variable, and tells in how many it is.
    fn store_parts(&self, nonce: &str, text: &str) -> Answer<usize> {
        let text: Vec<char> = text.chars().collect();
        let mut count = 0;
        for chunk in text.chunks(LONGEST_VALUE) {
            self.create(
                &format!("TRAINYARD_PART_{count}"),
                &format!("{}/part/{nonce}", self.scope),
                &chunk.iter().collect::<String>(),
            )?;
            count += 1;
        }
        Ok(count)
    }

    /// Whether what was stored behind a revision is recorded although nobody looked: nobody can have taken the slot and have it
    /// archived since the log was read.
    fn is_certain(&self, revision: u64) -> bool {
        let seen = self.seen.borrow();
        let seen = seen.as_ref().filter(|(log, _)| log.revision == revision);
        seen.is_some_and(|(_, view)| view.makes_certain(revision, self.clock.now()))
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
        let (log, _) = seen
            .as_mut()
            .filter(|(log, _)| log.revision == decided_on)?;
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
                    "run `trainyard tick`, which archives the beginning of the log, or raise the limit `project_ci_variables`",
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

    fn archive(&self) -> Option<&dyn Archive> {
        Some(self)
    }

    fn append(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        let (stored, nonce) = self.store(decided_on, events)?;
        if stored == Stored::Yes
            && self.is_certain(decided_on)
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
            && self.is_certain(decided_on)
            && let Some(log) = self.with(decided_on, events)
        {
            if let Some(carrier) = self.carrier {
                carrier.forget(true, self.clock.now());
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

/// What GitLab says of a variable that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// It is stored, unless another one of its name was deleted in that very instant.
    Yes,
    /// The log tells.
    Unknown,
}

/// Unlike any other attempt's: the job, the slot and the nanosecond.
fn nonce_of(writer: &str, slot: u64, clock: &dyn Clock) -> String {
    let text = format!(
        "{writer}/{slot}/{}/{}",
        clock.now().as_nanosecond(),
        std::process::id()
    );
    sha256(text).chars().take(20).collect()
}

fn json(value: &impl Serialize) -> Answer<String> {
    serde_json::to_string(value)
        .map_err(|error| Problem::bug("an event cannot be written").caused_by(error))
}
