//! Jobs that write to the log, and jobs that archive it, one step at a time.

use trainyard::domain::archive::{Anchor, Upkeep, View};

use super::variables::{History, Reading, Told, Variable, create, instant, read, shelf};
use super::{Mistake, Shift, State};

/// What a listing has brought so far. GitLab counts on a page by how many come before it, so what is deleted meanwhile moves the
/// rest forward, past who reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Listing {
    pub(super) began: i64,
    pub(super) found: Vec<Variable>,
    pub(super) pages: usize,
    pub(super) tries: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Reads, and looks for what it wrote where it could not be certain.
    Read {
        listing: Listing,
        wrote: Option<(u64, u16, Told)>,
    },
    /// Writes what it decided.
    Write {
        began: i64,
        at_once: bool,
        revision: u64,
        told: Told,
    },
    /// Does what an archiver has planned, one after the other.
    Keep(Vec<Operation>),
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Remove((u8, u64)),
    NoteCleared(u64, u64),
    SetBase(u64, u64, History),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) archives: bool,
    pub(super) phase: Phase,
    /// Whether it believes that it has the lease.
    pub(super) holds: bool,
    /// What it believes to have recorded.
    pub(super) recorded: History,
    pub(super) attempts: u8,
}

impl Job {
    pub(super) fn new(archives: bool) -> Self {
        Self {
            archives,
            phase: Phase::Read {
                listing: Listing::default(),
                wrote: None,
            },
            holds: false,
            recorded: Vec::new(),
            attempts: 0,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        *self == Self::new(self.archives)
    }
}

/// A job gives up after so many readings, or attempts to write.
pub(super) const TRIES: u8 = 2;

impl Shift {
    pub(super) fn go(&self, state: &mut State, at: usize) {
        let mut job = state.jobs[at].clone();
        let phase = std::mem::replace(&mut job.phase, Phase::Over);
        job.phase = match phase {
            Phase::Read { listing, wrote } => self.page_of(state, &mut job, at, listing, wrote),
            Phase::Write {
                began,
                at_once,
                revision,
                told,
            } => self.write(state, &mut job, at, (began, at_once, revision), told),
            Phase::Keep(mut operations) => {
                if operations.is_empty() {
                    Phase::Over
                } else {
                    keep(state, operations.remove(0));
                    Phase::Keep(operations)
                }
            }
            Phase::Over => Phase::Over,
        };
        if job.phase == Phase::Keep(Vec::new()) {
            job.phase = Phase::Over;
        }
        if job.phase == Phase::Over {
            job.holds = false;
        }
        state.jobs[at] = job;
    }

    /// One more page; after the last one the job decides.
    fn page_of(
        &self,
        state: &State,
        job: &mut Job,
        at: usize,
        mut listing: Listing,
        wrote: Option<(u64, u16, Told)>,
    ) -> Phase {
        if listing.pages == 0 {
            listing.began = state.minute;
        }
        let page = state.variables.iter().skip(listing.pages * self.page);
        let page: Vec<Variable> = page.take(self.page).cloned().collect();
        listing.pages += 1;
        let last = page.len() < self.page;
        listing.found.extend(page);
        if !last {
            return Phase::Read { listing, wrote };
        }
        let Some(reading) = read(&listing.found) else {
            if listing.tries + 1 == TRIES {
                return Phase::Over;
            }
            let listing = Listing {
                tries: listing.tries + 1,
                ..Listing::default()
            };
            return Phase::Read { listing, wrote };
        };
        if job.archives {
            return plan(&listing.found, &reading, state.minute, self.mistake);
        }
        let at_once = listing.pages == 1;
        if let Some((slot, nonce, told)) = wrote {
            if reading.nonces.contains(&(slot, nonce)) || reading.state.contains(&told) {
                return recorded(job, at, told, (listing.began, at_once, reading.revision));
            }
            job.attempts += 1;
            if job.attempts == TRIES {
                return Phase::Over;
            }
        }
        // What it had may be another one's by now.
        job.holds = false;
        let holder = match reading.state.last() {
            Some(Told::Taken(holder)) => Some(*holder),
            Some(Told::GivenBack(_)) | None => None,
        };
        let told = match holder {
            Some(holder) if holder == at => Told::GivenBack(at),
            Some(holder) if state.jobs[holder].phase != Phase::Over => return Phase::Over,
            Some(_) | None if reading.state.contains(&Told::Taken(at)) => return Phase::Over,
            Some(_) | None => Told::Taken(at),
        };
        Phase::Write {
            began: listing.began,
            at_once,
            revision: reading.revision,
            told,
        }
    }

