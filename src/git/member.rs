//! The commits of another project than the one that the job was cloned from: a repository of our own beside the runner's clone.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Destination, Source, WorkTree, no_git};
use crate::outcome::Problem;
use crate::ports::Answer;

impl WorkTree {
    /// The repository of another project, which is made when it is first used. A runner that keeps its clones keeps it too, so that
    /// later jobs fetch only what is new.
    pub fn of_member(clone: &Path, project: u64, destination: Destination) -> Self {
        let git = clone.join(".git");
        let beside = if git.is_dir() {
            git.join("trainyard")
        } else {
            clone.join(".trainyard")
        };
        Self {
            source: Source::Destination,
            ..Self::at(&beside.join(format!("{project}.git"))).pushing_to(Some(destination))
        }
    }

    /// What commits are fetched from.
    pub(super) fn remote(&self) -> &str {
        match (self.source, &self.destination) {
            (Source::Destination, Some(destination)) => &destination.address,
            (Source::Destination | Source::Origin, _) => "origin",
        }
    }

    pub(super) fn make_when_missing(&self) -> Answer<()> {
        if self.source == Source::Origin || self.folder.join("HEAD").exists() {
            return Ok(());
        }
        let made = fs::create_dir_all(&self.folder).map_err(|error| {
            let folder = self.folder.display();
            Problem::misconfigured(
                format!("`{folder}` cannot be made"),
                "let the job write to its own work tree",
            )
            .caused_by(error)
        });
        made?;
        let output = Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(&self.folder)
            .output()
            .map_err(no_git)?;
        self.said(&["init"], output).map(drop)
    }
}
