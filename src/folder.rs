//! The journal in a folder: for one machine, for the demo's curious reader and for tests. Guarded by a file lock (`fs2`).
//!
//! One file per entry, written beside and renamed, so that a killed process or a full disk never leaves half an entry.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::domain::event::Event;
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Journal, Log};

/// A journal in a folder.
#[derive(Debug)]
pub struct FolderJournal {
    folder: PathBuf,
}

impl FolderJournal {
    /// Opens a folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn open(folder: &Path) -> Answer<Self> {
        fs::create_dir_all(folder).map_err(|error| trouble(folder, "make", error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn locked<T>(&self, work: impl FnOnce() -> Answer<T>) -> Answer<T> {
        let path = self.folder.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| trouble(&path, "open", error))?;
        fs2::FileExt::lock_exclusive(&file).map_err(|error| trouble(&path, "lock", error))?;
        let result = work();
        fs2::FileExt::unlock(&file).map_err(|error| trouble(&path, "unlock", error))?;
        result
    }

    fn read_unlocked(&self) -> Answer<Log> {
        let mut log = Log::default();
        loop {
            let path = self.entry(log.revision + 1);
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(log),
                Err(error) => return Err(trouble(&path, "read", error)),
            };
            for line in text.lines() {
                let event = serde_json::from_str(line).map_err(|error| {
                    Problem::misconfigured(
                        format!(
                            "the journal entry `{}` is damaged; nothing was changed",
                            path.display()
                        ),
                        "entries are not to be edited: restore the file from a backup",
                    )
                    .caused_by(error)
                })?;
                log.events.push(event);
            }
            log.revision += 1;
        }
    }

    fn entry(&self, slot: u64) -> PathBuf {
        self.folder.join(format!("{slot:06}.ndjson"))
    }

    fn write(&self, slot: u64, events: &[Event]) -> Answer<()> {
        let mut text = String::new();
        for event in events {
            let line = serde_json::to_string(event)
                .map_err(|error| Problem::bug("an event cannot be written").caused_by(error))?;
            text.push_str(&line);
            text.push('\n');
        }
        let beside = self.folder.join("entry.part");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| trouble(&beside, "write", error))?;
        let path = self.entry(slot);
        fs::rename(&beside, &path).map_err(|error| trouble(&path, "write", error))
    }
}

impl Journal for FolderJournal {
    fn read(&self) -> Answer<Log> {
        self.locked(|| self.read_unlocked())
    }

    fn append(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        self.locked(|| {
            let log = self.read_unlocked()?;
            if log.revision != decided_on {
                return Ok(Append::Lost(log));
            }
            self.write(decided_on + 1, events)?;
            Ok(Append::Recorded(self.read_unlocked()?))
        })
    }
}

fn trouble(path: &Path, verb: &str, error: std::io::Error) -> Problem {
    Problem::misconfigured(
        format!("cannot {verb} `{}`", path.display()),
        "check that the folder exists, is writable, and that the disk is not full",
    )
    .caused_by(error)
}