    fn write(
        &self,
        state: &mut State,
        job: &mut Job,
        at: usize,
        (began, at_once, revision): (i64, bool, u64),
        told: Told,
    ) -> Phase {
        // Whoever gives it back uses it no more, whatever comes of that.
        job.holds &= matches!(told, Told::Taken(_));
        let slot = revision + 1;
        let nonce = (at as u16) * 100 + u16::from(job.attempts) * 10 + job.recorded.len() as u16;
        let covered = read(&state.variables).map_or(0, |now| now.revision);
        let made = create(
            &mut state.variables,
            Variable::Entry {
                slot,
                nonce,
                told: Some(told),
            },
        );
        if made && slot > covered {
            state.truth.push(told);
        }
        let view = View {
            began: instant(began),
            at_once,
        };
        let certain = view.makes_certain(revision, instant(state.minute))
            || self.mistake == Mistake::Careless;
        if made && certain {
            return recorded(job, at, told, (began, at_once, slot));
        }
        Phase::Read {
            listing: Listing::default(),
            wrote: Some((slot, nonce, told)),
        }
    }
}

/// The job takes it for recorded. What it does next stands on the view that it had.
pub(super) fn recorded(
    job: &mut Job,
    at: usize,
    told: Told,
    (began, at_once, revision): (i64, bool, u64),
) -> Phase {
    job.recorded.push(told);
    match told {
        Told::Taken(_) => {
            job.holds = true;
            Phase::Write {
                began,
                at_once,
                revision,
                told: Told::GivenBack(at),
            }
        }
        Told::GivenBack(_) => Phase::Over,
    }
}

/// What an archiver does that sees this.
pub(super) fn plan(found: &[Variable], reading: &Reading, minute: i64, mistake: Mistake) -> Phase {
    let minute = match mistake {
        Mistake::None | Mistake::Careless => minute,
        Mistake::Hasty => minute + 31,
    };
    let upkeep = shelf(found, reading.generation).upkeep(instant(minute));
    let mut operations: Vec<Operation> = match upkeep {
        Upkeep::Rest => Vec::new(),
        Upkeep::Clear {
            generation,
            slot,
            anchors,
        } => {
            let key = |anchor| match anchor {
                Anchor::FirstEntry => (0, 1),
                Anchor::Base(generation) => (1, generation),
            };
            let gone = anchors
                .into_iter()
                .map(|anchor| Operation::Remove(key(anchor)));
            gone.chain([Operation::NoteCleared(generation, slot)])
                .collect()
        }
        Upkeep::Remove { slots, notes } => {
            let entries = slots.into_iter().map(|slot| (0, slot));
            let notes = notes.into_iter().map(|generation| (2, generation));
            entries.chain(notes).map(Operation::Remove).collect()
        }
    };
    if !reading.nonces.is_empty() {
        let (slot, state) = (reading.revision, reading.state.clone());
        operations.push(Operation::SetBase(reading.generation + 1, slot, state));
    }
    Phase::Keep(operations)
}

pub(super) fn keep(state: &mut State, operation: Operation) {
    match operation {
        Operation::Remove(key) => state.variables.retain(|one| one.key() != key),
        Operation::NoteCleared(generation, slot) => {
            let minute = state.minute;
            let note = Variable::Cleared {
                generation,
                slot,
                minute,
            };
            create(&mut state.variables, note);
        }
        Operation::SetBase(generation, slot, history) => {
            let base = Variable::Base {
                generation,
                slot,
                state: history,
            };
            create(&mut state.variables, base);
        }
    }
}
