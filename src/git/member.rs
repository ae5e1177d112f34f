//! The commits of another project than the one that the job runs in: a repository of our own, which is made when it is first used.

use std::fs;
use std::path::Path;

use super::{Destination, WorkTree};
use crate::outcome::Problem;
use crate::ports::Answer;

/// Where such repositories are, in the job's folder.
const FOLDER: &str = ".trainyard";

impl WorkTree {
    /// The repository of another project. A job fetches into it what it needs, as it does for its own project.
    pub fn of_member(job: &Path, project: u64, destination: Destination) -> Self {
        let folder = job.join(FOLDER).join(project.to_string());
        Self::at(&folder).pushing_to(Some(destination))
    }

    pub(super) fn make_folder(&self) -> Answer<()> {
        fs::create_dir_all(&self.folder).map_err(|error| {
            Problem::misconfigured(
                format!("the folder `{}` cannot be made", self.folder.display()),
                "let the job write to its own work tree",
            )
            .caused_by(error)
        })
    }
}
