//! The log without its past: a base holds the state up to an entry, so that readers fold only what came after it, and the entries
//! before it can go into an archive.
//!
//! When an entry may be removed is decided here, and nowhere else. A job that read the log and then tries to write behind it must
//! find the slot taken if anybody took it since, for as long as it relies on what it read (`VIEW`). Its view stands on an anchor:
//! the base that it began to fold from, or entry 1. So an anchor is removed first, and what could be read behind it stays for
//! longer than any such job relies on its view (`KEPT`). A job that takes longer looks whether its entry counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::event::{Event, Fact};
use super::yard::Yard;

/// How long a job relies on the log as it read it: what it writes later it looks for in the log.
pub const VIEW: SignedDuration = SignedDuration::from_mins(2);
/// How long entries stay after the anchor before them is removed: as long as a job relies on its view, and then as far as the clocks
/// of two runners may disagree.
pub const KEPT: SignedDuration = SignedDuration::from_mins(30);
/// So many entries behind the base are worth an archive.
pub const ENOUGH: u64 = 50;

/// The state up to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The how-manieth it is; the highest one counts.
    pub generation: u64,
    /// The last entry that is in it.
    pub slot: u64,
    /// The state.
    pub state: Yard,
}

/// What the beginning of a view can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anchor {
    /// The first entry of the log.
    FirstEntry,
    /// A base, by its generation.
    Base(u64),
}

/// That there is no anchor below a base any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Since when.
    pub at: Timestamp,
    /// The last entry that the base covers.
    pub slot: u64,
}

impl Cleared {
    /// From when on the entries that the base covers can be removed.
    fn ripe(&self) -> Timestamp {
        self.at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }
}

/// What there is of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelf {
    /// The last entry that each base covers, by generation.
    pub bases: BTreeMap<u64, u64>,
    /// The bases below which there is no anchor, whether they are still there or not.
    pub cleared: BTreeMap<u64, Cleared>,
    /// The entries that are there, those that a base covers too.
    pub slots: BTreeSet<u64>,
}

/// What is to be done about what bases cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing, or nothing yet.
    Rest,
    /// These anchors are to be removed, and then that is to be noted.
    Clear {
        /// The base that counts.
        generation: u64,
        /// The last entry that it covers.
        slot: u64,
        /// What is below it.
        anchors: Vec<Anchor>,
    },
    /// These entries are to be removed, and then the notes that say less than another one.
    Remove {
        /// Entries that a base covers.
        slots: Vec<u64>,
        /// Notes, by generation.
        notes: Vec<u64>,
    },
}

impl Shelf {
    /// What is to be done at an instant.
    pub fn upkeep(&self, now: Timestamp) -> Upkeep {
        let anchors = self.anchors_below();
        if let Some((&generation, &slot)) = self.bases.last_key_value()
            && (!anchors.is_empty() || !self.cleared.contains_key(&generation))
        {
            return Upkeep::Clear {
                generation,
                slot,
                anchors,
            };
        }
        let mut notes = self.cleared.iter().rev();
        let ripe = notes.find(|(_, cleared)| cleared.ripe() <= now);
        let Some((generation, cleared)) = ripe else {
            return Upkeep::Rest;
        };
        let (slots, notes) = self.covered(*generation, cleared);
        if slots.is_empty() && notes.is_empty() {
            Upkeep::Rest
        } else {
            Upkeep::Remove { slots, notes }
        }
    }

    /// From when on something is to be done; none when nothing is.
    pub fn due(&self) -> Option<Timestamp> {
        if let Upkeep::Clear { .. } = self.upkeep(Timestamp::MIN) {
            return Some(Timestamp::MIN);
        }
        let worth = self.cleared.iter().filter(|(generation, cleared)| {
            let (slots, notes) = self.covered(**generation, cleared);
            !slots.is_empty() || !notes.is_empty()
        });
        worth.map(|(_, cleared)| cleared.ripe()).min()
    }

    fn anchors_below(&self) -> Vec<Anchor> {
        let Some((&generation, &slot)) = self.bases.last_key_value() else {
            return Vec::new();
        };
        let first = self.slots.contains(&1) && slot >= 1;
        let below = self.bases.range(..generation);
        let below = below.map(|(number, _)| Anchor::Base(*number));
        first
            .then_some(Anchor::FirstEntry)
            .into_iter()
            .chain(below)
            .collect()
    }

    fn covered(&self, generation: u64, cleared: &Cleared) -> (Vec<u64>, Vec<u64>) {
        let slots = self.slots.range(..=cleared.slot).copied().collect();
        let notes = self.cleared.range(..generation).map(|(number, _)| *number);
        (slots, notes.collect())
    }
}

/// How a job read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// When it began to read.
    pub began: Timestamp,
    /// Whether everything came in one answer: what comes in pages can miss what is moved from one to another meanwhile.
    pub at_once: bool,
}

impl View {
    /// Whether the job may take what it wrote behind a revision for recorded without looking: it wrote soon enough after it had begun
    /// to read, and its view stood on an anchor, or there was truly none.
    pub fn makes_certain(&self, revision: u64, now: Timestamp) -> bool {
        let took = now.duration_since(self.began);
        (revision > 0 || self.at_once) && !took.is_negative() && took < VIEW
    }
}

/// Which entries a package holds; its name in the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// The first entry.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// The number of the last version that was released by them.
    pub number: Option<Version>,
    /// The beginning of the checksum of its text: the same name, the same content.
    pub digest: String,
}

impl Holding {
    /// The number of the last version that a history releases.
    pub fn number_in(events: &[Event]) -> Option<Version> {
        events.iter().rev().find_map(|event| {
            if let Fact::VersionReleased { number, .. } = &event.fact {
                Some(number.version.clone())
            } else {
                None
            }
        })
    }
}

/// GitLab allows no `+` in what a person may type into an address, so it is a `_`.
impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}-{:06}", self.from, self.to)?;
        if let Some(number) = &self.number {
            write!(f, "-{}", number.to_string().replace('+', "_"))?;
        }
        write!(f, "-{}", self.digest)
    }
}

impl FromStr for Holding {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let (from, rest) = name.split_once('-').ok_or(())?;
        let (to, rest) = rest.split_once('-').ok_or(())?;
        let (number, digest) = match rest.rsplit_once('-') {
            Some((number, digest)) => (Some(number.replace('_', "+")), digest),
            None => (None, rest),
        };
        let slot = |digits: &str| digits.parse::<u64>().ok().ok_or(());
        let number = number.map(|number| Version::parse(&number).ok().ok_or(()));
        let holding = Self {
            from: slot(from)?,
            to: slot(to)?,
            number: number.transpose()?,
            digest: digest.to_owned(),
        };
        let hexadecimal = digest.len() == 12 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        (hexadecimal && holding.from <= holding.to && holding.to_string() == name)
            .then_some(holding)
            .ok_or(())
    }
}

/// The entries from one to another that no package holds, as ranges.
pub fn gaps<'a>(
    holdings: impl IntoIterator<Item = &'a Holding>,
    first: u64,
    up_to: u64,
) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = holdings.into_iter().map(|one| (one.from, one.to)).collect();
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = first;
    for (from, to) in ranges {
        if from > next && next <= up_to {
            gaps.push((next, up_to.min(from - 1)));
        }
        next = next.max(to + 1);
    }
    if next <= up_to {
        gaps.push((next, up_to));
    }
    gaps
}

#[cfg(test)]
mod tests;
