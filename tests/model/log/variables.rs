//! The variables that a log is kept in, and what a reader makes of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use trainyard::domain::archive::{Cleared, Shelf};

/// Somebody takes the lease, or gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Taken(usize),
    GivenBack(usize),
}

pub(super) type History = Vec<Told>;

/// One CI variable of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Variable {
    Entry {
        slot: u64,
        /// Whose attempt it is: two are never the same.
        nonce: u16,
        told: Option<Told>,
    },
    Base {
        generation: u64,
        slot: u64,
        state: History,
    },
    Cleared {
        generation: u64,
        slot: u64,
        minute: i64,
    },
}

impl Variable {
    pub(super) fn key(&self) -> (u8, u64) {
        match self {
            Self::Entry { slot, .. } => (0, *slot),
            Self::Base { generation, .. } => (1, *generation),
            Self::Cleared { generation, .. } => (2, *generation),
        }
    }
}

/// A log as its variables tell it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    pub(super) revision: u64,
    /// What the base holds, and which one it is.
    pub(super) generation: u64,
    pub(super) state: History,
    pub(super) nonces: Vec<(u64, u16)>,
}

/// None where an entry is missing although later ones are there.
pub(super) fn read(variables: &[Variable]) -> Option<Reading> {
    let bases = variables.iter().filter_map(|variable| match variable {
        Variable::Base {
            generation,
            slot,
            state,
        } => Some((*generation, *slot, state.clone())),
        Variable::Entry { .. } | Variable::Cleared { .. } => None,
    });
    let base = bases.max_by_key(|(generation, ..)| *generation);
    let (generation, slot, state) = base.unwrap_or_default();
    let entries: BTreeMap<u64, (u16, Option<Told>)> = variables
        .iter()
        .filter_map(|variable| match variable {
            Variable::Entry { slot, nonce, told } => Some((*slot, (*nonce, *told))),
            Variable::Base { .. } | Variable::Cleared { .. } => None,
        })
        .collect();
    let mut reading = Reading {
        revision: slot,
        generation,
        state,
        nonces: Vec::new(),
    };
    for (slot, (nonce, told)) in entries.range(slot + 1..) {
        if *slot != reading.revision + 1 {
            return None;
        }
        reading.revision = *slot;
        reading.nonces.push((*slot, *nonce));
        reading.state.extend(told);
    }
    Some(reading)
}

/// As `Found::shelf` puts it together.
pub(super) fn shelf(variables: &[Variable], counts: u64) -> Shelf {
    let mut shelf = Shelf::default();
    for variable in variables {
        match variable {
            Variable::Entry { slot, .. } => {
                shelf.slots.insert(*slot);
            }
            Variable::Base {
                generation, slot, ..
            } => {
                let slot = if *generation == counts { *slot } else { 0 };
                shelf.bases.insert(*generation, slot);
            }
            Variable::Cleared {
                generation,
                slot,
                minute,
            } => {
                let (at, slot) = (instant(*minute), *slot);
                shelf.cleared.insert(*generation, Cleared { at, slot });
            }
        }
    }
    shelf
}

pub(super) fn instant(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

/// Makes a variable, unless there is one of that key.
pub(super) fn create(variables: &mut Vec<Variable>, one: Variable) -> bool {
    let absent = variables.iter().all(|other| other.key() != one.key());
    if absent {
        variables.push(one);
    }
    absent
}
