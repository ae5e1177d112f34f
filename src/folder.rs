//! The journal in a folder: for one machine, for the demo's curious reader and for tests. Guarded by a file lock (`fs2`).
//!
//! One file per entry, written beside and renamed, so that a killed process or a full disk never leaves half an entry.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::domain::event::Event;
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Damage, Journal, Log, Mending, Survey, damaged};

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
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(damaged(&named(&path), "it is not text"));
                }
                Err(error) => return Err(trouble(&path, "read", error)),
            };
            let events = events_in(&text).map_err(|how| damaged(&named(&path), &how))?;
            log.events.extend(events);
            log.revision += 1;
        }
        // An entry behind a hole would come to life again once the hole is written.
        if self.last_unlocked()? > log.revision {
            let missing = named(&self.entry(log.revision + 1));
            return Err(damaged(
                &missing,
                "it is missing, although later entries are there",
            ));
        }
        Ok(log)
    }

    /// The highest number of an entry.
    fn last_unlocked(&self) -> Answer<u64> {
        let files = fs::read_dir(&self.folder).map_err(|e| trouble(&self.folder, "read", e))?;
        let slots = files.filter_map(|file| {
            let name = file.ok()?.file_name();
            name.to_str()?.strip_suffix(".ndjson")?.parse().ok()
        });
        Ok(slots.max().unwrap_or(0))
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

impl Mending for FolderJournal {
    fn survey(&self) -> Answer<Survey> {
        self.locked(|| {
            let last = self.last_unlocked()?;
            let mut survey = Survey {
                last,
                ..Survey::default()
            };
            for slot in 1..=last {
                let path = self.entry(slot);
                let read = fs::read_to_string(&path).map_err(|error| {
                    if error.kind() == std::io::ErrorKind::NotFound {
                        "it is missing, although later entries are there".to_owned()
                    } else {
                        format!("it cannot be read: {error}")
                    }
                });
                match read.and_then(|text| events_in(&text)) {
                    Ok(events) => survey.events.extend(events),
                    Err(how) => survey.damages.push(Damage {
                        slot: Some(slot),
                        name: path.display().to_string(),
                        there: path.exists(),
                        how,
                    }),
                }
            }
            Ok(survey)
        })
    }

    fn set_aside(&self, damage: &Damage) -> Answer<String> {
        self.locked(|| {
            let from = PathBuf::from(&damage.name);
            let mut number = 1;
            let to = loop {
                let to = from.with_extension(format!("aside-{number}"));
                if !to.exists() {
                    break to;
                }
                number += 1;
            };
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(trouble(&from, "set aside", error))
                }
                Ok(()) | Err(_) => Ok(to.display().to_string()),
            }
        })
    }

    fn fill(&self, slot: u64, events: &[Event]) -> Answer<()> {
        self.locked(|| {
            if self.entry(slot).exists() {
                return Ok(());
            }
            self.write(slot, events)
        })
    }
}

impl Journal for FolderJournal {
    fn mending(&self) -> Option<&dyn Mending> {
        Some(self)
    }

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

fn events_in(text: &str) -> Result<Vec<Event>, String> {
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|error| format!("it cannot be read: {error}"))
        })
        .collect()
}

fn named(path: &Path) -> String {
    format!("the journal entry `{}`", path.display())
}

fn trouble(path: &Path, verb: &str, error: std::io::Error) -> Problem {
    Problem::misconfigured(
        format!("cannot {verb} `{}`", path.display()),
        "check that the folder exists, is writable, and that the disk is not full",
    )
    .caused_by(error)
}
