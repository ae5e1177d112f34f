//! How the beginning of the log leaves its folder: for the folder `archive` in it, and a base in its place. By the same rules as
//! where the log is in CI variables, although here a lock keeps writers apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::{FolderJournal, events_in, named, trouble};
use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Anchor, Base, Cleared, Holding, Shelf};
use crate::domain::yard::Yard;
use crate::outcome::Problem;
use crate::ports::{Answer, Archive, Package, Replaced, Unpacked, Whole, damaged};

/// The folder of packages.
const ARCHIVE: &str = "archive";

impl FolderJournal {
    pub(super) fn base_file(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("base-{generation:06}.json"))
    }

    fn note_file(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("cleared-{generation:06}.json"))
    }

    fn package(&self, holding: &Holding) -> PathBuf {
        self.folder.join(ARCHIVE).join(holding.to_string())
    }

    pub(super) fn highest_generation(&self) -> Answer<u64> {
        let bases = self.numbers("base-", ".json")?;
        let notes = self.numbers("cleared-", ".json")?;
        Ok(bases.last().max(notes.last()).copied().unwrap_or(0))
    }

    /// The base that counts.
    pub(super) fn base_unlocked(&self) -> Answer<Option<Arc<Base>>> {
        let Some(generation) = self.numbers("base-", ".json")?.last().copied() else {
            return Ok(None);
        };
        let base = self.opened(generation)?;
        let path = self.base_file(generation);
        let base = base.map_err(|how| damaged(&format!("the base `{}`", path.display()), &how))?;
        Ok(Some(Arc::new(base)))
    }

    fn opened(&self, generation: u64) -> Answer<Result<Base, String>> {
        let path = self.base_file(generation);
        let bytes = fs::read(&path).map_err(|error| trouble(&path, "read", error))?;
        Ok(serde_json::from_slice::<Checkpoint>(&bytes)
            .map_err(|error| format!("it cannot be read: {error}"))
            .and_then(|checkpoint| checkpoint.open(generation)))
    }

    pub(super) fn shelf_unlocked(&self, base: Option<&Base>) -> Answer<Shelf> {
        let slot = |generation: u64| match base {
            Some(base) if base.generation == generation => base.slot,
            Some(_) | None => 0,
        };
        let mut shelf = Shelf {
            slots: self.slots_unlocked()?,
            ..Shelf::default()
        };
        for generation in self.numbers("base-", ".json")? {
            shelf.bases.insert(generation, slot(generation));
        }
        for generation in self.numbers("cleared-", ".json")? {
            let path = self.note_file(generation);
            let bytes = fs::read(&path).map_err(|error| trouble(&path, "read", error))?;
            let note: Cleared = serde_json::from_slice(&bytes)
                .map_err(|error| damaged(&named(&path), &format!("it cannot be read: {error}")))?;
            shelf.cleared.insert(generation, note);
        }
        Ok(shelf)
    }

    /// What can take the place of a base that cannot be read.
    pub(super) fn in_its_place(&self) -> Answer<(Base, Replaced)> {
        let generation = self.highest_generation()? + 1;
        let slots = self.slots_unlocked()?;
        for older in self.numbers("base-", ".json")?.into_iter().rev() {
            let Ok(base) = self.opened(older)? else {
                continue;
            };
            let last = slots.last().copied().unwrap_or(0);
            let readable = |slot: u64| {
                let text = fs::read_to_string(self.entry(slot)).ok();
                text.is_some_and(|text| events_in(&text).is_ok())
            };
            if base.slot < last && (base.slot + 1..=last).all(readable) {
                return Ok((Base { generation, ..base }, Replaced::Older));
            }
        }
        let mut packed = false;
        for package in self.packages(Timestamp::MIN)? {
            packed = true;
            if let Unpacked::Whole(state) = self.unpack_state(&package)?
                && let Ok(base) = state.open(generation)
            {
                return Ok((base, Replaced::Package(self.name(&package.holding))));
            }
        }
        let had_one = packed || generation > 1;
        let slot = slots.first().filter(|_| had_one).map_or(0, |slot| slot - 1);
        let base = Base {
            generation,
            slot,
            state: Yard::default(),
        };
        Ok((base, Replaced::Nothing(slot)))
    }

    /// When the newest thing in the folder was made; a folder has no other clock.
    pub(super) fn newest_change(&self) -> Answer<Timestamp> {
        changed(&self.folder)
    }

    fn remove(&self, path: &Path) -> Answer<()> {
        self.locked(|| match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(trouble(path, "remove", error))
            }
            Ok(()) | Err(_) => Ok(()),
        })
    }

    fn text_of(&self, package: &Package, file: &str) -> Unpacked<String> {
        let path = self.package(&package.holding).join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Unpacked::Whole(text),
            Err(error) => Unpacked::Damaged(format!("its file `{file}` cannot be read: {error}")),
        }
    }
}

