//! The log of everything that happened, as jobs read and append it: its archive, and how it is put right when it is damaged.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;

use super::Answer;
use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Anchor, Base, Cleared, Holding, Shelf};
use crate::domain::event::Event;
use crate::domain::yard::Yard;
use crate::outcome::Problem;

/// A log as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The number of its last entry; 0 when it is empty.
    pub revision: u64,
    /// The state that its beginning was folded into, if it was.
    pub base: Option<Arc<Base>>,
    /// The events behind the base, in order.
    pub events: Vec<Event>,
    /// From when on something that the base covers can be removed; none when nothing can.
    pub upkeep: Option<Timestamp>,
}

impl Log {
    /// The state after all of it.
    pub fn yard(&self) -> Yard {
        folded(self.base.as_deref(), &self.events)
    }

    /// The numbers of the entries behind the base.
    pub fn slots(&self) -> RangeInclusive<u64> {
        self.base.as_ref().map_or(0, |base| base.slot) + 1..=self.revision
    }

    /// How many entries are behind the base.
    pub fn length(&self) -> u64 {
        self.revision - self.base.as_ref().map_or(0, |base| base.slot)
    }
}

fn folded(base: Option<&Base>, events: &[Event]) -> Yard {
    let mut yard = base.map_or_else(Yard::default, |base| base.state.clone());
    for event in events {
        yard.apply(event);
    }
    yard
}

/// What became of an attempt to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// The events are in; the log as it is now.
    Recorded(Log),
    /// Somebody else was faster; the log as it is now, to decide again.
    Lost(Log),
}

/// The log of everything that happened: append-only, each entry decided on the one before it.
pub trait Journal {
    /// Reads it.
    fn read(&self) -> Answer<Log>;
    /// Appends one entry right behind the revision that it was decided on, or tells that the log has moved.
    fn append(&self, decided_on: u64, events: &[Event]) -> Answer<Append>;
    /// How it can be put right when it is damaged, where it can be.
    fn mending(&self) -> Option<&dyn Mending> {
        None
    }
    /// Its archive, where it has one.
    fn archive(&self) -> Option<&dyn Archive> {
        None
    }
    /// The same, but it only seems to be recorded until `prove` says so; a look at GitLab in between can bring the proof along.
    fn append_unproved(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        self.append(decided_on, events)
    }
    /// Whether the last entry is in the log.
    fn prove(&self) -> Answer<bool> {
        Ok(true)
    }
}

/// Everything that there is of a log, read anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// What it stands on, and what stands still.
    pub shelf: Shelf,
    /// The state that its beginning was folded into.
    pub base: Option<Arc<Base>>,
    /// The entries behind the base, in order, without a hole.
    pub entries: Vec<(u64, Vec<Event>)>,
}

/// A package of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it holds.
    pub holding: Holding,
    /// When it was made.
    pub at: Timestamp,
}

/// What became of an attempt to read a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpacked<T> {
    /// What it holds.
    Whole(T),
    /// It is gone, or not what was put there; in words that follow its name.
    Damaged(String),
}

/// The archive of a log: packages that are written once, and the base that takes their place.
pub trait Archive {
    /// Whether the entries up to a revision are known so well that they need not be read again before they are packed.
    fn is_sure_of(&self, revision: u64) -> bool;
    /// Reads all of the log, once more.
    fn whole(&self) -> Answer<Whole>;
    /// How a person finds a package.
    fn name(&self, holding: &Holding) -> String;
    /// The packages that there are, the newest first; those made before an instant may be missing.
    fn packages(&self, since: Timestamp) -> Answer<Vec<Package>>;
    /// Stores a package, and makes sure that it is what was stored; a package of that name that is there already says the same.
    fn pack(&self, holding: &Holding, text: &str, state: &Checkpoint) -> Answer<()>;
    /// The text of a package.
    fn unpack(&self, package: &Package) -> Answer<Unpacked<String>>;
    /// The state after the last entry of a package.
    fn unpack_state(&self, package: &Package) -> Answer<Unpacked<Checkpoint>>;
    /// Makes a base of a generation, if there is none; whether it is this one.
    fn set_base(&self, generation: u64, state: &Checkpoint) -> Answer<bool>;
    /// Removes an anchor below the base.
    fn remove_anchor(&self, anchor: Anchor) -> Answer<()>;
    /// Notes that there is no anchor below a base any more; what is noted stays.
    fn note_cleared(&self, generation: u64, cleared: Cleared) -> Answer<()>;
    /// Removes an entry that the base covers.
    fn remove_entry(&self, slot: u64) -> Answer<()>;
    /// Removes what is noted about a generation.
    fn remove_note(&self, generation: u64) -> Answer<()>;
}

/// An entry of the log that cannot be read, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its number; none for something that is no entry and has no business there.
    pub slot: Option<u64>,
    /// The name that a person finds it by.
    pub name: String,
    /// Whether there is something to be set aside.
    pub there: bool,
    /// What is wrong with it.
    pub how: String,
}

/// A log as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The number of its last entry; 0 when there is none.
    pub last: u64,
    /// The state that its beginning was folded into; where that cannot be read, the one that can take its place.
    pub base: Option<Arc<Base>>,
    /// What the base cannot be read from, and what takes its place.
    pub replaced: Option<Replaced>,
    /// The events of the entries behind it that can be read, in order.
    pub events: Vec<Event>,
    /// What cannot.
    pub damages: Vec<Damage>,
}

/// What takes the place of a base that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The state of the newest package, by its name.
    Package(String),
    /// An older base, and all entries behind it.
    Older,
    /// Nothing: what was before this entry is lost.
    Nothing(u64),
}

impl Survey {
    /// The state as far as it can be read.
    pub fn yard(&self) -> Yard {
        folded(self.base.as_deref(), &self.events)
    }
}

/// A log that is damaged.
pub trait Mending {
    /// Looks at all of it.
    fn survey(&self) -> Answer<Survey>;
    /// Puts something that cannot be read where no reader looks, and tells where; nothing is deleted.
    fn set_aside(&self, damage: &Damage) -> Answer<String>;
    /// Makes a base that takes the place of one that cannot be read.
    fn replace_base(&self, base: &Base) -> Answer<()>;
    /// Writes an entry where there is none; an entry that is there stays.
    fn fill(&self, slot: u64, events: &[Event]) -> Answer<()>;
}

/// What every command but `repair` says of a damaged log.
pub fn damaged(what: &str, how: &str) -> Problem {
    Problem::misconfigured(
        format!("{what} is damaged: {how}; nothing was changed"),
        "`trainyard repair` shows what can be put right from what GitLab knows, and `trainyard repair --write` does it; a backup of the variable is as good",
    )
}
