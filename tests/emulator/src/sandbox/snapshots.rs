//! Snapshots: everything as it stands, kept under a number, to come back to it as often as wanted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::shared::Shared;
use crate::store::State;

/// The snapshots taken so far.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    taken: Mutex<Vec<Snapshot>>,
}

#[derive(Debug)]
struct Snapshot {
    at: Timestamp,
    state: Box<State>,
    repositories: PathBuf,
}

/// Why a snapshot was not taken or not restored.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error(
        "{0} jobs are running: wait for their end or cancel them, or pause the runner by `--no-runner`"
    )]
    Busy(usize),
    #[error("there is no snapshot {0}")]
    Unknown(usize),
    #[error("the repositories cannot be copied")]
    Copy(#[from] io::Error),
}

impl Snapshots {
    /// Takes one and gives its number. Work in the background is finished first.
    pub(super) fn take(&self, shared: &Shared) -> Result<usize, SnapshotError> {
        shared.background.settle();
        idle(shared)?;
        let _no_push = shared
            .after_push
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let state = Box::new(shared.state().clone());
        let mut taken = self.lock();
        let number = taken.len() + 1;
        let repositories = shared.data_dir.join(format!("snapshots/{number}"));
        copy(&shared.data_dir.join("repositories"), &repositories)?;
        taken.push(Snapshot {
            at: shared.clock.now(),
            state,
            repositories,
        });
        Ok(number)
    }

    /// Puts everything back as it was: the state and the repositories, not the clock, the faults or the request log.
    pub(super) fn restore(&self, shared: &Shared, number: usize) -> Result<(), SnapshotError> {
        shared.background.settle();
        idle(shared)?;
        let _no_push = shared
            .after_push
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let taken = self.lock();
        let snapshot = number
            .checked_sub(1)
            .and_then(|index| taken.get(index))
            .ok_or(SnapshotError::Unknown(number))?;
        let mut state = shared.state();
        let repositories = shared.data_dir.join("repositories");
        fs::remove_dir_all(&repositories)?;
        copy(&snapshot.repositories, &repositories)?;
        shared.memory.forget();
        *state = (*snapshot.state).clone();
        Ok(())
    }

    /// The numbers and instants of all.
    pub(super) fn list(&self) -> Vec<(usize, Timestamp)> {
        let taken = self.lock();
        let numbered = taken.iter().enumerate();
        numbered
            .map(|(index, snapshot)| (index + 1, snapshot.at))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Snapshot>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that runs while everything changes under it would tell of a past that never was.
fn idle(shared: &Shared) -> Result<(), SnapshotError> {
    match shared.runs.jobs().len() {
        0 => Ok(()),
        running => Err(SnapshotError::Busy(running)),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
