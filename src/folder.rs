//! The journal in a folder: for one machine, for the demo's curious reader and for tests. Guarded by a file lock (`fs2`).
//!
//! One file per entry, written beside and renamed, so that a killed process or a full disk never leaves half an entry. What is
//! archived goes to the folder `archive` in it.

mod archiving;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::domain::archive::Base;
use crate::domain::event::Event;
use crate::outcome::Problem;
use crate::ports::{
    Answer, Append, Archive, Damage, Journal, Log, Mending, Replaced, Survey, damaged,
};

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
        let base = self.base_unlocked()?;
        let mut log = Log {
            revision: base.as_ref().map_or(0, |base| base.slot),
            upkeep: self.shelf_unlocked(base.as_deref())?.due(),
            base,
            events: Vec::new(),
        };
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
        Ok(self.slots_unlocked()?.last().copied().unwrap_or(0))
    }

    /// The entries that there are.
    fn slots_unlocked(&self) -> Answer<BTreeSet<u64>> {
        self.numbers("", ".ndjson")
    }

    /// The numbers in the names of files.
    fn numbers(&self, before: &str, behind: &str) -> Answer<BTreeSet<u64>> {
        let files = fs::read_dir(&self.folder).map_err(|e| trouble(&self.folder, "read", e))?;
        let number = |file: std::io::Result<fs::DirEntry>| {
            let name = file.ok()?.file_name();
            let name = name.to_str()?.strip_prefix(before)?;
            name.strip_suffix(behind)?.parse().ok()
        };
        Ok(files.filter_map(number).collect())
    }

    fn entry(&self, slot: u64) -> PathBuf {
        self.folder.join(format!("{slot:06}.ndjson"))
    }

    fn write(&self, slot: u64, events: &[Event]) -> Answer<()> {
        self.write_whole(&self.entry(slot), &lines(events)?)
    }

    /// Writes a file beside its place, and puts it there.
    fn write_whole(&self, path: &Path, text: &str) -> Answer<()> {
        let beside = self.folder.join("entry.part");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| trouble(&beside, "write", error))?;
        fs::rename(&beside, path).map_err(|error| trouble(path, "write", error))
    }
}

impl Mending for FolderJournal {
    fn survey(&self) -> Answer<Survey> {
        self.locked(|| {
            let mut survey = Survey::default();
            let begins = self.slots_unlocked()?.first().copied();
            let lost = match self.base_unlocked() {
                Ok(base) => {
                    survey.base = base;
                    let path = self.base_file(self.highest_generation()?.max(1));
                    (survey.base.is_none() && begins != Some(1)).then(|| Damage {
                        slot: None,
                        name: path.display().to_string(),
                        there: false,
                        how: "it is missing, although there is an archive of what it covers"
                            .to_owned(),
                    })
                }
                Err(_) => {
                    let path = self.base_file(self.highest_generation()?);
                    Some(Damage {
                        slot: None,
                        name: path.display().to_string(),
                        there: true,
                        how: "it cannot be read".to_owned(),
                    })
                }
            };
            if let Some(damage) = lost {
                let (base, replaced) = self.in_its_place()?;
                if damage.there || replaced != Replaced::Nothing(0) {
                    survey.damages.push(damage);
                    survey.base = Some(Arc::new(base));
                    survey.replaced = Some(replaced);
                }
            }
            let covered = survey.base.as_ref().map_or(0, |base| base.slot);
            let last = self.last_unlocked()?.max(covered);
            survey.last = last;
            for slot in covered + 1..=last {
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

    fn replace_base(&self, base: &Base) -> Answer<()> {
        let at = self.newest_change()?;
        let checkpoint = Checkpoint::of(&base.state, base.slot, at)?;
        self.set_base(base.generation, &checkpoint).map(drop)
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

    fn archive(&self) -> Option<&dyn Archive> {
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

fn lines(events: &[Event]) -> Answer<String> {
    let line = |event: &Event| {
        serde_json::to_string(event)
            .map(|line| line + "\n")
            .map_err(|error| Problem::bug("an event cannot be written").caused_by(error))
    };
    events.iter().map(line).collect()
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