impl Archive for FolderJournal {
    fn is_sure_of(&self, _revision: u64) -> bool {
        // Reading it costs nothing.
        false
    }

    fn whole(&self) -> Answer<Whole> {
        self.locked(|| {
            let log = self.read_unlocked()?;
            let first = log.base.as_ref().map_or(0, |base| base.slot) + 1;
            let mut entries = Vec::new();
            for slot in first..=log.revision {
                let path = self.entry(slot);
                let text =
                    fs::read_to_string(&path).map_err(|error| trouble(&path, "read", error))?;
                let events = events_in(&text).map_err(|how| damaged(&named(&path), &how))?;
                entries.push((slot, events));
            }
            Ok(Whole {
                shelf: self.shelf_unlocked(log.base.as_deref())?,
                base: log.base,
                entries,
            })
        })
    }

    fn name(&self, holding: &Holding) -> String {
        self.package(holding).display().to_string()
    }

    fn packages(&self, since: Timestamp) -> Answer<Vec<Package>> {
        let folder = self.folder.join(ARCHIVE);
        let Ok(files) = fs::read_dir(&folder) else {
            return Ok(Vec::new());
        };
        let mut packages = Vec::new();
        for file in files.flatten() {
            let name = file.file_name();
            let Some(holding) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let at = changed(&file.path())?;
            if at >= since {
                packages.push(Package { holding, at });
            }
        }
        packages.sort_by_key(|package| std::cmp::Reverse((package.at, package.holding.to)));
        Ok(packages)
    }

    fn pack(&self, holding: &Holding, text: &str, state: &Checkpoint) -> Answer<()> {
        let folder = self.package(holding);
        let state = serde_json::to_string(state)
            .map_err(|error| Problem::bug("the state cannot be written").caused_by(error))?;
        self.locked(|| {
            fs::create_dir_all(&folder).map_err(|error| trouble(&folder, "make", error))?;
            for (file, text) in [("events.ndjson", text), ("checkpoint.json", &state)] {
                let path = folder.join(file);
                if !path.exists() {
                    self.write_whole(&path, text)?;
                }
            }
            let path = folder.join("events.ndjson");
            let stored = fs::read(&path).map_err(|error| trouble(&path, "read", error))?;
            if stored == text.as_bytes() {
                return Ok(());
            }
            Err(damaged(
                &format!("the package `{}`", folder.display()),
                "it is not what was stored under its name",
            ))
        })
    }

    fn unpack(&self, package: &Package) -> Answer<Unpacked<String>> {
        Ok(self.text_of(package, "events.ndjson"))
    }

    fn unpack_state(&self, package: &Package) -> Answer<Unpacked<Checkpoint>> {
        Ok(match self.text_of(package, "checkpoint.json") {
            Unpacked::Damaged(how) => Unpacked::Damaged(how),
            Unpacked::Whole(text) => match serde_json::from_str(&text) {
                Ok(state) => Unpacked::Whole(state),
                Err(error) => Unpacked::Damaged(format!("its state cannot be read: {error}")),
            },
        })
    }

    fn set_base(&self, generation: u64, state: &Checkpoint) -> Answer<bool> {
        let path = self.base_file(generation);
        let text = serde_json::to_string(state)
            .map_err(|error| Problem::bug("the state cannot be written").caused_by(error))?;
        self.locked(|| {
            if self.highest_generation()? >= generation {
                return Ok(false);
            }
            self.write_whole(&path, &text)?;
            Ok(true)
        })
    }

    fn remove_anchor(&self, anchor: Anchor) -> Answer<()> {
        match anchor {
            Anchor::FirstEntry => self.remove_entry(1),
            Anchor::Base(generation) => self.remove(&self.base_file(generation)),
        }
    }

    fn note_cleared(&self, generation: u64, cleared: Cleared) -> Answer<()> {
        let path = self.note_file(generation);
        let note = serde_json::to_string(&cleared)
            .map_err(|error| Problem::bug("a note cannot be written").caused_by(error))?;
        self.locked(|| {
            if path.exists() {
                return Ok(());
            }
            self.write_whole(&path, &note)
        })
    }

    fn remove_entry(&self, slot: u64) -> Answer<()> {
        self.remove(&self.entry(slot))
    }

    fn remove_note(&self, generation: u64) -> Answer<()> {
        self.remove(&self.note_file(generation))
    }
}

fn changed(path: &Path) -> Answer<Timestamp> {
    let changed = fs::metadata(path).and_then(|about| about.modified());
    let changed = changed.map_err(|error| trouble(path, "look at", error))?;
    Timestamp::try_from(changed)
        .map_err(|error| Problem::bug("a file has no time").caused_by(error))
}
