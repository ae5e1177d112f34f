//! The folder of a demo: kept where the reader asked for it, or removed when the story is over.

use std::fs;
use std::path::{Path, PathBuf};

use crate::outcome::Problem;
use crate::ports::Answer;

/// A folder that cleans up after itself unless it is kept.
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// `keep` must be empty or missing, so that nothing of the reader's is touched.
    pub(super) fn new(keep: Option<&Path>) -> Answer<Self> {
        let (path, kept) = match keep {
            Some(path) => (path.to_owned(), true),
            None => (
                std::env::temp_dir().join(format!("trainyard-demo-{}", std::process::id())),
                false,
            ),
        };
        if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Problem::misconfigured(
                format!("the folder `{}` is not empty", path.display()),
                "name a new folder",
            ));
        }
        fs::create_dir_all(&path).map_err(|error| {
            Problem::misconfigured(
                format!("cannot make the folder `{}`", path.display()),
                "check that its parent is writable and that the disk is not full",
            )
            .caused_by(error)
        })?;
        let path = path.canonicalize().unwrap_or(path);
        Ok(Self { path, kept })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn kept(&self) -> Option<&Path> {
        self.kept.then_some(self.path.as_path())
    }

    /// Removes the folder unless it is kept.
    pub(super) fn finish(self) -> Answer<()> {
        self.remove().map_err(|error| {
            Problem::misconfigured(
                format!("cannot remove `{}`", self.path.display()),
                "remove it by hand",
            )
            .caused_by(error)
        })
    }

    fn remove(&self) -> std::io::Result<()> {
        if self.kept || !self.path.exists() {
            Ok(())
        } else {
            fs::remove_dir_all(&self.path)
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A story that ended early leaves its folder to this; there is nobody left to tell.
        let _ = self.remove();
    }
}
